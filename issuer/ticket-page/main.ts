/**
 * The ticket page (docs/OPERATIONS.md, Tickets at the door): a phone that checks tickets, with or without a network. It has the
 * issuer's public keys and its own list of who was let in, and sends nothing to anybody.
 */
import { textOf } from '../../protocol/language.ts'
import { judgeTicket, type TicketVerdict, ticketNumber } from '../../protocol/ticket.ts'
import { startCamera } from './camera.ts'
import { type DoorKeys, fetchKeys, keptKeys, verifiersOf } from './door-keys.ts'
import './page.css'
import { signal, wakeSound } from './signals.ts'
import { listFrom, openUsedList, type UsedList } from './used-list.ts'
import { dictionaries, languageFor, type Words } from './words.ts'

const element = <Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind => {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`no #${id}`)
  return found
}
const parts = {
  events: element('events', HTMLUListElement),
  otherId: element('other-id', HTMLInputElement),
  camera: element('camera', HTMLVideoElement),
  code: element('code', HTMLInputElement),
  verdict: element('verdict', HTMLDivElement),
  language: element('language', HTMLSelectElement),
  loadList: element('load-list', HTMLInputElement),
}
const say = (id: string, text: string): void => {
  element(id, HTMLElement).textContent = text
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)
const places = { events: 'farthing-door-events', language: 'farthing-door-language' }

let language = localStorage.getItem(places.language) ?? languageFor(navigator.languages)
let words: Words = dictionaries[language] ?? languageWords('en')
let keys: DoorKeys | undefined = keptKeys()
let used: UsedList | undefined
let chosen: readonly string[] = JSON.parse(localStorage.getItem(places.events) ?? '[]')
let stopCamera: (() => void) | undefined

function languageWords(name: string): Words {
  const found = dictionaries[name]
  if (found === undefined) throw new Error(`no words in ${name}`)
  return found
}

const number = (count: number): string => new Intl.NumberFormat(words.locale).format(count)
const moment = (seconds: number): string => {
  const today = new Date().toDateString() === new Date(seconds * 1000).toDateString()
  const style = today ? ({ timeStyle: 'medium' } as const) : ({ dateStyle: 'medium', timeStyle: 'short' } as const)
  return new Intl.DateTimeFormat(words.locale, style).format(seconds * 1000)
}
const titleOf = (id: string): string =>
  textOf(keys?.events.find((event) => event.id === id)?.title ?? {}, language).text || id

const showView = (view: 'setup' | 'check'): void => {
  document.body.dataset.view = view
  for (const name of ['setup', 'check'] as const) element(name, HTMLElement).hidden = name !== view
  element('change', HTMLButtonElement).hidden = view === 'setup'
}

/** Where the browser has closed its storage, the next verdict says so; a count that fails holds up no verdict. */
const letInCount = async (): Promise<number> => {
  try {
    return (await used?.count()) ?? 0
  } catch {
    return 0
  }
}

const showCounts = async (): Promise<void> => {
  const count = words.letIn(number(await letInCount()))
  say('counts', `${chosen.map(titleOf).join(' · ')} — ${count}`)
  say('list-count', count)
}

const showEvents = (): void => {
  parts.events.replaceChildren(
    ...(keys?.events ?? []).map(({ id }) => {
      const box = Object.assign(document.createElement('input'), { type: 'checkbox', name: 'event', value: id })
      box.checked = chosen.includes(id)
      const label = document.createElement('label')
      const title = Object.assign(document.createElement('b'), { textContent: titleOf(id) })
      const small = Object.assign(document.createElement('small'), { textContent: id })
      label.append(box, title, small)
      const row = document.createElement('li')
      row.append(label)
      return row
    }),
  )
  const typed = chosen.find((id) => keys?.events.every((event) => event.id !== id) ?? true)
  if (typed !== undefined) parts.otherId.value = typed
}

const showWords = (): void => {
  document.documentElement.lang = language
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr'
  document.title = `${words.title} · Farthing`
  for (const each of document.querySelectorAll<HTMLElement>('[data-word]')) {
    const name = each.dataset.word === 'language' ? 'languageLabel' : each.dataset.word
    const text = words[name as keyof Words]
    if (typeof text === 'string') each.textContent = text
  }
  say('keys-state', keys === undefined ? words.noKeys : words.keysOf(moment(keys.fetchedAt)))
  showEvents()
}

/** Whether the page opens with no network, as far as the browser lets it. */
const keepOffline = async (): Promise<void> => {
  try {
    await navigator.serviceWorker.register('worker.js')
    await navigator.serviceWorker.ready
    await navigator.storage?.persist?.()
    say('offline-state', words.offlineReady)
    document.body.dataset.offline = 'ready'
  } catch {
    say('offline-state', words.notOffline)
  }
}

const marks = { yes: 'M4.5 12.5l5 5 10-11', no: 'M6 6l12 12M18 6L6 18' }

interface Shown {
  readonly outcome: string
  readonly answer: 'yes' | 'no'
  readonly reason: string
  readonly what: string
}

let hide: ReturnType<typeof setTimeout> | undefined
const shownMs = { yes: 2500, no: 6000 }

const hideVerdict = (): void => {
  clearTimeout(hide)
  parts.verdict.hidden = true
  parts.code.value = ''
}

const showVerdict = ({ outcome, answer, reason, what }: Shown): void => {
  clearTimeout(hide)
  parts.verdict.dataset.answer = answer
  parts.verdict.dataset.outcome = outcome
  document.querySelector('#verdict-mark')?.setAttribute('d', marks[answer])
  say('verdict-word', answer === 'yes' ? words.yes : words.no)
  say('verdict-reason', reason)
  say('verdict-what', what)
  parts.verdict.hidden = false
  parts.verdict.focus()
  signal(answer)
  hide = setTimeout(hideVerdict, shownMs[answer])
}

const refusalReason = (verdict: Exclude<TicketVerdict, { outcome: 'good' }>): string => {
  const { reasons } = words
  switch (verdict.outcome) {
    case 'notYetValid':
      return reasons.notYetValid(moment(verdict.ticket.validFrom))
    case 'expired':
      return reasons.expired(moment(verdict.ticket.validUntil))
    default:
      return reasons[verdict.outcome]
  }
}

const judged = async (text: string): Promise<Shown> => {
  const now = nowSeconds()
  const verdict = judgeTicket(text, { keys: keys === undefined ? new Map() : verifiersOf(keys), eventIds: chosen, now })
  const what = 'ticket' in verdict ? words.ticketNumber(ticketNumber(verdict.ticket)) : ''
  if (verdict.outcome !== 'good')
    return { outcome: verdict.outcome, answer: 'no', reason: refusalReason(verdict), what }
  const named = `${titleOf(verdict.eventId)} · ${what}`
  try {
    if (used === undefined) throw new Error('no list')
    const usedAt = await used.take(verdict.ticket, now)
    return usedAt === undefined
      ? { outcome: 'accepted', answer: 'yes', reason: words.reasons.accepted, what: named }
      : { outcome: 'used', answer: 'no', reason: words.reasons.used(moment(usedAt)), what: named }
  } catch {
    return { outcome: 'listBroken', answer: 'no', reason: words.reasons.listBroken, what: named }
  }
}

/** One after the other: a verdict is of the ticket that was shown last. */
let turn: Promise<void> = Promise.resolve()
let waiting = 0
const check = (text: string): void => {
  waiting += 1
  turn = turn.then(async () => {
    showVerdict(await judged(text))
    await showCounts()
    waiting -= 1
  })
}

/** A ticket that stays in view is one look at it; taken away for this long and shown again, it is another. */
const awayMs = 1500
const inView = { text: '', seenMs: 0 }

const seen = (text: string): void => {
  const now = performance.now()
  const same = text === inView.text && now - inView.seenMs < awayMs
  inView.seenMs = now
  if (same || waiting > 0) return
  inView.text = text
  check(text)
}

/** Which beginning is the newest: a phone may ask its holder for long, and meanwhile he begins anew, or goes back. */
let beginning = 0

const endCamera = (): void => {
  beginning += 1
  stopCamera?.()
  stopCamera = undefined
}

const begin = async (): Promise<void> => {
  endCamera()
  const mine = beginning
  showView('check')
  await showCounts()
  say('camera-state', words.cameraStarting)
  const again = element('camera-again', HTMLButtonElement)
  again.hidden = true
  const camera = await startCamera(parts.camera, seen)
  if (mine !== beginning) {
    if (typeof camera !== 'string') camera()
    return
  }
  const troubles = { refused: words.cameraRefused, missing: words.cameraMissing, insecure: words.cameraInsecure }
  document.body.dataset.camera = typeof camera === 'string' ? camera : 'on'
  say('camera-state', typeof camera === 'string' ? troubles[camera] : words.pointCamera)
  // Who has allowed it meanwhile need not begin anew.
  again.hidden = camera !== 'refused'
  if (typeof camera === 'string') parts.code.focus()
  else stopCamera = camera
  await keepAwake()
}

let awake: WakeLockSentinel | undefined
/** A door is no place for a phone that goes dark. */
const keepAwake = async (): Promise<void> => {
  if (awake?.released === false) return
  awake = await navigator.wakeLock?.request('screen').catch(() => undefined)
  // He went back meanwhile.
  if (document.body.dataset.view !== 'check') await awake?.release()
}
// The browser lets go of it whenever the page is out of sight.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && document.body.dataset.view === 'check') void keepAwake()
})

element('camera-again', HTMLButtonElement).addEventListener('click', () => void begin())

element('door', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  wakeSound()
  const ticked = [...document.querySelectorAll<HTMLInputElement>('[name=event]:checked')].map(({ value }) => value)
  const typed = parts.otherId.value.trim().toLowerCase()
  chosen = typed === '' ? ticked : [...new Set([...ticked, typed])]
  const trouble = keys === undefined ? words.noKeys : chosen.length === 0 ? words.nothingChosen : ''
  say('setup-trouble', trouble)
  if (trouble !== '') return
  localStorage.setItem(places.events, JSON.stringify(chosen))
  void begin()
})
element('change', HTMLButtonElement).addEventListener('click', () => {
  endCamera()
  void awake?.release()
  hideVerdict()
  showView('setup')
  void showCounts()
})
element('typed', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  wakeSound()
  if (parts.code.value.trim() !== '') check(parts.code.value)
})
parts.verdict.addEventListener('click', () => {
  hideVerdict()
  if (document.body.dataset.camera !== 'on') parts.code.focus()
})
// A scanner that types goes on behind the verdict.
parts.verdict.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' || (event.key.length === 1 && event.key !== ' ')) {
    hideVerdict()
    parts.code.focus()
  }
})

element('save-list', HTMLButtonElement).addEventListener('click', async () => {
  const list = JSON.stringify({ v: 1, used: (await used?.all()) ?? [] })
  const url = URL.createObjectURL(new Blob([list], { type: 'application/json' }))
  Object.assign(document.createElement('a'), { href: url, download: 'used-tickets.json' }).click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
})
parts.loadList.addEventListener('change', async () => {
  const file = parts.loadList.files?.[0]
  parts.loadList.value = ''
  if (file === undefined) return
  const list = listFrom(await file.text())
  say('list-state', list === undefined ? words.listWrong : words.listLoaded(number((await used?.merge(list)) ?? 0)))
  await showCounts()
})

parts.language.append(
  ...Object.entries(dictionaries).map(
    ([tag, each]) => new Option(each.language, tag, tag === language, tag === language),
  ),
)
parts.language.addEventListener('change', () => {
  language = parts.language.value
  words = languageWords(language)
  localStorage.setItem(places.language, language)
  showWords()
  void showCounts()
  void keepOffline()
})

const start = async (): Promise<void> => {
  showWords()
  showView('setup')
  used = await openUsedList().catch(() => undefined)
  await showCounts()
  keys = (await fetchKeys(nowSeconds())) ?? keys
  showWords()
  await keepOffline()
  document.body.dataset.ready = 'true'
}
void start()

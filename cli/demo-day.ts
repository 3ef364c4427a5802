/**
 * `farthing demo`: the whole system on one machine. Headless it plays a day through the real screen and the system's own
 * pcscd, and checks that the figures add up; with a display it then leaves the kiosk open, with a tray of cards to tap.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import type { Page } from 'playwright'
import { readLedgerStatus, type Unsynced } from '../db/ledger.ts'
import { openReadable } from '../db/open.ts'
import { launchKiosk } from '../e2e/launch.ts'
import {
  farthing,
  insertCard,
  makeSystem,
  merchant,
  must,
  type RunningCommand,
  type System,
  virtualReaders,
} from '../e2e/system.ts'
import type { report } from '../issuer/report.ts'
import { formatAmount } from '../protocol/currency.ts'
import { CliError, exitStatus, line } from './output.ts'
import { stockShelf } from './sample-goods.ts'
import { onStop } from './stop.ts'
import { table } from './table.ts'

type Report = Awaited<ReturnType<typeof report>>

const currency = 'EUR'
const money = (minor: number): string => formatAmount(minor, currency)
const settleMsMax = 60_000

interface DemoCard {
  readonly name: string
  readonly cardId: string
  readonly stateFile: string
}

/** Runs in the page, which has types of its own: resolves when nothing moves that ever ends. */
const atRest = `Promise.all(document.getAnimations()
  .filter((animation) => Number.isFinite(animation.effect.getComputedTiming().endTime))
  .map((animation) => animation.finished.catch(() => undefined))).then(() => undefined)`

/** What the customer does and sees, on the real page. */
class Customer {
  readonly #page: Page
  readonly #pictures: string
  #pictureNo = 0

  constructor(page: Page, pictures: string) {
    this.#page = page
    this.#pictures = pictures
  }

  async sees(screen: string): Promise<void> {
    await this.#page.locator(`[data-screen="${screen}"]`).waitFor({ timeout: 20_000 })
  }

  async picture(name: string): Promise<void> {
    this.#pictureNo += 1
    // What moves once has come to rest; what always moves may be caught anywhere.
    await this.#page.evaluate(atRest)
    const file = `${String(this.#pictureNo).padStart(2, '0')}-${name}.png`
    await this.#page.screenshot({ path: path.join(this.#pictures, file) })
  }

  async press(action: string): Promise<void> {
    await this.#page.locator(`[data-action="${action}"]`).first().click()
  }

  /** Three touches, from attract to the reader. */
  async choose(itemId: string, pictures = false): Promise<void> {
    await this.sees('attract')
    if (pictures) await this.picture('attract')
    await this.press('start')
    await this.sees('catalogue')
    if (pictures) await this.picture('catalogue')
    await this.#page.locator(`[data-action="open"][data-item-id="${itemId}"]`).click()
    await this.sees('item')
    if (pictures) await this.picture('item')
    await this.press('buy')
    await this.sees('pay')
    if (pictures) await this.picture('pay')
  }

  /** From approved to the goods and away. */
  async takesGoods(name: string): Promise<void> {
    await this.sees('approved')
    await this.picture(`approved-${name}`)
    if (await this.#page.locator('[data-action="show-goods"]').isVisible()) await this.press('show-goods')
    await this.sees('goods')
    await this.#page
      .locator('[data-screen="goods"] [data-ready]')
      .first()
      .waitFor({ timeout: 10_000 })
      .catch(() => undefined)
    await this.picture(`goods-${name}`)
    await this.leaves()
  }

  async leaves(): Promise<void> {
    await this.press('finish')
    await this.sees('attract')
  }
}

/** Plays the day. Every step is said as it happens. */
const playDay = async (system: System, pictures: string, say: (text: string) => void): Promise<readonly DemoCard[]> => {
  say('Three cards are personalised and loaded, through the reader:')
  const cards: DemoCard[] = []
  for (const [name, amount] of [
    ['Ada', '20.00'],
    ['Ben', '10.00'],
    ['Cleo', '1.00'],
  ] as const) {
    const made = await system.makeCard(name, amount)
    cards.push({ name, ...made })
    say(`  ${name}: card ${made.cardId}, ${amount} ${currency}`)
  }
  const [ada, ben, cleo] = cards
  if (ada === undefined || ben === undefined || cleo === undefined) throw new Error('three cards were made')

  const kiosk = await launchKiosk({ dataDir: system.dataDir })
  const customer = new Customer(kiosk.page, pictures)
  const tap = (card: DemoCard, tear?: 'before' | 'after') =>
    insertCard(card.stateFile, tear === undefined ? {} : { tear })
  const buy = async (card: DemoCard, itemId: string, withPictures = false) => {
    await customer.choose(itemId, withPictures)
    const inserted = await tap(card)
    await customer.takesGoods(itemId)
    await inserted.stop()
  }
  try {
    say('The kiosk is open. Online:')
    await buy(ada, 'walking-map', true)
    say('  Ada taps for the walking map: 2.50')
    await buy(ben, 'wifi-day')
    say('  Ben taps for a Wi-Fi code: 1.00')

    await system.stopIssuer()
    say('The network is cut:')
    await buy(ada, 'farthing-story')
    say('  Ada taps for an article: 0.50, offline')

    await customer.choose('walking-map')
    await (await tap(ben, 'after')).ended
    await customer.sees('recover')
    await customer.picture('recover')
    say('  Ben taps for the map and pulls his card away in the middle: is it paid?')
    const again = await tap(ben)
    await customer.takesGoods('recovered')
    await again.stop()
    say('  Ben taps again: it was paid, once; he has his map: 2.50, offline')

    await customer.choose('walking-map')
    const short = await tap(cleo)
    await customer.sees('declined')
    await customer.picture('declined')
    await customer.leaves()
    await short.stop()
    say('  Cleo taps for the map and has 1.00: refused, not charged')

    await buy(cleo, 'farthing-story')
    say('  Cleo taps for the article instead: 0.50, offline')

    const asking = await tap(ada)
    await customer.sees('balance')
    await customer.picture('balance')
    await customer.leaves()
    await asking.stop()
    say('  Ada taps with nothing chosen and reads her balance')

    const waiting = unsyncedOf(system)
    say(`The kiosk holds ${waiting.count} sales that are not settled yet, ${money(waiting.amountMinor)} in all`)
    await system.startIssuer()
    say('The network is back; the kiosk finds out by trying:')
    await untilSettled(system)
    say('  everything is acknowledged')
  } finally {
    await kiosk.close()
  }
  return cards
}

/** What the issuer has not taken, read beside the kiosk. */
const unsyncedOf = (system: System): Unsynced => {
  const { database, close } = openReadable(system.dataDir)
  try {
    return readLedgerStatus(database).unsynced
  } finally {
    close()
  }
}

const untilSettled = async (system: System): Promise<void> => {
  const endsAtMs = Date.now() + settleMsMax
  while (unsyncedOf(system).count > 0) {
    if (Date.now() > endsAtMs) throw new CliError(exitStatus.refused, 'The kiosk did not settle its sales in time.')
    await pause(200)
  }
}

/** The day from the issuer's books and, apart from them, from the cards themselves. @returns whether both agree */
const closeDay = async (system: System, cards: readonly DemoCard[], say: (text: string) => void): Promise<boolean> => {
  const books = (await system.report()) as unknown as Report
  const onCards = new Map<string, number>()
  for (const card of cards) {
    const inserted = await insertCard(card.stateFile)
    const seen = await must('card', 'inspect', '--reader', virtualReaders[0].name)
    await inserted.stop()
    onCards.set(card.cardId, Number(seen.balanceMinor))
  }
  const rows = cards.map((card) => {
    const row = books.cards.find((candidate) => candidate.cardId === card.cardId)
    const onCard = onCards.get(card.cardId) ?? Number.NaN
    return {
      name: card.name,
      loaded: row?.loadedMinor ?? 0,
      spent: row?.spentMinor ?? 0,
      inBooks: row?.balanceMinor ?? 0,
      onCard,
    }
  })
  const sum = (pick: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + pick(row), 0)
  const all = {
    name: 'all',
    loaded: sum((row) => row.loaded),
    spent: sum((row) => row.spent),
    inBooks: sum((row) => row.inBooks),
    onCard: sum((row) => row.onCard),
  }
  const payable = books.terminals.reduce((total, terminal) => total + terminal.payableMinor, 0)
  const taken = books.terminals.reduce((total, terminal) => total + terminal.taken.amountMinor, 0)
  const sales = books.terminals.reduce((total, terminal) => total + terminal.taken.count, 0)
  say('')
  say(
    table(
      ['card', 'loaded', 'spent', 'balance in the books', 'balance on the card'],
      [...rows, all].map((row) => [
        row.name,
        money(row.loaded),
        money(row.spent),
        money(row.inBooks),
        money(row.onCard),
      ]),
    ),
  )
  say('')
  say(
    `${sales} sales, taken ${money(taken)}, payable to the merchant ${money(payable)}, trial balance ${money(books.trialBalanceMinor)}`,
  )
  const right =
    books.trialBalanceMinor === 0 &&
    rows.every((row) => row.inBooks === row.onCard && row.loaded - row.spent === row.onCard) &&
    all.loaded === all.onCard + payable &&
    taken === payable &&
    books.terminals.every((terminal) => terminal.exceptions.length === 0 && terminal.inDoubt === 0)
  say(
    right
      ? `It adds up: ${money(all.loaded)} loaded = ${money(all.onCard)} on the cards + ${money(payable)} payable.`
      : 'IT DOES NOT ADD UP. Please report this as a bug.',
  )
  return right
}

/** The kiosk in a window, and cards to tap from the keyboard. */
const leaveOpen = async (system: System, cards: readonly DemoCard[], say: (text: string) => void): Promise<void> => {
  const kiosk = await launchKiosk({ dataDir: system.dataDir, size: { width: 720, height: 1280 } })
  say('')
  say('The kiosk stays open. Type a card to put it on the reader or take it away; q ends:')
  for (const [at, card] of cards.entries()) say(`  ${at + 1}  ${card.name}'s card`)
  let inserted: { at: number; running: RunningCommand } | undefined
  const pull = async () => {
    await inserted?.running.stop()
    inserted = undefined
  }
  const input = createInterface({ input: process.stdin })
  const typing = (async () => {
    for await (const typed of input) {
      if (typed.trim() === 'q') return
      const at = Number(typed) - 1
      const card = cards[at]
      const same = inserted?.at === at
      await pull()
      if (card === undefined || same) continue
      inserted = { at, running: await insertCard(card.stateFile) }
      say(`${card.name}'s card lies on the reader.`)
    }
    // Nobody types here (started from a desktop): the kiosk stays until it is closed.
    await new Promise(() => {})
  })()
  await Promise.race([typing, onStop(), new Promise((resolve) => kiosk.process.once('exit', resolve))])
  input.close()
  await pull()
  await kiosk.close()
}

const requireReader = async (): Promise<void> => {
  const { lines } = await farthing('doctor', '--json')
  const findings = (lines[0]?.findings ?? []) as { part: string; ok: boolean; detail: string }[]
  const broken = findings.find((found) => !found.ok)
  if (broken !== undefined) throw new CliError(exitStatus.world, `${broken.part}: ${broken.detail}`)
}

/** @param options.keep a new folder for books, ledger and cards; absent: a temporary one */
export const runDemo = async (options: { readonly pictures: string; readonly keep?: string }): Promise<void> => {
  if (options.keep !== undefined && existsSync(options.keep))
    throw new CliError(exitStatus.usage, `${options.keep} exists already: name a new folder.`)
  await requireReader()
  mkdirSync(options.pictures, { recursive: true })
  const dir = options.keep ?? mkdtempSync(path.join(tmpdir(), 'farthing-demo-'))
  const say = line
  let system: System | undefined
  try {
    system = await makeSystem(dir)
    say(`Issuer at ${system.url}, terminal ${system.terminalId}, real pcscd, virtual cards. Play money.`)
    await stockShelf(system.store, merchant)
    await must('terminal', 'sync', '--data', system.dataDir)
    const cards = await playDay(system, options.pictures, say)
    const right = await closeDay(system, cards, say)
    say(`Pictures of the screens are in ${options.pictures}/.`)
    if (!right) process.exitCode = exitStatus.refused
    const display = process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined
    if (display && process.env.CI === undefined) await leaveOpen(system, cards, say)
  } finally {
    await system?.stopIssuer()
    if (options.keep === undefined) rmSync(dir, { recursive: true, force: true })
  }
}

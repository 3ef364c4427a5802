/**
 * The page's engine, without React: main's state as it was last pushed, and what belongs to the page alone:
 * where the customer browses, the language, contrast and size of type, and the time without a touch.
 * Money and goods live in main; here they are only shown (docs/ARCHITECTURE.md, The screen).
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { CatalogueItem, FarthingBridge, KioskState, PinKey } from '../preload/contract.ts'
import type { OperatorAct, OperatorLook, OperatorResult, OperatorViews } from '../preload/operator-contract.ts'
import { attractForgetMs, endsSoon, type Idle, idleOf, rests, type ScreenName } from './idle.ts'

/** Where the customer browses while main's screen is `browse`. */
export type BrowsePage =
  | { readonly name: 'attract' }
  | { readonly name: 'catalogue' }
  | { readonly name: 'item'; readonly itemId: string }

/** Where the customer is in the catalogue: kept while he looks at one item. */
export interface ShelfPlace {
  /** Undefined: everything. */
  readonly categoryId: string | undefined
  /** Undefined: nothing is searched. */
  readonly query: string | undefined
  readonly topPx: number
}

/** What the customer set for himself; nothing of it outlives him. */
export interface Comfort {
  /** BCP 47; undefined: the kiosk's first language. */
  readonly language: string | undefined
  readonly highContrast: boolean
  readonly largeType: boolean
  /** Everything to press stands low enough for somebody who sits. */
  readonly inReach: boolean
  readonly lessMotion: boolean
  /** Every screen is spoken, and what is spoken stands at its foot. */
  readonly spoken: boolean
  /** Of the speech; 1 is the voice's own. */
  readonly speechRate: number
}

/** What can be on or off. */
export type ComfortSwitch = 'highContrast' | 'largeType' | 'inReach' | 'lessMotion' | 'spoken'

export interface PageState {
  /** Undefined until main has spoken for the first time. */
  readonly kiosk: KioskState | undefined
  readonly page: BrowsePage
  readonly shelf: ShelfPlace
  readonly comfort: Comfort
  readonly nowMs: number
  readonly touchedMs: number
  /** How often the customer asked what the keys are. */
  readonly helpCount: number
  /** How an operator's test sale came out, or a sample of the volume: it is heard. */
  readonly tried: 'approved' | 'declined' | undefined
  /** A wish that main could not take; said calmly until the next touch. */
  readonly failed: boolean
  /** Paying was left before the card was debited: said where the customer comes back to. */
  readonly notCharged: boolean
}

export interface Engine {
  readonly store: StoreApi<PageState>
  /** Takes main's present state and follows every later one. Returns the function that stops it. */
  follow(): Promise<() => void>
  /** To be called a few times a second: moves the clock, and sends an abandoned screen back. */
  tick(): void
  /** Any touch: the customer is still there. */
  touch(): void
  open(page: BrowsePage): void
  /** Another part of the catalogue, from its top unless it says where. */
  browse(place: Partial<ShelfPlace>): void
  setLanguage(language: string): void
  toggle(comfort: ComfortSwitch): void
  /** Says the screen again, with the keys; begins to speak for it. */
  help(): void
  /** By one step of `speechRates`, as far as they go. */
  changeSpeechRate(step: 1 | -1): void
  readonly speak: FarthingBridge['speak']
  readonly hush: FarthingBridge['hush']
  /** @param ageDeclared what the customer said of his age, where the item asks */
  buy(itemId: string, ageDeclared?: number): Promise<void>
  /** More time, where main's clock runs. */
  stay(): Promise<void>
  pinKey(key: PinKey): Promise<void>
  topUp(): Promise<void>
  topUpCode(code: string): Promise<void>
  takeCredits(): Promise<void>
  printReceipt(): Promise<void>
  cancel(): Promise<void>
  showGoods(): Promise<void>
  collect(counter: number): Promise<void>
  /** Done: main forgets this customer, and the page with it. */
  finish(): Promise<void>
  /** Leaves main's screen but goes on browsing, in the same language. */
  browseOn(): Promise<void>
  operatorKey(key: PinKey): Promise<void>
  operatorBalance(): Promise<void>
  /** Undefined: main could not tell, and it is said. */
  operatorLook<Look extends OperatorLook>(look: Look): Promise<OperatorViews[Look['section']] | undefined>
  operatorAct(act: OperatorAct): Promise<OperatorResult | undefined>
  operatorLeave(): Promise<void>
}

const wholeShelf: ShelfPlace = { categoryId: undefined, query: undefined, topPx: 0 }

export const comfortOfNobody: Comfort = {
  language: undefined,
  highContrast: false,
  largeType: false,
  inReach: false,
  lessMotion: false,
  spoken: false,
  speechRate: 1,
}

export const speechRates: readonly number[] = [0.7, 1, 1.35, 1.8]

/** The screen that is to be seen now; undefined before main's first word. */
export function screenOf(state: PageState): ScreenName | undefined {
  if (state.kiosk === undefined) return undefined
  const { screen } = state.kiosk
  return screen.name === 'browse' ? state.page.name : screen.name
}

/** How long the customer has not touched this screen, and what follows from it. */
export function idleNow(state: PageState): Idle {
  const screen = screenOf(state)
  return screen === undefined ? { name: 'patient' } : idleOf(screen, state.nowMs - state.touchedMs)
}

/** Whether main ends this screen soon, so that the customer is asked whether he needs more time. */
export function askedForTime({ kiosk, nowMs }: PageState): boolean {
  return kiosk !== undefined && endsSoon(kiosk.screen, nowMs)
}

/** Whether a screen with nobody before it is to spare itself and the eyes of the street. */
export function restsNow({ nowMs, touchedMs }: PageState): boolean {
  return rests({ untouchedMs: nowMs - touchedMs, hour: new Date(nowMs).getHours() })
}

/** The language to speak: the chosen one if this kiosk has it, otherwise its first. */
export function languageOf(state: PageState): string {
  const known = state.kiosk?.status.languages ?? []
  const { language } = state.comfort
  return language !== undefined && known.includes(language) ? language : (known[0] ?? 'en')
}

export function itemOf(state: PageState, itemId: string): CatalogueItem | undefined {
  return state.kiosk?.status.catalogue.find((item) => item.id === itemId)
}

/** What else this balance buys, the dearest first: it is nearest to what was wanted. */
export function affordable(state: PageState, balanceMinor: number): readonly CatalogueItem[] {
  return (state.kiosk?.status.catalogue ?? [])
    .filter((item) => item.priceMinor <= balanceMinor && item.stock !== 0)
    .toSorted((a, b) => b.priceMinor - a.priceMinor)
}

/** What can be had in the place of one that is sold out: of the same shelf first, nearest in price. */
export function insteadOf(state: PageState, item: CatalogueItem): readonly CatalogueItem[] {
  const far = (other: CatalogueItem) =>
    Math.abs(other.priceMinor - item.priceMinor) + (other.category === item.category ? 0 : Number.MAX_SAFE_INTEGER / 2)
  return (state.kiosk?.status.catalogue ?? [])
    .filter((other) => other.id !== item.id && other.stock !== 0)
    .toSorted((a, b) => far(a) - far(b))
}

function triedBy(act: OperatorAct, result: OperatorResult | undefined): PageState['tried'] {
  if (result?.outcome === 'testSale') return result.goods === 'ready' ? 'approved' : 'declined'
  return act.act === 'volume' && result?.outcome === 'done' ? 'approved' : undefined
}

/** A screen is another one when the customer must read anew; a new phase or figure is not. */
function isOtherScreen(before: KioskState | undefined, after: KioskState): boolean {
  return before?.screen.name !== after.screen.name
}

export function createEngine({ bridge, now }: { bridge: FarthingBridge; now: () => number }): Engine {
  const store = createStore<PageState>(() => ({
    kiosk: undefined,
    page: { name: 'attract' },
    shelf: wholeShelf,
    comfort: comfortOfNobody,
    nowMs: now(),
    touchedMs: now(),
    helpCount: 0,
    tried: undefined,
    failed: false,
    notCharged: false,
  }))
  /** A purchase was wished for, and main has not answered yet. */
  let wishing = false
  /** Where to browse when main's screen ends; the start, unless the customer asked to go on. */
  let returnTo: BrowsePage = { name: 'attract' }
  /** The customer left a payment, and main has not answered yet. */
  let leavingPayment = false

  const forget = { page: { name: 'attract' }, shelf: wholeShelf, comfort: comfortOfNobody } as const

  function receive(kiosk: KioskState): void {
    const before = store.getState()
    const other = isOtherScreen(before.kiosk, kiosk)
    const returning = other && before.kiosk !== undefined && kiosk.screen.name === 'browse'
    const page = returning ? returnTo : before.page
    const gone = page.name === 'item' && !kiosk.status.catalogue.some((item) => item.id === page.itemId)
    store.setState({
      kiosk,
      nowMs: now(),
      ...(other ? { touchedMs: now(), failed: false, notCharged: returning && leavingPayment } : {}),
      page: gone ? { name: 'catalogue' } : page,
      ...(returning && page.name === 'attract' ? forget : {}),
    })
    if (!other) return
    returnTo = { name: 'attract' }
    leavingPayment = false
  }

  /** The one place where a wish to main can fail: the customer is told, and may ask again. */
  async function ask<Answer>(wish: () => Promise<Answer>): Promise<Answer | undefined> {
    store.setState({ touchedMs: now(), nowMs: now(), failed: false, notCharged: false })
    try {
      return await wish()
    } catch {
      store.setState({ failed: true })
      return undefined
    }
  }

  /** A wish that main could not take yet, since a card was being let go of, goes with who leaves. */
  function takeBack(): void {
    if (wishing) bridge.cancel().catch(() => undefined)
  }

  function leave(): void {
    takeBack()
    if (store.getState().kiosk?.screen.name === 'browse')
      store.setState({ ...forget, touchedMs: now(), failed: false, notCharged: false })
    else void engine.finish()
  }

  const engine: Engine = {
    store,
    async follow() {
      let pushed = false
      const stop = bridge.onState((kiosk) => {
        pushed = true
        receive(kiosk)
      })
      try {
        const first = await bridge.state()
        // A push that overtook the answer is newer than it.
        if (!pushed) receive(first)
      } catch {
        store.setState({ failed: true })
      }
      return stop
    },
    tick() {
      store.setState({ nowMs: now() })
      const state = store.getState()
      if (idleNow(state).name === 'over') leave()
      const nobodys = ['attract', 'out-of-service'].includes(screenOf(state) ?? '')
      const left = nobodys && state.nowMs - state.touchedMs >= attractForgetMs
      if (left && state.comfort !== comfortOfNobody) store.setState(forget)
    },
    touch() {
      store.setState({ touchedMs: now(), nowMs: now() })
    },
    open(page) {
      takeBack()
      store.setState({
        page,
        touchedMs: now(),
        nowMs: now(),
        failed: false,
        notCharged: false,
        ...(page.name === 'attract' ? forget : {}),
      })
    },
    browse(place) {
      store.setState(({ shelf }) => ({ shelf: { ...shelf, topPx: 0, ...place } }))
    },
    setLanguage(language) {
      store.setState(({ comfort }) => ({ comfort: { ...comfort, language }, touchedMs: now() }))
    },
    toggle(name) {
      store.setState(({ comfort }) => ({ comfort: { ...comfort, [name]: !comfort[name] }, touchedMs: now() }))
    },
    speak: (text, language, rate) => bridge.speak(text, language, rate),
    hush: () => bridge.hush(),
    help() {
      store.setState(({ comfort, helpCount }) => ({ comfort: { ...comfort, spoken: true }, helpCount: helpCount + 1 }))
    },
    changeSpeechRate(step) {
      store.setState(({ comfort }) => {
        const place = speechRates.indexOf(comfort.speechRate) + step
        return { comfort: { ...comfort, speechRate: speechRates[place] ?? comfort.speechRate } }
      })
    },
    async buy(itemId, ageDeclared = 0) {
      wishing = true
      await ask(() => bridge.buy(itemId, ageDeclared, languageOf(store.getState())))
      wishing = false
    },
    stay: () => ask(() => bridge.stay()),
    pinKey: (key) => ask(() => bridge.pinKey(key)),
    topUp() {
      returnTo = { name: 'attract' }
      return ask(() => bridge.topUp())
    },
    topUpCode: (code) => ask(() => bridge.topUpCode(code)),
    takeCredits: () => ask(() => bridge.takeCredits()),
    printReceipt: () => ask(() => bridge.printReceipt(languageOf(store.getState()))),
    cancel() {
      const { page, kiosk } = store.getState()
      returnTo = page
      leavingPayment = kiosk?.screen.name === 'pay' || kiosk?.screen.name === 'pin'
      return ask(() => bridge.cancel())
    },
    showGoods: () => ask(() => bridge.showGoods()),
    collect: (counter) => ask(() => bridge.collect(counter)),
    finish() {
      returnTo = { name: 'attract' }
      return ask(() => bridge.finish())
    },
    browseOn() {
      returnTo = { name: 'catalogue' }
      return ask(() => bridge.finish())
    },
    operatorKey: (key) => ask(() => bridge.operatorKey(key)),
    operatorBalance: () => ask(() => bridge.operatorBalance()),
    operatorLook: (look) => ask(() => bridge.operatorLook(look)),
    async operatorAct(act) {
      store.setState({ tried: undefined })
      const result = await ask(() => bridge.operatorAct(act))
      store.setState({ tried: triedBy(act, result) })
      return result
    },
    operatorLeave: () => ask(() => bridge.operatorLeave()),
  }
  return engine
}

/**
 * The till behind the screen: where it is, what the page sees of it, and which room a touch or a card belongs to. modes.ts
 * says what may happen in each place; sale.ts, top-up.ts, balance.ts and main/operator say how.
 */
import { LedgerFault } from '../../db/open.ts'
import type { KioskScreen, KioskState, KioskStatus, OutOfServiceReason } from '../../preload/contract.ts'
import type { LogLine } from '../../preload/operator-contract.ts'
import { currencyOf } from '../../protocol/currency.ts'
import { makeOperatorMode } from '../operator/operator-mode.ts'
import type { Printer } from '../printer/printer.ts'
import { outOfServiceReason } from '../purchase/rules.ts'
import { CardFault, type CardReader, type PresentCard, type ReaderSlot } from '../reader/card-reader.ts'
import type { SyncLoop } from '../sync/sync.ts'
import type { Terminal } from '../terminal.ts'
import { makeBalance } from './balance.ts'
import type { Kiosk } from './kiosk-contract.ts'
import type { KioskSettings } from './kiosk-settings.ts'
import { allows, type Mode, placeOf, rulesOf, type Touch } from './modes.ts'
import { openPaper } from './paper.ts'
import { makeSale } from './sale.ts'
import { makeShownGoods } from './shown-goods.ts'
import { type Till, waitMs } from './till.ts'
import { type LoadDesk, makeTopUp } from './top-up.ts'
import { articleView, screenOf, shelfUrl, shelfView } from './views.ts'

/** So often may one customer ask for more time (WCAG 2.2, 2.2.1): somebody else may be waiting, too. */
const staysMax = 10

export interface KioskParts {
  readonly terminal: Terminal
  readonly reader: CardReader
  readonly settings: KioskSettings
  /** Absent: no money is loaded here. */
  readonly loadDesk?: LoadDesk
  /** Absent: nothing is printed here. */
  readonly printer?: Printer
  /** Absent: no operator can end the process from the screen. */
  readonly restart?: () => void
  /** Of this program. */
  readonly version?: string
  /** What the kiosk said of itself, newest last. */
  readonly logLines?: () => readonly LogLine[]
  readonly log: (message: string) => void
}

/** Builds the till; `sync` is attached by the caller, who owns its life, and once more after each sync. */
export const makeKiosk = (
  parts: KioskParts,
): Kiosk & { readonly busyTerminalSeq: () => number | undefined; attachSync(sync: SyncLoop): void } => {
  const { terminal, reader, settings, loadDesk, log } = parts
  const listeners = new Set<(state: KioskState) => void>()
  let mode: Mode = { name: 'browse' }
  let busy = false
  let storageFault = false
  let closed = false
  let sync: SyncLoop | undefined
  let working: Promise<void> = Promise.resolve()
  let deadline: NodeJS.Timeout | undefined
  let stays = 0
  /** The newest of those that wait for a card; who leaves wishes for nothing any more. */
  let wishes = 0
  /** Touches that wait for a card to be let go of: they come before the next card. */
  let waiting = 0

  const status = (): KioskStatus => {
    const { identity, issued } = terminal
    const { accent, logo } = issued?.catalogue.brand() ?? {}
    return {
      merchant: issued?.keyring.merchant ?? identity.merchant,
      currency: identity.currency,
      currencyDecimals: currencyOf(identity.currency).decimals,
      online: sync?.online ?? false,
      languages: operators.languages(),
      readerPosition: settings.readerPosition,
      diagonalMm: settings.diagonalMm,
      ...(settings.help === undefined ? {} : { help: settings.help }),
      categories: issued?.catalogue.categories ?? [],
      branding: {
        ...(accent === undefined ? {} : { accent }),
        ...(logo === undefined ? {} : { logoUrl: shelfUrl(logo) }),
      },
      ...(paper.ready === undefined ? {} : { printer: { ready: paper.ready } }),
      topUp: canLoad(),
      ...operators.levels(),
      catalogue: issued === undefined ? [] : shelfView(issued.catalogue.offerings()),
    }
  }

  const canLoad = (): boolean => loadDesk !== undefined && settings.topUp && (sync?.online ?? false)

  const ourSlots = (): readonly ReaderSlot[] =>
    reader.snapshot.slots.filter(({ name }) => settings.reader === undefined || name === settings.reader)

  const outOfService = (): OutOfServiceReason | undefined => {
    if (storageFault) return 'storage'
    const reason = outOfServiceReason(terminal)
    if (reason !== undefined) return reason
    if (reader.snapshot.service === 'down' || ourSlots().length === 0) return 'noReader'
    return terminal.issued?.catalogue.offerings().length === 0 ? 'emptyCatalogue' : undefined
  }

  const screen = (): KioskScreen => {
    if (mode.name !== 'browse')
      return screenOf(mode, { pinDigits: mode.name === 'operator' ? operators.digits : sale.pinDigits })
    const reason = outOfService()
    return reason === undefined ? { name: 'browse' } : { name: 'out-of-service', reason }
  }

  const publish = () => {
    if (closed) return
    try {
      state = { status: status(), screen: screen() }
    } catch (error) {
      if (!(error instanceof LedgerFault)) throw error
      // The ledger does not even answer: what the page knows of the shelf stays, and nothing is sold.
      log(error.message)
      storageFault = true
      state = { ...state, screen: screen() }
    }
    for (const listener of listeners) listener(state)
  }

  const enter = (next: Mode) => {
    clearTimeout(deadline)
    mode = next
    if (next.name !== 'shown') shownGoods.clear()
    if (next.name !== 'pin') sale.forgetPin()
    if (next.name !== 'operator') operators.forget()
    if ('endsAtMs' in next && rulesOf[placeOf(next)].timed)
      deadline = setTimeout(onDeadline, Math.max(0, next.endsAtMs - Date.now()))
    publish()
  }

  const leave = () => {
    stays = 0
    sale.forgetCustomer()
    enter({ name: 'browse' })
    queueMicrotask(look)
  }

  const onDeadline = () => {
    switch (mode.name) {
      case 'pay':
      case 'pin':
        return enter({
          name: 'shown',
          screen: { name: 'declined', reason: 'timeout', item: articleView(mode.goods.item) },
        })
      // A doubt stays in the ledger and is resolved at the card's next tap; the next customer is not held up.
      case 'recover':
      case 'top-up':
        return leave()
      case 'operator':
        return void grant(() => operators.leave({ untouched: true }))
    }
  }

  /** No card is being worked with, or nothing hangs on it any more: one that is still asked for a witness holds nobody up. */
  const untied = (): boolean => !busy || rulesOf[placeOf(mode)].card === 'nothing'

  /** A last look at a card may still be under way: a touch counts all the same, unless its customer has left or wants another thing. */
  const wanted = async (touch: Touch): Promise<boolean> => {
    if (!allows(mode, touch)) return false
    const place = placeOf(mode)
    wishes += 1
    const wish = wishes
    waiting += 1
    try {
      await working
    } finally {
      waiting -= 1
      // After whoever waited here, and did what he wished.
      setImmediate(look)
    }
    return !busy && placeOf(mode) === place && wish === wishes
  }

  /** Nothing is sold any more. What is on the screen was paid, and stays until the customer is done. */
  const endSales = (fault: LedgerFault) => {
    log(fault.message)
    storageFault = true
    if (mode.name === 'shown') publish()
    else enter({ name: 'browse' })
  }

  /** Where faults of the world end for touches and the clock: the disk failed. @returns undefined then */
  const grant = async <Result>(wish: () => Result | Promise<Result>): Promise<Result | undefined> => {
    try {
      return await wish()
    } catch (error) {
      if (!(error instanceof LedgerFault)) throw error
      endSales(error)
      return undefined
    }
  }

  /** Where they end for cards: the card left, the disk failed. */
  const serve = async (work: () => Promise<void>, afterLoss: () => void) => {
    busy = true
    try {
      await work()
    } catch (error) {
      if (error instanceof CardFault) {
        log(`card: ${error.code}`)
        afterLoss()
      } else if (error instanceof LedgerFault) endSales(error)
      else throw error
    } finally {
      busy = false
      // What came meanwhile is looked at now.
      queueMicrotask(look)
    }
  }

  /** What lies in a reader and is no purse, as a sale was told; undefined: a card that answers nothing. */
  const leftOut = new Map<string, PresentCard | undefined>()

  /** Without those; where there is no other, all, so that it is told again. */
  const slotsToPayAt = (slots: readonly ReaderSlot[]): readonly ReaderSlot[] => {
    const fit = slots.filter(({ name }) => !leftOut.has(name))
    return fit.length === 0 ? slots : fit
  }

  /** Cards came or went, or the place is another one: who is to deal with them? */
  const look = () => {
    const all = ourSlots()
    // Another card may lie there without the reader having been seen empty.
    for (const { name, card, mute } of all)
      if (leftOut.get(name) !== card || (card === undefined && !mute)) leftOut.delete(name)
    if (busy || closed || waiting > 0) return
    const slots = mode.name === 'pay' || mode.name === 'pin' ? slotsToPayAt(all) : all
    const cards = slots.flatMap((slot) => slot.card ?? [])
    const mute = slots.find((slot) => slot.mute)
    switch (mode.name) {
      case 'browse':
        publish()
        return balance.meet(cards)
      case 'shown':
        return publish()
      case 'pay':
        return sale.meetToPay(mode, cards, mute?.name)
      case 'pin':
        return sale.meetForPin(mode, cards, mute?.name)
      case 'recover':
        return sale.meetToFinish(mode, cards)
      case 'top-up':
        // A load that failed is over: held there again, the card ends what was in doubt and tells its balance.
        return mode.step.phase === 'failed' ? balance.meet(cards) : topUp.meet(mode, cards, mute !== undefined)
      case 'operator':
        return operators.meet(mode, cards, mute?.name)
    }
  }

  const till: Till = {
    mode: () => mode,
    enter,
    leave,
    sync: () => sync,
    outOfService,
    canLoad,
    look,
    serve: (work, afterLoss) => {
      working = serve(work, afterLoss)
    },
    wanted,
    leaveOut: (readerName, card) => leftOut.set(readerName, card),
    seen: new WeakSet<PresentCard>(),
    usedUp: new WeakSet<PresentCard>(),
  }
  const paper = openPaper(parts.printer, publish)
  const shownGoods = makeShownGoods(terminal)
  const sale = makeSale({ terminal, paper, shownGoods, language: () => operators.languages()[0] ?? 'en', log }, till)
  const topUp = makeTopUp({ sale, loadDesk, log }, till)
  const operators = makeOperatorMode(
    {
      terminal,
      printer: parts.printer,
      loadDesk,
      stick: settings.stick,
      languages: settings.languages,
      restart: parts.restart,
      version: parts.version ?? '',
      logLines: parts.logLines ?? (() => []),
      log,
    },
    till,
  )
  const balance = makeBalance({ terminal, shownGoods, sale, topUp, operators }, till)
  let state: KioskState = { status: status(), screen: screen() }
  const stopWatching = reader.subscribe(look)
  queueMicrotask(look)

  return {
    get state() {
      return state
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    busyTerminalSeq: sale.busyTerminalSeq,
    attachSync(loop) {
      sync = loop
      publish()
      void grant(operators.hear)
    },
    buy: (itemId, ageDeclared = 0, language) =>
      grant(async () => {
        if (!(await wanted('buy')) || outOfService() !== undefined) return
        const catalogue = terminal.issued?.catalogue
        // The page asks before it wishes.
        if (catalogue === undefined || catalogue.ageMin(itemId) > ageDeclared) return
        const goods = catalogue.prepare(itemId)
        // Not sold any more since the page was told: it is told again.
        if (goods === 'unknown') return publish()
        if (goods === 'outOfStock') return enter({ name: 'shown', screen: { name: 'declined', reason: 'outOfStock' } })
        sale.begin(goods, language)
      }),
    async cancel() {
      wishes += 1
      if ((allows(mode, 'cancel') && untied()) || (await wanted('cancel'))) enter({ name: 'browse' })
    },
    async stay() {
      if (!allows(mode, 'stay') || !('endsAtMs' in mode)) return
      if (mode.name !== 'operator' && stays >= staysMax) return
      stays += 1
      enter({ ...mode, endsAtMs: Date.now() + waitMs[mode.name] })
    },
    pinKey: async (key) => sale.pinKey(key),
    topUp: topUp.begin,
    topUpCode: topUp.code,
    takeCredits: topUp.takeCredits,
    showGoods: async () => sale.showGoods(),
    pageEnded: sale.pageEnded,
    printReceipt: sale.printReceipt,
    collect: async (counter) => balance.collect(counter),
    async finish() {
      wishes += 1
      if (mode.name === 'browse' || (allows(mode, 'finish') && untied()) || (await wanted('finish'))) leave()
    },
    operatorKey: async (key) => operators.key(key),
    operatorBalance: async () => balance.showOperators(),
    operatorLook: (asked) => grant(() => operators.look(asked)),
    operatorAct: async (asked) => (await grant(() => operators.act(asked))) ?? { outcome: 'ignored' },
    operatorLeave: () => grant(() => operators.leave()),
    goodsContent: (token) => shownGoods.contentOf(token),
    shelfContent: (contentHash) => terminal.issued?.catalogue.shelfContent(contentHash),
    async close() {
      closed = true
      stopWatching()
      // A card at the reader is finished with first.
      await working
      await paper.close()
      clearTimeout(deadline)
      listeners.clear()
    },
  }
}

/**
 * The till behind the screen: which screen is wanted, what a card that comes is for, and when waiting ends.
 * Payments themselves are main/purchase's; nothing here decides about money.
 */
import assert from 'node:assert/strict'
import { LedgerFault } from '../../db/open.ts'
import type {
  CatalogueItem,
  GoodsView,
  KioskScreen,
  KioskState,
  KioskStatus,
  OutOfServiceReason,
  Printing,
  TopUp,
} from '../../preload/contract.ts'
import type { CardInfo } from '../../protocol/card-info.ts'
import { currencyOf } from '../../protocol/currency.ts'
import type { Item } from '../../protocol/item.ts'
import { findOperator } from '../../protocol/operator.ts'
import type { CardId } from '../../protocol/quantities.ts'
import type { ReadyGoods } from '../catalogue.ts'
import type { LoadOutcome } from '../load.ts'
import { makeOperatorMode, operatorWaitMs } from '../operator/operator-mode.ts'
import { itemOf } from '../payment.ts'
import { type Printer, PrinterFault } from '../printer/printer.ts'
import {
  finishOpen,
  openSession,
  type PurchaseHooks,
  type PurchaseOutcome,
  purchase,
  witnessAfterSale,
} from '../purchase/purchase.ts'
import { standing, witness } from '../purchase/recovery.ts'
import { outOfServiceReason } from '../purchase/rules.ts'
import type { PurseSession } from '../purse-session.ts'
import {
  type CardChannel,
  CardFault,
  type CardReader,
  type PresentCard,
  type ReaderSlot,
} from '../reader/card-reader.ts'
import { IssuerRefused, IssuerUnreachable } from '../sync/issuer-client.ts'
import type { SyncLoop } from '../sync/sync.ts'
import type { Terminal } from '../terminal.ts'
import { newToken, readStatement, type Statement } from './card-statement.ts'
import type { Kiosk } from './kiosk-contract.ts'
import type { KioskSettings } from './kiosk-settings.ts'
import {
  allows,
  type Fund,
  type Mode,
  type PinMode,
  placeOf,
  rulesOf,
  type ShownSale,
  type ShownScreen,
  type TopUpMode,
  type Touch,
} from './modes.ts'
import { openPaper, printOfGoods, receiptFor, receiptView } from './paper.ts'
import {
  articleView,
  balanceScreen,
  iso,
  pinDigitsMax,
  pinDigitsMin,
  screenOf,
  shelfUrl,
  shelfView,
  unnamedItem,
} from './views.ts'

/** How long a customer is waited for; each can be asked for anew. */
const waitMs = { pay: 45_000, pin: 45_000, 'top-up': 90_000, recover: 30_000, operator: operatorWaitMs } as const
/** So often may one customer ask for more time (WCAG 2.2, 2.2.1): somebody else may be waiting, too. */
const staysMax = 10

/** Where money is loaded: the issuer, online. */
export interface LoadDesk {
  /** What a voucher is worth. @throws IssuerUnreachable */
  voucher(code: string): Promise<VoucherState>
  /** What a card is owed, which has just proved itself. @throws IssuerUnreachable, IssuerRefused */
  credits(cardId: CardId): Promise<readonly Fund[]>
  /** @throws IssuerUnreachable, IssuerRefused: it may be booked all the same */
  load(channel: CardChannel, load: { readonly amountMinor: number; readonly funding?: string }): Promise<LoadOutcome>
}
export type VoucherState =
  | { readonly state: 'valid'; readonly amountMinor: number }
  | { readonly state: 'unknown' | 'used' | 'expired' }

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
  readonly logLines?: () => readonly string[]
  readonly log: (message: string) => void
}

/** Builds the till; `sync` is attached by the caller, who owns its life. */
export const makeKiosk = (
  parts: KioskParts,
): Kiosk & { readonly busyTerminalSeq: () => number | undefined; attachSync(sync: SyncLoop): void } => {
  const { terminal, reader, settings, loadDesk, log } = parts
  const listeners = new Set<(state: KioskState) => void>()
  let mode: Mode = { name: 'browse' }
  let busy = false
  let busyTerminalSeq: number | undefined
  let storageFault = false
  let closed = false
  let sync: SyncLoop | undefined
  let working: Promise<void> = Promise.resolve()
  let deadline: NodeJS.Timeout | undefined
  let stays = 0
  /** The customer's, for what is printed. */
  let language = settings.languages[0] ?? 'en'
  const paper = openPaper(parts.printer, () => publish())
  /** The PIN as far as it was typed; gone as soon as the till does something else. */
  let pin = ''
  /** Cards that were dealt with; lying there any longer, they mean nothing new. */
  const seen = new WeakSet<PresentCard>()
  /** Cards that were asked, while nothing is sold, whether they are an operator's. */
  const asked = new WeakSet<PresentCard>()
  /** Cards that pay no more without a new tap: they have paid (and may lie there forgotten), or fell silent in the middle. */
  const usedUp = new WeakSet<PresentCard>()
  /** Goods on the screen now, by the token in their address. */
  const shownGoods = new Map<string, { mediaType: string; bytes: Uint8Array }>()

  const status = (): KioskStatus => {
    const { identity, issued } = terminal
    const { accent, logo } = issued?.catalogue.brand() ?? {}
    return {
      merchant: issued?.keyring.merchant ?? identity.merchant,
      currency: identity.currency,
      currencyDecimals: currencyOf(identity.currency).decimals,
      online: sync?.online ?? false,
      languages: settings.languages,
      readerPosition: settings.readerPosition,
      diagonalMm: settings.diagonalMm,
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
      return screenOf(mode, { pinDigits: mode.name === 'operator' ? operators.digits : pin.length })
    const reason = outOfService()
    return reason === undefined ? { name: 'browse' } : { name: 'out-of-service', reason }
  }

  const operators = makeOperatorMode(
    {
      terminal,
      printer: parts.printer,
      loadDesk,
      stick: settings.stick,
      restart: parts.restart,
      version: parts.version ?? '',
      logLines: parts.logLines ?? (() => []),
      log,
    },
    {
      mode: () => mode,
      enter: (next) => enter(next),
      leave: () => leave(),
      sync: () => sync,
      outOfService,
      canLoad,
      look: () => onReader(),
      serve: (work, afterLoss) => serve(work, afterLoss),
    },
  )

  let state: KioskState = { status: status(), screen: screen() }
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

  /** The customer is gone, or done. A card that came meanwhile, and that nobody has looked at yet, is asked. */
  const leave = () => {
    stays = 0
    language = settings.languages[0] ?? 'en'
    enter({ name: 'browse' })
    queueMicrotask(onReader)
  }

  const enter = (next: Mode) => {
    clearTimeout(deadline)
    mode = next
    if (next.name !== 'shown') shownGoods.clear()
    if (next.name !== 'pin') pin = ''
    if (next.name !== 'operator') operators.forget()
    if ('endsAtMs' in next && rulesOf[placeOf(next)].timed)
      deadline = setTimeout(onDeadline, Math.max(0, next.endsAtMs - Date.now()))
    publish()
  }

  /** No card is being worked with, or nothing hangs on it any more: one that is still asked for a witness holds nobody up. */
  const untied = (): boolean => !busy || rulesOf[placeOf(mode)].card === 'nothing'

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
        return operators.leave({ untouched: true })
    }
  }

  const viewOf = (
    goods: ReadyGoods | undefined,
    item: Item | CatalogueItem,
    claim?: { url: string; expiresTime: number },
  ): GoodsView => {
    let contentUrl: string | undefined
    if (goods?.content !== undefined) {
      const token = newToken(terminal)
      shownGoods.set(token, { mediaType: item.mediaType, bytes: goods.content })
      contentUrl = `/goods/${token}`
    }
    return {
      item: articleView(item),
      ...(contentUrl === undefined ? {} : { contentUrl }),
      ...(goods?.code === undefined ? {} : { code: goods.code }),
      ...(claim === undefined ? {} : { claimUrl: claim.url, claimExpiresAt: iso(claim.expiresTime * 1000) }),
    }
  }

  const showPaid = (outcome: Extract<PurchaseOutcome, { outcome: 'captured' }>, ready?: ReadyGoods) => {
    const { payment } = outcome
    const item = itemOf(payment)
    const here = outcome.goods === 'due' ? (ready ?? terminal.issued?.catalogue.goodsOf(item)) : undefined
    const claim =
      outcome.claimable && payment.settlementMac !== undefined
        ? terminal.claimUrl(payment.record, payment.settlementMac)
        : undefined
    const sale: ShownSale = { payment, claimUrl: claim?.url, code: here?.code }
    shownGoods.clear()
    enter({
      name: 'shown',
      sale,
      screen: {
        name: 'approved',
        amountMinor: item.priceMinor,
        balanceMinor: outcome.balanceMinor,
        goods: viewOf(here, item, claim),
        recovered: outcome.recovered,
        receipt: receiptView(receiptFor(terminal, { ...sale, language }), item.title),
      },
    })
    if (here !== undefined) terminal.ledger.markReleased(payment.terminalSeq)
    // The claim on the screen is all there is: from now on it goes by claim, and the card buys something else.
    else if (outcome.goods === 'due') terminal.ledger.markOwed(payment.terminalSeq)
    sync?.nudge()
  }

  const showOutcome = (outcome: PurchaseOutcome, goods: ReadyGoods, card?: PresentCard) => {
    switch (outcome.outcome) {
      case 'captured':
        return showPaid(outcome, outcome.recovered ? undefined : goods)
      case 'declined':
        if (pinDue(outcome) && card !== undefined) {
          // A wrong PIN is not tried again with the next tap.
          pin = ''
          return enter({
            name: 'pin',
            goods,
            phase: outcome.reason === 'pinWrong' ? 'wrong' : 'entering',
            cardId: outcome.card.cardId,
            card,
            triesLeft: outcome.triesLeft,
            endsAtMs: Date.now() + waitMs.pin,
          })
        }
        return enter({
          name: 'shown',
          screen: {
            name: 'declined',
            reason: outcome.reason,
            item: articleView(goods.item),
            ...(outcome.card === undefined ? {} : { balanceMinor: outcome.card.balanceMinor }),
            ...(outcome.missingMinor === undefined ? {} : { missingMinor: outcome.missingMinor }),
            ...(outcome.reversed ? { returned: true } : {}),
          },
        })
      case 'inDoubt':
        return enter({
          name: 'recover',
          goods,
          payment: outcome.payment,
          phase: 'waiting',
          endsAtMs: Date.now() + waitMs.recover,
        })
      case 'cardLost':
        return enter({ name: 'pay', goods, phase: 'waiting', endsAtMs: Date.now() + waitMs.pay })
    }
  }

  /** Goods that are a print are handed over by the printer, or not paid. */
  const printing = (goods: ReadyGoods): Pick<PurchaseHooks, 'canHandOver' | 'handOver'> => ({
    canHandOver: () => paper.look(),
    handOver: (payment) => paper.print(printOfGoods(terminal, { payment, language, code: goods.code }, goods)),
  })

  /** A card that has paid is used up, whichever way it came to pay. */
  const sellTo = async (
    card: PresentCard,
    channel: CardChannel,
    goods: ReadyGoods,
    digits?: string,
  ): Promise<PurchaseOutcome> => {
    const outcome = await purchase(terminal, channel, goods, {
      pin: digits,
      ...(terminal.issued?.catalogue.printed(goods.item.id) ? printing(goods) : {}),
      onDebit: (payment) => {
        busyTerminalSeq = payment.terminalSeq
      },
    })
    busyTerminalSeq = undefined
    if (outcome.outcome === 'captured') usedUp.add(card)
    return outcome
  }

  const payWith = (card: PresentCard, goods: ReadyGoods) =>
    card.use(async (channel) => {
      const outcome = await sellTo(card, channel, goods)
      if (outcome.outcome === 'cardLost') usedUp.add(card)
      showOutcome(outcome, goods, card)
      if (outcome.outcome === 'captured') await witnessAfterSale(terminal, channel, outcome.payment)
    })

  /** Only the card that asked for the PIN gets it: a wrong try is another card's loss. */
  const payWithPin = (card: PresentCard, asked: PinMode) => {
    const digits = pin
    return card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      if (session?.info.cardId !== asked.cardId) {
        usedUp.add(card)
        return enter({ ...asked, phase: 'wrongCard' })
      }
      const outcome = await sellTo(card, channel, asked.goods, digits)
      if (outcome.outcome === 'cardLost') return lostWithPin(card, asked)
      showOutcome(outcome, asked.goods, card)
      if (outcome.outcome === 'captured') await witnessAfterSale(terminal, channel, outcome.payment)
    })
  }
  const lostWithPin = (card: PresentCard, asked: PinMode) => {
    usedUp.add(card)
    enter({ ...asked, phase: 'tap', endsAtMs: Date.now() + waitMs.pin })
  }

  const loadWith = (card: PresentCard, asked: TopUpMode, desk: LoadDesk) =>
    card.use(async (channel) => {
      let loadedMinor = 0
      let step: TopUp = { phase: 'failed', problem: 'refused' }
      try {
        for (const fund of asked.funds) {
          const outcome = await desk.load(channel, fund)
          if (outcome.outcome !== 'declined') usedUp.add(card)
          if (outcome.outcome === 'captured') loadedMinor += fund.amountMinor
          // What was loaded before it failed is said, and the rest waits where it was.
          else if (loadedMinor > 0) break
          step = loadStep(outcome, loadedMinor === 0 ? sumOf(asked.funds) : loadedMinor)
          if (outcome.outcome !== 'captured') break
        }
      } catch (error) {
        if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused)) throw error
        log(`load: ${error.message}`)
        if (loadedMinor === 0) step = { phase: 'failed', problem: 'unanswered' }
      }
      enterTopUp(step, { funds: asked.funds, refused: card })
      sync?.nudge()
    })

  const enterTopUp = (step: TopUp, more: Partial<Pick<TopUpMode, 'funds' | 'refused'>> = {}) =>
    enter({ name: 'top-up', funds: [], step, ...more, endsAtMs: Date.now() + waitMs['top-up'] })

  const finishWith = (card: PresentCard, doubt: Extract<Mode, { name: 'recover' }>) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      if (session?.info.cardId !== doubt.payment.cardId) {
        enter({ ...doubt, phase: 'wrongCard' })
        return
      }
      const outcome = await sellTo(card, channel, doubt.goods)
      // Gone again before it told, or refused while its answers prove nothing: the doubt is what it was.
      const stands =
        outcome.outcome === 'declined' && terminal.ledger.intent(doubt.payment.terminalSeq).state === 'open'
      if (outcome.outcome === 'cardLost' || stands) enter({ ...doubt, phase: 'waiting' })
      else showOutcome(outcome, doubt.goods, card)
      if (outcome.outcome === 'captured') await witnessAfterSale(terminal, channel, outcome.payment)
    })

  const tellBalance = (card: PresentCard) =>
    card.use(async (channel: CardChannel) => {
      const tap = await finishOpen(terminal, channel)
      switch (tap.outcome) {
        case 'notAPurse':
          return enter({ name: 'shown', screen: { name: 'declined', reason: 'notAPurse' } })
        case 'suspect':
          return enter({ name: 'shown', screen: { name: 'declined', reason: 'cardSuspect' } })
        case 'captured':
          usedUp.add(card)
          return showPaid({ ...tap, recovered: true })
        case 'clear': {
          const { session } = tap
          const statement = session && (await readStatement(terminal, session))
          if (session === undefined || statement === undefined)
            return enter({ name: 'shown', screen: { name: 'declined', reason: 'cardSuspect' } })
          const operator = statement.proved ? operatorOf(statement.card.cardId) : undefined
          if (operator !== undefined) return operators.invite(operator, statement)
          enter({ name: 'shown', screen: balanceScreen(statement), statement })
          lookForCredits(statement)
          await passOn(session, statement.card.counter)
        }
      }
    })

  /** What the issuer owes this card is shown as soon as it says so; nobody waits for that. */
  const lookForCredits = (statement: Statement) => {
    if (loadDesk === undefined || !canLoad()) return
    loadDesk.credits(statement.card.cardId).then(
      (credits) => {
        if (credits.length === 0 || mode.name !== 'shown' || mode.statement !== statement) return
        if (mode.screen.name === 'balance')
          enter({ ...mode, credits, screen: { ...mode.screen, waitingMinor: sumOf(credits) } })
      },
      (error: Error) => log(`credits: ${error.message}`),
    )
  }

  /** A card that was reported lost opens nothing. */
  const operatorOf = (card: CardId) =>
    terminal.hotlist.find(card) === undefined ? findOperator(terminal.issued?.keyring.operators, card) : undefined

  /** Where nothing is sold, an operator's card alone has something to say: it opens the kiosk again. */
  const askForOperator = (card: PresentCard) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      const operator = session && operatorOf(session.info.cardId)
      if (session === undefined || operator === undefined || !(await isGenuine(terminal, session))) return
      operators.invite(operator)
    })

  /** The customer has seen what he came for: a card that leaves now is no fault. */
  const passOn = async (session: PurseSession, newest: number) => {
    try {
      await witness(terminal, session, newest)
    } catch (error) {
      if (!(error instanceof CardFault)) throw error
    }
  }

  /** A last look at a card may still be under way: a touch counts all the same, unless its customer has left that screen. */
  const stillWanted = async (touch: Touch): Promise<boolean> => {
    if (!allows(mode, touch)) return false
    const place = placeOf(mode)
    await working
    return !busy && placeOf(mode) === place
  }

  /** The one place where faults of the world end: the card left, the disk failed. */
  const serve = (work: () => Promise<void>, afterLoss: () => void) => {
    working = serveNow(work, afterLoss)
  }
  const serveNow = async (work: () => Promise<void>, afterLoss: () => void) => {
    busy = true
    try {
      await work()
    } catch (error) {
      if (error instanceof CardFault) {
        log(`card: ${error.code}`)
        afterLoss()
      } else if (error instanceof LedgerFault) {
        log(error.message)
        storageFault = true
        // What is on the screen was paid, and stays until the customer is done.
        if (mode.name === 'shown') publish()
        else enter({ name: 'browse' })
      } else throw error
    } finally {
      busy = false
      busyTerminalSeq = undefined
      // What came meanwhile is looked at now.
      queueMicrotask(onReader)
    }
  }

  const onReader = () => {
    if (busy || closed) return
    const cards = ourSlots().flatMap((slot) => slot.card ?? [])
    const current = mode
    switch (current.name) {
      case 'browse':
      case 'shown': {
        publish()
        if (current.name === 'shown') return
        const closed = outOfService() !== undefined
        const met = closed ? asked : seen
        const card = cards.find((candidate) => !met.has(candidate))
        if (card === undefined) return
        met.add(card)
        serve(
          () => (closed ? askForOperator(card) : tellBalance(card)),
          () => enter({ name: 'browse' }),
        )
        return
      }
      case 'pay': {
        if (cards.length > 1) {
          if (current.phase !== 'twoCards') enter({ ...current, phase: 'twoCards' })
          return
        }
        if (current.phase === 'twoCards') enter({ ...current, phase: 'waiting' })
        const card = cards[0]
        if (card === undefined && ourSlots().some((slot) => slot.mute))
          return enter({
            name: 'shown',
            screen: { name: 'declined', reason: 'notAPurse', item: articleView(current.goods.item) },
          })
        if (card === undefined || usedUp.has(card)) return
        seen.add(card)
        enter({ ...current, phase: 'working' })
        serve(
          () => payWith(card, current.goods),
          () => {
            usedUp.add(card)
            enter({ ...current, phase: 'waiting', endsAtMs: Date.now() + waitMs.pay })
          },
        )
        return
      }
      case 'pin': {
        const [card, another] = cards
        if (rulesOf[placeOf(current)].card !== 'payWithPin' || card === undefined || another !== undefined) return
        if (usedUp.has(card)) return
        seen.add(card)
        enter({ ...current, phase: 'working' })
        serve(
          () => payWithPin(card, current),
          () => lostWithPin(card, current),
        )
        return
      }
      case 'top-up': {
        const [card, another] = cards
        const { step } = current
        if (step.phase !== 'tap' || card === undefined || another !== undefined || loadDesk === undefined) return
        if (usedUp.has(card) || current.refused === card) return
        seen.add(card)
        enterTopUp({ phase: 'working', amountMinor: step.amountMinor }, current)
        serve(
          () => loadWith(card, current, loadDesk),
          () => {
            usedUp.add(card)
            enterTopUp({ ...step, problem: 'cardLost' }, current)
          },
        )
        return
      }
      case 'operator': {
        if (rulesOf[placeOf(current)].card !== 'task') return
        const card = cards.find((candidate) => !seen.has(candidate))
        const mute = ourSlots().find((slot) => slot.mute)
        if (card === undefined) return mute && operators.takeMute(current, mute.name)
        seen.add(card)
        return operators.take(current, card)
      }
      case 'recover': {
        const card = cards.find((candidate) => !seen.has(candidate))
        if (card === undefined || current.phase === 'working') return
        seen.add(card)
        enter({ ...current, phase: 'working' })
        serve(
          () => finishWith(card, current),
          () => enter({ ...current, phase: 'waiting' }),
        )
      }
    }
  }
  const stopWatching = reader.subscribe(onReader)
  queueMicrotask(onReader)

  return {
    get state() {
      return state
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    busyTerminalSeq: () => busyTerminalSeq,
    attachSync(loop) {
      sync = loop
      publish()
    },
    async buy(itemId, ageDeclared = 0, spoken) {
      if (!(await stillWanted('buy')) || outOfService() !== undefined) return
      const catalogue = terminal.issued?.catalogue
      // The page asks before it wishes.
      if (catalogue === undefined || catalogue.ageMin(itemId) > ageDeclared) return
      language = spoken ?? language
      const goods = catalogue.prepare(itemId)
      // Not sold any more since the page was told: it is told again.
      if (goods === 'unknown') return publish()
      if (goods === 'outOfStock') return enter({ name: 'shown', screen: { name: 'declined', reason: 'outOfStock' } })
      enter({ name: 'pay', goods, phase: 'waiting', endsAtMs: Date.now() + waitMs.pay })
      onReader()
    },
    async cancel() {
      if (allows(mode, 'cancel') && untied()) enter({ name: 'browse' })
    },
    async stay() {
      if (!allows(mode, 'stay') || !('endsAtMs' in mode)) return
      if (mode.name !== 'operator' && stays >= staysMax) return
      stays += 1
      enter({ ...mode, endsAtMs: Date.now() + waitMs[mode.name] })
    },
    async pinKey(key) {
      if (mode.name !== 'pin' || !allows(mode, 'pinKey')) return
      if (key === 'enter' && pin.length < pinDigitsMin) return
      if (key === 'back') pin = pin.slice(0, -1)
      else if (key !== 'enter' && pin.length < pinDigitsMax) pin += key
      const phase = key === 'enter' ? 'tap' : 'entering'
      enter({ ...mode, phase, endsAtMs: Date.now() + waitMs.pin })
      // It may still lie there; if it is being let go of, it is looked at right after.
      if (key === 'enter') onReader()
    },
    async topUp() {
      if (!(await stillWanted('topUp')) || !canLoad()) return
      enterTopUp({ phase: 'code' })
    },
    async topUpCode(code) {
      if (loadDesk === undefined || busy || !allows(mode, 'topUpCode')) return
      enterTopUp({ phase: 'asking' })
      const asking = mode
      const answer = await voucherStep(loadDesk, code)
      if (mode !== asking) return
      enterTopUp(answer, answer.phase === 'tap' ? { funds: [{ funding: code, amountMinor: answer.amountMinor }] } : {})
      onReader()
    },
    async takeCredits() {
      if (!(await stillWanted('takeCredits')) || mode.name !== 'shown' || mode.credits === undefined || !canLoad())
        return
      const { credits } = mode
      enterTopUp({ phase: 'tap', amountMinor: sumOf(credits) }, { funds: credits })
      onReader()
    },
    async showGoods() {
      if (mode.name !== 'shown' || mode.screen.name !== 'approved' || !allows(mode, 'showGoods')) return
      const { name: _, amountMinor, recovered, ...rest } = mode.screen
      enter({ ...mode, screen: { name: 'goods', ...rest } })
    },
    async printReceipt(spoken) {
      if (mode.name !== 'shown' || mode.sale === undefined || !allows(mode, 'printReceipt')) return
      const { sale } = mode
      const { name, printing: before } = mode.screen as PrintedScreen
      if (before === 'working') return
      const show = (printing: Printing) => {
        // Another customer's screen by now, or the goods of the same sale.
        if (mode.name === 'shown' && mode.sale === sale)
          enter({ ...mode, screen: { ...(mode.screen as PrintedScreen), printing } })
      }
      assert(name === 'approved' || name === 'goods', 'only a sale has a receipt')
      show('working')
      try {
        await paper.print({ kind: 'receipt', receipt: receiptFor(terminal, { ...sale, language: spoken }) })
        show('done')
      } catch (error) {
        if (!(error instanceof PrinterFault)) throw error
        log(`printer: ${error.message}`)
        show('failed')
      }
    },
    async collect(counter) {
      if (mode.name !== 'shown' || mode.statement === undefined || !allows(mode, 'collect')) return
      const { statement } = mode
      const line = statement.lines.find((candidate) => candidate.record.counter === counter)
      if (line === undefined || !line.collectable) return
      const { sold } = line
      const mayRelease = sold?.epoch === terminal.ledger.epoch && (sold.goods === 'due' || sold.goods === 'released')
      const here = mayRelease && line.item !== undefined ? terminal.issued?.catalogue.goodsOf(line.item) : undefined
      const claim = terminal.claimUrl(line.record, line.settlementMac)
      const screen: ShownScreen = {
        name: 'goods',
        goods: viewOf(here, line.item ?? unnamedItem(line.record), claim),
        balanceMinor: statement.balanceMinor,
      }
      enter({ name: 'shown', screen })
    },
    async finish() {
      if (mode.name === 'browse' || (allows(mode, 'finish') && untied())) leave()
    },
    operatorKey: async (key) => operators.key(key),
    operatorBalance: async () => operators.balance(),
    operatorLook: (look) => operators.look(look),
    operatorAct: (act) => operators.act(act),
    operatorLeave: async () => operators.leave(),
    goodsContent: (token) => shownGoods.get(token),
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

const sumOf = (funds: readonly Fund[]): number => funds.reduce((sum, { amountMinor }) => sum + amountMinor, 0)

type PrintedScreen = Extract<ShownScreen, { name: 'approved' | 'goods' }>

/** Whether the card has proved by an offer that it is what it says. */
const isGenuine = async (terminal: Terminal, session: PurseSession): Promise<boolean> =>
  (await standing(terminal, session))?.proved === true

/** Whether the card wants a PIN, or a better one, and it is still worth asking. */
const pinDue = (
  outcome: Extract<PurchaseOutcome, { outcome: 'declined' }>,
): outcome is typeof outcome & { readonly card: CardInfo; readonly triesLeft: number } =>
  (outcome.reason === 'pinNeeded' || outcome.reason === 'pinWrong') &&
  outcome.card !== undefined &&
  (outcome.triesLeft ?? 0) > 0

/** What is asked of the customer once the issuer said what his voucher is worth. */
const voucherStep = async (desk: LoadDesk, code: string): Promise<TopUp> => {
  try {
    const voucher = await desk.voucher(code)
    return voucher.state === 'valid'
      ? { phase: 'tap', amountMinor: voucher.amountMinor }
      : { phase: 'code', problem: `${voucher.state}Voucher` }
  } catch (error) {
    if (error instanceof IssuerUnreachable) return { phase: 'code', problem: 'offline' }
    if (error instanceof IssuerRefused) return { phase: 'code', problem: 'refused' }
    throw error
  }
}

const loadStep = (outcome: LoadOutcome, amountMinor: number): TopUp => {
  switch (outcome.outcome) {
    case 'captured':
      return { phase: 'done', amountMinor, balanceMinor: outcome.balanceAfterMinor }
    case 'inDoubt':
      return { phase: 'failed', problem: 'inDoubt' }
    case 'declined':
      switch (outcome.reason) {
        case 'cardLost':
        case 'notAPurse':
        case 'cardSuspect':
        case 'cardBlocked':
        case 'wrongCurrency':
        case 'overBalanceMax':
          return { phase: 'tap', amountMinor, problem: outcome.reason }
        case 'notFunded':
          return { phase: 'failed', problem: 'usedVoucher' }
        default:
          return { phase: 'failed', problem: 'refused' }
      }
  }
}

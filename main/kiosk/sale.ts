/**
 * A sale at the till: pay, its PIN, and a payment in doubt that the same card finishes. Payments themselves are
 * main/purchase's; nothing here decides about money.
 */
import assert from 'node:assert/strict'
import type { PinKey, Printing } from '../../preload/contract.ts'
import type { CardInfo } from '../../protocol/card-info.ts'
import type { ReadyGoods } from '../catalogue.ts'
import { claimOf, itemOf } from '../payment.ts'
import { PrinterFault } from '../printer/printer.ts'
import {
  openSession,
  type PurchaseHooks,
  type PurchaseOutcome,
  purchase,
  witnessAfterSale,
} from '../purchase/purchase.ts'
import type { CardChannel, PresentCard } from '../reader/card-reader.ts'
import type { Terminal } from '../terminal.ts'
import { allows, type Mode, type PinMode, placeOf, rulesOf, type ShownSale, type ShownScreen } from './modes.ts'
import { type Paper, printOfGoods, receiptFor, receiptView } from './paper.ts'
import type { ShownGoods } from './shown-goods.ts'
import { type Till, waitMs } from './till.ts'
import { articleView, pinDigitsMax, pinDigitsMin } from './views.ts'

interface SaleParts {
  readonly terminal: Terminal
  readonly paper: Paper
  readonly shownGoods: ShownGoods
  /** Of a customer who has chosen none. */
  readonly language: () => string
  readonly log: (message: string) => void
}
type PayMode = Extract<Mode, { name: 'pay' }>
type RecoverMode = Extract<Mode, { name: 'recover' }>
type Captured = Extract<PurchaseOutcome, { outcome: 'captured' }>
type Answered = Exclude<PurchaseOutcome, { outcome: 'cardLost' }>
type PrintedScreen = Extract<ShownScreen, { name: 'approved' | 'goods' }>

/** Who lost contact has the whole time again. This many times in one sale it is no slip: the till becomes free. */
const lossesMax = 5

export const makeSale = ({ terminal, paper, shownGoods, log, ...parts }: SaleParts, till: Till) => {
  const { enter, serve, seen, usedUp } = till
  /** The customer's, for what is printed. */
  let spoken: string | undefined
  const language = () => spoken ?? parts.language()
  /** The PIN as far as it was typed; gone as soon as the till does something else. */
  let pin = ''
  let busyTerminalSeq: number | undefined
  /** Of cards, since the goods were chosen. */
  let losses = 0

  const payMode = (goods: ReadyGoods): PayMode => ({
    name: 'pay',
    goods,
    phase: 'waiting',
    endsAtMs: Date.now() + waitMs.pay,
  })

  const refuse = ({ goods }: PayMode | PinMode, reason: 'notAPurse' | 'cardSuspect') =>
    enter({ name: 'shown', screen: { name: 'declined', reason, item: articleView(goods.item) } })

  const refuseMute = (mode: PayMode | PinMode, readerName: string) => {
    till.leaveOut(readerName)
    refuse(mode, 'notAPurse')
  }

  const loseCard = (card: PresentCard, mode: PayMode | PinMode) => {
    usedUp.add(card)
    losses += 1
    if (losses >= lossesMax) {
      log(`card: lost ${losses} times in one sale`)
      return refuse(mode, 'cardSuspect')
    }
    if (mode.name === 'pay') enter(payMode(mode.goods))
    else enter({ ...mode, phase: 'tap', endsAtMs: Date.now() + waitMs.pin })
  }

  const isPrint = (goods: ReadyGoods): boolean => terminal.issued?.catalogue.printed(goods.item.id) ?? false

  /** @param ready what was sold just now; absent: a payment of an earlier tap is finished, and nothing was printed */
  const showPaid = (outcome: Captured, ready?: ReadyGoods) => {
    const { payment } = outcome
    const item = itemOf(payment)
    const here = outcome.goods === 'due' ? (ready ?? terminal.issued?.catalogue.goodsOf(item)) : undefined
    const claim = claimOf(terminal, outcome)
    const sale: ShownSale = { payment, claimUrl: claim?.url, code: here?.code }
    shownGoods.clear()
    enter({
      name: 'shown',
      sale,
      screen: {
        name: 'approved',
        amountMinor: item.priceMinor,
        balanceMinor: outcome.balanceMinor,
        goods: shownGoods.viewOf(here, item, claim),
        recovered: outcome.recovered,
        ...(here !== undefined && ready !== undefined && isPrint(ready) ? { printed: true } : {}),
        receipt: receiptView(receiptFor(terminal, { ...sale, language: language() }), item.title),
      },
    })
    if (here !== undefined) terminal.ledger.markReleased(payment.terminalSeq)
    // The claim on the screen is all there is: from now on it goes by claim, and the card buys something else.
    else if (outcome.goods === 'due') terminal.ledger.markOwed(payment.terminalSeq)
    till.sync()?.nudge()
  }

  const showOutcome = (outcome: Answered, goods: ReadyGoods, card: PresentCard) => {
    switch (outcome.outcome) {
      case 'captured':
        return showPaid(outcome, outcome.recovered ? undefined : goods)
      case 'declined':
        if (outcome.reason === 'notAPurse') till.leaveOut(card.readerName, card)
        if (pinDue(outcome)) {
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
      case 'inDoubt': {
        const endsAtMs = Date.now() + waitMs.recover
        return enter({ name: 'recover', goods, payment: outcome.payment, phase: 'waiting', endsAtMs })
      }
    }
  }

  /** Goods that are a print are handed over by the printer, or not paid. */
  const printing = (goods: ReadyGoods): Pick<PurchaseHooks, 'canHandOver' | 'handOver'> => ({
    canHandOver: () => paper.look(),
    async handOver(payment) {
      try {
        await paper.print(printOfGoods(terminal, { payment, language: language(), code: goods.code }, goods))
      } catch (error) {
        // The sale is undone for it; why, the screen does not say.
        if (error instanceof Error) log(`printer: ${error.message}`)
        throw error
      }
    },
  })

  /** A card that has paid is used up, whichever way it came to pay. */
  const sellTo = async (
    card: PresentCard,
    channel: CardChannel,
    goods: ReadyGoods,
    meant: Pick<PurchaseHooks, 'session' | 'pin'> = {},
  ) => {
    let outcome: PurchaseOutcome
    try {
      outcome = await purchase(terminal, channel, goods, {
        ...meant,
        ...(isPrint(goods) ? printing(goods) : {}),
        onDebit: (payment) => {
          busyTerminalSeq = payment.terminalSeq
        },
      })
    } finally {
      busyTerminalSeq = undefined
    }
    if (outcome.outcome === 'captured') usedUp.add(card)
    return outcome
  }

  const show = async (outcome: Answered, goods: ReadyGoods, card: PresentCard, channel: CardChannel) => {
    showOutcome(outcome, goods, card)
    if (outcome.outcome === 'captured') await witnessAfterSale(terminal, channel, outcome.payment)
  }

  const payWith = (card: PresentCard, mode: PayMode) =>
    card.use(async (channel) => {
      const outcome = await sellTo(card, channel, mode.goods)
      if (outcome.outcome === 'cardLost') return loseCard(card, mode)
      await show(outcome, mode.goods, card, channel)
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
      // In one session: what was selected anew could be another card, whose owner would find the PIN by trial.
      const outcome = await sellTo(card, channel, asked.goods, { session, pin: digits })
      if (outcome.outcome === 'cardLost') return loseCard(card, asked)
      await show(outcome, asked.goods, card, channel)
    })
  }

  const finishWith = (card: PresentCard, doubt: RecoverMode) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      if (session?.info.cardId !== doubt.payment.cardId) return enter({ ...doubt, phase: 'wrongCard' })
      const outcome = await sellTo(card, channel, doubt.goods, { session })
      // Gone again before it told, or refused while its answers prove nothing: the doubt is what it was.
      const stands =
        outcome.outcome === 'declined' && terminal.ledger.intent(doubt.payment.terminalSeq).state === 'open'
      if (outcome.outcome === 'cardLost' || stands) return enter({ ...doubt, phase: 'waiting' })
      await show(outcome, doubt.goods, card, channel)
    })

  return {
    get pinDigits() {
      return pin.length
    },
    busyTerminalSeq: () => busyTerminalSeq,
    forgetPin() {
      pin = ''
    },
    forgetCustomer() {
      spoken = undefined
    },
    showPaid,

    /** @param language the customer's */
    begin(goods: ReadyGoods, language: string | undefined) {
      spoken = language ?? spoken
      losses = 0
      enter(payMode(goods))
      till.look()
    },

    /** @param muteReader where a card lies that answers nothing */
    meetToPay(mode: PayMode, cards: readonly PresentCard[], muteReader: string | undefined) {
      if (cards.length > 1) {
        if (mode.phase !== 'twoCards') enter({ ...mode, phase: 'twoCards' })
        return
      }
      if (mode.phase === 'twoCards') enter({ ...mode, phase: 'waiting' })
      const [card] = cards
      if (card === undefined && muteReader !== undefined) return refuseMute(mode, muteReader)
      if (card === undefined || usedUp.has(card)) return
      seen.add(card)
      enter({ ...mode, phase: 'working' })
      serve(
        () => payWith(card, mode),
        () => loseCard(card, mode),
      )
    },

    /** @param muteReader as in meetToPay */
    meetForPin(mode: PinMode, [card, another]: readonly PresentCard[], muteReader: string | undefined) {
      if (rulesOf[placeOf(mode)].card !== 'payWithPin') return
      if (card === undefined && muteReader !== undefined) return refuseMute(mode, muteReader)
      if (card === undefined || another !== undefined) return
      if (usedUp.has(card)) return
      seen.add(card)
      enter({ ...mode, phase: 'working' })
      serve(
        () => payWithPin(card, mode),
        () => loseCard(card, mode),
      )
    },

    meetToFinish(mode: RecoverMode, cards: readonly PresentCard[]) {
      const card = cards.find((candidate) => !seen.has(candidate))
      if (card === undefined || mode.phase === 'working') return
      seen.add(card)
      enter({ ...mode, phase: 'working' })
      serve(
        () => finishWith(card, mode),
        () => enter({ ...mode, phase: 'waiting' }),
      )
    },

    pinKey(key: PinKey) {
      const mode = till.mode()
      if (mode.name !== 'pin' || !allows(mode, 'pinKey')) return
      if (key === 'enter' && pin.length < pinDigitsMin) return
      if (key === 'back') pin = pin.slice(0, -1)
      else if (key !== 'enter' && pin.length < pinDigitsMax) pin += key
      const phase = key === 'enter' ? 'tap' : 'entering'
      enter({ ...mode, phase, endsAtMs: Date.now() + waitMs.pin })
      // It may still lie there; if it is being let go of, it is looked at right after.
      if (key === 'enter') till.look()
    },

    showGoods() {
      const mode = till.mode()
      if (mode.name !== 'shown' || mode.screen.name !== 'approved' || !allows(mode, 'showGoods')) return
      const { name: _, amountMinor, recovered, printed, ...rest } = mode.screen
      enter({ ...mode, screen: { name: 'goods', ...rest } })
    },

    /** Goods that end one page would end each that comes after it: they are had elsewhere, by their claim. */
    pageEnded() {
      const mode = till.mode()
      if (mode.name !== 'shown' || mode.screen.name !== 'goods' || mode.screen.goods.contentUrl === undefined) return
      const { contentUrl: _, ...goods } = mode.screen.goods
      shownGoods.clear()
      enter({ ...mode, screen: { ...mode.screen, goods } })
    },

    async printReceipt(spoken: string) {
      const mode = till.mode()
      if (mode.name !== 'shown' || mode.sale === undefined || !allows(mode, 'printReceipt')) return
      const { sale } = mode
      const { name, printing: before } = mode.screen as PrintedScreen
      if (before === 'working') return
      assert(name === 'approved' || name === 'goods', 'only a sale has a receipt')
      const tell = (printed: Printing) => {
        const now = till.mode()
        // Another customer's screen by now, or the goods of the same sale.
        if (now.name === 'shown' && now.sale === sale)
          enter({ ...now, screen: { ...(now.screen as PrintedScreen), printing: printed } })
      }
      tell('working')
      try {
        await paper.print({ kind: 'receipt', receipt: receiptFor(terminal, { ...sale, language: spoken }) })
        tell('done')
      } catch (error) {
        if (!(error instanceof PrinterFault)) throw error
        log(`printer: ${error.message}`)
        tell('failed')
      }
    },
  }
}
export type Sale = ReturnType<typeof makeSale>

/** Whether the card wants a PIN, or a better one, and it is still worth asking. */
const pinDue = (
  outcome: Extract<PurchaseOutcome, { outcome: 'declined' }>,
): outcome is typeof outcome & { readonly card: CardInfo; readonly triesLeft: number } =>
  (outcome.reason === 'pinNeeded' || outcome.reason === 'pinWrong') &&
  outcome.card !== undefined &&
  (outcome.triesLeft ?? 0) > 0

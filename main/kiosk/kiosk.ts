/**
 * The till behind the screen: which screen is wanted, what a card that comes is for, and when waiting ends.
 * Payments themselves are main/purchase's; nothing here decides about money.
 */
import type { Intent } from '../../db/ledger.ts'
import { LedgerFault } from '../../db/open.ts'
import type {
  CatalogueItem,
  GoodsView,
  KioskScreen,
  KioskState,
  KioskStatus,
  OutOfServiceReason,
} from '../../preload/contract.ts'
import { currencyOf } from '../../protocol/currency.ts'
import type { Item } from '../../protocol/item.ts'
import type { CardRecord } from '../../protocol/record.ts'
import { cardEnding } from '../card-id.ts'
import type { ReadyGoods } from '../catalogue.ts'
import { itemOf } from '../payment.ts'
import { finishOpen, openSession, type PurchaseOutcome, purchase, witnessAfterSale } from '../purchase/purchase.ts'
import { witness } from '../purchase/recovery.ts'
import { outOfServiceReason } from '../purchase/rules.ts'
import type { PurseSession } from '../purse-session.ts'
import {
  type CardChannel,
  CardFault,
  type CardReader,
  type PresentCard,
  type ReaderSlot,
} from '../reader/card-reader.ts'
import type { SyncLoop } from '../sync/sync.ts'
import type { Terminal } from '../terminal.ts'
import { movementOf, newToken, readStatement, type Statement } from './card-statement.ts'
import type { Kiosk } from './kiosk-contract.ts'
import type { KioskSettings } from './kiosk-settings.ts'

/** How long a customer is waited for. */
const payMsMax = 45_000
const recoverMsMax = 30_000

/** What the till is doing; the screen follows from it. */
type Mode =
  | { readonly name: 'browse' }
  | {
      readonly name: 'pay'
      readonly goods: ReadyGoods
      readonly phase: 'waiting' | 'working' | 'twoCards'
      readonly endsAtMs: number
    }
  | {
      readonly name: 'recover'
      readonly goods: ReadyGoods
      readonly payment: Intent
      readonly phase: 'waiting' | 'wrongCard' | 'working'
      readonly endsAtMs: number
    }
  | { readonly name: 'shown'; readonly screen: KioskScreen; readonly statement?: Statement }

const articleView = (item: Item | CatalogueItem, stock?: number): CatalogueItem => ({
  id: item.id,
  kind: item.kind,
  title: item.title,
  summary: item.summary,
  priceMinor: item.priceMinor,
  taxBasisPoints: item.taxBasisPoints,
  mediaType: item.mediaType,
  bytes: item.bytes,
  ...(stock === undefined ? {} : { stock }),
})

/** Sold elsewhere and not known by name here (a code, an item of another kiosk's): the claim knows what it is. */
const unnamedItem = ({ order }: CardRecord): CatalogueItem => ({
  id: '',
  kind: 'document',
  title: {},
  summary: {},
  priceMinor: order.amountMinor,
  taxBasisPoints: 0,
  mediaType: 'application/octet-stream',
  bytes: 0,
})

export interface KioskParts {
  readonly terminal: Terminal
  readonly reader: CardReader
  readonly settings: KioskSettings
  readonly log: (message: string) => void
}

/** Builds the till; `sync` is attached by the caller, who owns its life. */
export const makeKiosk = (
  parts: KioskParts,
): Kiosk & { readonly busyTerminalSeq: () => number | undefined; attachSync(sync: SyncLoop): void } => {
  const { terminal, reader, settings, log } = parts
  const listeners = new Set<(state: KioskState) => void>()
  let mode: Mode = { name: 'browse' }
  let busy = false
  let busyTerminalSeq: number | undefined
  let storageFault = false
  let closed = false
  let sync: SyncLoop | undefined
  let working: Promise<void> = Promise.resolve()
  let deadline: NodeJS.Timeout | undefined
  /** Cards that were dealt with; lying there any longer, they mean nothing new. */
  const seen = new WeakSet<PresentCard>()
  /** Cards that pay no more without a new tap: they have paid (and may lie there forgotten), or fell silent in the middle. */
  const usedUp = new WeakSet<PresentCard>()
  /** Goods on the screen now, by the token in their address. */
  const shownGoods = new Map<string, { mediaType: string; bytes: Uint8Array }>()

  const status = (): KioskStatus => {
    const { identity, issued } = terminal
    return {
      merchant: issued?.keyring.merchant ?? identity.merchant,
      currency: identity.currency,
      currencyDecimals: currencyOf(identity.currency).decimals,
      online: sync?.online ?? false,
      languages: settings.languages,
      readerPosition: settings.readerPosition,
      diagonalMm: settings.diagonalMm,
      categories: [],
      branding: {},
      topUp: false,
      volume: 1,
      catalogue: issued?.catalogue.offerings().map(({ article, stock }) => articleView(article, stock)) ?? [],
    }
  }

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
    switch (mode.name) {
      case 'browse': {
        const reason = storageFault ? 'storage' : outOfService()
        return reason === undefined ? { name: 'browse' } : { name: 'out-of-service', reason }
      }
      case 'pay':
        return { name: 'pay', item: articleView(mode.goods.item), phase: mode.phase, endsAt: iso(mode.endsAtMs) }
      case 'recover':
        return {
          name: 'recover',
          item: articleView(mode.goods.item),
          amountMinor: mode.goods.item.priceMinor,
          phase: mode.phase,
          endsAt: iso(mode.endsAtMs),
        }
      case 'shown':
        return mode.screen
    }
  }

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
    enter({ name: 'browse' })
    queueMicrotask(onReader)
  }

  const enter = (next: Mode) => {
    clearTimeout(deadline)
    mode = next
    if (next.name !== 'shown') shownGoods.clear()
    if ((next.name === 'pay' || next.name === 'recover') && next.phase !== 'working')
      deadline = setTimeout(onDeadline, Math.max(0, next.endsAtMs - Date.now()))
    publish()
  }

  const onDeadline = () => {
    if (mode.name === 'pay')
      enter({ name: 'shown', screen: { name: 'declined', reason: 'timeout', item: articleView(mode.goods.item) } })
    // The doubt stays in the ledger and is resolved at the card's next tap; the next customer is not held up.
    else if (mode.name === 'recover') leave()
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
    shownGoods.clear()
    enter({
      name: 'shown',
      screen: {
        name: 'approved',
        amountMinor: item.priceMinor,
        balanceMinor: outcome.balanceMinor,
        goods: viewOf(here, item, claim),
        recovered: outcome.recovered,
      },
    })
    if (here !== undefined) terminal.ledger.markReleased(payment.terminalSeq)
    // The claim on the screen is all there is: from now on it goes by claim, and the card buys something else.
    else if (outcome.goods === 'due') terminal.ledger.markOwed(payment.terminalSeq)
    sync?.nudge()
  }

  const showOutcome = (outcome: PurchaseOutcome, goods: ReadyGoods) => {
    switch (outcome.outcome) {
      case 'captured':
        return showPaid(outcome, outcome.recovered ? undefined : goods)
      case 'declined':
        return enter({
          name: 'shown',
          screen: {
            name: 'declined',
            reason: outcome.reason,
            item: articleView(goods.item),
            ...(outcome.card === undefined ? {} : { balanceMinor: outcome.card.balanceMinor }),
            ...(outcome.missingMinor === undefined ? {} : { missingMinor: outcome.missingMinor }),
          },
        })
      case 'inDoubt':
        return enter({
          name: 'recover',
          goods,
          payment: outcome.payment,
          phase: 'waiting',
          endsAtMs: Date.now() + recoverMsMax,
        })
      case 'cardLost':
        return enter({ name: 'pay', goods, phase: 'waiting', endsAtMs: Date.now() + payMsMax })
    }
  }

  const sellTo = async (channel: CardChannel, goods: ReadyGoods): Promise<PurchaseOutcome> => {
    const outcome = await purchase(terminal, channel, goods, {
      onDebit: (payment) => {
        busyTerminalSeq = payment.terminalSeq
      },
    })
    busyTerminalSeq = undefined
    return outcome
  }

  const payWith = (card: PresentCard, goods: ReadyGoods) =>
    card.use(async (channel) => {
      const outcome = await sellTo(channel, goods)
      if (outcome.outcome === 'cardLost' || outcome.outcome === 'captured') usedUp.add(card)
      showOutcome(outcome, goods)
      if (outcome.outcome === 'captured') await witnessAfterSale(terminal, channel, outcome.payment)
    })

  const finishWith = (card: PresentCard, doubt: Extract<Mode, { name: 'recover' }>) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      if (session?.info.cardId !== doubt.payment.cardId) {
        enter({ ...doubt, phase: 'wrongCard' })
        return
      }
      const outcome = await sellTo(channel, doubt.goods)
      if (outcome.outcome === 'captured') usedUp.add(card)
      // Gone again before it told, or refused while its answers prove nothing: the doubt is what it was.
      const stands =
        outcome.outcome === 'declined' && terminal.ledger.intent(doubt.payment.terminalSeq).state === 'open'
      if (outcome.outcome === 'cardLost' || stands) enter({ ...doubt, phase: 'waiting' })
      else showOutcome(outcome, doubt.goods)
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
          enter({ name: 'shown', screen: balanceScreen(statement), statement })
          await passOn(session, statement.card.counter)
        }
      }
    })

  /** The customer has seen what he came for: a card that leaves now is no fault. */
  const passOn = async (session: PurseSession, newest: number) => {
    try {
      await witness(terminal, session, newest)
    } catch (error) {
      if (!(error instanceof CardFault)) throw error
    }
  }

  const balanceScreen = (statement: Statement): KioskScreen => ({
    name: 'balance',
    cardEnding: cardEnding(statement.card.cardId),
    balanceMinor: statement.balanceMinor,
    expiresAt: iso(statement.card.expiry * 1000),
    blocked: statement.card.status === 'blocked',
    movements: statement.lines.flatMap((line) => movementOf(line) ?? []),
  })

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
        const card = cards.find((candidate) => !seen.has(candidate))
        const idle = current.name === 'browse' && outOfService() === undefined
        if (card === undefined || !idle) return
        seen.add(card)
        serve(
          () => tellBalance(card),
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
            enter({ ...current, phase: 'waiting', endsAtMs: Date.now() + payMsMax })
          },
        )
        return
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
    async buy(itemId) {
      // A last look at the card after a sale may still be under way: the touch counts all the same.
      if (mode.name === 'browse') await working
      const free = mode.name === 'browse' || (mode.name === 'shown' && mode.screen.name === 'declined')
      if (busy || !free || outOfService() !== undefined) return
      const goods = terminal.issued?.catalogue.prepare(itemId)
      if (goods === undefined || goods === 'unknown') return
      if (goods === 'outOfStock') return enter({ name: 'shown', screen: { name: 'declined', reason: 'outOfStock' } })
      enter({ name: 'pay', goods, phase: 'waiting', endsAtMs: Date.now() + payMsMax })
      onReader()
    },
    async pinKey() {},
    async topUp() {},
    async topUpCode() {},
    async printReceipt() {},
    async cancel() {
      if (!busy && mode.name === 'pay') enter({ name: 'browse' })
    },
    async showGoods() {
      if (mode.name !== 'shown' || mode.screen.name !== 'approved') return
      const { goods, balanceMinor } = mode.screen
      enter({ name: 'shown', screen: { name: 'goods', goods, balanceMinor } })
    },
    async collect(counter) {
      if (mode.name !== 'shown' || mode.statement === undefined) return
      const { statement } = mode
      const line = statement.lines.find((candidate) => candidate.record.counter === counter)
      if (line === undefined || !line.collectable) return
      const { sold } = line
      const mayRelease = sold?.epoch === terminal.ledger.epoch && (sold.goods === 'due' || sold.goods === 'released')
      const here = mayRelease && line.item !== undefined ? terminal.issued?.catalogue.goodsOf(line.item) : undefined
      const claim = terminal.claimUrl(line.record, line.settlementMac)
      const screen: KioskScreen = {
        name: 'goods',
        goods: viewOf(here, line.item ?? unnamedItem(line.record), claim),
        balanceMinor: statement.balanceMinor,
      }
      enter({ name: 'shown', screen })
    },
    async finish() {
      // Once something is shown the customer may go, though his card is still asked for a witness.
      if (mode.name === 'pay' || (busy && mode.name !== 'shown')) return
      leave()
    },
    goodsContent: (token) => shownGoods.get(token),
    async close() {
      closed = true
      stopWatching()
      // A card at the reader is finished with first.
      await working
      clearTimeout(deadline)
      listeners.clear()
    },
  }
}

const iso = (ms: number): string => new Date(Math.min(ms, 8.64e15)).toISOString()

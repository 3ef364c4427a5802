/** A vending machine without a screen: waits for a card, sells, says in one object what happened (docs/OPERATIONS.md, sell). */
import type { Intent } from '../db/ledger.ts'
import type { RefusalReason } from '../preload/contract.ts'
import { parseRecord } from '../protocol/record.ts'
import type { ReadyGoods } from './catalogue.ts'
import { printOfGoods, receiptFor } from './kiosk/paper.ts'
import { claimOf, itemOf } from './payment.ts'
import { type Printer, PrinterFault } from './printer/printer.ts'
import { type PurchaseOutcome, purchase, witnessAfterSale } from './purchase/purchase.ts'
import { outOfServiceReason } from './purchase/rules.ts'
import { selectPurse } from './purse-session.ts'
import { CardFault, type CardReader, type PresentCard, waitForCard } from './reader/card-reader.ts'
import type { Terminal } from './terminal.ts'

/** One line of `farthing terminal sell`: amounts in minor units, ids in hex. */
export interface SaleLine {
  readonly outcome: 'captured' | 'declined' | 'inDoubt'
  readonly reason?: RefusalReason
  readonly recovered?: true
  readonly reversed?: true
  readonly item: string
  readonly amountMinor: number
  readonly cardId?: string
  readonly counter?: number
  readonly balanceAfterMinor?: number
  readonly missingMinor?: number
  readonly terminalSeq?: number
  readonly claimUrl?: string
  /** What was bought: a one-time code, or the hash of the content. `owed`: by claim only. */
  readonly goods?: { readonly kind: string; readonly code?: string; readonly contentHash?: string } | 'owed'
}

export interface VendingOptions {
  readonly terminal: Terminal
  readonly reader: CardReader
  readonly readerName?: string
  readonly itemId: string
  /** How long to wait for a card, and, after a cut, for the same card again. */
  readonly timeoutMs: number
  readonly graceMs: number
  /** Aborted: the machine is being switched off. A debit that was begun is finished first. */
  readonly signal?: AbortSignal
  /** Told while waiting, for people. */
  readonly onWaiting?: (what: 'card' | 'sameCard') => void
  /** The goods are handed over by saying so; returns when that is done. */
  readonly onSale: (line: SaleLine) => void
  readonly onDebit?: (payment: Intent) => void
  /** How old whoever sees to this machine says that its customers are; absent: nobody does. */
  readonly ageDeclared?: number
  /** What is bought is printed; `language` (BCP 47) is that of the paper. Goods that are a print need it. */
  readonly paper?: { readonly printer: Printer; readonly language: string }
  /** The sale stands, and its receipt is not on paper. */
  readonly onUnprinted?: (fault: PrinterFault) => void
}

type Captured = Extract<PurchaseOutcome, { outcome: 'captured' }>

/** What was made ready before the debit; of an earlier sale, what can be had here now. */
const goodsOf = (terminal: Terminal, wanted: ReadyGoods, outcome: Captured): NonNullable<SaleLine['goods']> => {
  if (outcome.goods === 'owed') return 'owed'
  const goods = outcome.recovered ? terminal.issued?.catalogue.goodsOf(itemOf(outcome.payment)) : wanted
  if (goods === undefined) return 'owed'
  const { kind, contentHash } = goods.item
  return goods.code === undefined ? { kind, contentHash } : { kind, code: goods.code }
}

const lineOfPayment = (payment: Intent) => {
  const { order, identity, counter, balanceAfterMinor } = parseRecord(payment.record)
  return {
    item: itemOf(payment).id,
    amountMinor: order.amountMinor,
    cardId: identity.cardId,
    counter,
    balanceAfterMinor,
    terminalSeq: payment.terminalSeq,
  }
}

const lineInDoubt = (payment: Intent): SaleLine => {
  const { balanceAfterMinor: _expected, ...known } = lineOfPayment(payment)
  return { outcome: 'inDoubt', ...known }
}

const lineOf = (
  terminal: Terminal,
  wanted: ReadyGoods,
  outcome: Exclude<PurchaseOutcome, { outcome: 'cardLost' }>,
): SaleLine => {
  switch (outcome.outcome) {
    case 'captured': {
      const claim = claimOf(terminal, outcome)
      return {
        outcome: 'captured',
        ...(outcome.recovered ? { recovered: true } : {}),
        ...lineOfPayment(outcome.payment),
        ...(claim === undefined ? {} : { claimUrl: claim.url }),
        goods: goodsOf(terminal, wanted, outcome),
      }
    }
    case 'inDoubt':
      return lineInDoubt(outcome.payment)
    case 'declined':
      return {
        outcome: 'declined',
        reason: outcome.reason,
        ...(outcome.reversed ? { reversed: true } : {}),
        item: wanted.item.id,
        amountMinor: wanted.item.priceMinor,
        ...(outcome.card === undefined ? {} : { cardId: outcome.card.cardId }),
        ...(outcome.missingMinor === undefined ? {} : { missingMinor: outcome.missingMinor }),
      }
  }
}

const unknownItem = (terminal: Terminal, itemId: string): string => {
  const ids = terminal.issued?.catalogue.articles().map((item) => item.id) ?? []
  return ids.length === 0
    ? `This terminal's catalogue is empty: publish one at the issuer (farthing catalogue add, then publish), then sync.`
    : `There is no item "${itemId}" in this terminal's catalogue; there are ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', ...' : ''}.`
}

/** What cannot be sold in this way at all: a mistake of the caller, not of the customer. */
export class VendingMisuse extends Error {
  override readonly name = 'VendingMisuse'
}

/** Why nothing of this article is sold here, whoever comes. */
const misuseOf = ({ terminal, itemId, ageDeclared = 0, paper }: VendingOptions): string | undefined => {
  const catalogue = terminal.issued?.catalogue
  const ageMin = catalogue?.ageMin(itemId) ?? 0
  if (ageMin > ageDeclared)
    return `"${itemId}" is for customers of ${ageMin} or more: where somebody sees to that, say so with --age ${ageMin}.`
  if (catalogue?.printed(itemId) && paper === undefined)
    return `The goods of "${itemId}" are a print: say --print, with the printer in kiosk.json.`
  return undefined
}

/** Goods that are a print are handed over by the printer, or not paid. */
const printing = ({ terminal, itemId, paper }: VendingOptions, goods: ReadyGoods) => {
  if (paper === undefined || !terminal.issued?.catalogue.printed(itemId)) return {}
  const { printer, language } = paper
  return {
    canHandOver: async () => (await printer.status()) === 'ready',
    handOver: (payment: Intent) =>
      printer.print(printOfGoods(terminal, { payment, language, code: goods.code }, goods)),
  }
}

/** The receipt of what was sold; the sale stands without it. */
const printReceipt = async ({ terminal, paper, onUnprinted }: VendingOptions, line: SaleLine): Promise<void> => {
  if (paper === undefined || line.outcome !== 'captured' || line.terminalSeq === undefined) return
  // The print was the goods: its receipt, or a ticket.
  if (terminal.issued?.catalogue.printed(line.item) && !line.recovered) return
  const payment = terminal.ledger.intent(line.terminalSeq)
  const { claimUrl } = line
  const code = line.goods === 'owed' ? undefined : line.goods?.code
  const { printer, language } = paper
  try {
    await printer.print({ kind: 'receipt', receipt: receiptFor(terminal, { payment, language, claimUrl, code }) })
  } catch (error) {
    if (!(error instanceof PrinterFault)) throw error
    onUnprinted?.(error)
  }
}

/** The card that lies there now, or undefined when none came in time. */
const nextCard = async (options: VendingOptions, waitMs: number): Promise<PresentCard | undefined> => {
  // A card that lies there and does not answer must not be tried for ever.
  if (waitMs <= 0) return undefined
  const timeout = AbortSignal.timeout(Math.ceil(waitMs))
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
  try {
    return await waitForCard(options.reader, {
      signal,
      ...(options.readerName === undefined ? {} : { readerName: options.readerName }),
    })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

const gone = (card: PresentCard, waitMs: number): Promise<void> =>
  new Promise((resolve) => {
    if (card.removed.aborted) return resolve()
    const timer = setTimeout(resolve, Math.max(0, waitMs))
    card.removed.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

/**
 * One sale. Declined and in doubt are outcomes; only what stops the machine throws.
 * @throws VendingMisuse, LedgerFault, CardFault `busy` (another program holds the card)
 */
export const sellOne = async (options: VendingOptions): Promise<SaleLine> => {
  const { terminal, itemId } = options
  const goods = terminal.issued?.catalogue.prepare(itemId) ?? 'outOfService'
  if (goods === 'unknown') throw new VendingMisuse(unknownItem(terminal, itemId))
  const misuse = misuseOf(options)
  if (misuse !== undefined) throw new VendingMisuse(misuse)
  const say = (line: SaleLine): SaleLine => {
    options.onSale(line)
    return line
  }
  const article = terminal.issued?.catalogue.articles().find((item) => item.id === itemId)
  const refuse = (reason: RefusalReason): SaleLine =>
    say({ outcome: 'declined', reason, item: itemId, amountMinor: article?.priceMinor ?? 0 })
  const fault = terminal.storageFault()
  if (fault !== undefined) throw fault
  if (goods === 'outOfService' || outOfServiceReason(terminal) !== undefined) return refuse('outOfService')
  if (goods === 'outOfStock') return refuse('outOfStock')

  const endsAtMs = performance.now() + options.timeoutMs
  const leftMs = () => endsAtMs - performance.now()
  for (;;) {
    options.onWaiting?.('card')
    const card = await nextCard(options, leftMs())
    if (card === undefined) return refuse(options.signal?.aborted ? 'cancelled' : 'timeout')
    const line = await sellTo(options, card, goods)
    if (line === 'cardLost' || line === 'otherCard') {
      await gone(card, leftMs())
      continue
    }
    const sold =
      line.outcome === 'inDoubt'
        ? await tapAgain(options, goods, { line, card, graceMs: Math.min(options.graceMs, leftMs()) })
        : line
    await printReceipt(options, sold)
    return sold
  }
}

const isOpen = ({ ledger }: Terminal, doubt: Pick<SaleLine, 'terminalSeq'> | undefined): boolean =>
  doubt?.terminalSeq !== undefined && ledger.intent(doubt.terminalSeq).state === 'open'

/**
 * Sells to this card. What was sold is said (and so handed over) before the ledger notes it and the card is asked for a
 * witness; an outcome in doubt is left to the caller to say.
 */
const sellTo = async (
  options: VendingOptions,
  card: PresentCard,
  goods: ReadyGoods,
  doubt?: SaleLine,
): Promise<SaleLine | 'cardLost' | 'otherCard'> => {
  const { terminal } = options
  let said: SaleLine | undefined
  let debited: Intent | undefined
  try {
    return await card.use(async (channel) => {
      if (doubt !== undefined && (await selectPurse(channel))?.cardId !== doubt.cardId) return 'otherCard'
      const outcome = await purchase(terminal, channel, goods, {
        ...printing(options, goods),
        onDebit: (payment) => {
          debited = payment
          options.onDebit?.(payment)
        },
      })
      if (outcome.outcome === 'cardLost') return 'cardLost'
      // A refusal while the doubt stands says nothing about the debit that may have been made.
      if (outcome.outcome === 'declined' && isOpen(terminal, doubt)) return 'cardLost'
      const line = lineOf(terminal, goods, outcome)
      if (outcome.outcome === 'inDoubt') return line
      options.onSale(line)
      said = line
      if (outcome.outcome === 'captured') {
        if (line.goods !== 'owed') terminal.ledger.markReleased(outcome.payment.terminalSeq)
        // Said to be owed: from now on it goes by claim, and the card's next tap buys something else.
        else if (outcome.goods === 'due') terminal.ledger.markOwed(outcome.payment.terminalSeq)
        await witnessAfterSale(terminal, channel, { cardId: outcome.payment.cardId })
      }
      return line
    })
  } catch (error) {
    // Once it was said, the sale is done, whatever becomes of the card.
    if (error instanceof CardFault && (said !== undefined || error.code !== 'busy')) return said ?? 'cardLost'
    // The disk failed between debit and entry: the customer is told the truth before the machine stops.
    const unsaid = debited === undefined ? doubt : lineInDoubt(debited)
    if (said === undefined && unsaid !== undefined) options.onSale(unsaid)
    throw error
  }
}

/** After a cut: the same card again decides within the grace; another card, or none, leaves the doubt for later. */
const tapAgain = async (
  options: VendingOptions,
  goods: ReadyGoods,
  doubt: { readonly line: SaleLine; readonly card: PresentCard; readonly graceMs: number },
): Promise<SaleLine> => {
  const endsAtMs = performance.now() + doubt.graceMs
  options.onWaiting?.('sameCard')
  await gone(doubt.card, doubt.graceMs)
  const card = await nextCard(options, endsAtMs - performance.now())
  const line = card === undefined ? 'cardLost' : await sellTo(options, card, goods, doubt.line)
  if (typeof line !== 'string' && line.outcome !== 'inDoubt') return line
  options.onSale(doubt.line)
  return doubt.line
}

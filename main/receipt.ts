/** A payment's receipt as data; paper and page make text of it (docs/OPERATIONS.md, Receipts). Pure. */
import assert from 'node:assert/strict'
import type { Intent } from '../db/ledger.ts'
import { currencyOf, moneyOf, taxWithin } from '../protocol/currency.ts'
import { textOf } from '../protocol/language.ts'
import { parseRecord } from '../protocol/record.ts'
import { cardMasked } from './card-id.ts'
import { itemOf } from './payment.ts'
import { wordsOf } from './receipt-words.ts'

export interface Receipt {
  /** EPOCH-NUMBER. */
  readonly number: string
  /** When it was sold, UNIX seconds. */
  readonly at: number
  readonly merchant: string
  readonly terminal: string
  /** BCP 47; the item's title is in it, or in the next best that it has. */
  readonly language: string
  readonly itemTitle: string
  /** ISO 4217 letters, of all amounts. */
  readonly currency: string
  readonly priceMinor: number
  /** 0: none is configured. */
  readonly taxBasisPoints: number
  /** Of the price, not on top of it. */
  readonly taxMinor: number
  readonly cardMasked: string
  /** On the card after this sale, or after its reversal. */
  readonly balanceMinor: number
  readonly claimUrl?: string
  /** The one-time code that was bought. */
  readonly code?: string
  /** `owed`: paid, and not handed over here. */
  readonly state: 'paid' | 'reversed' | 'owed'
  readonly copy: boolean
  /** UNIX seconds. */
  readonly printedTime: number
}

export interface ReceiptSource {
  /** What people call the kiosk. */
  readonly terminal: string
  readonly merchant: string
  readonly currency: string
  readonly language: string
  readonly now: number
  /** Only of a payment that no reversal can follow. */
  readonly claimUrl?: string
  readonly code?: string
  /** Printed before. */
  readonly copy?: boolean
}

/** @param payment captured or reversed */
export const receiptOf = (payment: Intent, from: ReceiptSource): Receipt => {
  assert(payment.type === 'payment' && payment.receiptNo !== undefined, 'a receipt is of a captured payment')
  const { order, identity, balanceAfterMinor } = parseRecord(payment.record)
  const { title, taxBasisPoints } = itemOf(payment)
  const reversed = payment.state === 'reversed'
  return {
    number: `${payment.epoch}-${payment.receiptNo}`,
    at: payment.createdTime,
    merchant: from.merchant,
    terminal: from.terminal,
    language: from.language,
    itemTitle: textOf(title, from.language).text,
    currency: from.currency,
    priceMinor: order.amountMinor,
    taxBasisPoints,
    taxMinor: taxWithin(order.amountMinor, taxBasisPoints),
    cardMasked: cardMasked(identity.cardId),
    balanceMinor: reversed ? balanceAfterMinor + order.amountMinor : balanceAfterMinor,
    // What was undone is no one's to collect.
    ...(reversed || from.claimUrl === undefined ? {} : { claimUrl: from.claimUrl }),
    ...(reversed || from.code === undefined ? {} : { code: from.code }),
    state: reversed ? 'reversed' : payment.goods === 'owed' ? 'owed' : 'paid',
    copy: from.copy ?? false,
    printedTime: from.now,
  }
}

/** Money as the language writes it. */
export const moneyText = (minor: number, { currency, language }: { currency: string; language: string }): string =>
  moneyOf(minor, { locale: wordsOf(language).locale, currency, decimals: currencyOf(currency).decimals })

/** A moment in the kiosk's own time zone. */
export const momentText = (seconds: number, language: string): string =>
  new Intl.DateTimeFormat(wordsOf(language).locale, { dateStyle: 'medium', timeStyle: 'short' }).format(seconds * 1000)

/** A rate of tax: 1900 is 19 %. */
export const rateText = (basisPoints: number, language: string): string =>
  new Intl.NumberFormat(wordsOf(language).locale, { style: 'percent', maximumFractionDigits: 2 }).format(
    basisPoints / 10_000,
  )

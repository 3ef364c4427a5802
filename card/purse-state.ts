/** What a purse remembers without power: the shape of its state, in memory and on disk (PROTOCOL.md, The card). */
import * as v from 'valibot'
import { fromHex, toHex } from '../protocol/bytes.ts'
import type { Personalisation } from '../protocol/personalise.ts'
import { amountMinor, cardId, counter, currencyCode, unixTime } from '../protocol/quantities.ts'
import { parseRecord, recordLength } from '../protocol/record.ts'

/** READ RECORD reaches back this far. */
export const logLengthMax = 10

const u32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff))
const hexOf = (length: number) => v.pipe(v.string(), v.regex(/^[0-9a-f]*$/, 'lower-case hex'), v.length(length * 2))
const amountSchema = v.pipe(u32, v.transform(amountMinor))
const triesSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15))

const logEntrySchema = v.strictObject({
  record: hexOf(recordLength),
  settlementMac: hexOf(16),
  acceptanceMac: hexOf(16),
})

/** One transaction in the card's log; bytes in hex. */
export type LogEntry = Readonly<v.InferOutput<typeof logEntrySchema>>

const cardStateSchema = v.pipe(
  v.strictObject({
    kind: v.literal('card'),
    keyVersion: v.pipe(u32, v.maxValue(0xff)),
    cardId: v.pipe(hexOf(8), v.transform(cardId)),
    currency: v.pipe(u32, v.maxValue(0xffff), v.transform(currencyCode)),
    expiry: v.pipe(u32, v.transform(unixTime)),
    balanceMaxMinor: amountSchema,
    pinFreeMaxMinor: amountSchema,
    pinTriesMax: v.pipe(triesSchema, v.minValue(1)),
    /** 4 to 12 digits; empty for a card without a PIN. */
    pin: v.pipe(v.string(), v.regex(/^([0-9]{4,12})?$/)),
    /** K_pay, K_settle, K_load in hex. */
    payKey: hexOf(32),
    settleKey: hexOf(32),
    loadKey: hexOf(32),
    status: v.picklist(['active', 'blocked']),
    counter: v.pipe(u32, v.transform(counter)),
    balanceMinor: amountSchema,
    pinFreeLeftMinor: amountSchema,
    pinTriesLeft: triesSchema,
    /** Newest first. */
    log: v.pipe(v.array(logEntrySchema), v.maxLength(logLengthMax), v.readonly()),
  }),
  v.readonly(),
)

export type CardState = v.InferOutput<typeof cardStateSchema>

const blankStateSchema = v.pipe(v.strictObject({ kind: v.literal('blank') }), v.readonly())

export type PurseState = v.InferOutput<typeof blankStateSchema> | CardState

/** The log tells the same counter and balance as the state beside it. */
const agreesWithItsLog = (state: PurseState): boolean => {
  if (state.kind === 'blank') return true
  if (state.log.length !== Math.min(state.counter, logLengthMax)) return false
  return state.log.every(({ record }, age) => {
    try {
      const told = parseRecord(fromHex(record, recordLength))
      const newest = age > 0 || told.balanceAfterMinor === state.balanceMinor
      return told.counter === state.counter - age && told.identity.cardId === state.cardId && newest
    } catch {
      return false
    }
  })
}

/** Checks a state that was read from somewhere. */
export const purseStateSchema = v.pipe(
  v.variant('kind', [blankStateSchema, cardStateSchema]),
  v.check(agreesWithItsLog, 'the log contradicts the counter or the balance'),
)

/** A card out of the box: it waits for PERSONALISE. */
export const blankState: PurseState = { kind: 'blank' }

/** A card as PERSONALISE leaves it: no value, no transaction. */
export const newCardState = (personalisation: Personalisation): CardState => {
  const { payKey, settleKey, loadKey, ...facts } = personalisation
  return {
    kind: 'card',
    ...facts,
    payKey: toHex(payKey),
    settleKey: toHex(settleKey),
    loadKey: toHex(loadKey),
    status: 'active',
    counter: counter(0),
    balanceMinor: amountMinor(0),
    pinFreeLeftMinor: personalisation.pinFreeMaxMinor,
    pinTriesLeft: personalisation.pinTriesMax,
    log: [],
  }
}

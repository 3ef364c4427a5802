/** Batches and their entries as the console shows them. */
import * as v from 'valibot'
import { dayText, exportFormat, listQuery, pageOf } from './list.ts'
import { countAndAmount, terminalIdText } from './terminals.ts'

const wholeNumber = v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.transform(Number))

export const batchesQuery = listQuery(['received', 'entries'], {
  terminal: v.optional(terminalIdText),
  /** Business days of their arrival, both included. */
  from: v.optional(dayText),
  until: v.optional(dayText),
  /** Only those with entries that could not be taken as they are. */
  exceptions: v.optional(v.literal('some')),
  format: exportFormat,
})

export const batchRow = v.object({
  terminalId: v.string(),
  merchant: v.string(),
  epoch: v.number(),
  batchNo: v.number(),
  receivedAt: v.string(),
  firstEntry: v.number(),
  entries: v.number(),
  accepted: v.number(),
  exceptions: v.number(),
  /** As it was answered: `taken`, or `outOfOrder` when the one before it was not here yet. */
  verdict: v.string(),
  bytes: v.number(),
})
export type BatchRow = v.InferOutput<typeof batchRow>
export const batchesPage = pageOf(batchRow)

export const batchInput = v.object({ terminalId: terminalIdText, epoch: wholeNumber, batchNo: wholeNumber })

/** How a batch joins the one beside it: `end` where there is none, `missing` where one never came. */
export const joints = ['follows', 'breaks', 'missing', 'end'] as const

export const batchDetail = v.object({
  ...batchRow.entries,
  merchantNo: v.number(),
  keyVersion: v.number(),
  previousHead: v.string(),
  head: v.string(),
  /** Its entries lead from the one head to the other. */
  whole: v.boolean(),
  sealRight: v.boolean(),
  before: v.picklist(joints),
  after: v.picklist(joints),
  /** By what the terminal says of the entries. */
  statuses: v.array(v.object({ status: v.string(), ...countAndAmount.entries })),
  reasons: v.array(v.object({ reason: v.string(), count: v.number() })),
})
export type BatchDetail = v.InferOutput<typeof batchDetail>

export const entriesQuery = v.object({
  ...batchInput.entries,
  ...listQuery(['entry'], {
    status: v.optional(v.picklist(['captured', 'inDoubt', 'void', 'witness', 'owed', 'abandoned', 'unreadable'])),
    exceptions: v.optional(v.literal('some')),
  }).entries,
})

/** What a settlement MAC proves: `none` where the terminal saw none. */
export const proofs = ['right', 'wrong', 'none'] as const

export const entryRow = v.object({
  entry: v.number(),
  /** Absent: its layout is wrong, and so is all that follows. */
  status: v.optional(v.string()),
  type: v.optional(v.string()),
  cardId: v.optional(v.string()),
  counter: v.optional(v.number()),
  amountMinor: v.optional(v.number()),
  balanceAfterMinor: v.optional(v.number()),
  orderedAt: v.optional(v.string()),
  proof: v.optional(v.picklist(proofs)),
  exception: v.optional(v.string()),
})
export type EntryRow = v.InferOutput<typeof entryRow>
export const entriesPage = pageOf(entryRow)

export const entryInput = v.object({ ...batchInput.entries, entry: wholeNumber })

export const posting = v.object({
  transferNo: v.number(),
  from: v.string(),
  to: v.string(),
  amountMinor: v.number(),
  cause: v.string(),
  document: v.string(),
  bookedAt: v.string(),
})

export const entryDetail = v.object({
  ...entryRow.entries,
  batchReceivedAt: v.string(),
  merchant: v.string(),
  /** Neighbours in the same batch. */
  first: v.number(),
  last: v.number(),
  /** As they stand in the batch, in hex. */
  recordHex: v.string(),
  settlementMacHex: v.string(),
  resolvedAt: v.optional(v.string()),
  cardKnown: v.boolean(),
  cardKeyVersion: v.optional(v.number()),
  currency: v.optional(v.string()),
  /** Of the order: another one than the batch's in a witness. */
  orderTerminalId: v.optional(v.string()),
  orderSeq: v.optional(v.number()),
  reference: v.optional(v.number()),
  item: v.optional(
    v.object({ itemId: v.string(), version: v.number(), title: v.string(), priceMinor: v.number(), hash: v.string() }),
  ),
  itemHash: v.optional(v.string()),
  /** What stands at this counter of the card. */
  settled: v.optional(
    v.object({
      sameRecord: v.boolean(),
      source: v.string(),
      exception: v.optional(v.string()),
      settledAt: v.string(),
      amountMinor: v.number(),
    }),
  ),
  postings: v.array(posting),
})
export type EntryDetail = v.InferOutput<typeof entryDetail>

export const entryExceptionsQuery = listQuery(['noted'], {
  terminal: v.optional(terminalIdText),
  reason: v.optional(v.pipe(v.string(), v.maxLength(40))),
  format: exportFormat,
})
export const entryExceptionRow = v.object({
  exceptionNo: v.number(),
  terminalId: v.string(),
  epoch: v.number(),
  batchNo: v.number(),
  entry: v.number(),
  reason: v.string(),
  cardId: v.optional(v.string()),
  counter: v.optional(v.number()),
  amountMinor: v.optional(v.number()),
  orderedAt: v.optional(v.string()),
  notedAt: v.string(),
})
export type EntryExceptionRow = v.InferOutput<typeof entryExceptionRow>
export const entryExceptionsPage = pageOf(entryExceptionRow)

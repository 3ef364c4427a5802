/** The morning's page: what was sold where, who has not reported, whether the books balance, what to do next. */
import * as v from 'valibot'
import { countAndAmount, exposure } from './terminals.ts'

export const salesOverview = v.object({
  /** Business days. */
  today: v.string(),
  yesterday: v.string(),
  sales: v.object({
    today: countAndAmount,
    /** Of yesterday, until the same time of day. */
    yesterdayUntilNow: countAndAmount,
    yesterday: countAndAmount,
    dayBefore: countAndAmount,
  }),
  /** Of yesterday and today, each hour's beginning; those of today that are to come are absent. */
  hours: v.array(v.object({ hour: v.string(), yesterday: countAndAmount, today: v.optional(countAndAmount) })),
  /** The kiosks that sold most, yesterday and today together. */
  kiosks: v.array(
    v.object({
      terminalId: v.string(),
      merchant: v.string(),
      today: countAndAmount,
      yesterday: countAndAmount,
    }),
  ),
  /** How many kiosks sold at all. */
  kiosksSelling: v.number(),
})
export type SalesOverview = v.InferOutput<typeof salesOverview>

/** Of yesterday and today, each article that was sold; what sold most first. */
export const articlesOverview = v.object({
  articles: v.array(
    v.object({ itemId: v.string(), title: v.string(), today: countAndAmount, yesterday: countAndAmount }),
  ),
})
export type ArticlesOverview = v.InferOutput<typeof articlesOverview>

export const unreportedOverview = v.object({
  kiosks: v.array(
    v.object({
      terminalId: v.string(),
      merchant: v.string(),
      reportedAt: v.optional(v.string()),
      silent: v.boolean(),
      /** Absent: it sold nothing before, by which one could estimate. */
      exposure: v.optional(exposure),
    }),
  ),
  /** Kiosks that should have sold something since they last reported. */
  count: v.number(),
  silentCount: v.number(),
  /** They have not reported since this business day. */
  silentSince: v.string(),
  /** Of `expectedMinor`, what those that are silent may hold. */
  silentMinor: v.number(),
  enrolledCount: v.number(),
  expectedMinor: v.number(),
  /** Kiosks whose sum nobody can estimate, and which is in none of these: all of them are silent. */
  unknownCount: v.number(),
  /** The kiosks' own limits, as the newest bulletin has them. */
  limits: v.optional(v.object({ unsyncedMinorMax: v.number(), unsyncedSecondsMax: v.number() })),
})
export type UnreportedOverview = v.InferOutput<typeof unreportedOverview>

export const booksOverview = v.object({
  /** Zero, always: anything else is a fault of the issuer. */
  trialBalanceMinor: v.number(),
  /** By kind of account, in the order of the chart of accounts; positive is owed by the issuer. */
  accounts: v.array(v.object({ kind: v.string(), balanceMinor: v.number(), accounts: v.number() })),
  cards: v.number(),
})
export type BooksOverview = v.InferOutput<typeof booksOverview>

export const attentionOverview = v.object({
  /** What does not add up and is not closed. */
  cases: v.object({
    count: v.number(),
    atRiskMinor: v.number(),
    /** Past their due date. */
    overdue: v.number(),
    /** Decided by one person, and waiting for another. */
    proposed: v.number(),
    /** By cause, in the order in which a person should look at them. */
    causes: v.array(
      v.object({
        cause: v.string(),
        title: v.string(),
        todo: v.string(),
        count: v.number(),
        overdue: v.number(),
        amountMinor: v.number(),
        atRiskMinor: v.number(),
      }),
    ),
  }),
  /** Entries that could not be taken as they are, noted in the last 7 days. */
  exceptions: v.array(v.object({ reason: v.string(), count: v.number(), amountMinor: v.number() })),
  /** Raised in the last 7 days. */
  alarms: v.array(v.object({ kind: v.string(), count: v.number() })),
  /** Runs of batches in which some never came. */
  missingBatches: v.array(v.object({ terminalId: v.string(), epoch: v.number(), missing: v.number() })),
  /** Added, and never enrolled. */
  notEnrolled: v.number(),
})
export type AttentionOverview = v.InferOutput<typeof attentionOverview>

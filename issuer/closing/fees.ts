/** What a merchant is charged for sales: basis points of their sum and a fixed amount for each, at the rate of the day. */
import type { FeeLine } from '../console-contract/statement.ts'

export interface FeeRate {
  readonly fromDay: string
  readonly basisPoints: number
  readonly fixedMinor: number
}

/** Sales less reversals of one business day. */
export interface DayTaken {
  readonly day: string
  readonly count: number
  readonly amountMinor: number
}

const basisPointsOfOne = 10_000n

/** A whole number: half a unit goes away from zero (DIN 1333, commercial rounding), so that a fee and its refund are alike. */
export const roundHalfAwayFromZero = (numerator: bigint, denominator: bigint): bigint => {
  const magnitude = numerator < 0n ? -numerator : numerator
  const rounded = (magnitude * 2n + denominator) / (denominator * 2n)
  return numerator < 0n ? -rounded : rounded
}

const feeOf = (rate: FeeRate, taken: { readonly count: number; readonly amountMinor: number }): number =>
  Number(roundHalfAwayFromZero(BigInt(taken.amountMinor) * BigInt(rate.basisPoints), basisPointsOfOne)) +
  taken.count * rate.fixedMinor

const free: FeeRate = { fromDay: '', basisPoints: 0, fixedMinor: 0 }

/**
 * One line for each rate, rounded once a line. A sale and its reversal are charged by the day on which each was booked; a sale that was reversed
 * costs nothing, the fixed amount included. Days before the first rate are free.
 * @param rates in the order of their days
 */
export const chargeFees = (rates: readonly FeeRate[], days: readonly DayTaken[]): FeeLine[] => {
  const byRate = Map.groupBy(days, ({ day }) => rates.findLast(({ fromDay }) => fromDay <= day) ?? free)
  return [...byRate]
    .filter(([rate]) => rate.basisPoints > 0 || rate.fixedMinor > 0)
    .map(([rate, charged]) => {
      const count = charged.reduce((sum, each) => sum + each.count, 0)
      const amountMinor = charged.reduce((sum, each) => sum + each.amountMinor, 0)
      const ordered = charged.map(({ day }) => day).toSorted()
      return {
        fromDay: ordered[0] ?? '',
        untilDay: ordered.at(-1) ?? '',
        basisPoints: rate.basisPoints,
        fixedMinor: rate.fixedMinor,
        count,
        baseMinor: amountMinor,
        feeMinor: feeOf(rate, { count, amountMinor }),
      }
    })
}

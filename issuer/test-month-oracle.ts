/**
 * What a month must come to, counted from what happened at the kiosks alone: shares no code with the issuer, and asks it nothing.
 * Amounts in minor units, days such as "2026-10-05".
 */

/** One record of a card, in its order, or a load that its card never took. */
export interface Happening {
  readonly cardId: string
  readonly counter: number
  readonly kind: 'load' | 'payment' | 'reversal'
  readonly amountMinor: number
  readonly balanceAfterMinor: number
  readonly terminalId: string
  readonly merchant: string
  /** Of a load. */
  readonly cash?: boolean
  /** On which the issuer hears of it; absent: never. */
  readonly heardOn?: string
  /** Not its own terminal's batch brought it. */
  readonly byCourier?: boolean
  /** Its price was never published: it waits in suspense. */
  readonly wrongPrice?: boolean
}

/** What a terminal sent that is no record of a card's true line. */
export interface Falsehood {
  readonly reason: 'clone' | 'settlementMac'
  readonly cardId: string
  readonly counter: number
  readonly amountMinor: number
  readonly terminalId: string
  readonly merchant: string
  readonly heardOn: string
}

export interface UnreachedLoad {
  readonly cardId: string
  readonly counter: number
  readonly amountMinor: number
  readonly terminalId: string
  readonly merchant: string
}

export interface Rate {
  readonly fromDay: string
  readonly basisPoints: number
  readonly fixedMinor: number
}

export interface MonthFacts {
  readonly happenings: readonly Happening[]
  readonly falsehoods: readonly Falsehood[]
  readonly unreached: readonly UnreachedLoad[]
  readonly rates: Readonly<Record<string, readonly Rate[]>>
  /** Its disk is gone. */
  readonly lost: { readonly terminalId: string; readonly merchant: string }
  /** A batch of it came weeks late. */
  readonly late: { readonly terminalId: string; readonly merchant: string; readonly entries: number }
  readonly lastDay: string
}

export interface ExpectedCase {
  readonly cause: string
  readonly reason?: string
  readonly cardId?: string
  readonly counter?: number
  readonly lastCounter?: number
  readonly terminalId?: string
  readonly amountMinor: number
  readonly suspenseMinor: number
  readonly holesMinor: number
}

export interface ExpectedStatement {
  readonly sales: { readonly count: number; readonly amountMinor: number }
  readonly reversals: { readonly count: number; readonly amountMinor: number }
  readonly loads: { readonly count: number; readonly amountMinor: number }
  readonly feeMinor: number
  readonly heldMinor: number
  readonly heldCount: number
  readonly decidedMinor: number
  readonly offsetMinor: number
  readonly payoutMinor: number
  readonly closingMinor: number
  readonly cashClosingMinor: number
}

const sumOf = (of: readonly { readonly amountMinor: number }[]): number =>
  of.reduce((sum, { amountMinor }) => sum + amountMinor, 0)

const linesOf = (happenings: readonly Happening[]): Happening[][] =>
  [...Map.groupBy(happenings, ({ cardId }) => cardId).values()].map((line) =>
    line.toSorted((a, b) => a.counter - b.counter),
  )

interface Gap {
  readonly before: Happening
  readonly missing: readonly Happening[]
}

/** Runs of a card's line that nobody brought until the day, though what follows came. */
const gapsOf = (happenings: readonly Happening[], day: string): Gap[] =>
  linesOf(happenings).flatMap((line) => {
    const isHeard = ({ heardOn }: Happening) => heardOn !== undefined && heardOn <= day
    const gaps: Gap[] = []
    let before: Happening | undefined
    let missing: Happening[] = []
    for (const each of line) {
      if (!isHeard(each)) {
        missing.push(each)
        continue
      }
      if (before !== undefined && missing.length > 0) gaps.push({ before, missing })
      before = each
      missing = []
    }
    return gaps
  })

/** What is missing may undo the payment before it. */
const isHeld = ({ before }: Gap): boolean => before.kind === 'payment' && before.wrongPrice !== true

const noMoney = { suspenseMinor: 0, holesMinor: 0 }

const gapCase = ({ before, missing }: Gap): ExpectedCase => {
  const [first, last] = [missing[0], missing.at(-1)]
  if (first === undefined || last === undefined) throw new Error('an empty gap')
  const spent = before.balanceAfterMinor - last.balanceAfterMinor
  const alone = missing.length === 1
  return {
    cause: 'hole',
    cardId: first.cardId,
    counter: first.counter,
    ...(alone ? {} : { lastCounter: last.counter }),
    terminalId: first.terminalId,
    amountMinor: spent,
    suspenseMinor: alone ? spent : 0,
    holesMinor: alone ? 0 : spent,
  }
}

/** Every fault that stands open at the end of the day, named and sized. */
export const expectedCases = (facts: MonthFacts, day: string = facts.lastDay): ExpectedCase[] => {
  const { happenings, falsehoods, unreached, lost, late } = facts
  const brought = happenings.filter(
    ({ terminalId, byCourier, heardOn }) =>
      terminalId === lost.terminalId && byCourier === true && heardOn !== undefined && heardOn <= day,
  )
  const isLate = happenings.some((each) => each.terminalId === late.terminalId && (each.heardOn ?? '') > day)
  const gaps = gapsOf(happenings, day)
  return [
    ...gaps.map(gapCase),
    ...gaps.filter(isHeld).map(
      ({ before: { cardId, counter, terminalId, amountMinor } }): ExpectedCase => ({
        ...{ cause: 'held', cardId, counter, terminalId, amountMinor, ...noMoney },
      }),
    ),
    ...happenings
      .filter(({ wrongPrice }) => wrongPrice === true)
      .map(
        ({ cardId, counter, terminalId, amountMinor }): ExpectedCase => ({
          cause: 'exception',
          reason: 'itemOrPrice',
          ...{ cardId, counter, terminalId, amountMinor, suspenseMinor: amountMinor, holesMinor: 0 },
        }),
      ),
    ...falsehoods.map(
      ({ reason, cardId, counter, terminalId, amountMinor }): ExpectedCase => ({
        ...{ cause: 'exception', reason, cardId, counter, terminalId, amountMinor, ...noMoney },
      }),
    ),
    ...falsehoods.map(
      ({ reason, cardId, counter, terminalId }): ExpectedCase => ({
        ...{ cause: 'alarm', reason, terminalId, amountMinor: 0, ...noMoney },
        ...(reason === 'clone' ? { cardId, counter } : {}),
      }),
    ),
    ...unreached.map(
      ({ cardId, counter, terminalId, amountMinor }): ExpectedCase => ({
        ...{ cause: 'loadOwedBack', cardId, counter, terminalId, amountMinor, ...noMoney },
      }),
    ),
    { cause: 'notReported', terminalId: lost.terminalId, amountMinor: sumOf(brought), ...noMoney },
    ...(isLate ? [{ cause: 'missingBatches', terminalId: late.terminalId, amountMinor: 0, ...noMoney }] : []),
  ]
}

/** Half a cent goes away from zero. */
const feeOf = (rate: Rate, count: number, amountMinor: number): number => {
  const exact = Math.abs(amountMinor) * rate.basisPoints
  const whole = Math.floor(exact / 10_000)
  const rounded = exact % 10_000 >= 5_000 ? whole + 1 : whole
  return Math.sign(amountMinor) * rounded + count * rate.fixedMinor
}

/**
 * What a merchant's first period must say.
 * @param decidedMinor what was decided in his favour until the last day
 */
export const expectedStatement = (facts: MonthFacts, merchant: string, decidedMinor: number): ExpectedStatement => {
  const { happenings, rates, lastDay } = facts
  const heard = happenings.filter((each) => each.merchant === merchant && (each.heardOn ?? '9') <= lastDay)
  const sales = heard.filter(({ kind, wrongPrice }) => kind === 'payment' && wrongPrice !== true)
  const reversals = heard.filter(({ kind }) => kind === 'reversal')
  const loads = heard.filter(({ kind, cash }) => kind === 'load' && cash === true)
  const own = rates[merchant] ?? []
  const feeMinor = own.reduce((sum, rate, at) => {
    const next = own[at + 1]?.fromDay ?? '9'
    const within = ({ heardOn = '' }: Happening) => heardOn >= rate.fromDay && heardOn < next
    const [sold, undone] = [sales.filter(within), reversals.filter(within)]
    return sum + feeOf(rate, sold.length - undone.length, sumOf(sold) - sumOf(undone))
  }, 0)
  const held = gapsOf(happenings, lastDay)
    .filter(isHeld)
    .map(({ before }) => before)
    .filter((each) => each.merchant === merchant)
  const balance = sumOf(sales) - sumOf(reversals) + decidedMinor - feeMinor
  const available = Math.max(0, balance - sumOf(held))
  const offsetMinor = Math.min(available, sumOf(loads))
  const payoutMinor = available - offsetMinor
  return {
    sales: { count: sales.length, amountMinor: sumOf(sales) },
    reversals: { count: reversals.length, amountMinor: sumOf(reversals) },
    loads: { count: loads.length, amountMinor: sumOf(loads) },
    feeMinor,
    heldMinor: sumOf(held),
    heldCount: held.length,
    decidedMinor,
    offsetMinor,
    payoutMinor,
    closingMinor: balance - offsetMinor - payoutMinor,
    cashClosingMinor: sumOf(loads) - offsetMinor,
  }
}

/** What the late batch brings each merchant, once it is there. */
export const lateSales = ({ happenings, lastDay }: MonthFacts): { count: number; amountMinor: number } => {
  const late = happenings.filter(({ heardOn }) => heardOn !== undefined && heardOn > lastDay)
  return { count: late.length, amountMinor: sumOf(late) }
}

/**
 * Every cause, every exception of an entry and every verdict, with its place in the work: who acts, and until when. One table;
 * docs/OPERATIONS.md (Reconcile, Who does what) is made of it.
 */
import { type BatchVerdict, batchVerdicts, exceptionReasons } from '../../protocol/acknowledgement.ts'
import { type LoadVerdict, loadVerdicts } from '../../protocol/load.ts'
import { advice, type Cause, causes } from '../explain/case.ts'
import { exceptionAdvice } from '../explain/reasons.ts'

/** nobody: it waits for a document, and a person looks when it is overdue. */
export type Acts = 'operator' | 'finance' | 'nobody'

export interface Place {
  /** Of one case. */
  readonly title: string
  readonly acts: Acts
  /** Due so many days after it was opened. */
  readonly dueDays: number
  /** Whether the sum it is about may be lost, where nothing of it stands in suspense or holes. estimated: what the terminal may hold. */
  readonly amountAtRisk: boolean | 'estimated'
}

const [today, soon, week, month] = [1, 3, 7, 30]

export const causePlaces: Readonly<Record<Cause, Place>> = {
  hole: { title: 'Missing counters', acts: 'operator', dueDays: week, amountAtRisk: true },
  presumedReversal: { title: 'Presumed reversal', acts: 'nobody', dueDays: month, amountAtRisk: false },
  lyingCard: { title: 'Contradicting balances', acts: 'finance', dueDays: today, amountAtRisk: true },
  soldTwice: { title: 'Code sold twice', acts: 'operator', dueDays: soon, amountAtRisk: true },
  unprovenLoad: { title: 'Balance beside an unproven load', acts: 'operator', dueDays: week, amountAtRisk: true },
  exception: { title: 'Exception', acts: 'finance', dueDays: soon, amountAtRisk: true },
  reversalWaits: { title: 'Reversal without its payment', acts: 'operator', dueDays: week, amountAtRisk: true },
  loadOwedBack: { title: 'Load that never reached its card', acts: 'operator', dueDays: soon, amountAtRisk: true },
  loadContested: { title: 'Contested load', acts: 'operator', dueDays: week, amountAtRisk: true },
  loadStanding: { title: 'Load without its record', acts: 'nobody', dueDays: week, amountAtRisk: false },
  paidButCalledVoid: { title: 'Paid, but called void', acts: 'operator', dueDays: soon, amountAtRisk: false },
  owedGoods: { title: 'Goods owed', acts: 'nobody', dueDays: month, amountAtRisk: false },
  inDoubt: { title: 'In doubt', acts: 'nobody', dueDays: week, amountAtRisk: true },
  abandoned: { title: 'In doubt for good', acts: 'operator', dueDays: week, amountAtRisk: true },
  void: { title: 'Proved not paid', acts: 'nobody', dueDays: month, amountAtRisk: false },
  held: { title: 'Held back', acts: 'nobody', dueDays: week, amountAtRisk: true },
  courier: { title: 'Brought by couriers alone', acts: 'operator', dueDays: week, amountAtRisk: false },
  missingBatches: { title: 'Missing batches', acts: 'operator', dueDays: soon, amountAtRisk: false },
  // The sum that couriers brought is booked; what it holds beyond that nobody knows yet.
  notReported: { title: 'Silent terminal', acts: 'operator', dueDays: today, amountAtRisk: 'estimated' },
  alarm: { title: 'Alarm', acts: 'operator', dueDays: today, amountAtRisk: false },
}

/** An answer to a terminal that makes no case: what becomes of it. */
export interface VerdictAdvice {
  readonly sentence: string
  readonly todo: string
  readonly acts: Acts
}

export const batchAdvice: Readonly<Record<BatchVerdict, VerdictAdvice>> = {
  taken: { sentence: 'The batch is taken.', todo: 'Nothing.', acts: 'nobody' },
  fork: {
    sentence: 'The number of the batch came with other bytes.',
    todo: 'Enrol the terminal again (an alarm says which): its ledger was set back to an old copy.',
    acts: 'operator',
  },
  epochEnded: {
    sentence: 'The terminal was enrolled again since.',
    todo: 'Nothing if the new one is in its place: it sends again what is missing. Else enrol it.',
    acts: 'operator',
  },
  keyVersionEnded: {
    sentence: "The terminal's key was exchanged since.",
    todo: 'Enrol the terminal again.',
    acts: 'operator',
  },
  outOfOrder: {
    sentence: 'The batch is taken, and the one before it is missing.',
    todo: 'Nothing: the terminal sends that one again.',
    acts: 'nobody',
  },
}

export const loadAdvice: Readonly<Record<LoadVerdict, VerdictAdvice>> = {
  authorised: { sentence: 'The load is authorised.', todo: 'Nothing.', acts: 'nobody' },
  refused: {
    sentence: "The card's offer is not one that it made, or its counter is settled already.",
    todo: 'See the alarm: the card was copied or set back, or the terminal asks for what no card offered.',
    acts: 'operator',
  },
  notFunded: {
    sentence: 'No money stands for the load.',
    todo: 'Nothing: the customer pays another way. Look up the voucher if he insists.',
    acts: 'nobody',
  },
  unknownCard: {
    sentence: 'The card is not registered.',
    todo: 'Register the card, if it is yours.',
    acts: 'operator',
  },
  limit: {
    sentence: 'It is more than a card may hold, or more than one load may bring.',
    todo: 'Nothing.',
    acts: 'nobody',
  },
  otherCounter: {
    sentence: 'The same order was authorised at another counter.',
    todo: 'Nothing: the terminal asks with a new order.',
    acts: 'nobody',
  },
}

const risks: Readonly<Record<string, string>> = {
  true: 'its sum',
  estimated: 'about what it may hold; unknown where it sold nothing before',
}

const who: Readonly<Record<Acts, string>> = { operator: 'operator', finance: 'finance', nobody: 'nobody, it waits' }

const rows = (cells: readonly (readonly string[])[]): string[] => cells.map((row) => `| ${row.join(' | ')} |`)

/** The part of docs/OPERATIONS.md that is made of these tables. */
export const workflowMarkdown = (): string =>
  [
    '| case (`cause`) | who acts | due after | at risk, where nothing stands in suspense or holes |',
    '|---|---|---|---|',
    ...rows(
      causes.map((cause) => {
        const { acts, dueDays, amountAtRisk } = causePlaces[cause]
        const days = dueDays === 1 ? '1 day' : `${dueDays} days`
        return [`${advice[cause].title} (\`${cause}\`)`, who[acts], days, risks[String(amountAtRisk)] ?? '-']
      }),
    ),
    '',
    '| exception (`reason`) | what it says | what to do |',
    '|---|---|---|',
    ...rows(
      exceptionReasons.map((reason, index) => [
        `${index + 1} \`${reason}\``,
        exceptionAdvice[reason].sentence,
        exceptionAdvice[reason].todo,
      ]),
    ),
    '',
    '| verdict | what it says | who acts | what to do |',
    '|---|---|---|---|',
    ...rows(
      batchVerdicts.map((verdict, index) => [
        `batch ${index} \`${verdict}\``,
        batchAdvice[verdict].sentence,
        who[batchAdvice[verdict].acts],
        batchAdvice[verdict].todo,
      ]),
    ),
    ...rows(
      loadVerdicts.map((verdict, index) => [
        `load ${index} \`${verdict}\``,
        loadAdvice[verdict].sentence,
        who[loadAdvice[verdict].acts],
        loadAdvice[verdict].todo,
      ]),
    ),
  ].join('\n')

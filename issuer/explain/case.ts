/** A case: one thing that makes a day's sums not plain, with its cause and what to do (docs/OPERATIONS.md, Reconcile). */
/** In the order in which a person should look at them. */
export const causes = [
  'hole',
  'presumedReversal',
  'lyingCard',
  'soldTwice',
  'unprovenLoad',
  'exception',
  'reversalWaits',
  'loadOwedBack',
  'loadContested',
  'loadStanding',
  'paidButCalledVoid',
  'owedGoods',
  'inDoubt',
  'abandoned',
  'void',
  'held',
  'courier',
  'missingBatches',
  'notReported',
  'alarm',
] as const
export type Cause = (typeof causes)[number]

/** Title and what to do, for a person. */
export const advice: Readonly<Record<Cause, { readonly title: string; readonly todo: string }>> = {
  hole: {
    title: 'Missing counters',
    todo: "Bring the entry: sync the likely terminal, or fetch its batches by stick. If its disk is gone, have the card tapped at any kiosk (each tap brings one record more, of its last ten) or the claim opened on the phone. Until then the sum waits and is nobody's.",
  },
  presumedReversal: {
    title: 'Reversals that only a hole tells of',
    todo: 'Nothing: the terminal of the payment just before is charged already. The entry confirms it when it comes.',
  },
  lyingCard: {
    title: 'Balances that contradict each other',
    todo: 'Block the card (farthing card block) and look at it: it told a balance that its own records deny. What it made from nothing is paid to nobody.',
  },
  soldTwice: {
    title: 'One code, two buyers',
    todo: 'Give one of the two another code or his money back: only the first to use it had anything of it. The terminal sold from an old copy of its ledger, or from codes that were released too early.',
  },
  unprovenLoad: {
    title: 'Balances beside a load whose record has not come',
    todo: 'Sync the terminal of that load, or have the card tapped: the record shows whether the load took place, and the sum goes where it belongs.',
  },
  exception: {
    title: 'Exceptions',
    todo: 'Decide each by its reason (docs/PROTOCOL.md, What the issuer checks). What moved on the card waits in suspense and is paid to nobody until then.',
  },
  reversalWaits: {
    title: 'Reversals whose payment is not to be charged yet',
    todo: 'Bring the payment just before it (see the hole there), or decide its exception: the reversal then goes with it by itself.',
  },
  loadOwedBack: {
    title: 'Loads that never reached their card',
    todo: "If cash was taken, the merchant gives it back: the customer's card never had it. Keep the receipt, the book does not record it.",
  },
  loadContested: {
    title: 'Loads with a later one at the same counter',
    todo: 'Sync the terminals, or have the card tapped: its record decides which of the loads it took; the other is owed back.',
  },
  loadStanding: {
    title: 'Loads taken as done whose record has not come',
    todo: 'Nothing, unless it stays: then sync the terminal, or have the card tapped.',
  },
  paidButCalledVoid: {
    title: 'Paid, though the terminal called it void',
    todo: 'Look into the terminal: its card proves the payment. The money is booked; the customer has a right to the goods, by claim.',
  },
  owedGoods: {
    title: 'Goods that are owed',
    todo: 'Nothing but patience: the claim entitles the customer. Whoever asks is given the goods at a kiosk that reads the card, or on the phone.',
  },
  inDoubt: {
    title: 'In doubt',
    todo: "Nothing: the card's next tap at that terminal decides, or its record from anywhere. Do not pay back before.",
  },
  abandoned: {
    title: 'In doubt for good',
    todo: 'The terminal will never know and never hands over goods. If the customer asks: the hole where its counter was, or the record that came later, shows whether money moved. Give the goods or the money back by hand.',
  },
  void: { title: 'Proved not paid', todo: 'Nothing: the card proved that no money moved.' },
  held: {
    title: 'Held back from payout',
    todo: 'Pay it out when the hole behind it is closed, or the doubt about its reversal is decided.',
  },
  courier: {
    title: 'Brought by couriers alone',
    todo: 'The money is booked and payable. Sync the terminal; if its disk is gone, enrol it again, and expect more of its sales from the next taps of its customers.',
  },
  missingBatches: {
    title: 'Batches that never came',
    todo: 'Sync the terminal: it sends again what is asked for. If its ledger is gone, what they held comes by couriers or stays as holes.',
  },
  notReported: {
    title: 'Terminals that have not reported since',
    todo: 'Sync it, or fetch its batches by stick: until then the day is not complete. One that sold nothing is in contact when it syncs.',
  },
  alarm: {
    title: 'Alarms',
    todo: 'A person looks into each: a copied or rolled-back card, a broken chain, a wrong seal is a fault or a theft.',
  },
}

/** By what a terminal is suspected, the strongest first. */
export const evidences = [
  /** The card proves, or it said itself, that it reversed the missing payment, or meant to. */
  'itsReversal',
  /** Its doubt about this record, which denies no balance around it. */
  'doubt',
  /** Its doubt about this counter, with other balances. */
  'otherDoubt',
  /** It sent an entry for this counter whose proof is wrong, or was not its own. */
  'refusedEntry',
  /** Batches of that time never came. */
  'missingBatches',
  /** It was enrolled again, and the end of its earlier ledger never came. */
  'lostLedger',
  /** A fork or a broken chain. */
  'brokenChain',
  /** It has reported nothing since. */
  'silent',
] as const
export type Evidence = (typeof evidences)[number]

export interface Suspect {
  readonly terminalId: string
  /** What people call it; absent: nothing. */
  readonly terminalName?: string
  readonly merchant: string
  readonly evidence: Evidence
  /** Where the evidence is about one counter and one sum. */
  readonly counter?: number
  readonly amountMinor?: number
  readonly why: string
}

/** What the missing counters were, as far as the balances on either side tell. */
export type HoleExplanation =
  /** They moved nothing in sum. */
  | 'nothing'
  /** One payment: in suspense. */
  | 'debit'
  /** One reversal of the payment just before. */
  | 'reversal'
  /** In the account `holes`. */
  | 'namedSum'

export interface Hole {
  readonly explanation: HoleExplanation
  readonly direction: 'debit' | 'credit' | 'none'
  /** What the card held before the first missing counter, and before the next known one. */
  readonly balanceBeforeMinor: number
  readonly balanceAfterMinor: number
  /** Times of the neighbours' orders, ISO 8601. */
  readonly since: string
  readonly until: string
  /** The likeliest first. None: no terminal is behind. */
  readonly suspects: readonly Suspect[]
  /** Suspected too, by the weakest evidence. */
  readonly moreSuspects: number
}

export interface Closing {
  /** Absent: the archive does not name it. */
  readonly document?: string
  /** ISO 8601. */
  readonly at: string
}

export interface Case {
  readonly cause: Cause
  readonly state: 'open' | 'closed'
  /** The business day that it is counted on, such as "2026-11-23". */
  readonly day: string
  readonly cardId?: string
  readonly counter?: number
  /** The last, when there is more than one. */
  readonly lastCounter?: number
  readonly terminalId?: string
  /** What people call it; absent: nothing. */
  readonly terminalName?: string
  readonly merchant?: string
  /** Of an exception or an alarm. */
  readonly reason?: string
  /** What it is about; 0 or more. */
  readonly amountMinor: number
  /** What of the accounts stands there on its account. Negative: a card has it, and nobody gave it. */
  readonly suspenseMinor: number
  readonly holesMinor: number
  /** What is known. */
  readonly detail: string
  /** When a later counter showed that this one was missing. */
  readonly opened?: Closing
  readonly closed?: Closing
  readonly hole?: Hole
}

/** A case as it is derived, with what tells it apart and what would be news of it; neither is told. */
export interface DerivedCase extends Case {
  /** Beside cause, reason, card, counter and terminal. */
  readonly mark?: string
  /** Other than before: there is more to look at. */
  readonly evidence?: string
  /** It passes by itself, as nearly all of its kind: no work for anybody yet. */
  readonly routine?: boolean
}

const keyParts = ({ cause, reason, cardId, counter, terminalId, amountMinor, mark }: DerivedCase): string => {
  // Who is likely behind a hole changes with what is known, and so does its sum.
  const isHole = cause === 'hole' || cause === 'presumedReversal'
  const amount = cause === 'exception' || cause.startsWith('load') ? amountMinor : undefined
  return [cause, cause === 'courier' ? '' : (reason ?? ''), cardId, counter, isHole ? '' : terminalId, amount, mark]
    .map((part) => part ?? '')
    .join('/')
}

const evidenceOf = ({ evidence, amountMinor, suspenseMinor, holesMinor, lastCounter }: DerivedCase): string =>
  [amountMinor, suspenseMinor, holesMinor, lastCounter ?? '', evidence ?? ''].join('/')

export interface KeyedCase {
  /** The same for the same case whenever it is derived. */
  readonly key: string
  readonly evidence: string
  readonly routine: boolean
  readonly found: Case
}

/** @param cases in the order of what they are made of, so that equal ones are told apart alike each time */
export const keyedCases = (cases: readonly DerivedCase[]): readonly KeyedCase[] => {
  const seen = new Map<string, number>()
  return cases.map((each) => {
    const { mark: _, evidence: __, routine = false, ...found } = each
    const parts = `${keyParts(each)}${each.state === 'closed' ? '/closed' : ''}`
    const count = (seen.get(parts) ?? 0) + 1
    seen.set(parts, count)
    return { key: count === 1 ? parts : `${parts}/${count}`, evidence: evidenceOf(each), routine, found }
  })
}

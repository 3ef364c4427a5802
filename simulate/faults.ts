/** What can go wrong, as plain values: a plan of them is the trace of a run. */

/** At one APDU of a tap; the first is 1. */
export interface ReaderFault {
  readonly apdu: number
  readonly what:
    | 'cutBefore'
    | 'cutAfter'
    | 'timeoutAfter'
    | 'garbleCommand'
    | 'garbleAnswer'
    | 'shortAnswer'
    /** The card gets the command twice; the terminal the first or the second answer. */
    | 'duplicateFirst'
    | 'duplicateSecond'
    /** Another card lies there from now on, and the reader did not notice. */
    | 'swap'
    | 'dieBefore'
    | 'dieAfter'
  /** Which bit, which other card. */
  readonly dice: number
}

/** At the nth durable step of the terminal's ledger. */
export interface LedgerFaultAt {
  readonly step: number
  readonly what:
    | 'dieBefore'
    | 'dieAfter'
    /** Nothing is written; the next step may work again. */
    | 'diskFull'
    /** It is written, and reported as failed; nothing works any more until the restart. */
    | 'diskFails'
}

/** At one request to the issuer; the first is 1. */
export interface NetworkFault {
  readonly request: number
  readonly what:
    | 'down'
    | 'html'
    | 'htmlAfter'
    | 'answerLost'
    | 'bodyCut'
    | 'duplicate'
    | 'oldReplayed'
    | 'issuerDies'
    | 'issuerRestarts'
    | 'dieBefore'
    | 'dieAfter'
}

export const ledgerFaults: readonly LedgerFaultAt['what'][] = ['dieBefore', 'dieAfter', 'diskFull', 'diskFails']

export const readerFaults: readonly ReaderFault['what'][] = [
  'cutBefore',
  'cutAfter',
  'timeoutAfter',
  'garbleCommand',
  'garbleAnswer',
  'shortAnswer',
  'duplicateFirst',
  'duplicateSecond',
  'swap',
  'dieBefore',
  'dieAfter',
]

export const networkFaults: readonly NetworkFault['what'][] = [
  'down',
  'html',
  'htmlAfter',
  'answerLost',
  'bodyCut',
  'duplicate',
  'oldReplayed',
  'issuerDies',
  'issuerRestarts',
  'dieBefore',
  'dieAfter',
]

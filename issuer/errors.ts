/** The issuer's named failures: each with one sentence that says what to do. */

export type IssuerErrorCode =
  /** The store's address is not understood, or its kind is not built in. */
  | 'storeUrl'
  | 'storeMissing'
  | 'storeExists'
  | 'storeNewer'
  | 'storeForeign'
  | 'storeBusy'
  | 'storeFull'
  | 'storeDamaged'
  | 'keysMissing'
  | 'keysExposed'
  | 'keysDamaged'
  | 'unknownMerchant'
  | 'unknownTerminal'
  | 'unknownCard'
  | 'unknownItem'
  | 'unknownCase'
  /** What a case is now does not allow it. */
  | 'caseState'
  /** Another person has to. */
  | 'fourEyes'
  | 'unknownBatch'
  | 'unknownEntry'
  /** The server's port or address cannot be had. */
  | 'portInUse'
  | 'address'
  /** The next bulletin lies so far after the last that a person has to insist. */
  | 'serialJump'
  /** A value that was given is out of range or contradicts what is stored. */
  | 'input'
  /** It was asked for rightly, and what stands now does not allow it. */
  | 'refused'
  | 'unknownUser'
  | 'unknownSession'
  /** Name and password, or the set-up code, do not fit. */
  | 'wrongPassword'
  /** Too many failures: wait. */
  | 'tooManyTries'
  /** The user's role does not allow it. */
  | 'notAllowed'
  /** One user listens in too many places. */
  | 'tooManyStreams'
  /** The console's users are there already, or this would leave it without an administrator. */
  | 'userExists'
  | 'lastAdmin'
  /** The password breaks a rule. */
  | 'weakPassword'

/** A refusal of the world or of the input. `message` is one clear sentence for a person. */
export class IssuerError extends Error {
  readonly code: IssuerErrorCode
  constructor(code: IssuerErrorCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options)
    this.name = 'IssuerError'
    this.code = code
  }
}

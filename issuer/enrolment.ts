/**
 * Enrolment: a person carries a one-time code to a terminal, which gets its key and a new epoch for it
 * (PROTOCOL.md, Enrolment). The answer holds K_term: it goes over TLS, or over loopback.
 */
import { toHex } from '../protocol/bytes.ts'
import { firstHead } from '../protocol/entry.ts'
import { type TerminalId, terminalId } from '../protocol/quantities.ts'
import { noteChange } from './audit-log.ts'
import { publicUrlOf } from './bulletin-publisher.ts'
import { assignUnits } from './catalogue.ts'
import { enrolmentCode, enrolmentCodeHash, enrolmentCodeRandomBytes } from './enrolment-code.ts'
import { IssuerError } from './errors.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import { startEpoch } from './parties.ts'
import type { StoreWriter } from './store.ts'
import type { By } from './users.ts'
import { retireSoldUnits, withholdUnits } from './withheld-units.ts'

export const enrolmentCodeSeconds = 15 * 60

export interface EnrolmentCode {
  /** Shown once: the store keeps its hash alone. */
  readonly code: string
  /** UNIX seconds. */
  readonly expiresAt: number
}

/**
 * Makes the one code of a terminal; an earlier one is void.
 * @param by for the log; absent: no person did it @throws IssuerError `unknownTerminal`
 */
export const createEnrolmentCode = async (issuer: Issuer, terminal: TerminalId, by?: By): Promise<EnrolmentCode> => {
  const code = enrolmentCode(issuer.randomBytes(enrolmentCodeRandomBytes))
  const codeHash = enrolmentCodeHash(code)
  if (codeHash === undefined) throw new Error('a code that was just made is no code')
  const expiresAt = issuer.clock() + enrolmentCodeSeconds
  return issuer.store.write(async (db) => {
    const known = await db
      .selectFrom('terminal')
      .select('terminal_no')
      .where('terminal_id', '=', terminal)
      .executeTakeFirst()
    if (known === undefined)
      throw new IssuerError(
        'unknownTerminal',
        `There is no terminal ${terminal}: add it with "farthing issuer terminal add".`,
      )
    const row = { terminal_no: known.terminal_no, code_hash: codeHash, expires_at: expiresAt }
    await db
      .insertInto('enrolment_code')
      .values(row)
      .onConflict((conflict) => conflict.column('terminal_no').doUpdateSet(row))
      .execute()
    if (by !== undefined) {
      const after = { expiresAt: isoTime(expiresAt) }
      const change = { action: 'terminal.enrolmentCode.make', subject: terminal, after }
      await noteChange(db, { name: by.name, at: issuer.clock() }, change)
    }
    return { code, expiresAt }
  })
}

/** The answer of POST /v1/enrolments. Ids, hashes and keys in lower-case hex. */
export interface Enrolment {
  readonly terminalId: TerminalId
  /** Never one that was used before. */
  readonly epoch: number
  /** Of K_term. */
  readonly keyVersion: number
  /** K_term, 32 bytes: never to be logged. */
  readonly terminalKey: string
  /** Ed25519, 32 bytes. */
  readonly bulletinPublicKey: string
  readonly bulletinKeyVersion: number
  readonly publicUrl: string
  /** ISO 4217 letters. */
  readonly currency: string
  readonly merchant: string
  /** The issuer runs on development keys. */
  readonly dev: boolean
  /** Up to here the issuer has every batch of the newest epoch that it knows of: what came after, the terminal sends again. */
  readonly lastBatch?: {
    readonly epoch: number
    readonly batchNo: number
    /** The number of its last entry within the epoch. */
    readonly lastEntry: number
    readonly head: string
  }
}

export type EnrolmentOutcome =
  | { readonly outcome: 'enrolled'; readonly enrolment: Enrolment }
  | { readonly outcome: 'refused'; readonly sentence: string }

/** One sentence for all three, so that a guess learns nothing. */
const refusal: EnrolmentOutcome = {
  outcome: 'refused',
  sentence: 'This enrolment code is wrong, used or older than 15 minutes: ask the issuer for a new one.',
}

/** What a terminal says of the ledger that it kept, with its code. */
export interface KeptLedger {
  readonly terminalId: string
  readonly epoch: number
  /** The newest batch of that epoch; 0: none. */
  readonly batchNo: number
  /** The issuer called it a fork: it went back, and has forgotten sales. */
  readonly fork?: boolean | undefined
}

/** A terminal may know of so many more epochs than an issuer that went back to a backup. */
const epochsAheadMax = 1000

/**
 * Whether this is all that the terminal ever wrote, as far as the issuer can tell. A ledger that is absent, of an earlier
 * epoch, or that lacks batches which came from it, has forgotten sales.
 */
const isWhole = async (
  db: StoreWriter,
  terminal: { readonly terminal_no: number; readonly terminal_id: string; readonly epoch: number },
  ledger: KeptLedger | undefined,
): Promise<boolean> => {
  if (ledger === undefined || ledger.fork || ledger.epoch < terminal.epoch) return false
  // The issuer went back to a backup: the terminal knows more than it does.
  if (ledger.epoch > terminal.epoch) return true
  const last = await db
    .selectFrom('batch')
    .select('batch_no')
    .where('terminal_no', '=', terminal.terminal_no)
    .where('epoch', '=', terminal.epoch)
    .orderBy('batch_no', 'desc')
    .executeTakeFirst()
  return (last?.batch_no ?? 0) <= ledger.batchNo
}

interface Redeemed {
  readonly terminal_no: number
  readonly terminal_id: string
  readonly merchant: string
}

/** Takes a code that still stands out of the store. @returns its terminal, or that the code is for another one than asks */
const redeem = (
  issuer: Issuer,
  codeHash: string,
  ledger: KeptLedger | undefined,
): Promise<Redeemed | 'refused' | 'otherTerminal'> =>
  issuer.store.write(async (db) => {
    const code = await db.selectFrom('enrolment_code').selectAll().where('code_hash', '=', codeHash).executeTakeFirst()
    if (code === undefined || code.expires_at < issuer.clock()) return 'refused'
    const found = await db
      .selectFrom('terminal')
      .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
      .select(['terminal.terminal_no', 'terminal.terminal_id', 'terminal.epoch', 'merchant.name as merchant'])
      .where('terminal.terminal_no', '=', code.terminal_no)
      .executeTakeFirstOrThrow()
    if (ledger !== undefined && ledger.terminalId !== found.terminal_id) return 'otherTerminal'
    await db.deleteFrom('enrolment_code').where('code_hash', '=', codeHash).execute()
    await retireSoldUnits(db, code.terminal_no)
    if (!(await isWhole(db, found, ledger))) await withholdUnits(db, code.terminal_no)
    // Never an epoch that the terminal used, though the issuer has forgotten it.
    const known = Math.min(ledger?.epoch ?? 0, found.epoch + epochsAheadMax)
    if (known > found.epoch)
      await db.updateTable('terminal').set({ epoch: known }).where('terminal_no', '=', code.terminal_no).execute()
    return found
  })

/** The last of the batches that follow each other without a gap, in the newest epoch of which there is one. */
const lastBatchOf = (issuer: Issuer, terminalNo: number) =>
  issuer.store.read(async (db) => {
    const newest = await db
      .selectFrom('batch')
      .select((eb) => eb.fn.max('epoch').as('epoch'))
      .where('terminal_no', '=', terminalNo)
      .executeTakeFirst()
    if (newest?.epoch == null) return undefined
    const rows = db
      .selectFrom('batch')
      .select(['epoch', 'batch_no', 'first_entry', 'entry_count', 'head'])
      .where('terminal_no', '=', terminalNo)
      .where('epoch', '=', newest.epoch)
    const gap = await db
      .selectFrom('batch')
      .select((eb) => eb.fn.min('batch_no').as('after'))
      .where('terminal_no', '=', terminalNo)
      .where('epoch', '=', newest.epoch)
      .where('batch_no', 'not in', (eb) =>
        eb
          .selectFrom('batch as next')
          .select((row) => row('next.batch_no', '-', 1).as('before'))
          .where('next.terminal_no', '=', terminalNo)
          .where('next.epoch', '=', newest.epoch),
      )
      .executeTakeFirst()
    const first = await rows.where('batch_no', '=', 1).executeTakeFirst()
    if (first === undefined)
      return { epoch: newest.epoch, batch_no: 0, first_entry: 1, entry_count: 0, head: undefined }
    return rows.where('batch_no', '=', gap?.after ?? 1).executeTakeFirst()
  })

/**
 * Redeems a code, as a person typed it, once.
 * @param ledger what the terminal kept; absent: nothing, so that what it may have sold is withheld
 */
export const enrol = async (issuer: Issuer, code: string, ledger?: KeptLedger): Promise<EnrolmentOutcome> => {
  const codeHash = enrolmentCodeHash(code)
  if (codeHash === undefined) return refusal
  const terminal = await redeem(issuer, codeHash, ledger)
  if (terminal === 'refused') return refusal
  if (terminal === 'otherTerminal')
    return {
      outcome: 'refused',
      sentence: "This code is for another terminal than the data folder: use that one's folder. The code still stands.",
    }
  const id = terminalId(terminal.terminal_id)
  const { epoch, keyVersion } = await startEpoch(issuer, id)
  await issuer.store.write(assignUnits)
  const terminalKey = issuer.keys.terminalKey(keyVersion, id)
  if (terminalKey === undefined) throw new Error(`no key of version ${keyVersion}`)
  const last = await lastBatchOf(issuer, terminal.terminal_no)
  const lastBatch = last && {
    epoch: last.epoch,
    batchNo: last.batch_no,
    lastEntry: last.first_entry + last.entry_count - 1,
    head: toHex(last.head === undefined ? firstHead(id, last.epoch) : Uint8Array.from(last.head)),
  }
  const enrolment: Enrolment = {
    terminalId: id,
    epoch,
    keyVersion,
    terminalKey: toHex(terminalKey),
    bulletinPublicKey: toHex(issuer.keys.signing.publicKey),
    bulletinKeyVersion: issuer.keys.signing.keyVersion,
    publicUrl: await publicUrlOf(issuer),
    currency: issuer.book.currency,
    merchant: terminal.merchant,
    dev: issuer.keys.dev,
    ...(lastBatch === undefined ? {} : { lastBatch }),
  }
  return { outcome: 'enrolled', enrolment }
}

/**
 * Enrolment: a person carries a one-time code to a terminal, which gets its key and a new epoch for it
 * (PROTOCOL.md, Enrolment). The answer holds K_term: it goes over TLS, or over loopback.
 */
import { toHex } from '../protocol/bytes.ts'
import { type TerminalId, terminalId } from '../protocol/quantities.ts'
import { publicUrlOf } from './bulletin-publisher.ts'
import { assignUnits } from './catalogue.ts'
import { enrolmentCode, enrolmentCodeHash, enrolmentCodeRandomBytes } from './enrolment-code.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import { startEpoch } from './parties.ts'
import type { StoreWriter } from './store.ts'

export const enrolmentCodeSeconds = 15 * 60

export interface EnrolmentCode {
  /** Shown once: the store keeps its hash alone. */
  readonly code: string
  /** UNIX seconds. */
  readonly expiresAt: number
}

/** Makes the one code of a terminal; an earlier one is void. @throws IssuerError `unknownTerminal` */
export const createEnrolmentCode = async (issuer: Issuer, terminal: TerminalId): Promise<EnrolmentCode> => {
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
  /** The newest batch that the issuer has of this terminal, of any epoch. */
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

/** What the old epochs sold, or may have sold, is not sold again by a terminal whose disk was lost: it goes by claim. */
const retireSoldUnits = (db: StoreWriter, terminalNo: number): Promise<unknown> => {
  const itemHashAt = 49
  return db
    .updateTable('unit')
    .set({ retired: 1 })
    .where('terminal_no', '=', terminalNo)
    .where('retired', '=', 0)
    .where('unit', 'in', (eb) =>
      eb
        .selectFrom('item_version')
        .select('item_version.unit')
        .$narrowType<{ unit: string }>()
        .where('item_version.unit', 'is not', null)
        .where('item_version.item_hash', 'in', (inner) =>
          inner
            .selectFrom('settlement')
            .select((row) =>
              row.fn<Uint8Array>('substr', ['settlement.record', row.val(itemHashAt), row.val(16)]).as('sold'),
            )
            .where('settlement.terminal_no', '=', terminalNo)
            .where('settlement.order_type', '=', 'payment')
            .unionAll(
              inner
                .selectFrom('note')
                .select((row) =>
                  row.fn<Uint8Array>('substr', ['note.record', row.val(itemHashAt), row.val(16)]).as('sold'),
                )
                .where('note.terminal_no', '=', terminalNo)
                .where('note.order_type', '=', 'payment')
                .where('note.voided', '=', 0),
            ),
        ),
    )
    .execute()
}

/** Takes a code that still stands out of the store. @returns its terminal */
const redeem = (issuer: Issuer, codeHash: string) =>
  issuer.store.write(async (db) => {
    const code = await db
      .deleteFrom('enrolment_code')
      .where('code_hash', '=', codeHash)
      .returning(['terminal_no', 'expires_at'])
      .executeTakeFirst()
    if (code === undefined || code.expires_at < issuer.clock()) return undefined
    const found = await db
      .selectFrom('terminal')
      .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
      .select(['terminal.terminal_no', 'terminal.terminal_id', 'merchant.name as merchant'])
      .where('terminal.terminal_no', '=', code.terminal_no)
      .executeTakeFirstOrThrow()
    await retireSoldUnits(db, code.terminal_no)
    return found
  })

const lastBatchOf = (issuer: Issuer, terminalNo: number) =>
  issuer.store.read((db) =>
    db
      .selectFrom('batch')
      .select(['epoch', 'batch_no', 'first_entry', 'entry_count', 'head'])
      .where('terminal_no', '=', terminalNo)
      .orderBy('epoch', 'desc')
      .orderBy('batch_no', 'desc')
      .executeTakeFirst(),
  )

/** Redeems a code, as a person typed it, once. */
export const enrol = async (issuer: Issuer, code: string): Promise<EnrolmentOutcome> => {
  const codeHash = enrolmentCodeHash(code)
  if (codeHash === undefined) return refusal
  const terminal = await redeem(issuer, codeHash)
  if (terminal === undefined) return refusal
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
    head: toHex(Uint8Array.from(last.head)),
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

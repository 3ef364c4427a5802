/**
 * Who this terminal is: what its enrolment answered, in terminal.json of the data folder (mode 0600), apart from the ledger.
 * Where the platform has no better place, this file is the terminal's security module (docs/SECURITY.md says what that is worth).
 */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { fromHex } from '../protocol/bytes.ts'
import { currencyOf } from '../protocol/currency.ts'
import { id8Schema, u32Schema } from '../protocol/item.ts'
import { type MacKey, macKey } from '../protocol/mac.ts'
import { type TerminalId, terminalId } from '../protocol/quantities.ts'

const keySchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))

/** What POST /v1/enrolments answers (PROTOCOL.md, Enrolment). */
export const enrolmentSchema = v.object({
  terminalId: id8Schema,
  epoch: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffffffff)),
  keyVersion: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
  terminalKey: keySchema,
  bulletinPublicKey: keySchema,
  publicUrl: v.pipe(v.string(), v.url()),
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
  merchant: v.string(),
  dev: v.optional(v.boolean(), false),
  /** Up to here the issuer has what this terminal wrote; what came after is written again into the new epoch. */
  lastBatch: v.optional(v.object({ epoch: u32Schema, lastEntry: u32Schema })),
})

const identityFileSchema = v.object({ ...enrolmentSchema.entries, issuerUrl: v.pipe(v.string(), v.url()) })
export type IdentityFile = v.InferOutput<typeof identityFileSchema>

export interface TerminalIdentity {
  readonly terminalId: TerminalId
  readonly epoch: number
  /** Of K_term. */
  readonly keyVersion: number
  readonly terminalKey: Uint8Array
  readonly terminalMacKey: MacKey
  readonly bulletinPublicKey: Uint8Array
  readonly publicUrl: string
  readonly issuerUrl: string
  readonly currency: string
  readonly merchant: string
  /** The masters behind it are published ones: play money. */
  readonly dev: boolean
  /** What the issuer had at the enrolment; absent: nothing. */
  readonly lastBatch?: { readonly epoch: number; readonly lastEntry: number } | undefined
}

export const identityPath = (dataDir: string): string => path.join(dataDir, 'terminal.json')

/** The terminal's identity cannot be read; the message says what to do. */
export class IdentityFault extends Error {
  override readonly name = 'IdentityFault'
}

/** What cannot be read may be whole: a technician is not sent to enrol for it. */
const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
    throw new IdentityFault(`${file} cannot be read${reason}: check the disk and the file's owner.`, { cause })
  }
}

const parseOrNothing = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const requireKnownCurrency = (file: string, currency: string): void => {
  try {
    currencyOf(currency)
  } catch (cause) {
    const what = `${file} is of a currency that this program does not know (${currency})`
    throw new IdentityFault(`${what}: enrol this terminal again with a new code from the issuer.`, { cause })
  }
}

/** @returns undefined before the first enrolment @throws IdentityFault */
export const readIdentity = (dataDir: string): TerminalIdentity | undefined => {
  const file = identityPath(dataDir)
  if (!existsSync(file)) return undefined
  const parsed = v.safeParse(identityFileSchema, parseOrNothing(readText(file)))
  if (!parsed.success)
    throw new IdentityFault(`${file} is damaged: enrol this terminal again with a new code from the issuer.`)
  const { output } = parsed
  requireKnownCurrency(file, output.currency)
  const terminalKey = fromHex(output.terminalKey, 32)
  return {
    ...output,
    terminalId: terminalId(output.terminalId),
    terminalKey,
    terminalMacKey: macKey(terminalKey),
    bulletinPublicKey: fromHex(output.bulletinPublicKey, 32),
  }
}

/** Durable and atomic: the old file or the new one, whatever happens. */
export const writeIdentity = (dataDir: string, identity: IdentityFile): void => {
  const file = identityPath(dataDir)
  const temporary = `${file}.new`
  const handle = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(handle, `${JSON.stringify(identity, null, 2)}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  chmodSync(temporary, 0o600)
  renameSync(temporary, file)
  const folder = openSync(dataDir, 'r')
  try {
    fsyncSync(folder)
  } catch {
    // Windows cannot flush a folder; its rename is journalled.
  } finally {
    closeSync(folder)
  }
}

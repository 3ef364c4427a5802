/**
 * Who this terminal is: what its enrolment answered, in terminal.json of the data folder (mode 0600), apart from the ledger.
 * Where the platform has no better place, this file is the terminal's security module (docs/SECURITY.md says what that is worth).
 */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { fromHex, toHex } from '../protocol/bytes.ts'
import { currencyOf } from '../protocol/currency.ts'
import { parsed } from '../protocol/errors.ts'
import { id8Schema, u32Schema } from '../protocol/item.ts'
import { type MacKey, macKey } from '../protocol/mac.ts'
import { type TerminalId, terminalId } from '../protocol/quantities.ts'
import { followSuccessions, parseSuccession, type Succession, successionLength } from '../protocol/succession.ts'

const keySchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const keyVersionSchema = v.pipe(u32Schema, v.maxValue(255))

/** What POST /v1/enrolments answers (PROTOCOL.md, Enrolment). */
export const enrolmentSchema = v.object({
  terminalId: id8Schema,
  epoch: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffffffff)),
  keyVersion: keyVersionSchema,
  terminalKey: keySchema,
  bulletinPublicKey: keySchema,
  bulletinKeyVersion: v.optional(keyVersionSchema, 1),
  publicUrl: v.pipe(v.string(), v.url()),
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
  merchant: v.string(),
  dev: v.optional(v.boolean(), false),
  /** Up to here the issuer has what this terminal wrote; what came after is written again into the new epoch. */
  lastBatch: v.optional(v.object({ epoch: u32Schema, lastEntry: u32Schema })),
})

const identityFileSchema = v.object({
  ...enrolmentSchema.entries,
  issuerUrl: v.pipe(v.string(), v.url()),
  /** K_term of later versions, as keyrings brought them; earlier ones are kept for what they have sealed. */
  laterTerminalKeys: v.optional(v.array(v.strictObject({ version: keyVersionSchema, key: keySchema }))),
  /** Certificates of the bulletin's later signing keys, each signed by the key before it. */
  successions: v.optional(v.array(v.pipe(v.string(), v.hexadecimal(), v.length(successionLength * 2)))),
})
export type IdentityFile = v.InferInput<typeof identityFileSchema>

/** K_term of one version. */
export interface HeldTerminalKey {
  readonly bytes: Uint8Array
  readonly macKey: MacKey
}

export interface TerminalIdentity {
  readonly terminalId: TerminalId
  readonly epoch: number
  /** Of the newest K_term, with which everything new is sealed. */
  readonly keyVersion: number
  readonly terminalKey: Uint8Array
  readonly terminalMacKey: MacKey
  /** K_term by version: an answer bears the version of what it answers. */
  readonly terminalKeys: ReadonlyMap<number, HeldTerminalKey>
  /** Of the newest signing key: no bulletin of an earlier one is taken any more. */
  readonly bulletinKeyVersion: number
  readonly bulletinPublicKey: Uint8Array
  /** By version: what was taken earlier still opens. */
  readonly bulletinPublicKeys: ReadonlyMap<number, Uint8Array>
  /** As it stands in terminal.json. */
  readonly file: IdentityFile
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

const damaged = (file: string): IdentityFault =>
  new IdentityFault(`${file} is damaged: enrol this terminal again with a new code from the issuer.`)

const heldKeys = (file: v.InferOutput<typeof identityFileSchema>): ReadonlyMap<number, HeldTerminalKey> =>
  new Map(
    [{ version: file.keyVersion, key: file.terminalKey }, ...(file.laterTerminalKeys ?? [])].map(({ version, key }) => {
      const bytes = fromHex(key, 32)
      return [version, { bytes, macKey: macKey(bytes) }]
    }),
  )

/** Every link is verified anew: the file is believed about the first key alone. */
const signingKeys = (file: v.InferOutput<typeof identityFileSchema>): ReadonlyMap<number, Uint8Array> | undefined => {
  const first = { keyVersion: file.bulletinKeyVersion, publicKey: fromHex(file.bulletinPublicKey, 32) }
  const successions = file.successions ?? []
  const links = parsed(() =>
    followSuccessions(
      first,
      successions.map((hex) => parseSuccession(fromHex(hex, successionLength))),
    ),
  )
  if (links?.length !== successions.length) return undefined
  return new Map([first, ...links].map(({ keyVersion, publicKey }) => [keyVersion, publicKey]))
}

/** @param file whose it is, for the sentence @throws IdentityFault */
export const identityOf = (file: string, content: unknown): TerminalIdentity => {
  const shape = v.safeParse(identityFileSchema, content)
  if (!shape.success) throw damaged(file)
  const { output } = shape
  requireKnownCurrency(file, output.currency)
  const terminalKeys = heldKeys(output)
  const bulletinPublicKeys = signingKeys(output)
  const keyVersion = Math.max(...terminalKeys.keys())
  const newest = terminalKeys.get(keyVersion)
  if (bulletinPublicKeys === undefined || newest === undefined) throw damaged(file)
  const bulletinKeyVersion = Math.max(...bulletinPublicKeys.keys())
  const bulletinPublicKey = bulletinPublicKeys.get(bulletinKeyVersion)
  if (bulletinPublicKey === undefined) throw damaged(file)
  const { terminalId: id, epoch, publicUrl, issuerUrl, currency, merchant, dev, lastBatch } = output
  return {
    terminalId: terminalId(id),
    epoch,
    keyVersion,
    terminalKey: newest.bytes,
    terminalMacKey: newest.macKey,
    terminalKeys,
    bulletinKeyVersion,
    bulletinPublicKey,
    bulletinPublicKeys,
    publicUrl,
    issuerUrl,
    currency,
    merchant,
    dev,
    lastBatch,
    file: output,
  }
}

/** @returns undefined before the first enrolment @throws IdentityFault */
export const readIdentity = (dataDir: string): TerminalIdentity | undefined => {
  const file = identityPath(dataDir)
  return existsSync(file) ? identityOf(file, parseOrNothing(readText(file))) : undefined
}

/** Whether this data folder can take real money: no debugger may attach then. @throws IdentityFault */
export const holdsProductionKeys = (dataDir: string): boolean => readIdentity(dataDir)?.dev === false

/** Keys that the issuer handed on since the enrolment. */
export interface NewKeys {
  readonly terminalKey?: { readonly version: number; readonly key: string } | undefined
  readonly successions?: readonly Succession[]
}

/**
 * Writes new keys down beside the old ones. Whatever needs them comes after: bytes that are sealed with a key which a crash
 * took away could never be proved again.
 * @returns the identity from now on; the same one when nothing is new
 */
export const takeUpKeys = (dataDir: string, identity: TerminalIdentity, keys: NewKeys): TerminalIdentity => {
  const { file } = identity
  const key =
    keys.terminalKey !== undefined && keys.terminalKey.version > identity.keyVersion ? keys.terminalKey : undefined
  const successions = (keys.successions ?? []).filter(({ keyVersion }) => keyVersion > identity.bulletinKeyVersion)
  if (key === undefined && successions.length === 0) return identity
  const next: IdentityFile = {
    ...file,
    ...(key === undefined ? {} : { laterTerminalKeys: [...(file.laterTerminalKeys ?? []), key] }),
    ...(successions.length === 0
      ? {}
      : { successions: [...(file.successions ?? []), ...successions.map(({ bytes }) => toHex(bytes))] }),
  }
  const identityNow = identityOf(identityPath(dataDir), next)
  writeIdentity(dataDir, next)
  return identityNow
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

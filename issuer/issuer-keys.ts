/**
 * The issuer's secrets (PROTOCOL.md, Parties and keys): master keys by version, the bulletin's signing key, and the secret
 * that content keys are derived from. They live in a file beside the store, never in it.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import * as v from 'valibot'
import { fromHex, toHex } from '../protocol/bytes.ts'
import { deriveLoadKey, deriveSettleKey, deriveTerminalKey } from '../protocol/keys.ts'
import type { MacKey } from '../protocol/mac.ts'
import type { CardId, TerminalId } from '../protocol/quantities.ts'
import { IssuerError } from './errors.ts'
import { storePath } from './store.ts'
import { sqliteFiles } from './store-sqlite.ts'

const key = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'))

/** The four masters of one version, in hex: also the shape of the file that `issuer init --dev` reads. */
export const mastersSchema = v.strictObject({ pay: key, settle: key, load: key, terminal: key })
export type Masters = v.InferOutput<typeof mastersSchema>

const keysFileSchema = v.strictObject({
  v: v.literal(1),
  /** Made from keys that others know: for development only. */
  dev: v.boolean(),
  masters: v.record(v.pipe(v.string(), v.regex(/^\d{1,3}$/)), mastersSchema),
  signing: v.strictObject({ keyVersion: v.number(), seed: key }),
  contentKeySecret: key,
})
type KeysFile = v.InferOutput<typeof keysFileSchema>

/** A MAC key over node:crypto: several times faster than the portable one, since the key object is cached. */
export const nodeMacKey = (bytes: Uint8Array): MacKey => {
  const keyObject: KeyObject = createSecretKey(bytes)
  return (tag, ...parts) => {
    const hmac = createHmac('sha256', keyObject).update(Uint8Array.of(tag))
    for (const part of parts) hmac.update(part)
    return new Uint8Array(hmac.digest())
  }
}

/** Derived keys that are kept ready, of each kind. */
const cachedKeysMax = 20_000

const cached = <Id extends string>(
  derive: (version: number, id: Id) => Uint8Array | undefined,
): ((version: number, id: Id) => MacKey | undefined) => {
  const keys = new Map<string, MacKey>()
  return (version, id) => {
    const name = `${version}/${id}`
    const known = keys.get(name)
    if (known !== undefined) return known
    const bytes = derive(version, id)
    if (bytes === undefined) return undefined
    const made = nodeMacKey(bytes)
    if (keys.size >= cachedKeysMax) keys.clear()
    keys.set(name, made)
    return made
  }
}

export class IssuerKeys {
  readonly dev: boolean
  /** The newest version: what new cards and terminals get. */
  readonly keyVersion: number
  /** Ed25519; `privateKey` is the 32-byte seed. */
  readonly signing: { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array; readonly keyVersion: number }
  /** 32 bytes that content keys are derived from. */
  readonly contentKeySecret: Uint8Array
  /** K_term, ready for MACs; undefined: no master of that version. */
  readonly terminalMac: (keyVersion: number, terminal: TerminalId) => MacKey | undefined
  /** K_settle of a card. */
  readonly settleMac: (keyVersion: number, card: CardId) => MacKey | undefined
  /** K_load of a card. */
  readonly loadMac: (keyVersion: number, card: CardId) => MacKey | undefined
  readonly #masters: ReadonlyMap<number, Masters>

  constructor(file: KeysFile) {
    this.dev = file.dev
    this.#masters = new Map(Object.entries(file.masters).map(([version, masters]) => [Number(version), masters]))
    this.keyVersion = Math.max(...this.#masters.keys())
    const seed = fromHex(file.signing.seed, 32)
    this.signing = {
      privateKey: seed,
      publicKey: ed25519.getPublicKey(seed),
      keyVersion: file.signing.keyVersion,
    }
    this.contentKeySecret = fromHex(file.contentKeySecret, 32)
    this.terminalMac = cached((version, id) => this.terminalKey(version, id))
    this.settleMac = cached((version, id) => {
      const master = this.#master(version, 'settle')
      return master && deriveSettleKey(master, version, id)
    })
    this.loadMac = cached((version, id) => {
      const master = this.#master(version, 'load')
      return master && deriveLoadKey(master, version, id)
    })
  }

  #master(version: number, which: keyof Masters): Uint8Array | undefined {
    const masters = this.#masters.get(version)
    return masters && fromHex(masters[which], 32)
  }

  /** K_term, 32 bytes, for enrolment and keyrings. */
  terminalKey(keyVersion: number, terminal: TerminalId): Uint8Array | undefined {
    const master = this.#master(keyVersion, 'terminal')
    return master && deriveTerminalKey(master, keyVersion, terminal)
  }

  /** MK_pay of every version, for keyrings. */
  payMasters(): readonly { readonly version: number; readonly key: Uint8Array }[] {
    return [...this.#masters].map(([version, masters]) => ({ version, key: fromHex(masters.pay, 32) }))
  }

  /** All masters of one version, for the personalisation of cards. @returns undefined: no such version */
  masters(keyVersion: number): Masters | undefined {
    return this.#masters.get(keyVersion)
  }

  has(keyVersion: number): boolean {
    return this.#masters.has(keyVersion)
  }
}

/** The file of the keys of a store "sqlite:PATH"; any open store's is in its `files`. */
export const keysPath = (storeUrl: string): string => sqliteFiles(storePath(storeUrl)).keys

const ownerOnly = 0o600

/**
 * Makes the keys of a new store and writes them durably, readable by their owner only.
 * @param options.masters given: development keys, which anybody may know
 * @throws IssuerError `storeExists`
 */
export const createKeys = (options: {
  /** Where they shall lie: `files.keys` of the store. */
  readonly path: string
  readonly masters?: Masters
  readonly randomBytes: (count: number) => Uint8Array
}): IssuerKeys => {
  const { path } = options
  if (existsSync(path))
    throw new IssuerError(
      'storeExists',
      `There are keys at ${path} already, and cards may depend on them: choose another path for the store, or move the file away.`,
    )
  const random = () => toHex(options.randomBytes(32))
  const masters = options.masters ?? { pay: random(), settle: random(), load: random(), terminal: random() }
  const file: KeysFile = {
    v: 1,
    dev: options.masters !== undefined,
    masters: { 1: masters },
    signing: { keyVersion: 1, seed: random() },
    contentKeySecret: random(),
  }
  const checked = v.safeParse(keysFileSchema, file)
  if (!checked.success)
    throw new IssuerError('input', 'Master keys are {pay, settle, load, terminal}, each 64 lower-case hex digits.')
  mkdirSync(dirname(path), { recursive: true })
  const handle = openSync(path, 'wx', ownerOnly)
  try {
    writeFileSync(handle, `${JSON.stringify(file, null, 2)}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  chmodSync(path, ownerOnly)
  return new IssuerKeys(checked.output)
}

/** @param path `files.keys` of the store @throws IssuerError `keysMissing`, `keysExposed`, `keysDamaged` */
export const openKeys = (path: string): IssuerKeys => {
  if (!existsSync(path))
    throw new IssuerError('keysMissing', `The store's keys are not at ${path}: put the file back from your backup.`)
  // Windows has no such bits; there the folder's access list guards the file.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new IssuerError('keysExposed', `Others may read the keys in ${path}: run "chmod 600 ${path}" first.`)
  let file: unknown
  try {
    file = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new IssuerError('keysDamaged', `The keys in ${path} cannot be read: put the file back from your backup.`, {
      cause,
    })
  }
  const parsed = v.safeParse(keysFileSchema, file)
  if (!parsed.success)
    throw new IssuerError('keysDamaged', `The keys in ${path} are damaged: put the file back from your backup.`)
  return new IssuerKeys(parsed.output)
}

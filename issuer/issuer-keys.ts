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
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { ed25519 } from '@noble/curves/ed25519.js'
import * as v from 'valibot'
import { concat, fromHex, toHex, u8Max } from '../protocol/bytes.ts'
import { parsed } from '../protocol/errors.ts'
import { deriveLoadKey, deriveTerminalKey } from '../protocol/keys.ts'
import type { MacKey } from '../protocol/mac.ts'
import type { CardId, TerminalId } from '../protocol/quantities.ts'
import { encodeSuccession, followSuccessions, parseSuccession, successionLength } from '../protocol/succession.ts'
import { IssuerError } from './errors.ts'
import { type SettlementProofs, settlementProofs } from './settlement-proof.ts'
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
  signing: v.strictObject({ keyVersion: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(u8Max)), seed: key }),
  /** The public key that signed first: archived bulletins and the certificates begin with it. Absent: nothing was rotated. */
  firstSigning: v.optional(v.strictObject({ keyVersion: v.number(), publicKey: key })),
  /** Certificates of the later ones, in order. Of an old signing key nothing else is kept. */
  successions: v.optional(v.array(v.pipe(v.string(), v.hexadecimal(), v.length(successionLength * 2)))),
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

const damagedKeys = (path: string, cause?: unknown): IssuerError =>
  new IssuerError('keysDamaged', `The keys in ${path} are damaged: put the file back from your backup.`, { cause })

interface SigningPair {
  /** Ed25519 seed, 32 bytes. */
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
  readonly keyVersion: number
}

/** What is in the file, ready for use. */
interface LoadedKeys {
  readonly file: KeysFile
  readonly masters: ReadonlyMap<number, Masters>
  readonly keyVersion: number
  readonly signing: SigningPair
  /** By version. */
  readonly signingPublicKeys: ReadonlyMap<number, Uint8Array>
  readonly successions: Uint8Array
}

/** @throws IssuerError `keysDamaged` when the chain of signing keys does not lead to the one in use */
const load = (file: KeysFile, place: string): LoadedKeys => {
  const masters = new Map(Object.entries(file.masters).map(([version, some]) => [Number(version), some]))
  const privateKey = fromHex(file.signing.seed, 32)
  const signing = { privateKey, publicKey: ed25519.getPublicKey(privateKey), keyVersion: file.signing.keyVersion }
  const first =
    file.firstSigning === undefined
      ? signing
      : { keyVersion: file.firstSigning.keyVersion, publicKey: fromHex(file.firstSigning.publicKey, 32) }
  const certificates = (file.successions ?? []).map((hex) => fromHex(hex, successionLength))
  const links = parsed(() => followSuccessions(first, certificates.map(parseSuccession)))
  const newest = links?.at(-1) ?? first
  if (links?.length !== certificates.length || toHex(newest.publicKey) !== toHex(signing.publicKey))
    throw damagedKeys(place)
  return {
    file,
    masters,
    keyVersion: Math.max(...masters.keys()),
    signing,
    signingPublicKeys: new Map([first, ...links].map(({ keyVersion, publicKey }) => [keyVersion, publicKey])),
    successions: concat(...certificates),
  }
}

/** A server that runs while a person rotates keys learns of them this soon, or at once for a version that it does not know. */
const rereadMs = 1000

/** What a file is told from a later one by, without reading it. */
const markOf = (place: string): string => {
  try {
    const { mtimeMs, ino, size } = statSync(place)
    return `${mtimeMs}/${ino}/${size}`
  } catch {
    return ''
  }
}

export class IssuerKeys {
  /** Where they are kept. */
  readonly path: string
  /** K_term, ready for MACs; undefined: no master of that version. */
  readonly terminalMac: (keyVersion: number, terminal: TerminalId) => MacKey | undefined
  /** What K_settle of all cards proves. */
  readonly proofs: SettlementProofs
  /** K_load of a card. */
  readonly loadMac: (keyVersion: number, card: CardId) => MacKey | undefined
  #loaded: LoadedKeys
  #mark: string
  #lookedMs = performance.now()

  constructor(file: KeysFile, place: string) {
    this.path = place
    this.#loaded = load(file, place)
    this.#mark = markOf(place)
    this.terminalMac = cached((version, id) => this.terminalKey(version, id))
    this.proofs = settlementProofs((version) => this.#master(version, 'settle'))
    this.loadMac = cached((version, id) => {
      const master = this.#master(version, 'load')
      return master && deriveLoadKey(master, version, id)
    })
  }

  /** Reads the file again where it changed. @throws IssuerError as `openKeys` */
  reread(): void {
    this.#lookedMs = performance.now()
    const mark = markOf(this.path)
    // A file that is away for a moment leaves the keys as they are: nothing is refused on its account.
    if (mark === this.#mark || mark === '') return
    this.#loaded = load(readKeysFile(this.path), this.path)
    this.#mark = mark
  }

  #now(): LoadedKeys {
    if (performance.now() - this.#lookedMs >= rereadMs) this.reread()
    return this.#loaded
  }

  /** A version that is not known may be a second old. */
  #mastersOf(version: number): Masters | undefined {
    return this.#loaded.masters.get(version) ?? this.#now().masters.get(version)
  }

  #master(version: number, which: keyof Masters): Uint8Array | undefined {
    const masters = this.#mastersOf(version)
    return masters && fromHex(masters[which], 32)
  }

  get dev(): boolean {
    return this.#loaded.file.dev
  }

  /** The newest version: what new cards get, and terminals with their next keyring or enrolment. */
  get keyVersion(): number {
    return this.#now().keyVersion
  }

  /** Every version that there is, from the oldest. */
  get keyVersions(): readonly number[] {
    return [...this.#now().masters.keys()].sort((a, b) => a - b)
  }

  /** What signs bulletins. */
  get signing(): SigningPair {
    return this.#now().signing
  }

  /** The public key of one version; undefined: this file knows of none. */
  signingPublicKey(keyVersion: number): Uint8Array | undefined {
    return this.#loaded.signingPublicKeys.get(keyVersion) ?? this.#now().signingPublicKeys.get(keyVersion)
  }

  /** Of every version that there was, by version. */
  get signingPublicKeys(): ReadonlyMap<number, Uint8Array> {
    return this.#now().signingPublicKeys
  }

  /** The certificates of all signing keys after the first, one after the other. */
  get successions(): Uint8Array {
    return this.#now().successions
  }

  /** 32 bytes that content keys are derived from. */
  get contentKeySecret(): Uint8Array {
    return fromHex(this.#loaded.file.contentKeySecret, 32)
  }

  /** K_term, 32 bytes, for enrolment and keyrings. */
  terminalKey(keyVersion: number, terminal: TerminalId): Uint8Array | undefined {
    const master = this.#master(keyVersion, 'terminal')
    return master && deriveTerminalKey(master, keyVersion, terminal)
  }

  /** MK_pay of every version, for keyrings. */
  payMasters(): readonly { readonly version: number; readonly key: Uint8Array }[] {
    return [...this.#now().masters].map(([version, masters]) => ({ version, key: fromHex(masters.pay, 32) }))
  }

  /** All masters of one version, for the personalisation of cards. @returns undefined: no such version */
  masters(keyVersion: number): Masters | undefined {
    return this.#mastersOf(keyVersion)
  }

  has(keyVersion: number): boolean {
    return this.#mastersOf(keyVersion) !== undefined
  }

  /**
   * Puts a changed file in the place of the old one, whole or not at all, and keeps the old one beside it.
   * @returns where the old one is kept
   * @throws IssuerError `keysDamaged`, `input`: somebody else changes it now
   */
  replace(change: (file: KeysFile) => KeysFile): { readonly keptAs: string } {
    const lock = `${this.path}.new`
    let handle: number
    try {
      handle = openSync(lock, 'wx', ownerOnly)
    } catch (cause) {
      throw new IssuerError(
        'input',
        `The keys are being changed already, or a change was cut off: if nothing else runs, delete ${lock} and try again.`,
        { cause },
      )
    }
    try {
      const before = readKeysFile(this.path)
      const file = change(before)
      const loaded = load(file, this.path)
      writeDurably(handle, file)
      const keptAs = keepBeside(this.path, before)
      renameSync(lock, this.path)
      flushFolder(this.path)
      this.#loaded = loaded
      this.#mark = markOf(this.path)
      return { keptAs }
    } catch (error) {
      rmSync(lock, { force: true })
      throw error
    } finally {
      closeSync(handle)
    }
  }
}

const writeDurably = (handle: number, file: KeysFile): void => {
  writeFileSync(handle, `${JSON.stringify(file, null, 2)}\n`)
  fsyncSync(handle)
}

const flushFolder = (file: string): void => {
  const folder = openSync(path.dirname(file), 'r')
  try {
    fsyncSync(folder)
  } catch {
    // Windows cannot flush a folder; its rename is journalled.
  } finally {
    closeSync(folder)
  }
}

/** "PATH.1", ".2" and so on: the first name that is free. */
const keepBeside = (place: string, file: KeysFile): string => {
  for (let number = 1; ; number += 1) {
    const name = `${place}.${number}`
    if (existsSync(name)) continue
    const handle = openSync(name, 'wx', ownerOnly)
    try {
      writeDurably(handle, file)
    } finally {
      closeSync(handle)
    }
    return name
  }
}

const ownerOnly = 0o600

const randomKey = (randomBytes: (count: number) => Uint8Array): string => toHex(randomBytes(32))

const newMasters = (randomBytes: (count: number) => Uint8Array): Masters => ({
  pay: randomKey(randomBytes),
  settle: randomKey(randomBytes),
  load: randomKey(randomBytes),
  terminal: randomKey(randomBytes),
})

/** All versions are bytes, and none is used twice. @throws IssuerError `input` */
const nextVersion = (version: number): number => {
  if (version < u8Max) return version + 1
  throw new IssuerError('input', `There is no key version after ${u8Max}: begin a new book.`)
}

/** Adds a version of the four masters. */
export const withNextMasters =
  (randomBytes: (count: number) => Uint8Array) =>
  (file: KeysFile): KeysFile => {
    const version = nextVersion(Math.max(...Object.keys(file.masters).map(Number)))
    return { ...file, masters: { ...file.masters, [version]: newMasters(randomBytes) } }
  }

/** Puts a new signing key in the place of the old one, which certifies it with its last signature. */
export const withNextSigningKey =
  (randomBytes: (count: number) => Uint8Array) =>
  (file: KeysFile): KeysFile => {
    const old = fromHex(file.signing.seed, 32)
    const seed = randomBytes(32)
    const next = { keyVersion: nextVersion(file.signing.keyVersion), publicKey: ed25519.getPublicKey(seed) }
    return {
      ...file,
      signing: { keyVersion: next.keyVersion, seed: toHex(seed) },
      firstSigning: file.firstSigning ?? {
        keyVersion: file.signing.keyVersion,
        publicKey: toHex(ed25519.getPublicKey(old)),
      },
      successions: [...(file.successions ?? []), toHex(encodeSuccession(next, old))],
    }
  }

/** The file of the keys of a store "sqlite:PATH"; any open store's is in its `files`. */
export const keysPath = (storeUrl: string): string => sqliteFiles(storePath(storeUrl)).keys

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
  const place = options.path
  if (existsSync(place))
    throw new IssuerError(
      'storeExists',
      `There are keys at ${place} already, and cards may depend on them: choose another path for the store, or move the file away.`,
    )
  const masters = options.masters ?? newMasters(options.randomBytes)
  const file: KeysFile = {
    v: 1,
    dev: options.masters !== undefined,
    masters: { 1: masters },
    signing: { keyVersion: 1, seed: randomKey(options.randomBytes) },
    contentKeySecret: randomKey(options.randomBytes),
  }
  const checked = v.safeParse(keysFileSchema, file)
  if (!checked.success)
    throw new IssuerError('input', 'Master keys are {pay, settle, load, terminal}, each 64 lower-case hex digits.')
  mkdirSync(path.dirname(place), { recursive: true })
  const handle = openSync(place, 'wx', ownerOnly)
  try {
    writeDurably(handle, file)
  } finally {
    closeSync(handle)
  }
  chmodSync(place, ownerOnly)
  return new IssuerKeys(checked.output, place)
}

/** @throws IssuerError `keysMissing`, `keysExposed`, `keysDamaged` */
const readKeysFile = (place: string): KeysFile => {
  if (!existsSync(place))
    throw new IssuerError('keysMissing', `The store's keys are not at ${place}: put the file back from your backup.`)
  // Windows has no such bits; there the folder's access list guards the file.
  if (process.platform !== 'win32' && (statSync(place).mode & 0o077) !== 0)
    throw new IssuerError('keysExposed', `Others may read the keys in ${place}: run "chmod 600 ${place}" first.`)
  let file: unknown
  try {
    file = JSON.parse(readFileSync(place, 'utf8'))
  } catch (cause) {
    throw new IssuerError('keysDamaged', `The keys in ${place} cannot be read: put the file back from your backup.`, {
      cause,
    })
  }
  const shape = v.safeParse(keysFileSchema, file)
  if (!shape.success) throw damagedKeys(place)
  return shape.output
}

/** @param place `files.keys` of the store @throws IssuerError `keysMissing`, `keysExposed`, `keysDamaged` */
export const openKeys = (place: string): IssuerKeys => new IssuerKeys(readKeysFile(place), place)

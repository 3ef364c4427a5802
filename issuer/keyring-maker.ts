/**
 * Makes the keyring of one terminal (PROTOCOL.md, Keyring): payment masters, content keys, and the codes that it alone may
 * sell. Its serial grows only when its content changes, so that a terminal can ask as often as it likes.
 */
import { createHash } from 'node:crypto'
import { toHex } from '../protocol/bytes.ts'
import { encodeKeyring } from '../protocol/keyring.ts'
import type { Operator } from '../protocol/operator.ts'
import { type TerminalId, terminalId } from '../protocol/quantities.ts'
import { unitState } from './catalogue-tables.ts'
import { codeOpener, contentKey, type SealedCode } from './content-keys.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import { endedTerminalVersion, retiredPayVersions } from './key-versions.ts'
import { operatorsOfKeyring } from './operators.ts'
import type { StoreReader } from './store.ts'
import { settledUnits } from './withheld-units.ts'

const nonceBytes = 24

export interface MadeKeyring {
  readonly serial: number
  /** The encrypted document. */
  readonly bytes: Uint8Array
}

interface KeyringContent {
  readonly terminalNo: number
  readonly epoch: number
  readonly keyVersion: number
  readonly merchant: string
  readonly payKeys: readonly { readonly version: number; readonly key: string }[]
  readonly contentHashes: readonly string[]
  readonly units: readonly (SealedCode & { readonly itemId: string })[]
  /** Absent: everything. */
  readonly assortment?: string
  /** Absent: none, or its program may not know of them. */
  readonly operators?: readonly Operator[]
  /** Of the K_term that it is to take up. */
  readonly nextKeyVersion?: number
}

/**
 * Sealed under a version that the terminal has shown to hold; once that is over, under the first that is not, which a terminal
 * that took it up opens, and no other.
 */
const sealVersion = (issuer: Issuer, shown: number, ended: number): number =>
  shown > ended ? shown : (issuer.keys.keyVersions.find((version) => version > ended) ?? issuer.keys.keyVersion)

const contentIn = async (
  issuer: Issuer,
  db: StoreReader,
  terminal: TerminalId,
): Promise<KeyringContent | undefined> => {
  const found = await db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .leftJoin('terminal_assortment', 'terminal_assortment.terminal_no', 'terminal.terminal_no')
    .select([
      'terminal.terminal_no',
      'terminal.epoch',
      'terminal.key_version',
      'merchant.name',
      'terminal_assortment.published_name as assortment',
    ])
    .where('terminal.terminal_id', '=', terminal)
    .where('terminal.epoch', '>', 0)
    .executeTakeFirst()
  if (found === undefined) return undefined
  const contents = await db.selectFrom('content').select('content_hash').orderBy('content_hash').execute()
  const units = await db
    .selectFrom('unit')
    .select(['item_id', 'unit', 'sealed_code'])
    .where('terminal_no', '=', found.terminal_no)
    .where((eb) =>
      eb.or([
        eb('retired', '=', unitState.forSale),
        // A sale that came after a person released it, too late for him, is not too late here.
        eb.and([eb('retired', '=', unitState.released), eb('unit', 'not in', settledUnits(db, found.terminal_no))]),
      ]),
    )
    .orderBy('unit_no')
    .execute()
  const retired = await retiredPayVersions(db)
  const operators = await operatorsOfKeyring(db, found.terminal_no)
  const keyVersion = sealVersion(issuer, found.key_version, await endedTerminalVersion(db))
  return {
    terminalNo: found.terminal_no,
    epoch: found.epoch,
    keyVersion,
    merchant: found.name,
    ...(found.assortment === null ? {} : { assortment: found.assortment }),
    ...(operators.length === 0 ? {} : { operators }),
    ...(keyVersion < issuer.keys.keyVersion ? { nextKeyVersion: issuer.keys.keyVersion } : {}),
    payKeys: issuer.keys
      .payMasters()
      .filter(({ version }) => !retired.includes(version))
      .map(({ version, key }) => ({ version, key: toHex(key) })),
    contentHashes: contents.map(({ content_hash }) => content_hash),
    units: units.map((unit) => ({ itemId: unit.item_id, unit: unit.unit, sealed: unit.sealed_code })),
  }
}

/** Tells one content from another, by what cannot be told from its outside: it stays in the store. */
const digestOf = ({ payKeys, units, ...rest }: KeyringContent): string =>
  createHash('sha256')
    .update(
      JSON.stringify({
        ...rest,
        payKeys: payKeys.map(({ version, key }) => [version, createHash('sha256').update(key).digest('hex')]),
        units: units.map(({ unit }) => unit),
      }),
    )
    .digest('hex')

const keyOf = (issuer: Issuer, keyVersion: number, terminal: TerminalId): Uint8Array => {
  const key = issuer.keys.terminalKey(keyVersion, terminal)
  if (key === undefined) throw new Error(`no key of version ${keyVersion}`)
  return key
}

/** @param published the newest bulletin, with which it goes; 0: none */
const seal = (
  issuer: Issuer,
  terminal: TerminalId,
  content: KeyringContent,
  { serial, published }: { readonly serial: number; readonly published: number },
): Uint8Array => {
  const terminalKey = keyOf(issuer, content.keyVersion, terminal)
  const next = content.nextKeyVersion
  const openCode = codeOpener(issuer)
  return encodeKeyring(
    {
      keyVersion: content.keyVersion,
      terminalId: terminal,
      epoch: content.epoch,
      serial,
      body: {
        v: 1,
        issuedAt: isoTime(issuer.clock()),
        merchant: content.merchant,
        payKeys: [...content.payKeys],
        contentKeys: content.contentHashes.map((contentHash) => ({
          contentHash,
          key: toHex(contentKey(issuer, contentHash)),
        })),
        units: content.units.map((unit) => ({ itemId: unit.itemId, code: openCode(unit) })),
        bulletinSerial: published,
        ...(content.assortment === undefined ? {} : { assortment: content.assortment }),
        ...(content.operators === undefined ? {} : { operators: [...content.operators] }),
        ...(next === undefined ? {} : { terminalKey: { version: next, key: toHex(keyOf(issuer, next, terminal)) } }),
      },
    },
    { terminalKey, nonce: issuer.randomBytes(nonceBytes) },
  )
}

/** @param id 16 lower-case hex digits @returns undefined: no such terminal, or it is not enrolled */
export const keyringFor = async (issuer: Issuer, id: string): Promise<MadeKeyring | undefined> => {
  if (!/^[0-9a-f]{16}$/.test(id)) return undefined
  const terminal = terminalId(id)
  const standing = (db: StoreReader, terminalNo: number) =>
    db.selectFrom('keyring').selectAll().where('terminal_no', '=', terminalNo).executeTakeFirst()
  const unchanged = await issuer.store.read(async (db) => {
    const content = await contentIn(issuer, db, terminal)
    const row = content && (await standing(db, content.terminalNo))
    return row?.digest === (content && digestOf(content)) ? row : undefined
  })
  if (unchanged !== undefined) return { serial: unchanged.serial, bytes: Uint8Array.from(unchanged.bytes) }
  return issuer.store.write(async (db) => {
    const content = await contentIn(issuer, db, terminal)
    if (content === undefined) return undefined
    const before = await standing(db, content.terminalNo)
    // By the clock, as a bulletin's.
    const serial = Math.max((before?.serial ?? 0) + 1, issuer.clock())
    const newest = await db
      .selectFrom('bulletin')
      .select((eb) => eb.fn.max('serial').as('serial'))
      .executeTakeFirst()
    const row = {
      terminal_no: content.terminalNo,
      serial,
      digest: digestOf(content),
      bytes: seal(issuer, terminal, content, { serial, published: newest?.serial ?? 0 }),
      made_at: issuer.clock(),
    }
    await db
      .insertInto('keyring')
      .values(row)
      .onConflict((conflict) => conflict.column('terminal_no').doUpdateSet(row))
      .execute()
    return { serial, bytes: row.bytes }
  })
}

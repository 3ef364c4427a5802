/**
 * The terminal behind screen, vending machine and command line: its identity, its ledger and the issuer's newest
 * documents, opened once and checked before the first sale.
 */
import { existsSync, statfsSync } from 'node:fs'
import { type Hotlist, type HotlistTerms, openHotlist } from '../db/hotlist.ts'
import { type Ledger, ledgerOwner, openLedger } from '../db/ledger.ts'
import { LedgerFault, ledgerPath, openWritable } from '../db/open.ts'
import { type Bulletin, bulletinKeyVersion, openStoredBulletin } from '../protocol/bulletin.ts'
import { fromHex } from '../protocol/bytes.ts'
import { encodeClaim } from '../protocol/claim.ts'
import { ProtocolError, parsed } from '../protocol/errors.ts'
import { type Keyring, type KeyringBody, openKeyring, parseKeyringHead } from '../protocol/keyring.ts'
import { derivePayKey } from '../protocol/keys.ts'
import { type MacKey, macKey } from '../protocol/mac.ts'
import { type CardId, type Mac, unixTime } from '../protocol/quantities.ts'
import { type CardRecord, parseRecord } from '../protocol/record.ts'
import { type Catalogue, openCatalogue } from './catalogue.ts'
import { IdentityFault, type NewKeys, readIdentity, type TerminalIdentity, takeUpKeys } from './identity.ts'

/** Clock, chance and log come from outside. */
export interface World {
  /** UNIX seconds; a hint only. */
  readonly clock: () => number
  readonly randomBytes: (length: number) => Uint8Array
  /** Takes a line for whoever looks after the machine; absent: there is no log. */
  readonly log?: (line: string) => void
}

export const realWorld: World = {
  clock: () => Math.floor(Date.now() / 1000),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
}

/** The issuer's newest documents and what follows from them; absent before the first sync. */
interface Issued {
  readonly bulletin: Bulletin
  readonly keyring: KeyringBody
  readonly catalogue: Catalogue
  /** What the bulletin says of the hotlist; the list in force may be an older one. */
  readonly hotlistTerms: HotlistTerms
  readonly payMasters: ReadonlyMap<number, Uint8Array>
}

export interface Terminal extends World {
  readonly dataDir: string
  /** Who it is, with the keys of now. */
  readonly identity: TerminalIdentity
  readonly ledger: Ledger
  /** Cards that are refused on sight. */
  readonly hotlist: Hotlist
  /** Undefined until bulletin and keyring have come. */
  readonly issued: Issued | undefined
  /** K_pay of a card, or undefined for a key version that is not in use. */
  payKey(keyVersion: number, card: CardId): MacKey | undefined
  /** PUBLIC_URL/c#..., for a payment that no reversal follows as far as a verified offer shows. */
  claimUrl(record: CardRecord | Uint8Array, settlementMac: Mac): { url: string; expiresTime: number }
  /** Too little room on the disk to write down a whole sale; undefined while there is enough. */
  storageFault(): LedgerFault | undefined
  /** Writes down keys that the issuer handed on; a repeat changes nothing. Before anything is sealed with them or taken on their word. */
  takeUpKeys(keys: NewKeys): void
  /** After new documents: reads them again. */
  refresh(): void
  close(): void
}

/** A sale writes well under a tenth of this; below it the terminal takes no more money. */
const diskFreeBytesMin = 2 * 1024 * 1024

/** 0 when the disk does not even answer. */
export const freeBytes = (dataDir: string): number => {
  try {
    const { bavail, bsize } = statfsSync(dataDir)
    return bavail * bsize
  } catch {
    return 0
  }
}

/** K_pay of this many cards is kept at hand. */
const payKeysMax = 1000

const readIssued = (options: { dataDir: string; identity: TerminalIdentity; ledger: Ledger }): Issued | undefined => {
  const { dataDir, identity, ledger } = options
  const bulletinDocument = ledger.document('bulletin')
  const keyringDocument = ledger.document('keyring')
  if (bulletinDocument === undefined || keyringDocument === undefined) return undefined
  const opened = openDocuments(identity, bulletinDocument.bytes, keyringDocument.bytes)
  if (opened === undefined) return undefined
  const { bulletin, keyring } = opened
  return {
    bulletin,
    keyring,
    catalogue: openCatalogue({ dataDir, bulletin, keyring, held: () => ledger.heldUnits(), now: () => ledger.now() }),
    hotlistTerms: {
      signed: bulletin.hotlist,
      issuedTime: Math.floor(Date.parse(bulletin.issuedAt) / 1000),
      expiresTime: Math.floor(Date.parse(bulletin.expiresAt) / 1000),
    },
    payMasters: new Map(
      keyring.payKeys
        .filter((entry) => bulletin.payKeyVersions.includes(entry.version))
        .map((entry) => [entry.version, fromHex(entry.key, 32)]),
    ),
  }
}

/** By any signing key that this terminal ever knew. @throws ProtocolError */
export const openKnownBulletin = (identity: TerminalIdentity, bytes: Uint8Array): Bulletin => {
  const publicKey = identity.bulletinPublicKeys.get(bulletinKeyVersion(bytes))
  if (publicKey === undefined) throw new ProtocolError('forged', 'bulletin')
  return openStoredBulletin(bytes, publicKey)
}

/** By any K_term since the enrolment. @throws ProtocolError */
export const openKnownKeyring = (identity: TerminalIdentity, bytes: Uint8Array): Keyring => {
  const key = identity.terminalKeys.get(parseKeyringHead(bytes).keyVersion)
  if (key === undefined) throw new ProtocolError('forged', 'keyring')
  return openKeyring(bytes, key.bytes)
}

/** @returns undefined for documents of an earlier enrolment: nothing is sold until this one's have come */
const openDocuments = (identity: TerminalIdentity, bulletinBytes: Uint8Array, keyringBytes: Uint8Array) =>
  parsed(() => {
    const bulletin = openKnownBulletin(identity, bulletinBytes)
    const { body, epoch } = openKnownKeyring(identity, keyringBytes)
    return epoch === identity.epoch ? { bulletin, keyring: body } : undefined
  })

/** It would begin at entry 1 again, and sell again what it does not know that it sold. */
const ledgerGone = (): LedgerFault =>
  new LedgerFault(
    'missing',
    "This terminal's ledger is gone or empty: enrol the terminal again with a new code. What it had not sent comes back from its customers' cards and claims.",
  )

/**
 * @throws LedgerFault, IdentityFault: each message says what to do
 */
export const openTerminal = (dataDir: string, world: World = realWorld): Terminal => {
  const found = readIdentity(dataDir)
  if (found === undefined)
    throw new LedgerFault(
      'missing',
      'This terminal is not enrolled: run `farthing terminal enrol --data DIR --issuer URL --code -`.',
    )
  if (!existsSync(ledgerPath(dataDir))) throw ledgerGone()
  let identity = found
  const { database, close } = openWritable(dataDir)
  try {
    const owner = ledgerOwner(database)
    if (owner === undefined) throw ledgerGone()
    if (owner.terminalId !== identity.terminalId)
      throw new IdentityFault(
        `The ledger belongs to terminal ${owner.terminalId}, but terminal.json says ${identity.terminalId}: give each terminal a data folder of its own.`,
      )
    const ledger = openLedger(database, { clock: world.clock })
    if (identity.epoch < ledger.epoch)
      throw new IdentityFault(
        `terminal.json is older than the ledger (epoch ${identity.epoch}, not ${ledger.epoch}): enrol this terminal again with a new code.`,
      )
    // An enrolment anew writes terminal.json alone; its ledger follows here, whenever that is.
    ledger.beginEpoch(identity.epoch, identity.lastBatch)
    const hotlist = openHotlist(database)
    /** A list that is here already counts as of the newest bulletin that names it. */
    const read = (): Issued | undefined => {
      const newest = readIssued({ dataDir, identity, ledger })
      if (newest !== undefined) hotlist.meet(newest.hotlistTerms)
      return newest
    }
    let issued = read()
    // Killed between the keyring and terminal.json, or the file came back older.
    identity = takeUpKeys(dataDir, identity, { terminalKey: issued?.keyring.terminalKey })
    const payKeys = new Map<string, MacKey>()

    return {
      ...world,
      dataDir,
      get identity() {
        return identity
      },
      ledger,
      hotlist,
      get issued() {
        return issued
      },
      payKey(keyVersion, card) {
        const master = issued?.payMasters.get(keyVersion)
        if (master === undefined) return undefined
        const name = `${keyVersion} ${card}`
        const known = payKeys.get(name)
        if (known !== undefined) return known
        const key = macKey(derivePayKey(master, keyVersion, card))
        if (payKeys.size >= payKeysMax) payKeys.clear()
        payKeys.set(name, key)
        return key
      },
      claimUrl(record, settlementMac) {
        const parsed = record instanceof Uint8Array ? parseRecord(record) : record
        const expiresTime = Math.min(0xffffffff, ledger.now() + (issued?.bulletin.claimSeconds ?? 0))
        const claim = encodeClaim(identity.terminalMacKey, {
          keyVersion: identity.keyVersion,
          sealer: identity.terminalId,
          record: parsed,
          settlementMac,
          expiry: unixTime(expiresTime),
        })
        const publicUrl = (issued?.bulletin.publicUrl ?? identity.publicUrl).replace(/\/+$/, '')
        return { url: `${publicUrl}/c#${Buffer.from(claim).toString('base64url')}`, expiresTime }
      },
      storageFault() {
        return freeBytes(dataDir) >= diskFreeBytesMin
          ? undefined
          : new LedgerFault(
              'storage',
              'The disk is nearly full: free some space, then sales go on. Nothing was debited.',
            )
      },
      takeUpKeys(keys) {
        const before = identity
        identity = takeUpKeys(dataDir, identity, keys)
        // What lay here unread may open now.
        if (identity !== before && issued === undefined) issued = read()
      },
      refresh() {
        payKeys.clear()
        issued = read()
      },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

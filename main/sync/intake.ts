/**
 * What comes from the issuer is checked and kept here, whichever way it came: over HTTP (sync.ts) or on a stick
 * (main/stick). A document that does not verify changes nothing (PROTOCOL.md, Documents).
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DocumentKind } from '../../db/ledger.ts'
import {
  type Acknowledgement,
  isTaken,
  openAcknowledgement,
  parseAcknowledgement,
} from '../../protocol/acknowledgement.ts'
import { type Batch, parseBatch } from '../../protocol/batch.ts'
import { aheadSecondsMax, bulletinKeyVersion, openBulletin, secondsOf } from '../../protocol/bulletin.ts'
import { equalBytes, fromHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { isSoldByUnit } from '../../protocol/item.ts'
import {
  isJournalAnswerTo,
  type JournalAnswer,
  openJournalAnswer,
  parseJournal,
  parseJournalAnswer,
} from '../../protocol/journal.ts'
import type { KeyringBody } from '../../protocol/keyring.ts'
import { followSuccessions, parseSuccessions } from '../../protocol/succession.ts'
import { goodsPath, openContent } from '../catalogue.ts'
import { openKnownKeyring, type Terminal } from '../terminal.ts'

/** A document that is not for this terminal and ledger, or that nobody who has the keys made. Nothing was changed. */
export class WrongDocument extends Error {
  override readonly name = 'WrongDocument'
}

/** Whether an acknowledgement that took a batch speaks of this one. The others speak of the epoch. */
export const isAnswerTo = (
  ack: Acknowledgement,
  batch: Pick<Batch, 'terminalId' | 'epoch' | 'batchNo' | 'head' | 'entries'>,
): boolean =>
  ack.terminalId === batch.terminalId &&
  ack.epoch === batch.epoch &&
  (!isTaken(ack.verdict) ||
    (ack.batchNo === batch.batchNo &&
      ack.accepted + ack.exceptions.length === batch.entries.length &&
      equalBytes(ack.head, batch.head)))

/**
 * Verifies an acknowledgement against the batch that it answers, and stores it. Its verdict may stop the terminal.
 * @param sentBatchNo where it is known which batch was asked about
 * @throws WrongDocument
 */
export const takeAnswer = (terminal: Terminal, bytes: Uint8Array, sentBatchNo?: number): Acknowledgement => {
  const { identity, ledger } = terminal
  const ack = opened('an acknowledgement', () => {
    // It bears the version of the batch that it answers, and that was cut before a rotation, perhaps.
    const key = identity.terminalKeys.get(parseAcknowledgement(bytes).keyVersion)
    if (key === undefined) throw new ProtocolError('forged', 'acknowledgement')
    return openAcknowledgement(key.macKey, bytes)
  })
  if (ack.terminalId !== identity.terminalId || ack.epoch !== ledger.epoch)
    throw new WrongDocument('It is not for this terminal and epoch.')
  if (isTaken(ack.verdict)) {
    const batch = ledger.batchAt({ epoch: ack.epoch, batchNo: ack.batchNo })
    if (
      batch === undefined ||
      (sentBatchNo !== undefined && sentBatchNo !== ack.batchNo) ||
      !isAnswerTo(ack, parseBatch(batch.bytes))
    )
      throw new WrongDocument(`It acknowledges another batch ${ack.batchNo} than this ledger's.`)
  }
  ledger.storeAnswer(ack, bytes, ack.batchNo)
  return ack
}

/**
 * Verifies a journal's answer against the journal that it answers, and stores it. Its verdict may stop the terminal.
 * @throws WrongDocument
 */
export const takeJournalAnswer = (terminal: Terminal, bytes: Uint8Array): JournalAnswer => {
  const { identity, ledger } = terminal
  const answer = opened("a journal's answer", () => {
    const key = identity.terminalKeys.get(parseJournalAnswer(bytes).keyVersion)
    if (key === undefined) throw new ProtocolError('forged', 'journal answer')
    return openJournalAnswer(key.bytes, bytes)
  })
  if (answer.terminalId !== identity.terminalId || answer.epoch !== ledger.epoch)
    throw new WrongDocument('It is not for this terminal and epoch.')
  const sent = ledger.journalAt(answer)
  if (sent === undefined || !isJournalAnswerTo(answer, parseJournal(sent.bytes)))
    throw new WrongDocument(`It answers another journal ${answer.journalNo} than this ledger's.`)
  ledger.storeJournalAnswer(answer, bytes)
  return answer
}

/** @throws WrongDocument for whatever a parser or a seal refuses */
const opened = <Document>(what: string, open: () => Document): Document => {
  try {
    return open()
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new WrongDocument(
      cause.code === 'forged'
        ? `It is not ${what} that the issuer made for this terminal, or it was damaged.`
        : `It is not ${what}, or it was damaged.`,
      { cause },
    )
  }
}

/** A bulletin or keyring that was verified and not yet kept. */
export interface OpenedDocument {
  readonly kind: DocumentKind
  readonly serial: number
  readonly bytes: Uint8Array
  /** UNIX seconds; 0 where no time is signed. */
  readonly signedTime: number
  /** The least serial of the bulletin that a keyring goes with. */
  readonly bulletinSerial?: number | undefined
  /** The next K_term, where a keyring brings one. */
  readonly terminalKey?: KeyringBody['terminalKey']
}

/** @param at the serial, and for a bulletin its time @throws WrongDocument */
const requireNotAhead = (terminal: Terminal, what: string, ...at: readonly number[]): void => {
  // The first bulletin after the enrolment may set a clock that stands at nothing.
  const trusted = terminal.ledger.document('bulletin') === undefined ? Number.POSITIVE_INFINITY : terminal.ledger.now()
  if (Math.max(...at) > trusted + aheadSecondsMax)
    throw new WrongDocument(
      `The ${what} is dated more than half a year ahead of this terminal's time: look at the terminal's clock.`,
    )
}

/** Whether a bulletin is signed by a key that this terminal does not know yet: then the successions are needed first. */
export const needsSuccession = ({ identity }: Terminal, bulletin: Uint8Array): boolean =>
  opened('a bulletin', () => bulletinKeyVersion(bulletin)) > identity.bulletinKeyVersion

/**
 * Follows the signing keys from the newest that is known, and writes the new ones down before any bulletin rests on them.
 * @throws WrongDocument
 */
export const takeSuccessions = (terminal: Terminal, bytes: Uint8Array): void => {
  const { identity } = terminal
  const newest = { keyVersion: identity.bulletinKeyVersion, publicKey: identity.bulletinPublicKey }
  const successions = opened('a succession of signing keys', () => followSuccessions(newest, parseSuccessions(bytes)))
  terminal.takeUpKeys({ successions })
}

/** The same bytes as those in force were verified when they came: of 1,000 articles they are not read anew every minute. */
const inForce = (terminal: Terminal, kind: DocumentKind, bytes: Uint8Array): OpenedDocument | undefined => {
  const kept = terminal.issued === undefined ? undefined : terminal.ledger.document(kind)
  return kept !== undefined && equalBytes(kept.bytes, bytes)
    ? { kind, serial: kept.serial, bytes, signedTime: 0 }
    : undefined
}

/** @throws WrongDocument */
export const openNewBulletin = (terminal: Terminal, bytes: Uint8Array): OpenedDocument => {
  const { identity } = terminal
  const keyVersion = opened('a bulletin', () => bulletinKeyVersion(bytes))
  if (keyVersion < identity.bulletinKeyVersion)
    throw new WrongDocument('The bulletin is signed with a key that another one has followed.')
  if (keyVersion > identity.bulletinKeyVersion)
    throw new WrongDocument('The bulletin is signed with a key of which nothing here says that the issuer chose it.')
  const known = inForce(terminal, 'bulletin', bytes)
  if (known !== undefined) return known
  const bulletin = opened('a bulletin', () => openBulletin(bytes, identity.bulletinPublicKey))
  const signedTime = secondsOf(bulletin.issuedAt)
  const first = terminal.ledger.document('bulletin') === undefined
  // Then its own time is all there is to compare its serial with.
  if (first && bulletin.serial > Math.max(signedTime, terminal.ledger.now()) + aheadSecondsMax)
    throw new WrongDocument('The serial of the bulletin is out of all proportion to its time.')
  requireNotAhead(terminal, 'bulletin', bulletin.serial, signedTime)
  return { kind: 'bulletin', serial: bulletin.serial, bytes, signedTime }
}

/** @throws WrongDocument */
export const openNewKeyring = (terminal: Terminal, bytes: Uint8Array): OpenedDocument => {
  const known = inForce(terminal, 'keyring', bytes)
  if (known !== undefined) return known
  const { identity } = terminal
  const keyring = opened('a keyring', () => openKnownKeyring(identity, bytes))
  if (keyring.terminalId !== identity.terminalId || keyring.epoch !== identity.epoch)
    throw new WrongDocument('The keyring is not for this terminal and epoch.')
  requireNotAhead(terminal, 'keyring', keyring.serial)
  const { bulletinSerial, terminalKey } = keyring.body
  return { kind: 'keyring', serial: keyring.serial, bytes, signedTime: 0, bulletinSerial, terminalKey }
}

/**
 * Keeps what is newer, keys before the prices that need them. A keyring waits for the bulletin that it goes with: the two are
 * not mixed with older ones of the other.
 * @returns those that were kept
 */
export const keepDocuments = (terminal: Terminal, documents: readonly OpenedDocument[]): OpenedDocument[] => {
  const bulletinSerial = Math.max(
    terminal.ledger.document('bulletin')?.serial ?? 0,
    ...documents.flatMap(({ kind, serial }) => (kind === 'bulletin' ? [serial] : [])),
  )
  const inOrder = documents
    .filter((document) => (document.bulletinSerial ?? 0) <= bulletinSerial)
    .toSorted((a, b) => Number(a.kind === 'bulletin') - Number(b.kind === 'bulletin'))
  for (const { terminalKey } of inOrder) terminal.takeUpKeys({ terminalKey })
  const fresh = inOrder.filter((document) => terminal.ledger.storeDocument(document))
  // What is new counts from now on, however long hotlist and goods take.
  if (fresh.length > 0) terminal.refresh()
  return fresh
}

/** Of the log that the bulletin names, what has not arrived. */
export interface MissingHotlist {
  readonly generation: number
  /** The last entry that is here. */
  readonly after: number
  readonly count: number
}

/** @returns undefined: the list in force is the newest; 'refused': what the bulletin names is behind it */
export const missingHotlist = ({ hotlist, issued }: Terminal): MissingHotlist | 'refused' | undefined => {
  if (issued === undefined) return undefined
  const { signed } = issued.hotlistTerms
  const stand = hotlist.meet(issued.hotlistTerms)
  if (stand === 'arriving') return { generation: signed.generation, after: hotlist.arrived, count: signed.count }
  return stand === 'refused' ? 'refused' : undefined
}

/** Takes in the entries after those that are here; nothing of them counts before all have come. @throws WrongDocument */
export const takeHotlistPage = ({ hotlist, issued }: Terminal, page: Uint8Array): void => {
  if (issued === undefined) return
  const { hotlistTerms } = issued
  if (opened('a page of the hotlist', () => hotlist.append(hotlistTerms, page)) === 'forged')
    throw new WrongDocument('It is not the hotlist that the issuer signed, or it was damaged.')
}

/** Goods that are announced, or a picture, preview or logo of the shelf, whose key is here, and that are not here themselves. */
export interface MissingGoods {
  readonly contentHash: string
  readonly key: Uint8Array
  /** Of the encrypted blob. */
  readonly bytesMax: number
  /** A picture, preview or logo: without it everything is sold all the same. */
  readonly isShown: boolean
}

/** The encrypted blob is a little longer than the content (its tag). */
export const blobOverheadBytes = 16

export const missingGoods = ({ dataDir, issued }: Terminal): MissingGoods[] => {
  const contentKeys = new Map(issued?.keyring.contentKeys.map((entry) => [entry.contentHash, fromHex(entry.key, 32)]))
  const missing =
    (isShown: boolean) =>
    ({ contentHash, bytes }: { readonly contentHash: string; readonly bytes: number }): MissingGoods[] => {
      const key = contentKeys.get(contentHash)
      if (key === undefined || existsSync(goodsPath(dataDir, contentHash))) return []
      return [{ contentHash, key, bytesMax: bytes + blobOverheadBytes, isShown }]
    }
  const sold = (issued?.catalogue.announced() ?? []).filter((item) => !isSoldByUnit(item))
  // What is sold comes first.
  return [...sold.flatMap(missing(false)), ...(issued?.catalogue.shelfFiles() ?? []).flatMap(missing(true))]
}

/** @throws WrongDocument when these are not those goods */
export const takeGoods = ({ dataDir }: Terminal, goods: MissingGoods, blob: Uint8Array): void => {
  if (openContent(blob, goods) === undefined) throw new WrongDocument('They are not the goods of the issuer.')
  storeGoods(goodsPath(dataDir, goods.contentHash), blob)
}

/** Whole or not at all. */
const storeGoods = (file: string, blob: Uint8Array): void => {
  mkdirSync(path.dirname(file), { recursive: true })
  const handle = openSync(`${file}.part`, 'w', 0o600)
  try {
    writeFileSync(handle, blob)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(`${file}.part`, file)
}

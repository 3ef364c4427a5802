/**
 * What comes from the issuer is checked and kept here, whichever way it came: over HTTP (sync.ts) or on a stick
 * (main/stick). A document that does not verify changes nothing (PROTOCOL.md, Documents).
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { DocumentKind } from '../../db/ledger.ts'
import { type Acknowledgement, isTaken, openAcknowledgement } from '../../protocol/acknowledgement.ts'
import { type Batch, parseBatch } from '../../protocol/batch.ts'
import { openBulletin } from '../../protocol/bulletin.ts'
import { equalBytes, fromHex } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { isSoldByUnit } from '../../protocol/item.ts'
import { openKeyring } from '../../protocol/keyring.ts'
import { goodsPath, openContent } from '../catalogue.ts'
import type { Terminal } from '../terminal.ts'

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
  const ack = opened('an acknowledgement', () => openAcknowledgement(identity.terminalMacKey, bytes))
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
}

/** @throws WrongDocument */
export const openNewBulletin = ({ identity }: Terminal, bytes: Uint8Array): OpenedDocument => {
  const bulletin = opened('a bulletin', () => openBulletin(bytes, identity.bulletinPublicKey))
  const signedTime = Math.floor(Date.parse(bulletin.issuedAt) / 1000)
  return { kind: 'bulletin', serial: bulletin.serial, bytes, signedTime }
}

/** @throws WrongDocument */
export const openNewKeyring = ({ identity }: Terminal, bytes: Uint8Array): OpenedDocument => {
  const keyring = opened('a keyring', () => openKeyring(bytes, identity.terminalKey))
  if (keyring.terminalId !== identity.terminalId || keyring.epoch !== identity.epoch)
    throw new WrongDocument('The keyring is not for this terminal and epoch.')
  return { kind: 'keyring', serial: keyring.serial, bytes, signedTime: 0 }
}

/** Keeps what is newer, keys before the prices that need them. @returns those that were */
export const keepDocuments = (terminal: Terminal, documents: readonly OpenedDocument[]): OpenedDocument[] => {
  const inOrder = documents.toSorted((a, b) => Number(a.kind === 'bulletin') - Number(b.kind === 'bulletin'))
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

/** Goods that are announced, whose key is here, and that are not here themselves. */
export interface MissingGoods {
  readonly contentHash: string
  readonly key: Uint8Array
  /** Of the encrypted blob. */
  readonly bytesMax: number
}

/** The encrypted blob is a little longer than the content (its tag). */
export const blobOverheadBytes = 16

export const missingGoods = ({ dataDir, issued }: Terminal): MissingGoods[] => {
  const contentKeys = new Map(issued?.keyring.contentKeys.map((entry) => [entry.contentHash, fromHex(entry.key, 32)]))
  return (issued?.bulletin.items ?? []).flatMap((item) => {
    const { contentHash } = item
    const key = contentKeys.get(contentHash)
    if (isSoldByUnit(item) || key === undefined || existsSync(goodsPath(dataDir, contentHash))) return []
    return [{ contentHash, key, bytesMax: item.bytes + blobOverheadBytes }]
  })
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

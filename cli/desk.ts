/**
 * The issuer's desk: every batch on a stick goes through the same door as over HTTP, and the stick goes back with all that a
 * sync would have brought: acknowledgements, bulletin, keyrings, goods (docs/OPERATIONS.md, USB).
 */
import { currentBulletin } from '../issuer/bulletin-publisher.ts'
import { goodsFolder } from '../issuer/catalogue.ts'
import { blobBytes, readBlob } from '../issuer/goods.ts'
import { hotlistPage } from '../issuer/hotlist-log.ts'
import { ingestBatch } from '../issuer/ingest.ts'
import type { Issuer } from '../issuer/issuer.ts'
import { takeJournal } from '../issuer/journals.ts'
import { keyringFor } from '../issuer/keyring-maker.ts'
import { decideRefunds } from '../issuer/refunds.ts'
import {
  openStick,
  type RefusedFile,
  type Stick,
  shownName,
  stickHotlistEntriesMax,
  stickName,
} from '../main/stick/stick.ts'
import type { StickDisk } from '../main/stick/stick-disk.ts'
import { blobOverheadBytes, isAnswerTo } from '../main/sync/intake.ts'
import { type IssuerClient, IssuerRefused, IssuerUnreachable } from '../main/sync/issuer-client.ts'
import { type Acknowledgement, type BatchVerdict, isTaken, parseAcknowledgement } from '../protocol/acknowledgement.ts'
import { type Batch, batchBytesMax, parseBatch } from '../protocol/batch.ts'
import { type Bulletin, parseBulletin } from '../protocol/bulletin.ts'
import { concat, toHex } from '../protocol/bytes.ts'
import { parsed } from '../protocol/errors.ts'
import {
  firstHotlistHead,
  hotlistEntryLength,
  nextHotlistHead,
  parseHotlistPage,
  type SignedHotlist,
} from '../protocol/hotlist.ts'
import { isSoldByUnit } from '../protocol/item.ts'
import { isJournalAnswerTo, journalBytesMax, parseJournal, parseJournalAnswer } from '../protocol/journal.ts'
import { parseKeyringHead } from '../protocol/keyring.ts'
import { note } from './output.ts'

/** The issuer as the desk needs it: over HTTP, or its store itself. */
export type Desk = Pick<
  IssuerClient,
  'sendBatch' | 'sendJournal' | 'successions' | 'bulletin' | 'keyring' | 'hotlist' | 'goods'
>

const notFound = 404

/** What was taken is answered, whatever becomes of its refunds: those that failed wait for the next document. */
const refundsDecided = async (issuer: Issuer): Promise<void> => {
  try {
    await decideRefunds(issuer)
  } catch (error) {
    note(`A refund could not be decided and waits: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The store itself, beside a server that may be running. Its faults are thrown as they are: each has its sentence. */
export const deskOver = (issuer: Issuer): Desk => ({
  async sendBatch(batch) {
    const result = await ingestBatch(issuer, batch)
    if ('ack' in result) {
      await refundsDecided(issuer)
      return result.ack
    }
    throw new IssuerRefused(result.refused === 'unknownTerminal' ? notFound : 400, result.sentence)
  },
  async sendJournal(journal) {
    const result = await takeJournal(issuer, journal)
    if ('answer' in result) {
      await refundsDecided(issuer)
      return result.answer
    }
    throw new IssuerRefused(result.refused === 'unknownTerminal' ? notFound : 400, result.sentence)
  },
  async bulletin() {
    const published = await currentBulletin(issuer)
    if (published !== undefined) return published.bytes
    throw new IssuerRefused(notFound, 'No catalogue was published yet: run "farthing catalogue publish".')
  },
  async successions() {
    return issuer.keys.successions
  },
  async keyring(terminalId) {
    const made = await keyringFor(issuer, terminalId)
    if (made !== undefined) return made.bytes
    throw new IssuerRefused(notFound, 'No such terminal is enrolled here.')
  },
  async hotlist(place) {
    const page = await hotlistPage(issuer, place)
    if (page !== undefined) return page.bytes
    throw new IssuerRefused(notFound, 'There is no such part of the hotlist any more: run the same command again.')
  },
  async goods(contentHash) {
    const folder = goodsFolder(issuer)
    if ((await blobBytes(folder, contentHash)) !== undefined) return readBlob(folder, contentHash)
    throw new IssuerRefused(notFound, 'There are no such goods here.')
  },
})

export interface AnsweredBatch {
  readonly file: string
  readonly terminalId: string
  readonly epoch: number
  readonly batchNo: number
  readonly verdict: BatchVerdict
  readonly accepted: number
  readonly exceptions: number
}

export interface DeskResult {
  readonly batches: readonly AnsweredBatch[]
  /** Journals of operators that were answered, and whether all of them were taken; absent: none. */
  readonly journals?: { readonly count: number; readonly allTaken: boolean }
  /** Serial of the bulletin on the stick; absent: none was published. */
  readonly bulletin?: number
  /** Terminals whose keyrings lie on the stick. */
  readonly keyrings: readonly string[]
  /** Entries of the hotlist on the stick. */
  readonly hotlist: number
  /** Contents on the stick. */
  readonly goods: number
  readonly refused: readonly RefusedFile[]
}

const notFromIssuer = (what: string): IssuerUnreachable =>
  new IssuerUnreachable(`What answered is not ${what} of an issuer (a proxy or a login page?).`)

/** Over HTTP something in between may have answered. @throws IssuerUnreachable */
const requireDocument = <Document>(what: string, document: Document | undefined): Document => {
  if (document !== undefined) return document
  throw notFromIssuer(what)
}

/** One stick at the desk. */
class StickAtDesk {
  readonly #desk: Desk
  readonly #stick: Stick
  readonly refused: RefusedFile[] = []

  constructor(desk: Desk, stick: Stick) {
    this.#desk = desk
    this.#stick = stick
  }

  #refuse(file: string, sentence: string): void {
    this.refused.push({ file: shownName(file), sentence })
  }

  /** @returns whether it lies on the stick now, whole */
  #write(name: string, bytes: Uint8Array): boolean {
    const written = this.#stick.write(name, bytes)
    if (written.outcome === 'refused') this.#refuse(name, written.sentence)
    return written.outcome !== 'refused'
  }

  /** What the issuer refuses is that file's refusal, and stops no other. */
  async #ask(file: string, ask: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof IssuerRefused)) throw error
      this.#refuse(file, error.message)
      return undefined
    }
  }

  async answer(file: string): Promise<AnsweredBatch | undefined> {
    const found = this.#stick.read(file, batchBytesMax)
    if (found.outcome === 'absent') return undefined
    if (found.outcome === 'refused') {
      this.#refuse(file, found.sentence)
      return undefined
    }
    const batch = parsed(() => parseBatch(found.bytes))
    if (batch === undefined) {
      this.#refuse(file, 'It is not a batch, or it was damaged.')
      return undefined
    }
    const bytes = await this.#ask(file, () => this.#desk.sendBatch(found.bytes))
    if (bytes === undefined) return undefined
    const ack = parsed(() => parseAcknowledgement(bytes))
    requireDocument('an acknowledgement', ack !== undefined && isAnswerTo(ack, batch) ? ack : undefined)
    return ack && this.#write(stickName.answerTo(file), bytes) ? answered(file, batch, ack) : undefined
  }

  /** @returns its verdict, and whose it is; undefined: it was refused */
  async answerJournal(file: string): Promise<{ terminalId: string; verdict: BatchVerdict } | undefined> {
    const found = this.#stick.read(file, journalBytesMax)
    if (found.outcome === 'absent') return undefined
    const journal = found.outcome === 'read' ? parsed(() => parseJournal(found.bytes)) : undefined
    if (found.outcome === 'refused' || journal === undefined) {
      this.#refuse(file, found.outcome === 'refused' ? found.sentence : 'It is not a journal, or it was damaged.')
      return undefined
    }
    const bytes = await this.#ask(file, () => this.#desk.sendJournal(found.bytes))
    if (bytes === undefined) return undefined
    const answer = parsed(() => parseJournalAnswer(bytes))
    const said = requireDocument(
      "a journal's answer",
      answer !== undefined && isJournalAnswerTo(answer, journal) ? answer : undefined,
    )
    const { verdict, terminalId } = said
    return this.#write(stickName.answerTo(file), bytes) ? { terminalId, verdict } : undefined
  }

  async bulletin(): Promise<Bulletin | undefined> {
    let bytes: Uint8Array
    try {
      bytes = await this.#desk.bulletin()
    } catch (error) {
      // Not published yet is no fault of the stick.
      if (error instanceof IssuerRefused && error.status === notFound) return undefined
      throw error
    }
    const bulletin = requireDocument(
      'the bulletin',
      parsed(() => parseBulletin(bytes)),
    )
    // Who was away while the key was rotated needs them before the bulletin.
    const successions = await this.#successions()
    if (successions.length > 0) this.#write(stickName.successions, successions)
    this.#write(stickName.bulletin, bytes)
    return bulletin
  }

  /** One file's part of the log. @returns undefined: it was refused */
  async #hotlistPart(name: string, signed: SignedHotlist, from: number): Promise<Uint8Array | undefined> {
    const to = Math.min(from + stickHotlistEntriesMax, signed.count)
    const pages: Uint8Array[] = []
    for (let after = from; after < to; ) {
      const page = await this.#ask(name, () => this.#desk.hotlist({ generation: signed.generation, after }))
      if (page === undefined) return undefined
      const entries = requireDocument(
        'the hotlist',
        parsed(() => parseHotlistPage(page)),
      )
      pages.push(page.subarray(0, (to - after) * hotlistEntryLength))
      after += entries.length
    }
    return concat(...pages)
  }

  /** @param keep take what lies there already for right, and fetch the rest @returns the head after all; undefined: refused */
  async #layHotlist(signed: SignedHotlist, keep: boolean): Promise<Uint8Array | undefined> {
    let head = firstHotlistHead()
    for (let from = 0; from < signed.count; from += stickHotlistEntriesMax) {
      const length = Math.min(stickHotlistEntriesMax, signed.count - from) * hotlistEntryLength
      const name = stickName.hotlist(signed.generation, from / stickHotlistEntriesMax)
      const found = keep ? this.#stick.read(name, length) : undefined
      const there = found?.outcome === 'read' && found.bytes.length === length ? found.bytes : undefined
      const part = there ?? (await this.#hotlistPart(name, signed, from))
      if (part === undefined || (there === undefined && !this.#write(name, part))) return undefined
      head = nextHotlistHead(head, part)
    }
    return head
  }

  /** Whole, up to the head that was signed; parts from an earlier visit are not fetched again. @returns its entries */
  async hotlist(signed: SignedHotlist): Promise<number> {
    for (const name of this.#stick.names()) {
      const generation = /^hotlist-(\d+)-\d+\.fhot$/.exec(name)?.[1]
      if (generation !== undefined && generation !== String(signed.generation)) this.#stick.remove(name)
    }
    for (const keep of [true, false]) {
      const head = await this.#layHotlist(signed, keep)
      if (head === undefined) return 0
      if (toHex(head) === signed.head) return signed.count
    }
    throw notFromIssuer('the hotlist')
  }

  /** @returns none from an issuer whose program does not know of them */
  async #successions(): Promise<Uint8Array> {
    try {
      return await this.#desk.successions()
    } catch (error) {
      if (error instanceof IssuerRefused && error.status === notFound) return new Uint8Array()
      throw error
    }
  }

  async keyring(terminal: string): Promise<boolean> {
    const name = stickName.keyring(terminal)
    const bytes = await this.#ask(name, () => this.#desk.keyring(terminal))
    if (bytes === undefined) return false
    const head = parsed(() => parseKeyringHead(bytes))
    requireDocument('the keyring', head?.terminalId === terminal ? head : undefined)
    return this.#write(name, bytes)
  }

  async goods(contentHash: string, bytes: number): Promise<boolean> {
    const name = stickName.goods(contentHash)
    const blob = await this.#ask(name, () => this.#desk.goods(contentHash, bytes + blobOverheadBytes))
    return blob !== undefined && this.#write(name, blob)
  }
}

const answered = (file: string, batch: Batch, ack: Acknowledgement): AnsweredBatch => ({
  file: shownName(file),
  terminalId: batch.terminalId,
  epoch: batch.epoch,
  batchNo: batch.batchNo,
  verdict: ack.verdict,
  accepted: ack.accepted,
  exceptions: ack.exceptions.length,
})

/** Whether everything on the stick was taken. */
export const isAllTaken = ({ batches, journals, refused }: DeskResult): boolean =>
  refused.length === 0 && journals?.allTaken !== false && batches.every(({ verdict }) => isTaken(verdict))

/**
 * Takes in every batch and journal, in any order, duplicates too, and lays beside them what goes back. Repeating it is harmless.
 * @throws StickFault, IssuerUnreachable, IssuerError; what was taken until then stays taken
 */
export const answerStick = async (desk: Desk, dir: string, disk?: StickDisk): Promise<DeskResult> => {
  const stick = openStick(dir, disk)
  const names = stick.names()
  const visit = new StickAtDesk(desk, stick)
  const batches: AnsweredBatch[] = []
  for (const file of names.filter((name) => /\.fbat$/i.test(name))) {
    const batch = await visit.answer(file)
    if (batch !== undefined) batches.push(batch)
  }
  // After the sales that they may be about, and before the keyrings that rest on them.
  const journals: { readonly terminalId: string; readonly verdict: BatchVerdict }[] = []
  for (const file of names.filter((name) => /\.fjrn$/i.test(name))) {
    const answer = await visit.answerJournal(file)
    if (answer !== undefined) journals.push(answer)
  }
  const asking = names.flatMap((name) => /^([0-9a-f]{16})\.fkey$/i.exec(name)?.[1]?.toLowerCase() ?? [])
  const terminals = [...new Set([...asking, ...[...batches, ...journals].map(({ terminalId }) => terminalId)])]
  // A folder that no terminal has been at gets nothing.
  const bulletin = terminals.length === 0 ? undefined : await visit.bulletin()
  const keyrings: string[] = []
  for (const terminal of terminals) if (await visit.keyring(terminal)) keyrings.push(terminal)
  const hotlist = bulletin === undefined ? 0 : await visit.hotlist(bulletin.hotlist)
  let goods = 0
  const coming = bulletin?.coming?.map(({ item }) => item) ?? []
  for (const item of [...(bulletin?.items ?? []), ...coming])
    if (!isSoldByUnit(item) && (await visit.goods(item.contentHash, item.bytes))) goods += 1
  const shown = [
    ...(bulletin?.display ?? []).flatMap(({ picture, preview }) => [picture, preview]),
    ...(bulletin?.brands ?? []).map(({ logo }) => logo),
  ]
  for (const file of shown) if (file !== undefined && (await visit.goods(file.contentHash, file.bytes))) goods += 1
  stick.flush()
  return {
    batches,
    ...(journals.length === 0
      ? {}
      : { journals: { count: journals.length, allTaken: journals.every(({ verdict }) => isTaken(verdict)) } }),
    ...(bulletin === undefined ? {} : { bulletin: bulletin.serial }),
    keyrings,
    hotlist,
    goods,
    refused: visit.refused,
  }
}

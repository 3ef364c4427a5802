/** Loads: value comes onto a card online, once, against cash that a merchant took, a voucher or a credit (PROTOCOL.md, Loads). */
import { hash } from 'node:crypto'
import { equalBytes, isZero, u32Max } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import {
  encodeLoadAnswer,
  type LoadRequest,
  type LoadVerdict,
  parseLoadRequest,
  requireLoadRequestSeal,
} from '../protocol/load.ts'
import { commitLoadMac, type MacKey, offerMac } from '../protocol/mac.ts'
import { encodeOrder } from '../protocol/order.ts'
import { amountMinor, type Mac, zeroMac } from '../protocol/quantities.ts'
import { type CardRecord, encodeIdentity, encodeRecord } from '../protocol/record.ts'
import { type DocumentRefusal, type RefusedDocument, refuseDocument } from './batch-intake.ts'
import { type AlarmKind, Books, findTerminals, type KnownCard, type KnownTerminal } from './books.ts'
import type { Issuer } from './issuer.ts'
import { isTerminalVersionOver, noteTerminalVersion } from './key-versions.ts'
import { type FoundFunding, type FundedLoad, findFunding, loadMinorMax, takeFunding } from './load-funding.ts'
import type { StoreWriter } from './store.ts'

interface OpenedRequest {
  readonly request: LoadRequest
  readonly bytes: Uint8Array
  readonly key: MacKey
}

const openRequest = (issuer: Issuer, bytes: Uint8Array): OpenedRequest | DocumentRefusal => {
  try {
    const request = parseLoadRequest(bytes)
    // The sealer must be the order's terminal.
    const key = issuer.keys.terminalMac(request.keyVersion, request.order.terminalId)
    if (key === undefined) return 'forged'
    requireLoadRequestSeal(key, bytes)
    return { request, bytes, key }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'forged' ? 'forged' : 'layout'
  }
}

/**
 * Authorises a load, books it under (card, counter, order), and answers with the commit MAC. The same bytes get the same answer.
 * @param bytes a load request as it came
 */
export const authoriseLoad = async (
  issuer: Issuer,
  bytes: Uint8Array,
): Promise<{ readonly answer: Uint8Array; readonly verdict: LoadVerdict } | RefusedDocument> => {
  const opened = openRequest(issuer, bytes)
  if (typeof opened === 'string') return refuseDocument(opened, 'The load is refused')
  return issuer.store.write(async (db) => {
    const { request, key } = opened
    const terminal = (await findTerminals(db, [request.order.terminalId])).get(request.order.terminalId)
    if (terminal === undefined) return refuseDocument('unknownTerminal', 'The load is refused')
    const requestHash = new Uint8Array(hash('sha256', bytes, 'buffer'))
    const known = await db
      .selectFrom('load_request')
      .select(['answer', 'verdict'])
      .where('request_hash', '=', requestHash)
      .executeTakeFirst()
    if (known !== undefined) return { answer: new Uint8Array(known.answer), verdict: known.verdict }
    const decided = await decideLoad(issuer, db, opened, terminal)
    const answer = encodeLoadAnswer(key, {
      keyVersion: request.keyVersion,
      verdict: decided.verdict,
      terminalId: request.order.terminalId,
      terminalSeq: request.order.terminalSeq,
      counter: request.counter,
      commitMac: decided.commitMac ?? zeroMac(),
    })
    await db
      .insertInto('load_request')
      .values({ request_hash: requestHash, bytes, answer, verdict: decided.verdict, received_at: issuer.clock() })
      .execute()
    return { answer, verdict: decided.verdict }
  })
}

interface Decision {
  readonly verdict: LoadVerdict
  readonly commitMac?: Mac
}

const decideLoad = async (
  issuer: Issuer,
  db: StoreWriter,
  { request }: OpenedRequest,
  terminal: KnownTerminal,
): Promise<Decision> => {
  const books = await Books.open(db, {
    document: `load ${terminal.terminalId}/${request.order.terminalSeq}`,
    now: issuer.clock(),
    counters: new Map([[request.identity.cardId, [request.counter]]]),
    terminals: [],
  })
  const card = books.card(request.identity.cardId)
  if (card === undefined) return { verdict: 'unknownCard' }
  const decision = await judgeLoad({ issuer, books, request, terminal, card })
  await books.write()
  return decision
}

interface LoadCase {
  readonly issuer: Issuer
  readonly books: Books
  readonly request: LoadRequest
  readonly terminal: KnownTerminal
  readonly card: KnownCard
}

const refused: Decision = { verdict: 'refused' }

/** The checks, cheapest and least telling first. */
const judgeLoad = async (about: LoadCase): Promise<Decision> => {
  const { issuer, request, terminal, card, books } = about
  const { order, identity } = request
  if (terminal.epoch === 0 || (await isTerminalVersionOver(issuer, books.db, request.keyVersion))) return refused
  await noteTerminalVersion(books.db, terminal, request.keyVersion)
  if (identity.keyVersion !== card.keyVersion || order.currency !== issuer.book.currencyCode) return refused
  const loadKey = issuer.keys.loadMac(identity.keyVersion, identity.cardId)
  if (loadKey === undefined) return refused
  const orderBytes = encodeOrder(order)
  const offered = {
    identity: encodeIdentity(identity),
    counter: request.counter,
    balanceMinor: request.balanceMinor,
    order: orderBytes,
    cardNonce: request.cardNonce,
  }
  if (!equalBytes(offerMac(loadKey, offered), request.offerMac)) {
    books.alarm({ kind: 'offerMac', terminal, detail: `v${identity.keyVersion}` })
    return refused
  }
  if (card.status !== 'active' || request.counter === 0) return refused
  const load: FundedLoad = {
    hash: order.itemHash,
    amountMinor: order.amountMinor,
    order: orderBytes,
    cardNo: card.cardNo,
    counter: request.counter,
    now: books.now,
  }
  const funding = isZero(order.itemHash) ? 'cash' : await findFunding(books.db, load)
  if (funding === undefined) return { verdict: 'notFunded' }
  if (order.amountMinor > loadMinorMax(issuer) || request.balanceMinor + order.amountMinor > u32Max)
    return { verdict: 'limit' }
  const record: CardRecord = {
    identity,
    counter: request.counter,
    balanceAfterMinor: amountMinor(request.balanceMinor + order.amountMinor),
    order,
  }
  const decision = await bookLoad(about, { record, recordBytes: encodeRecord(record), orderBytes, funding, load })
  if (decision.verdict !== 'authorised') return decision
  const { cardId } = identity
  const { counter, cardNonce } = request
  return { ...decision, commitMac: commitLoadMac(loadKey, { cardId, counter, order: orderBytes, cardNonce }) }
}

const bookLoad = async (
  { books, card, terminal }: LoadCase,
  asked: {
    readonly record: CardRecord
    readonly recordBytes: Uint8Array
    readonly orderBytes: Uint8Array
    readonly funding: FoundFunding | 'cash'
    readonly load: FundedLoad
  },
): Promise<Decision> => {
  const { line } = card
  const { record, recordBytes, orderBytes, funding } = asked
  const { counter } = record
  const alarm = (kind: AlarmKind): Decision => {
    books.alarm({ kind, card, counter, terminal })
    return refused
  }
  const point = line.point(counter)
  const earlier = await books.db
    .selectFrom('load_authorisation')
    .select(['card_no', 'counter', 'state', 'record'])
    .where('order_bytes', '=', orderBytes)
    .executeTakeFirst()
  // A card that offers a counter which is settled, or long behind it, is a copy or was rolled back.
  if (earlier !== undefined) {
    if (earlier.card_no !== card.cardNo) return refused
    if (earlier.counter !== counter) return { verdict: 'otherCounter' }
  }
  if (point?.settlementMac !== undefined) return alarm('clone')
  if (counter < line.counters.mark) return alarm('rollback')
  if (earlier !== undefined) {
    if (!equalBytes(earlier.record, recordBytes)) return alarm('balance')
    return earlier.state === 'void' ? refused : { verdict: 'authorised' }
  }
  if (!line.fits(record)) return alarm('balance')
  const { terminalNo, merchantNo } = terminal
  const fundedFrom = funding === 'cash' ? undefined : funding.account
  line.authorise({ order: orderBytes, recordBytes, record, terminalNo, merchantNo, fundedFrom }, books.now)
  if (funding !== 'cash') await takeFunding(books.db, funding.fundingNo, asked.load)
  return { verdict: 'authorised' }
}

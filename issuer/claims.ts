/** A claim is the customer's own proof of payment: it books the sale, once, and entitles to its goods (PROTOCOL.md, Documents). */
import { hash } from 'node:crypto'
import * as v from 'valibot'
import { toHex } from '../protocol/bytes.ts'
import { type Claim, parseClaim, requireClaimSeal } from '../protocol/claim.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { type Item, itemSchema } from '../protocol/item.ts'
import { type TerminalId, terminalId, type UnixTime } from '../protocol/quantities.ts'
import { type CardRecord, encodeRecord } from '../protocol/record.ts'
import { Books, type KnownCard } from './books.ts'
import type { Issuer } from './issuer.ts'
import { checkCard, isProven, readPriceList, settleRecord } from './settlement.ts'
import type { StoreWriter } from './store.ts'

export type ClaimRefusal =
  | 'layout'
  /** A wrong seal, or a record that its card did not make. */
  | 'forged'
  | 'expired'
  | 'unknownTerminal'
  | 'unknownCard'
  /** Another record has this card's counter: a person looks into it. */
  | 'clone'
  /** The payment was undone by the terminal that took it. */
  | 'reversed'
  | 'moneyBack'
  /** Not a published item at its price. */
  | 'itemOrPrice'
  /** Settled as an exception: a person looks into it. */
  | 'exception'

export interface HonouredClaim {
  readonly outcome: 'honoured'
  readonly record: CardRecord
  readonly item: Item
  /** Who sold. */
  readonly terminalId: TerminalId
  /** What people call that terminal. */
  readonly terminalName?: string
  /** What the books call the claim: 16 hex digits. */
  readonly claimName: string
  readonly merchant: string
  readonly expiry: UnixTime
  /** Whether this claim brought the sale to the books; false: it was there. */
  readonly booked: boolean
}

export type ClaimResult = HonouredClaim | { readonly outcome: 'refused'; readonly reason: ClaimRefusal }

const refuse = (reason: ClaimRefusal): ClaimResult => ({ outcome: 'refused', reason })

const openClaim = (issuer: Issuer, bytes: Uint8Array): Claim | 'layout' | 'forged' => {
  try {
    const claim = parseClaim(bytes)
    const key = issuer.keys.terminalMac(claim.keyVersion, claim.sealer)
    if (key === undefined) return 'forged'
    requireClaimSeal(key, bytes)
    return claim
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'forged' ? 'forged' : 'layout'
  }
}

/**
 * Honours a claim: books its sale if no other document did, and says which item it entitles to.
 * @param bytes 132, as they came
 */
export const settleClaim = async (issuer: Issuer, bytes: Uint8Array, now: UnixTime): Promise<ClaimResult> => {
  const claim = openClaim(issuer, bytes)
  if (typeof claim === 'string') return refuse(claim)
  if (claim.expiry < now) return refuse('expired')
  return issuer.store.write((db) => judgeClaim(issuer, db, { claim, bytes, now }))
}

const judgeClaim = async (
  issuer: Issuer,
  db: StoreWriter,
  { claim, bytes, now }: { readonly claim: Claim; readonly bytes: Uint8Array; readonly now: UnixTime },
): Promise<ClaimResult> => {
  const { record, settlementMac, sealer } = claim
  const { order, identity, counter } = record
  const claimHash = new Uint8Array(hash('sha256', bytes, 'buffer'))
  const claimName = toHex(claimHash.subarray(0, 8))
  const books = await Books.open(db, {
    document: `claim ${claimName}`,
    now,
    counters: new Map([[identity.cardId, [counter, counter + 1]]]),
    terminals: [sealer, order.terminalId],
  })
  const sealing = books.terminals.get(sealer)
  const selling = books.terminals.get(order.terminalId)
  if (sealing === undefined || selling === undefined) return refuse('unknownTerminal')
  const card = books.card(identity.cardId)
  const wrongCard = checkCard(issuer, card, record)
  if (card === undefined || wrongCard !== undefined) return refuse(wrongCard === 'unknownCard' ? wrongCard : 'forged')
  const recordBytes = encodeRecord(record)
  if (!isProven(issuer, { bytes: recordBytes, settlementMac })) return refuse('forged')
  const prices = await readPriceList(issuer, db, [toHex(order.itemHash)])
  const settled = settleRecord(
    books,
    { bytes: recordBytes, record, settlementMac, card, terminal: selling, source: 'claim' },
    prices,
  )
  await books.write()
  // What was booked is archived, whatever is answered: the books are rebuilt from documents alone.
  if (settled.outcome === 'settled')
    await archive(db, { bytes, claimHash, cardNo: card.cardNo, counter, sealerNo: sealing.terminalNo, now })
  const refusal = settled.outcome === 'clone' ? 'clone' : findRefusal(card, record, settled.exception)
  if (refusal !== undefined) return refuse(refusal)
  const { json } = await db
    .selectFrom('item_version')
    .select('json')
    .where('item_hash', '=', order.itemHash)
    .executeTakeFirstOrThrow()
  await archive(db, { bytes, claimHash, cardNo: card.cardNo, counter, sealerNo: sealing.terminalNo, now })
  return {
    outcome: 'honoured',
    record,
    item: v.parse(itemSchema, JSON.parse(json)),
    terminalId: terminalId(selling.terminalId),
    ...(selling.name === undefined ? {} : { terminalName: selling.name }),
    claimName,
    merchant: selling.merchant,
    expiry: claim.expiry,
    booked: settled.outcome === 'settled',
  }
}

const archive = async (
  db: StoreWriter,
  claim: {
    readonly bytes: Uint8Array
    readonly claimHash: Uint8Array
    readonly cardNo: number
    readonly counter: number
    readonly sealerNo: number
    readonly now: UnixTime
  },
): Promise<void> => {
  await db
    .insertInto('claim')
    .values({
      claim_hash: claim.claimHash,
      bytes: claim.bytes,
      card_no: claim.cardNo,
      counter: claim.counter,
      sealer_no: claim.sealerNo,
      received_at: claim.now,
    })
    .onConflict((conflict) => conflict.column('claim_hash').doNothing())
    .execute()
}

const findRefusal = (
  { line }: KnownCard,
  { counter }: CardRecord,
  exception: string | undefined,
): ClaimRefusal | undefined => {
  if (exception !== undefined) return exception === 'itemOrPrice' ? 'itemOrPrice' : 'exception'
  if (line.point(counter)?.moneyBackAt !== undefined) return 'moneyBack'
  const next = line.point(counter + 1)
  const undone = next?.record.order.type === 'reversal' && next.exception === undefined
  return undone || line.seam(counter)?.explanation === 'reversal' ? 'reversed' : undefined
}

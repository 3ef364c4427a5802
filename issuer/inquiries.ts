/** What a terminal asks before it asks a card for a load: what a voucher is worth, what a card is owed (PROTOCOL.md, Inquiries). */
import { ProtocolError } from '../protocol/errors.ts'
import {
  type CreditsAnswer,
  creditsMax,
  encodeInquiryAnswer,
  type Inquiry,
  parseInquiry,
  requireInquirySeal,
  type VoucherAnswer,
} from '../protocol/inquiry.ts'
import type { CardId, ShortHash } from '../protocol/quantities.ts'
import { type DocumentRefusal, type RefusedDocument, refuseDocument } from './batch-intake.ts'
import { findTerminals } from './books.ts'
import type { Issuer } from './issuer.ts'
import { isTerminalVersionOver } from './key-versions.ts'
import type { StoreReader } from './store.ts'

/** @returns the inquiry, whose seal is right, or why not */
const openInquiry = (
  issuer: Issuer,
  kind: Inquiry['about']['kind'],
  bytes: Uint8Array,
): { readonly inquiry: Inquiry; readonly key: Uint8Array } | DocumentRefusal => {
  try {
    const inquiry = parseInquiry(bytes)
    if (inquiry.about.kind !== kind) return 'layout'
    const key = issuer.keys.terminalKey(inquiry.keyVersion, inquiry.terminalId)
    if (key === undefined) return 'forged'
    requireInquirySeal(key, bytes)
    return { inquiry, key }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'forged' ? 'forged' : 'layout'
  }
}

const voucherOf = async (issuer: Issuer, db: StoreReader, hash: ShortHash): Promise<VoucherAnswer> => {
  const found = await db
    .selectFrom('funding')
    .select(['state', 'amount_minor', 'expires_at'])
    .where('reference_hash', '=', hash)
    .where('kind', '=', 'voucher')
    .executeTakeFirst()
  if (found === undefined || found.state === 'cancelled') return { state: 'unknown' }
  if (found.state === 'used') return { state: 'used' }
  const isExpired = found.state === 'lapsed' || (found.expires_at !== null && found.expires_at < issuer.clock())
  return isExpired ? { state: 'expired' } : { state: 'valid', amountMinor: found.amount_minor }
}

const creditsOf = async (db: StoreReader, card: CardId): Promise<CreditsAnswer> => {
  const rows = await db
    .selectFrom('funding')
    .innerJoin('card', 'card.card_no', 'funding.card_no')
    .select(['reference', 'amount_minor'])
    .where('card.card_id', '=', card)
    .where('kind', '=', 'credit')
    .where('state', '=', 'open')
    .where('reference', 'is not', null)
    .orderBy('funding_no')
    .limit(creditsMax)
    .execute()
  return { credits: rows.map((row) => ({ reference: row.reference ?? '', amountMinor: row.amount_minor })) }
}

export interface AnsweredInquiry {
  readonly answer: Uint8Array
  readonly terminalId: string
  /** No such voucher: whoever asks so again and again is guessing. */
  readonly isGuess: boolean
}

/** @param bytes an inquiry as it came: it changes nothing, and may come as often as it likes */
export const answerInquiry = async (
  issuer: Issuer,
  kind: Inquiry['about']['kind'],
  bytes: Uint8Array,
): Promise<AnsweredInquiry | RefusedDocument> => {
  const what = 'The inquiry is refused'
  const opened = openInquiry(issuer, kind, bytes)
  if (typeof opened === 'string') return refuseDocument(opened, what)
  const { inquiry, key } = opened
  const { about, terminalId } = inquiry
  return issuer.store.read(async (db) => {
    const terminal = (await findTerminals(db, [terminalId])).get(terminalId)
    if (terminal === undefined || terminal.epoch === 0) return refuseDocument('unknownTerminal', what)
    if (await isTerminalVersionOver(issuer, db, inquiry.keyVersion)) return refuseDocument('forged', what)
    const said = about.kind === 'voucher' ? await voucherOf(issuer, db, about.hash) : await creditsOf(db, about.cardId)
    const isGuess = 'state' in said && said.state === 'unknown'
    return { answer: encodeInquiryAnswer(key, inquiry, said), terminalId, isGuess }
  })
}

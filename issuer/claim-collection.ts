/**
 * What a customer's phone gets for a claim (PROTOCOL.md, Claims): the receipt, and the code itself or a short-lived address
 * of the content. Collected twice are the same goods and the same code.
 */
import { createHash } from 'node:crypto'
import type { ShownFile } from '../protocol/bulletin.ts'
import { u32Max } from '../protocol/bytes.ts'
import { currencyOf, taxWithin } from '../protocol/currency.ts'
import { parsed } from '../protocol/errors.ts'
import type { Item, ItemKind } from '../protocol/item.ts'
import { decryptContent } from '../protocol/keyring.ts'
import { parseTicket, ticketNumber } from '../protocol/ticket.ts'
import { goodsFolder } from './catalogue.ts'
import { type ClaimRefusal, type HonouredClaim, settleClaim } from './claims.ts'
import { codeOpener, contentKey } from './content-keys.ts'
import { readBlob } from './goods.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import { fileNameOf } from './media-types.ts'
import { brandIn } from './shelf/brand.ts'
import { displayOf } from './shelf/shelf.ts'

const ticketSeconds = 15 * 60
const ticketBytes = 32

/** The answer of POST /v1/claims. Times are ISO 8601 in UTC. */
export interface CollectedClaim {
  readonly item: string
  readonly kind: ItemKind
  /** By BCP 47 tag. */
  readonly title: Readonly<Record<string, string>>
  readonly summary: Readonly<Record<string, string>>
  readonly merchant: string
  readonly amountMinor: number
  readonly currency: string
  readonly currencyDecimals: number
  readonly taxBasisPoints: number
  /** Contained in the amount, rounded half up. */
  readonly taxMinor: number
  readonly paidAt: string
  /** When the claim ends. */
  readonly expiresAt: string
  readonly receipt: {
    /** The last four digits of the card's id: the whole of it stays with the card. */
    readonly cardEnding: string
    readonly counter: number
    readonly terminalId: string
    /** What people call the kiosk, if anything. */
    readonly terminalName?: string
    readonly terminalSeq: number
    /** What the seller finds this purchase by: 16 hex digits. */
    readonly claim: string
  }
  /** The one-time code or ticket; otherwise there is a content. */
  readonly code?: string
  /** Of a ticket that proves itself. */
  readonly ticket?: {
    /** What a person reads out, such as "7H3K-M2PQ". */
    readonly number: string
    readonly validFrom: string
    /** Absent: without end. */
    readonly validUntil?: string
  }
  readonly mediaType: string
  readonly bytes: number
  readonly fileName: string
  /** On this server, for 15 minutes. */
  readonly contentUrl?: string
  /** What the article looks like on the shelf, as `contentUrl`. */
  readonly pictureUrl?: string
  /** By what the merchant's kiosks are recognised: a colour such as "#1f6f5c", and a logo as `contentUrl`. */
  readonly accent?: string
  readonly logoUrl?: string
}

export type Collection =
  | { readonly outcome: 'collected'; readonly answer: CollectedClaim }
  | { readonly outcome: 'refused'; readonly reason: ClaimRefusal; readonly sentence: string }

const sentences: Readonly<Record<ClaimRefusal, string>> = {
  layout: 'This is not a whole claim: scan the QR code again.',
  forged: 'This claim is not genuine: scan the QR code again.',
  expired: 'This claim has expired: ask the seller.',
  unknownTerminal: 'This claim was made by a terminal that is not one of ours.',
  unknownCard: 'The card of this claim is not known here yet: try again later.',
  clone: 'Another purchase has this number on the card: a person has to look at it.',
  reversed: 'This purchase was undone at the terminal: there is nothing to collect.',
  moneyBack: 'The money of this purchase was given back: there is nothing to collect.',
  itemOrPrice: 'What was sold is not in the catalogue at this price: a person has to look at it.',
  exception: 'This purchase was set aside: a person has to look at it.',
}

const ticketHash = (ticket: string): string => createHash('sha256').update(`farthing content ${ticket}`).digest('hex')

/** A ticket to one content for some minutes. */
const issueTicket = async (
  issuer: Issuer,
  content: { readonly contentHash: string; readonly mediaType: string; readonly fileName: string },
): Promise<string> => {
  const ticket = Buffer.from(issuer.randomBytes(ticketBytes)).toString('base64url')
  const now = issuer.clock()
  await issuer.store.write(async (db) => {
    await db.deleteFrom('content_ticket').where('expires_at', '<', now).execute()
    await db
      .insertInto('content_ticket')
      .values({
        ticket_hash: ticketHash(ticket),
        content_hash: content.contentHash,
        media_type: content.mediaType,
        file_name: content.fileName,
        expires_at: now + ticketSeconds,
      })
      .execute()
  })
  return ticket
}

const codeOf = async (issuer: Issuer, unit: string): Promise<string> => {
  const row = await issuer.store.read((db) =>
    db.selectFrom('unit').select('sealed_code').where('unit', '=', unit).executeTakeFirstOrThrow(),
  )
  return codeOpener(issuer)({ unit, sealed: row.sealed_code })
}

const ticketIn = (code: string): Pick<CollectedClaim, 'ticket'> => {
  const ticket = parsed(() => parseTicket(code))
  if (ticket === undefined) return {}
  const validUntil = ticket.validUntil === u32Max ? {} : { validUntil: isoTime(ticket.validUntil) }
  return { ticket: { number: ticketNumber(ticket), validFrom: isoTime(ticket.validFrom), ...validUntil } }
}

const codeGoods = (item: Item, code: string): Pick<CollectedClaim, 'code' | 'ticket'> => ({
  code,
  ...(item.kind === 'ticket' ? ticketIn(code) : {}),
})

/** As the kiosks show it from the next publication on. */
const brandOf = async (
  issuer: Issuer,
  merchant: string,
  addressOf: (file: ShownFile, name: string) => Promise<string>,
): Promise<Pick<CollectedClaim, 'accent' | 'logoUrl'>> => {
  const brand = await issuer.store.read((db) => brandIn(db, merchant))
  return {
    ...(brand?.accent === undefined ? {} : { accent: brand.accent }),
    ...(brand?.logo === undefined ? {} : { logoUrl: await addressOf(brand.logo, 'logo') }),
  }
}

const receiptOf = (
  claim: HonouredClaim,
): Omit<CollectedClaim, 'code' | 'contentUrl' | 'pictureUrl' | 'accent' | 'logoUrl'> => {
  const { item, record } = claim
  return {
    item: item.id,
    kind: item.kind,
    title: item.title,
    summary: item.summary,
    merchant: claim.merchant,
    amountMinor: record.order.amountMinor,
    currency: item.currency,
    currencyDecimals: currencyOf(item.currency).decimals,
    taxBasisPoints: item.taxBasisPoints,
    taxMinor: taxWithin(record.order.amountMinor, item.taxBasisPoints),
    paidAt: isoTime(record.order.time),
    expiresAt: isoTime(claim.expiry),
    receipt: {
      cardEnding: record.identity.cardId.slice(-4),
      counter: record.counter,
      terminalId: claim.terminalId,
      ...(claim.terminalName === undefined ? {} : { terminalName: claim.terminalName }),
      terminalSeq: record.order.terminalSeq,
      claim: claim.claimName,
    },
    mediaType: item.mediaType,
    bytes: item.bytes,
    fileName: fileNameOf(item),
  }
}

/**
 * Honours a claim, books its sale where it is news, and hands out what was bought.
 * @param bytes as they came @param contentPath where GET /v1/claims/content is reached, without a slash at its end
 */
export const collectClaim = async (issuer: Issuer, bytes: Uint8Array, contentPath: string): Promise<Collection> => {
  const claim = await settleClaim(issuer, bytes, issuer.clock())
  if (claim.outcome === 'refused') return { ...claim, sentence: sentences[claim.reason] }
  const { item } = claim
  const addressOf = async (file: Pick<ShownFile, 'contentHash' | 'mediaType'>, fileName: string): Promise<string> =>
    `${contentPath}/${await issueTicket(issuer, { ...file, fileName })}`
  const goods =
    item.unit === undefined
      ? { contentUrl: await addressOf(item, fileNameOf(item)) }
      : codeGoods(item, await codeOf(issuer, item.unit))
  const { picture } = (await displayOf(issuer, item.id)).display
  const shown = picture === undefined ? {} : { pictureUrl: await addressOf(picture, `${item.id}-picture`) }
  const brand = await brandOf(issuer, claim.merchant, addressOf)
  return { outcome: 'collected', answer: { ...receiptOf(claim), ...goods, ...shown, ...brand } }
}

export interface TicketedContent {
  readonly bytes: Uint8Array
  readonly mediaType: string
  readonly fileName: string
}

/** A player asks for one film in a hundred ranges: it is decrypted once. The newest few are kept, and no more than this. */
const openedCountMax = 4
const openedBytesMax = 256 * 1024 * 1024
const opened = new Map<string, Promise<Uint8Array>>()

const openedContent = async (issuer: Issuer, contentHash: string): Promise<Uint8Array> => {
  const name = `${issuer.store.url} ${contentHash}`
  const known = opened.get(name)
  if (known !== undefined) return known
  const opening = (async () => {
    const blob = Uint8Array.from(await readBlob(goodsFolder(issuer), contentHash))
    return decryptContent(blob, { key: contentKey(issuer, contentHash), contentHash })
  })()
  opened.set(name, opening)
  opening.catch(() => opened.delete(name))
  const bytes = await opening
  const sizes = await Promise.all(opened.values())
  let total = sizes.reduce((sum, each) => sum + each.length, 0)
  for (const [oldest, content] of opened) {
    if (opened.size <= openedCountMax && total <= openedBytesMax) break
    opened.delete(oldest)
    total -= (await content).length
  }
  return bytes
}

/** @returns undefined: the ticket was never made, or its minutes are over */
export const contentByTicket = async (issuer: Issuer, ticket: string): Promise<TicketedContent | undefined> => {
  const row = await issuer.store.read((db) =>
    db
      .selectFrom('content_ticket')
      .selectAll()
      .where('ticket_hash', '=', ticketHash(ticket))
      .where('expires_at', '>=', issuer.clock())
      .executeTakeFirst(),
  )
  if (row === undefined) return undefined
  const contentHash = row.content_hash
  return { bytes: await openedContent(issuer, contentHash), mediaType: row.media_type, fileName: row.file_name }
}

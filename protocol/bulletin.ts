/**
 * The bulletin: what the issuer tells every terminal (PROTOCOL.md, Bulletin).
 * "FBUL" | version u8 = 1 | signing key version u8 | 0 u16 | Ed25519 signature 64 | canonical JSON
 * The signature (RFC 8032) is over "farthing bulletin" || the first 8 bytes || the JSON.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import * as v from 'valibot'
import { ascii, ByteReader, ByteWriter, concat, protocolVersion } from './bytes.ts'
import { canonicalBytes, parseCanonical } from './canonical-json.ts'
import { ProtocolError } from './errors.ts'
import { hotlistSchema } from './hotlist.ts'
import { hash32Schema, type Item, id8Schema, itemIdSchema, itemSchema, textsSchema, u32Schema } from './item.ts'

const headLength = 8
const signatureLength = 64
export const bulletinBytesMax = 64 * 1024 * 1024
/** A quarter of it goes over HTTP: an answer without end, again and again, must leave a kiosk under 200 MB. */
export const newsBytesMax = 16 * 1024 * 1024
/**
 * How far serials and signed times may lie ahead of the time that a terminal trusts. Serials are UNIX seconds, or a little
 * more; one near the end of its range, kept once, would shut every later document out (PROTOCOL.md, Bulletin).
 */
export const aheadSecondsMax = 180 * 86_400

const timeSchema = v.pipe(v.string(), v.isoTimestamp())

export const assortmentNameSchema = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'a-z, 0-9, . _ - and at most 64'),
)

export const limitsSchema = v.strictObject({
  /** The most that one sale may cost. */
  saleMinorMax: u32Schema,
  /** The most that one card may spend at one terminal since that terminal last reached the issuer. */
  cardUnsyncedMinorMax: u32Schema,
  /** The terminal's own cap on what the issuer has not acknowledged: entries, value, and age of the oldest. */
  unsyncedCountMax: u32Schema,
  unsyncedMinorMax: u32Schema,
  unsyncedSecondsMax: u32Schema,
  /** A bulletin older than this lowers the per-sale limit to `staleSaleMinorMax`; past `expiresAt` sales stop. */
  staleAfterSeconds: u32Schema,
  staleSaleMinorMax: u32Schema,
})
export type Limits = Readonly<v.InferOutput<typeof limitsSchema>>

/** How many shelves a catalogue may have. */
export const categoriesMax = 100

/** A file that belongs to the shelf and not to what is sold: fetched as goods are, encrypted as they are, shown to everybody. */
const shownFileSchema = v.strictObject({
  contentHash: hash32Schema,
  mediaType: v.pipe(v.string(), v.regex(/^[\w.+-]+\/[\w.+-]+$/), v.maxLength(100)),
  bytes: v.pipe(u32Schema, v.minValue(1)),
})
export type ShownFile = Readonly<v.InferOutput<typeof shownFileSchema>>

export const accentSchema = v.pipe(v.string(), v.regex(/^#[0-9a-f]{6}$/, '# and six lower-case hex digits'))

export const categorySchema = v.strictObject({ id: itemIdSchema, title: textsSchema })
export type Category = Readonly<v.InferOutput<typeof categorySchema>>

/** How an article is shown, and to whom and until when it is offered. It is no part of what a payment signs. */
export const displaySchema = v.strictObject({
  itemId: itemIdSchema,
  /** One of `categories`. */
  category: v.optional(itemIdSchema),
  picture: v.optional(shownFileSchema),
  /** A part of the content, to look at before buying. */
  preview: v.optional(shownFileSchema),
  /** The customer must say that he is at least this old. */
  ageMin: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(99))),
  /** From then on it is not offered any more. */
  soldUntil: v.optional(timeSchema),
  /** The goods are a print. */
  printed: v.optional(v.literal(true)),
})
export type Display = Readonly<v.InferOutput<typeof displaySchema>>

export const brandSchema = v.strictObject({
  /** As the keyring names him. */
  merchant: v.string(),
  accent: v.optional(accentSchema),
  logo: v.optional(shownFileSchema),
})
export type Brand = Readonly<v.InferOutput<typeof brandSchema>>

export const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/svg+xml'] as const
export const previewTypes = [
  ...pictureTypes,
  'application/pdf',
  'application/epub+zip',
  'text/markdown',
  'text/plain',
  'audio/mpeg',
  'audio/wav',
  'audio/ogg',
  'video/mp4',
  'video/webm',
] as const

/** What a terminal shows of its shelf: anything larger, or of another kind, is as if it were not there. */
export const shownLimits = {
  picture: { bytesMax: 512 * 1024, types: pictureTypes },
  preview: { bytesMax: 4 * 1024 * 1024, types: previewTypes },
  logo: { bytesMax: 128 * 1024, types: pictureTypes },
} as const

export const bulletinSchema = v.strictObject({
  v: v.literal(1),
  /** Only grows. */
  serial: v.pipe(u32Schema, v.minValue(1)),
  issuedAt: timeSchema,
  expiresAt: timeSchema,
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
  /** Where a claim's QR code leads: PUBLIC_URL/c#... */
  publicUrl: v.pipe(v.string(), v.url()),
  /** How long a claim stands. */
  claimSeconds: u32Schema,
  /** Articles; those of kind code and ticket are sold by unit (the keyring says which). */
  items: v.array(itemSchema),
  /** Versions that take the place of those in `items` by themselves, each from its moment on; by time. */
  coming: v.optional(v.array(v.strictObject({ from: timeSchema, item: itemSchema }))),
  /** What a terminal sells that was given one of these names in its keyring. Without a name it sells everything. */
  assortments: v.optional(v.array(v.strictObject({ name: assortmentNameSchema, items: v.array(itemIdSchema) }))),
  /** The shelves, in the order in which they are shown. */
  categories: v.optional(v.pipe(v.array(categorySchema), v.maxLength(categoriesMax))),
  /** At most one entry an article; one of an article that is not there says nothing. */
  display: v.optional(v.array(displaySchema)),
  /** How merchants want to be recognised. */
  brands: v.optional(v.array(brandSchema)),
  /** Cards refused on sight: the log that says which, so that one signature covers it. */
  hotlist: hotlistSchema,
  limits: limitsSchema,
  /** Versions of MK_pay in use: cards of others are refused. */
  payKeyVersions: v.array(v.pipe(u32Schema, v.maxValue(255))),
})
export type Bulletin = Readonly<v.InferOutput<typeof bulletinSchema>>

/** UNIX seconds of a document's time. */
export const secondsOf = (time: string): number => Math.floor(Date.parse(time) / 1000)

/** The articles as they are sold at a moment, by the bulletin alone: a terminal offline switches to a new price by itself. */
export const articlesAt = (bulletin: Pick<Bulletin, 'items' | 'coming'>, seconds: number): readonly Item[] => {
  const begun = (bulletin.coming ?? []).filter(({ from }) => secondsOf(from) <= seconds)
  if (begun.length === 0) return bulletin.items
  const articles = new Map(bulletin.items.map((item) => [item.id, item]))
  for (const { item } of begun.toSorted((a, b) => secondsOf(a.from) - secondsOf(b.from))) articles.set(item.id, item)
  return [...articles.values()]
}

const signedBytes = (head: Uint8Array, json: Uint8Array): Uint8Array => concat(ascii('farthing bulletin'), head, json)

/** @param privateKey Ed25519 seed, 32 bytes @returns the signed document */
export const encodeBulletin = (
  bulletin: Bulletin,
  signing: { readonly privateKey: Uint8Array; readonly keyVersion: number },
): Uint8Array => {
  const json = canonicalBytes(bulletin)
  const head = new ByteWriter(headLength)
    .bytes(ascii('FBUL'), 4, 'magic')
    .u8(protocolVersion)
    .u8(signing.keyVersion)
    .zeros(2)
    .done()
  return concat(head, ed25519.sign(signedBytes(head, json), signing.privateKey), json)
}

/** Which version of the signing key a bulletin says it is signed with. @throws ProtocolError */
export const bulletinKeyVersion = (bytes: Uint8Array): number => {
  const reader = new ByteReader(bytes.subarray(0, headLength), headLength, 'bulletin')
  reader.magic('FBUL')
  reader.version('bulletin')
  const keyVersion = reader.u8()
  reader.reserved(2, 'bulletin')
  return keyVersion
}

/** Reads what a bulletin says, whoever signed it: for a courier, who carries it and need not believe it. @throws ProtocolError */
export const parseBulletin = (bytes: Uint8Array): Bulletin => {
  if (bytes.length < headLength + signatureLength || bytes.length > bulletinBytesMax)
    throw new ProtocolError('length', 'bulletin')
  bulletinKeyVersion(bytes)
  return parseCanonical(bulletinSchema, bytes.slice(headLength + signatureLength), 'bulletin')
}

/** @returns the JSON under a right signature @throws ProtocolError; `forged` when the signature is wrong */
const verified = (bytes: Uint8Array, publicKey: Uint8Array): Uint8Array => {
  if (bytes.length < headLength + signatureLength || bytes.length > bulletinBytesMax)
    throw new ProtocolError('length', 'bulletin')
  bulletinKeyVersion(bytes)
  const head = bytes.slice(0, headLength)
  const signature = bytes.slice(headLength, headLength + signatureLength)
  const json = bytes.slice(headLength + signatureLength)
  let valid = false
  try {
    valid = ed25519.verify(signature, signedBytes(head, json), publicKey)
  } catch {
    valid = false
  }
  if (!valid) throw new ProtocolError('forged', 'bulletin')
  return json
}

/** Verifies, then reads. @param publicKey Ed25519, 32 bytes @throws ProtocolError; `forged` when the signature is wrong */
export const openBulletin = (bytes: Uint8Array, publicKey: Uint8Array): Bulletin =>
  parseCanonical(bulletinSchema, verified(bytes, publicKey), 'bulletin')

/** Before the hotlist was a log, the bulletin carried it whole. */
const inlineHotlistSchema = v.strictObject({
  ...bulletinSchema.entries,
  hotlist: v.array(
    v.strictObject({
      cardId: id8Schema,
      blockMac: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))),
    }),
  ),
})

/**
 * As `openBulletin`, for one that was taken or published earlier, perhaps by an earlier Farthing: its inline hotlist reads as a
 * log of generation 0, which no other document names. @throws ProtocolError
 */
export const openStoredBulletin = (bytes: Uint8Array, publicKey: Uint8Array): Bulletin => {
  const json = verified(bytes, publicKey)
  try {
    return parseCanonical(bulletinSchema, json, 'bulletin')
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const { hotlist, ...rest } = parseCanonical(inlineHotlistSchema, json, 'bulletin')
    return { ...rest, hotlist: { generation: 0, count: hotlist.length, head: '00'.repeat(32) } }
  }
}

/** The item: what is sold, as canonical JSON; its hash is what a payment signs (PROTOCOL.md, Items). */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import * as v from 'valibot'
import { toHex, u32Max } from './bytes.ts'
import { canonicalBytes } from './canonical-json.ts'
import { shortHashOf } from './mac.ts'
import type { ShortHash } from './quantities.ts'

export const itemKinds = ['document', 'media', 'code', 'ticket'] as const
export type ItemKind = (typeof itemKinds)[number]

export const hash32Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'))
export const id8Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, '16 lower-case hex digits'))
export const u32Schema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(u32Max))
/** Titles and summaries by BCP 47 tag; at least one. */
export const textsSchema = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$/)),
    v.pipe(
      v.string(),
      v.maxLength(2000),
      v.check((text) => text.isWellFormed(), 'whole characters'),
    ),
  ),
  v.check((texts) => Object.keys(texts).length > 0, 'at least one language'),
)
export const itemIdSchema = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'a-z, 0-9, . _ - and at most 64'))

export const itemSchema = v.strictObject({
  v: v.literal(1),
  id: itemIdSchema,
  version: v.pipe(u32Schema, v.minValue(1)),
  kind: v.picklist(itemKinds),
  title: textsSchema,
  summary: textsSchema,
  priceMinor: v.pipe(u32Schema, v.minValue(1)),
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
  taxBasisPoints: v.pipe(u32Schema, v.maxValue(10_000)),
  mediaType: v.pipe(v.string(), v.regex(/^[\w.+-]+\/[\w.+-]+$/), v.maxLength(100)),
  /** Of the content; 0 for an article of codes or tickets. */
  bytes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 40)),
  /** SHA-256 of the content; of no bytes for an article of codes or tickets. */
  contentHash: hash32Schema,
  /** SHA-256 of the one-time code: makes of an article the one unit that is sold. */
  unit: v.optional(hash32Schema),
})
export type Item = Readonly<v.InferOutput<typeof itemSchema>>

/** Kinds of which each unit is unique and sold once. */
export const isSoldByUnit = (item: Pick<Item, 'kind'>): boolean => item.kind === 'code' || item.kind === 'ticket'

/** SHA-256(canonical JSON)[0..16]: the itemHash of an order. */
export const itemHash = (item: Item): ShortHash => shortHashOf(canonicalBytes(item))

/** The one item that sells this code: its article with `unit` = SHA-256(code in UTF-8). */
export const unitItem = (article: Item, code: string): Item => ({ ...article, unit: unitOf(code) })

/** SHA-256 of a code's UTF-8, in hex. */
export const unitOf = (code: string): string => toHex(sha256(utf8ToBytes(code)))

/** The content hash of an article that is sold by unit: SHA-256 of no bytes. */
export const emptyContentHash = toHex(sha256(new Uint8Array(0)))

/** What terminals are told, and the versions of keys, as the console shows and changes them. */
import * as v from 'valibot'
import { listQuery, pageOf } from './list.ts'

const u32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff))
const limitFields = {
  saleMinorMax: u32,
  staleSaleMinorMax: u32,
  cardUnsyncedMinorMax: u32,
  unsyncedMinorMax: u32,
  unsyncedCountMax: u32,
  staleAfterSeconds: u32,
  unsyncedSecondsMax: u32,
}
export const limitsView = v.object(limitFields)
export type LimitsView = v.InferOutput<typeof limitsView>

export const bulletinAnswer = v.object({
  /** Absent: nothing was published yet. */
  bulletin: v.optional(
    v.object({
      serial: v.number(),
      issuedAt: v.string(),
      expiresAt: v.string(),
      bytes: v.number(),
      items: v.number(),
      coming: v.number(),
      assortments: v.number(),
      hotlisted: v.number(),
      signingKeyVersion: v.number(),
      payKeyVersions: v.array(v.number()),
      claimSeconds: v.number(),
      validSeconds: v.number(),
      limits: limitsView,
    }),
  ),
  /** Days since it was signed, when they are so many that the next one has to be insisted on. */
  jumpDays: v.optional(v.number()),
  /** About what comes near the limits of what terminals take. */
  warnings: v.array(v.string()),
})
export type BulletinAnswer = v.InferOutput<typeof bulletinAnswer>

export const termsInput = v.object({
  limits: v.optional(v.partial(limitsView)),
  validSeconds: v.optional(u32),
  claimSeconds: v.optional(u32),
})
export const publishInput = v.object({ jump: v.optional(v.boolean()) })
export const publishedAnswer = v.object({ serial: v.number() })

export const newsQuery = listQuery(['asked', 'terminal'], {
  state: v.optional(v.picklist(['current', 'behind', 'never'])),
})
export const newsRow = v.object({
  terminalId: v.string(),
  merchant: v.string(),
  merchantNo: v.number(),
  /** Of the last documents that somebody asked for in its name: a hint, proved by nothing. */
  bulletinSerial: v.optional(v.number()),
  keyringSerial: v.optional(v.number()),
  askedAt: v.optional(v.string()),
  state: v.picklist(['current', 'behind', 'never']),
  assortment: v.optional(v.string()),
  /** Of the newest seal that came from it. */
  keyVersion: v.number(),
})
export type NewsRow = v.InferOutput<typeof newsRow>
export const newsPage = pageOf(newsRow)

export const keysAnswer = v.object({
  versions: v.array(
    v.object({
      version: v.number(),
      newest: v.boolean(),
      activeCards: v.number(),
      cardsRetired: v.boolean(),
      terminals: v.number(),
      terminalsEnded: v.boolean(),
    }),
  ),
  signingKeyVersion: v.number(),
  /** Made from keys that others know. */
  dev: v.boolean(),
})
export type KeysAnswer = v.InferOutput<typeof keysAnswer>

export const rotateInput = v.object({ what: v.picklist(['masters', 'signing']) })
export const rotatedAnswer = v.object({
  keyVersion: v.number(),
  /** Where the keys file of before is kept, on the issuer's machine. */
  keptAs: v.string(),
  serial: v.optional(v.number()),
})
const versionText = v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number))
export const versionInput = v.object({ version: versionText, force: v.optional(v.boolean()) })
export const retiredAnswer = v.object({ cards: v.number() })
export const endedAnswer = v.object({ terminals: v.number() })

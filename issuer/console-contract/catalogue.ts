/** The catalogue as the console shows and changes it. */
import * as v from 'valibot'
import { listQuery, pageOf } from './list.ts'
import { terminalIdText } from './terminals.ts'

export const itemIdText = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'An id has a-z, 0-9, ".", "_" and "-", and up to 64 characters.'),
)
const contentHashText = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'A content’s hash has 64 hex digits.'))
const texts = v.record(v.string(), v.string())
export const kinds = ['document', 'media', 'code', 'ticket'] as const
const momentText = v.pipe(v.string(), v.maxLength(40))

export const articleView = v.object({
  id: v.string(),
  version: v.number(),
  kind: v.picklist(kinds),
  /** By language (BCP 47). */
  title: texts,
  summary: texts,
  priceMinor: v.number(),
  /** Contained in the price. */
  taxBasisPoints: v.number(),
  mediaType: v.string(),
  /** Of the goods; 0 for codes and tickets. */
  bytes: v.number(),
  contentHash: v.string(),
})
export type ArticleView = v.InferOutput<typeof articleView>

const comingArticle = v.object({ from: v.string(), item: articleView })

export const articleRow = v.object({
  itemId: v.string(),
  title: v.string(),
  kind: v.picklist(kinds),
  /** `unpublished`: offered, and not in the newest bulletin as it stands. */
  state: v.picklist(['offered', 'unpublished', 'coming', 'withdrawn']),
  priceMinor: v.number(),
  /** The next price or version, and from when. */
  nextPriceMinor: v.optional(v.number()),
  nextFrom: v.optional(v.string()),
  languages: v.array(v.string()),
  /** Of codes and tickets: those that no terminal has, of all. */
  unitsFree: v.optional(v.number()),
  unitsTotal: v.optional(v.number()),
  assortments: v.array(v.string()),
})
export type ArticleRow = v.InferOutput<typeof articleRow>

export const articlesQuery = listQuery(['id', 'title', 'price'], {
  /** Part of an id or a title. */
  q: v.optional(v.pipe(v.string(), v.maxLength(100))),
  state: v.optional(v.picklist(['offered', 'unpublished', 'coming', 'withdrawn'])),
  kind: v.optional(v.picklist(kinds)),
})
export const articlesPage = pageOf(articleRow)

export const articleInput = v.object({ itemId: itemIdText })

export const shownFile = v.object({ contentHash: v.string(), mediaType: v.string(), bytes: v.number() })
/** How an article is shown, to whom and until when. */
export const articleDisplay = v.object({
  category: v.optional(v.string()),
  picture: v.optional(shownFile),
  preview: v.optional(shownFile),
  /** Made of the goods by itself. */
  previewMade: v.boolean(),
  ageMin: v.optional(v.number()),
  soldUntil: v.optional(v.string()),
  printed: v.boolean(),
})

export const articleDetail = v.object({
  item: articleView,
  display: articleDisplay,
  offered: v.boolean(),
  coming: v.array(comingArticle),
  /** As terminals are told now; absent: they are not. */
  published: v.optional(articleView),
  assortments: v.array(v.string()),
  units: v.optional(
    v.array(
      v.object({
        /** Absent: no terminal has them. */
        terminalId: v.optional(v.string()),
        merchant: v.optional(v.string()),
        forSale: v.number(),
        sold: v.number(),
        withheld: v.number(),
        withdrawn: v.number(),
      }),
    ),
  ),
  versions: v.array(
    v.object({
      version: v.number(),
      priceMinor: v.number(),
      addedAt: v.string(),
      /** Between these times some bulletin allowed it; absent: at any time, or never published. */
      soldFrom: v.optional(v.string()),
      soldUntil: v.optional(v.string()),
    }),
  ),
})
export type ArticleDetail = v.InferOutput<typeof articleDetail>

/** A file whole; what it is sold as comes afterwards. */
export const uploadInput = v.object({
  fileName: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  bytes: v.instance(Uint8Array<ArrayBuffer>),
})
export const uploadBytesMax = 64 * 1024 * 1024

export const uploaded = v.object({
  contentHash: v.string(),
  bytes: v.number(),
  /** By the file's name; absent: it is not known. */
  mediaType: v.optional(v.string()),
  /** What is wrong with it, and what to do: a sentence. Customers may get something that does not open. */
  problem: v.optional(v.string()),
})
export type Uploaded = v.InferOutput<typeof uploaded>

export const previewInput = v.object({ contentHash: contentHashText, mediaType: v.pipe(v.string(), v.maxLength(100)) })

const priceMinor = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffffffff))
const taxBasisPoints = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000))
/** Such as "2026-12-01 08:00", in the book's time zone; absent: with the next bulletin. */
const from = v.optional(momentText)

const newArticle = {
  itemId: itemIdText,
  title: texts,
  summary: v.optional(texts),
  priceMinor,
  taxBasisPoints: v.optional(taxBasisPoints),
  from,
}
export const addArticleInput = v.object({
  ...newArticle,
  /** Of what was uploaded. */
  contentHash: contentHashText,
  fileName: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  kind: v.optional(v.picklist(kinds)),
  mediaType: v.optional(v.pipe(v.string(), v.maxLength(100))),
})
/** Tickets that the issuer makes and signs. */
export const addTicketsInput = v.object({
  ...newArticle,
  count: v.pipe(v.number(), v.integer()),
  /** As `from`, in which they are good; absent: from now on, and without end. An end of a day alone is its last second. */
  validFrom: v.optional(momentText),
  validUntil: v.optional(momentText),
})
export const addedArticle = v.object({
  itemId: v.string(),
  version: v.number(),
  outcome: v.picklist(['added', 'changed', 'unchanged']),
  /** Codes or tickets that were new. */
  unitsAdded: v.number(),
  /** `none`: of such goods none is made, or they are too short to show a part of. */
  preview: v.picklist(['given', 'made', 'none']),
  /** What is wrong with the file, or why no preview was made where one might have been: a sentence. */
  previewProblem: v.optional(v.string()),
})

export const shownUpload = v.nullish(v.object({ contentHash: contentHashText, fileName: v.string() }))
/** Absent: as it is. null: none any more. */
export const displayInput = v.object({
  itemId: itemIdText,
  category: v.nullish(itemIdText),
  picture: shownUpload,
  preview: shownUpload,
  ageMin: v.nullish(v.number()),
  /** Such as "2026-12-24 18:00", in the book's time zone. */
  until: v.nullish(momentText),
  printed: v.optional(v.boolean()),
})

export const categoriesAnswer = v.object({
  categories: v.array(v.object({ id: v.string(), title: texts, items: v.number() })),
})
export type CategoriesAnswer = v.InferOutput<typeof categoriesAnswer>
export const categoryInput = v.object({
  id: itemIdText,
  title: texts,
  /** 1 is first; absent: where it is, and a new one last. */
  place: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
})
export const categoryId = v.object({ id: itemIdText })

export const changeArticleInput = v.object({
  itemId: itemIdText,
  priceMinor: v.optional(priceMinor),
  /** In the place of all titles. */
  title: v.optional(texts),
  summary: v.optional(texts),
  taxBasisPoints: v.optional(taxBasisPoints),
  from,
})

export const changesAnswer = v.object({
  /** Of the newest bulletin; absent: nothing was published yet. */
  serial: v.optional(v.number()),
  added: v.array(articleView),
  changed: v.array(v.object({ before: articleView, after: articleView })),
  withdrawn: v.array(articleView),
  announced: v.array(comingArticle),
  cancelled: v.array(comingArticle),
  assortments: v.array(
    v.object({
      name: v.string(),
      outcome: v.picklist(['added', 'changed', 'removed']),
      added: v.array(v.string()),
      removed: v.array(v.string()),
    }),
  ),
  /** Articles that are shown or offered otherwise. */
  shown: v.array(v.string()),
  /** Other categories, or in another order. */
  categories: v.boolean(),
  /** Merchants with another logo or accent. */
  brands: v.array(v.string()),
  /** Terminals that get another assortment. */
  terminals: v.array(v.string()),
  unitsToDeal: v.number(),
  /** Nothing would change. */
  nothing: v.boolean(),
})
export type ChangesAnswer = v.InferOutput<typeof changesAnswer>

export const assortmentsAnswer = v.object({
  assortments: v.array(v.object({ name: v.string(), items: v.array(v.string()), terminals: v.number() })),
  terminals: v.array(
    v.object({
      terminalId: v.string(),
      merchant: v.string(),
      /** Absent: everything. */
      assortment: v.optional(v.string()),
      published: v.optional(v.string()),
    }),
  ),
})
export type AssortmentsAnswer = v.InferOutput<typeof assortmentsAnswer>
export const assortmentInput = v.object({ name: itemIdText, items: v.array(itemIdText) })
export const assortmentName = v.object({ name: itemIdText })
export const giveAssortmentInput = v.object({ terminalId: terminalIdText, assortment: v.optional(itemIdText) })

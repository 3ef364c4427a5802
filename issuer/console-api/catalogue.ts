/** The catalogue in the console: what is sold, where, at what price and from when; goods are uploaded and looked at first. */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { articlesAt } from '../../protocol/bulletin.ts'
import type { Item } from '../../protocol/item.ts'
import { decryptContent, encryptContent } from '../../protocol/keyring.ts'
import { terminalId } from '../../protocol/quantities.ts'
import {
  giveAssortment,
  listAssortments,
  removeAssortment,
  setAssortment,
  terminalAssortments,
} from '../assortments.ts'
import { newestBulletin } from '../bulletin-publisher.ts'
import {
  cancelComing,
  changeItem,
  goodsFolder,
  type ListedItem,
  listItems,
  type NewItem,
  offerArticle,
  titleOf,
  withdrawArticle,
} from '../catalogue.ts'
import { unitState } from '../catalogue-tables.ts'
import {
  type ArticleRow,
  type ArticleView,
  addArticleInput,
  addedArticle,
  addTicketsInput,
  articleDetail,
  articleInput,
  articlesPage,
  articlesQuery,
  assortmentInput,
  assortmentName,
  assortmentsAnswer,
  categoriesAnswer,
  categoryId,
  categoryInput,
  changeArticleInput,
  changesAnswer,
  displayInput,
  giveAssortmentInput,
  previewInput,
  uploadBytesMax,
  uploaded,
  uploadInput,
} from '../console-contract/catalogue.ts'
import { contentKey } from '../content-keys.ts'
import { IssuerError } from '../errors.ts'
import { blobBytes, readBlob, removeBlob, storeBlob } from '../goods.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import { isMedia, knownExtensions, mediaTypeOf } from '../media-types.ts'
import { endIn, momentIn } from '../moment.ts'
import { isNothing, publicationChanges } from '../publication-changes.ts'
import { addArticle } from '../shelf/add-article.ts'
import { flawOf, flawSays } from '../shelf/file-flaws.ts'
import { previewApart } from '../shelf/preview-apart.ts'
import { displayOf, listCategories, removeCategory, setCategory, setDisplay } from '../shelf/shelf.ts'
import type { NamedFile } from '../shelf/shown-files.ts'
import type { StoreReader } from '../store.ts'
import { route } from './route.ts'

const nothing = v.object({})
const changedArticle = v.omit(addedArticle, ['unitsAdded', 'preview', 'previewProblem'])

const viewOf = ({ v: _, currency: __, unit: ___, ...item }: Item): ArticleView => item

const comingOf = ({ from, item }: { readonly from: number; readonly item: Item }) => ({
  from: isoTime(from),
  item: viewOf(item),
})

/** As terminals are told now, by id. */
const publishedItems = (issuer: Issuer): Promise<ReadonlyMap<string, Item>> =>
  issuer.store.read(async (db) => {
    const newest = await newestBulletin(issuer, db)
    const items = newest === undefined ? [] : articlesAt(newest.bulletin, issuer.clock())
    return new Map(items.map((item) => [item.id, item]))
  })

const rowOf = (
  { item, offered, coming, units }: ListedItem,
  published: ReadonlyMap<string, Item>,
  assortments: readonly string[],
): ArticleRow => {
  const next = coming[0]
  const told = published.get(item.id)
  const state =
    !offered && next === undefined
      ? 'withdrawn'
      : !offered
        ? 'coming'
        : told?.version === item.version
          ? 'offered'
          : 'unpublished'
  return {
    itemId: item.id,
    title: titleOf(item),
    kind: item.kind,
    state,
    priceMinor: item.priceMinor,
    ...(next === undefined ? {} : { nextPriceMinor: next.item.priceMinor, nextFrom: isoTime(next.from) }),
    languages: Object.keys(item.title),
    ...(units === undefined ? {} : { unitsFree: units.unassigned, unitsTotal: units.total }),
    assortments: [...assortments],
  }
}

type ListInput = v.InferOutput<typeof articlesQuery>

const comparisons: Readonly<Record<ListInput['sort'], (a: ArticleRow, b: ArticleRow) => number>> = {
  id: (a, b) => (a.itemId < b.itemId ? -1 : 1),
  title: (a, b) => a.title.localeCompare(b.title) || (a.itemId < b.itemId ? -1 : 1),
  price: (a, b) => a.priceMinor - b.priceMinor || (a.itemId < b.itemId ? -1 : 1),
}

const isWanted = (row: ArticleRow, { q, state, kind }: ListInput): boolean => {
  const text = q?.toLowerCase()
  return (
    (text === undefined || row.itemId.includes(text) || row.title.toLowerCase().includes(text)) &&
    (state === undefined || row.state === state) &&
    (kind === undefined || row.kind === kind)
  )
}

const list = route({
  method: 'GET',
  path: '/catalogue/items',
  permission: 'read',
  summary: 'Articles with price, what is to come, languages and the stock of codes.',
  input: articlesQuery,
  output: articlesPage,
  handle: async ({ issuer, input }) => {
    const listed = await listItems(issuer)
    const published = await publishedItems(issuer)
    const names = new Map<string, string[]>()
    for (const { name, items } of await listAssortments(issuer))
      for (const id of items) names.set(id, [...(names.get(id) ?? []), name])
    const sign = input.direction === 'ascending' ? 1 : -1
    const compare = comparisons[input.sort]
    const rows = listed
      .map((each) => rowOf(each, published, names.get(each.item.id) ?? []))
      .filter((row) => isWanted(row, input))
      .sort((a, b) => sign * compare(a, b))
    const at = input.after === undefined ? 0 : rows.findIndex(({ itemId }) => itemId === input.after) + 1
    const page = rows.slice(at, at + input.limit)
    const last = page.at(-1)
    return {
      rows: page,
      ...(last !== undefined && at + page.length < rows.length ? { next: last.itemId } : {}),
      total: rows.length,
    }
  },
})

const unitsIn = async (db: StoreReader, itemId: string) => {
  const rows = await db
    .selectFrom('unit')
    .leftJoin('terminal', 'terminal.terminal_no', 'unit.terminal_no')
    .leftJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select((eb) => [
      'terminal.terminal_id',
      'merchant.name as merchant',
      'unit.retired',
      eb.fn.countAll<number>().as('count'),
    ])
    .where('unit.item_id', '=', itemId)
    .groupBy(['terminal.terminal_id', 'merchant.name', 'unit.retired'])
    .execute()
  return [...Map.groupBy(rows, ({ terminal_id }) => terminal_id)].map(([id, some]) => {
    const count = (...states: number[]): number =>
      some.filter(({ retired }) => states.includes(retired)).reduce((sum, row) => sum + Number(row.count), 0)
    const merchant = some[0]?.merchant
    return {
      ...(id === null ? {} : { terminalId: id }),
      ...(merchant == null ? {} : { merchant }),
      forSale: count(unitState.forSale, unitState.released),
      sold: count(unitState.sold),
      withheld: count(unitState.withheld),
      withdrawn: count(unitState.withdrawn),
    }
  })
}

const versionsIn = async (db: StoreReader, itemId: string) => {
  const rows = await db
    .selectFrom('item_version')
    .leftJoin('version_sold', (join) =>
      join
        .onRef('version_sold.item_id', '=', 'item_version.item_id')
        .onRef('version_sold.version', '=', 'item_version.version'),
    )
    .select((eb) => [
      'item_version.version',
      'item_version.price_minor',
      eb.fn.min('item_version.added_at').as('added_at'),
      'sold_from',
      'sold_until',
    ])
    .where('item_version.item_id', '=', itemId)
    .groupBy(['item_version.version', 'item_version.price_minor', 'sold_from', 'sold_until'])
    .orderBy('item_version.version', 'desc')
    .execute()
  return rows.map((row) => ({
    version: row.version,
    priceMinor: row.price_minor,
    addedAt: isoTime(Number(row.added_at)),
    ...(row.sold_from === null || row.sold_from === 0 ? {} : { soldFrom: isoTime(row.sold_from) }),
    ...(row.sold_until === null ? {} : { soldUntil: isoTime(row.sold_until) }),
  }))
}

const detail = route({
  method: 'GET',
  path: '/catalogue/items/:itemId',
  permission: 'read',
  summary: 'One article: its texts, versions and prices, and where its codes are.',
  input: articleInput,
  output: articleDetail,
  handle: async ({ issuer, input: { itemId } }) => {
    const listed = (await listItems(issuer)).find(({ item }) => item.id === itemId)
    if (listed === undefined) throw new IssuerError('unknownItem', `There is no article "${itemId}".`)
    const published = (await publishedItems(issuer)).get(itemId)
    const { display, previewOf } = await displayOf(issuer, itemId)
    const { itemId: _, printed, ...shown } = display
    const assortments = (await listAssortments(issuer)).filter(({ items }) => items.includes(itemId))
    return issuer.store.read(async (db) => ({
      item: viewOf(listed.item),
      display: { ...shown, printed: printed ?? false, previewMade: previewOf !== undefined },
      offered: listed.offered,
      coming: listed.coming.map(comingOf),
      ...(published === undefined ? {} : { published: viewOf(published) }),
      assortments: assortments.map(({ name }) => name),
      ...(listed.units === undefined ? {} : { units: await unitsIn(db, itemId) }),
      versions: await versionsIn(db, itemId),
    }))
  },
})

const unknownKind = (fileName: string): string =>
  `What ${fileName} is cannot be told by its name: kiosks show ${knownExtensions.join(', ')}. A list of codes or tickets it may be.`

const upload = route({
  method: 'POST',
  path: '/catalogue/uploads',
  permission: 'operate',
  summary: 'Takes a file, encrypted, so that it can be looked at and then sold.',
  takesBytes: true,
  bodyBytesMax: uploadBytesMax,
  input: uploadInput,
  output: uploaded,
  handle: async ({ issuer, input: { bytes, fileName } }) => {
    if (bytes.length === 0) throw new IssuerError('input', `The file ${fileName} is empty.`)
    const contentHash = createHash('sha256').update(bytes).digest('hex')
    await storeBlob(goodsFolder(issuer), {
      contentHash,
      bytes: encryptContent(bytes, { key: contentKey(issuer, contentHash), contentHash }),
    })
    const mediaType = mediaTypeOf(fileName)
    if (mediaType === undefined) return { contentHash, bytes: bytes.length, problem: unknownKind(fileName) }
    const { problem } = await previewApart({ content: bytes, mediaType })
    return { contentHash, bytes: bytes.length, mediaType, ...(problem === undefined ? {} : { problem }) }
  },
})

/** @throws IssuerError `unknownItem` */
const contentOf = async (issuer: Issuer, contentHash: string): Promise<Uint8Array<ArrayBuffer>> => {
  const folder = goodsFolder(issuer)
  if ((await blobBytes(folder, contentHash)) === undefined)
    throw new IssuerError('unknownItem', 'There are no such goods here: upload the file again.')
  const blob = Uint8Array.from(await readBlob(folder, contentHash))
  return Uint8Array.from(decryptContent(blob, { key: contentKey(issuer, contentHash), contentHash }))
}

const textFrame = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

/** Frames and elements of the console show these; what else there is, is not shown. */
const isShown = (mediaType: string): boolean =>
  isMedia(mediaType) || ['application/pdf', 'text/plain', 'text/markdown'].includes(mediaType)

const preview = route({
  method: 'GET',
  path: '/catalogue/contents/:contentHash/preview',
  permission: 'operate',
  summary: 'Goods as customers get them, for a frame of the console alone.',
  input: previewInput,
  handle: async ({ issuer, input: { contentHash, mediaType } }) => {
    if (!isShown(mediaType)) throw new IssuerError('input', 'Goods of this kind are not shown here.')
    const body = await contentOf(issuer, contentHash)
    // In place of a browser's empty frame.
    const flaw = mediaType === 'application/pdf' ? flawOf(body, mediaType) : undefined
    if (flaw !== undefined)
      return {
        mediaType: 'text/plain; charset=utf-8',
        body: new TextEncoder().encode(`The file ${flawSays[flaw]}`),
        framePolicy: textFrame,
      }
    return {
      mediaType: mediaType.startsWith('text/') ? 'text/plain; charset=utf-8' : mediaType,
      body,
      // A sandbox would keep the browser's own PDF viewer from starting.
      framePolicy: mediaType === 'application/pdf' ? "frame-ancestors 'self'" : textFrame,
    }
  },
})

/** What a new article says and costs, whatever it is made of. */
const newArticleOf = (
  { book }: Issuer,
  input: Omit<v.InferOutput<typeof addTicketsInput>, 'count' | 'validFrom' | 'validUntil'>,
): Omit<NewItem, 'file'> => ({
  id: input.itemId,
  priceMinor: input.priceMinor,
  title: input.title,
  ...(input.summary === undefined ? {} : { summary: input.summary }),
  ...(input.taxBasisPoints === undefined ? {} : { taxBasisPoints: input.taxBasisPoints }),
  ...(input.from === undefined ? {} : { from: momentIn(input.from, book.timeZone) }),
})

const add = route({
  method: 'POST',
  path: '/catalogue/items',
  permission: 'operate',
  summary:
    'Adds an uploaded file as an article, or as a new version of one; codes come on top of those that are there.',
  input: addArticleInput,
  output: addedArticle,
  handle: async ({ issuer, caller, input, warn }) => {
    const bytes = await contentOf(issuer, input.contentHash)
    const { item, outcome, unitsAdded, preview, previewProblem } = await addArticle(
      issuer,
      {
        ...newArticleOf(issuer, input),
        file: { name: input.fileName, bytes },
        ...(input.kind === undefined ? {} : { kind: input.kind }),
        ...(input.mediaType === undefined ? {} : { mediaType: input.mediaType }),
      },
      {},
      caller.name,
    )
    if (previewProblem !== undefined) warn?.({ itemId: item.id }, previewProblem)
    // A list of codes is kept code by code: as goods it would be all of them for the price of one.
    if (item.contentHash !== input.contentHash) await removeUnsold(issuer, input.contentHash)
    return {
      itemId: item.id,
      version: item.version,
      outcome,
      unitsAdded,
      preview,
      ...(previewProblem === undefined ? {} : { previewProblem }),
    }
  },
})

const addTickets = route({
  method: 'POST',
  path: '/catalogue/tickets',
  permission: 'operate',
  summary: 'Makes and signs tickets for a new article, or on top of those that there are.',
  input: addTicketsInput,
  output: addedArticle,
  handle: async ({ issuer, caller, input: { count, validFrom, validUntil, ...input } }) => {
    const { timeZone } = issuer.book
    const tickets = {
      count,
      ...(validFrom === undefined ? {} : { validFrom: momentIn(validFrom, timeZone) }),
      ...(validUntil === undefined ? {} : { validUntil: endIn(validUntil, timeZone) }),
    }
    const given = { ...newArticleOf(issuer, input), file: { tickets }, kind: 'ticket' as const }
    const { item, outcome, unitsAdded, preview } = await addArticle(issuer, given, {}, caller.name)
    return { itemId: item.id, version: item.version, outcome, unitsAdded, preview }
  },
})

export const removeUnsold = async (issuer: Issuer, contentHash: string): Promise<void> => {
  const isSold = await issuer.store.read((db) =>
    db.selectFrom('content').select('bytes').where('content_hash', '=', contentHash).executeTakeFirst(),
  )
  if (isSold === undefined) await removeBlob(goodsFolder(issuer), contentHash)
}

const change = route({
  method: 'POST',
  path: '/catalogue/items/:itemId/change',
  permission: 'operate',
  summary: 'Changes what an article costs or says, with the next bulletin or from a moment on.',
  input: changeArticleInput,
  output: changedArticle,
  handle: async ({ issuer, caller, input: { itemId, from, ...changed } }) => {
    const { item, outcome } = await changeItem(
      issuer,
      itemId,
      {
        ...(changed.priceMinor === undefined ? {} : { priceMinor: changed.priceMinor }),
        ...(changed.title === undefined ? {} : { title: changed.title }),
        ...(changed.summary === undefined ? {} : { summary: changed.summary }),
        ...(changed.taxBasisPoints === undefined ? {} : { taxBasisPoints: changed.taxBasisPoints }),
        ...(from === undefined ? {} : { from: momentIn(from, issuer.book.timeZone) }),
      },
      caller.name,
    )
    return { itemId, version: item.version, outcome }
  },
})

type Upload = v.InferOutput<typeof displayInput>['picture']

export const uploadOf = async (issuer: Issuer, upload: Upload): Promise<NamedFile | null | undefined> =>
  upload ? { name: upload.fileName, bytes: await contentOf(issuer, upload.contentHash) } : upload

const display = route({
  method: 'POST',
  path: '/catalogue/items/:itemId/display',
  permission: 'operate',
  summary: 'Changes how an article is shown, to whom and until when; what it is stays.',
  input: displayInput,
  output: nothing,
  handle: async ({ issuer, caller, input: { itemId, picture, preview, until, ...rest } }) => {
    const given = {
      ...rest,
      picture: await uploadOf(issuer, picture),
      preview: await uploadOf(issuer, preview),
      soldUntil: until ? momentIn(until, issuer.book.timeZone) : until,
    }
    try {
      await setDisplay(
        issuer,
        itemId,
        Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
        caller.name,
      )
    } catch (error) {
      // Nobody will ask for it again.
      for (const upload of [picture, preview]) if (upload) await removeUnsold(issuer, upload.contentHash)
      throw error
    }
    return {}
  },
})

const categories = route({
  method: 'GET',
  path: '/catalogue/categories',
  permission: 'read',
  summary: 'The shelves on which articles stand, in their order.',
  input: nothing,
  output: categoriesAnswer,
  handle: async ({ issuer }) => ({ categories: [...(await listCategories(issuer))] }),
})

const setOneCategory = route({
  method: 'POST',
  path: '/catalogue/categories',
  permission: 'operate',
  summary: 'Makes a category, or gives it other titles or another place.',
  input: categoryInput,
  output: nothing,
  handle: async ({ issuer, caller, input: { place, ...category } }) => {
    await setCategory(issuer, { ...category, ...(place === undefined ? {} : { place }) }, caller.name)
    return {}
  },
})

const removeOneCategory = route({
  method: 'POST',
  path: '/catalogue/categories/:id/remove',
  permission: 'operate',
  summary: 'Removes a category; its articles stay, on no shelf.',
  input: categoryId,
  output: nothing,
  handle: async ({ issuer, caller, input }) => {
    await removeCategory(issuer, input.id, caller.name)
    return {}
  },
})

const acts = [
  ['withdraw', 'Takes an article out of the next bulletin, with what was to come of it.', withdrawArticle],
  ['offer', 'Offers a withdrawn article again, as it was.', offerArticle],
  ['cancel', 'Forgets what was to come of an article.', cancelComing],
] as const
const actRoutes = acts.map(([name, summary, act]) =>
  route({
    method: 'POST',
    path: `/catalogue/items/:itemId/${name}`,
    permission: 'operate',
    summary,
    input: articleInput,
    output: nothing,
    handle: async ({ issuer, caller, input }) => {
      await act(issuer, input.itemId, caller.name)
      return {}
    },
  }),
)

const changes = route({
  method: 'GET',
  path: '/catalogue/changes',
  permission: 'read',
  summary: 'What the next publication would change, against what terminals are told now.',
  input: nothing,
  output: changesAnswer,
  handle: async ({ issuer }) => {
    const found = await publicationChanges(issuer)
    return {
      ...(found.serial === undefined ? {} : { serial: found.serial }),
      added: found.added.map(viewOf),
      changed: found.changed.map(({ before, after }) => ({ before: viewOf(before), after: viewOf(after) })),
      withdrawn: found.withdrawn.map(viewOf),
      announced: found.announced.map(({ from, item }) => ({ from, item: viewOf(item) })),
      cancelled: found.cancelled.map(({ from, item }) => ({ from, item: viewOf(item) })),
      assortments: found.assortments.map((each) => ({
        ...each,
        added: [...each.added],
        removed: [...each.removed],
      })),
      shown: [...found.shown],
      categories: found.categories,
      brands: [...found.brands],
      terminals: [...found.terminals],
      unitsToDeal: found.unitsToDeal,
      nothing: isNothing(found),
    }
  },
})

const assortments = route({
  method: 'GET',
  path: '/catalogue/assortments',
  permission: 'read',
  summary: 'The assortments, and which terminal has which.',
  input: nothing,
  output: assortmentsAnswer,
  handle: async ({ issuer }) => ({
    assortments: (await listAssortments(issuer)).map((each) => ({ ...each, items: [...each.items] })),
    terminals: [...(await terminalAssortments(issuer))],
  }),
})

const setOne = route({
  method: 'POST',
  path: '/catalogue/assortments',
  permission: 'operate',
  summary: 'Makes an assortment of these articles, or changes it to them.',
  input: assortmentInput,
  output: nothing,
  handle: async ({ issuer, caller, input }) => {
    await setAssortment(issuer, input, caller.name)
    return {}
  },
})

const removeOne = route({
  method: 'POST',
  path: '/catalogue/assortments/:name/remove',
  permission: 'operate',
  summary: 'Removes an assortment that no terminal has.',
  input: assortmentName,
  output: nothing,
  handle: async ({ issuer, caller, input }) => {
    await removeAssortment(issuer, input.name, caller.name)
    return {}
  },
})

const give = route({
  method: 'POST',
  path: '/terminals/:terminalId/assortment',
  permission: 'operate',
  summary: 'Says which assortment a terminal sells from the next publication on; none: everything.',
  input: giveAssortmentInput,
  output: nothing,
  handle: async ({ issuer, caller, input }) => {
    await giveAssortment(
      issuer,
      { terminalId: terminalId(input.terminalId), assortment: input.assortment },
      caller.name,
    )
    return {}
  },
})

export const catalogueRoutes = [
  list,
  detail,
  upload,
  preview,
  add,
  addTickets,
  change,
  display,
  categories,
  setOneCategory,
  removeOneCategory,
  ...actRoutes,
  changes,
  assortments,
  setOne,
  removeOne,
  give,
]

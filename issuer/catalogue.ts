/**
 * The catalogue: articles, their encrypted goods, and the one-time codes that are sold one by one
 * (PROTOCOL.md, Items). Every version that a terminal may sell is kept, so that an old bulletin's sale still settles.
 */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import * as v from 'valibot'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { emptyContentHash, type Item, type ItemKind, isSoldByUnit, itemSchema } from '../protocol/item.ts'
import { encryptContent } from '../protocol/keyring.ts'
import { shortHashOf } from '../protocol/mac.ts'
import { chunks } from './chunks.ts'
import { contentKey, type SealedCode, sealCodes } from './content-keys.ts'
import { isDeceptive } from './deceptive-text.ts'
import { IssuerError } from './errors.ts'
import { contentBytesMax, storeBlob } from './goods.ts'
import type { Issuer } from './issuer.ts'
import { byLanguage } from './language-tags.ts'
import { isMedia, knownExtensions, mediaTypeOf } from './media-types.ts'
import { pictureOf } from './shelf/pictures.ts'
import type { StoreReader, StoreWriter } from './store.ts'
import { makeTickets, type NewTickets, unitsAtOnceMax } from './tickets.ts'
import { noteFor, timeOf, type Who } from './who.ts'

/** An SVG among the goods: it is read as a whole before it is taken. */
const drawingBytesMax = 8 * 2 ** 20

const codeLettersMax = 500
const rowsPerInsert = 1000

/** The folder of encrypted goods. */
export const goodsFolder = (issuer: Pick<Issuer, 'store'>): string => issuer.store.files.goods

export interface NewItem {
  /** Of kinds code and ticket: one code a line. Or the issuer makes the tickets, each of which proves itself. */
  readonly file:
    | { readonly path: string }
    | { readonly name: string; readonly bytes: Uint8Array }
    | { readonly tickets: NewTickets }
  readonly id: string
  readonly priceMinor: number
  /** By BCP 47 tag; at least one. */
  readonly title: Readonly<Record<string, string>>
  readonly summary?: Readonly<Record<string, string>>
  /** By the media type where absent. */
  readonly kind?: ItemKind
  /** By the file's extension where absent. */
  readonly mediaType?: string
  readonly taxBasisPoints?: number
  /** UNIX seconds: from then on it is sold like this. Absent: with the next bulletin. */
  readonly from?: number
}

export interface AddedItem {
  readonly item: Item
  /** A new article, a new version of one, or the same again. */
  readonly outcome: 'added' | 'changed' | 'unchanged'
  /** Codes or tickets that were new. */
  readonly unitsAdded: number
}

const input = (sentence: string, cause?: unknown): IssuerError => new IssuerError('input', sentence, { cause })

/** @throws IssuerError `input` */
export const readGoods = async (
  issuer: Issuer,
  { id, kind, file }: NewItem,
): Promise<{ name: string; bytes: Uint8Array }> => {
  if ('tickets' in file) {
    if (kind !== 'ticket') throw input('Only an article of kind ticket has tickets that the issuer makes.')
    return { name: 'tickets.txt', bytes: utf8ToBytes(makeTickets(issuer, id, file.tickets).join('\n')) }
  }
  if ('bytes' in file) {
    if (file.bytes.length > contentBytesMax) throw tooLarge(file.name)
    return file
  }
  const found = await stat(file.path).catch((cause: unknown) => {
    throw input(`The file ${file.path} cannot be read: check its path.`, cause)
  })
  if (!found.isFile()) throw input(`${file.path} is not a file.`)
  if (found.size > contentBytesMax) throw tooLarge(file.path)
  return { name: path.basename(file.path), bytes: await readFile(file.path) }
}

const tooLarge = (name: string): IssuerError =>
  input(`The file ${name} is too large: goods have up to ${contentBytesMax / 2 ** 20} MiB.`)

/** One code a line; empty lines count for nothing. */
const codesIn = ({ name, bytes }: { name: string; bytes: Uint8Array }): readonly string[] => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw input(`The codes in ${name} are not text in UTF-8: write one code a line.`, cause)
  }
  const seen = new Map<string, number>()
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const code = line.trim()
    if (code === '') continue
    const first = seen.get(code)
    if (first !== undefined)
      throw input(`Line ${index + 1} of ${name} repeats the code of line ${first}: each code is sold once.`)
    if (code.length > codeLettersMax || /\p{Cc}/u.test(code))
      throw input(`Line ${index + 1} of ${name} is no code: up to ${codeLettersMax} visible characters.`)
    seen.set(code, index + 1)
  }
  if (seen.size === 0) throw input(`There are no codes in ${name}: write one code a line.`)
  if (seen.size > unitsAtOnceMax) throw input(`There are over ${unitsAtOnceMax} codes in ${name}: split the file.`)
  return [...seen.keys()]
}

const sentenceByField: Readonly<Record<string, string>> = {
  id: 'An item\'s id has a-z, 0-9, ".", "_" and "-", begins with a letter or digit, and has up to 64 characters.',
  priceMinor: 'A price is more than 0 and at most 4294967295 minor units.',
  taxBasisPoints: 'A tax rate is 0 to 10000 basis points (10000 is 100 %).',
  title: 'An item has a title in at least one language, such as "en", of up to 2000 characters.',
  summary: 'A summary has up to 2000 characters in each language, such as "en".',
  mediaType: 'A media type is written like "application/pdf".',
  kind: 'An item is a document, media, code or ticket.',
}

/** @throws IssuerError `input` */
const checkedItem = (item: unknown): Item => {
  const parsed = v.safeParse(itemSchema, item)
  if (parsed.success) {
    const { title, summary } = parsed.output
    if ([...Object.values(title), ...Object.values(summary)].some(isDeceptive))
      throw input('A title or summary has no control characters, and none that turn the direction of writing.')
    if (Object.values(parsed.output.title).some((title) => title.trim() === '')) throw input('A title is not empty.')
    return parsed.output
  }
  const issue = parsed.issues[0]
  const field = v.getDotPath(issue)?.split('.')[0] ?? ''
  throw input(sentenceByField[field] ?? `The item's ${field} is wrong: ${issue.message}.`)
}

/** @throws IssuerError `input` */
const textsOf = (given: Pick<NewItem, 'title' | 'summary'>): Pick<Item, 'title' | 'summary'> => {
  const title = byLanguage(given.title)
  const summary = byLanguage(given.summary ?? {})
  const untitled = Object.keys(summary).find((language) => title[language] === undefined)
  if (untitled !== undefined) throw input(`There is a summary in "${untitled}" and no title: give both.`)
  return { title, summary: { ...Object.fromEntries(Object.keys(title).map((language) => [language, ''])), ...summary } }
}

const draftOf = (issuer: Issuer, given: NewItem, goods: { name: string; bytes: Uint8Array }): Item => {
  const kind = given.kind
  const byUnit = kind !== undefined && isSoldByUnit({ kind })
  const mediaType = given.mediaType ?? mediaTypeOf(goods.name) ?? (byUnit ? 'text/plain' : undefined)
  if (mediaType === undefined)
    throw input(
      `The kind of ${goods.name} is not known by its name: end it in ${knownExtensions.join(', ')}, or give its media type.`,
    )
  if (goods.bytes.length === 0) throw input(`The file ${goods.name} is empty.`)
  return checkedItem({
    v: 1,
    id: given.id,
    version: 1,
    kind: kind ?? (isMedia(mediaType) ? 'media' : 'document'),
    ...textsOf(given),
    priceMinor: given.priceMinor,
    currency: issuer.book.currency,
    taxBasisPoints: given.taxBasisPoints ?? 0,
    mediaType,
    bytes: byUnit ? 0 : goods.bytes.length,
    contentHash: byUnit ? emptyContentHash : createHash('sha256').update(goods.bytes).digest('hex'),
  })
}

/** Writes them even where they are: adding the file again repairs a damaged blob. */
const storeGoods = (issuer: Issuer, contentHash: string, content: Uint8Array): Promise<void> =>
  storeBlob(goodsFolder(issuer), {
    contentHash,
    bytes: encryptContent(content, { key: contentKey(issuer, contentHash), contentHash }),
  })

const jsonOf = (item: Item): string => new TextDecoder().decode(canonicalBytes(item))

/** @throws when the store's text is not an item: the store was changed by hand */
export const itemFromStore = (json: string): Item => v.parse(itemSchema, JSON.parse(json))

/** As the issuer's own people read it. */
export const titleOf = ({ id, title }: Item): string => title.en ?? Object.values(title)[0] ?? id

const addVersions = async (issuer: Issuer, db: StoreWriter, items: readonly Item[]): Promise<void> => {
  const rows = items.map((item) => {
    const json = canonicalBytes(item)
    return {
      item_hash: shortHashOf(json),
      item_id: item.id,
      version: item.version,
      json: new TextDecoder().decode(json),
      price_minor: item.priceMinor,
      currency: issuer.book.currencyCode,
      unit: item.unit ?? null,
      added_at: issuer.clock(),
    }
  })
  for (const some of chunks(rows, rowsPerInsert))
    await db
      .insertInto('item_version')
      .values(some)
      .onConflict((conflict) => conflict.column('item_hash').doNothing())
      .execute()
}

const addUnits = async (
  issuer: Issuer,
  db: StoreWriter,
  itemId: string,
  codes: readonly SealedCode[],
): Promise<number> => {
  const known = new Map<string, string>()
  for (const some of chunks(
    codes.map(({ unit }) => unit),
    rowsPerInsert,
  ))
    for (const row of await db.selectFrom('unit').select(['unit', 'item_id']).where('unit', 'in', some).execute())
      known.set(row.unit, row.item_id)
  const elsewhere = [...known.values()].find((id) => id !== itemId)
  if (elsewhere !== undefined)
    throw input(`Some of these codes are sold as "${elsewhere}" already: each code is sold once.`)
  const rows = codes
    .filter(({ unit }) => !known.has(unit))
    .map(({ unit, sealed }) => ({
      unit,
      item_id: itemId,
      sealed_code: sealed,
      terminal_no: null,
      added_at: issuer.clock(),
    }))
  for (const some of chunks(rows, rowsPerInsert)) await db.insertInto('unit').values(some).execute()
  return rows.length
}

const unitsOf = async (db: StoreReader, itemId: string): Promise<readonly string[]> =>
  (await db.selectFrom('unit').select('unit').where('item_id', '=', itemId).execute()).map(({ unit }) => unit)

/** An article with the versions that are to take its place. */
interface Standing {
  /** Absent: there is no such article yet. */
  readonly article: Item | undefined
  readonly offered: boolean
  /** By time. */
  readonly coming: readonly { readonly from: number; readonly item: Item }[]
}

const standingOf = async (db: StoreReader, itemId: string): Promise<Standing> => {
  const row = await db
    .selectFrom('article')
    .select(['json', 'offered'])
    .where('item_id', '=', itemId)
    .executeTakeFirst()
  const coming = await db
    .selectFrom('coming_article')
    .select(['json', 'from_time'])
    .where('item_id', '=', itemId)
    .orderBy('from_time')
    .orderBy('version')
    .execute()
  return {
    article: row && itemFromStore(row.json),
    offered: row?.offered === 1,
    coming: coming.map(({ json, from_time }) => ({ from: from_time, item: itemFromStore(json) })),
  }
}

/** What is sold at a moment, if nothing else changes. */
const itemAt = ({ article, offered, coming }: Standing, from: number | undefined): Item | undefined =>
  coming.findLast((change) => from !== undefined && change.from <= from)?.item ?? (offered ? article : undefined)

const requireSameKind = (draft: Item, article: Item | undefined): void => {
  if (article === undefined || isSoldByUnit(article) === isSoldByUnit(draft)) {
    if (article === undefined || !isSoldByUnit(draft) || article.kind === draft.kind) return
  }
  throw input(`"${draft.id}" is sold as a ${article.kind}: give the ${draft.kind} another id.`)
}

/** Puts a draft into the catalogue, now or from its moment on, under a version that was never used before. */
const placeVersion = async (
  issuer: Issuer,
  db: StoreWriter,
  draft: Item,
  from: number | undefined,
): Promise<Pick<AddedItem, 'item' | 'outcome'>> => {
  const standing = await standingOf(db, draft.id)
  const { article, coming } = standing
  requireSameKind(draft, article)
  const before = itemAt(standing, from)
  if (before !== undefined && jsonOf({ ...draft, version: before.version }) === jsonOf(before))
    return { item: before, outcome: 'unchanged' }
  const used = await db
    .selectFrom('item_version')
    .select((eb) => eb.fn.max('version').as('version'))
    .where('item_id', '=', draft.id)
    .executeTakeFirst()
  const version = Math.max(used?.version ?? 0, article?.version ?? 0, ...coming.map(({ item }) => item.version)) + 1
  const item = { ...draft, version }
  const row = { item_id: item.id, version, json: jsonOf(item), changed_at: issuer.clock() }
  if (from === undefined)
    await db
      .insertInto('article')
      .values({ ...row, offered: 1 })
      .onConflict((conflict) => conflict.column('item_id').doUpdateSet({ ...row, offered: 1 }))
      .execute()
  else {
    if (article === undefined)
      await db
        .insertInto('article')
        .values({ ...row, offered: 0 })
        .execute()
    await db
      .insertInto('coming_article')
      .values({ item_id: item.id, version, json: row.json, from_time: from })
      .execute()
  }
  return { item, outcome: article === undefined ? 'added' : 'changed' }
}

/** Every version of an article of codes that may be on sale somewhere, from any one of its units. */
const versionsOfUnit = async (db: StoreReader, itemId: string): Promise<readonly Item[]> => {
  const one = await db
    .selectFrom('item_version')
    .select('unit')
    .where('item_id', '=', itemId)
    .limit(1)
    .executeTakeFirst()
  if (one?.unit == null) return []
  const rows = await db.selectFrom('item_version').select('json').where('unit', '=', one.unit).execute()
  return rows.map(({ json }) => {
    const { unit: _, ...article } = itemFromStore(json)
    return article
  })
}

/** Where a moment is over, it is now. @throws IssuerError `input` */
const futureOf = (issuer: Issuer, from: number | undefined): number | undefined => {
  if (from === undefined) return undefined
  if (!Number.isInteger(from) || from > issuer.clock() + 10 * 366 * 86_400)
    throw input('A price is set for a moment within ten years, such as 2026-12-01T08:00Z.')
  return from > issuer.clock() ? from : undefined
}

/** A drawing that is sold is drawn by the kiosk as one on the shelf is: what would stop its page there is refused here. */
const requireDrawable = (mediaType: string, { name, bytes }: { readonly name: string; readonly bytes: Uint8Array }) => {
  if (/^image\/svg/i.test(mediaType)) pictureOf({ name, bytes, bytesMax: drawingBytesMax })
}

/**
 * Adds an article or changes it; terminals learn of it with the next `publish`. For kinds code and ticket the file is one
 * code a line, and codes that are new come on top of those that are there.
 * @throws IssuerError `input`
 */
export const addItem = async (issuer: Issuer, given: NewItem, who?: Who): Promise<AddedItem> => {
  const from = futureOf(issuer, given.from)
  const goods = await readGoods(issuer, given)
  const draft = draftOf(issuer, given, goods)
  requireDrawable(draft.mediaType, goods)
  const codes = isSoldByUnit(draft) ? sealCodes(issuer, codesIn(goods)) : undefined
  if (codes === undefined) await storeGoods(issuer, draft.contentHash, goods.bytes)
  return issuer.store.write(async (db) => {
    const before = (await standingOf(db, draft.id)).article
    const { item, outcome } = await placeVersion(issuer, db, draft, from)
    const note = (unitsAdded: number) =>
      noteFor(issuer, db, who, {
        action: 'catalogue.add',
        subject: item.id,
        before,
        after: { ...item, unitsAdded, from: timeOf(from) },
      })
    if (codes === undefined) {
      await db
        .insertInto('content')
        .values({ content_hash: item.contentHash, bytes: item.bytes, added_at: issuer.clock() })
        .onConflict((conflict) => conflict.column('content_hash').doNothing())
        .execute()
      await addVersions(issuer, db, [item])
      await note(0)
      return { item, outcome, unitsAdded: 0 }
    }
    const versions = new Map([...(await versionsOfUnit(db, item.id)), item].map((each) => [each.version, each]))
    const old = new Set(await unitsOf(db, item.id))
    const unitsAdded = await addUnits(issuer, db, item.id, codes)
    const added = (await unitsOf(db, item.id)).filter((unit) => !old.has(unit))
    // A kiosk that has the new codes and an older bulletin sells them at the older price.
    for (const version of versions.values())
      await addVersions(
        issuer,
        db,
        (version === item ? [...old, ...added] : added).map((unit) => ({ ...version, unit })),
      )
    await note(unitsAdded)
    return { item, outcome, unitsAdded }
  })
}

export interface ItemChange {
  readonly priceMinor?: number
  /** In the place of all titles and summaries. */
  readonly title?: Readonly<Record<string, string>>
  readonly summary?: Readonly<Record<string, string>>
  readonly taxBasisPoints?: number
  /** UNIX seconds; absent: with the next bulletin. */
  readonly from?: number
}

/** Changes what an article costs or says, and not its goods. @throws IssuerError `unknownItem`, `input` */
export const changeItem = async (
  issuer: Issuer,
  id: string,
  change: ItemChange,
  who?: Who,
): Promise<Pick<AddedItem, 'item' | 'outcome'>> => {
  const from = futureOf(issuer, change.from)
  return issuer.store.write(async (db) => {
    const standing = await standingOf(db, id)
    const before = itemAt(standing, from) ?? standing.article
    if (before === undefined) throw unknownItem(id)
    const texts =
      change.title === undefined && change.summary === undefined
        ? {}
        : textsOf({ title: change.title ?? before.title, summary: change.summary ?? {} })
    const draft = checkedItem({
      ...before,
      ...texts,
      priceMinor: change.priceMinor ?? before.priceMinor,
      taxBasisPoints: change.taxBasisPoints ?? before.taxBasisPoints,
    })
    const { item, outcome } = await placeVersion(issuer, db, draft, from)
    if (outcome === 'unchanged') return { item, outcome }
    const units = isSoldByUnit(item) ? await unitsOf(db, id) : undefined
    await addVersions(issuer, db, units === undefined ? [item] : units.map((unit) => ({ ...item, unit })))
    await noteFor(issuer, db, who, {
      action: 'catalogue.change',
      subject: id,
      before,
      after: { ...item, from: timeOf(from) },
    })
    return { item, outcome }
  })
}

const unknownItem = (id: string): IssuerError =>
  new IssuerError('unknownItem', `There is no article "${id}": "farthing catalogue list" names them.`)

/**
 * Takes an article out of the next bulletin, with all that was to come of it. Whoever still has an older bulletin may sell it
 * until that expires: such sales settle, and claims are honoured.
 * @throws IssuerError `unknownItem`
 */
export const withdrawArticle = (issuer: Issuer, id: string, who?: Who): Promise<{ withdrawn: boolean }> =>
  issuer.store.write(async (db) => {
    const { article, offered, coming } = await standingOf(db, id)
    if (article === undefined) throw unknownItem(id)
    if (!offered && coming.length === 0) return { withdrawn: false }
    await db.updateTable('article').set({ offered: 0, changed_at: issuer.clock() }).where('item_id', '=', id).execute()
    await db.deleteFrom('coming_article').where('item_id', '=', id).execute()
    await noteFor(issuer, db, who, { action: 'catalogue.withdraw', subject: id, before: article })
    return { withdrawn: true }
  })

/** Offers a withdrawn article again, as it was. @throws IssuerError `unknownItem` */
export const offerArticle = (issuer: Issuer, id: string, who?: Who): Promise<{ offered: boolean }> =>
  issuer.store.write(async (db) => {
    const { article, offered } = await standingOf(db, id)
    if (article === undefined) throw unknownItem(id)
    if (offered) return { offered: false }
    await db.updateTable('article').set({ offered: 1, changed_at: issuer.clock() }).where('item_id', '=', id).execute()
    await noteFor(issuer, db, who, { action: 'catalogue.offer', subject: id, after: article })
    return { offered: true }
  })

/**
 * Forgets what was to come of an article. Terminals that have it announced switch all the same until the next bulletin
 * reaches them, and their sales settle.
 * @throws IssuerError `unknownItem`
 */
export const cancelComing = (issuer: Issuer, id: string, who?: Who): Promise<{ cancelled: number }> =>
  issuer.store.write(async (db) => {
    const { article, coming } = await standingOf(db, id)
    if (article === undefined) throw unknownItem(id)
    if (coming.length === 0) return { cancelled: 0 }
    await db.deleteFrom('coming_article').where('item_id', '=', id).execute()
    await noteFor(issuer, db, who, {
      action: 'catalogue.cancel',
      subject: id,
      before: coming.map(({ from, item }) => ({ from: timeOf(from), priceMinor: item.priceMinor })),
    })
    return { cancelled: coming.length }
  })

/** What was to come and has come is the article now. @param now UNIX seconds */
export const promoteComing = async (db: StoreWriter, now: number): Promise<void> => {
  const due = await db
    .selectFrom('coming_article')
    .selectAll()
    .where('from_time', '<=', now)
    .orderBy('from_time')
    .orderBy('version')
    .execute()
  for (const { item_id, version, json, from_time } of due) {
    await db
      .updateTable('article')
      .set({ version, json, offered: 1, changed_at: from_time })
      .where('item_id', '=', item_id)
      .execute()
    await db.deleteFrom('coming_article').where('item_id', '=', item_id).where('version', '=', version).execute()
  }
}

/** What a bulletin of now would offer: the articles, by id, and what is to come of them, by time. */
export const offeredIn = async (
  db: StoreReader,
  now: number,
): Promise<{ readonly items: readonly Item[]; readonly coming: Standing['coming'] }> => {
  const articles = await db.selectFrom('article').select('json').where('offered', '=', 1).orderBy('item_id').execute()
  const changes = await db
    .selectFrom('coming_article')
    .select(['json', 'from_time'])
    .orderBy('from_time')
    .orderBy('item_id')
    .orderBy('version')
    .execute()
  const items = new Map(articles.map(({ json }) => itemFromStore(json)).map((item) => [item.id, item]))
  const all = changes.map(({ json, from_time }) => ({ from: from_time, item: itemFromStore(json) }))
  for (const { from, item } of all) if (from <= now) items.set(item.id, item)
  return { items: [...items.values()], coming: all.filter(({ from }) => from > now) }
}

export interface ListedItem {
  readonly item: Item
  /** Of codes and tickets alone. */
  readonly units?: { readonly total: number; readonly unassigned: number }
  /** Whether it is sold, or is to be in the next bulletin. */
  readonly offered: boolean
  /** By time. */
  readonly coming: readonly { readonly from: number; readonly item: Item }[]
}

/** All articles as they stand, by id. */
export const listItems = (issuer: Pick<Issuer, 'store'>): Promise<readonly ListedItem[]> =>
  issuer.store.read(async (db) => {
    const articles = await db.selectFrom('article').select(['item_id', 'json', 'offered']).orderBy('item_id').execute()
    const counts = await db
      .selectFrom('unit')
      .select((eb) => [
        'item_id',
        eb.fn.countAll<number>().as('total'),
        eb.fn.count<number>('terminal_no').as('assigned'),
      ])
      .groupBy('item_id')
      .execute()
    const changes = await db.selectFrom('coming_article').selectAll().orderBy('from_time').orderBy('version').execute()
    const unitsById = new Map(counts.map((row) => [row.item_id, row]))
    const comingById = Map.groupBy(changes, (row) => row.item_id)
    return articles.map(({ item_id, json, offered }) => {
      const units = unitsById.get(item_id)
      return {
        item: itemFromStore(json),
        offered: offered === 1,
        coming: (comingById.get(item_id) ?? []).map((row) => ({ from: row.from_time, item: itemFromStore(row.json) })),
        ...(units === undefined ? {} : { units: { total: units.total, unassigned: units.total - units.assigned } }),
      }
    })
  })

/**
 * Shares unassigned codes and tickets out to terminals that sell their article, evenly. An assigned unit stays where it is, for
 * good, so that kiosks offline never sell the same one. Terminals that are not enrolled yet find their share when they are.
 */
export const assignUnits = async (db: StoreWriter): Promise<number> => {
  const shares = await sharesIn(db, 'published_name')
  for (const [terminal_no, ofTerminal] of Map.groupBy(shares, ({ terminal }) => terminal))
    for (const some of chunks(
      ofTerminal.map(({ unit }) => unit),
      rowsPerInsert,
    ))
      await db.updateTable('unit').set({ terminal_no }).where('unit_no', 'in', some).execute()
  return shares.length
}

/** @param choice by which of a terminal's assortments: as keyrings say it, or as the next publication will */
export const sharesIn = async (
  db: StoreReader,
  choice: 'name' | 'published_name',
): Promise<readonly { readonly terminal: number; readonly unit: number }[]> => {
  const terminals = await db
    .selectFrom('terminal')
    .leftJoin('terminal_assortment', 'terminal_assortment.terminal_no', 'terminal.terminal_no')
    .select(['terminal.terminal_no', 'terminal.epoch', `terminal_assortment.${choice} as assortment`])
    .orderBy('terminal.terminal_no')
    .execute()
  if (terminals.every(({ epoch }) => epoch === 0)) return []
  const sells = await db.selectFrom('assortment_item').selectAll().execute()
  const sellers = Map.groupBy(sells, ({ item_id }) => item_id)
  const units = await db
    .selectFrom('unit')
    .innerJoin('article', 'article.item_id', 'unit.item_id')
    .select(['unit.unit_no', 'unit.item_id', 'unit.terminal_no'])
    .where((eb) =>
      eb.or([
        eb('article.offered', '=', 1),
        eb.exists(
          eb.selectFrom('coming_article').select('version').whereRef('coming_article.item_id', '=', 'unit.item_id'),
        ),
      ]),
    )
    .orderBy('unit.unit_no')
    .execute()
  return [...Map.groupBy(units, ({ item_id }) => item_id)].flatMap(([itemId, ofItem]) => {
    const names = new Set(sellers.get(itemId)?.map(({ name }) => name))
    const among = terminals.filter(({ assortment }) => assortment === null || names.has(assortment))
    const enrolled = among.filter(({ epoch }) => epoch > 0).map(({ terminal_no }) => terminal_no)
    return enrolled.length === 0 ? [] : sharesOf(ofItem, { enrolled, eachMax: Math.ceil(ofItem.length / among.length) })
  })
}

/** Deals one item's free units to whoever has fewest. */
const sharesOf = (
  units: readonly { readonly unit_no: number; readonly terminal_no: number | null }[],
  among: { readonly enrolled: readonly number[]; readonly eachMax: number },
): readonly { readonly terminal: number; readonly unit: number }[] => {
  const held = new Map(among.enrolled.map((terminal) => [terminal, 0]))
  for (const { terminal_no } of units) {
    const count = terminal_no === null ? undefined : held.get(terminal_no)
    if (terminal_no !== null && count !== undefined) held.set(terminal_no, count + 1)
  }
  const shares = []
  for (const { unit_no } of units.filter(({ terminal_no }) => terminal_no === null)) {
    const [terminal, count] = [...held].reduce((least, next) => (next[1] < least[1] ? next : least))
    if (count >= among.eachMax) break
    held.set(terminal, count + 1)
    shares.push({ terminal, unit: unit_no })
  }
  return shares
}

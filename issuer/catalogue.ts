/**
 * The catalogue: articles, their encrypted goods, and the one-time codes that are sold one by one
 * (PROTOCOL.md, Items). Every version that a terminal may sell is kept, so that an old bulletin's sale still settles.
 */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { emptyContentHash, type Item, type ItemKind, isSoldByUnit, itemSchema } from '../protocol/item.ts'
import { encryptContent } from '../protocol/keyring.ts'
import { shortHashOf } from '../protocol/mac.ts'
import { contentKey, type SealedCode, sealCodes } from './content-keys.ts'
import { IssuerError } from './errors.ts'
import { contentBytesMax, storeBlob } from './goods.ts'
import type { Issuer } from './issuer.ts'
import { isMedia, knownExtensions, mediaTypeOf } from './media-types.ts'
import type { StoreReader, StoreWriter } from './store.ts'

/** All of a file is one transaction, for which other writers wait. */
const unitsPerFileMax = 20_000
const codeLettersMax = 500
const rowsPerInsert = 1000

/** The folder of encrypted goods. */
export const goodsFolder = (issuer: Pick<Issuer, 'store'>): string => issuer.store.files.goods

export interface NewItem {
  readonly file: { readonly path: string } | { readonly name: string; readonly bytes: Uint8Array }
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
}

export interface AddedItem {
  readonly item: Item
  /** A new article, a new version of one, or the same again. */
  readonly outcome: 'added' | 'changed' | 'unchanged'
  /** Codes or tickets that were new. */
  readonly unitsAdded: number
}

const input = (sentence: string, cause?: unknown): IssuerError => new IssuerError('input', sentence, { cause })

const readGoods = async (file: NewItem['file']): Promise<{ name: string; bytes: Uint8Array }> => {
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
  if (seen.size > unitsPerFileMax) throw input(`There are over ${unitsPerFileMax} codes in ${name}: split the file.`)
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

/** Control characters, and those that turn the direction of what is written after them: a title could show another price. */
const isDeceptive = (text: string): boolean => /[\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/u.test(text)

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
    title: given.title,
    summary: given.summary ?? Object.fromEntries(Object.keys(given.title).map((language) => [language, ''])),
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

const chunks = function* <Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let at = 0; at < rows.length; at += rowsPerInsert) yield rows.slice(at, at + rowsPerInsert)
}

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
  for (const some of chunks(rows))
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
  for (const some of chunks(codes.map(({ unit }) => unit)))
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
  for (const some of chunks(rows)) await db.insertInto('unit').values(some).execute()
  return rows.length
}

const unitsOf = async (db: StoreReader, itemId: string): Promise<readonly string[]> =>
  (await db.selectFrom('unit').select('unit').where('item_id', '=', itemId).execute()).map(({ unit }) => unit)

/** The version that a draft becomes: 1, the one that stands if nothing changed, or the next. */
const versioned = (draft: Item, standing: Item | undefined): { item: Item; outcome: AddedItem['outcome'] } => {
  if (standing === undefined) return { item: draft, outcome: 'added' }
  if (isSoldByUnit(standing) !== isSoldByUnit(draft) || (isSoldByUnit(draft) && standing.kind !== draft.kind))
    throw input(`"${draft.id}" is sold as a ${standing.kind}: give the ${draft.kind} another id.`)
  const same = { ...draft, version: standing.version }
  if (jsonOf(same) === jsonOf(standing)) return { item: standing, outcome: 'unchanged' }
  return { item: { ...draft, version: standing.version + 1 }, outcome: 'changed' }
}

const standingItem = async (db: StoreReader, itemId: string): Promise<Item | undefined> => {
  const row = await db.selectFrom('article').select('json').where('item_id', '=', itemId).executeTakeFirst()
  return row && itemFromStore(row.json)
}

/**
 * Adds an article or changes it; terminals learn of it with the next `publish`. For kinds code and ticket the file is one
 * code a line, and codes that are new come on top of those that are there.
 * @throws IssuerError `input`
 */
export const addItem = async (issuer: Issuer, given: NewItem): Promise<AddedItem> => {
  const goods = await readGoods(given.file)
  const draft = draftOf(issuer, given, goods)
  const codes = isSoldByUnit(draft) ? sealCodes(issuer, codesIn(goods)) : undefined
  if (codes === undefined) await storeGoods(issuer, draft.contentHash, goods.bytes)
  return issuer.store.write(async (db) => {
    const { item, outcome } = versioned(draft, await standingItem(db, draft.id))
    const article = { item_id: item.id, version: item.version, json: jsonOf(item), changed_at: issuer.clock() }
    if (outcome !== 'unchanged')
      await db
        .insertInto('article')
        .values(article)
        .onConflict((conflict) => conflict.column('item_id').doUpdateSet(article))
        .execute()
    if (codes === undefined) {
      await db
        .insertInto('content')
        .values({ content_hash: item.contentHash, bytes: item.bytes, added_at: issuer.clock() })
        .onConflict((conflict) => conflict.column('content_hash').doNothing())
        .execute()
      await addVersions(issuer, db, [item])
      return { item, outcome, unitsAdded: 0 }
    }
    const unitsAdded = await addUnits(issuer, db, item.id, codes)
    const sold = (await unitsOf(db, item.id)).map((unit) => ({ ...item, unit }))
    await addVersions(issuer, db, sold)
    return { item, outcome, unitsAdded }
  })
}

export interface ListedItem {
  readonly item: Item
  /** Of codes and tickets alone. */
  readonly units?: { readonly total: number; readonly unassigned: number }
}

/** All articles as they stand, by id. */
export const listItems = (issuer: Pick<Issuer, 'store'>): Promise<readonly ListedItem[]> =>
  issuer.store.read(async (db) => {
    const articles = await db.selectFrom('article').select(['item_id', 'json']).orderBy('item_id').execute()
    const counts = await db
      .selectFrom('unit')
      .select((eb) => [
        'item_id',
        eb.fn.countAll<number>().as('total'),
        eb.fn.count<number>('terminal_no').as('assigned'),
      ])
      .groupBy('item_id')
      .execute()
    const unitsById = new Map(counts.map((row) => [row.item_id, row]))
    return articles.map(({ item_id, json }) => {
      const units = unitsById.get(item_id)
      const item = itemFromStore(json)
      if (units === undefined) return { item }
      return { item, units: { total: units.total, unassigned: units.total - units.assigned } }
    })
  })

/**
 * Shares unassigned codes and tickets out to terminals, evenly. An assigned unit stays where it is, for good, so that kiosks
 * offline never sell the same one. Terminals that are not enrolled yet find their share when they are.
 */
export const assignUnits = async (db: StoreWriter): Promise<number> => {
  const terminals = await db.selectFrom('terminal').select(['terminal_no', 'epoch']).orderBy('terminal_no').execute()
  const enrolled = terminals.filter(({ epoch }) => epoch > 0).map(({ terminal_no }) => terminal_no)
  if (enrolled.length === 0) return 0
  const units = await db.selectFrom('unit').select(['unit_no', 'item_id', 'terminal_no']).orderBy('unit_no').execute()
  const shares = [...Map.groupBy(units, ({ item_id }) => item_id).values()].flatMap((ofItem) =>
    sharesOf(ofItem, { enrolled, eachMax: Math.ceil(ofItem.length / terminals.length) }),
  )
  for (const [terminal_no, ofTerminal] of Map.groupBy(shares, ({ terminal }) => terminal))
    for (const some of chunks(ofTerminal.map(({ unit }) => unit)))
      await db.updateTable('unit').set({ terminal_no }).where('unit_no', 'in', some).execute()
  return shares.length
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

/**
 * The shelf: categories, and how each article is shown (PROTOCOL.md, The shelf). Terminals learn of it with the next `publish`.
 */
import * as v from 'valibot'
import {
  type Bulletin,
  type Category,
  categoriesMax,
  categorySchema,
  type Display,
  displaySchema,
  type ShownFile,
  shownLimits,
} from '../../protocol/bulletin.ts'
import { type Item, isSoldByUnit } from '../../protocol/item.ts'
import { itemFromStore } from '../catalogue.ts'
import { isDeceptive } from '../deceptive-text.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import { byLanguage } from '../language-tags.ts'
import { mediaTypeOf } from '../media-types.ts'
import type { StoreReader, StoreWriter } from '../store.ts'
import { noteFor, timeOf, type Who } from '../who.ts'
import { brandsIn } from './brand.ts'
import { flawOf, flawSays } from './file-flaws.ts'
import { pictureOf } from './pictures.ts'
import type { Preview } from './previews.ts'
import { keepShown, listShown, type NamedFile } from './shown-files.ts'

const input = (sentence: string): IssuerError => new IssuerError('input', sentence)

const shownTypes: readonly string[] = shownLimits.preview.types

/** @throws IssuerError `input` */
const previewTypeOf = ({ name, bytes }: NamedFile): string => {
  const { bytesMax } = shownLimits.preview
  if (bytes.length > bytesMax)
    throw input(`The preview ${name} is too large: up to ${bytesMax / 2 ** 20} MiB are shown.`)
  const mediaType = mediaTypeOf(name)
  if (mediaType?.startsWith('image/')) return pictureOf({ name, bytes, bytesMax }).mediaType
  if (mediaType === undefined || !shownTypes.includes(mediaType))
    throw input(`The preview ${name} is of no kind that kiosks show: a picture, PDF, EPUB, text, sound or film is.`)
  if (bytes.length === 0) throw input(`The preview ${name} is empty.`)
  const flaw = flawOf(bytes, mediaType)
  if (flaw !== undefined) throw input(`The preview ${name} ${flawSays[flaw]}`)
  return mediaType
}

/** Absent: as it is. null: none any more. */
export interface DisplayChange {
  readonly category?: string | null
  readonly picture?: NamedFile | null
  readonly preview?: NamedFile | null
  readonly ageMin?: number | null
  /** UNIX seconds. */
  readonly soldUntil?: number | null
  readonly printed?: boolean
}

const sentenceByField: Readonly<Record<string, string>> = {
  ageMin: 'An age is 1 to 99 years.',
  soldUntil: 'An article is sold until a moment such as "2026-12-24 18:00".',
}

/** @throws IssuerError `input` */
const checkedDisplay = (display: unknown): Display => {
  const parsed = v.safeParse(displaySchema, display)
  if (parsed.success) return parsed.output
  const field = v.getDotPath(parsed.issues[0])?.split('.')[0] ?? ''
  throw input(sentenceByField[field] ?? `How the article is shown is wrong at ${field}.`)
}

/** @throws when the store's text is none: the store was changed by hand */
const displayFromStore = (json: string): Display => v.parse(displaySchema, JSON.parse(json))

interface Standing {
  readonly display: Display
  /** The content that its preview was made of; absent: a person gave it. */
  readonly previewOf?: string
}

const isGiven = ({ display, previewOf }: Standing): boolean => display.preview !== undefined && previewOf === undefined

const standingOf = async (db: StoreReader, itemId: string): Promise<Standing> => {
  const row = await db.selectFrom('item_display').selectAll().where('item_id', '=', itemId).executeTakeFirst()
  if (row === undefined) return { display: { itemId } }
  return { display: displayFromStore(row.json), ...(row.preview_of === null ? {} : { previewOf: row.preview_of }) }
}

/** How an article is shown; undefined where nobody ever said. */
export const displayOf = async (issuer: Pick<Issuer, 'store'>, itemId: string): Promise<Standing> =>
  issuer.store.read((db) => standingOf(db, itemId))

const writeDisplay = async (issuer: Issuer, db: StoreWriter, { display, previewOf }: Standing): Promise<void> => {
  for (const file of [display.picture, display.preview]) if (file !== undefined) await listShown(issuer, db, file)
  const row = {
    item_id: display.itemId,
    category_id: display.category ?? null,
    json: JSON.stringify(display),
    preview_of: previewOf ?? null,
    changed_at: issuer.clock(),
  }
  await db
    .insertInto('item_display')
    .values(row)
    .onConflict((conflict) => conflict.column('item_id').doUpdateSet(row))
    .execute()
}

/** What is sold may not be shown for nothing. */
const requireNotSold = async (db: StoreReader, files: readonly (ShownFile | null | undefined)[]): Promise<void> => {
  const hashes = new Set(files.flatMap((file) => (file == null ? [] : [file.contentHash])))
  if (hashes.size === 0) return
  const articles = await db.selectFrom('article').select('json').execute()
  const coming = await db.selectFrom('coming_article').select('json').execute()
  const sold = [...articles, ...coming]
    .map(({ json }) => itemFromStore(json))
    .find((item) => hashes.has(item.contentHash))
  if (sold !== undefined)
    throw input(`This file is what "${sold.id}" sells: show a smaller picture or a part of it instead.`)
}

const requireCategory = async (db: StoreReader, id: string): Promise<void> => {
  const known = await db.selectFrom('category').select('category_id').where('category_id', '=', id).executeTakeFirst()
  if (known === undefined)
    throw new IssuerError(
      'unknownItem',
      `There is no category "${id}": make it with "farthing catalogue category set ${id} --title TEXT".`,
    )
}

/**
 * A printer prints letters and codes: of any other goods it would print the receipt alone. An article of codes never becomes
 * another one (`addItem`), so that it is asked for where an article becomes a print, and nowhere else.
 * @throws IssuerError `input`
 */
export const requirePrintable = (item: Pick<Item, 'id' | 'kind'>, { printed }: DisplayChange): void => {
  if (printed !== true || isSoldByUnit(item)) return
  throw input(
    `Only articles of kind code or ticket are sold as a print: of "${item.id}" no more than a receipt would come out of the printer. Sell it without: customers see it on the screen, and take it along by its claim.`,
  )
}

/** Members that are given, in place of those that stand; null takes one away. */
const merged = (standing: Display, change: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(
    Object.entries({ ...standing, ...change }).filter(([, value]) => value !== undefined && value !== null),
  )

/**
 * Changes how an article is shown, and to whom and until when it is offered.
 * @throws IssuerError `unknownItem`, `input`
 */
export const setDisplay = async (
  issuer: Issuer,
  itemId: string,
  change: DisplayChange,
  who?: Who,
): Promise<{ readonly display: Display; readonly changed: boolean }> => {
  const { picture, preview } = change
  const shownPicture =
    picture &&
    (await keepShown(issuer, {
      mediaType: pictureOf({ ...picture, bytesMax: shownLimits.picture.bytesMax }).mediaType,
      bytes: picture.bytes,
    }))
  const shownPreview = preview && (await keepShown(issuer, { mediaType: previewTypeOf(preview), bytes: preview.bytes }))
  return issuer.store.write(async (db) => {
    const known = await db.selectFrom('article').select('json').where('item_id', '=', itemId).executeTakeFirst()
    if (known === undefined)
      throw new IssuerError('unknownItem', `There is no article "${itemId}": "farthing catalogue list" names them.`)
    requirePrintable(itemFromStore(known.json), change)
    if (change.category != null) await requireCategory(db, change.category)
    await requireNotSold(db, [shownPicture, shownPreview])
    const before = await standingOf(db, itemId)
    const { soldUntil } = change
    const display = checkedDisplay(
      merged(before.display, {
        ...(change.category === undefined ? {} : { category: change.category }),
        ...(shownPicture === undefined ? {} : { picture: shownPicture }),
        ...(shownPreview === undefined ? {} : { preview: shownPreview }),
        ...(change.ageMin === undefined ? {} : { ageMin: change.ageMin }),
        ...(soldUntil === undefined ? {} : { soldUntil: soldUntil === null ? null : timeOf(soldUntil) }),
        ...(change.printed === undefined ? {} : { printed: change.printed ? true : null }),
      }),
    )
    const previewOf = shownPreview === undefined ? before.previewOf : undefined
    const changed = JSON.stringify(display) !== JSON.stringify(before.display)
    if (changed) {
      await writeDisplay(issuer, db, { display, ...(previewOf === undefined ? {} : { previewOf }) })
      await noteFor(issuer, db, who, {
        action: 'catalogue.display',
        subject: itemId,
        before: before.display,
        after: display,
      })
    }
    return { display, changed }
  })
}

/**
 * Puts a preview in its place that was made of this content, or takes the one away that was made of an earlier content. One that
 * a person gave stays.
 */
export const setMadePreview = async (
  issuer: Issuer,
  of: { readonly itemId: string; readonly contentHash: string },
  make: () => Promise<Preview | undefined>,
): Promise<'given' | 'made' | 'none'> => {
  const before = await displayOf(issuer, of.itemId)
  if (isGiven(before)) return 'given'
  if (before.previewOf === of.contentHash) return 'made'
  const made = await make()
  const shown = made && (await keepShown(issuer, made))
  return issuer.store.write(async (db) => {
    const standing = await standingOf(db, of.itemId)
    // A person gave one while this one was made.
    if (isGiven(standing)) return 'given'
    const { preview, ...display } = standing.display
    if (shown !== undefined)
      await writeDisplay(issuer, db, { display: { ...display, preview: shown }, previewOf: of.contentHash })
    else if (preview !== undefined) await writeDisplay(issuer, db, { display })
    return shown === undefined ? 'none' : 'made'
  })
}

/** In their order. */
export const listCategories = (issuer: Pick<Issuer, 'store'>): Promise<readonly (Category & { items: number })[]> =>
  issuer.store.read(async (db) => {
    const counts = await db
      .selectFrom('item_display')
      .select((eb) => ['category_id', eb.fn.countAll<number | string>().as('items')])
      .groupBy('category_id')
      .execute()
    const items = new Map(counts.map((row) => [row.category_id, Number(row.items)]))
    return (await categoriesIn(db)).map((category) => ({ ...category, items: items.get(category.id) ?? 0 }))
  })

const categoriesIn = async (db: StoreReader): Promise<readonly Category[]> => {
  const rows = await db.selectFrom('category').selectAll().orderBy('position').orderBy('category_id').execute()
  return rows.map((row) => v.parse(categorySchema, { id: row.category_id, title: JSON.parse(row.title) }))
}

/**
 * Makes a category, or gives it other titles or another place.
 * @param given.place 1 is first; absent: where it is, and a new one last
 * @throws IssuerError `input`
 */
export const setCategory = (
  issuer: Issuer,
  given: { readonly id: string; readonly title: Readonly<Record<string, string>>; readonly place?: number },
  who?: Who,
): Promise<{ readonly outcome: 'added' | 'changed' }> => {
  const category = v.safeParse(categorySchema, { id: given.id, title: byLanguage(given.title) })
  if (!category.success)
    throw input('A category has an id of a-z, 0-9, ".", "_" and "-", and a title in at least one language.')
  const titles = Object.values(category.output.title)
  if (titles.some((title) => title.trim() === '' || title.length > 60 || isDeceptive(title)))
    throw input("A category's title has 1 to 60 characters, and none that turn the direction of writing.")
  return issuer.store.write(async (db) => {
    const all = await categoriesIn(db)
    const before = all.find(({ id }) => id === given.id)
    if (before === undefined && all.length >= categoriesMax)
      throw input(`There are ${categoriesMax} categories already: remove one first.`)
    const others = all.filter(({ id }) => id !== given.id)
    const stands = before === undefined ? others.length : all.indexOf(before)
    const ordered = others.toSpliced(given.place === undefined ? stands : given.place - 1, 0, category.output)
    for (const [position, { id, title }] of ordered.entries()) {
      const row = { category_id: id, position, title: JSON.stringify(title), changed_at: issuer.clock() }
      await db
        .insertInto('category')
        .values(row)
        .onConflict((conflict) => conflict.column('category_id').doUpdateSet(row))
        .execute()
    }
    await noteFor(issuer, db, who, { action: 'category.set', subject: given.id, before, after: category.output })
    return { outcome: before === undefined ? 'added' : 'changed' }
  })
}

/** Removes a category; its articles stay, on no shelf. @throws IssuerError `unknownItem` */
export const removeCategory = (issuer: Issuer, id: string, who?: Who): Promise<void> =>
  issuer.store.write(async (db) => {
    await requireCategory(db, id)
    const rows = await db.selectFrom('item_display').selectAll().where('category_id', '=', id).execute()
    for (const row of rows) {
      const { category: _, ...display } = displayFromStore(row.json)
      await db
        .updateTable('item_display')
        .set({ category_id: null, json: JSON.stringify(display) })
        .where('item_id', '=', row.item_id)
        .execute()
    }
    await db.deleteFrom('category').where('category_id', '=', id).execute()
    await noteFor(issuer, db, who, { action: 'category.remove', subject: id })
  })

/** As the next bulletin says it; what there is none of is absent. @param itemIds of the articles that it has, now or to come */
export const shelfIn = async (
  db: StoreReader,
  itemIds: ReadonlySet<string>,
): Promise<Pick<Bulletin, 'categories' | 'display' | 'brands'>> => {
  const categories = await categoriesIn(db)
  const rows = await db.selectFrom('item_display').select(['item_id', 'json']).orderBy('item_id').execute()
  const display = rows
    .filter(({ item_id }) => itemIds.has(item_id))
    .map(({ json }) => displayFromStore(json))
    .filter((entry) => Object.keys(entry).length > 1)
  const brands = await brandsIn(db)
  return {
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
    ...(display.length === 0 ? {} : { display }),
    ...(brands.length === 0 ? {} : { brands: [...brands] }),
  }
}

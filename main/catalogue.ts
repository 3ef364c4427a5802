/**
 * What can be sold here now: the bulletin's items, the keyring's keys and codes, and the encrypted goods on the disk.
 * Goods are made ready before a card is asked for money, so that nothing can fail after.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  articlesAt,
  type Bulletin,
  type Display,
  type ShownFile,
  secondsOf,
  shownLimits,
} from '../protocol/bulletin.ts'
import { fromHex, toHex } from '../protocol/bytes.ts'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { parsed } from '../protocol/errors.ts'
import { type Item, isSoldByUnit, unitItem, unitOf } from '../protocol/item.ts'
import { decryptContent, type KeyringBody } from '../protocol/keyring.ts'
import { shortHashOf } from '../protocol/mac.ts'
import type { ShortHash } from '../protocol/quantities.ts'
import { parseTicket } from '../protocol/ticket.ts'

/** The goods of one sale, decrypted and checked. */
export interface ReadyGoods {
  /** With `unit` for a code or ticket. */
  readonly item: Item
  readonly itemJson: string
  readonly itemHash: ShortHash
  /** The one-time code in plain text. */
  readonly code?: string
  /** The content in plain bytes. */
  readonly content?: Uint8Array
}

export interface Offering {
  /** As the bulletin has it: without `unit`. */
  readonly article: Item
  /** Units left, for codes and tickets. */
  readonly stock?: number
  /** How it is shown; of its files those that are here. */
  readonly display?: Display
}

/** How a merchant is recognised, as far as it is here. */
export interface ShownBrand {
  readonly accent?: string
  readonly logo?: ShownFile
}

export const goodsPath = (dataDir: string, contentHash: string): string => path.join(dataDir, 'goods', contentHash)

/** So long after a change its folder's time tells for sure whether there was another one. */
const goodsSettleMs = 1000

/** When a file of goods last came or went; 0: there never were any. */
const goodsChangedMs = (dataDir: string): number =>
  statSync(path.join(dataDir, 'goods'), { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Names of the goods on the disk. */
const goodsHere = (dataDir: string): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(path.join(dataDir, 'goods')))
  } catch {
    // Nothing was fetched yet.
    return new Set()
  }
}

/** @returns the plain bytes, or undefined when these are not the goods of that name */
export const openContent = (
  blob: Uint8Array,
  sealing: { readonly key: Uint8Array; readonly contentHash: string },
): Uint8Array | undefined => {
  const content = parsed(() => decryptContent(blob, sealing))
  return content !== undefined && toHex(sha256(content)) === sealing.contentHash ? content : undefined
}

const ready = (item: Item, goods: { code?: string; content?: Uint8Array }): ReadyGoods => {
  const json = canonicalBytes(item)
  return { item, itemJson: Buffer.from(json).toString('utf8'), itemHash: shortHashOf(json), ...goods }
}

/** Nobody is sold a ticket whose time is over. Any other code has no end that is known here. */
const lastSecondOf = (code: string): number => parsed(() => parseTicket(code))?.validUntil ?? Number.POSITIVE_INFINITY

export type Catalogue = ReturnType<typeof openCatalogue>

/**
 * @param held units that a payment holds or has sold
 * @param now the time that this terminal trusts, UNIX seconds: prices change by it
 */
export const openCatalogue = (from: {
  readonly dataDir: string
  readonly bulletin: Bulletin
  readonly keyring: KeyringBody
  readonly held: () => ReadonlySet<string>
  readonly now: () => number
}) => {
  const { dataDir, bulletin, keyring, held, now } = from
  // An assortment that the bulletin does not have is empty: nothing is sold on a guess.
  const assortment =
    keyring.assortment === undefined
      ? undefined
      : new Set(bulletin.assortments?.find(({ name }) => name === keyring.assortment)?.items)
  const isOurs = ({ id }: Pick<Item, 'id'>): boolean => assortment?.has(id) ?? true
  const displays = new Map(bulletin.display?.map((entry) => [entry.itemId, entry]))
  const isOver = ({ id }: Pick<Item, 'id'>, seconds: number): boolean => {
    const until = displays.get(id)?.soldUntil
    return until !== undefined && secondsOf(until) <= seconds
  }
  const articles = (): readonly Item[] => {
    const seconds = now()
    return articlesAt(bulletin, seconds).filter((item) => isOurs(item) && !isOver(item, seconds))
  }
  const coming = (bulletin.coming ?? []).map(({ item }) => item).filter(isOurs)
  const contentKeys = new Map(keyring.contentKeys.map((entry) => [entry.contentHash, fromHex(entry.key, 32)]))
  const codes = new Map<string, { unit: string; code: string; lastSecond: number }[]>()
  const codeOfUnit = new Map<string, string>()
  for (const { itemId, code } of keyring.units) {
    const unit = unitOf(code)
    codeOfUnit.set(unit, code)
    const units = codes.get(itemId) ?? []
    units.push({ unit, code, lastSecond: lastSecondOf(code) })
    codes.set(itemId, units)
  }

  /** What is sold is never shown for nothing, whatever the bulletin says. */
  const soldHashes = new Set(
    [...bulletin.items, ...(bulletin.coming ?? []).map(({ item }) => item)].map((item) => item.contentHash),
  )
  const shown = (file: ShownFile | undefined, kind: keyof typeof shownLimits): ShownFile[] => {
    if (file === undefined || soldHashes.has(file.contentHash)) return []
    const { bytesMax, types } = shownLimits[kind]
    return file.bytes <= bytesMax && types.some((type) => type === file.mediaType) ? [file] : []
  }
  const ourBrand = bulletin.brands?.find(({ merchant }) => merchant === keyring.merchant)
  const shelfFiles = new Map(
    [
      ...(bulletin.display ?? [])
        .filter(({ itemId }) => isOurs({ id: itemId }))
        .flatMap(({ picture, preview }) => [...shown(picture, 'picture'), ...shown(preview, 'preview')]),
      ...shown(ourBrand?.logo, 'logo'),
    ].map((file) => [file.contentHash, file]),
  )

  const readContent = (item: Pick<Item, 'contentHash'>): Uint8Array | undefined => {
    const key = contentKeys.get(item.contentHash)
    const file = goodsPath(dataDir, item.contentHash)
    if (key === undefined || !existsSync(file)) return undefined
    const content = openContent(readFileSync(file), { key, contentHash: item.contentHash })
    // Damaged on the disk: the next sync brings it anew.
    if (content === undefined) rmSync(file, { force: true })
    return content
  }

  const freeUnits = (itemId: string, taken: ReadonlySet<string>) => {
    const seconds = now()
    return (codes.get(itemId) ?? []).filter(({ unit, lastSecond }) => seconds <= lastSecond && !taken.has(unit))
  }

  const shownOf = (itemId: string, isHere: (file: ShownFile) => boolean): Pick<Offering, 'display'> => {
    const display = displays.get(itemId)
    if (display === undefined) return {}
    const { picture, preview, ...rest } = display
    const isShown = (file: ShownFile | undefined): file is ShownFile =>
      file !== undefined && shelfFiles.has(file.contentHash) && isHere(file)
    return {
      display: { ...rest, ...(isShown(picture) ? { picture } : {}), ...(isShown(preview) ? { preview } : {}) },
    }
  }

  const readShelf = (): readonly Offering[] => {
    const files = goodsHere(dataDir)
    const isHere = ({ contentHash }: Pick<Item, 'contentHash'>): boolean =>
      contentKeys.has(contentHash) && files.has(contentHash)
    return articles()
      .filter((article) => isSoldByUnit(article) || isHere(article))
      .map((article) => ({ article, ...shownOf(article.id, isHere) }))
  }

  /** What changes the shelf without a new bulletin: moments, and files that come and go. */
  const moments = [
    ...(bulletin.coming ?? []).map(({ from }) => secondsOf(from)),
    ...[...displays.values()].flatMap(({ soldUntil }) => (soldUntil === undefined ? [] : [secondsOf(soldUntil)])),
  ]
  let known:
    | { readonly stand: string; readonly shelf: readonly Offering[]; readonly byUnit: readonly Offering[] }
    | undefined
  let offered:
    | { readonly shelf: readonly Offering[]; readonly stocks: readonly number[]; readonly list: readonly Offering[] }
    | undefined
  const shelfNow = () => {
    const seconds = now()
    const changedMs = goodsChangedMs(dataDir)
    const stand = `${moments.filter((moment) => moment <= seconds).length} ${changedMs}`
    // Within a moment of a change another one may bear the same time.
    const isSure = Date.now() - changedMs > goodsSettleMs
    if (known?.stand !== stand || !isSure) {
      const shelf = readShelf()
      // A look that finds nothing new leaves everything as it was.
      if (known === undefined || !isDeepStrictEqual(known.shelf, shelf))
        known = { stand, shelf, byUnit: shelf.filter(({ article }) => isSoldByUnit(article)) }
      else known = { ...known, stand }
    }
    return known
  }

  return {
    /** Every version that this terminal sells now or will sell: their goods are fetched before they are wanted. */
    announced(): readonly Item[] {
      return [...articles(), ...coming]
    },

    /** Pictures, previews and the logo: fetched when the goods are here, and sold without if they cannot be had. */
    shelfFiles: (): readonly ShownFile[] => [...shelfFiles.values()],

    /** The plain bytes of one of them, for everybody; undefined: it is none of this shelf's, or not here. */
    shelfContent(contentHash: string): { readonly mediaType: string; readonly bytes: Uint8Array } | undefined {
      const file = shelfFiles.get(contentHash)
      const bytes = file && readContent(file)
      return file === undefined || bytes === undefined ? undefined : { mediaType: file.mediaType, bytes }
    },

    /** The shelves, as the bulletin orders them. */
    categories: bulletin.categories ?? [],

    brand(): ShownBrand {
      const logo = ourBrand?.logo
      const here =
        logo !== undefined && shelfFiles.has(logo.contentHash) && existsSync(goodsPath(dataDir, logo.contentHash))
      return {
        ...(ourBrand?.accent === undefined ? {} : { accent: ourBrand.accent }),
        ...(here ? { logo } : {}),
      }
    },

    /** Whether its goods are a print. */
    printed: (itemId: string): boolean => displays.get(itemId)?.printed ?? false,

    /** How old a customer must say that he is; 0: nobody asks. */
    ageMin: (itemId: string): number => displays.get(itemId)?.ageMin ?? 0,

    /** Articles as they are sold now. */
    articles,

    /** Articles whose goods are here, in the bulletin's order: the same list again as long as nothing of it changed. */
    offerings(): readonly Offering[] {
      const { shelf, byUnit } = shelfNow()
      const taken = byUnit.length === 0 ? new Set<string>() : held()
      const stocks = byUnit.map(({ article }) => freeUnits(article.id, taken).length)
      if (offered?.shelf !== shelf || stocks.some((stock, index) => stock !== offered?.stocks[index])) {
        const stockOf = new Map(byUnit.map((offering, index) => [offering, stocks[index] ?? 0]))
        const list = shelf.map((offering) => {
          const stock = stockOf.get(offering)
          return stock === undefined ? offering : { ...offering, stock }
        })
        offered = { shelf, stocks, list }
      }
      return offered.list
    },

    /** Makes goods ready for sale. @returns `outOfStock` when there are none to sell; `unknown` for no such item */
    prepare(itemId: string): ReadyGoods | 'unknown' | 'outOfStock' {
      const article = articles().find(({ id }) => id === itemId)
      if (article === undefined) return 'unknown'
      if (isSoldByUnit(article)) {
        const free = freeUnits(itemId, held())[0]
        return free === undefined ? 'outOfStock' : ready(unitItem(article, free.code), { code: free.code })
      }
      const content = readContent(article)
      return content === undefined ? 'outOfStock' : ready(article, { content })
    },

    /** The goods of a payment that was made earlier, as its intent kept the item. */
    goodsOf(item: Item): ReadyGoods | undefined {
      if (item.unit !== undefined) {
        const code = codeOfUnit.get(item.unit)
        return code === undefined ? undefined : ready(item, { code })
      }
      const content = readContent(item)
      return content === undefined ? undefined : ready(item, { content })
    },
  }
}

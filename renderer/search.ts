/**
 * Finding items by a few letters, in whatever language they were typed: accents, case and the marks that Arabic leaves
 * out count for nothing. Chinese cannot be typed on the kiosk: its titles are found by what they are called elsewhere.
 */
import type { CatalogueItem, Category } from '../preload/contract.ts'

/** Letters that no decomposition takes apart (Unicode NFKD). */
const alike: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ı: 'i',
  ى: 'ي',
  ة: 'ه',
  ـ: '',
}

/** As it is compared: small letters without marks, with one space between words. */
export function foldedOf(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[ßæœøłđıىةـ]/g, (letter) => alike[letter] ?? '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

interface Entry {
  readonly item: CatalogueItem
  /** Each begins with a space, so that the beginning of a word can be asked for. */
  readonly titles: string
  readonly rest: string
}

export type SearchIndex = readonly Entry[]

const joined = (texts: Readonly<Record<string, string>>) => ` ${Object.values(texts).map(foldedOf).join(' | ')}`

export function indexOf(catalogue: readonly CatalogueItem[], categories: readonly Category[]): SearchIndex {
  const shelves = new Map(categories.map(({ id, title }) => [id, joined(title)]))
  return catalogue.map((item) => ({
    item,
    titles: joined(item.title),
    rest: `${joined(item.summary)}${shelves.get(item.category ?? '') ?? ''}`,
  }))
}

/** How well an entry fits one word; 0: not at all. */
function fitOf({ titles, rest }: Entry, word: string): number {
  if (titles.includes(` ${word}`)) return 4
  if (titles.includes(word)) return 3
  if (rest.includes(` ${word}`)) return 2
  return rest.includes(word) ? 1 : 0
}

/** The items in which every word is found, those found in their titles first; all of them for an empty query. */
export function found(index: SearchIndex, query: string): readonly CatalogueItem[] {
  const words = foldedOf(query).split(' ')
  return index
    .map((entry) => ({ item: entry.item, fit: Math.min(...words.map((word) => fitOf(entry, word))) }))
    .filter(({ fit }) => fit > 0)
    .toSorted((a, b) => b.fit - a.fit)
    .map(({ item }) => item)
}

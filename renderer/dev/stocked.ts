/** The shelf of the demonstration (resources/catalogue.json), for looking at a full kiosk without a shell. */

import type { CatalogueItem, ItemKind, KioskStatus } from '../../preload/contract.ts'
import sample from '../../resources/catalogue.json'
import { items } from './fixtures.ts'

const pictures = import.meta.glob<string>('../../resources/pictures/*.svg', {
  query: '?url',
  import: 'default',
  eager: true,
})
const pictureOf = (name: string) => pictures[`../../resources/pictures/${name}`] ?? ''

const mediaTypes: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  epub: 'application/epub+zip',
  md: 'text/markdown',
  svg: 'image/svg+xml',
  wav: 'audio/wav',
  txt: 'text/plain',
}
const mediaTypeOf = (file: string) => mediaTypes[file.split('.').at(-1) ?? ''] ?? 'text/plain'
const kindOf = (mediaType: string): ItemKind => (/^(image|audio)/.test(mediaType) ? 'media' : 'document')

const withPicture = (item: CatalogueItem, category: string): CatalogueItem => ({
  ...item,
  category,
  pictureUrl: pictureOf(`${item.id}.svg`),
})

/** Units of what is unique: some scarce, one sold out. */
const stocks: Readonly<Record<string, number>> = {
  'wifi-week': 40,
  'tower-ticket': 3,
  'museum-ticket': 0,
  'boat-trip': 12,
}

const catalogue: readonly CatalogueItem[] = [
  { ...withPicture(items.map, 'maps'), preview: { url: '/walking-map.pdf', mediaType: 'application/pdf' } },
  withPicture(items.code, 'wifi'),
  ...sample.items.map((entry): CatalogueItem => {
    const { id, category, file, price, title, summary, age, until } = {
      age: undefined,
      until: undefined,
      ...entry,
    }
    const mediaType = mediaTypeOf(file)
    const stock = stocks[id]
    return {
      id,
      kind: entry.kind === 'code' || entry.kind === 'ticket' ? entry.kind : kindOf(mediaType),
      title,
      summary,
      priceMinor: Math.round(Number(price) * 100),
      taxBasisPoints: 1_900,
      mediaType,
      bytes: 20_000,
      category,
      pictureUrl: pictureOf(`${id}.svg`),
      ...(stock === undefined ? {} : { stock }),
      ...(id === 'museum-ticket' ? { printed: true } : {}),
      ...(age === undefined ? {} : { ageMin: age }),
      ...(until === undefined ? {} : { soldUntil: new Date(until).toISOString() }),
      ...(kindOf(mediaType) === 'document' && mediaType !== 'text/plain'
        ? { preview: { url: `/${file}`, mediaType } }
        : {}),
    }
  }),
  ...[0, 1].map((copy) => ({
    ...withPicture(items.article, 'articles'),
    id: `penny-post-${copy}`,
    pictureUrl: pictureOf('farthing-story.svg'),
  })),
]

export const stocked: Pick<KioskStatus, 'catalogue' | 'categories' | 'branding' | 'merchant'> = {
  merchant: 'Alderwend Old Town',
  catalogue,
  categories: sample.categories,
  branding: { accent: sample.merchant.accent, logoUrl: pictureOf(sample.merchant.logo) },
}

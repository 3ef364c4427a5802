/** Shows one screen with a fixture, for looking at it: ?screen=pay&diagonal=257&language=de&contrast&large&reach&still&speech&many&stocked&offline&reader=right */
import type { CatalogueItem } from '../../preload/contract.ts'
import { mount } from '../mount.tsx'
import { brokenScreen, fakeBridge, items, manyItems, screens, status } from './fixtures.ts'
import { stocked } from './stocked.ts'

declare global {
  interface Window {
    /** For a driver: the next screen, without loading the page anew; `keep` leaves the customer as he set himself. */
    show?: (name: string, options?: { readonly keep?: boolean }) => void
    /** For a driver: what main was asked so far. */
    asked?: () => readonly string[]
    /** For a driver: goods of any kind. */
    showGoods?: (content: { contentUrl: string; mediaType: string }) => void
    /** For a driver: the page of one item. */
    showItem?: (itemId: string) => void
  }
}

const comforts = {
  contrast: 'highContrast',
  large: 'largeType',
  reach: 'inReach',
  still: 'lessMotion',
  speech: 'spoken',
} as const
const wish = new URLSearchParams(window.location.search)
const reader = wish.get('reader')
const root = document.getElementById('root')

function catalogueOf(): readonly CatalogueItem[] {
  if (wish.has('hostile')) return [items.hostile]
  const shelf = wish.has('stocked') ? stocked.catalogue : wish.has('many') ? manyItems : status.catalogue
  if (!wish.has('thousand')) return shelf
  return Array.from({ length: 1000 }, (_, place) => ({
    ...(shelf[place % shelf.length] ?? items.map),
    id: `item-${place}`,
  }))
}

if (root !== null) {
  const bridge = fakeBridge({
    status: {
      ...status,
      ...(wish.has('stocked') ? stocked : {}),
      online: !wish.has('offline'),
      diagonalMm: Number(wish.get('diagonal') ?? status.diagonalMm),
      readerPosition: reader === 'right' || reader === 'left' || reader === 'above' ? reader : 'below',
      catalogue: catalogueOf(),
    },
    screen: { name: 'browse' },
  })
  const engine = mount({ bridge, root })
  const dress = () => {
    const language = wish.get('language')
    if (language !== null) engine.setLanguage(language)
    const { comfort } = engine.store.getState()
    for (const [name, comfortName] of Object.entries(comforts))
      if (wish.has(name) !== comfort[comfortName]) engine.toggle(comfortName)
  }
  window.showGoods = ({ contentUrl, mediaType }) =>
    bridge.push({ screen: { name: 'goods', goods: { item: { ...items.map, mediaType }, contentUrl } } })
  window.showItem = (itemId) => {
    bridge.push({ screen: { name: 'browse' } })
    engine.open({ name: 'item', itemId })
  }
  window.show = (name, { keep = false } = {}) => {
    const make = name === 'broken' ? () => brokenScreen : screens[name]
    if (make === undefined) throw new Error(`no fixture ${name}`)
    bridge.push({ screen: make() })
    if (keep) return
    engine.open({ name: 'attract' })
    if (name === 'catalogue') engine.open({ name: 'catalogue' })
    if (name === 'item') engine.open({ name: 'item', itemId: wish.get('item') ?? 'walking-map' })
    dress()
  }
  window.asked = () => bridge.asked
  window.show(wish.get('screen') ?? 'attract')
}

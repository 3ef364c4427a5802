/** What the page sees of items, goods and movements; made of what main knows, and of nothing more. */
import type { CatalogueItem, KioskScreen } from '../../preload/contract.ts'
import type { Item } from '../../protocol/item.ts'
import { operatorPinDigits } from '../../protocol/operator.ts'
import type { CardRecord } from '../../protocol/record.ts'
import { cardEnding } from '../card-id.ts'
import type { Offering } from '../catalogue.ts'
import { movementOf, type Statement } from './card-statement.ts'
import type { Mode, OperatorMode } from './modes.ts'

export const pinDigitsMin = 4
export const pinDigitsMax = 12

/** Times beyond what a date can say are its end. */
export const iso = (ms: number): string => new Date(Math.min(ms, 8.64e15)).toISOString()

export const articleView = (item: Item | CatalogueItem, stock?: number): CatalogueItem => ({
  id: item.id,
  kind: item.kind,
  title: item.title,
  summary: item.summary,
  priceMinor: item.priceMinor,
  taxBasisPoints: item.taxBasisPoints,
  mediaType: item.mediaType,
  bytes: item.bytes,
  ...(stock === undefined ? {} : { stock }),
})

/** On the app's own origin (main/app-scheme.ts). */
export const shelfUrl = ({ contentHash }: { readonly contentHash: string }): string => `/shelf/${contentHash}`

/** An article as it stands on the shelf. */
const offeringView = ({ article, stock, display }: Offering): CatalogueItem => {
  if (display === undefined) return articleView(article, stock)
  const { category, picture, preview, ageMin, soldUntil, printed } = display
  return {
    ...articleView(article, stock),
    ...(category === undefined ? {} : { category }),
    ...(ageMin === undefined ? {} : { ageMin }),
    ...(soldUntil === undefined ? {} : { soldUntil }),
    ...(printed === undefined ? {} : { printed }),
    ...(picture === undefined ? {} : { pictureUrl: shelfUrl(picture) }),
    ...(preview === undefined ? {} : { preview: { url: shelfUrl(preview), mediaType: preview.mediaType } }),
  }
}

/** The same list as long as the shelf is the same: whoever pushes it to the page can tell. */
const shownShelves = new WeakMap<readonly Offering[], readonly CatalogueItem[]>()
export const shelfView = (offerings: readonly Offering[]): readonly CatalogueItem[] => {
  const view = shownShelves.get(offerings) ?? offerings.map(offeringView)
  shownShelves.set(offerings, view)
  return view
}

/** Sold elsewhere and not known by name here (a code, an item of another kiosk's): the claim knows what it is. */
export const unnamedItem = ({ order }: CardRecord): CatalogueItem => ({
  id: '',
  kind: 'document',
  title: {},
  summary: {},
  priceMinor: order.amountMinor,
  taxBasisPoints: 0,
  mediaType: 'application/octet-stream',
  bytes: 0,
})

export const balanceScreen = (statement: Statement): Extract<KioskScreen, { name: 'balance' }> => ({
  name: 'balance',
  cardEnding: cardEnding(statement.card.cardId),
  balanceMinor: statement.balanceMinor,
  expiresAt: iso(statement.card.expiry * 1000),
  blocked: statement.card.status === 'blocked',
  movements: statement.lines.flatMap((line) => movementOf(line) ?? []),
})

const operatorScreen = (mode: OperatorMode, digits: number): KioskScreen => {
  const { phase, operator, task, retryAtMs = 0 } = mode
  const shared = { name: 'operator', operator: operator.name, role: operator.role, endsAt: iso(mode.endsAtMs) } as const
  const balance = mode.statement !== undefined
  switch (phase) {
    case 'entering':
    case 'wrong':
    case 'checking':
      return { ...shared, phase, digits, digitsMin: operatorPinDigits.min, digitsMax: operatorPinDigits.max, balance }
    case 'waiting':
      return { ...shared, phase, retryAt: iso(retryAtMs), balance }
    case 'open':
    case 'tap':
    case 'working':
      return { ...shared, phase: 'open', ...(task === undefined ? {} : { task }) }
  }
}

/** The screen of a mode in which something happens; `browse` and what is shown have their own. */
export const screenOf = (
  mode: Exclude<Mode, { name: 'browse' }>,
  { pinDigits }: { readonly pinDigits: number },
): KioskScreen => {
  switch (mode.name) {
    case 'pay':
      return { name: 'pay', item: articleView(mode.goods.item), phase: mode.phase, endsAt: iso(mode.endsAtMs) }
    case 'pin':
      return {
        name: 'pin',
        item: articleView(mode.goods.item),
        amountMinor: mode.goods.item.priceMinor,
        digits: pinDigits,
        digitsMin: pinDigitsMin,
        digitsMax: pinDigitsMax,
        triesLeft: mode.triesLeft,
        phase: mode.phase,
        endsAt: iso(mode.endsAtMs),
      }
    case 'top-up':
      return { name: 'top-up', endsAt: iso(mode.endsAtMs), ...mode.step }
    case 'recover':
      return {
        name: 'recover',
        item: articleView(mode.goods.item),
        amountMinor: mode.goods.item.priceMinor,
        phase: mode.phase,
        endsAt: iso(mode.endsAtMs),
      }
    case 'operator':
      return operatorScreen(mode, pinDigits)
    case 'shown':
      return mode.screen
  }
}

/**
 * What main and the page say to each other: the whole surface of the bridge, in types alone.
 * Amounts are in minor units of `KioskStatus.currency`; times are ISO 8601 in UTC.
 *
 * Main owns everything from the choice of an item to the goods; the page owns only where the customer browses.
 */

/** Main's refusals, in their order of precedence (docs/PROTOCOL.md, Refusals). */
export const refusalReasons = [
  'outOfService',
  'outOfStock',
  'notAPurse',
  'cardSuspect',
  'cardBlocked',
  'hotlisted',
  'cardExpired',
  'wrongCurrency',
  'limit',
  'balanceTooLow',
  'pinNeeded',
  'pinWrong',
  'pinBlocked',
  'cancelled',
  'timeout',
] as const
export type RefusalReason = (typeof refusalReasons)[number]

export type ItemKind = 'document' | 'media' | 'code' | 'ticket'

/** An article of the catalogue; the units of a one-time code are one article with a stock. */
export interface CatalogueItem {
  readonly id: string
  readonly kind: ItemKind
  /** By BCP 47 language tag. */
  readonly title: Readonly<Record<string, string>>
  readonly summary: Readonly<Record<string, string>>
  readonly priceMinor: number
  readonly mediaType: string
  readonly bytes: number
  /** How many can still be sold here; absent where there is no end of them. */
  readonly stock?: number
}

/** Fixed for the life of the page, or changed only by the issuer's bulletin. */
export interface KioskStatus {
  readonly merchant: string
  /** ISO 4217 letters, and the number of decimals of its minor unit. */
  readonly currency: string
  readonly currencyDecimals: number
  readonly online: boolean
  readonly languages: readonly string[]
  /** Where this cabinet's card reader is, seen by the customer. */
  readonly readerPosition: 'below' | 'right' | 'left' | 'above'
  /** The screen's diagonal in millimetres: sizes on the page are set from it. */
  readonly diagonalMm: number
  readonly catalogue: readonly CatalogueItem[]
}

/** What was bought, ready to be shown. */
export interface GoodsView {
  readonly item: CatalogueItem
  /** Where the page fetches the content from (own origin, this sale only); absent for codes and tickets. */
  readonly contentUrl?: string
  /** The one-time code or ticket in plain sight. */
  readonly code?: string
  /** The claim: what the QR code says (docs/PROTOCOL.md, Claims); absent when the goods cannot be taken along. */
  readonly claimUrl?: string
  readonly claimExpiresAt?: string
}

export interface CardMovement {
  readonly counter: number
  readonly kind: 'payment' | 'load' | 'reversal'
  readonly amountMinor: number
  readonly at: string
  /** Sold here and known by name; otherwise absent. */
  readonly title?: Readonly<Record<string, string>>
  /** The card's owner may collect this purchase again (here or by claim). */
  readonly collectable: boolean
}

export type OutOfServiceReason =
  | 'starting'
  | 'notEnrolled'
  | 'noReader'
  | 'storage'
  | 'emptyCatalogue'
  | 'stale'
  | 'stopped'

/** Which screen main wants, with all that it shows. `browse`: the page's own attract, catalogue and item. */
export type KioskScreen =
  | { readonly name: 'browse' }
  | {
      readonly name: 'pay'
      readonly item: CatalogueItem
      /** `twoCards`: take one away. `working`: hold the card still. */
      readonly phase: 'waiting' | 'working' | 'twoCards'
      /** When waiting ends by itself. */
      readonly endsAt: string
    }
  | {
      readonly name: 'approved'
      readonly amountMinor: number
      readonly balanceMinor: number
      readonly goods: GoodsView
      /** A payment of an earlier tap that was finished now, not a new one. */
      readonly recovered: boolean
    }
  | { readonly name: 'goods'; readonly goods: GoodsView; readonly balanceMinor?: number }
  | {
      readonly name: 'declined'
      readonly reason: RefusalReason
      readonly item?: CatalogueItem
      readonly balanceMinor?: number
      readonly missingMinor?: number
    }
  | {
      readonly name: 'recover'
      readonly item: CatalogueItem
      readonly amountMinor: number
      /** `waiting`: the same card again. `wrongCard`: that was another one. `working`: hold still. */
      readonly phase: 'waiting' | 'wrongCard' | 'working'
      readonly endsAt: string
    }
  | {
      readonly name: 'balance'
      /** The last four digits. */
      readonly cardEnding: string
      readonly balanceMinor: number
      readonly expiresAt: string
      readonly blocked: boolean
      readonly movements: readonly CardMovement[]
    }
  | { readonly name: 'out-of-service'; readonly reason: OutOfServiceReason }

export interface KioskState {
  readonly status: KioskStatus
  readonly screen: KioskScreen
}

/** `window.farthing` in the page. Every method is one named channel; main checks sender and shape of each. */
export interface FarthingBridge {
  state(): Promise<KioskState>
  /** Calls back with every new state. Returns the function that stops it. */
  onState(listener: (state: KioskState) => void): () => void
  /** Starts the purchase of one item. Ignored unless main's screen is `browse` or `declined`. */
  buy(itemId: string): Promise<void>
  /** Leaves `pay` before the card was debited; without effect after that. */
  cancel(): Promise<void>
  /** From `approved` to `goods`. */
  showGoods(): Promise<void>
  /** From `balance`: the purchase with this counter, again. */
  collect(counter: number): Promise<void>
  /** The customer is done: back to `browse`, nothing of him stays. Ignored while a card is being debited. */
  finish(): Promise<void>
}

/** One IPC channel a method, and the one on which main pushes states. */
export const channels = {
  state: 'farthing:state',
  buy: 'farthing:buy',
  cancel: 'farthing:cancel',
  showGoods: 'farthing:show-goods',
  collect: 'farthing:collect',
  finish: 'farthing:finish',
  pushed: 'farthing:pushed',
} as const

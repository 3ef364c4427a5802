/**
 * What main and the page say to each other: the whole surface of the bridge, in types alone.
 * Amounts are in minor units of `KioskStatus.currency`; times are ISO 8601 in UTC.
 *
 * Main owns everything from the choice of an item to the goods; the page owns only where the customer browses.
 */

import type { OperatorAct, OperatorLook, OperatorResult, OperatorScreen, OperatorViews } from './operator-contract.ts'

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
  /** Included in the price, in hundredths of a percent; 0: none is shown. */
  readonly taxBasisPoints: number
  readonly mediaType: string
  readonly bytes: number
  /** How many can still be sold here; absent where there is no end of them. */
  readonly stock?: number
  /** One of `KioskStatus.categories`. */
  readonly category?: string
  /** A picture of it, on the app's own origin; absent: the page draws a cover. */
  readonly pictureUrl?: string
  /** A part of the content to look at before buying, on the app's own origin. */
  readonly preview?: { readonly url: string; readonly mediaType: string }
  /** The customer must say that he is at least this old. */
  readonly ageMin?: number
  /** Sold until then (a ticket for an event, an offer). */
  readonly soldUntil?: string
  /** The goods are a print: no sale while the printer is not ready, and a failed print is money back on the spot. */
  readonly printed?: true
}

/** A shelf of the catalogue. */
export interface Category {
  readonly id: string
  readonly title: Readonly<Record<string, string>>
}

/** How the merchant wants to be recognised; from the issuer's bulletin, so it is checked before it is used. */
export interface Branding {
  /** On the app's own origin. */
  readonly logoUrl?: string
  /** `#rrggbb`; the page takes another tone of it where its contrast would not do. */
  readonly accent?: string
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
  /** Where a customer is helped: a desk, a telephone number; absent: nobody said. */
  readonly help?: string
  readonly catalogue: readonly CatalogueItem[]
  /** In the order in which they are shown; empty: the catalogue is one list. */
  readonly categories: readonly Category[]
  readonly branding: Branding
  /** Absent: this cabinet has no printer. `ready` is as it was last seen. */
  readonly printer?: { readonly ready: boolean }
  /** Money can be loaded here by voucher now: the issuer answers, and the technician allows it. */
  readonly topUp: boolean
  /** 0 to 1: sounds and speech. */
  readonly volume: number
  /** 0.2 to 1: the page is dimmed to it. */
  readonly brightness: number
}

/** What a receipt says; printed, shown, and told by the claim alike. */
export interface ReceiptView {
  /** Without gaps in one epoch of this terminal: "EPOCH-NUMBER". */
  readonly number: string
  readonly at: string
  readonly title: Readonly<Record<string, string>>
  readonly priceMinor: number
  readonly taxBasisPoints: number
  /** Of the price, rounded half up. */
  readonly taxMinor: number
  /** The last four digits. */
  readonly cardEnding: string
  readonly balanceMinor: number
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
  /** By an operator. */
  | 'closed'

/** What the printer does with this sale's receipt or goods. */
export type Printing = 'working' | 'done' | 'failed'

/** Why a voucher brought nothing. */
export type TopUpRefusal =
  | 'unknownVoucher'
  | 'usedVoucher'
  | 'expiredVoucher'
  | 'offline'
  | 'notAPurse'
  | 'cardSuspect'
  | 'cardBlocked'
  | 'wrongCurrency'
  | 'overBalanceMax'
  | 'cardLost'
  | 'refused'
  /** The issuer was asked to load and did not answer. */
  | 'unanswered'

export type TopUp =
  /** The voucher's code on the keys. `asking`: the issuer is asked what it is worth. */
  | { readonly phase: 'code' | 'asking'; readonly problem?: TopUpRefusal }
  | { readonly phase: 'tap' | 'working'; readonly amountMinor: number; readonly problem?: TopUpRefusal }
  | { readonly phase: 'done'; readonly amountMinor: number; readonly balanceMinor: number }
  /** Not loaded, or unknown: `inDoubt` is settled at the card's next tap. The voucher stands until it was used. */
  | { readonly phase: 'failed'; readonly problem: TopUpRefusal | 'inDoubt' }

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
      /** The goods are a print, and it lies in the printer. */
      readonly printed?: true
      readonly receipt?: ReceiptView
      readonly printing?: Printing
    }
  | {
      readonly name: 'goods'
      readonly goods: GoodsView
      readonly balanceMinor?: number
      readonly receipt?: ReceiptView
      readonly printing?: Printing
    }
  | {
      readonly name: 'declined'
      readonly reason: RefusalReason
      readonly item?: CatalogueItem
      readonly balanceMinor?: number
      readonly missingMinor?: number
      /** It was paid, the goods failed, and the card has its money back already. */
      readonly returned?: true
    }
  | {
      readonly name: 'pin'
      readonly item: CatalogueItem
      readonly amountMinor: number
      /** How many digits main has; never which. */
      readonly digits: number
      readonly digitsMin: number
      readonly digitsMax: number
      readonly triesLeft: number
      /** `entering`: on the keys. `wrong`: as before, once more. `tap`: the same card to the reader. `wrongCard`: that was another one. `working`: hold it still. */
      readonly phase: 'entering' | 'wrong' | 'tap' | 'wrongCard' | 'working'
      readonly endsAt: string
    }
  | ({ readonly name: 'top-up'; readonly endsAt: string } & TopUp)
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
      /** The issuer owes this card so much: it can be taken onto the card here. */
      readonly waitingMinor?: number
      readonly movements: readonly CardMovement[]
    }
  | { readonly name: 'out-of-service'; readonly reason: OutOfServiceReason }
  | OperatorScreen

export interface KioskState {
  readonly status: KioskStatus
  readonly screen: KioskScreen
}

/** What main pushes: the catalogue, by far the largest part of it, only where it is another one than before. */
export type PushedState = Omit<KioskState, 'status'> & {
  readonly status: Omit<KioskStatus, 'catalogue'> & Partial<Pick<KioskStatus, 'catalogue'>>
}

export const pinKeys = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'back', 'enter'] as const
export type PinKey = (typeof pinKeys)[number]

/** Beyond it nobody listens. */
export const spokenLengthMax = 8_000

/** `window.farthing` in the page. Every method is one named channel; main checks sender and shape of each. */
export interface FarthingBridge {
  state(): Promise<KioskState>
  /** Calls back with every new state. Returns the function that stops it. */
  onState(listener: (state: KioskState) => void): () => void
  /**
   * Starts the purchase of one item. Ignored unless main's screen is `browse` or `declined`.
   * @param ageDeclared what the customer said of his age, where the item asks; 0 elsewhere
   * @param language the customer's (BCP 47), for what is printed
   */
  buy(itemId: string, ageDeclared: number, language: string): Promise<void>
  /** Leaves `pay`, `pin` or `top-up` before the card was debited; without effect after that. */
  cancel(): Promise<void>
  /** More time, where main's clock runs. */
  stay(): Promise<void>
  /** One digit of the PIN, 0 to 9, or a step: the digits live in main alone. */
  pinKey(key: PinKey): Promise<void>
  /** From `browse`, `balance` or `declined`: begins to load money. */
  topUp(): Promise<void>
  /** The voucher's code, as it was typed. */
  topUpCode(code: string): Promise<void>
  /** From `balance`: what the issuer owes the card (`waitingMinor`) comes onto it. */
  takeCredits(): Promise<void>
  /** Prints the receipt of the sale that is shown (`approved`, `goods`). */
  printReceipt(language: string): Promise<void>
  /** From `approved` to `goods`. */
  showGoods(): Promise<void>
  /** From `balance`: the purchase with this counter, again. */
  collect(counter: number): Promise<void>
  /** The page's heartbeat. @param heapBytes what its script holds; 0 where that cannot be told */
  alive(heapBytes: number): Promise<void>
  /**
   * Says a line by the machine's speech service, after what it says now; as loud as the kiosk is.
   * @param text of at most `spokenLengthMax` characters
   * @param rate 1 is the voice's own
   * @returns whether it began to be heard; false when it was hushed, or there is no such service
   */
  speak(text: string, language: string, rate: number): Promise<boolean>
  /** Nothing of what was to be said is said any more. */
  hush(): Promise<void>
  /** One digit of an operator's PIN, or a step: as `pinKey`. */
  operatorKey(key: PinKey): Promise<void>
  /** From an operator's PIN to what the card holds, as any other card's. */
  operatorBalance(): Promise<void>
  /** What a section of operator mode shows; undefined unless it is open. */
  operatorLook<Look extends OperatorLook>(look: Look): Promise<OperatorViews[Look['section']] | undefined>
  operatorAct(act: OperatorAct): Promise<OperatorResult>
  /** Back to `browse`; nothing of operator mode stays. */
  operatorLeave(): Promise<void>
  /** The customer is done: back to `browse`, nothing of him stays. Ignored while a card is being debited. */
  finish(): Promise<void>
}

/** One IPC channel a method, and the one on which main pushes states. */
export const channels = {
  state: 'farthing:state',
  buy: 'farthing:buy',
  cancel: 'farthing:cancel',
  stay: 'farthing:stay',
  pinKey: 'farthing:pin-key',
  topUp: 'farthing:top-up',
  topUpCode: 'farthing:top-up-code',
  takeCredits: 'farthing:take-credits',
  printReceipt: 'farthing:print-receipt',
  showGoods: 'farthing:show-goods',
  collect: 'farthing:collect',
  finish: 'farthing:finish',
  alive: 'farthing:alive',
  speak: 'farthing:speak',
  hush: 'farthing:hush',
  operatorKey: 'farthing:operator-key',
  operatorBalance: 'farthing:operator-balance',
  operatorLook: 'farthing:operator-look',
  operatorAct: 'farthing:operator-act',
  operatorLeave: 'farthing:operator-leave',
  pushed: 'farthing:pushed',
} as const

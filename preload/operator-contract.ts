/**
 * What main and the page say to each other in operator mode (docs/OPERATIONS.md, At the kiosk: operator mode).
 * Amounts are in minor units of `KioskStatus.currency`; times are ISO 8601 in UTC.
 */
import type { CatalogueItem, ItemKind, OutOfServiceReason, ReceiptView, TopUpRefusal } from './contract.ts'

/** What waits for a card, or was done with one. */
export type OperatorTask =
  /** Any card is put to the reader, to see what it is. */
  | { readonly kind: 'readerTest'; readonly phase: 'tap' | 'working' }
  | {
      readonly kind: 'readerTest'
      readonly phase: 'done'
      readonly reader: string
      /** Its answer to reset, in hex; absent: it gave none. */
      readonly atr?: string
      /** A card of this issuer's; its last four digits. */
      readonly cardEnding?: string
    }
  | { readonly kind: 'load'; readonly phase: 'tap' | 'working'; readonly amountMinor: number }
  | {
      readonly kind: 'load'
      readonly phase: 'done'
      readonly amountMinor: number
      /** What the issuer owed the card, and what came with it. */
      readonly creditsMinor?: number
      readonly balanceMinor: number
      readonly cardEnding: string
      readonly paidBefore?: PaidBeforeView
    }
  | {
      readonly kind: 'load'
      readonly phase: 'failed'
      readonly amountMinor: number
      readonly problem: DeskLoadProblem
      readonly paidBefore?: PaidBeforeView
    }

/** A payment of this card that was in doubt, and was found paid when money was to be loaded. */
export interface PaidBeforeView {
  readonly title: Readonly<Record<string, string>>
  readonly amountMinor: number
  /** `owed`: they are not on this kiosk any more. Either way the card's next tap has them. */
  readonly goods: 'due' | 'owed'
}

/** Why nothing was loaded, or why that is not known. */
export type DeskLoadProblem =
  | Exclude<TopUpRefusal, 'unknownVoucher' | 'usedVoucher' | 'expiredVoucher' | 'offline'>
  | 'inDoubt'

export type OperatorRole = 'operator' | 'technician'

export type OperatorScreen = {
  readonly name: 'operator'
  readonly operator: string
  readonly role: OperatorRole
  readonly endsAt: string
} & (
  | {
      /** `checking`: the digits are compared, which takes a moment. `waiting`: too many were wrong; from `retryAt` on they are taken again. */
      readonly phase: 'entering' | 'wrong' | 'checking'
      readonly digits: number
      readonly digitsMin: number
      readonly digitsMax: number
      /** Whether the card's own balance can be seen instead. */
      readonly balance: boolean
    }
  | { readonly phase: 'waiting'; readonly retryAt: string; readonly balance: boolean }
  | { readonly phase: 'open'; readonly task?: OperatorTask }
)

export interface Sum {
  readonly count: number
  readonly amountMinor: number
}

/** Since the last close. */
export interface DayFigures {
  /** Of the first sale's number after it; the next close has this number. */
  readonly closeNo: number
  readonly since?: string
  readonly sales: Sum
  /** Sales whose money the card got back on the spot. */
  readonly reversed: Sum
  readonly refunds: Sum
  /** Cash that an operator took for them. */
  readonly cashLoads: Sum
  /** By voucher or credit. */
  readonly otherLoads: Sum
  readonly byKind: readonly (Sum & { readonly kind: ItemKind })[]
  /** The ones that sold most, the dearest sum first. */
  readonly byArticle: readonly (Sum & { readonly title: Readonly<Record<string, string>> })[]
}

export interface Health {
  readonly online: boolean
  readonly issuerContactAt?: string
  readonly unsynced: Sum & { readonly oldestAt?: string }
  readonly inDoubt: number
  readonly diskFreeBytes: number
  readonly hotlistAsOf?: string
  readonly version: string
  readonly terminalId: string
}

export interface ReceiptRow extends ReceiptView {
  readonly terminalSeq: number
  readonly receiptNo: number
  readonly state: 'paid' | 'owed' | 'reversed' | 'refunded'
}

/** Why a file on a stick was left alone; the log has the whole sentence. */
export type LeftFileProblem = 'noFile' | 'tooLarge' | 'unreadable' | 'inTheWay' | 'wrongDocument'
export interface LeftFile {
  readonly file: string
  readonly problem: LeftFileProblem
}

/** What the kiosk said of itself, in English. */
export interface LogLine {
  readonly at: string
  readonly text: string
}

/** A folder on a drive that can be taken away. */
export interface Drive {
  readonly path: string
  readonly name: string
}

export const operatorSections = ['today', 'receipts', 'exchange', 'device', 'stock', 'logs'] as const
export type OperatorSection = (typeof operatorSections)[number]

export type OperatorLook =
  | { readonly section: Exclude<OperatorSection, 'receipts'> }
  /** @param before only receipts below this number */
  | { readonly section: 'receipts'; readonly before?: number }

export interface OperatorViews {
  readonly today: { readonly figures: DayFigures; readonly health: Health }
  readonly receipts: { readonly rows: readonly ReceiptRow[]; readonly older: boolean }
  readonly exchange: { readonly health: Health; readonly drives: readonly Drive[] }
  readonly device: {
    readonly volume: number
    readonly brightness: number
    /** Why an operator has closed the kiosk; absent: it is open. */
    readonly closed?: string
    /** Why it sells nothing, whoever closed it. */
    readonly outOfService?: OutOfServiceReason
    readonly printer: PrinterState
    readonly canLoad: boolean
    /** BCP 47, those that are on; the first is where a customer begins. */
    readonly languages: readonly string[]
  }
  readonly stock: { readonly rows: readonly CatalogueItem[] }
  /** Oldest first. */
  readonly logs: { readonly lines: readonly LogLine[] }
}

export type PrinterState = 'none' | 'ready' | 'offline' | 'paperOut' | 'coverOpen' | 'unknown'
/** What became of a page. */
export type PrintResult = 'printed' | Exclude<PrinterState, 'ready'> | 'timeout' | 'notDrawn'

/** Whole percent. */
export const brightnessMin = 20
export const refundReasonLengthMax = 200
export const deskLoadMinorMax = 1_000_000

export type OperatorAct =
  /** `language`: of what is printed, BCP 47. */
  | { readonly act: 'dayClose'; readonly language: string }
  | { readonly act: 'testSale'; readonly itemId: string; readonly language: string }
  | { readonly act: 'reprint'; readonly terminalSeq: number; readonly language: string }
  | { readonly act: 'refund'; readonly terminalSeq: number; readonly reason: string }
  | { readonly act: 'export' | 'import'; readonly drive: string }
  | { readonly act: 'sync' }
  | { readonly act: 'outOfService'; readonly reason: string }
  | { readonly act: 'inService' }
  | { readonly act: 'restart' }
  | { readonly act: 'volume' | 'brightness'; readonly percent: number }
  /** Those that are on from now, the first being where a customer begins. */
  | { readonly act: 'languages'; readonly languages: readonly string[] }
  | { readonly act: 'printerTest'; readonly language: string }
  | { readonly act: 'readerTest' }
  /** Money onto a card for cash that was taken. */
  | { readonly act: 'load'; readonly amountMinor: number }
  /** Leaves what waits for a card, or shows what came of it. */
  | { readonly act: 'endTask' }

const operators: readonly OperatorRole[] = ['operator']
const everybody: readonly OperatorRole[] = ['operator', 'technician']

/** Whose each act is: a technician sees to the machine; sales, cash and what goes back are an operator's. Main decides by it, the page shows no more. */
export const mayAct: Readonly<Record<OperatorAct['act'], readonly OperatorRole[]>> = {
  dayClose: operators,
  reprint: operators,
  refund: operators,
  load: operators,
  // It books nothing and hands nothing out: what a repair is proved by.
  testSale: everybody,
  printerTest: everybody,
  readerTest: everybody,
  endTask: everybody,
  sync: everybody,
  export: everybody,
  import: everybody,
  outOfService: everybody,
  inService: everybody,
  restart: everybody,
  volume: everybody,
  brightness: everybody,
  languages: everybody,
}

/** Whose each view is: what was taken, and who bought what, is no technician's. */
export const mayLook: Readonly<Record<OperatorSection, readonly OperatorRole[]>> = {
  today: operators,
  receipts: operators,
  exchange: everybody,
  device: everybody,
  stock: everybody,
  logs: everybody,
}

export interface ReportRow {
  readonly label: string
  readonly value: string
  readonly total?: boolean
}

export type OperatorResult =
  | { readonly outcome: 'done' }
  /** Not in this state of the screen, or nothing is there to do it with. */
  | { readonly outcome: 'ignored' }
  | {
      readonly outcome: 'report'
      readonly title: string
      readonly lines: readonly string[]
      readonly rows: readonly ReportRow[]
      readonly print: PrintResult
    }
  | { readonly outcome: 'printed'; readonly print: PrintResult }
  | {
      readonly outcome: 'testSale'
      readonly goods: 'ready'
      readonly bytes: number
      readonly priceMinor: number
      readonly print: PrintResult
    }
  | { readonly outcome: 'testSale'; readonly goods: 'outOfStock' | 'unknown' }
  /** `sent`: the issuer has it; otherwise it goes with the next sync or stick. */
  | { readonly outcome: 'refunded'; readonly amountMinor: number; readonly sent: boolean }
  | {
      readonly outcome: 'refundRefused'
      readonly reason: 'notCaptured' | 'reversing' | 'refunded' | 'amount'
    }
  | { readonly outcome: 'exported'; readonly files: number; readonly refused: readonly LeftFile[] }
  | {
      readonly outcome: 'imported'
      readonly answers: number
      readonly entries: number
      readonly journals: number
      readonly documents: number
      readonly goods: number
      readonly waiting: boolean
      readonly exportAgain: boolean
      readonly stopped: boolean
      readonly refused: readonly LeftFile[]
    }
  /** `gone`: it is not there any more. */
  | { readonly outcome: 'stickFault'; readonly problem: 'gone' | 'full' | 'readOnly' | 'broken' }
  | { readonly outcome: 'synced'; readonly entries: number; readonly exceptions: number; readonly journals: number }
  /** It takes longer than anybody is kept waiting for. */
  | { readonly outcome: 'syncGoesOn' }
  | { readonly outcome: 'syncFailed'; readonly problem: 'unreachable' | 'refused' | 'stopped' }

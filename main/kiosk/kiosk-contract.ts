/**
 * What the window needs of the terminal behind it. kiosk.ts implements it; window and IPC know nothing else of the till.
 */
import type { FarthingBridge, KioskState, PinKey } from '../../preload/contract.ts'
import type { OperatorLook, OperatorSection, OperatorViews } from '../../preload/operator-contract.ts'

export interface Kiosk {
  readonly state: KioskState
  /** Calls back after every change of the state. Returns the function that stops it. */
  subscribe(listener: (state: KioskState) => void): () => void
  buy(itemId: string, ageDeclared?: number, language?: string): Promise<void>
  stay(): Promise<void>
  pinKey(key: PinKey): Promise<void>
  topUp(): Promise<void>
  takeCredits(): Promise<void>
  topUpCode(code: string): Promise<void>
  printReceipt(language: string): Promise<void>
  cancel(): Promise<void>
  showGoods(): Promise<void>
  collect(counter: number): Promise<void>
  finish(): Promise<void>
  operatorKey: FarthingBridge['operatorKey']
  operatorBalance: FarthingBridge['operatorBalance']
  operatorLook(look: OperatorLook): Promise<OperatorViews[OperatorSection] | undefined>
  operatorAct: FarthingBridge['operatorAct']
  operatorLeave: FarthingBridge['operatorLeave']
  /** The content that was sold under this token; undefined once its sale is over. */
  goodsContent(token: string): { mediaType: string; bytes: Uint8Array } | undefined
  /** A picture, preview or logo of the shelf, by the hash in its address: for everybody. */
  shelfContent(contentHash: string): { readonly mediaType: string; readonly bytes: Uint8Array } | undefined
  /** The page died, or had to be ended, in front of whatever it showed. */
  pageEnded(): void
  close(): Promise<void>
}

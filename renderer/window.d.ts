/** What the preload script puts into the page. */
import type { FarthingBridge } from '../preload/contract.ts'

declare global {
  interface Window {
    /** Absent when the page is opened without its shell. */
    readonly farthing?: FarthingBridge
  }
}

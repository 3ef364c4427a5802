/**
 * What the rooms of the till have of it. A room (sale.ts, top-up.ts, balance.ts, main/operator/operator-mode.ts) knows what a
 * touch or a card does there; the till (kiosk.ts) knows where it is, and that one card is worked with at a time.
 */
import type { OutOfServiceReason } from '../../preload/contract.ts'
import type { PresentCard } from '../reader/card-reader.ts'
import type { SyncLoop } from '../sync/sync.ts'
import type { Mode, Touch } from './modes.ts'

/** How long a customer is waited for; each can be asked for anew. An operator who touched nothing for long may be somebody else. */
export const waitMs = { pay: 45_000, pin: 45_000, 'top-up': 90_000, recover: 30_000, operator: 180_000 } as const

export interface Till {
  readonly mode: () => Mode
  readonly enter: (next: Mode) => void
  /** The customer is gone, or done: a card that came meanwhile is looked at. */
  readonly leave: () => void
  readonly sync: () => SyncLoop | undefined
  readonly outOfService: () => OutOfServiceReason | undefined
  readonly canLoad: () => boolean
  /** Looks at the cards again. */
  readonly look: () => void
  /** Runs card work: one at a time, and faults of the world end there. */
  readonly serve: (work: () => Promise<void>, afterLoss: () => void) => void
  /** Whether a touch still means something once the last look at a card is over. */
  readonly wanted: (touch: Touch) => Promise<boolean>
  /** Cards that were dealt with; lying there any longer, they mean nothing new. */
  readonly seen: WeakSet<PresentCard>
  /** In this reader lies no purse of ours, as a sale was told: while it lies there, the other readers alone are paid at. Without a card: one that answers nothing. */
  readonly leaveOut: (readerName: string, card?: PresentCard) => void
  /** Cards that pay no more without a new tap: they have paid (and may lie there forgotten), or fell silent in the middle. */
  readonly usedUp: WeakSet<PresentCard>
}

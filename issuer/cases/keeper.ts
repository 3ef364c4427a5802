/**
 * Keeps the files of cases up to date while the server runs: some seconds after documents came, once for all of them. Several servers
 * on one store take turns, since each pass is one exclusive transaction; the second finds nothing left to do.
 */
import type { Issuer } from '../issuer.ts'
import { type Reconciled, reconcileCases } from './reconcile.ts'

const delayMsDefault = 2_000
/** Terminals fall silent without a document. */
const idleMsDefault = 15 * 60_000

export interface CaseKeeper {
  /** A batch, a claim or a load request came. */
  documentCame(): void
  /** Waits for a pass that is under way. */
  close(): Promise<void>
}

/** @param options.onPass hears of each pass; an error is a fault of the store, and the next document tries again */
export const keepCases = (
  issuer: Issuer,
  options: {
    readonly delayMs?: number
    readonly idleMs?: number
    readonly onPass: (outcome: Reconciled | Error) => void
  },
): CaseKeeper => {
  const { delayMs = delayMsDefault, idleMs = idleMsDefault, onPass } = options
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let closed = false

  const plan = (afterMs: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      running = pass()
    }, afterMs)
    timer.unref()
  }
  const pass = async (): Promise<void> => {
    again = false
    try {
      onPass(await reconcileCases(issuer))
    } catch (error) {
      onPass(error instanceof Error ? error : new Error(String(error)))
    }
    running = undefined
    if (!closed) plan(again ? delayMs : idleMs)
  }
  plan(delayMs)
  return {
    documentCame: () => {
      if (closed || again) return
      again = true
      if (running === undefined) plan(delayMs)
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}

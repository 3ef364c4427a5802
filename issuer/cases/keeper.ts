/**
 * Keeps the files of cases up to date while the server runs: a round some seconds after documents came, once for all of them. Several
 * servers on one store take turns step by step; the second finds nothing left to do.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Issuer } from '../issuer.ts'
import type { Reconciled } from './reconcile.ts'
import { reconcileCases } from './round.ts'

const delayMsDefault = 2_000
/** Terminals fall silent without a document. */
const idleMsDefault = 15 * 60_000
/** After each step so much longer than it took, so that batches have most of the time. */
const restPerStep = 3

export interface CaseKeeper {
  /** A batch, a claim or a load request came. */
  documentCame(): void
  /** Ends a round that is under way after its step. */
  close(): Promise<void>
}

/** @param options.onPass hears of each round; an error is a fault of the store, and the next document tries again */
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
  const closing = new AbortController()
  const rest = (tookMs: number): Promise<void> => sleep(tookMs * restPerStep, undefined, { signal: closing.signal })

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
      onPass(await reconcileCases(issuer, { rest }))
    } catch (error) {
      if (!closing.signal.aborted) onPass(error instanceof Error ? error : new Error(String(error)))
    }
    running = undefined
    if (!closing.signal.aborted) plan(again ? delayMs : idleMs)
  }
  plan(delayMs)
  return {
    documentCame: () => {
      if (closing.signal.aborted || again) return
      again = true
      if (running === undefined) plan(delayMs)
    },
    close: async () => {
      closing.abort()
      clearTimeout(timer)
      await running
    },
  }
}

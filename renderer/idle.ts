/**
 * When an untouched screen goes back to the start: pure, so that every screen's patience is tested.
 * A payment is never cut: `pay`, `pin`, `top-up` and `recover` end by main's own clock, not by this one.
 */
import type { KioskScreen } from '../preload/contract.ts'

export type ScreenName = Exclude<KioskScreen['name'], 'browse'> | 'attract' | 'catalogue' | 'item'

/** How long the warning counts down, visibly, before the screen goes back. */
export const idleWarningMs = 20_000

/** How long a screen waits without a touch before it warns; undefined: for ever. */
const patienceMs: Readonly<Record<ScreenName, number | undefined>> = {
  attract: undefined,
  catalogue: 45_000,
  item: 45_000,
  pay: undefined,
  pin: undefined,
  'top-up': undefined,
  approved: 60_000,
  goods: 120_000,
  declined: 40_000,
  recover: undefined,
  balance: 60_000,
  'out-of-service': undefined,
}

export type Idle =
  | { readonly name: 'patient' }
  | { readonly name: 'warning'; readonly secondsLeft: number }
  | { readonly name: 'over' }

/** What a screen does after `untouchedMs` without a touch. */
export function idleOf(screen: ScreenName, untouchedMs: number): Idle {
  const patience = patienceMs[screen]
  if (patience === undefined || untouchedMs < patience) return { name: 'patient' }
  const leftMs = patience + idleWarningMs - untouchedMs
  return leftMs <= 0 ? { name: 'over' } : { name: 'warning', secondsLeft: Math.ceil(leftMs / 1000) }
}

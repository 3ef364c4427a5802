/**
 * When an untouched screen goes back to the start, and when it asks before: pure, so that every screen's patience is
 * tested. A payment is never cut: `pay`, `pin`, `top-up`, `recover` and `operator` end by main's own clock, not by this one.
 */
import type { KioskScreen } from '../preload/contract.ts'

export type ScreenName = Exclude<KioskScreen['name'], 'browse'> | 'attract' | 'catalogue' | 'item'

/** How long the customer is asked, visibly, before the screen ends: as long as WCAG 2.2.1 wants. */
export const idleWarningMs = 20_000

/** Whoever set the first screen for himself and went away: the next one finds it as it was. */
export const attractForgetMs = 60_000

/** At night, when nobody came for this long, a screen that waits for customers rests: it is darker until it is touched. */
const restAfterMs = 10 * 60_000
const nightFromHour = 22
const nightToHour = 6

/** @param hour of the place's own day */
export function rests({ untouchedMs, hour }: { untouchedMs: number; hour: number }): boolean {
  return untouchedMs > restAfterMs && (hour >= nightFromHour || hour < nightToHour)
}

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
  operator: undefined,
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

/** Whether a screen that main ends by its own clock ends so soon that the customer is asked for more time. */
export function endsSoon(screen: KioskScreen, nowMs: number): boolean {
  return 'endsAt' in screen && !isWorking(screen) && Date.parse(screen.endsAt) - nowMs <= idleWarningMs
}

/** The card works: nothing is asked, and nothing can be pressed. */
export function isWorking(screen: KioskScreen): boolean {
  return 'phase' in screen && screen.phase === 'working'
}

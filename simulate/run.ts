/** One run: a plan, played; and, when it breaks an invariant, the shortest part of the plan that still does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Figures } from './figures.ts'
import { Fleet } from './fleet.ts'
import { type Invariant, Violation } from './violation.ts'
import { daySeconds, type Event, planOf, type Scale } from './workload.ts'

export interface BrokenLaw {
  readonly invariant: Invariant
  readonly message: string
  /** Where in the code, when it fell over. */
  readonly stack?: string
}

/** Plain values, so that it may come from another thread. */
export interface RunResult {
  readonly scale: Scale
  readonly figures: Readonly<Record<string, number>>
  readonly ms: number
  /** Absent: the law held. */
  readonly violation?: BrokenLaw
  /** The event that broke it; absent: the closing. */
  readonly at?: Event
}

const newFolder = (): string => {
  // A disk of memory where there is one: a simulated power cut is a closed database, not a lost page.
  for (const parent of ['/dev/shm', tmpdir()])
    try {
      return mkdtempSync(path.join(parent, 'farthing-simulate-'))
    } catch {
      // Not writable here: the next one.
    }
  throw new Error('no folder for the run')
}

const brokenLaw = (error: unknown): BrokenLaw => {
  if (error instanceof Violation) return { invariant: error.invariant, message: error.message }
  if (!(error instanceof Error)) return { invariant: 'crash', message: String(error) }
  const message = `${error.name}: ${error.message}`
  return { invariant: 'crash', message, ...(error.stack === undefined ? {} : { stack: error.stack }) }
}

/** @param plan absent: the seed's own */
export const run = async (scale: Scale, plan: readonly Event[] = planOf(scale)): Promise<RunResult> => {
  const folder = newFolder()
  const figures = new Figures()
  const beganMs = performance.now()
  let fleet: Fleet | undefined
  let at: Event | undefined
  const ended = () => ({ scale, figures: figures.all(), ms: performance.now() - beganMs })
  try {
    fleet = await Fleet.found(folder, scale, figures)
    let day = 0
    for (const event of plan) {
      for (; event.at >= (day + 1) * daySeconds; day += 1) fleet.checkBooks()
      at = event
      await fleet.play(event)
    }
    at = undefined
    await fleet.settle(scale.days)
    return ended()
  } catch (error) {
    return { ...ended(), violation: brokenLaw(error), ...(at === undefined ? {} : { at }) }
  } finally {
    await fleet?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs that a shrinking may take. */
const shrinkRunsMax = 400

/** Two violations are alike when they say the same of other cards and amounts. */
const isLike = (one: BrokenLaw | undefined, other: BrokenLaw | undefined): boolean => {
  const gist = (law: BrokenLaw | undefined) => `${law?.invariant} ${law?.message.replace(/[0-9a-f]{8,}|[0-9]+/g, '#')}`
  return gist(one) === gist(other)
}

/**
 * Leaves out ever smaller parts of the plan for as long as the same invariant breaks in the same way.
 * @returns the shortest plan found
 */
export const shrink = async (
  failed: RunResult,
  msMax: number,
  all: readonly Event[] = planOf(failed.scale),
): Promise<readonly Event[]> => {
  const endsAtMs = performance.now() + msMax
  const last = all.findIndex((event) => JSON.stringify(event) === JSON.stringify(failed.at))
  let plan = last < 0 ? all : all.slice(0, last + 1)
  let runs = 0
  for (let part = Math.ceil(plan.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2))
    for (let from = plan.length - part; from > -part; from -= part) {
      if (runs >= shrinkRunsMax || performance.now() > endsAtMs) return plan
      const begin = Math.max(0, from)
      const shorter = [...plan.slice(0, begin), ...plan.slice(from + part)]
      if (shorter.length === plan.length) continue
      runs += 1
      const { violation } = await run(failed.scale, shorter)
      if (isLike(violation, failed.violation)) plan = shorter
    }
  return plan
}

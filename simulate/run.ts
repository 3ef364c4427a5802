/** One run: a plan, played; and, when it breaks an invariant, the shortest part of the plan that still does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Figures } from './figures.ts'
import { Fleet } from './fleet.ts'
import { Violation } from './violation.ts'
import { type Event, planOf, type Scale } from './workload.ts'

export interface RunResult {
  readonly scale: Scale
  readonly figures: Figures
  readonly ms: number
  /** Absent: the law held. */
  readonly violation?: Violation
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

const asViolation = (error: unknown): Violation =>
  error instanceof Violation
    ? error
    : new Violation('crash', error instanceof Error ? `${error.name}: ${error.message}` : String(error), {
        cause: error,
      })

/** @param plan absent: the seed's own */
export const run = async (scale: Scale, plan: readonly Event[] = planOf(scale)): Promise<RunResult> => {
  const folder = newFolder()
  const figures = new Figures()
  const beganMs = performance.now()
  let fleet: Fleet | undefined
  let at: Event | undefined
  const ended = () => ({ scale, figures, ms: performance.now() - beganMs })
  try {
    fleet = await Fleet.found(folder, scale, figures)
    for (const event of plan) {
      at = event
      await fleet.play(event)
    }
    at = undefined
    await fleet.settle(scale.days)
    return ended()
  } catch (error) {
    return { ...ended(), violation: asViolation(error), ...(at === undefined ? {} : { at }) }
  } finally {
    await fleet?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs that a shrinking may take, and how long. */
const shrinkRunsMax = 400

/**
 * Leaves out ever smaller parts of the plan for as long as the same invariant breaks.
 * @returns the shortest plan found
 */
export const shrink = async (failed: RunResult, msMax: number): Promise<readonly Event[]> => {
  const endsAtMs = performance.now() + msMax
  const all = planOf(failed.scale)
  let plan = failed.at === undefined ? all : all.slice(0, all.indexOf(failed.at) + 1)
  const first = all.find(({ at }) => at === failed.at?.at)
  if (first !== undefined) plan = all.slice(0, all.indexOf(first) + 1)
  let runs = 0
  for (let part = Math.ceil(plan.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2))
    for (let from = plan.length - part; from > -part; from -= part) {
      if (runs >= shrinkRunsMax || performance.now() > endsAtMs) return plan
      const begin = Math.max(0, from)
      const shorter = [...plan.slice(0, begin), ...plan.slice(from + part)]
      if (shorter.length === plan.length) continue
      runs += 1
      const { violation } = await run(failed.scale, shorter)
      if (violation?.invariant === failed.violation?.invariant) plan = shorter
    }
  return plan
}

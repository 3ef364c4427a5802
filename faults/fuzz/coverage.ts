/**
 * Which parts of the product's code have run, by V8's own block coverage (node:inspector, Profiler). Taking it costs less
 * than a millisecond, so that inputs which reach something new can be told from the rest.
 */
import { type Profiler, Session } from 'node:inspector'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const root = path.resolve(import.meta.dirname, '../..')
const folders = ['protocol', 'card', 'db', 'main', 'preload', 'renderer', 'issuer', 'cli', 'faults/fuzz/planted']
const watched = folders.map((folder) => pathToFileURL(path.join(root, folder)).href)

export interface Coverage {
  /** Blocks that ran for the first time. */
  readonly blocks: number
  /** Adds what ran since the last call. @returns how many blocks were new */
  add(): number
  /** Whether anything new ran since the last call; adds nothing. */
  peek(): boolean
  /** Begins anew: nothing has run yet. */
  forget(): void
  /** Counts no more, which lets the code run at its full speed. */
  stop(): void
}

/** Which letters of a function have run. */
type Letters = Uint8Array

/** Inner ranges come after the outer ones, and say what did not run within them. */
const lettersThatRan = ({ ranges }: Profiler.FunctionCoverage): Letters => {
  const whole = ranges[0]
  if (whole === undefined) return new Uint8Array(0)
  const ran = new Uint8Array(whole.endOffset - whole.startOffset)
  for (const { startOffset, endOffset, count } of ranges)
    ran.fill(count > 0 ? 1 : 0, startOffset - whole.startOffset, endOffset - whole.startOffset)
  return ran
}

/** Runs of letters that are in `ran` and not in `known`. */
const newRuns = (ran: Letters, known: Letters): number => {
  let runs = 0
  let within = false
  for (let at = 0; at < ran.length; at += 1) {
    const isNew = ran[at] === 1 && known[at] !== 1
    if (isNew && !within) runs += 1
    within = isNew
  }
  return runs
}

/** Begins to count in this thread. Code that ran before is known by its functions alone: call it before the product is loaded. */
export const openCoverage = (): Coverage => {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const known = new Map<string, Letters>()
  let blocks = 0

  const take = (): readonly Profiler.ScriptCoverage[] => {
    let result: readonly Profiler.ScriptCoverage[] = []
    session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error
      result = taken.result
    })
    return result.filter(({ url }) => watched.some((folder) => url.startsWith(folder)))
  }

  const look = (keep: boolean): number => {
    let found = 0
    for (const { url, functions } of take())
      for (const each of functions) {
        const name = `${url} ${each.ranges[0]?.startOffset} ${each.functionName}`
        const ran = lettersThatRan(each)
        const before = known.get(name) ?? new Uint8Array(ran.length)
        const runs = newRuns(ran, before)
        if (runs === 0) continue
        found += runs
        if (keep)
          known.set(
            name,
            ran.map((letter, at) => letter | (before[at] ?? 0)),
          )
      }
    if (keep) blocks += found
    return found
  }

  return {
    get blocks() {
      return blocks
    },
    add: () => look(true),
    peek: () => look(false) > 0,
    forget() {
      take()
      known.clear()
      blocks = 0
    },
    stop() {
      session.post('Profiler.stopPreciseCoverage')
      session.disconnect()
    },
  }
}

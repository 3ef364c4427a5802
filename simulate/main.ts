/** `npm run simulate -- --seed N --days D --terminals T --cards C [--runs R | --soak MINUTES] [--jobs J]`: a fleet under every fault, watched by an auditor. */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Figures } from './figures.ts'
import { type RunResult, shrink } from './run.ts'
import type { Scale } from './workload.ts'

const shrinkMsMax = 60_000

const options = {
  seed: { type: 'string', default: '1' },
  days: { type: 'string', default: '30' },
  terminals: { type: 'string', default: '3' },
  cards: { type: 'string', default: '12' },
  /** This many seeds, from `seed` on. */
  runs: { type: 'string', default: '1' },
  /** Seeds for as many minutes. */
  soak: { type: 'string' },
  /** Threads, each with its own seeds. */
  jobs: { type: 'string', default: String(availableParallelism()) },
  json: { type: 'boolean', default: false },
  'no-shrink': { type: 'boolean', default: false },
} as const

const usage =
  'usage: npm run simulate -- [--seed N] [--days D] [--terminals T] [--cards C] [--runs R | --soak MINUTES] [--jobs J] [--json] [--no-shrink]'

const readArguments = () => {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
    process.exit(2)
  }
}
const values = readArguments()

const whole = (name: string, text: string, min: number): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= min) return value
  console.error(`--${name} is a whole number from ${min} on, not "${text}".`)
  process.exit(2)
}

const say = (text: string): void => {
  if (!values.json) console.error(text)
}

const tell = (failed: RunResult): void => {
  const { scale, violation, at } = failed
  const command = `npm run simulate -- --seed ${scale.seed} --days ${scale.days} --terminals ${scale.terminals} --cards ${scale.cards}`
  console.error(`VIOLATION of ${violation?.invariant}: ${violation?.message}`)
  console.error(`  again: ${command}`)
  console.error(`  ${at === undefined ? 'at the closing of the books' : `at ${JSON.stringify(at)}`}`)
  if (violation?.stack !== undefined) console.error(violation.stack)
}

const tellShortest = async (failed: RunResult): Promise<void> => {
  const trace = await shrink(failed, shrinkMsMax)
  console.error(`seed ${failed.scale.seed}: shortest trace found, ${trace.length} events:`)
  for (const event of trace) console.error(`    ${JSON.stringify(event)}`)
}

const firstSeed = whole('seed', values.seed, 0)
const size = {
  days: whole('days', values.days, 1),
  terminals: whole('terminals', values.terminals, 1),
  cards: whole('cards', values.cards, 1),
}
const runsMax = values.soak === undefined ? whole('runs', values.runs, 1) : Number.MAX_SAFE_INTEGER
const endsAtMs =
  values.soak === undefined ? Number.POSITIVE_INFINITY : performance.now() + whole('soak', values.soak, 1) * 60_000

const jobs = whole('jobs', values.jobs, 1)

const total = new Figures()
const failures: RunResult[] = []
let begun = 0
let runs = 0

/** The next seed, or none: enough were played, or the time is over. */
const nextScale = (): Scale | undefined => {
  if (begun >= runsMax || performance.now() >= endsAtMs) return undefined
  begun += 1
  return { seed: firstSeed + begun - 1, ...size }
}

const take = (result: RunResult): void => {
  const { scale, violation, ms } = result
  runs += 1
  total.add(result.figures)
  say(`seed ${scale.seed}: ${violation === undefined ? 'the law held' : 'BROKEN'} (${Math.round(ms)} ms)`)
  if (violation === undefined) return
  failures.push(result)
  tell(result)
}

/** One thread, for as long as there are seeds. */
const work = async (): Promise<void> => {
  const thread = new Worker(new URL('./worker.ts', import.meta.url))
  for (let scale = nextScale(); scale !== undefined; scale = nextScale()) {
    const answered = once(thread, 'message')
    thread.postMessage(scale)
    const [result]: RunResult[] = await answered
    if (result !== undefined) take(result)
  }
  await thread.terminate()
}

const beganMs = performance.now()
await Promise.all(Array.from({ length: Math.min(jobs, runsMax) }, work))
const ms = performance.now() - beganMs
if (!values['no-shrink']) for (const failed of failures) await tellShortest(failed)

const terminalDays = runs * size.days * size.terminals
const summary = {
  runs,
  ...size,
  violations: failures.map(({ scale, violation }) => ({
    seed: scale.seed,
    invariant: violation?.invariant,
    message: violation?.message,
  })),
  terminalDaysPerSecond: Math.round((terminalDays / ms) * 1000),
  daysPerSecond: Math.round((runs * size.days * 10_000) / ms) / 10,
  figures: total.all(),
}
if (values.json) console.log(JSON.stringify(summary))
else {
  for (const [name, count] of Object.entries(summary.figures)) console.log(`${String(count).padStart(9)}  ${name}`)
  console.log(
    `${runs} runs of ${size.days} days, ${size.terminals} terminals, ${size.cards} cards: ${failures.length} violations`,
  )
  console.log(`${summary.daysPerSecond} days a second, ${summary.terminalDaysPerSecond} terminal-days a second`)
}
process.exitCode = failures.length === 0 ? 0 : 1

/** `npm run simulate -- --seed N --days D --terminals T --cards C [--runs R | --soak MINUTES]`: a fleet under every fault, watched by an auditor. */
import { parseArgs } from 'node:util'
import { Figures } from './figures.ts'
import { type RunResult, run, shrink } from './run.ts'
import type { Scale } from './workload.ts'

const shrinkMsMax = 60_000

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    days: { type: 'string', default: '30' },
    terminals: { type: 'string', default: '3' },
    cards: { type: 'string', default: '12' },
    /** This many seeds, from `seed` on. */
    runs: { type: 'string', default: '1' },
    /** Seeds for as many minutes. */
    soak: { type: 'string' },
    json: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
})

const whole = (name: string, text: string, min: number): number => {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= min) return value
  console.error(`--${name} is a whole number from ${min} on, not "${text}".`)
  process.exit(2)
}

const say = (text: string): void => {
  if (!values.json) console.error(text)
}

const tell = async (failed: RunResult): Promise<void> => {
  const { scale, violation, at } = failed
  const command = `npm run simulate -- --seed ${scale.seed} --days ${scale.days} --terminals ${scale.terminals} --cards ${scale.cards}`
  console.error(`VIOLATION of ${violation?.invariant}: ${violation?.message}`)
  console.error(`  again: ${command}`)
  console.error(`  ${at === undefined ? 'at the closing of the books' : `at ${JSON.stringify(at)}`}`)
  if (violation?.invariant === 'crash' && violation.cause instanceof Error) console.error(violation.cause.stack)
  if (values['no-shrink']) return
  const trace = await shrink(failed, shrinkMsMax)
  console.error(`  shortest trace found, ${trace.length} events:`)
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

const total = new Figures()
const failures: RunResult[] = []
let runs = 0
let ms = 0
while (runs < runsMax && performance.now() < endsAtMs) {
  const scale: Scale = { seed: firstSeed + runs, ...size }
  const result = await run(scale)
  runs += 1
  ms += result.ms
  total.add(result.figures)
  say(`seed ${scale.seed}: ${result.violation === undefined ? 'the law held' : 'BROKEN'} (${Math.round(result.ms)} ms)`)
  if (result.violation === undefined) continue
  failures.push(result)
  await tell(result)
}

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

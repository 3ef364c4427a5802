/**
 * How fast a whole issuer takes batches in: real HTTP server in its own process, seal, chain, settlement MACs, what was here
 * already, posting, durable commit, acknowledgement. Each figure stands beside what it is measured against in the same run.
 *   npm run bench -- issuer [--store sqlite|postgres] [--rows N] [--cards N] [--big N] [--seed N]
 * Exits with 1 where a limit does not hold.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { openIssuer } from '../../issuer/issuer.ts'
import { createDatabase, startCluster } from '../../issuer/test-postgres.ts'
import { bareCommitsPerSecond, bareRowsPerSecond } from './bare.ts'
import { entriesPerBatch, type Fleet, makeFleet, now, Sales } from './fleet.ts'
import { type Run, startServer } from './load-client.ts'

const limits = {
  /** Of the rate without the check of the settlement MACs. */
  verifiedMin: 0.5,
  /** Of the rate at none, with the rows of --big. */
  grownMin: 0.7,
  acknowledgedMsMax: 1000,
}
const lanes = 5
const fewCards = 1000

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    rows: { type: 'string', default: '1000000' },
    // Absent: few, and then as many as rows.
    cards: { type: 'string' },
    big: { type: 'string', default: '5000000' },
    seed: { type: 'string', default: '1' },
  },
})
const rows = Number(values.rows)
const big = Number(values.big)
const seed = Number(values.seed)
const cardCounts = values.cards === undefined ? [fewCards, rows] : [Number(values.cards)]
if (rows % entriesPerBatch !== 0 || big % entriesPerBatch !== 0)
  throw new Error(`--rows and --big are multiples of ${entriesPerBatch}`)

const folder = mkdtempSync(path.join(tmpdir(), 'farthing-bench-'))
const cluster = values.store === 'postgres' ? await startCluster({ durable: true }) : undefined
process.env.FARTHING_HOME = folder
const begun = performance.now()
const failures: string[] = []

const say = (line: string): void => console.log(line)
const rate = (run: { readonly entries: number; readonly seconds: number }): number => run.entries / run.seconds
const shown = (value: number): string => Math.round(value).toLocaleString('en').padStart(9)
const hold = (name: string, value: number, holds: boolean, limit: string): void => {
  say(`  ${name}: ${value.toFixed(2)} (limit ${limit})${holds ? '' : '  <-- does not hold'}`)
  if (!holds) failures.push(name)
}

let stores = 0
const newStore = async (): Promise<string> => {
  stores += 1
  if (cluster !== undefined) return createDatabase(cluster.url)
  mkdirSync(path.join(folder, String(stores)))
  return `sqlite:${path.join(folder, String(stores), 'issuer.db')}`
}

/** The same store again, before anything was sent to it. */
const copyOf = async (store: string): Promise<string> => {
  const copy = await newStore()
  if (cluster === undefined) {
    cpSync(path.dirname(store.slice('sqlite:'.length)), path.dirname(copy.slice('sqlite:'.length)), { recursive: true })
    return copy
  }
  const client = new pg.Client({ connectionString: cluster.url })
  const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)
  await client.connect()
  await client.query(`DROP DATABASE ${nameOf(copy)}`)
  await client.query(`CREATE DATABASE ${nameOf(copy)} TEMPLATE ${nameOf(store)}`)
  await client.end()
  return copy
}

const salesOf = async (fleet: Fleet): Promise<Sales> => {
  const issuer = await openIssuer({ url: fleet.url, clock: () => now, randomBytes: (count) => new Uint8Array(count) })
  const sales = new Sales(fleet, seed, issuer.keys)
  await issuer.store.close()
  return sales
}

const tell = (name: string, run: Run): void =>
  say(
    `  ${name.padEnd(34)} ${shown(rate(run))} rows/s   ${run.cpuMicrosPerEntry.toFixed(1).padStart(5)} us of the server's CPU a row   ${shown(run.rssMaxBytes / 2 ** 20)} MiB at most`,
  )

const compareVerification = async (cards: number): Promise<void> => {
  say(`${rows.toLocaleString('en')} rows, ${cards.toLocaleString('en')} cards`)
  const fleet = await makeFleet(await newStore(), cards)
  const file = path.join(folder, 'batches')
  const sales = await salesOf(fleet)
  sales.write(file, rows / entriesPerBatch)
  const runs: Run[] = []
  for (const believing of [true, false]) {
    const store = await copyOf(fleet.url)
    const server = await startServer(store, { believing })
    const run = await server.send(file, { batches: rows / entriesPerBatch, lanes })
    runs.push(run)
    tell(believing ? 'settlement MACs believed' : 'settlement MACs checked', run)
    if (!believing) {
      const single = path.join(folder, 'single')
      sales.write(single, 5)
      const { tookMs } = await server.send(single, { batches: 5, lanes: 1 })
      const worstMs = Math.max(...tookMs)
      hold(
        `a batch of ${entriesPerBatch} is acknowledged after ms`,
        worstMs,
        worstMs < limits.acknowledgedMsMax,
        `${limits.acknowledgedMsMax}`,
      )
    }
    await server.stop()
  }
  const [believed, checked] = runs
  if (believed === undefined || checked === undefined) throw new Error('no runs')
  const ratio = rate(checked) / rate(believed)
  hold('rate with the check to the rate without', ratio, ratio >= limits.verifiedMin, `${limits.verifiedMin}`)
  say(`  the same by the server's CPU: ${(believed.cpuMicrosPerEntry / checked.cpuMicrosPerEntry).toFixed(2)}`)
}

const growth = async (cards: number): Promise<void> => {
  say(`growing to ${big.toLocaleString('en')} rows, ${cards.toLocaleString('en')} cards`)
  const fleet = await makeFleet(await newStore(), cards)
  const sales = await salesOf(fleet)
  const file = path.join(folder, 'batches')
  const steps = 10
  const server = await startServer(fleet.url, { believing: false })
  const runs: Run[] = []
  // Step by step, so that no more than a tenth of the batches lies on the disk at a time; the first and the last are compared.
  for (let step = 0; step < steps; step += 1) {
    const batches = Math.ceil(big / entriesPerBatch / steps)
    sales.write(file, batches)
    const run = await server.send(file, { batches, lanes })
    runs.push(run)
    if (step === 0 || step === steps - 1) tell(`${step * batches * entriesPerBatch} rows are here`, run)
  }
  await server.stop()
  const [first, last] = [runs[0], runs.at(-1)]
  if (first === undefined || last === undefined) throw new Error('no runs')
  const ratio = rate(last) / rate(first)
  hold('rate with all rows to the rate at none', ratio, ratio >= limits.grownMin, `${limits.grownMin}`)
  say(`  the same by the server's CPU: ${(first.cpuMicrosPerEntry / last.cpuMicrosPerEntry).toFixed(2)}`)
}

try {
  say(`store ${values.store}, seed ${seed}, ${lanes} batches of ${entriesPerBatch} at a time`)
  say(`  bare durable commits (4 KiB, fdatasync)  ${shown(bareCommitsPerSecond(folder))} /s`)
  say(
    `  bare rows into one table, no checks      ${shown(await bareRowsPerSecond(cluster === undefined ? folder : await createDatabase(cluster.url)))} /s`,
  )
  if (rows > 0) for (const cards of cardCounts) await compareVerification(cards)
  if (big > 0) await growth(fewCards)
  say(`took ${((performance.now() - begun) / 60_000).toFixed(1)} minutes`)
} finally {
  await cluster?.stop()
  rmSync(folder, { recursive: true, force: true })
}
if (failures.length > 0) {
  console.error(`Does not hold: ${failures.join('; ')}.`)
  process.exitCode = 1
}

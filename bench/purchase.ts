/**
 * A purchase's own time, without reader and card, against the raw cost of its two durable commits on the same disk:
 * both are measured in turn, in the same run. Fails above the limit (docs/PROTOCOL.md, Recovery: two durable commits).
 */
import path from 'node:path'
import Database from 'better-sqlite3'
import { purchase } from '../main/purchase/purchase.ts'
import type { CardChannel } from '../main/reader/card-reader.ts'
import { makeTestCard, makeTestTerminal } from '../main/test-terminal.ts'
import { entryLength, headLength } from '../protocol/entry.ts'
import { recordLength } from '../protocol/record.ts'

const ratioMax = 3
const warmUps = 30
const rounds = 300

const cleanUps: (() => void)[] = []
const { terminal, dataDir } = makeTestTerminal((cleanUp) => cleanUps.unshift(cleanUp))
const card = makeTestCard({ balanceMinor: 1_000_000 })

/** The card answers from memory; the time that it takes to think is counted apart. */
let cardMs = 0
const channel: CardChannel = {
  async transmit(command) {
    const begin = performance.now()
    const response = card.answers(command)
    cardMs += performance.now() - begin
    return response
  },
}

/** @returns milliseconds from the card's arrival to captured, less the card's own */
const timePurchase = async (): Promise<number> => {
  // The goods lie ready before the customer is asked for a card.
  const goods = terminal.issued?.catalogue.prepare('map')
  if (goods === undefined || typeof goods === 'string') throw new Error('the map is not for sale')
  card.reset()
  cardMs = 0
  const begin = performance.now()
  const outcome = await purchase(terminal, channel, goods)
  const tookMs = performance.now() - begin - cardMs
  if (outcome.outcome !== 'captured') throw new Error(`not captured: ${JSON.stringify(outcome)}`)
  terminal.ledger.markReleased(outcome.payment.terminalSeq)
  return tookMs
}

const raw = new Database(path.join(dataDir, 'raw.sqlite'))
raw.pragma('journal_mode = WAL')
raw.pragma('synchronous = FULL')
raw.exec(
  'CREATE TABLE first (id INTEGER PRIMARY KEY, bytes BLOB); CREATE TABLE second (id INTEGER PRIMARY KEY, bytes BLOB)',
)
const goods = terminal.issued?.catalogue.prepare('map')
const itemBytes = typeof goods === 'object' ? Buffer.byteLength(goods.itemJson) : 0
const insertFirst = raw.prepare('INSERT INTO first (bytes) VALUES (?)')
const insertSecond = raw.prepare('INSERT INTO second (bytes) VALUES (?)')
const intentBytes = Buffer.alloc(recordLength + itemBytes, 1)
const entryBytes = Buffer.alloc(entryLength + headLength, 2)

/** Two commits of the sizes of an intent and of an entry: no index, no constraint, nothing but durability. */
const timeRaw = (): number => {
  const begin = performance.now()
  insertFirst.run(intentBytes)
  insertSecond.run(entryBytes)
  return performance.now() - begin
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const purchases: number[] = []
const raws: number[] = []
try {
  for (let round = -warmUps; round < rounds; round += 1) {
    const purchaseMs = await timePurchase()
    const rawMs = timeRaw()
    if (round < 0) continue
    purchases.push(purchaseMs)
    raws.push(rawMs)
  }
} finally {
  raw.close()
  for (const cleanUp of cleanUps) cleanUp()
}

const ratio = median(purchases) / median(raws)
const row = (name: string, values: number[]) =>
  console.log(`${name.padEnd(44)} median ${median(values).toFixed(3)} ms, mean ${mean(values).toFixed(3)} ms`)
console.log(`${rounds} purchases, each followed by two bare commits, on ${path.dirname(dataDir)}`)
row('a purchase, without reader and card', purchases)
row('two durable commits (SQLite, WAL, FULL)', raws)
console.log(
  `ratio of the medians ${ratio.toFixed(2)}, of the means ${(mean(purchases) / mean(raws)).toFixed(2)}; limit ${ratioMax}`,
)
if (!(ratio < ratioMax)) {
  console.error(`A purchase costs ${ratio.toFixed(2)} times its two durable commits: the limit is ${ratioMax}.`)
  process.exitCode = 1
}

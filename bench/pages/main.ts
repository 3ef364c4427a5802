/**
 * What the console's pages read, over a store with a million entries of 200 kiosks in 30 days: every answer in under a
 * second. The rows are made directly, not by ingest: `npm run bench -- console [--entries N] [--postgres]`.
 */
import { parseArgs } from 'node:util'
import type { Insertable } from 'kysely'
import type { Issuer } from '../../issuer/issuer.ts'
import type { StoreWriter, Tables } from '../../issuer/store.ts'
import { consoleApp, newUser } from '../../issuer/test-console.ts'
import { startCluster } from '../../issuer/test-postgres.ts'
import { newTerminal, openBench } from '../../issuer/test-support.ts'
import { encodeAcknowledgement } from '../../protocol/acknowledgement.ts'
import { encodeBatch } from '../../protocol/batch.ts'
import { headLength } from '../../protocol/entry.ts'
import { macKey } from '../../protocol/mac.ts'
import { terminalId } from '../../protocol/quantities.ts'

const limitMs = 1000
const rounds = 3
const kiosks = 200
const batchEntries = 50
const cards = 20_000
const days = 30
const daySeconds = 86_400
const rowsAtOnce = 1000

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, postgres: { type: 'boolean', default: false } },
})
const entriesWanted = Number(values.entries)

interface Kiosk {
  readonly terminalNo: number
  readonly id: string
  readonly payable: number
}

const insertAll = async <Table extends 'card' | 'settlement' | 'transfer' | 'entry_exception' | 'batch'>(
  db: StoreWriter,
  table: Table,
  rows: readonly Insertable<Tables[Table]>[],
): Promise<void> => {
  for (let at = 0; at < rows.length; at += rowsAtOnce)
    await db
      .insertInto(table as 'card')
      .values(rows.slice(at, at + rowsAtOnce) as unknown as Insertable<Tables['card']>[])
      .execute()
}

const sealKey = macKey(new Uint8Array(32))
const head = new Uint8Array(headLength)
const [record, proof] = [new Uint8Array(80), new Uint8Array(16)]

/** One round of batches, one of each kiosk. */
const fillRound = async (
  db: StoreWriter,
  round: { readonly no: number; readonly at: number; readonly kiosks: readonly Kiosk[]; readonly float: number },
): Promise<void> => {
  const { no, at, float } = round
  const batches: Insertable<Tables['batch']>[] = []
  const settlements: Insertable<Tables['settlement']>[] = []
  const transfers: Insertable<Tables['transfer']>[] = []
  const exceptions: Insertable<Tables['entry_exception']>[] = []
  const firstEntry = no * batchEntries + 1
  for (const [which, kiosk] of round.kiosks.entries()) {
    const place = { keyVersion: 1, terminalId: terminalId(kiosk.id), epoch: 1, batchNo: no + 1, head }
    const entries = Array.from({ length: batchEntries }, () => new Uint8Array(104))
    let sum = 0
    for (let entry = 0; entry < batchEntries; entry += 1) {
      const made = (no * kiosks + which) * batchEntries + entry
      const [card_no, counter] = [1 + (made % cards), 1 + Math.floor(made / cards)]
      const amount_minor = 50 + (made % 7) * 30
      const order_time = at - entry * 20
      const exception = made % 500 === 0 ? ('itemOrPrice' as const) : null
      const booked = { booked_from: float, booked_to: kiosk.payable, booked_minor: amount_minor }
      const order = { terminal_no: kiosk.terminalNo, order_type: 'payment' as const, amount_minor, order_time }
      settlements.push({
        ...order,
        ...booked,
        card_no,
        counter,
        record,
        settlement_mac: proof,
        balance_after_minor: 1000,
        exception,
        source: 'batch',
        settled_at: at,
        money_back_at: null,
      })
      transfers.push({
        from_account: float,
        to_account: kiosk.payable,
        amount_minor,
        cause: 'payment',
        document: `batch ${kiosk.id}/1/${no + 1}`,
        card_no,
        counter,
        booked_at: at,
        business_day: new Date(at * 1000).toISOString().slice(0, 10),
      })
      if (exception !== null)
        exceptions.push({
          terminal_no: kiosk.terminalNo,
          epoch: 1,
          batch_no: no + 1,
          entry: firstEntry + entry,
          reason: exception,
          card_id: null,
          counter,
          amount_minor,
          order_time,
          noted_at: at,
        })
      sum += amount_minor
    }
    batches.push({
      terminal_no: kiosk.terminalNo,
      epoch: 1,
      batch_no: no + 1,
      first_entry: firstEntry,
      entry_count: batchEntries,
      previous_head: head,
      head,
      bytes: encodeBatch(sealKey, { ...place, firstEntry, previousHead: head, entries }),
      ack: encodeAcknowledgement(sealKey, { ...place, verdict: 'taken', accepted: batchEntries, exceptions: [] }),
      received_at: at,
    })
    for (const [account, moved] of [
      [float, -sum],
      [kiosk.payable, sum],
    ] as const)
      await db
        .updateTable('account')
        .set((eb) => ({ balance_minor: eb('balance_minor', '+', moved) }))
        .where('account_no', '=', account)
        .execute()
  }
  await insertAll(db, 'batch', batches)
  await insertAll(db, 'settlement', settlements)
  await insertAll(db, 'transfer', transfers)
  await insertAll(db, 'entry_exception', exceptions)
}

const fill = async (issuer: Issuer): Promise<Kiosk> => {
  const now = issuer.clock()
  for (let kiosk = 0; kiosk < kiosks; kiosk += 1) await newTerminal(issuer, `Merchant ${kiosk % 40}`)
  const { rows, float } = await issuer.store.write(async (db) => {
    const ids = Array.from({ length: cards }, (_, card) => (card + 1).toString(16).padStart(16, '0'))
    await insertAll(
      db,
      'card',
      ids.map((card_id) => ({ card_id, key_version: 1, created_at: now })),
    )
    await db
      .updateTable('terminal')
      .set({ created_at: now - days * daySeconds })
      .execute()
    return {
      rows: await db
        .selectFrom('terminal')
        .innerJoin('account', 'account.merchant_no', 'terminal.merchant_no')
        .select(['terminal_no', 'terminal_id', 'account_no'])
        .where('kind', '=', 'payable')
        .execute(),
      float: await db.selectFrom('account').select('account_no').where('kind', '=', 'float').executeTakeFirstOrThrow(),
    }
  })
  const all = rows.map((row) => ({ terminalNo: row.terminal_no, id: row.terminal_id, payable: row.account_no }))
  const fills = Math.ceil(entriesWanted / batchEntries / kiosks)
  for (let no = 0; no < fills; no += 1) {
    const at = Math.floor(now - days * daySeconds + ((no + 1) / fills) * days * daySeconds)
    await issuer.store.write((db) => fillRound(db, { no, at, kiosks: all, float: float.account_no }))
    if (no % 10 === 9) console.error(`filled ${(no + 1) * kiosks * batchEntries} entries`)
  }
  const [first] = all
  if (first === undefined) throw new Error('no kiosk')
  return first
}

const cluster = values.postgres ? await startCluster() : undefined
if (cluster !== undefined) process.env.FARTHING_TEST_POSTGRES = cluster.url
const bench = await openBench()
bench.clock.seconds = Math.floor(Date.now() / 1000)
const { id } = await fill(bench.issuer)
const viewer = await newUser(consoleApp(bench.issuer), bench.issuer, 'viewer')
const paths = [
  '/overview/sales',
  '/overview/unreported',
  '/overview/books',
  '/overview/attention',
  '/terminals',
  '/terminals?sort=sales',
  `/terminals/${id}`,
  '/batches',
  '/batches?sort=entries',
  '/batches?exceptions=some',
  `/batches/${id}/1/1`,
  `/batches/${id}/1/1/entries`,
  `/batches/${id}/1/1/entries/1`,
  '/entry-exceptions',
  '/search?q=00',
]
let worstMs = 0
for (const path of paths) {
  const tookMs: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const begin = performance.now()
    const answer = await viewer.get(path)
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
    tookMs.push(Math.round(performance.now() - begin))
  }
  worstMs = Math.max(worstMs, ...tookMs)
  console.log(`${path.replace(id, 'ID').padEnd(40)} ${tookMs.join(', ')} ms`)
}
await bench.close()
await cluster?.stop()
console.log(`slowest ${worstMs} ms over ${entriesWanted} entries; the limit is ${limitMs} ms`)
process.exitCode = worstMs < limitMs ? 0 : 1

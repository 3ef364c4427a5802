/** What is taken in bulk ends as what is judged one by one: the same tables, the same acknowledgements, whatever comes together. */
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditBooks } from './audit.ts'
import { ingestBatch } from './ingest.ts'
import { createStore, type Issuer } from './issuer.ts'
import { authoriseLoad } from './loads.ts'
import { addCard, addMerchant, addTerminal, startEpoch } from './parties.ts'
import { type Made, newCard, newTerminal, openBench, publish, type TestCard, testStoreUrl } from './test-support.ts'

/** A second issuer with the same keys, terminals, cards and items. */
const twinOf = async (issuer: Issuer, folder: string): Promise<Issuer> => {
  const masters = issuer.keys.masters(1)
  if (masters === undefined) throw new Error('no masters')
  const { clock, randomBytes } = issuer
  const twin = await createStore({
    url: await testStoreUrl(join(folder, 'twin-')),
    currency: 'EUR',
    masters,
    clock,
    randomBytes,
  })
  const rows = await issuer.store.read(async (db) => ({
    merchants: await db.selectFrom('merchant').selectAll().orderBy('merchant_no').execute(),
    terminals: await db.selectFrom('terminal').selectAll().orderBy('terminal_no').execute(),
    cards: await db.selectFrom('card').selectAll().orderBy('card_no').execute(),
    items: await db.selectFrom('item_version').selectAll().execute(),
  }))
  for (const { name } of rows.merchants) await addMerchant(twin, name)
  for (const { terminal_id, merchant_no } of rows.terminals) {
    const merchant = rows.merchants.find((row) => row.merchant_no === merchant_no)?.name ?? ''
    const { terminalId } = await addTerminal(twin, { merchant, terminalId: terminal_id as never })
    await startEpoch(twin, terminalId)
  }
  for (const { card_id } of rows.cards) await addCard(twin, { cardId: card_id })
  await twin.store.write((db) => db.insertInto('item_version').values(rows.items).execute())
  return twin
}

/** A card that is not plainly active is judged one by one, and its sales are settled as any other's. */
const setStatus = (issuer: Issuer, status: 'active' | 'hotlisted') =>
  issuer.store.write((db) => db.updateTable('card').set({ status }).execute())

/** All that ingest writes, in an order that does not depend on when it was written. */
const tablesOf = (issuer: Issuer) =>
  issuer.store.read(async (db) => ({
    settlement: await db.selectFrom('settlement').selectAll().orderBy('card_no').orderBy('counter').execute(),
    seam: await db.selectFrom('seam').selectAll().orderBy('card_no').orderBy('after_counter').execute(),
    card: await db
      .selectFrom('card')
      .select(['card_no', 'card_id', 'key_version', 'mark', 'balance_minor'])
      .orderBy('card_no')
      .execute(),
    account: await db
      .selectFrom('account')
      .select(['account_no', 'kind', 'balance_minor'])
      .orderBy('account_no')
      .execute(),
    transfer: (await db.selectFrom('transfer').selectAll().execute())
      .map(({ transfer_no: _, ...row }) => JSON.stringify(row))
      .sort(),
    load: await db.selectFrom('load_authorisation').selectAll().orderBy('load_no').execute(),
    note: await db.selectFrom('note').selectAll().orderBy('record').execute(),
    exception: await db
      .selectFrom('entry_exception')
      .select(['terminal_no', 'batch_no', 'entry', 'reason', 'card_id', 'counter', 'amount_minor'])
      .orderBy('terminal_no')
      .orderBy('batch_no')
      .orderBy('entry')
      .execute(),
    alarm: (await db.selectFrom('alarm').selectAll().execute())
      .map(({ alarm_no: _, ...row }) => JSON.stringify(row))
      .sort(),
    late: await db.selectFrom('late_counter').selectAll().orderBy('card_no').orderBy('counter').execute(),
    couriered: await db.selectFrom('courier_only').selectAll().orderBy('card_no').orderBy('counter').execute(),
    units: await db.selectFrom('unit_sale').selectAll().orderBy('card_no').orderBy('counter').execute(),
    spans: await db.selectFrom('batch_span').selectAll().orderBy('terminal_no').orderBy('batch_no').execute(),
    batch: await db.selectFrom('batch').selectAll().orderBy('terminal_no').orderBy('batch_no').execute(),
  }))

const actions = [
  ...['map', 'map', 'map', 'map', 'guide', 'guide', 'guide'],
  ...['wrongPrice', 'unpublished', 'undone', 'load', 'unauthorisedLoad', 'clone', 'lost', 'invented', 'dear'],
] as const
const fates = [
  ...Array.from({ length: 12 }, () => 'captured' as const),
  ...(['witness', 'owed', 'inDoubt', 'forged', 'damaged', 'twice', 'elsewhere'] as const),
] as const

const act = fc.record({
  action: fc.constantFrom(...actions),
  card: fc.nat(2),
  terminal: fc.nat(1),
  fate: fc.constantFrom(...fates),
})
/** Acts, in the order in which their entries are sent, how many to a batch, and how many batches at once. */
const days = fc.array(act, { minLength: 4, maxLength: 40 }).chain((acts) =>
  fc.record({
    acts: fc.constant(acts),
    late: fc.array(fc.record({ from: fc.nat(acts.length - 1), to: fc.nat(acts.length - 1) }), { maxLength: 4 }),
    batchSize: fc.integer({ min: 1, max: 12 }),
    together: fc.integer({ min: 1, max: 4 }),
  }),
)

test('in bulk or one by one, together or one after the other: the same tables and the same answers', async () => {
  const bench = await openBench()
  const { issuer } = bench
  const items = { map: await publish(issuer, 'map', 250), guide: await publish(issuer, 'guide', 100) }
  const terminals = [await newTerminal(issuer, 'Town'), await newTerminal(issuer, 'Station')] as const
  const twin = await twinOf(issuer, bench.folder)
  /** How much went each way: the test would prove nothing if nothing were plain. */
  let plain = 0
  await fc.assert(
    fc.asyncProperty(days, async ({ acts, late, batchSize, together }) => {
      const cards: TestCard[] = []
      const load = async (card: TestCard, terminal: (typeof terminals)[number]): Promise<Made> => {
        const order = terminal.loadOrder(500_000)
        const request = terminal.loadRequest(card, order)
        await authoriseLoad(issuer, request)
        await setStatus(twin, 'active')
        await authoriseLoad(twin, request)
        return card.commit(order)
      }
      for (let index = 0; index < 3; index += 1) {
        const card = await newCard(issuer)
        await addCard(twin, { cardId: card.id })
        await load(card, terminals[0])
        cards.push(card)
      }
      const lastOf = new Map<TestCard, Made>()
      const entries: { terminal: (typeof terminals)[number]; bytes: Uint8Array }[] = []
      for (const each of acts) {
        const card = cards[each.card]
        const terminal = terminals[each.terminal]
        if (card === undefined || terminal === undefined) throw new Error('no such party')
        const make = async (): Promise<Made> => {
          switch (each.action) {
            case 'map':
            case 'guide':
              return card.pay(terminal, items[each.action])
            case 'wrongPrice':
              return card.pay(terminal, items.map, 1)
            case 'unpublished':
              return card.pay(terminal, { ...items.map, version: 9 })
            case 'undone': {
              const last = lastOf.get(card)
              return last === undefined ? card.pay(terminal, items.map) : card.reverse(last)
            }
            case 'load':
              return load(card, terminal)
            case 'unauthorisedLoad':
              return card.commit(terminal.loadOrder(700))
            case 'clone':
              return card.copy().pay(terminal, items.guide)
            case 'lost':
              card.pay(terminal, items.guide)
              return card.pay(terminal, items.map)
            case 'invented':
              card.balanceMinor += 1000
              return card.pay(terminal, items.map)
            case 'dear':
              return card.pay(terminal, items.map, 4000)
          }
        }
        const made = await make()
        lastOf.set(card, made)
        const other = terminals[1 - each.terminal] ?? terminal
        const changed = (at: number): Uint8Array => {
          const bytes = Uint8Array.from(terminal.entry(made))
          bytes[at] = (bytes[at] ?? 0) ^ 1
          return bytes
        }
        switch (each.fate) {
          case 'forged':
            entries.push({ terminal, bytes: changed(81) })
            break
          case 'damaged':
            entries.push({ terminal, bytes: changed(21) })
            break
          case 'twice':
            entries.push({ terminal, bytes: terminal.entry(made) }, { terminal, bytes: terminal.entry(made) })
            break
          case 'elsewhere':
            entries.push({ terminal: other, bytes: other.entry(made) })
            break
          case 'witness':
            entries.push({ terminal: other, bytes: other.entry(made, 'witness') })
            break
          default:
            entries.push({ terminal, bytes: terminal.entry(made, each.fate) })
        }
      }
      for (const { from, to } of late) entries.splice(to, 0, ...entries.splice(from, 1))
      const batches: Uint8Array[] = []
      for (let at = 0; at < entries.length; at += batchSize)
        for (const terminal of terminals) {
          const own = entries.slice(at, at + batchSize).filter((entry) => entry.terminal === terminal)
          if (own.length > 0) batches.push(terminal.batch(...own.map(({ bytes }) => bytes)))
        }
      // Connections of PostgreSQL would bring the batches of a group in any order.
      const groupSize = issuer.store.kind === 'sqlite' ? together : 1
      await setStatus(twin, 'hotlisted')
      for (let at = 0; at < batches.length; at += groupSize) {
        const some = batches.slice(at, at + groupSize)
        const answers = await Promise.all(some.map((bytes) => ingestBatch(issuer, bytes)))
        const oneByOne = []
        for (const bytes of some) oneByOne.push(await ingestBatch(twin, bytes))
        expect(answers).toEqual(oneByOne)
      }
      const tables = await tablesOf(issuer)
      expect(tables).toEqual(await tablesOf(twin))
      plain = tables.settlement.filter(
        ({ exception, order_type }) => exception === null && order_type === 'payment',
      ).length
    }),
    { numRuns: 12 },
  )
  expect(await auditBooks(issuer)).toEqual([])
  expect(plain).toBeGreaterThan(20)
  await twin.store.close()
  await bench.close()
}, 180_000)

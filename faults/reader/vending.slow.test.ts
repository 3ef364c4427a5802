/**
 * A vending machine whose customer puts the same card back after a cut, on a line that fails again: what it says in its one
 * line must be true of the card, and the next sale tells the rest.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SaleLine, sellOne } from '../../main/vending.ts'
import { sayFault } from './fault-list.ts'
import { type FaultAt, type FaultyCard, plugFaultyCard } from './faulty-card.ts'
import { type Customer, openStand, type Stand, slots } from './stand.ts'

const cleanUps: (() => void)[] = []
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { cuts: true })
})
afterAll(async () => {
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

/** One sale of the machine; whenever it waits for a card, the next insertion of the list is made. */
const sell = async (insertions: readonly { readonly who: Customer; readonly faults?: readonly FaultAt[] }[]) => {
  await stand.quiet()
  const { terminal, reader, books } = stand
  const said: SaleLine[] = []
  const waiting = [...insertions]
  let plug: FaultyCard | undefined
  const insertNext = async () => {
    await plug?.pull()
    await stand.quiet()
    const next = waiting.shift()
    if (next === undefined) return
    plug = plugFaultyCard({ purse: next.who.card.purse, port: slots[0].port, faults: next.faults ?? [] })
  }
  const line = await sellOne({
    terminal,
    reader,
    itemId: 'map',
    timeoutMs: 10_000,
    graceMs: 5000,
    onWaiting: () => void insertNext(),
    onSale: (sale) => {
      said.push(sale)
      if (sale.outcome === 'captured' && sale.goods !== 'owed') books.handOver({ terminalSeq: sale.terminalSeq ?? 0 })
    },
  })
  await plug?.pull()
  for (const { who } of insertions) books.note(who.card)
  expect(said).toEqual([line])
  return line
}

const cutAfterCommit: FaultAt = { instruction: 'commit', nth: 1, fault: { kind: 'cut', when: 'after' } }
const cutBeforeCommit: FaultAt = { instruction: 'commit', nth: 1, fault: { kind: 'cut', when: 'before' } }
const garbled = { kind: 'garble', of: 'answer', offset: 10, mask: 0x10 } as const
const refused = { kind: 'instead', answer: [0x6a, 0x82], acts: true } as const

/** The machine SELECTs once to see whose card it is, and again to sell. */
const againFaults: readonly FaultAt[] = [
  { instruction: 'select', nth: 1, fault: refused },
  { instruction: 'select', nth: 2, fault: refused },
  { instruction: 'initiate', nth: 1, fault: garbled },
  { instruction: 'initiate', nth: 1, fault: refused },
  { instruction: 'initiate', nth: 1, fault: { kind: 'cut', when: 'after' } },
  { instruction: 'readRecord', nth: 1, fault: garbled },
  { instruction: 'readRecord', nth: 1, fault: { kind: 'late' } },
]

test.for(againFaults.map((at) => ({ at, name: sayFault(at) })))(
  'debited and cut, and the same card again with $name: nobody is told that it was not debited',
  async ({ at }) => {
    const who = stand.customer()
    const line = await sell([
      { who, faults: [cutAfterCommit] },
      { who, faults: [at] },
    ])
    expect(who.card.state.balanceMinor).toBe(who.startMinor - 250)
    if (line.outcome !== 'captured') expect(line).toMatchObject({ outcome: 'inDoubt', counter: 2 })
    const next = await sell([{ who }])
    expect(next).toMatchObject({
      outcome: 'captured',
      ...(line.outcome === 'captured' ? {} : { recovered: true, counter: 2 }),
    })
    stand.books.expectBalanced(who.card, who.startMinor)
  },
)

test.for(againFaults.map((at) => ({ at, name: sayFault(at) })))(
  'cut before the debit, and the same card again with $name: what is said stays true',
  async ({ at }) => {
    const who = stand.customer()
    const line = await sell([
      { who, faults: [cutBeforeCommit] },
      { who, faults: [at] },
    ])
    if (line.outcome === 'declined') expect(stand.terminal.ledger.openIntents(who.card.id)).toEqual([])
    expect(await sell([{ who }])).toMatchObject({ outcome: 'captured' })
    stand.books.expectBalanced(who.card, who.startMinor)
  },
)

/**
 * A card that falls silent or answers too late, at every exchange: the reader gives up on it, starts its process anew and
 * serves the next customer.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sayFault, silentFaults } from './fault-list.ts'
import type { FaultAt } from './faulty-card.ts'
import { fundingIssuer } from './funding-issuer.ts'
import { scenesAt } from './scenes.ts'
import { soaking } from './soak-minutes.ts'
import { openStand, type Stand } from './stand.ts'

/** Longer than the reader process's beat: a process that lived that long is started again without waiting. */
const apduTimeoutMs = 600
const cleanUps: (() => void)[] = []
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { client: fundingIssuer, apduTimeoutMs })
})
afterAll(async () => {
  const { taps, struck, told } = stand.counts
  console.log(`${taps} taps, ${struck} with a fault:`, Object.fromEntries(told))
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

describe.each(scenesAt(() => stand))('$name', ({ name, exchanges, prepare, tap = {} }) => {
  const places = soaking || name === 'a sale' ? exchanges : exchanges.slice(-1)
  const silences = places.flatMap(([instruction, nth], at) =>
    silentFaults(apduTimeoutMs)
      // All of them where money moves; elsewhere one, unless there is time.
      .filter(
        (_fault, kind, kinds) =>
          soaking || (name === 'a sale' && instruction === 'commit') || kind === at % kinds.length,
      )
      .map((fault): FaultAt => ({ instruction, nth, fault })),
  )
  test.for(silences.map((at) => ({ at, name: sayFault(at) })))('$name', async ({ at }) => {
    const customer = stand.customer()
    await prepare?.(customer)
    const { struck } = await stand.tap(customer, { ...tap, faults: [at] })
    expect(struck).toBe(true)
    await stand.nextCustomer()
    await stand.comeBack(customer)
  })
})

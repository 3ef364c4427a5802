/**
 * Every exchange of a sale, of a recovery, of a reversal and of a load, with every kind of fault of the line at its first,
 * middle and last byte and at some that a seed chooses (FARTHING_FAULT_SEED), in the real pcscd. Then the next customer buys at
 * once, and the card comes back, sound.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quickFaults, sayFault, seededNumbers } from './fault-list.ts'
import type { FaultAt, Instruction } from './faulty-card.ts'
import { fundingIssuer } from './funding-issuer.ts'
import { scenesAt } from './scenes.ts'
import { soaking } from './soak-minutes.ts'
import { openStand, type Stand } from './stand.ts'

const seed = Number(process.env.FARTHING_FAULT_SEED ?? 3)
const cleanUps: (() => void)[] = []
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { cuts: true, client: fundingIssuer })
})
afterAll(async () => {
  const { taps, struck, told } = stand.counts
  console.log(`seed ${seed}: ${taps} taps, ${struck} of them with a fault:`, Object.fromEntries(told))
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

const decisive = (scene: string, instruction: Instruction): boolean =>
  scene.includes('recovery') ? instruction === 'initiate' : instruction === 'commit'

describe.each(scenesAt(() => stand))('$name', ({ name, exchanges, prepare, tap = {} }) => {
  const random = seededNumbers(seed)
  const cases = exchanges.flatMap(([instruction, nth]) =>
    quickFaults(instruction, random)
      // All of them where money moves or a doubt is decided; elsewhere the seed chooses some, unless there is time.
      .filter(() => soaking || decisive(name, instruction) || random(3) === 0)
      .map((fault): FaultAt => ({ instruction, nth, fault })),
  )
  test.for(cases.map((at, index) => ({ at, index, name: sayFault(at) })))('$name', async ({ at, index }) => {
    const customer = stand.customer()
    await prepare?.(customer)
    const { struck } = await stand.tap(customer, { ...tap, faults: [at] })
    expect(struck).toBe(true)
    if (soaking || index % 4 === 0) await stand.nextCustomer()
    await stand.comeBack(customer)
  })
})

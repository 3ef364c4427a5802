/**
 * A T=0 card, whose answers have to be fetched: it sells like any other, and a fault of the fetching leaves no more doubt than
 * one of the command. COMMIT is sent once, whatever the card says.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { quickFaults, sayFault, seededNumbers } from './fault-list.ts'
import type { FaultAt } from './faulty-card.ts'
import { fundingIssuer } from './funding-issuer.ts'
import { soaking } from './soak-minutes.ts'
import { type Customer, openStand, type Stand } from './stand.ts'
import { asT0Card } from './t0-card.ts'

const seed = Number(process.env.FARTHING_FAULT_SEED ?? 3)
const cleanUps: (() => void)[] = []
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { cuts: true, client: fundingIssuer })
})
afterAll(async () => {
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

describe.each([{ stubborn: false }, { stubborn: true }])('a T=0 card (refuses a first fetch: $stubborn)', (how) => {
  const customer = (): Customer => ({ ...stand.customer(), dress: (purse) => asT0Card(purse, how) })

  test('buys, is loaded and recovers', async () => {
    const who = customer()
    const { told, heard } = await stand.tap(who)
    expect(told).toMatchObject({ outcome: 'captured', recovered: false, balanceMinor: 4750 })
    expect(heard.filter((each) => each === 'commit')).toHaveLength(1)
    expect((await stand.tap(who, { wants: 'load' })).told).toMatchObject({
      outcome: 'captured',
      balanceAfterMinor: 5450,
    })
    await stand.leaveInDoubt(who, 'after')
    expect(await stand.comeBack(who)).toMatchObject({ outcome: 'captured', recovered: true, balanceMinor: 5200 })
  })

  const random = seededNumbers(seed)
  /** SELECT and INITIATE are fetched before. */
  const places = [
    { instruction: 'commit', nth: 1 },
    { instruction: 'getResponse', nth: how.stubborn ? 6 : 3 },
    { instruction: 'getResponse', nth: how.stubborn ? 5 : 2 },
  ] as const
  const cases = places.flatMap((place, index) =>
    quickFaults(place.instruction, random)
      // What the card says instead matters most: it must not move the terminal to send COMMIT again.
      .filter(({ kind }) => soaking || (index === 0 && kind === 'instead') || random(index === 1 ? 3 : 8) === 0)
      .map((fault): FaultAt => ({ ...place, fault })),
  )
  test.for(cases.map((at) => ({ at, name: sayFault(at) })))('$name', async ({ at }) => {
    const who = customer()
    const { struck, heard } = await stand.tap(who, { faults: [at] })
    expect(struck).toBe(true)
    // Another COMMIT would be another sale's.
    expect(heard.filter((each) => each === 'commit')).toHaveLength(heard.includes('commit') ? 1 : 0)
    await stand.comeBack(who)
  })
})

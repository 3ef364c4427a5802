/**
 * A seeded day at the stand: customers tap, buy, ask, load, print and come back in any order, at either slot, on a line that
 * fails at random; at the end every card comes back, sound. FARTHING_FAULT_SEED chooses another day, FARTHING_SOAK_MINUTES=N
 * more of them.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { expect, test } from 'vitest'
import { quickFaults, type Random, sayFault, seededNumbers, silentFaults } from './fault-list.ts'
import type { FaultAt, Instruction } from './faulty-card.ts'
import { fundingIssuer } from './funding-issuer.ts'
import { soakMinutes } from './soak-minutes.ts'
import { type Customer, openStand, type Stand, slots, type Tap } from './stand.ts'

const firstSeed = Number(process.env.FARTHING_FAULT_SEED ?? 1)
const daysMin = 2
const tapsADay = 60
const customersADay = 4
const apduTimeoutMs = 600

const pick = <Item>(random: Random, items: readonly Item[]): Item => {
  const item = items[random(items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

const randomFault = (random: Random, stand: Stand): FaultAt => {
  const instruction = pick<Instruction>(random, [
    'select',
    'initiate',
    'initiate',
    'commit',
    'commit',
    'commit',
    'readRecord',
  ])
  const at = { instruction, nth: 1 + random(2) }
  switch (random(40)) {
    case 0:
      return { ...at, fault: pick(random, silentFaults(apduTimeoutMs)) }
    case 1:
      return {
        ...at,
        fault: { kind: 'mute', acts: random(2) === 0 },
        onStruck: () => process.kill(stand.pcscd.pid(), 'SIGKILL'),
      }
    case 2:
      // From SELECT on it would be the other card's own tap.
      return { instruction: 'commit', nth: at.nth, fault: { kind: 'swap', purse: stand.customer().card.purse } }
    default:
      return { ...at, fault: pick(random, quickFaults(instruction, random)) }
  }
}

const randomTap = (random: Random, stand: Stand): Tap => ({
  wants: pick(random, ['buy', 'buy', 'buy', 'ask', 'load']),
  printer: pick(random, ['none', 'none', 'works', 'fails']),
  slot: pick(random, slots),
  // One tap in four is sound; one in four fails twice.
  faults: Array.from({ length: pick(random, [0, 1, 1, 2]) }, () => randomFault(random, stand)),
})

const sayTap = ({ wants, printer, faults = [] }: Tap): string =>
  `${wants} (printer ${printer}) ${faults.map(sayFault).join(' + ')}`

const day = async (seed: number) => {
  const random = seededNumbers(seed)
  const cleanUps: (() => void)[] = []
  const stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), {
    cuts: true,
    client: fundingIssuer,
    apduTimeoutMs,
  })
  const customers: Customer[] = Array.from({ length: customersADay }, () => stand.customer(20_000))
  const trace: string[] = []
  try {
    for (let count = 0; count < tapsADay; count += 1) {
      const who = random(customersADay)
      const tap = randomTap(random, stand)
      trace.push(`customer ${who}: ${sayTap(tap)}`)
      const customer = customers[who]
      if (customer !== undefined) await stand.tap(customer, tap)
    }
    for (const customer of customers) await stand.comeBack(customer)
    await stand.nextCustomer()
    await stand.close()
    return stand.counts
  } catch (error) {
    throw new Error(`seed ${seed}, after ${trace.length} taps, the last of them:\n${trace.slice(-8).join('\n')}`, {
      cause: error,
    })
  } finally {
    for (const cleanUp of cleanUps) cleanUp()
  }
}

test(
  'whatever fails in a day: once every card has come back, books, cards and goods agree',
  async () => {
    const endsAtMs = performance.now() + soakMinutes * 60_000
    let seed = firstSeed
    do {
      const { taps, struck, told } = await day(seed)
      console.log(`seed ${seed}: ${taps} taps, ${struck} with a fault:`, Object.fromEntries(told))
      expect(struck).toBeGreaterThan(tapsADay / 5)
      seed += 1
    } while (seed < firstSeed + daysMin || performance.now() < endsAtMs)
  },
  60_000 + soakMinutes * 2 * 60_000,
)

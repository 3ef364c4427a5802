/**
 * pcscd ends in the middle of every exchange: softly, hard, and by crashing on half a frame; its service manager starts it again.
 * Then the reader's own process is killed there, and stopped so that it hangs.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FaultAt } from './faulty-card.ts'
import { fundingIssuer } from './funding-issuer.ts'
import { scenesAt } from './scenes.ts'
import { soaking } from './soak-minutes.ts'
import { openStand, type Stand } from './stand.ts'

const cleanUps: (() => void)[] = []
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { client: fundingIssuer, apduTimeoutMs: 1000 })
})
beforeEach(() => stand.renewReader())
afterAll(async () => {
  const { taps, struck, told } = stand.counts
  console.log(
    `${taps} taps, ${struck} with a fault, pcscd started ${stand.pcscdStarts} times:`,
    Object.fromEntries(told),
  )
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

const end = (signal: NodeJS.Signals) => () => {
  process.kill(stand.pcscd.pid(), signal)
}
type Ending = readonly [name: string, fault: Pick<FaultAt, 'fault' | 'onStruck'>]
const endings: readonly Ending[] = [
  ['SIGKILL, after the card acted', { fault: { kind: 'mute', acts: true }, onStruck: end('SIGKILL') }],
  ['SIGTERM, before the card acted', { fault: { kind: 'mute', acts: false }, onStruck: end('SIGTERM') }],
  ['SIGKILL, before the card acted', { fault: { kind: 'mute', acts: false }, onStruck: end('SIGKILL') }],
  ['SIGTERM, after the card acted', { fault: { kind: 'mute', acts: true }, onStruck: end('SIGTERM') }],
  ['a crash on half a length', { fault: { kind: 'cutAnswer', frameBytes: 1 } }],
]

describe.each(scenesAt(() => stand))('$name', ({ name, exchanges, prepare, tap = {} }) => {
  const places = soaking || name === 'a sale' ? exchanges : exchanges.slice(-1)
  const cases = places.flatMap(([instruction, nth], at) =>
    endings
      .filter(
        (_ending, kind) => soaking || (name === 'a sale' && instruction === 'commit') || kind === at % endings.length,
      )
      .map(([ending, fault]) => ({ ending, at: { instruction, nth, ...fault } })),
  )
  const ofProcess = exchanges.flatMap(([instruction, nth], at) =>
    (['SIGKILL', 'SIGSTOP'] as const)
      .filter((_signal, kind) => soaking || (name === 'a sale' && kind === at % 2))
      .map((signal) => ({ instruction, nth, signal })),
  )
  test.for(ofProcess)(
    "the reader's process gets $signal at $instruction $nth",
    async ({ instruction, nth, signal }) => {
      const customer = stand.customer()
      await prepare?.(customer)
      const fault = { kind: 'mute', acts: true } as const
      const { struck } = await stand.tap(customer, {
        ...tap,
        faults: [{ instruction, nth, fault, onStruck: () => stand.signalReader(signal) }],
      })
      expect(struck).toBe(true)
      await stand.nextCustomer()
      await stand.comeBack(customer)
    },
  )

  test.for(cases)('pcscd ends at $at.instruction $at.nth: $ending', async ({ at }) => {
    const customer = stand.customer()
    await prepare?.(customer)
    const starts = stand.pcscdStarts
    const { struck } = await stand.tap(customer, { ...tap, faults: [at] })
    expect(struck).toBe(true)
    await stand.nextCustomer()
    expect(stand.pcscdStarts).toBe(starts + 1)
    await stand.comeBack(customer)
  })
})

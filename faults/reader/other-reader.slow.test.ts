/**
 * The reader is unplugged in the middle of a sale and another one, with another name, is plugged in. vpcd's reader cannot be
 * pulled out of a running pcscd: it goes with the service, which starts again with another configuration.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fundingIssuer } from './funding-issuer.ts'
import { scenesAt } from './scenes.ts'
import { soaking } from './soak-minutes.ts'
import { openStand, type Slot, type Stand, slots } from './stand.ts'

const cleanUps: (() => void)[] = []
const rigDirectory = process.env.FARTHING_PCSCD_DIR ?? ''
const configuration = path.join(rigDirectory, 'reader.conf.d/vpcd')
const sound = readFileSync(configuration, 'utf8')
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { client: fundingIssuer, apduTimeoutMs: 1000 })
})
beforeEach(() => stand.renewReader())
afterEach(async () => {
  writeFileSync(configuration, sound)
  await stand.pcscd.stop()
  await stand.quiet()
})
afterAll(async () => {
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

const otherSlot: Slot = { name: 'Other reader 00 00', port: slots[0].port }

const [sale] = scenesAt(() => stand)
const places = sale?.exchanges.filter(
  ([instruction]) => soaking || instruction === 'initiate' || instruction === 'commit',
)
test.for(places?.map(([instruction, nth]) => ({ instruction, nth })) ?? [])(
  'unplugged at $instruction $nth, and another reader in its place: sales go on there',
  async (at) => {
    const customer = stand.customer()
    const onStruck = () => {
      writeFileSync(configuration, sound.replace('Virtual PCD', 'Other reader'))
      process.kill(stand.pcscd.pid(), 'SIGKILL')
    }
    const { struck } = await stand.tap(customer, { faults: [{ ...at, onStruck, fault: { kind: 'mute', acts: true } }] })
    expect(struck).toBe(true)
    await stand.nextCustomer({ slot: otherSlot })
    await stand.comeBack(customer, { slot: otherSlot })
  },
)

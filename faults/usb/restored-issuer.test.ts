/** The issuer goes back to a backup: what it forgot with its answers comes back, from a quiet kiosk and after a new enrolment, too. */
import { expect, onTestFinished, test } from 'vitest'
import { makeStickWorld, type StickWorld } from './stick-world.ts'

const sell = async (world: StickWorld, times: number) => {
  for (let sale = 0; sale < times; sale += 1) {
    await world.kiosk(0).sell(world.card())
    await world.kiosk(0).sync(await world.client())
  }
}
const taken = async (world: StickWorld) => (await world.report()).totals.taken.count

test('a kiosk that sells nothing more makes sure, and sends again what was lost', async () => {
  const world = await makeStickWorld(onTestFinished)
  await sell(world, 1)
  const backup = world.backUp('backup')
  await sell(world, 3)
  await world.goOnWith(backup)
  expect(await taken(world)).toBe(1)
  await world.kiosk(0).sync(await world.client(), { makeSure: true })
  expect(await taken(world)).toBe(4)
})

test('a kiosk that is enrolled again before its next sync', async () => {
  const world = await makeStickWorld(onTestFinished)
  await sell(world, 1)
  const backup = world.backUp('backup')
  await sell(world, 3)
  await world.goOnWith(backup)
  await world.enrol(world.kiosk(0))
  await world.kiosk(0).sync(await world.client())
  await sell(world, 1)
  expect(await taken(world)).toBe(5)
  expect((await world.report()).trialBalanceMinor).toBe(0)
})

test('a backup from before an earlier enrolment: no epoch is given twice, and nothing is lost', async () => {
  const world = await makeStickWorld(onTestFinished)
  const kiosk = world.kiosk(0)
  await sell(world, 1)
  const backup = world.backUp('backup')
  await world.enrol(kiosk)
  await kiosk.sync(await world.client())
  await sell(world, 3)
  await world.goOnWith(backup)
  await kiosk.sell(world.card())
  expect(await kiosk.sync(await world.client())).toMatchObject({ stopped: 'epochEnded' })
  await world.enrol(kiosk)
  await kiosk.work(({ ledger }) => expect(ledger.epoch).toBe(3))
  await kiosk.sync(await world.client())
  expect(await taken(world)).toBe(5)
  expect((await world.report()).cards.flatMap(({ holes }) => holes)).toEqual([])
  expect(await kiosk.unsynced()).toBe(0)
})

/**
 * Sticks and HTTP in any mixture and order, with lost, copied, damaged and half-written sticks, and an issuer that goes back
 * to a backup: once everybody has made whole journeys again, the books are those of a quiet day. FARTHING_SEED repeats a run;
 * FARTHING_RUNS makes more of them.
 */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StickFault } from '../../main/stick/stick.ts'
import { pulledDisk } from './pulled-disk.ts'
import { makeStickWorld, type StickWorld } from './stick-world.ts'

const seed = Number(process.env.FARTHING_SEED ?? 20_261_125)
const numRuns = Number(process.env.FARTHING_RUNS ?? 12)
/** Generous: it shares its machine with other suites. */
const timeoutMs = 60_000 + numRuns * 3_000
/** Whole journeys after which everything must be settled: the second is for what came before its predecessor. */
const journeysMax = 2

const which = fc.nat(1)
const cut = fc.option(
  fc.record({ at: fc.integer({ min: 1, max: 40 }), memory: fc.constantFrom('forgets' as const, 'keeps' as const) }),
  { freq: 3, nil: undefined },
)
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('sell' as const), kiosk: which, card: which }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('export' as const), kiosk: which, stick: which, cut }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('desk' as const), stick: which, cut }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('take' as const), kiosk: which, stick: which, cut }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('sync' as const), kiosk: which }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('lose' as const), stick: which }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constantFrom('backUp' as const, 'restore' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('copy' as const), stick: which }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('damage' as const), stick: which, file: fc.nat(), byte: fc.nat() }),
  },
)
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never

const empty = (stick: string): void => {
  for (const name of readdirSync(stick)) rmSync(path.join(stick, name), { recursive: true })
}

const damage = (stick: string, place: { readonly file: number; readonly byte: number }): void => {
  const names = readdirSync(stick)
  const name = names[place.file % Math.max(1, names.length)]
  if (name === undefined) return
  const bytes = new Uint8Array(readFileSync(path.join(stick, name)))
  const at = place.byte % Math.max(1, bytes.length)
  if (bytes.length > 0) writeFileSync(path.join(stick, name), bytes.with(at, (bytes[at] ?? 0) ^ 0x40))
}

/** A pulled stick is no failure of the test; everything else is. */
const perhapsPulled = async (
  pull: { readonly at: number; readonly memory: 'forgets' | 'keeps' } | undefined,
  work: (disk?: ReturnType<typeof pulledDisk>) => Promise<unknown>,
): Promise<void> => {
  const disk = pull && pulledDisk(pull.at, pull.memory)
  try {
    await work(disk)
  } catch (error) {
    if (!(error instanceof StickFault) || disk?.pulled !== true) throw error
  }
}

/** The issuer's copies of its store, each good for one restoration. */
interface Backups {
  made: number
  newest: string | undefined
  restored: boolean
}

interface Scene {
  readonly world: StickWorld
  readonly sticks: readonly [string, string]
  readonly backups: Backups
}

const backUp = ({ world, backups }: Scene): void => {
  backups.made += 1
  backups.newest = world.backUp(`backup-${backups.made}`)
}

/** As OPERATIONS.md has it: no stick of before is used after it as it is. */
const restore = async ({ world, sticks, backups }: Scene): Promise<void> => {
  if (backups.newest === undefined) return
  for (const stick of sticks) empty(stick)
  await world.goOnWith(backups.newest)
  backups.newest = undefined
  backups.restored = true
}

const perform = async (scene: Scene, each: Act): Promise<void> => {
  const { world, sticks } = scene
  const stick = 'stick' in each ? (sticks[each.stick] ?? '') : ''
  switch (each.what) {
    case 'sell':
      return world.kiosk(each.kiosk).sell(world.card(each.card))
    case 'export':
      return perhapsPulled(each.cut, (disk) => world.kiosk(each.kiosk).export(stick, disk))
    case 'desk':
      return perhapsPulled(each.cut, (disk) => world.desk(stick, disk))
    case 'take':
      return perhapsPulled(each.cut, (disk) => world.kiosk(each.kiosk).take(stick, disk))
    case 'sync':
      await world.kiosk(each.kiosk).sync(await world.client())
      return
    case 'lose':
      return empty(stick)
    case 'copy':
      return cpSync(stick, sticks[1 - each.stick] ?? '', { recursive: true, force: true })
    case 'damage':
      return damage(stick, each)
    case 'backUp':
      return backUp(scene)
    case 'restore':
      return restore(scene)
  }
}

/** @returns how many whole journeys it took until no kiosk had anything to carry */
const comeToRest = async (world: StickWorld, stick: string): Promise<number> => {
  for (let journey = 1; journey <= journeysMax; journey += 1) {
    for (const kiosk of world.kiosks) await kiosk.export(stick)
    await world.desk(stick)
    for (const kiosk of world.kiosks) await kiosk.take(stick)
    const left = await Promise.all(world.kiosks.map((kiosk) => kiosk.work(({ ledger }) => ledger.batchesToCarry(1000))))
    if (left.every((places) => places.length === 0)) return journey
  }
  throw new Error(`not at rest after ${journeysMax} journeys`)
}

test(
  `any mixture of sticks and HTTP ends in the books of a quiet day (seed ${seed})`,
  async () => {
    console.info(`journeys: seed ${seed}, ${numRuns} runs`)
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 20 }), async (acts) => {
        const cleanUps: (() => void | Promise<void>)[] = []
        const world = await makeStickWorld((cleanUp) => cleanUps.push(cleanUp))
        try {
          const before = world.backUp('before')
          const sticks = [world.stick(), world.stick()] as const
          const scene: Scene = { world, sticks, backups: { made: 0, newest: world.backUp('first'), restored: false } }
          for (const each of acts) await perform(scene, each)
          // The next batch is what shows a restored issuer that it lacks those before.
          if (scene.backups.restored) for (const kiosk of world.kiosks) await kiosk.sell(world.card())
          // The last journeys are made with a stick that has been through all that.
          await comeToRest(world, sticks[0])
          const sold = acts.filter(({ what }) => what === 'sell').length + (scene.backups.restored ? 2 : 0)
          for (const kiosk of world.kiosks) expect(await kiosk.unsynced()).toBe(0)
          const told = await world.report()
          expect(told.totals.taken).toEqual({ count: sold, amountMinor: sold * 250 })
          expect(told.trialBalanceMinor).toBe(0)
          expect(told).toEqual(await world.reportOf(before))
          expect(await world.audit()).toEqual([])
        } finally {
          for (const cleanUp of cleanUps) await cleanUp()
        }
      }),
      { seed, numRuns },
    )
  },
  timeoutMs,
)

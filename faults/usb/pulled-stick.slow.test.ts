/** A stick pulled, or a process killed, at every operation of every step: nothing is lost, and the same again completes it. */
import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { LedgerFault } from '../../db/open.ts'
import { StickFault } from '../../main/stick/stick.ts'
import { takeFromStick } from '../../main/stick/take.ts'
import { type Memory, type PulledDisk, pulledDisk } from './pulled-disk.ts'
import { Kiosk, makeStickWorld, type StickWorld } from './stick-world.ts'

const operationsMax = 500
const memories: readonly Memory[] = ['forgets', 'keeps']

/** What lies on a stick, but for drafts, whose names say that they are none of it. */
const contentOf = (stick: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(stick)
      .filter((name) => !name.endsWith('.part'))
      .map((name) => [name, readFileSync(path.join(stick, name)).toString('base64')]),
  )

/** Each stick's step is cut at 1, 2, 3, ... until it is done before it is cut. */
const everyOperation = async (
  memory: Memory,
  round: (disk: PulledDisk) => Promise<{ cut: () => Promise<unknown>; again: () => Promise<unknown> }>,
): Promise<Set<string>> => {
  const during = new Set<string>()
  for (let at = 1; at < operationsMax; at += 1) {
    const disk = pulledDisk(at, memory)
    const { cut, again } = await round(disk)
    const error = await cut().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!disk.pulled) {
      expect(error).toBeUndefined()
      return during
    }
    during.add(disk.during)
    expect(error, `at ${at}, ${disk.during}`).toBeInstanceOf(StickFault)
    await again()
  }
  throw new Error('it never came to its end')
}

let world: StickWorld
let kiosk: Kiosk
const cleanUps: (() => void | Promise<void>)[] = []
beforeAll(async () => {
  world = await makeStickWorld((cleanUp) => cleanUps.push(cleanUp))
  kiosk = world.kiosk(0)
  await kiosk.sell(world.card(), 2)
  return async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  }
})

/** A kiosk with the same disk. */
let copies = 0
const copyOf = (of: Kiosk): Kiosk => {
  copies += 1
  const copy = new Kiosk(of.id, path.join(world.folder, `copy-${copies}`))
  cpSync(of.dataDir, copy.dataDir, { recursive: true })
  return copy
}
const copyOfStick = (of: string): string => {
  const stick = world.stick()
  cpSync(of, stick, { recursive: true })
  return stick
}

test.each(memories)('pulled while the terminal writes it (the stick %s)', async (memory) => {
  const whole = world.stick()
  await kiosk.export(whole)
  const during = await everyOperation(memory, async (disk) => {
    const stick = world.stick()
    return {
      cut: () => kiosk.export(stick, disk),
      again: async () => {
        // What lies there by its own name is whole already; a flushed draft may be all that there is.
        for (const [name, content] of Object.entries(contentOf(stick))) expect(content).toBe(contentOf(whole)[name])
        await kiosk.export(stick)
        expect(contentOf(stick)).toEqual(contentOf(whole))
      },
    }
  })
  expect(during).toEqual(new Set(['look', 'remove', 'create', 'write', 'flush', 'close', 'rename', 'flushFolder']))
})

test.each(memories)('pulled at the desk (the stick %s)', async (memory) => {
  const exported = world.stick()
  await kiosk.export(exported)
  const whole = copyOfStick(exported)
  await world.desk(whole)
  const taken = (await world.report()).totals.taken
  await everyOperation(memory, async (disk) => {
    const stick = copyOfStick(exported)
    return {
      cut: () => world.desk(stick, disk),
      again: async () => {
        await world.desk(stick)
        expect(contentOf(stick)).toEqual(contentOf(whole))
      },
    }
  })
  expect((await world.report()).totals.taken).toEqual(taken)
  expect(await world.audit()).toEqual([])
})

test.each(memories)('pulled while the terminal takes the answers (the stick %s)', async (memory) => {
  const answered = world.stick()
  await kiosk.export(answered)
  await world.desk(answered)
  const during = await everyOperation(memory, async (disk) => {
    const stick = copyOfStick(answered)
    const copy = copyOf(kiosk)
    return {
      cut: () => copy.take(stick, disk),
      again: async () => {
        expect((await copy.take(stick)).refused).toEqual([])
        expect(await copy.unsynced()).toBe(0)
        expect((await copy.export(stick)).files).toEqual([])
        expect(Object.keys(contentOf(stick)).filter((name) => /\.(fbat|fack)$/.test(name))).toEqual([])
      },
    }
  })
  expect(during).toEqual(new Set(['names', 'look', 'open', 'read', 'close', 'remove', 'flushFolder']))
})

test('an answer that the ledger could not write is still on the stick', async () => {
  const stick = world.stick()
  const copy = copyOf(kiosk)
  await copy.export(stick)
  await world.desk(stick)
  const before = contentOf(stick)
  const full = (): never => {
    throw new LedgerFault('storage', 'The disk is full.')
  }
  await expect(
    copy.work((terminal) => takeFromStick({ ...terminal, ledger: { ...terminal.ledger, storeAnswer: full } }, stick)),
  ).rejects.toThrow(LedgerFault)
  expect(contentOf(stick)).toEqual(before)
  expect(await copy.take(stick)).toMatchObject({ answers: 1, entries: 2, refused: [] })
})

const childProgram = path.join(import.meta.dirname, 'killed-step.ts')

/** Runs one step in a process of its own. @returns whether it was killed at its Nth change */
const runKilled = async (step: readonly string[], at: number): Promise<boolean> => {
  const child = spawn(process.execPath, [childProgram, String(at), ...step], { stdio: 'inherit' })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  child.once('exit', (code, signal) => {
    expect([0, null]).toContain(code)
    resolve(signal === 'SIGKILL')
  })
  return promise
}

/** Each process starts from what the killed one before it left, and is killed one change later. @returns how many were */
const killAll = async (...step: readonly string[]): Promise<number> => {
  let kills = 0
  while (await runKilled(step, kills + 1)) kills += 1
  return kills
}

test('kill -9 at the changes of every step: the same again completes it', async () => {
  const other = world.kiosk(1)
  const { count } = (await world.report()).totals.taken
  await other.sell(world.card(1))
  const stick = world.stick()
  const kills = [
    await killAll('export', stick, other.dataDir),
    await killAll('desk', stick, world.issuer.store.url),
    await killAll('take', stick, other.dataDir),
  ]
  for (const each of kills) expect(each).toBeGreaterThan(0)
  expect(await other.unsynced()).toBe(0)
  expect((await other.export(stick)).files).toEqual([])
  expect((await world.report()).totals.taken.count).toBe(count + 1)
  expect(await world.audit()).toEqual([])
}, 90_000)

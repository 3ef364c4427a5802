/** There and back with the command itself, each step a process of its own, by what it prints and its exit status. */
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { farthing, must } from '../../e2e/system.ts'
import { openTerminal } from '../../main/terminal.ts'
import { makeStickWorld } from './stick-world.ts'

/** A kiosk with two sales, an issuer, and a stick. */
const makePlaces = async () => {
  const world = await makeStickWorld(onTestFinished)
  const kiosk = world.kiosk(0)
  await kiosk.sell(world.card(), 2)
  return { world, kiosk, store: world.issuer.store.url, dataDir: kiosk.dataDir, stick: world.stick() }
}

test('there and back by the command: settled at the issuer, and known to the kiosk', async () => {
  const { world, kiosk, store, dataDir, stick } = await makePlaces()
  const file = path.join(stick, `${kiosk.id}-1-000001.fbat`)
  expect(await must('batch', 'export', stick, '--data', dataDir)).toEqual({ files: [file] })
  const answered = await farthing('batch', 'import', stick, '--store', store)
  expect(answered).toMatchObject({ status: 0, stderr: '' })
  expect(answered.lines[0]).toMatchObject({
    batches: [{ terminalId: kiosk.id, batchNo: 1, verdict: 'taken', accepted: 2, exceptions: 0 }],
    keyrings: [kiosk.id],
    goods: 1,
    refused: [],
  })
  const shown = await Promise.all(
    [file, file.replace('.fbat', '.fack'), path.join(stick, 'bulletin.fbul'), path.join(stick, `${kiosk.id}.fkey`)].map(
      (each) => must('batch', 'show', each, '--data', dataDir),
    ),
  )
  expect(shown).toMatchObject([
    { batchNo: 1, count: 2, chainHolds: true, seal: 'right' },
    { terminalId: kiosk.id, batchNo: 1, verdict: 'taken', accepted: 2, seal: 'right' },
    { items: ['map'], hotlist: { generation: 1, count: 0 }, seal: 'right' },
    { terminalId: kiosk.id, epoch: 1, serial: expect.any(Number), seal: 'right' },
  ])
  expect(Object.keys(shown[3] ?? {}).toSorted()).toEqual(
    ['epoch', 'keyVersion', 'keyring', 'seal', 'serial', 'terminalId'].toSorted(),
  )
  const taken = await farthing('batch', 'import', stick, '--data', dataDir)
  expect(taken).toMatchObject({ status: 0, stderr: '' })
  expect(taken.lines[0]).toMatchObject({ answers: 1, entries: 2, unsynced: 0, refused: [] })
  expect(await must('batch', 'export', stick, '--data', dataDir)).toEqual({ files: [] })
  expect(readdirSync(stick).filter((name) => /\.(fbat|fack|part)$/.test(name))).toEqual([])
  expect((await world.report()).totals).toMatchObject({ taken: { count: 2, amountMinor: 500 }, exceptions: 0 })
}, 60_000)

test('what is refused is told in a sentence and by the exit status', async () => {
  const { store, dataDir, stick } = await makePlaces()
  writeFileSync(path.join(stick, 'junk.fbat'), 'junk')
  const running = openTerminal(dataDir)
  const [nowhere, both, desk, away, locked, unsafe] = await Promise.all([
    farthing('batch', 'import', stick),
    farthing('batch', 'import', stick, '--store', store, '--data', dataDir),
    farthing('batch', 'import', stick, '--store', store),
    farthing('batch', 'import', `${stick}-2`, '--store', store),
    farthing('batch', 'import', stick, '--data', dataDir),
    farthing('batch', 'import', stick, '--issuer', 'http://pay.example.org'),
  ])
  running.close()
  expect(nowhere).toMatchObject({ status: 2, stderr: expect.stringContaining('Say where you are') })
  expect(both.status).toBe(2)
  expect(desk).toMatchObject({ status: 1, lines: [{ batches: [], refused: [{ file: 'junk.fbat' }] }] })
  expect(away).toMatchObject({ status: 3, stderr: expect.stringContaining('is the stick in') })
  expect(locked).toMatchObject({ status: 1, stderr: expect.stringContaining('Another Farthing process is running') })
  expect(unsafe).toMatchObject({ status: 3, stderr: expect.stringContaining('must be https') })
}, 60_000)

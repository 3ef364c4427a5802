/** The stick: the same documents, both ways, in the order of a technician's journeys (docs/OPERATIONS.md, USB). */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { answerStick } from '../../cli/desk.ts'
import { ledgerPath } from '../../db/open.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { goodsPath } from '../../main/catalogue.ts'
import { openTerminal } from '../../main/terminal.ts'
import { enrolAs } from '../../main/test-terminal.ts'
import { Kiosk, makeStickWorld } from './stick-world.ts'

const make = () => makeStickWorld(onTestFinished)
const namesOf = (stick: string, ending: string) => readdirSync(stick).filter((name) => name.endsWith(ending))

test('a round trip by stick ends in the books that HTTP makes, to the cent, and with nothing left to settle', async () => {
  const world = await make()
  for (const [at, kiosk] of world.kiosks.entries()) {
    await kiosk.sell(world.card(0), 3)
    await kiosk.sell(world.card(1), 2 + at)
  }
  const online = await world.twin('online')
  onTestFinished(() => online.close())
  for (const kiosk of online.kiosks) await kiosk.sync(await online.client())

  const stick = world.stick()
  for (const kiosk of world.kiosks) expect((await kiosk.export(stick)).files).toHaveLength(1)
  const answered = await world.desk(stick)
  expect(
    answered.batches.map(({ verdict, accepted, exceptions }) => [verdict, accepted, exceptions]).toSorted(),
  ).toEqual([
    ['taken', 5, 0],
    ['taken', 6, 0],
  ])
  expect(answered).toMatchObject({ goods: 1, refused: [] })
  expect(answered.keyrings.toSorted()).toEqual(world.kiosks.map(({ id }) => id).toSorted())
  expect(await world.kiosk(0).take(stick)).toMatchObject({
    answers: 1,
    entries: 5,
    exceptions: 0,
    others: 1,
    refused: [],
  })
  expect(await world.kiosk(1).take(stick)).toMatchObject({
    answers: 1,
    entries: 6,
    exceptions: 0,
    others: 0,
    refused: [],
  })
  for (const kiosk of world.kiosks) {
    expect(await kiosk.unsynced()).toBe(0)
    expect((await kiosk.export(stick)).files).toEqual([])
  }
  // The batches are settled and gone; what is for any terminal stays.
  expect(namesOf(stick, '.fbat').concat(namesOf(stick, '.fack'))).toEqual([])
  expect(await world.report()).toEqual(await online.report())
  expect((await world.report()).totals.taken).toEqual({ count: 11, amountMinor: 11 * 250 })
  expect(await world.audit()).toEqual([])
})

test('a desk without the books does the same over HTTP', async () => {
  const world = await make()
  const before = world.backUp('before')
  const kiosk = world.kiosk(0)
  await kiosk.sell(world.card(), 2)
  const stick = world.stick()
  await kiosk.export(stick)
  expect(await answerStick(await world.client(), stick)).toMatchObject({ keyrings: [kiosk.id], goods: 1, refused: [] })
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, entries: 2 })
  expect(await world.report()).toEqual(await world.reportOf(before))
})

test('a kiosk that sold nothing asks for news, and has them with their goods and codes', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const { issuer } = world
  await addItem(issuer, {
    file: { name: 'guide.txt', bytes: Buffer.from('a guide to the old town') },
    id: 'guide',
    priceMinor: 100,
    title: { en: 'Guide' },
  })
  await addItem(issuer, {
    file: { name: 'wifi.txt', bytes: Buffer.from('ALPHA\nBRAVO\n') },
    id: 'wifi',
    kind: 'code',
    priceMinor: 100,
    title: { en: 'Wi-Fi' },
  })
  const { serial } = await publish(issuer)
  const stick = world.stick()
  expect((await kiosk.export(stick)).files).toEqual([])
  // Nobody was at the issuer yet: its own wish is no news.
  expect(await kiosk.take(stick)).toMatchObject({ answers: 0, goods: 0, waiting: true, refused: [], older: [] })
  await world.desk(stick)
  expect(await kiosk.take(stick)).toMatchObject({
    bulletin: serial,
    keyring: expect.any(Number),
    goods: 1,
    goodsMissing: 0,
    refused: [],
  })
  await kiosk.work(({ issued }) => {
    expect(issued?.catalogue.prepare('guide')).toMatchObject({
      content: new TextEncoder().encode('a guide to the old town'),
    })
    expect(issued?.catalogue.prepare('wifi')).toMatchObject({ item: { id: 'wifi' } })
  })
  expect(await kiosk.take(stick)).not.toHaveProperty('bulletin')
})

test('an issuer restored from a backup gets back all that it lost with one more journey', async () => {
  const world = await make()
  const before = world.backUp('before')
  const kiosk = world.kiosk(0)
  await kiosk.sell(world.card())
  await world.carry(kiosk)
  const backup = world.backUp('backup')
  for (let journey = 0; journey < 4; journey += 1) {
    await kiosk.sell(world.card())
    await world.carry(kiosk)
  }
  await world.goOnWith(backup)
  await kiosk.sell(world.card())
  const stick = world.stick()
  await kiosk.export(stick)
  expect((await world.desk(stick)).batches).toMatchObject([{ batchNo: 6, verdict: 'outOfOrder' }])
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, exportAgain: true })
  expect((await kiosk.export(stick)).files).toHaveLength(5)
  expect((await world.desk(stick)).batches.map(({ verdict }) => verdict)).toEqual(Array(5).fill('taken'))
  expect(await kiosk.take(stick)).toMatchObject({ answers: 5, exportAgain: false })
  expect((await kiosk.export(stick)).files).toEqual([])
  expect((await world.report()).totals.taken.count).toBe(6)
  expect(await world.report()).toEqual(await world.reportOf(before))
})

test('a batch that did not come through is missed at the issuer, and comes with the next journey alone', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const stick = world.stick()
  await kiosk.sell(world.card())
  const [first = ''] = (await kiosk.export(stick)).files
  await kiosk.sell(world.card())
  await kiosk.export(stick)
  writeFileSync(path.join(stick, first), readFileSync(path.join(stick, first)).fill(0, 100, 120))
  const answered = await world.desk(stick)
  expect(answered.batches).toMatchObject([{ batchNo: 2, verdict: 'outOfOrder' }])
  expect(answered.refused).toMatchObject([{ file: first, sentence: expect.stringContaining('seal is wrong') }])
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, exportAgain: true })
  expect((await kiosk.export(stick)).files).toEqual([first])
  await world.desk(stick)
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, exportAgain: false })
  expect(await kiosk.unsynced()).toBe(0)
  expect((await world.report()).totals.taken.count).toBe(2)
})

test('a fork that the issuer notices on a stick stops the terminal; enrolled again, its sales are settled', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const image = path.join(world.folder, 'old-image')
  await kiosk.sell(world.card())
  cpSync(ledgerPath(kiosk.dataDir), image)
  await world.carry(kiosk)
  // Somebody puts the old disk back.
  cpSync(image, ledgerPath(kiosk.dataDir))
  await kiosk.sell(world.card(1), 2)
  const stick = world.stick()
  const exported = await kiosk.export(stick)
  expect((await world.desk(stick)).batches).toMatchObject([{ verdict: 'fork', accepted: 0 }])
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, entries: 0, stopped: 'fork', goods: 0 })
  await kiosk.work(({ ledger }) => expect(ledger.stoppedVerdict).toBe('fork'))

  await world.enrol(kiosk)
  await kiosk.export(stick)
  const answered = await world.desk(stick)
  // The old epoch's batch is still on the stick, and harmless there.
  expect(answered.batches.map(({ epoch, verdict }) => [epoch, verdict])).toEqual([
    [1, 'fork'],
    [2, 'taken'],
  ])
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, entries: 3, refused: [] })
  await kiosk.work(({ ledger }) => expect(ledger.stoppedVerdict).toBeUndefined())
  expect(namesOf(stick, '.fbat')).not.toContain(exported.files[0])
  expect((await world.report()).totals.taken).toEqual({ count: 3, amountMinor: 750 })
  expect(await world.audit()).toEqual([])
})

test('answers for batches that this ledger never cut are left alone and named', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const copy = new Kiosk(kiosk.id, path.join(world.folder, 'copy'))
  cpSync(kiosk.dataDir, copy.dataDir, { recursive: true })
  await kiosk.sell(world.card())
  const stick = world.stick()
  await kiosk.export(stick)
  await world.desk(stick)
  expect(await copy.take(stick)).toMatchObject({ answers: 0, refused: [{ sentence: /another batch 1/ }] })
  expect(namesOf(stick, '.fack')).toHaveLength(1)
  await copy.work(({ ledger }) => expect(ledger.stoppedVerdict).toBeUndefined())
  // Not even when it has a batch of that number, with as many sales.
  await copy.sell(world.card(1))
  await copy.export(world.stick())
  expect(await copy.take(stick)).toMatchObject({ answers: 0, refused: [{ sentence: /another batch 1/ }] })
  expect(await copy.unsynced()).toBe(1)
  expect(await kiosk.take(stick)).toMatchObject({ answers: 1, refused: [] })
})

test('news of before change nothing, whatever stick they come on', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const old = world.stick()
  await kiosk.export(old)
  await world.desk(old)
  const { serial } = await publish(world.issuer)
  await world.carry(kiosk)
  expect(await kiosk.take(old)).toMatchObject({ older: ['bulletin.fbul'], refused: [], goods: 0 })
  await kiosk.work(({ issued }) => expect(issued?.bulletin.serial).toBe(serial))
})

test('goods that were damaged on the stick are not kept, and the desk writes them anew', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const stick = world.stick()
  await kiosk.export(stick)
  await world.desk(stick)
  const [name = ''] = namesOf(stick, '.fgoods')
  const hash = name.replace('.fgoods', '')
  const whole = readFileSync(path.join(stick, name))
  writeFileSync(path.join(stick, name), Buffer.from(whole).fill(7, 3, 9))
  const bare = new Kiosk(kiosk.id, path.join(world.folder, 'bare'))
  enrolAs(bare.dataDir, JSON.parse(readFileSync(path.join(kiosk.dataDir, 'terminal.json'), 'utf8')))
  expect(await bare.take(stick)).toMatchObject({ goods: 0, goodsMissing: 1, refused: [{ file: /fgoods/ }] })
  await world.desk(stick)
  expect(await bare.take(stick)).toMatchObject({ goods: 1, goodsMissing: 0, refused: [] })
  expect(readFileSync(goodsPath(bare.dataDir, hash))).toEqual(whole)
})

test('a running kiosk holds the ledger, and no stick is read beside it', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const running = openTerminal(kiosk.dataDir)
  onTestFinished(() => running.close())
  await expect(kiosk.take(world.stick())).rejects.toThrow('Another Farthing process is running on this data folder')
})

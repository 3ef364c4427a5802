/** What anybody may put on a stick: it is named in a sentence, changes nothing, and stops nothing else. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { goodsPath } from '../../main/catalogue.ts'
import { StickFault, shownName, stickFilesMax } from '../../main/stick/stick.ts'
import { encodeAcknowledgement, parseAcknowledgement } from '../../protocol/acknowledgement.ts'
import { encodeBulletin, parseBulletin } from '../../protocol/bulletin.ts'
import { macKey } from '../../protocol/mac.ts'
import { type Kiosk, makeStickWorld, type StickWorld } from './stick-world.ts'

const make = () => makeStickWorld(onTestFinished)
const strangersKey = macKey(new Uint8Array(32).fill(0x66))

/** A file that says it is huge, and takes no room. */
const hugeFile = (file: string): void => {
  writeFileSync(file, '')
  truncateSync(file, 8 * 1024 ** 3)
}

const placesOn = (stick: string) => (name: string) => path.join(stick, name)

/** A sale of one kiosk, answered, on a stick. */
const answeredStick = async (world: StickWorld, kiosk: Kiosk) => {
  await kiosk.sell(world.card())
  const stick = world.stick()
  const [batch = ''] = (await kiosk.export(stick)).files
  await world.desk(stick)
  const answer = batch.replace('.fbat', '.fack')
  const on = placesOn(stick)
  return { stick, on, answer, ack: new Uint8Array(readFileSync(on(answer))) }
}

test('at the terminal the one true answer is taken from among traps, and each trap is named', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const { stick, on, ack, answer } = await answeredStick(world, kiosk)
  const elsewhere = path.join(world.folder, 'elsewhere')
  writeFileSync(elsewhere, ack)
  const parsed = parseAcknowledgement(ack)
  const forged = (changes: Partial<typeof parsed>) => encodeAcknowledgement(strangersKey, { ...parsed, ...changes })
  const traps: Record<string, (file: string) => void> = {
    'a-link.fack': (file) => symlinkSync(elsewhere, file),
    'a-folder.fack': (file) => mkdirSync(file),
    'a-pipe.fack': (file) => spawnSync('mkfifo', [file]),
    'huge.fack': hugeFile,
    'empty.fack': (file) => writeFileSync(file, ''),
    'short.fack': (file) => writeFileSync(file, ack.subarray(0, 50)),
    'flipped.fack': (file) => writeFileSync(file, ack.with(70, 0xee)),
    'a-page.fack': (file) => writeFileSync(file, '<html>Please log in</html>'),
    'a-strangers.fack': (file) => writeFileSync(file, forged({})),
    'a-strangers-stop.fack': (file) => writeFileSync(file, forged({ verdict: 'fork', accepted: 0 })),
    'of-tomorrow.fack': (file) => writeFileSync(file, forged({ epoch: 9 })),
    'a-keyring.fack': (file) => writeFileSync(file, readFileSync(on(`${kiosk.id}.fkey`))),
    'up..\\..\\up.fack': (file) => writeFileSync(file, 'x'),
    'red\u001b[31m\u202e\n.fack': (file) => writeFileSync(file, 'x'),
  }
  for (const [name, lay] of Object.entries(traps)) lay(on(name))
  writeFileSync(on('._another-systems.fack'), 'its own note')

  const done = await kiosk.take(stick)
  expect(done).toMatchObject({ answers: 1, entries: 1, others: 0 })
  expect(done).not.toHaveProperty('stopped')
  const refused = done.refused.map(({ file }) => file)
  expect(refused.toSorted()).toEqual(Object.keys(traps).map(shownName).toSorted())
  expect(refused.join('')).not.toMatch(/\p{C}/u)
  for (const { sentence } of done.refused) expect(sentence).toMatch(/^It .*\.$/)
  // What is not ours to judge stays where it is.
  for (const name of Object.keys(traps)) expect(readdirSync(stick)).toContain(name)
  expect(readdirSync(stick)).not.toContain(answer)
  expect(readFileSync(elsewhere)).toEqual(Buffer.from(ack))
  expect(await kiosk.unsynced()).toBe(0)
})

test('at the terminal false news and false goods change nothing', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const { stick, on } = await answeredStick(world, kiosk)
  const bulletin = parseBulletin(new Uint8Array(readFileSync(on('bulletin.fbul'))))
  const [hash = ''] = bulletin.items.map(({ contentHash }) => contentHash)
  const blob = readFileSync(on(`${hash}.fgoods`))
  const mine = `${kiosk.id}.fkey`
  const keyring = new Uint8Array(readFileSync(on(mine)))
  const stranger = { privateKey: new Uint8Array(32).fill(3), keyVersion: 1 }
  const serialsOf = () =>
    kiosk.work(({ ledger }) => [ledger.document('bulletin')?.serial, ledger.document('keyring')?.serial])
  const before = await serialsOf()
  rmSync(goodsPath(kiosk.dataDir, hash))
  const lay = (name: string, how: (file: string) => void) => {
    rmSync(on(name), { recursive: true, force: true })
    how(on(name))
  }
  const link = path.join(world.folder, 'blob')
  writeFileSync(link, blob)
  const rounds: [string, (file: string) => void][][] = [
    [
      [
        'bulletin.fbul',
        (file) => writeFileSync(file, encodeBulletin({ ...bulletin, serial: 99, items: [] }, stranger)),
      ],
      [mine, (file) => writeFileSync(file, keyring.with(60, 0xee))],
      [`${hash}.fgoods`, (file) => symlinkSync(link, file)],
    ],
    [
      ['bulletin.fbul', hugeFile],
      [mine, hugeFile],
      [`${hash}.fgoods`, hugeFile],
    ],
    [
      ['bulletin.fbul', (file) => mkdirSync(file)],
      [mine, (file) => mkdirSync(file)],
      [`${hash}.fgoods`, (file) => writeFileSync(file, blob.subarray(1))],
    ],
  ]
  for (const round of rounds) {
    for (const [name, how] of round) lay(name, how)
    const done = await kiosk.take(stick)
    expect(done.refused.map(({ file }) => file).toSorted()).toEqual(round.map(([name]) => shownName(name)).toSorted())
    for (const { sentence } of done.refused) expect(sentence).toMatch(/^(It|They) .*\.$/)
    if (round.every(([, how]) => how === hugeFile))
      for (const { sentence } of done.refused) expect(sentence).toMatch(/^It is larger/)
    expect(done).toMatchObject({ goods: 0, goodsMissing: 1 })
    expect(await serialsOf()).toEqual(before)
  }
})

test('a kiosk takes no keyring of another terminal, whatever it is called', async () => {
  const world = await make()
  const [one, two] = [world.kiosk(0), world.kiosk(1)]
  const stick = world.stick()
  const on = placesOn(stick)
  await one.export(stick)
  await two.export(stick)
  await world.desk(stick)
  writeFileSync(on(`${one.id}.fkey`), readFileSync(on(`${two.id}.fkey`)))
  expect((await one.take(stick)).refused).toMatchObject([{ file: `${one.id}.fkey`, sentence: /not a keyring/ }])
})

test('at the desk the true batches are taken from among traps, and nothing off the stick is written', async () => {
  const world = await make()
  const [one, two] = [world.kiosk(0), world.kiosk(1)]
  const stick = world.stick()
  const on = placesOn(stick)
  await one.sell(world.card())
  await two.sell(world.card(1))
  const [oneFile = ''] = (await one.export(stick)).files
  const [twoFile = ''] = (await two.export(stick)).files
  const batch = new Uint8Array(readFileSync(on(oneFile)))
  const elsewhere = path.join(world.folder, 'elsewhere')
  writeFileSync(elsewhere, 'of the desk')
  const foreign = await make()
  await foreign.kiosk(0).sell(foreign.card())
  const other = foreign.stick()
  const [foreignFile = ''] = (await foreign.kiosk(0).export(other)).files
  const traps: Record<string, (file: string) => void> = {
    'a-link.fbat': (file) => symlinkSync(elsewhere, file),
    'a-folder.fbat': (file) => mkdirSync(file),
    'a-pipe.fbat': (file) => spawnSync('mkfifo', [file]),
    'huge.fbat': hugeFile,
    'empty.fbat': (file) => writeFileSync(file, ''),
    'flipped.fbat': (file) => writeFileSync(file, batch.with(130, batch[130] === 1 ? 2 : 1)),
    'of-another-issuer.fbat': (file) => writeFileSync(file, readFileSync(path.join(other, foreignFile))),
    'ffffffffffffffff.fkey': (file) => writeFileSync(file, ''),
  }
  for (const [name, lay] of Object.entries(traps)) lay(on(name))
  // The same batch again is no trap.
  writeFileSync(on('Copy of it (1).FBAT'), batch)
  // Where the desk will write: links to its own files, and a folder.
  symlinkSync(elsewhere, on(oneFile.replace('.fbat', '.fack')))
  symlinkSync(elsewhere, on(`${oneFile.replace('.fbat', '.fack')}.part`))
  symlinkSync(elsewhere, on('bulletin.fbul'))
  mkdirSync(on(twoFile.replace('.fbat', '.fack')))

  const done = await world.desk(stick)
  expect(done.batches.map(({ file, verdict }) => [file, verdict]).toSorted()).toEqual(
    [
      ['Copy of it (1).FBAT', 'taken'],
      [oneFile, 'taken'],
    ].toSorted(),
  )
  expect(done.refused.map(({ file }) => file).toSorted()).toEqual(
    [...Object.keys(traps), twoFile.replace('.fbat', '.fack')].toSorted(),
  )
  expect(done.keyrings).toContain(one.id)
  expect(readFileSync(elsewhere, 'utf8')).toBe('of the desk')
  // Booked once each; what could not be written beside its batch is asked for again.
  expect((await world.report()).totals.taken.count).toBe(2)
  expect(await one.take(stick)).toMatchObject({ answers: 2, entries: 2 })
  rmSync(on(twoFile.replace('.fbat', '.fack')), { recursive: true })
  await world.desk(stick)
  expect(await two.take(stick)).toMatchObject({ answers: 1 })
  for (const kiosk of [one, two]) expect(await kiosk.unsynced()).toBe(0)
  expect(await world.audit()).toEqual([])
})

test('at the terminal nothing off the stick is written by an export either', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  await kiosk.sell(world.card())
  const [name = ''] = (await kiosk.export(world.stick())).files
  const stick = world.stick()
  const elsewhere = path.join(world.folder, 'elsewhere')
  writeFileSync(elsewhere, 'of the kiosk')
  symlinkSync(elsewhere, path.join(stick, `${name}.part`))
  symlinkSync(elsewhere, path.join(stick, name))
  expect(await kiosk.export(stick)).toEqual({ files: [name], refused: [] })
  expect(readFileSync(elsewhere, 'utf8')).toBe('of the kiosk')
  rmSync(path.join(stick, name))
  mkdirSync(path.join(stick, name))
  expect(await kiosk.export(stick)).toMatchObject({ files: [], refused: [{ file: name, sentence: /in the way/ }] })
})

test('a folder that no terminal was at gets nothing, and one with too many files is refused as a whole', async () => {
  const world = await make()
  const kiosk = world.kiosk(0)
  const stick = world.stick()
  writeFileSync(path.join(stick, 'holiday.jpg'), 'x')
  expect(await world.desk(stick)).toEqual({ batches: [], keyrings: [], goods: 0, hotlist: 0, refused: [] })
  expect(readdirSync(stick)).toEqual(['holiday.jpg'])
  for (let file = 0; file < stickFilesMax; file += 1) writeFileSync(path.join(stick, `${file}.fack`), '')
  await expect(kiosk.take(stick)).rejects.toThrow(StickFault)
  await expect(world.desk(stick)).rejects.toThrow('take an empty stick')
  await expect(kiosk.take(path.join(stick, 'none'))).rejects.toThrow('is the stick in, and mounted there?')
})

test('a batch under a name too long for its answer is named, and the others are answered', async () => {
  const world = await make()
  const stick = world.stick()
  for (const index of [0, 1]) {
    await world.kiosk(index).sell(world.card(index))
    await world.kiosk(index).export(stick)
  }
  const [batch = ''] = readdirSync(stick).filter((name) => name.endsWith('.fbat'))
  writeFileSync(path.join(stick, `${'0'.repeat(250)}.fbat`), readFileSync(path.join(stick, batch)))
  const done = await world.desk(stick)
  expect(done.refused).toMatchObject([{ sentence: expect.stringContaining('too long') }])
  expect(done.batches).toHaveLength(2)
  expect(readdirSync(stick).filter((name) => name.endsWith('.fack'))).toHaveLength(2)
})

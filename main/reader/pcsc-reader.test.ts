/**
 * The reader against the real pcscd, which the tests plug cards into, kill and start. Run it inside
 * `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run main/reader`; `npm test` does.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type CannedAnswer, type CannedCard, plugCannedCard } from '../../scripts/pcsc/canned-card.ts'
import { pcscdRig } from '../../scripts/pcsc/rig.ts'
import { type CardReader, type PresentCard, type ReaderSnapshot, waitForCard } from './card-reader.ts'
import { firstSnapshot, openPcscReader, type PcscReaderOptions } from './pcsc-reader.ts'
import { instructions } from './pcsclite-double.ts'

const first = 'Virtual PCD 00 00'
const second = 'Virtual PCD 00 01'
const secondPort = 35964
const select = Uint8Array.of(0x00, 0xa4, 0x04, 0x00, 0x00)
const ok = Uint8Array.of(0x90, 0x00)
const fileNotFound = Uint8Array.of(0x6a, 0x82)

const pcscd = pcscdRig()
const readers: CardReader[] = []
const cards: CannedCard[] = []

const open = (options: PcscReaderOptions = {}) => {
  const reader = openPcscReader({ apduTimeoutMs: 2000, ...options })
  readers.push(reader)
  return reader
}

const plug = async (
  answer: (command: Uint8Array) => CannedAnswer,
  options: Parameters<typeof plugCannedCard>[1] = {},
) => {
  const card = await plugCannedCard(answer, options)
  cards.push(card)
  return card
}

const until = (reader: CardReader, holds: (snapshot: ReaderSnapshot) => boolean) =>
  new Promise<ReaderSnapshot>((resolve) => {
    const look = (snapshot: ReaderSnapshot) => {
      if (!holds(snapshot)) return
      stop()
      resolve(snapshot)
    }
    const stop = reader.subscribe(look)
    look(reader.snapshot)
  })

const isUp = (snapshot: ReaderSnapshot) => snapshot.service === 'up' && snapshot.slots.length === 2
const isDown = (snapshot: ReaderSnapshot) => snapshot.service === 'down'
const cardIn = (reader: CardReader, readerName = first) =>
  waitForCard(reader, { signal: AbortSignal.timeout(5000), readerName })
const removalOf = async ({ removed }: PresentCard) => {
  if (!removed.aborted) await once(removed, 'abort')
}
const ask = (card: PresentCard, command = select) => card.use((channel) => channel.transmit(command))

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
const isHelper = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pcsc-process')
  } catch {
    return false
  }
}
const helpersOf = (pid: number) => childrenOf(pid).filter(isHelper)

const isEmpty = (snapshot: ReaderSnapshot) =>
  isUp(snapshot) && snapshot.slots.every(({ card, mute }) => card === undefined && mute === undefined)

/** Looks on during a test. Only who has seen a card come also sees for certain that it is gone. */
let witness: CardReader

beforeEach(async () => {
  await pcscd.start()
  witness = open()
  await until(witness, isUp)
})

afterEach(async () => {
  for (const card of cards.splice(0)) card.pull()
  await pcscd.start()
  // A card that is plugged in before pcscd has noticed the removal of the last one may pass for that one.
  await until(witness, isEmpty)
  await Promise.all(readers.splice(0).map((reader) => reader.close()))
})

test('the first state that is told is whole: both readers, and the card that already lay there', async () => {
  await plug(() => ok)
  const before = open()
  await cardIn(before)
  const reader = open()
  const snapshot = await firstSnapshot(reader, { signal: AbortSignal.timeout(5000) })
  expect(snapshot.slots).toMatchObject([{ name: first, card: { readerName: first } }, { name: second }])
})

test('a card that is plugged in appears with its ATR, answers, and is gone when pulled', async () => {
  const reader = open()
  await until(reader, isUp)
  const atr = Uint8Array.of(0x3b, 0x84, 0x80, 0x01, 0x46, 0x41, 0x52, 0x54, 0x13)
  const plugged = await plug((command) => Uint8Array.from([...command, ...ok]), { atr })
  const card = await cardIn(reader)
  expect(card.atr).toEqual(atr)
  expect(await ask(card)).toEqual(Uint8Array.from([...select, ...ok]))

  plugged.pull()
  await removalOf(card)
  expect(reader.snapshot.slots).toEqual([{ name: first }, { name: second }])
  await expect(ask(card)).rejects.toMatchObject({ name: 'CardFault', code: 'removed' })
})

test('the same card put in again is another card', async () => {
  const reader = open()
  const plugged = await plug(() => ok)
  const card = await cardIn(reader)
  plugged.pull()
  await removalOf(card)
  await plug(() => ok)
  const again = await cardIn(reader)
  expect(again).not.toBe(card)
  expect(await ask(again)).toEqual(ok)
})

test('a card that breaks off while PC/SC still shows one has left; what lies there is a card anew', async () => {
  const reader = open()
  let breaksOff = true
  await plug(() => (breaksOff ? Uint8Array.of(0x90) : ok))
  const card = await cardIn(reader)
  const departure = removalOf(card)
  await expect(ask(card)).rejects.toMatchObject({ code: 'removed' })
  await departure
  expect(reader.snapshot.slots).toEqual([{ name: first }, { name: second }])
  breaksOff = false
  const again = await cardIn(reader)
  expect(again).not.toBe(card)
  expect(await ask(again)).toEqual(ok)
})

test('a card that breaks off whenever it is asked counts as mute after three times, until it is taken away', async () => {
  const reader = open()
  let asked = 0
  const plugged = await plug(() => {
    asked += 1
    return Uint8Array.of(0x90)
  })
  // As the kiosk does: whatever is put in is asked.
  const stop = reader.subscribe(({ slots }) => {
    for (const { card } of slots) if (card !== undefined) ask(card).catch(() => undefined)
  })
  await until(reader, ({ slots }) => slots[0]?.mute === true)
  expect(asked).toBe(3)
  expect(reader.snapshot.slots[0]).toEqual({ name: first, mute: true })
  stop()
  plugged.pull()
  await until(reader, isEmpty)
  await plug(() => ok)
  expect(await ask(await cardIn(reader))).toEqual(ok)
})

test('a card that is not a purse answers as it likes, and stays usable', async () => {
  const reader = open()
  await plug(() => fileNotFound)
  const card = await cardIn(reader)
  expect(await ask(card)).toEqual(fileNotFound)
  expect(await ask(card)).toEqual(fileNotFound)
})

test('the longest answer to a short APDU comes whole', async () => {
  const reader = open()
  const longest = Uint8Array.from([...new Uint8Array(256).fill(7), ...ok])
  await plug(() => longest)
  expect(await ask(await cardIn(reader))).toEqual(longest)
})

test('a card without a proper answer to reset shows as mute', async () => {
  const reader = open()
  await until(reader, isUp)
  await plug(() => ok, { atr: Uint8Array.of(0, 0) })
  const snapshot = await until(reader, ({ slots }) => slots[0]?.mute === true)
  expect(snapshot.slots[0]).toEqual({ name: first, mute: true })
})

test('a card that is pulled in the middle of an APDU is a removal', async () => {
  const reader = open()
  await plug(() => 'leave')
  const card = await cardIn(reader)
  await expect(ask(card)).rejects.toMatchObject({ code: 'removed' })
  await removalOf(card)
  expect((await until(reader, isEmpty)).service).toBe('up')
  await plug(() => ok)
  expect(await ask(await cardIn(reader))).toEqual(ok)
})

test('a card that falls silent in the middle is a timeout, and the reader comes back for the next card', async () => {
  const reader = open({ apduTimeoutMs: 300 })
  const silent = await plug(() => 'mute')
  const card = await cardIn(reader)
  await expect(ask(card)).rejects.toMatchObject({ code: 'timeout' })
  expect(card.removed.aborted).toBe(true)
  expect(reader.snapshot).toMatchObject({ service: 'down', slots: [], detail: expect.stringContaining('restarted') })
  silent.pull()
  await until(reader, isEmpty)
  await plug(() => ok)
  expect(await ask(await cardIn(reader))).toEqual(ok)
})

test('a card that takes its time again and again is a timeout, and may be used anew', async () => {
  const reader = open({ useTimeoutMs: 0 })
  await plug(() => ok)
  const card = await cardIn(reader)
  const twice = card.use(async (channel) => {
    await channel.transmit(select)
    await channel.transmit(select)
  })
  await expect(twice).rejects.toMatchObject({ code: 'timeout' })
  expect(await ask(card)).toEqual(ok)
})

test('a silent card in one reader does not hold up the other reader', async () => {
  const reader = open()
  const silent = await plug(() => 'mute')
  await plug(() => ok, { port: secondPort })
  const waiting = ask(await cardIn(reader)).catch((error: unknown) => error)
  expect(await ask(await cardIn(reader, second))).toEqual(ok)
  silent.pull()
  expect(await waiting).toMatchObject({ code: 'removed' })
  expect(await ask(await cardIn(reader, second))).toEqual(ok)
})

test('two readers hold two cards', async () => {
  const reader = open()
  await plug(() => Uint8Array.of(1, ...ok))
  await plug(() => Uint8Array.of(2, ...ok), { port: secondPort })
  const both = [await cardIn(reader, first), await cardIn(reader, second)]
  expect(await Promise.all(both.map((card) => ask(card)))).toEqual([Uint8Array.of(1, ...ok), Uint8Array.of(2, ...ok)])
})

test('uses of one card wait for each other, and the channel of an ended use is shut', async () => {
  const reader = open()
  await plug(() => ok)
  const card = await cardIn(reader)
  const order: string[] = []
  const use = (name: string) =>
    card.use(async (channel) => {
      order.push(`${name} begins`)
      await channel.transmit(select)
      order.push(`${name} ends`)
      return channel
    })
  const [channel] = await Promise.all([use('first'), use('second')])
  expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
  await expect(channel.transmit(select)).rejects.toThrow('after its use() ended')
})

test('a use whose work fails gives the card free for the next one', async () => {
  const reader = open()
  await plug(() => ok)
  const card = await cardIn(reader)
  await expect(card.use(() => Promise.reject(new Error('the work failed')))).rejects.toThrow('the work failed')
  expect(await ask(card)).toEqual(ok)
})

test('a card that another program holds is waited for, and busy in the end', async () => {
  const [holder, patient, hasty] = [open(), open(), open({ busyTimeoutMs: 200 })]
  await plug(() => ok)
  const [held, wanted, refused] = await Promise.all([cardIn(holder), cardIn(patient), cardIn(hasty)])
  let answer: Promise<Uint8Array> | undefined
  await held.use(async () => {
    answer = ask(wanted)
    await expect(ask(refused)).rejects.toMatchObject({ code: 'busy' })
  })
  expect(await answer).toEqual(ok)
})

test('without pcscd the state says what to do, and the readers appear when pcscd does', async () => {
  await pcscd.stop()
  const reader = open()
  const { detail } = await firstSnapshot(reader, { signal: AbortSignal.timeout(5000) })
  expect(detail).toContain('systemctl start pcscd.socket')
  await pcscd.start()
  await until(reader, isUp)
  await plug(() => ok)
  expect(await ask(await cardIn(reader))).toEqual(ok)
})

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'pcscd ended by %s takes the cards along, and both come back',
  async (signal) => {
    const reader = open()
    await plug(() => ok)
    const card = await cardIn(reader)
    expect(await ask(card)).toEqual(ok)
    const down = until(reader, isDown)
    await pcscd.stop(signal)
    expect((await down).slots).toEqual([])
    expect(card.removed.aborted).toBe(true)
    await expect(ask(card)).rejects.toMatchObject({ name: 'CardFault' })

    await pcscd.start()
    await plug(() => ok)
    expect(await ask(await cardIn(reader))).toEqual(ok)
  },
)

test('pcscd killed in the middle of an APDU is a fault, not a hang', async () => {
  const reader = open()
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  await plug(() => {
    reach()
    return 'mute'
  })
  const answer = ask(await cardIn(reader)).catch((error: unknown) => error)
  await reached
  await pcscd.stop('SIGKILL')
  expect(await answer).toMatchObject({ name: 'CardFault' })
  await pcscd.start()
  await until(reader, isUp)
})

test.each(['SIGKILL', 'SIGSTOP'] as const)('a helper process hit by %s is replaced', async (signal) => {
  const others = helpersOf(process.pid)
  const reader = open({ apduTimeoutMs: 500, hangTimeoutMs: 1000 })
  await plug(() => ok)
  const card = await cardIn(reader)
  const helper = helpersOf(process.pid).find((pid) => !others.includes(pid))
  if (helper === undefined) throw new Error('there is no helper process')
  const down = until(reader, isDown)
  process.kill(helper, signal)
  await down
  expect(card.removed.aborted).toBe(true)
  expect(await ask(await cardIn(reader))).toEqual(ok)
  expect(helpersOf(process.pid)).not.toContain(helper)
})

test('the helper has nothing of the environment but what PC/SC needs', async () => {
  vi.stubEnv('FARTHING_SECRET', 'nobody else is told')
  const others = helpersOf(process.pid)
  await until(open(), isUp)
  vi.unstubAllEnvs()
  const helper = helpersOf(process.pid).find((pid) => !others.includes(pid))
  const names = readFileSync(`/proc/${helper}/environ`, 'utf8')
    .split('\0')
    .map((entry) => entry.split('=')[0])
  expect(names).toContain('PATH')
  expect(names).not.toContain('FARTHING_SECRET')
})

test('a reader that is plugged in appears, and one that is pulled in the middle of an APDU takes its card along', async () => {
  const reader = open({ processPath: new URL('./pcsclite-double.ts', import.meta.url) })
  const card = await cardIn(reader, 'USB 00')
  const plugged = until(reader, ({ slots }) => slots.length === 2)
  await ask(card, Uint8Array.of(0, instructions.plugMute, 0, 0))
  expect((await plugged).slots).toMatchObject([{ name: 'USB 00' }, { name: 'USB 01' }])
  await until(reader, ({ slots }) => slots[1]?.mute === true)

  await expect(ask(card, Uint8Array.of(0, instructions.unplug, 0, 0))).rejects.toMatchObject({ code: 'removed' })
  await removalOf(card)
  expect(reader.snapshot).toEqual({ service: 'up', slots: [{ name: 'USB 01', mute: true }] })
})

test('waiting for a card ends with its signal', async () => {
  const reader = open()
  const signal = AbortSignal.abort(new Error('the customer left'))
  await expect(waitForCard(reader, { signal })).rejects.toThrow('the customer left')
  await expect(firstSnapshot(reader, { signal })).rejects.toThrow('the customer left')
})

test('PC/SC without a reader is up, and empty', async () => {
  await pcscd.stop()
  const squatter = createServer().listen(35963, '0.0.0.0')
  await once(squatter, 'listening')
  await pcscd.start()
  const reader = open()
  expect(await until(reader, ({ service }) => service === 'up')).toEqual({ service: 'up', slots: [] })
  squatter.close()
  await pcscd.stop()
})

test('a helper that cannot start leaves the state down, with what to do', async () => {
  const reader = open({ processPath: fileURLToPath(new URL('./no-such-module.ts', import.meta.url)) })
  const { detail } = await firstSnapshot(reader, { signal: AbortSignal.timeout(5000) })
  expect(detail).toContain('unplug')
})

test('close() ends the helper, fails what was under way, and may be repeated', async () => {
  const others = helpersOf(process.pid)
  const reader = open()
  await plug(() => 'mute')
  const card = await cardIn(reader)
  const answer = ask(card).catch((error: unknown) => error)
  expect(helpersOf(process.pid)).toHaveLength(others.length + 1)
  await reader.close()
  await reader.close()
  expect(await answer).toMatchObject({ code: 'reader' })
  expect(card.removed.aborted).toBe(true)
  expect(reader.snapshot).toMatchObject({ service: 'down', slots: [] })
  expect(helpersOf(process.pid)).toEqual(others)
})

/** A program that opens the reader, asks the first card something and tells about it on its standard output. */
const program = (ending: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { openPcscReader } from ${JSON.stringify(path.join(import.meta.dirname, 'pcsc-reader.ts'))}
       import { waitForCard } from ${JSON.stringify(path.join(import.meta.dirname, 'card-reader.ts'))}
       const reader = openPcscReader()
       const card = await waitForCard(reader, { signal: AbortSignal.timeout(5000) })
       const answer = card.use((channel) => channel.transmit(new Uint8Array(5)))
       ${ending}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )

test('the helper ends with a terminal that is killed in the middle of an APDU', async () => {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
  await plug(() => {
    reach()
    return 'mute'
  })
  const terminal = program('await answer')
  await reached
  if (terminal.pid === undefined) throw new Error('the terminal did not start')
  const [helper] = helpersOf(terminal.pid)
  if (helper === undefined) throw new Error('there is no helper process')
  terminal.kill('SIGKILL')
  await vi.waitFor(() => expect(isHelper(helper)).toBe(false))
})

test('a program exits by itself after close()', async () => {
  await plug(() => ok)
  const terminal = program('await answer; await reader.close()')
  expect(await once(terminal, 'exit')).toEqual([0, null])
})

/** The plug, frame by frame, against a vpcd of the test's own. In the real pcscd: simulate.test.ts. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { selectCommand } from '../protocol/apdu.ts'
import { concat, toHex } from '../protocol/bytes.ts'
import { amountMinor } from '../protocol/quantities.ts'
import { openPurse, type Purse } from './purse.ts'
import { drivePurse, sampleOrder, samplePersonalisation } from './purse-driver.ts'
import { newCardState, type PurseState } from './purse-state.ts'
import { plugIntoVpcd, type Tear, type VpcdPlug } from './vpcd.ts'

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

const freshBytes = (length: number) => Uint8Array.from(randomBytes(length))
const richState = (): PurseState => ({
  ...newCardState(samplePersonalisation()),
  balanceMinor: amountMinor(5000),
})
const memoryPurse = (): Purse => openPurse({ state: richState(), save: () => undefined, randomBytes: freshBytes })
const frame = (payload: Uint8Array) => concat(Uint8Array.of(payload.length >> 8, payload.length & 0xff), payload)
const control = (byte: number) => frame(Uint8Array.of(byte))
const giveAtr = control(4)

/** vpcd's end of the wire: it listens, and sends what the test says. */
describe('on the wire', () => {
  let vpcd: Server
  const plugs: VpcdPlug[] = []
  beforeEach(async () => {
    vpcd = createServer({ noDelay: true })
    vpcd.listen(0, '127.0.0.1')
    await once(vpcd, 'listening')
  })
  afterEach(async () => {
    for (const plug of plugs.splice(0)) await plug.pull()
    vpcd.close()
  })

  const insert = async (purse: Purse, options: { tear?: Tear; signal?: AbortSignal } = {}) => {
    const accepted = once(vpcd, 'connection')
    const plug = plugIntoVpcd({ port: portOf(vpcd), purse, ...options })
    plugs.push(plug)
    const [wire]: Socket[] = await accepted
    if (wire === undefined) throw new Error('no connection')
    const chunks: Buffer[] = []
    wire.on('data', (chunk) => chunks.push(chunk))
    const ended = once(wire, 'end').then(() => Buffer.concat(chunks))
    /** The next chunk: one answer is one chunk, because it is written as one buffer. */
    const ask = async (...bytes: Uint8Array[]) => {
      const answered = once(wire, 'data')
      for (const part of bytes) wire.write(part)
      const [chunk]: Buffer[] = await answered
      return chunk === undefined ? '' : toHex(Uint8Array.from(chunk))
    }
    return { plug, wire, ask, ended }
  }
  const okBlank = frame(Uint8Array.of(0x67, 0x00))

  test('the ATR says T=0 and T=1 and has a right check byte', async () => {
    const { ask, plug } = await insert(memoryPurse())
    const atr = await ask(giveAtr)
    await plug.ready
    expect(atr).toMatch(/^000d3b888001/)
    const bytes = Buffer.from(atr.slice(4), 'hex')
    expect(bytes.subarray(1).reduce((sum, byte) => sum ^ byte, 0)).toBe(0)
    expect(bytes.subarray(4, 12).toString('ascii')).toBe('FARTHING')
  })

  test('a frame that comes byte by byte, and two in one piece, are answered each once', async () => {
    const { ask, wire } = await insert(memoryPurse())
    const bytes = frame(selectCommand())
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect(await ask(...single)).toMatch(/^003f6f3b84.*9000$/)
    const short = frame(Uint8Array.of(0x90, 0x14, 0, 0))
    const answers: Buffer[] = []
    const two = new Promise<void>((resolve) => {
      wire.on('data', (chunk) => {
        answers.push(chunk)
        if (Buffer.concat(answers).length === 8) resolve()
      })
    })
    wire.write(concat(short, short))
    await two
    expect(Buffer.concat(answers)).toEqual(Buffer.concat([okBlank, okBlank]))
  })

  test('power off, on and reset are silent and end the session; bytes that are no command are answered', async () => {
    for (const byte of [0, 1, 2]) {
      const purse = memoryPurse()
      const { ask } = await insert(purse)
      await ask(frame(selectCommand()))
      const read = frame(drivePurse(purse.process).commands.readRecord(1))
      expect(await ask(read)).toBe('00026982')
      expect(await ask(control(byte), read)).toBe('00026985')
    }
    const { ask } = await insert(memoryPurse())
    expect(await ask(control(3))).toBe('00026700')
    expect(await ask(frame(new Uint8Array(0)), frame(new Uint8Array(65_535)))).toBe('00026d00')
  })

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('a COMMIT torn %s its effect leaves without a byte of an answer, once', async (tear, commits) => {
    const purse = memoryPurse()
    const { plug, wire, ended } = await insert(purse, { tear })
    const driver = drivePurse(purse.process)
    driver.select()
    driver.initiate(sampleOrder('payment'))
    wire.write(frame(driver.commands.commit()))
    expect(await plug.closed).toBe('torn')
    expect(await ended).toHaveLength(0)
    expect(purse.state).toMatchObject({ counter: commits, balanceMinor: 5000 - 250 * commits })

    const again = await insert(purse)
    driver.select()
    driver.initiate(sampleOrder('payment'))
    expect(await again.ask(frame(driver.commands.commit()))).toMatch(/9000$/)
  })

  test('a tear can be armed later, and cuts the next COMMIT only', async () => {
    const purse = memoryPurse()
    const { plug, ask, wire } = await insert(purse)
    const driver = drivePurse(purse.process)
    const offer = () => {
      driver.select()
      driver.initiate(sampleOrder('payment'))
      return frame(driver.commands.commit())
    }
    expect(await ask(offer())).toMatch(/9000$/)
    plug.tearNextCommit('after')
    expect(await ask(frame(selectCommand()))).toMatch(/9000$/)
    wire.write(offer())
    expect(await plug.closed).toBe('torn')
    expect(purse.state).toMatchObject({ counter: 2 })
  })

  test('the card leaves when it is pulled, when its signal aborts, and when the reader goes', async () => {
    const pulled = await insert(memoryPurse())
    await pulled.plug.pull()
    await pulled.plug.pull()
    expect(await pulled.plug.closed).toBe('pulled')
    await expect(pulled.plug.ready).rejects.toThrow('before the reader noticed it')

    const abort = new AbortController()
    const aborted = await insert(memoryPurse(), { signal: abort.signal })
    abort.abort()
    expect(await aborted.plug.closed).toBe('pulled')

    const orphan = await insert(memoryPurse())
    orphan.wire.destroy()
    expect(await orphan.plug.closed).toBe('readerGone')
  })

  test('a card that cannot save leaves without an answer, and tells why', async () => {
    const save = () => {
      throw new Error('the disk is full')
    }
    const purse = openPurse({ state: richState(), save, randomBytes: freshBytes })
    const { plug, wire, ended } = await insert(purse)
    const driver = drivePurse(purse.process)
    driver.select()
    driver.initiate(sampleOrder('payment'))
    wire.write(frame(driver.commands.commit()))
    await expect(plug.closed).rejects.toThrow('the disk is full')
    expect(await ended).toHaveLength(0)
  })

  test('without a reader the card says which port it tried', async () => {
    const port = portOf(vpcd)
    vpcd.close()
    await once(vpcd, 'close')
    const plug = plugIntoVpcd({ port, purse: memoryPurse() })
    await expect(plug.ready).rejects.toThrow(`No virtual reader listens on port ${port}: start pcscd with vpcd`)
    expect(await plug.closed).toBe('readerGone')
  })
})

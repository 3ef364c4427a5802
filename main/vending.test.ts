import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { LedgerFault } from '../db/open.ts'
import { instruction } from '../protocol/apdu.ts'
import { goodsPath } from './catalogue.ts'
import { openPrinter, type PrinterFault } from './printer/printer.ts'
import { printerSettingSchema } from './printer/printer-settings.ts'
import { qrsOfPage, startTestPrinter, textOfPage } from './printer/test-printer.ts'
import { openReaderDouble, type ReaderDouble } from './reader/reader-double.ts'
import { makeTestCard, makeTestTerminal, mapItem, type TestCard, wifiCodes } from './test-terminal.ts'
import { type SaleLine, sellOne, VendingMisuse, type VendingOptions } from './vending.ts'

const make = (options: Parameters<typeof makeTestTerminal>[1] = {}) => {
  const made = makeTestTerminal(onTestFinished, options)
  const reader = openReaderDouble()
  const said: SaleLine[] = []
  const sell = (more: Partial<VendingOptions> = {}) =>
    sellOne({
      terminal: made.terminal,
      reader,
      itemId: 'map',
      timeoutMs: 5000,
      graceMs: 5000,
      onSale: (line) => said.push(line),
      ...more,
    })
  return { ...made, reader, said, sell }
}

const put = (reader: ReaderDouble, card: TestCard, more: Parameters<ReaderDouble['insert']>[1] = {}) => {
  card.reset()
  return reader.insert(card.answers, more)
}

test('a captured sale: the whole line', async () => {
  const { sell, reader, said, terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  const line = await sell()
  expect(line).toEqual({
    outcome: 'captured',
    item: 'map',
    amountMinor: 250,
    cardId: card.id,
    counter: 2,
    balanceAfterMinor: 750,
    terminalSeq: card.records[0]?.order.terminalSeq,
    claimUrl: expect.stringMatching(/^https:\/\/pay\.example\/c#[\w-]{176}$/),
    goods: { kind: 'document', contentHash: mapItem.contentHash },
  })
  expect(said).toEqual([line])
  expect(terminal.ledger.goodsDue(card.id)).toEqual([])
  // The load that was made elsewhere is passed on.
  expect(terminal.ledger.unsynced.count).toBe(2)
})

test('a code is in the line, and each is sold once', async () => {
  const { sell, reader } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  const lines = [await sell({ itemId: 'wifi' }), await sell({ itemId: 'wifi' }), await sell({ itemId: 'wifi' })]
  expect(lines.map((line) => line.goods)).toEqual(wifiCodes.map((code) => ({ kind: 'code', code })))
  expect(await sell({ itemId: 'wifi' })).toEqual({
    outcome: 'declined',
    reason: 'outOfStock',
    item: 'wifi',
    amountMinor: 100,
  })
})

test('a declined sale says why, and what it would have cost', async () => {
  const { sell, reader, clock } = make()
  const poor = makeTestCard({ balanceMinor: 100 })
  put(reader, poor)
  expect(await sell()).toEqual({
    outcome: 'declined',
    reason: 'balanceTooLow',
    item: 'map',
    amountMinor: 250,
    cardId: poor.id,
    missingMinor: 150,
  })
  reader.insert(() => Uint8Array.of(0x6a, 0x82))
  expect(await sell()).toEqual({ outcome: 'declined', reason: 'notAPurse', item: 'map', amountMinor: 250 })
  clock.seconds += 31 * 86_400
  expect(await sell()).toEqual({ outcome: 'declined', reason: 'outOfService', item: 'map', amountMinor: 250 })
})

test('no card in time is a timeout; a stop is a cancellation', async () => {
  const { sell } = make()
  expect(await sell({ timeoutMs: 1 })).toEqual({
    outcome: 'declined',
    reason: 'timeout',
    item: 'map',
    amountMinor: 250,
  })
  const stop = new AbortController()
  const selling = sell({ signal: stop.signal })
  stop.abort()
  expect(await selling).toMatchObject({ outcome: 'declined', reason: 'cancelled' })
})

test('an unknown item is a mistake of the caller', async () => {
  const { sell, said } = make()
  await expect(sell({ itemId: 'nothing' })).rejects.toThrow(VendingMisuse)
  expect(said).toEqual([])
})

test('an article with an age limit is sold only where somebody sees to the age', async () => {
  const { sell, reader, said } = make({ publication: { bulletin: { display: [{ itemId: 'map', ageMin: 18 }] } } })
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  await expect(sell()).rejects.toThrow(/18 or more.*--age 18/)
  await expect(sell({ ageDeclared: 16 })).rejects.toThrow(VendingMisuse)
  expect([said, card.state.balanceMinor]).toEqual([[], 1000])
  expect(await sell({ ageDeclared: 18 })).toMatchObject({ outcome: 'captured' })
})

test('what is sold is printed: a receipt with its code, a print instead of one, and without paper a word and no goods', async () => {
  const device = await startTestPrinter()
  onTestFinished(() => device.close())
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), device.clock)
  const { sell, reader, terminal } = make({
    publication: { bulletin: { display: [{ itemId: 'map', printed: true }] } },
  })
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  await expect(sell()).rejects.toThrow(/a print: say --print/)
  const unprinted: string[] = []
  const more = { paper: { printer, language: 'de' }, onUnprinted: ({ code }: PrinterFault) => unprinted.push(code) }
  const wifi = await sell({ itemId: 'wifi', ...more })
  await sell(more)
  expect(device.jobs.map(qrsOfPage)).toEqual([[wifi.claimUrl], []])
  expect(device.jobs.map(textOfPage)).toEqual([
    expect.stringMatching(new RegExp(`Beleg.*${wifiCodes[0]}`, 's')),
    expect.stringContaining('Belegnummer 1-2'),
  ])
  device.setState({ paper: false })
  expect(await sell({ itemId: 'wifi', ...more })).toMatchObject({ outcome: 'captured' })
  expect(unprinted).toEqual(['paperOut'])
  expect(await sell(more)).toMatchObject({ outcome: 'declined', reason: 'outOfService' })
  expect([card.state.balanceMinor, terminal.ledger.status().inDoubt]).toEqual([1000 - 250 - 2 * 100, 0])
  await printer.close()
})

test('a card that leaves before COMMIT is waited for', async () => {
  const { sell, reader, said } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card, { cut: { apdu: 2, when: 'after' } })
  const waits: string[] = []
  const line = await sell({
    onWaiting: (what) => {
      waits.push(what)
      if (waits.length === 2) put(reader, card)
    },
  })
  expect(line).toMatchObject({ outcome: 'captured', balanceAfterMinor: 750 })
  expect(waits).toEqual(['card', 'card'])
  expect(said).toEqual([line])
})

test('a card that lies there and never answers is tried until the time is over, and no longer', async () => {
  const { sell, reader } = make()
  const card = makeTestCard()
  let tries = 0
  reader.insert(() => {
    tries += 1
    return new Uint8Array(0)
  })
  expect(await sell({ timeoutMs: 30 })).toMatchObject({ outcome: 'declined', reason: 'timeout' })
  expect(tries).toBeLessThan(4)
  expect(card.state.balanceMinor).toBe(1000)
})

test.each([
  ['after', true],
  ['before', undefined],
] as const)('cut %s COMMIT, the same card again within the grace: one line, one debit', async (when, recovered) => {
  const { sell, reader, said } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card, { cut: { apdu: 3, when } })
  const line = await sell({
    onWaiting: (what) => {
      if (what === 'sameCard') put(reader, card)
    },
  })
  expect(line).toMatchObject({ outcome: 'captured', balanceAfterMinor: 750, counter: 2 })
  expect(line.recovered).toBe(recovered)
  expect(said).toEqual([line])
  expect(card.state.balanceMinor).toBe(750)
})

test('cut, and another card or none: in doubt, without a balance; the next tap recovers it', async () => {
  const { sell, reader, said } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  const stranger = makeTestCard({ balanceMinor: 1000 })
  put(reader, card, { cut: { apdu: 3, when: 'after' } })
  const line = await sell({
    onWaiting: (what) => {
      if (what === 'sameCard') put(reader, stranger)
    },
  })
  expect(line).toEqual({
    outcome: 'inDoubt',
    item: 'map',
    amountMinor: 250,
    cardId: card.id,
    counter: 2,
    terminalSeq: card.records[0]?.order.terminalSeq,
  })
  expect(stranger.state.balanceMinor).toBe(1000)
  put(reader, card)
  const recovered = await sell({ itemId: 'wifi' })
  expect(recovered).toMatchObject({ outcome: 'captured', recovered: true, item: 'map', amountMinor: 250 })
  expect(card.state.balanceMinor).toBe(750)
  expect(said).toEqual([line, recovered])

  put(reader, card, { cut: { apdu: 3, when: 'before' } })
  expect(await sell({ graceMs: 1 })).toMatchObject({ outcome: 'inDoubt', counter: 3 })
})

test('cut after the debit, and the same card answers garbled: in doubt, never declined', async () => {
  const { sell, reader, said } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card, { cut: { apdu: 3, when: 'after' } })
  const line = await sell({
    onWaiting: (what) => {
      if (what !== 'sameCard') return
      card.reset()
      reader.insert((command) => {
        const answer = card.answers(command)
        return command[1] === instruction.readRecord ? answer.map((byte) => byte ^ 1) : answer
      })
    },
  })
  expect(line).toMatchObject({ outcome: 'inDoubt', counter: 2, cardId: card.id })
  expect(card.state.balanceMinor).toBe(750)
  put(reader, card)
  const recovered = await sell()
  expect(recovered).toMatchObject({ outcome: 'captured', recovered: true, counter: 2 })
  expect(said).toEqual([line, recovered])
})

test('what was said is handed over, though the card leaves during the witness', async () => {
  const { sell, reader, terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card, { cut: { apdu: 4, when: 'before' } })
  expect(await sell()).toMatchObject({ outcome: 'captured' })
  expect(terminal.ledger.goodsDue(card.id)).toEqual([])
})

test('when saying fails, the goods stay due, and are said at the next tap', async () => {
  const { sell, reader, terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  const failing = sell({
    onSale: () => {
      throw new Error('the pipe is closed')
    },
  })
  await expect(failing).rejects.toThrow('the pipe is closed')
  expect(terminal.ledger.goodsDue(card.id)).toHaveLength(1)
  expect(await sell()).toMatchObject({ outcome: 'captured', recovered: true })
  expect(card.state.balanceMinor).toBe(750)
})

test('a disk that fails between debit and entry: the machine says in doubt, stops, and the next tap recovers the sale', async () => {
  const { sell, reader, said, terminal, restart } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  Object.assign(terminal.ledger, {
    capture: () => {
      throw new LedgerFault('storage', 'The disk is full.')
    },
  })
  await expect(sell()).rejects.toThrow('The disk is full.')
  expect(said).toMatchObject([{ outcome: 'inDoubt', cardId: card.id, counter: 2 }])
  expect(await sell({ terminal: restart() })).toMatchObject({ outcome: 'captured', recovered: true, counter: 2 })
  expect(card.state.balanceMinor).toBe(750)
})

test('a disk that fails while the same card tells what it did: the machine still says in doubt before it stops', async () => {
  const { sell, reader, said, terminal, restart } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card, { cut: { apdu: 3, when: 'after' } })
  Object.assign(terminal.ledger, {
    capture: () => {
      throw new LedgerFault('storage', 'The disk is full.')
    },
  })
  const selling = sell({
    onWaiting: (what) => {
      if (what === 'sameCard') put(reader, card)
    },
  })
  await expect(selling).rejects.toThrow('The disk is full.')
  expect(said).toMatchObject([{ outcome: 'inDoubt', cardId: card.id, counter: 2 }])
  expect(await sell({ terminal: restart() })).toMatchObject({ outcome: 'captured', recovered: true, counter: 2 })
  expect(card.state.balanceMinor).toBe(750)
})

test('a disk without room for a whole sale stops the machine before any debit', async () => {
  const { sell, reader, said, terminal } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  Object.assign(terminal, { storageFault: () => new LedgerFault('storage', 'The disk is nearly full.') })
  await expect(sell()).rejects.toThrow('The disk is nearly full.')
  expect(said).toEqual([])
  expect(card.state.balanceMinor).toBe(1000)
})

test('goods of an earlier sale that cannot be opened any more are owed, once, and the card buys again', async () => {
  const { sell, reader, terminal, dataDir } = make()
  const card = makeTestCard({ balanceMinor: 1000 })
  put(reader, card)
  const failing = sell({
    onSale: () => {
      throw new Error('the pipe is closed')
    },
  })
  await expect(failing).rejects.toThrow('the pipe is closed')
  const blob = goodsPath(dataDir, mapItem.contentHash)
  const kept = readFileSync(blob)
  rmSync(blob)
  expect(await sell({ itemId: 'wifi' })).toMatchObject({
    outcome: 'captured',
    recovered: true,
    item: 'map',
    goods: 'owed',
  })
  expect(terminal.ledger.goodsDue(card.id)).toEqual([])
  writeFileSync(blob, kept)
  expect(await sell({ itemId: 'wifi' })).toMatchObject({ outcome: 'captured', item: 'wifi', goods: { kind: 'code' } })
})

test('a sale hands over what was made ready before the debit, whatever became of the file since', async () => {
  const { sell, reader, dataDir } = make()
  put(reader, makeTestCard({ balanceMinor: 1000 }))
  const line = await sell({ onDebit: () => rmSync(goodsPath(dataDir, mapItem.contentHash)) })
  expect(line).toMatchObject({ outcome: 'captured', goods: { contentHash: mapItem.contentHash } })
})

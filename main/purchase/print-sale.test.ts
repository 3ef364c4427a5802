/** A sale whose goods are a print, with a printer that fails: reversed on the spot or owed, and never goods unpaid. */

import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { openPrinter } from '../printer/printer.ts'
import { printerSettingSchema } from '../printer/printer-settings.ts'
import { qrsOfPage, startTestPrinter, type TestPrinterState, textOfPage } from '../printer/test-printer.ts'
import { CardFault } from '../reader/card-reader.ts'
import { receiptOf } from '../receipt.ts'
import { channelTo, goodsFor, makeTestCard, makeTestTerminal } from '../test-terminal.ts'
import { type PurchaseHooks, purchase } from './purchase.ts'

const startMinor = 1_000
const priceMinor = 100

const rig = async () => {
  const { terminal } = makeTestTerminal(onTestFinished)
  const card = makeTestCard({ balanceMinor: startMinor })
  const device = await startTestPrinter()
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), device.clock)
  onTestFinished(async () => {
    await printer.close()
    await device.close()
  })
  const goods = goodsFor(terminal, 'wifi')
  const hooks: PurchaseHooks = {
    canHandOver: async () => (await printer.status()) === 'ready',
    handOver: (payment) =>
      printer.print({
        kind: 'receipt',
        receipt: receiptOf(payment, {
          terminal: 'Pier 3',
          merchant: terminal.identity.merchant,
          currency: terminal.identity.currency,
          language: 'en',
          now: terminal.ledger.now(),
          ...(goods.code === undefined ? {} : { code: goods.code }),
        }),
      }),
  }
  /** Asked before the debit as well as in the middle: three questions each, then this much of the job. */
  const inTheJob = 2 * 9 + 250
  const codesOnPaper = async () => {
    // What the printer was told to forget is forgotten when that has come to it.
    await expect.poll(() => device.waiting).toBe(0)
    device.setState({ paper: true, coverClosed: true, gone: false, mute: false })
    device.tear()
    return device.jobs.filter((page) => textOfPage(page).includes(goods.code ?? '')).length
  }
  return { terminal, card, device, goods, hooks, inTheJob, codesOnPaper }
}

const off: [string, Partial<TestPrinterState>][] = [
  ['has no paper', { paper: false }],
  ['is open', { coverClosed: false }],
  ['is not there', { gone: true }],
  ['says nothing', { mute: true }],
]

test('a code that is printed is paid for, once', async () => {
  const { terminal, card, hooks, goods, codesOnPaper, device } = await rig()
  const outcome = await purchase(terminal, channelTo(card), goods, hooks)
  expect(outcome).toMatchObject({ outcome: 'captured', goods: 'due' })
  expect(card.state.balanceMinor).toBe(startMinor - priceMinor)
  expect(await codesOnPaper()).toBe(1)
  expect(device.jobs.flatMap(qrsOfPage)).toEqual([])
})

test.each(off)('nothing is debited while the printer %s', async (_what, state) => {
  const { terminal, card, hooks, goods, device, codesOnPaper } = await rig()
  device.setState(state)
  const outcome = await purchase(terminal, channelTo(card), goods, hooks)
  expect(outcome).toMatchObject({ outcome: 'declined', reason: 'outOfService' })
  expect(outcome).not.toHaveProperty('reversed')
  expect(card.state.balanceMinor).toBe(startMinor)
  expect(terminal.ledger.unsynced.count).toBe(0)
  expect(await codesOnPaper()).toBe(0)
})

test.each(off)(
  'a sale is reversed in the same tap when, in the middle of the page, the printer %s',
  async (_what, state) => {
    const { terminal, card, hooks, goods, device, inTheJob, codesOnPaper } = await rig()
    device.tripAfter(inTheJob, state)
    const outcome = await purchase(terminal, channelTo(card), goods, hooks)
    expect(outcome).toMatchObject({ outcome: 'declined', reason: 'outOfService', reversed: true })
    expect(card.state.balanceMinor).toBe(startMinor)
    expect(terminal.ledger.unsynced.amountMinor).toBe(0)
    expect(terminal.ledger.receipts({ countMax: 10 })).toMatchObject([{ receiptNo: 1, state: 'reversed' }])
    // All that it prints now, with paper in it again, is what it was sent after it was mended. A mute one had printed all.
    expect(await codesOnPaper()).toBe('mute' in state ? 1 : 0)
  },
)

test('the paper runs out between the question and the page: reversed, and nothing is printed', async () => {
  const { terminal, card, hooks, goods, device, codesOnPaper } = await rig()
  const outcome = await purchase(terminal, channelTo(card), goods, {
    ...hooks,
    onDebit: () => device.setState({ paper: false }),
  })
  expect(outcome).toMatchObject({ outcome: 'declined', reversed: true })
  expect(card.state.balanceMinor).toBe(startMinor)
  expect(await codesOnPaper()).toBe(0)
})

test('the card is gone when the print has failed: paid, and owed', async () => {
  const { terminal, card, hooks, goods, device, inTheJob, codesOnPaper } = await rig()
  device.tripAfter(inTheJob, { coverClosed: false })
  const { transmit } = channelTo(card)
  let present = true
  const outcome = await purchase(
    terminal,
    { transmit: (command) => (present ? transmit(command) : Promise.reject(new CardFault('removed', 'pulled'))) },
    goods,
    {
      ...hooks,
      handOver: async (payment) => {
        try {
          await hooks.handOver?.(payment)
        } finally {
          present = false
        }
      },
    },
  )
  expect(outcome).toMatchObject({ outcome: 'captured', goods: 'owed', claimable: false })
  expect(card.state.balanceMinor).toBe(startMinor - priceMinor)
  expect(terminal.ledger.receipts({ countMax: 1 })).toMatchObject([{ receiptNo: 1, goods: 'owed' }])
  expect(await codesOnPaper()).toBe(0)
})

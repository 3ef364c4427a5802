/** What the till prints, on a printer that decodes what it is sent and fails when it is told to. */
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { openPrinter, type PrinterClock } from '../printer/printer.ts'
import { printerSettingSchema } from '../printer/printer-settings.ts'
import { qrsOfPage, startTestPrinter, textOfPage } from '../printer/test-printer.ts'
import { makeTestCard, wifiCodes } from '../test-terminal.ts'
import { openTill } from './test-kiosk.ts'

const openWithPrinter = async (
  options: Parameters<typeof openTill>[0] = {},
  clockOf = (clock: PrinterClock): PrinterClock => clock,
) => {
  const device = await startTestPrinter()
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), clockOf(device.clock))
  const till = openTill({ ...options, parts: { printer } })
  onTestFinished(() => device.close())
  await expect.poll(() => till.kiosk.state.status.printer).toEqual({ ready: true })
  return { ...till, device }
}
const printedWifi = { publication: { bulletin: { display: [{ itemId: 'wifi', printed: true as const }] } } }

test('a receipt is printed when the customer asks, in his language, and says what the screen says', async () => {
  const { kiosk, screen, put, device } = await openWithPrinter()
  await kiosk.buy('map')
  put(makeTestCard({ balanceMinor: 1000 }))
  const { receipt, goods, printed } = await screen('approved')
  expect(printed).toBeUndefined()
  expect(receipt).toMatchObject({
    number: '1-1',
    priceMinor: 250,
    taxBasisPoints: 1900,
    taxMinor: 40,
    balanceMinor: 750,
  })
  await kiosk.showGoods()
  expect((await screen('goods')).receipt).toEqual(receipt)
  await kiosk.printReceipt('de')
  expect(kiosk.state.screen).toMatchObject({ name: 'goods', printing: 'done' })
  const [page] = device.jobs
  if (page === undefined) throw new Error('a page was printed')
  expect(textOfPage(page)).toContain('1-1')
  expect(textOfPage(page)).toContain(receipt?.cardEnding)
  expect(qrsOfPage(page)).toEqual([goods.claimUrl])
})

test('a printer without paper says so, and the receipt can be asked for again', async () => {
  const { kiosk, screen, put, device } = await openWithPrinter()
  await kiosk.buy('map')
  put(makeTestCard({ balanceMinor: 1000 }))
  await screen('approved')
  device.setState({ paper: false })
  await kiosk.printReceipt('en')
  expect(kiosk.state.screen).toMatchObject({ name: 'approved', printing: 'failed' })
  expect(kiosk.state.status.printer).toEqual({ ready: false })
  device.setState({ paper: true })
  await kiosk.printReceipt('en')
  expect(kiosk.state.screen).toMatchObject({ name: 'approved', printing: 'done' })
})

test('goods that are a print are paid once they are on paper', async () => {
  const { kiosk, screen, put, device } = await openWithPrinter(printedWifi)
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('wifi', 0, 'es')
  put(card)
  expect(await screen('approved')).toMatchObject({ printed: true })
  expect(card.state.balanceMinor).toBe(900)
  expect(device.jobs.map(qrsOfPage)).toEqual([[wifiCodes[0]]])
})

test('a page that cannot be made is money back on the spot, and other prints are sold as before', async () => {
  const { kiosk, screen, put, device, lines } = await openWithPrinter(printedWifi, (clock) => ({
    ...clock,
    deadline: (wait) => (wait === 'job' ? AbortSignal.abort() : clock.deadline(wait)),
  }))
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('wifi')
  put(card)
  expect(await screen('declined')).toMatchObject({ reason: 'outOfService', returned: true })
  expect(card.state.balanceMinor).toBe(1000)
  expect(lines).toEqual([expect.stringMatching(/^printer: The page could not be made.*AbortError/)])
  expect(device.jobs).toEqual([])
  expect(kiosk.state.status.printer).toEqual({ ready: true })
})

test('a print that fails is money back on the spot, and the screen says so', async () => {
  const { kiosk, screen, put, device, terminal, lines } = await openWithPrinter(printedWifi)
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('wifi')
  device.tripAfter(250, { paper: false })
  put(card)
  expect(await screen('declined')).toMatchObject({ reason: 'outOfService', returned: true })
  expect(card.state.balanceMinor).toBe(1000)
  expect(terminal.ledger.heldUnits().size).toBe(0)
  expect(lines).toEqual(['printer: The printer has no paper: put in a new roll.'])
  device.setState({ paper: false })
  await kiosk.buy('wifi')
  put(card)
  // Asked before the debit this time.
  expect(await screen('declined', ({ returned }) => returned === undefined)).toMatchObject({ reason: 'outOfService' })
})

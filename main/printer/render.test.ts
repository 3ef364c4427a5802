import ReceiptPrinterEncoder from '@point-of-sale/receipt-printer-encoder'
import readQr from 'jsqr'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { unixTime } from '../../protocol/quantities.ts'
import { encodeTicket, ticketEvent } from '../../protocol/ticket.ts'
import type { Receipt } from '../receipt.ts'
import { documentOf, type PrintJob } from './print-job.ts'
import { openPrinter } from './printer.ts'
import { printerSettingSchema } from './printer-settings.ts'
import { render } from './render.ts'
import {
  type PrintedPage,
  type PrintedPicture,
  picturesOfPage,
  qrsOfPage,
  startTestPrinter,
  textOfPage,
} from './test-printer.ts'

const claimUrl = `https://pay.example/c#${'QWxsIHRoYXQgd2FzIGJvdWdodA'.repeat(8)}`
const receipt: Receipt = {
  number: '1-7',
  at: 1_790_000_000,
  merchant: 'Pier',
  terminal: 'Pier 3',
  language: 'en',
  itemTitle: 'Walking map',
  currency: 'EUR',
  priceMinor: 250,
  taxBasisPoints: 0,
  taxMinor: 0,
  cardMasked: '···· 1234',
  balanceMinor: 750,
  state: 'paid',
  copy: false,
  printedTime: 1_790_000_000,
}

type Setting = Partial<v.InferInput<typeof printerSettingSchema>>

/** Through a port and another's decoder, to paper. */
const printed = async (job: PrintJob, setting: Setting = {}): Promise<PrintedPage> => {
  const device = await startTestPrinter()
  onTestFinished(() => device.close())
  const printer = openPrinter(
    v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}`, ...setting }),
    device.clock,
  )
  await printer.print(job)
  await printer.close()
  expect(device.problems).toEqual([])
  const [page] = device.jobs
  if (page === undefined) throw new Error('nothing came out')
  return page
}
const receiptJob = (changes: Partial<Receipt>): PrintJob => ({ kind: 'receipt', receipt: { ...receipt, ...changes } })

/** All pictures of a page, one under the other, as they come out. */
const wholePicture = (page: PrintedPage): PrintedPicture => {
  const pictures = picturesOfPage(page)
  return {
    kind: 'picture',
    width: pictures[0]?.width ?? 0,
    height: pictures.reduce((sum, { height }) => sum + height, 0),
    dots: Buffer.concat(pictures.map(({ dots }) => dots)),
  }
}

const qrInPicture = ({ width, height, dots }: PrintedPicture): string | undefined => {
  const rgba = new Uint8ClampedArray(width * height * 4)
  dots.forEach((black, at) => {
    rgba.fill(black === 1 ? 0 : 255, 4 * at, 4 * at + 3)
    rgba[4 * at + 3] = 255
  })
  return readQr.default(rgba, width, height)?.data
}

/** Black dots in the rows and the half of a picture. */
const ink = (picture: PrintedPicture, half: 'left' | 'right', rows: readonly [from: number, to: number]): number => {
  let count = 0
  for (let y = rows[0]; y < rows[1]; y += 1)
    for (let x = 0; x < picture.width / 2; x += 1)
      count += picture.dots[y * picture.width + x + (half === 'right' ? picture.width / 2 : 0)] ?? 0
  return count
}

test.each([32, 42, 48] as const)('%i columns: no line is longer, and sums stand at the right edge', async (columns) => {
  const job = receiptJob({
    language: 'de',
    itemTitle: 'Ein Titel, der viel länger ist als eine Zeile auf Papier',
    claimUrl,
  })
  const page = await printed(job, { columns })
  const lines = page.printed.flatMap((each) => (each.kind === 'text' ? [each] : []))
  for (const line of lines) expect(line.text.length).toBeLessThanOrEqual(columns)
  expect(lines.find(({ text }) => text.startsWith('Bezahlt'))?.text).toMatch(
    new RegExp(`^Bezahlt.{${columns - 13}}2,50 €$`),
  )
  expect(textOfPage(page).replaceAll('\n', ' ')).toContain('Ein Titel, der viel länger ist als eine Zeile auf Papier')
  expect(lines.find(({ text }) => text.trim() === 'Pier')).toMatchObject({ times: 2, bold: true })
})

test('a long claim fits the narrowest paper as a QR code, by the printer or as a picture', async () => {
  const byPrinter = await printed(receiptJob({ claimUrl }), { columns: 32 })
  expect(byPrinter.printed.find(({ kind }) => kind === 'qr')).toMatchObject({ data: claimUrl, level: 'M' })
  const asPicture = await printed(receiptJob({ claimUrl }), { columns: 32, qr: 'picture' })
  expect(qrsOfPage(asPicture)).toEqual([])
  expect(qrInPicture(wholePicture(asPicture))).toBe(claimUrl)
})

test('a code is as large as the paper lets it be, and whole', async () => {
  const timesOf = async (code: string) => {
    const page = await printed(receiptJob({ code }), { columns: 32 })
    return page.printed.find((each) => each.kind === 'text' && each.text.trim() === code)
  }
  expect(await timesOf('ALPHA-1')).toMatchObject({ times: 3, bold: true })
  expect(await timesOf('ALPHA-BRAVO-22')).toMatchObject({ times: 2 })
  expect(await timesOf('ALPHA-BRAVO-CHARLIE-333')).toMatchObject({ times: 1 })
})

test('what a reversed, an owed and a reprinted receipt says', async () => {
  expect(textOfPage(await printed(receiptJob({ state: 'reversed' })))).toContain('Reversed. You were not charged.')
  expect(textOfPage(await printed(receiptJob({ state: 'owed', claimUrl }))).replaceAll('\n', ' ')).toContain(
    'scan with your phone',
  )
  expect(textOfPage(await printed(receiptJob({ state: 'owed' })))).toContain('Keep this receipt')
  expect(textOfPage(await printed(receiptJob({ copy: true })))).toContain('Copy, printed')
})

test('the letters of one code page are not taken for those of another', async () => {
  for (const codepages of [['cp437'], ['cp850'], ['cp858'], ['windows1252']] as const) {
    const page = await printed(receiptJob({ itemTitle: 'Ñandú à l’œuvre'.slice(0, 7), currency: 'GBP' }), {
      codepages: [...codepages],
    })
    expect(textOfPage(page)).toContain('Ñandú à')
    expect(textOfPage(page)).toContain('£2.50')
  }
})

test('a letter that no code page has makes a picture of all of it', async () => {
  const page = await printed(receiptJob({ itemTitle: 'Żółć' }))
  expect(textOfPage(page).trim()).toBe('')
  expect(picturesOfPage(page).length).toBeGreaterThan(0)
  const noEuro = await printed(receiptJob({}), { codepages: ['cp437'] })
  expect(picturesOfPage(noEuro).length).toBeGreaterThan(0)
})

test('an Arabic report has its labels at the right and its sums at the left, and Chinese as usual', async () => {
  const report = (language: string, label: string): PrintJob => ({
    kind: 'report',
    language,
    title: label,
    lines: [],
    rows: [{ label, value: '1' }],
  })
  const arabic = wholePicture(await printed(report('ar', 'المبيعات')))
  // The title is 64 dots high, the rule 16, the row 32.
  expect(ink(arabic, 'right', [80, 112])).toBeGreaterThan(3 * ink(arabic, 'left', [80, 112]))
  expect(ink(arabic, 'left', [80, 112])).toBeGreaterThan(5)
  const chinese = wholePicture(await printed(report('zh-Hant', '銷售額')))
  expect(ink(chinese, 'left', [80, 112])).toBeGreaterThan(3 * ink(chinese, 'right', [80, 112]))
  expect(ink(chinese, 'right', [80, 112])).toBeGreaterThan(5)
})

const ticketCode = encodeTicket(
  {
    event: ticketEvent('concert'),
    number: '0102030405060708',
    validFrom: unixTime(0),
    validUntil: unixTime(1_800_000_000),
  },
  { privateKey: new Uint8Array(32).fill(1), keyVersion: 1 },
)

test.each([
  ['a ticket', ticketCode, ['Válida hasta el 15 ene 2027', '0410-6105']],
  ['a code of somebody else', 'ABCD', ['ABCD']],
])('%s has its title, the QR code that admits, and what a person reads', async (_name, code, texts) => {
  const page = await printed({ kind: 'ticket', language: 'es', merchant: 'Museo', title: 'Entrada general', code })
  expect(qrsOfPage(page)).toEqual([code])
  for (const text of ['Museo', 'Entrada general', ...texts]) expect(textOfPage(page)).toContain(text)
})

test('the receipt of a ticket bears what is scanned at the door, apart from the claim', async () => {
  const page = await printed(receiptJob({ code: ticketCode, claimUrl: 'https://pay.example/c#AAAA' }))
  expect(qrsOfPage(page)).toEqual([ticketCode, 'https://pay.example/c#AAAA'])
  expect(textOfPage(page)).toMatch(/Ticket\nValid until 15 Jan 2027.*0410-6105.*Scan with your phone/s)
  expect(textOfPage(page)).not.toContain(ticketCode.slice(0, 20))
})

test('a printer without a cutter is not told to cut', async () => {
  const bytes = render(
    documentOf(receiptJob({})),
    v.parse(printerSettingSchema, { device: '/dev/usb/lp0', cut: false }),
  )
  expect(Buffer.from(bytes).includes(Buffer.of(0x1d, 0x56))).toBe(false)
})

test('every model that the encoder knows can be sent every kind of page', () => {
  for (const { id } of ReceiptPrinterEncoder.printerModels) {
    const setting = v.safeParse(printerSettingSchema, { tcp: 'printer:9100', model: id })
    if (!setting.success) throw new Error(id)
    expect(
      render(documentOf({ kind: 'test', language: 'en', merchant: 'Pier', now: 0 }), setting.output).length,
      id,
    ).toBeGreaterThan(200)
  }
})

test.each([
  [{}, /either tcp or device/],
  [{ tcp: 'printer:9100', device: '/dev/usb/lp0' }, /either tcp or device/],
  [{ tcp: 'printer' }, /host:port/],
  [{ device: 'lp0' }, /path from the root/],
  [{ tcp: 'printer:9100', columns: 40 }, /32.*42.*48/],
  [{ tcp: 'printer:9100', model: 'abacus' }, /model that the encoder knows/],
  [{ tcp: 'printer:9100', papper: 1 }, /papper/],
])('a mistake in the setting is named: %j', (setting, sentence) => {
  const parsed = v.safeParse(printerSettingSchema, setting)
  expect(parsed.issues?.map((issue) => `${v.getDotPath(issue)} ${issue.message}`).join()).toMatch(sentence)
})

test.each([
  ['opens the drawer', '\u001bp07'],
  ['empties the buffer', '\u0010\u0014\u0008\u0001\u0003\u0014\u0001\u0006\u0002\u0008'],
  ['asks for the status', '\u0010\u0004\u0001'],
  ['cuts', '\u001dVA'],
])('a title or a name that %s is drawn, and commands nothing', (_what, command) => {
  const setting = v.parse(printerSettingSchema, { tcp: '127.0.0.1:9100', cut: false })
  const word = `Map${command}`
  const job: PrintJob = {
    kind: 'ticket',
    language: 'en',
    merchant: word,
    title: word,
    // The issuer takes no code with such characters: a printer that draws QR codes itself is sent it as it is.
    code: 'ABCD',
  }
  const bytes = Buffer.from(render(documentOf(job), setting))
  expect(bytes.includes(`p${command}`, 0, 'latin1')).toBe(false)
  expect(bytes.includes('\u001dv0', 0, 'latin1')).toBe(true)
})

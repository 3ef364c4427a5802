/** The printer: what it answers, whole, half and out of turn; and what it is sent when texts were made to command it. */
import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import * as v from 'valibot'
import { documentOf, type PrintJob } from '../../main/printer/print-job.ts'
import { openPrinter, PrinterFault, type PrinterStatus } from '../../main/printer/printer.ts'
import { type PrinterSetting, printerSettingSchema } from '../../main/printer/printer-settings.ts'
import { render } from '../../main/printer/render.ts'
import { openPrinterClock, pagesOf } from '../../main/printer/test-printer.ts'
import { jsonBytesOf, jsonOf, refusingLater, type Target } from './target.ts'

/** As short as a page can be: it is set for every input. */
const shortPage: PrintJob = { kind: 'report', language: 'en', title: 'Pier', lines: [], rows: [] }

/** In real time, and the one in turn. */
const questions = ['\u0010\u0004\u0001', '\u0010\u0004\u0002', '\u0010\u0004\u0004', '\u001dr\u0001'] as const
const inTurnFirst = '\u001d'
const isRealTimeAnswer = (byte: number): boolean => (byte & 0x93) === 0x12
const silence = 0xff

/** By the table of fixed bits, as the driver's author read it too, but whole and afterwards. */
const saysPrinted = (answers: readonly number[]): boolean => {
  let rest = 0
  for (const byte of answers) {
    const fixed = byte & 0x93
    if (fixed === 0x10) rest = 3
    else if ((fixed & 0x90) === 0 && rest > 0) rest -= 1
    else if ((fixed & 0x90) === 0) return (byte & 0x0c) === 0
  }
  return false
}

/** Gives the next piece of its script at each question; an empty one is silence, and after the last it hangs up. */
const openScripted = async () => {
  const { clock, expire } = openPrinterClock()
  let pieces: readonly Uint8Array[] = []
  let next = 0
  let afterPage: number[] | undefined
  const answer = (socket: Socket, inTurn: boolean): void => {
    const piece = pieces[next]
    next += 1
    if (inTurn) afterPage ??= []
    if (piece === undefined) {
      socket.destroy()
      return
    }
    afterPage?.push(...piece)
    if (piece.length > 0) socket.write(piece)
    if (inTurn || piece.some(isRealTimeAnswer)) return
    expire('answer')
    if (afterPage !== undefined) setImmediate(expire, 'job')
  }
  const server = createServer((socket) => {
    let heard = ''
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1')
      for (let at = 0; at + 3 <= heard.length; at += 1) {
        const question = questions.find((each) => heard.startsWith(each, at))
        if (question !== undefined) answer(socket, question.startsWith(inTurnFirst))
      }
      // What may be the beginning of the next one.
      heard = heard.slice(-2)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const load = (input: Uint8Array): void => {
    const cuts = [...input.keys()].filter((at) => input[at] === silence)
    pieces = [-1, ...cuts].map((cut, at) => input.subarray(cut + 1, cuts[at] ?? input.length))
    next = 0
    afterPage = undefined
  }
  return {
    clock,
    port,
    load,
    /** What it said after it was asked whether the page is done; undefined: it was not. */
    saidAfterPage: () => afterPage,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

const statuses: readonly PrinterStatus[] = ['ready', 'offline', 'paperOut', 'coverOpen', 'unknown']

const answers: Target = {
  name: 'printer-answers',
  kind: 'bytes',
  inputs: 1_600,
  lengthMax: 64,
  words: ['\u0012', '\u0000', '\u007e', '\u0018\u0000\u000c\u0000', '\u0010\u0000\u0000\u0000'],
  open: async () => {
    const device = await openScripted()
    const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), device.clock)
    return {
      seeds: [
        [0x12, silence, 0x12, silence, 0x12, silence, 0x00],
        [0x12, silence, 0x12, silence, 0x12, silence, silence, 0x12, silence, 0x12, silence, 0x12, 0x00],
        [0x12, silence, 0x12, silence, 0x12, silence, 0x18, 0x00, 0x0c, 0x00, silence, 0x32, silence, 0x7e],
        [0x16, silence, 0x12],
        [silence, silence],
      ].map((bytes) => Uint8Array.from(bytes)),
      async run(input) {
        device.load(input)
        assert(statuses.includes(await printer.status()))
        device.load(input)
        const printed = await refusingLater(PrinterFault, async () => {
          await printer.print(shortPage)
          return true
        })
        assert(!printed || saysPrinted(device.saidAfterPage() ?? []), 'a page is printed that nobody said is printed')
      },
      async close() {
        await printer.close()
        await device.close()
      },
    }
  },
}

const textOf = (lettersMax: number) =>
  v.pipe(
    v.string(),
    v.maxLength(lettersMax),
    v.check((text) => text.isWellFormed()),
  )
/** As they come from a bulletin, a keyring and the ledger. */
const paperSchema = v.object({
  title: textOf(300),
  merchant: textOf(60),
  language: v.picklist(['en', 'de', 'es', 'ar', 'zh-Hant']),
  columns: v.picklist([32, 42, 48]),
  qr: v.picklist(['printer', 'picture']),
})

const code = 'ABCD-1234'
const plainText = /^[!-~]+( [!-~]+)*$/
const packedText = (text: string): string => text.replaceAll(/\s/g, '')

const requireHarmless = (bytes: Uint8Array, setting: PrinterSetting, title: string): void => {
  const [page, ...more] = pagesOf(bytes)
  assert(page?.cut === true, 'a page, cut off')
  for (const { cut, printed } of more)
    assert(
      !cut && printed.every((each) => each.kind === 'text' && each.text === ''),
      'nothing is printed behind the cut',
    )
  const texts = page.printed.filter((each) => each.kind === 'text')
  for (const { text, times } of texts)
    assert(
      text.length <= setting.columns && text.trim().length * times <= setting.columns,
      `${text} is wider than the paper`,
    )
  const qrs = page.printed.flatMap((each) => (each.kind === 'qr' ? [each.data] : []))
  assert.deepEqual(qrs, setting.qr === 'printer' ? [code] : [])
  const said = packedText(texts.map(({ text }) => text).join(''))
  if (said !== '' && plainText.test(title)) assert(said.includes(packedText(title)), `${title} is not on paper whole`)
}

/** A short page: what is drawn takes long, and each text has the same way to the paper. */
const prints: Target = {
  name: 'print',
  kind: 'json',
  inputs: 320,
  lengthMax: 2048,
  words: [
    '\u001bp\u0000\u0019\u00fa',
    '\u001b@',
    '\u001dV\u0000',
    '\u0010\u0014\u0001\u0000\u0001',
    '\u0010\u0004\u0001',
    '\u001dr\u0001',
    '\n',
    '\r',
    '\t',
    '\u202e',
    '\u2066',
    '\u200b',
    '\u0085',
    '\u2028',
    '\u00ad',
    'خريطة',
    'מפה',
    '地圖',
    '👩‍👩‍👧',
    'e\u0301',
    '\u0300'.repeat(40),
    'Ж',
    'a'.repeat(300),
  ],
  open: () => {
    const sample = {
      title: 'Walking map',
      merchant: 'Pier',
      language: 'en',
      columns: 42,
      qr: 'printer',
    } as const
    return {
      seeds: [
        sample,
        { ...sample, title: 'Wanderkarte für Fußgänger '.repeat(11), language: 'de', columns: 32 },
        { ...sample, title: 'خريطة (2) 50%', merchant: 'Pier\u001b@', language: 'ar', qr: 'picture' },
        { ...sample, title: '地圖，第1版', language: 'zh-Hant' },
      ].map(jsonBytesOf),
      run(input) {
        const { output: paper, success } = v.safeParse(paperSchema, jsonOf(input))
        if (!success) return
        const { columns, qr, ...texts } = paper
        const setting = v.parse(printerSettingSchema, { tcp: 'printer:9100', columns, qr })
        requireHarmless(render(documentOf({ kind: 'ticket', code, ...texts }), setting), setting, texts.title)
      },
    }
  },
}

export const printerTargets: readonly Target[] = [answers, prints]

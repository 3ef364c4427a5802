import { execFile, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import type { Receipt } from '../receipt.ts'
import { testFolder } from '../test-terminal.ts'
import type { PrintJob } from './print-job.ts'
import { openPrinter, type Printer, type PrinterClock, type PrinterFaultCode, printerWaitsMs } from './printer.ts'
import { printerSettingSchema } from './printer-settings.ts'
import { qrsOfPage, startTestPrinter, type TestPrinter, textOfPage } from './test-printer.ts'

const receipt: Receipt = {
  number: '1-7',
  at: 1_790_000_000,
  merchant: 'Kiosk am Pier',
  terminal: 'Pier 3',
  language: 'de',
  itemTitle: 'Wanderkarte für Fußgänger',
  currency: 'EUR',
  priceMinor: 250,
  taxBasisPoints: 1900,
  taxMinor: 40,
  cardMasked: '···· 1234',
  balanceMinor: 750,
  claimUrl: 'https://pay.example/c#QWxsIHRoYXQgd2FzIGJvdWdodA',
  state: 'paid',
  copy: false,
  printedTime: 1_790_000_000,
}
const job: PrintJob = { kind: 'receipt', receipt }

const rig = async (): Promise<{ device: TestPrinter; printer: Printer }> => {
  const device = await startTestPrinter()
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), device.clock)
  onTestFinished(async () => {
    await printer.close()
    await device.close()
    expect(device.problems).toEqual([])
  })
  return { device, printer }
}

/** Whatever ends, ends by itself. */
const neverOver: PrinterClock = {
  deadline: () => new AbortController().signal,
  pause: () => new Promise((resolve) => setImmediate(resolve)),
}

const faultOf = async (work: Promise<unknown>): Promise<PrinterFaultCode | 'none'> => {
  try {
    await work
    return 'none'
  } catch (error) {
    return error instanceof Error && 'code' in error ? (error.code as PrinterFaultCode) : 'none'
  }
}

test('a receipt is on paper, cut off, with its QR code, when print says so', async () => {
  const { device, printer } = await rig()
  expect(await printer.status()).toBe('ready')
  await printer.print(job)
  expect(device.jobs).toHaveLength(1)
  const [page] = device.jobs
  if (page === undefined) throw new Error('a page')
  expect(page.cut).toBe(true)
  expect(qrsOfPage(page)).toEqual([receipt.claimUrl])
  const text = textOfPage(page)
  for (const line of ['Belegnummer 1-7', 'Bezahlt 2,50 €', 'Enthaltene Steuer, 19 % 0,40 €', 'Karte ···· 1234'])
    expect(text).toContain(line)
  expect(text).toContain('Wanderkarte für Fußgänger')
})

test('jobs asked for at once are printed one after the other', async () => {
  const { device, printer } = await rig()
  await Promise.all(
    [1, 2, 3].map((no) => printer.print({ kind: 'receipt', receipt: { ...receipt, number: `1-${no}` } })),
  )
  expect(device.jobs.map((page) => /1-\d/.exec(textOfPage(page))?.[0])).toEqual(['1-1', '1-2', '1-3'])
})

test.each([
  ['paperOut', { paper: false }],
  ['coverOpen', { coverClosed: false }],
  ['offline', { gone: true }],
  ['unknown', { mute: true }],
] as const)(
  'a printer that is %s says so before anything is sent, and prints when it is mended',
  async (code, state) => {
    const { device, printer } = await rig()
    device.setState(state)
    expect(await printer.status()).toBe(code)
    expect(await faultOf(printer.print(job))).toBe(code)
    device.setState({ paper: true, coverClosed: true, gone: false, mute: false })
    expect(device.jobs).toHaveLength(0)
    expect(await printer.status()).toBe('ready')
    await printer.print(job)
    expect(device.jobs).toHaveLength(1)
  },
)

/** Past the three questions before the job, and well within it. */
const inTheMiddle = 9 + 200

test.each([
  ['paperOut', { paper: false }],
  ['coverOpen', { coverClosed: false }],
] as const)('%s in the middle of a job is a fault, and the rest of it never comes out', async (code, state) => {
  const { device, printer } = await rig()
  device.tripAfter(inTheMiddle, state)
  expect(await faultOf(printer.print(job))).toBe(code)
  await expect.poll(() => device.waiting).toBe(0)
  device.setState({ paper: true, coverClosed: true })
  device.tear()
  expect(device.jobs.flatMap(qrsOfPage)).toEqual([])
  await printer.print(job)
  expect(device.jobs.flatMap(qrsOfPage)).toEqual([receipt.claimUrl])
})

test('a printer that vanishes in the middle is a fault at once, and is found again', async () => {
  const { device, printer } = await rig()
  device.tripAfter(inTheMiddle, { gone: true })
  expect(await faultOf(printer.print(job))).toBe('offline')
  device.setState({ gone: false })
  await printer.print(job)
  expect(device.jobs.some(({ cut }) => cut)).toBe(true)
})

test('a printer that falls silent after the job is a timeout: nobody knows what is on paper', async () => {
  const { device, printer } = await rig()
  device.tripAfter(inTheMiddle, { mute: true })
  expect(await faultOf(printer.print(job))).toBe('timeout')
})

test('one that prints and never says that it is done is a timeout too, until it is told not to answer', async () => {
  const { device, printer } = await rig()
  device.setState({ answersInTurn: false })
  expect(await faultOf(printer.print(job))).toBe('timeout')
  const silent = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}`, answers: false }))
  device.setState({ mute: true })
  expect(await silent.status()).toBe('ready')
  await silent.print(job)
  await expect.poll(() => device.jobs.length).toBe(2)
})

test('a printer that goes on without paper, and says so in its turn, has not printed', async () => {
  const device = await startTestPrinter()
  onTestFinished(() => device.close())
  device.setState({ stopsWithoutPaper: false })
  // It answers before it is asked again.
  const clock = { ...device.clock, pause: () => new Promise<void>(() => {}) }
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), clock)
  device.tripAfter(inTheMiddle, { paper: false })
  expect(await faultOf(printer.print(job))).toBe('paperOut')
})

test('what talks without end is no printer, and is hung up on', async () => {
  const talker = createServer((socket) => {
    const talk = (): void => {
      while (socket.write(Buffer.alloc(16 * 1024, 0xff)));
    }
    socket.on('drain', talk).on('error', () => {})
    talk()
  })
  await new Promise<void>((resolve) => talker.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void talker.close())
  const { port } = talker.address() as AddressInfo
  const printer = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${port}` }), neverOver)
  expect(await printer.status()).toBe('offline')
  expect(await faultOf(printer.print(job))).toBe('offline')
})

test('a page that cannot be made, or not in time, is a fault of its own: the printer is sent nothing, and prints the next one', async () => {
  const { device, printer } = await rig()
  const noPage: PrintJob = { kind: 'receipt', receipt: { ...receipt, itemTitle: 7 as unknown as string } }
  expect(await faultOf(printer.print(noPage))).toBe('notDrawn')
  const late = openPrinter(v.parse(printerSettingSchema, { tcp: `127.0.0.1:${device.port}` }), {
    ...device.clock,
    deadline: (wait) => (wait === 'job' ? AbortSignal.abort() : device.clock.deadline(wait)),
  })
  expect(await faultOf(late.print(job))).toBe('notDrawn')
  expect(device.jobs).toEqual([])
  await printer.print(job)
  expect(device.jobs).toHaveLength(1)
})

test('a slow printer is waited for', async () => {
  const { device, printer } = await rig()
  device.setState({ bytesPerTick: 64 })
  await printer.print(job)
  expect(device.jobs).toHaveLength(1)
})

test('more jobs than a kiosk ever has at once are refused, and so are those after the end', async () => {
  const { device, printer } = await rig()
  const printing = Promise.allSettled(Array.from({ length: 10 }, () => printer.print(job)))
  expect(await printer.status()).toBe('offline')
  expect((await printing).filter(({ status }) => status === 'rejected')).toHaveLength(2)
  expect(device.jobs).toHaveLength(8)
  expect(await printer.status()).toBe('ready')
  await printer.close()
  expect(await faultOf(printer.print(job))).toBe('offline')
  expect(await printer.status()).toBe('offline')
})

test('a device file is written to; a plain one cannot say more than that it took all', async () => {
  const file = path.join(testFolder(onTestFinished), 'lp0')
  writeFileSync(file, '')
  const printer = openPrinter(v.parse(printerSettingSchema, { device: file, answers: false }))
  expect(await printer.status()).toBe('ready')
  await printer.print(job)
  const once = readFileSync(file)
  expect(once.includes('Belegnummer')).toBe(true)
  await printer.print(job)
  expect(readFileSync(file).length).toBe(2 * once.length)
  const asked = openPrinter(v.parse(printerSettingSchema, { device: file }))
  expect(await faultOf(asked.print(job))).toBe('unknown')
})

test('a device file that is not there, or that nobody reads, is offline', async () => {
  const folder = testFolder(onTestFinished)
  const absent = openPrinter(v.parse(printerSettingSchema, { device: path.join(folder, 'lp9'), answers: false }))
  expect(await absent.status()).toBe('offline')
  expect(await faultOf(absent.print(job))).toBe('offline')
  const pipe = path.join(folder, 'lp1')
  await promisify(execFile)('mkfifo', [pipe])
  const piped = openPrinter(v.parse(printerSettingSchema, { device: pipe, answers: false }))
  expect(await piped.status()).toBe('offline')
  const reader = spawn('sh', ['-c', 'exec cat <> "$0"', pipe], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    reader.kill()
  })
  const bytes: Buffer[] = []
  reader.stdout.on('data', (chunk: Buffer) => bytes.push(chunk))
  await expect.poll(() => piped.status()).toBe('ready')
  await piped.print(job)
  await expect.poll(() => Buffer.concat(bytes).includes('Belegnummer')).toBe(true)
})

/** The test printer behind a terminal device, which is a file that answers. */
const bridge = `
import os, pty, select, socket, sys, tty
master, slave = pty.openpty()
tty.setraw(slave)
printer = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
print(os.ttyname(slave), flush=True)
while True:
    for ready in select.select([master, printer], [], [])[0]:
        if ready is master: printer.sendall(os.read(master, 4096))
        else:
            answer = printer.recv(4096)
            if not answer: sys.exit(0)
            os.write(master, answer)
`

test('a device file that answers is asked and believed like a printer on the network', async () => {
  const { device } = await rig()
  const bridged = spawn('python3', ['-c', bridge, String(device.port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    bridged.kill()
  })
  const name = await new Promise<string>((resolve) =>
    bridged.stdout.once('data', (text) => resolve(String(text).trim())),
  )
  const printer = openPrinter(v.parse(printerSettingSchema, { device: name }), device.clock)
  expect(await printer.status()).toBe('ready')
  await printer.print(job)
  expect(device.jobs.flatMap(qrsOfPage)).toEqual([receipt.claimUrl])
  device.setState({ paper: false })
  expect(await faultOf(printer.print(job))).toBe('paperOut')
})

test('the times of a real printer bound how long a sale waits for it', () => {
  const { connect, answer, job: whole } = printerWaitsMs
  expect(connect * 2 + answer * 4 + whole).toBeLessThanOrEqual(20_000)
})

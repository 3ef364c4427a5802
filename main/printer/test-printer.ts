/**
 * For tests and demonstrations: a receipt printer at a TCP port that reads ESC/POS with a decoder of its own (it shares
 * nothing with the encoder), prints into memory, answers when it is asked how it is, and fails as printers do.
 * Source: Epson's ESC/POS command reference.
 */
import { createServer, type Socket } from 'node:net'
import type { PrinterClock, PrinterWait } from './printer.ts'

export interface TestPrinterState {
  readonly paper: boolean
  readonly coverClosed: boolean
  /** Takes all and says nothing. */
  readonly mute: boolean
  /** Its cable is pulled: connections end, and new ones too. */
  readonly gone: boolean
  /** Prints, but never says that it is done. */
  readonly answersInTurn: boolean
  /** False: it feeds on when there is no paper, and says so when it is asked in turn. */
  readonly stopsWithoutPaper: boolean
  /** How many bytes it takes each 5 ms; undefined: all at once. */
  readonly bytesPerTick: number | undefined
}

export interface PrintedText {
  readonly kind: 'text'
  readonly text: string
  readonly bold: boolean
  readonly times: number
  readonly align: 'left' | 'center' | 'right'
}
export interface PrintedQr {
  readonly kind: 'qr'
  readonly data: string
  readonly level: 'L' | 'M' | 'Q' | 'H'
  readonly moduleDots: number
}
export interface PrintedPicture {
  readonly kind: 'picture'
  readonly width: number
  readonly height: number
  /** 1 is black. */
  readonly dots: Uint8Array
}
export type Printed = PrintedText | PrintedQr | PrintedPicture

/** What lies on one piece of paper. */
export interface PrintedPage {
  readonly printed: readonly Printed[]
  /** Cut off, or torn where the connection ended. */
  readonly cut: boolean
}

const upperHalf: Readonly<Record<number, string>> = {
  // cp437, cp850 and cp858, from 0x80.
  0: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  2: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
  19: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
}

const letterOf = (byte: number, codepage: number): string => {
  if (byte < 0x80) return String.fromCharCode(byte)
  if (codepage === 16) return new TextDecoder('windows-1252').decode(Uint8Array.of(byte))
  return upperHalf[codepage]?.[byte - 0x80] ?? '\ufffd'
}

type Command =
  | { readonly kind: 'letter'; readonly byte: number }
  | { readonly kind: 'lineFeed' }
  | { readonly kind: 'set'; readonly what: number; readonly value: number }
  | { readonly kind: 'size'; readonly value: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'symbol'; readonly body: Uint8Array }
  | { readonly kind: 'picture'; readonly header: Uint8Array; readonly body: Uint8Array }
  | { readonly kind: 'cut' }
  | { readonly kind: 'sensor' }
  | { readonly kind: 'askedNow'; readonly which: number }
  | { readonly kind: 'forget' }
  | { readonly kind: 'nothing' }

/** The next command and its length; undefined while it is not whole. @throws Error for one that this printer does not know */
const parse = (bytes: Buffer): { command: Command; length: number } | undefined => {
  const [first = 0, second, third] = bytes
  const when = (length: number, command: () => Command) =>
    bytes.length < length ? undefined : { command: command(), length }
  if (first === 0x0a) return when(1, () => ({ kind: 'lineFeed' }))
  if (first === 0x0d) return when(1, () => ({ kind: 'nothing' }))
  if (first >= 0x20) return when(1, () => ({ kind: 'letter', byte: first }))
  if (second === undefined) return undefined
  const name = (first << 8) | second
  switch (name) {
    case 0x1b40:
      return when(2, () => ({ kind: 'reset' }))
    case 0x1b32:
    case 0x1c2e:
      return when(2, () => ({ kind: 'nothing' }))
    case 0x1b74:
    case 0x1b61:
    case 0x1b45:
      return when(3, () => ({ kind: 'set', what: second, value: third ?? 0 }))
    case 0x1b4d:
    case 0x1b2d:
    case 0x1b33:
    case 0x1b64:
      return when(3, () => ({ kind: 'nothing' }))
    case 0x1d21:
      return when(3, () => ({ kind: 'size', value: third ?? 0 }))
    case 0x1d56:
      return when(third !== undefined && third >= 65 ? 4 : 3, () => ({ kind: 'cut' }))
    case 0x1d72:
      return when(3, () => ({ kind: 'sensor' }))
    case 0x1004:
      return when(3, () => ({ kind: 'askedNow', which: third ?? 0 }))
    case 0x1014:
      return when(10, () => ({ kind: 'forget' }))
    case 0x1d28: {
      const length = bytes.length < 5 ? 5 : 5 + bytes.readUInt16LE(3)
      return when(length, () => ({ kind: 'symbol', body: bytes.subarray(5, length) }))
    }
    case 0x1d76: {
      const length = bytes.length < 8 ? 8 : 8 + bytes.readUInt16LE(4) * bytes.readUInt16LE(6)
      return when(length, () => ({
        kind: 'picture',
        header: bytes.subarray(0, 8),
        body: bytes.subarray(8, length),
      }))
    }
    default:
      throw new Error(`the test printer does not know the command ${bytes.subarray(0, 4).toString('hex')}`)
  }
}

const pictureOf = (header: Uint8Array, body: Uint8Array): PrintedPicture => {
  const bytesPerRow = (header[4] ?? 0) + ((header[5] ?? 0) << 8)
  const width = bytesPerRow * 8
  const height = (header[6] ?? 0) + ((header[7] ?? 0) << 8)
  const dots = new Uint8Array(width * height)
  // A width is a whole number of bytes: eight dots each, the left one first.
  body.forEach((byte, at) => {
    for (let bit = 0; byte !== 0 && bit < 8; bit += 1) dots[8 * at + bit] = (byte >> (7 - bit)) & 1
  })
  return { kind: 'picture', width, height, dots }
}

/** Ink on paper, command by command. */
const openPlaten = () => {
  const pages: PrintedPage[] = []
  let printed: Printed[] = []
  let letters = ''
  let lettersStyle = { bold: false, times: 1 }
  let style = { codepage: 0, bold: false, times: 1, align: 'left' as PrintedText['align'] }
  let qr = { data: '', level: 'L' as PrintedQr['level'], moduleDots: 3 }

  const symbol = (body: Uint8Array): void => {
    const [kind, what, value = 0] = body
    if (kind !== 0x31) throw new Error(`the test printer prints QR codes only, not symbol ${kind}`)
    if (what === 0x43) qr = { ...qr, moduleDots: value }
    else if (what === 0x45) qr = { ...qr, level: (['L', 'M', 'Q', 'H'] as const)[value - 0x30] ?? 'L' }
    else if (what === 0x50) qr = { ...qr, data: Buffer.from(body.subarray(3)).toString('utf8') }
    else if (what === 0x51) printed.push({ kind: 'qr', ...qr })
  }

  const print = (command: Command): void => {
    switch (command.kind) {
      case 'letter':
        letters += letterOf(command.byte, style.codepage)
        // Spaces place the text, and say nothing of its size.
        if (command.byte !== 0x20) lettersStyle = { bold: style.bold, times: style.times }
        return
      case 'lineFeed':
        printed.push({ kind: 'text', text: letters, ...lettersStyle, align: style.align })
        letters = ''
        return
      case 'set':
        if (command.what === 0x74) style = { ...style, codepage: command.value }
        else if (command.what === 0x45) style = { ...style, bold: (command.value & 1) === 1 }
        else style = { ...style, align: (['left', 'center', 'right'] as const)[command.value] ?? 'left' }
        return
      case 'size':
        style = { ...style, times: (command.value & 7) + 1 }
        return
      case 'reset':
        style = { codepage: 0, bold: false, times: 1, align: 'left' }
        return
      case 'symbol':
        symbol(command.body)
        return
      case 'picture':
        printed.push(pictureOf(command.header, command.body))
        return
      case 'cut':
        pages.push({ printed, cut: true })
        printed = []
        return
      case 'sensor':
      case 'askedNow':
      case 'forget':
      case 'nothing':
        return
    }
  }
  const tear = (): void => {
    if (printed.length > 0) pages.push({ printed, cut: false })
    printed = []
    letters = ''
  }
  return { pages, print, tear }
}

/** What a printer makes of these bytes. @throws Error for a command that it does not know, that asks or forgets, or is cut off */
export const pagesOf = (bytes: Uint8Array): readonly PrintedPage[] => {
  const platen = openPlaten()
  for (let rest = Buffer.from(bytes); rest.length > 0; ) {
    const next = parse(rest)
    if (next === undefined) throw new Error('the last command is cut off')
    const { kind } = next.command
    if (kind === 'sensor' || kind === 'askedNow' || kind === 'forget') throw new Error(`a page with a command: ${kind}`)
    platen.print(next.command)
    rest = rest.subarray(next.length)
  }
  platen.tear()
  return platen.pages
}

/** The text of a page, without the spaces that only place it. */
export const textOfPage = ({ printed }: PrintedPage): string =>
  printed.flatMap((each) => (each.kind === 'text' ? [each.text.trim().replace(/ +/g, ' ')] : [])).join('\n')

export const qrsOfPage = ({ printed }: PrintedPage): string[] =>
  printed.flatMap((each) => (each.kind === 'qr' ? [each.data] : []))

export const picturesOfPage = ({ printed }: PrintedPage): PrintedPicture[] =>
  printed.filter((each) => each.kind === 'picture')

const wellState: TestPrinterState = {
  paper: true,
  coverClosed: true,
  mute: false,
  gone: false,
  answersInTurn: true,
  stopsWithoutPaper: true,
  bytesPerTick: undefined,
}

/** No time passes but when the printer keeps an answer to itself: then whoever waits for it has waited long enough. */
export const openPrinterClock = () => {
  const waiting: Readonly<Record<PrinterWait, Set<AbortController>>> = {
    connect: new Set(),
    answer: new Set(),
    job: new Set(),
  }
  const clock: PrinterClock = {
    deadline(wait) {
      const over = new AbortController()
      waiting[wait].add(over)
      return over.signal
    },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  }
  const expire = (wait: PrinterWait): void => {
    for (const over of waiting[wait]) over.abort(new Error(`waited long enough: ${wait}`))
    waiting[wait].clear()
  }
  return { clock, expire }
}

export type TestPrinter = Awaited<ReturnType<typeof startTestPrinter>>

export const startTestPrinter = async (options: { readonly port?: number } = {}) => {
  let state = wellState
  const platen = openPlaten()
  const problems: string[] = []
  /** What was received and is not printed, since there is no paper or the cover is open; it outlives the connection. */
  let waiting: { command: Command; from: Socket }[] = []
  let received = 0
  let trip: { readonly afterBytes: number; readonly becomes: Partial<TestPrinterState> } | undefined
  const sockets = new Set<Socket>()
  const { clock, expire } = openPrinterClock()
  /** A page was printed, and nobody was told. */
  let keptBack = false

  const say = (to: Socket, byte: number): void => {
    if (to.writable) to.write(Uint8Array.of(byte))
  }
  /** The job's time is over when it was asked once more, in vain or not, after the answer that it is for. */
  const answerNow = (to: Socket, which: number): void => {
    if (state.mute) expire('answer')
    else say(to, statusByte(which))
    if (keptBack) setImmediate(expire, 'job')
  }
  const answerInTurn = (to: Socket): void => {
    if (state.mute || !state.answersInTurn) keptBack = true
    else say(to, state.paper ? 0x00 : 0x0c)
  }
  const statusByte = (which: number): number => {
    const well = state.paper && state.coverClosed
    switch (which) {
      case 1:
        return 0x12 | (well ? 0 : 0x08)
      case 2:
        return 0x12 | (state.coverClosed ? 0 : 0x04) | (state.paper ? 0 : 0x20)
      case 4:
        return 0x12 | (state.paper ? 0 : 0x6c)
      default:
        return 0x12
    }
  }
  const printWaiting = (): void => {
    while ((state.paper || !state.stopsWithoutPaper) && state.coverClosed) {
      const next = waiting.shift()
      if (next === undefined) return
      platen.print(next.command)
      if (next.command.kind === 'sensor') answerInTurn(next.from)
    }
  }
  const take = (command: Command, from: Socket): void => {
    if (command.kind === 'askedNow') answerNow(from, command.which)
    else if (command.kind === 'forget') waiting = []
    else waiting.push({ command, from })
    printWaiting()
  }
  const setState = (changes: Partial<TestPrinterState>): void => {
    state = { ...state, ...changes }
    keptBack &&= state.mute || !state.answersInTurn
    if (state.gone) for (const socket of sockets) socket.destroy()
    printWaiting()
  }

  const server = createServer((socket) => {
    if (state.gone) {
      socket.destroy()
      return
    }
    let unread = Buffer.alloc(0)
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    const read = (bytes: Buffer): void => {
      unread = Buffer.concat([unread, bytes])
      received += bytes.length
      try {
        for (let next = parse(unread); unread.length > 0 && next !== undefined; next = parse(unread)) {
          unread = unread.subarray(next.length)
          take(next.command, socket)
          if (unread.length === 0) break
        }
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error))
        socket.destroy()
      }
    }
    /** Up to where it is made to fail, and only then the rest. */
    const readUpToTrip = (bytes: Buffer): void => {
      const upTo = trip === undefined ? bytes.length : Math.max(0, trip.afterBytes - received)
      read(bytes.subarray(0, upTo))
      if (trip !== undefined && received >= trip.afterBytes) {
        const { becomes } = trip
        trip = undefined
        setState(becomes)
      }
      if (!state.gone && upTo < bytes.length) read(bytes.subarray(upTo))
    }
    socket.on('data', (bytes: Buffer) => {
      const { bytesPerTick } = state
      if (bytesPerTick === undefined) {
        readUpToTrip(bytes)
        return
      }
      socket.pause()
      let from = 0
      const timer = setInterval(() => {
        if (from >= bytes.length || socket.destroyed) {
          clearInterval(timer)
          socket.resume()
        } else readUpToTrip(bytes.subarray(from, from + bytesPerTick))
        from += bytesPerTick
      }, 5)
    })
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP port has a number')

  return {
    port: address.port,
    /** For the printer's driver: as long as this printer answers, it is waited for, however busy the machine is. */
    clock,
    /** Pieces of paper, oldest first. */
    jobs: platen.pages as readonly PrintedPage[],
    /** Commands that it did not understand. */
    problems: problems as readonly string[],
    /** How many commands wait for paper or the cover. */
    get waiting() {
      return waiting.length
    },
    setState,
    /** Becomes so when that many more bytes have come, whatever they are. */
    tripAfter(bytes: number, becomes: Partial<TestPrinterState>): void {
      trip = { afterBytes: received + bytes, becomes }
    },
    /** Tears off what was printed without a cut. */
    tear: platen.tear,
    close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

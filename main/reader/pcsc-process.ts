/**
 * The PC/SC helper process: owns pcsclite, which can block, hang and crash, so that the terminal cannot.
 *
 * It keeps no state worth saving. When PC/SC breaks under it, it ends, and pcsc-reader.ts starts a new one: a fresh
 * process is the only clean-up of native contexts and threads that always works. While no PC/SC service runs, it waits.
 * Every callback of pcsclite is delivered through `setImmediate`: it holds a lock of its own while it calls us.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type createContext from 'pcsclite'
import { CardFault, type CardFaultCode } from './card-reader.ts'
import { type FromHelper, parseToHelper, type ToHelper } from './pcsc-messages.ts'

type Context = ReturnType<typeof createContext>
type NativeReader = Parameters<Parameters<Context['on']>[1]>[0]

interface Slot {
  readonly native: NativeReader
  card?: { readonly insertion: number; readonly eventCount: number; readonly atr: Uint8Array } | undefined
  /** Set by the reader's first status. */
  seen: boolean
  present: boolean
  mute: boolean
  /** How many insertions and removals PC/SC has counted: it tells a card from its quick successor. */
  eventCount: number
  /** The eventCount at which a card told by its silence that it left, while PC/SC still shows it. */
  leftAt?: number | undefined
  /** The insertion that is connected, and by which protocol (T=0 or T=1). */
  session?: { readonly insertion: number; readonly protocol: number } | undefined
  /** The last of this reader's actions; the next one waits for it. */
  tail: Promise<unknown>
}

const beatMs = 500
const scanMsMax = 300
/** pcscd looks for a card every 400 ms: what it still shows after this time does lie there. */
const noticeMsMax = 500
const retryMsMin = 200
const retryMsMax = 2000
/** The longest answer to a short APDU (ISO 7816-4): 256 bytes and two status bytes. */
const responseBytesMax = 258

const faultByPcscCode: Readonly<Record<string, CardFaultCode>> = {
  '0x80100009': 'removed', // unknown reader
  '0x8010000b': 'busy', // sharing violation
  '0x8010000c': 'removed', // no smart card
  '0x8010000f': 'mute', // no protocol in common
  '0x80100016': 'removed', // not transacted
  '0x80100017': 'removed', // reader unavailable
  '0x80100066': 'mute', // unresponsive card
  '0x80100067': 'mute', // unpowered card
  '0x80100069': 'removed', // removed card
}
/** The first byte of every answer to reset (ISO 7816-3): direct or inverse convention. */
const answerToResetStarts = [0x3b, 0x3f]
const readerGone = ['0x80100009', '0x80100017']

const slots = new Map<string, Slot>()
let insertionCount = 0
/** True until every reader of the start was looked at, so that the first state that is told is the whole one. */
let scanning = true

const send = (message: FromHelper, sent?: () => void) => {
  process.send?.(message, undefined, undefined, () => sent?.())
}

/** Ends at once: an ordinary exit would wait for the threads that hang in PC/SC. */
const end = () => process.kill(process.pid, 'SIGKILL')

const sendState = () => {
  if (scanning) return
  send({ kind: 'state', slots: [...slots].map(([name, { card, mute }]) => ({ name, card, mute })) })
}

const endScan = () => {
  if (!scanning) return
  scanning = false
  sendState()
}

const sendDown = (detail: string, sent?: () => void) => send({ kind: 'state', detail, slots: [] }, sent)

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** PC/SC's error code, which pcsclite gives in the text only. */
const pcscCodeOf = (error: unknown) => /0x[0-9a-f]{8}/i.exec(textOf(error))?.[0].toLowerCase()

const faultOf = (error: unknown): CardFault =>
  error instanceof CardFault
    ? error
    : new CardFault(faultByPcscCode[pcscCodeOf(error) ?? ''] ?? 'reader', textOf(error))

/** Turns one native call with a callback into a promise. */
const call = <Result>(start: (done: (error: unknown, result: Result) => void) => void) =>
  new Promise<Result>((resolve, reject) => {
    start((error, result) =>
      setImmediate(() => {
        if (error) reject(error)
        else resolve(result)
      }),
    )
  })

/** Disconnects and leaves the card powered. pcsclite never notices that a card went, so this follows every removal. */
const release = async (slot: Slot) => {
  slot.session = undefined
  if (!slot.native.connected) return
  try {
    await call<void>((done) => slot.native.disconnect(slot.native.SCARD_LEAVE_CARD, done))
  } catch {
    slot.native.connected = false
  }
}

const inTurn = <Result>(slot: Slot, action: () => Promise<Result>): Promise<Result> => {
  const result = slot.tail.then(action)
  slot.tail = result.catch(() => undefined)
  return result
}

const onStatus = (slot: Slot, status: { state: number; atr?: Uint8Array }) => {
  const { native } = slot
  const has = (flag: number) => (status.state & flag) !== 0
  const present = has(native.SCARD_STATE_PRESENT)
  const answers = !has(native.SCARD_STATE_MUTE) && answerToResetStarts.includes(status.atr?.[0] ?? 0)
  const mute = present && !answers
  const eventCount = status.state >>> 16
  const exchanged = slot.present && present && eventCount !== slot.eventCount
  const before = { card: slot.card, mute: slot.mute }

  if (slot.card !== undefined && (!present || mute || exchanged)) {
    slot.card = undefined
    void inTurn(slot, () => release(slot))
  }
  if (!present || eventCount !== slot.leftAt) slot.leftAt = undefined
  if (present && !mute && slot.card === undefined && slot.leftAt === undefined) {
    insertionCount += 1
    slot.card = { insertion: insertionCount, eventCount, atr: Uint8Array.from(status.atr ?? []) }
  }
  Object.assign(slot, { seen: true, present, mute, eventCount })
  if (slot.card !== before.card || slot.mute !== before.mute) sendState()
  if ([...slots.values()].every(({ seen }) => seen)) endScan()
}

/**
 * The card told by its silence that it left, and PC/SC has not noticed. If it never does, a card lies there all the same (it
 * lost contact for a moment, or another took its place), and it counts as put in anew.
 */
const onSilentDeparture = (slot: Slot, atr: Uint8Array) => {
  const { eventCount } = slot
  Object.assign(slot, { card: undefined, leftAt: eventCount })
  void inTurn(slot, () => release(slot))
  sendState()
  setTimeout(() => {
    const unnoticed = slot.leftAt === eventCount && slot.present && !slot.mute
    if (!unnoticed || slots.get(slot.native.name) !== slot) return
    insertionCount += 1
    Object.assign(slot, { card: { insertion: insertionCount, eventCount, atr }, leftAt: undefined })
    sendState()
  }, noticeMsMax)
}

const connect = async (slot: Slot, insertion: number) => {
  const { native } = slot
  await release(slot)
  const protocol = await call<number>((done) =>
    native.connect(
      { share_mode: native.SCARD_SHARE_EXCLUSIVE, protocol: native.SCARD_PROTOCOL_T0 | native.SCARD_PROTOCOL_T1 },
      done,
    ),
  )
  slot.session = { insertion, protocol }
}

const transmit = async (slot: Slot, insertion: number, command: Uint8Array) => {
  const { native, session } = slot
  if (session?.insertion !== insertion) throw new CardFault('removed', 'the card has left the reader')
  const response = await call<Buffer>((done) =>
    native.transmit(Buffer.from(command), responseBytesMax, session.protocol, done),
  )
  // A card pulled in the middle of an APDU gives success and an empty answer on some readers.
  if (response.length < 2) throw new CardFault('removed', 'the card left the reader while it was at work')
  return Uint8Array.from(response)
}

const perform = async (slot: Slot, request: ToHelper): Promise<Uint8Array | undefined> => {
  const { action, insertion } = request
  if (action === 'disconnect') {
    if (slot.session?.insertion === insertion) await release(slot)
    return undefined
  }
  const stillThere = () => slot.card?.insertion === insertion
  try {
    if (!stillThere()) throw new CardFault('removed', 'the card has left the reader')
    if (action === 'transmit') return await transmit(slot, insertion, request.command ?? new Uint8Array())
    await connect(slot, insertion)
    return undefined
  } catch (error) {
    if (slot.card?.insertion !== insertion) throw new CardFault('removed', textOf(error))
    const fault = faultOf(error)
    if (fault.code === 'removed') onSilentDeparture(slot, slot.card.atr)
    throw fault
  }
}

const onRequest = async (request: ToHelper) => {
  const { id } = request
  try {
    const slot = slots.get(request.readerName)
    if (slot === undefined) throw new CardFault('removed', `the reader ${request.readerName} is gone`)
    const response = await inTurn(slot, () => perform(slot, request))
    send({ kind: 'done', id, response })
  } catch (error) {
    const { code, message } = faultOf(error)
    send({ kind: 'fault', id, code, message })
  }
}

/** PC/SC went away under a live context: nothing native can be trusted any more. */
const lost = (error: unknown) => sendDown(`${noService} (${textOf(error)})`, end)

const onReader = (native: NativeReader) => {
  const { name } = native
  const slot: Slot = { native, seen: false, present: false, mute: false, eventCount: 0, tail: Promise.resolve() }
  slots.set(name, slot)
  native.on('status', (status) => setImmediate(onStatus, slot, status))
  native.on('error', (error) =>
    setImmediate(() => {
      if (!readerGone.includes(pcscCodeOf(error) ?? '')) lost(error)
    }),
  )
  native.on('end', () =>
    setImmediate(() => {
      if (slots.get(name) !== slot) return
      slots.delete(name)
      sendState()
    }),
  )
  sendState()
}

const noService =
  process.platform === 'win32'
    ? 'Windows has no smart-card service running: plug in a reader, or start the service "Smart Card" (SCardSvr).'
    : 'The smart-card service does not answer: start it with "systemctl start pcscd.socket", or install pcscd.'

/** Makes the context, as soon as there is a service to make it with. */
const openContext = async (create: typeof createContext) => {
  for (let waitMs = retryMsMin; ; waitMs = Math.min(waitMs * 2, retryMsMax)) {
    try {
      const context = create()
      context.on('error', (error) => setImmediate(lost, error))
      context.on('reader', (native) => setImmediate(onReader, native))
      // Without a reader there is nothing to hear.
      setTimeout(endScan, scanMsMax)
      return context
    } catch (error) {
      sendDown(`${noService} (${textOf(error)})`)
    }
    await delay(waitMs)
  }
}

process.on('disconnect', end)
// Ctrl-C and a service manager signal the whole group: the terminal finishes its payment first, and then lets go of us.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
process.on('message', (message) => void onRequest(parseToHelper(message)))
setInterval(() => send({ kind: 'alive' }), beatMs)

try {
  const { default: create } = await import('pcsclite')
  await openContext(create)
} catch (error) {
  sendDown(`The PC/SC binding (pcsclite) does not load in this Node: run "npm run setup". (${textOf(error)})`)
}

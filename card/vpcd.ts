/**
 * The plug into vpcd (vsmartcard): a purse becomes a card in a reader of the system's own pcscd.
 *
 * vpcd listens, a card connects: to connect is to be inserted, to disconnect is to be removed. Frames are a length (u16)
 * and a payload; a payload of one byte is a control. Every answer is written as one buffer: vpcd takes a lone length for
 * the whole frame, and a card that leaves in between crashes pcscd.
 */
import { connect } from 'node:net'
import { instruction } from '../protocol/apdu.ts'
import type { Purse } from './purse.ts'

/** vpcd's ports: the first slot, "Virtual PCD 00 00", and the second, "00 01". */
export const vpcdPorts = [35963, 35964] as const

const control = { off: 0, on: 1, reset: 2, giveAtr: 4 } as const
const lengthBytes = 2

/** Direct convention, T=0 and T=1, the historical bytes "FARTHING", and their check byte (ISO 7816-3, 8.2). */
const atr = (() => {
  const body = Buffer.concat([Buffer.from([0x88, 0x80, 0x01]), Buffer.from('FARTHING', 'ascii')])
  return Buffer.concat([Buffer.from([0x3b]), body, Buffer.from([body.reduce((sum, byte) => sum ^ byte, 0)])])
})()

/** Where the next COMMIT is cut: before it takes effect, or after it did and before it is answered. */
export type Tear = 'before' | 'after'

/** Why a card left its reader. */
export type Departure = 'pulled' | 'torn' | 'readerGone'

export interface VpcdPlug {
  /**
   * The reader has noticed the card; while another one lies in it, that takes until it left.
   * Rejects when there is no vpcd, or the card left before it was noticed.
   */
  readonly ready: Promise<void>
  /** The card has left. Rejects when the purse could not save its state; the card left then, too. */
  readonly closed: Promise<Departure>
  /** Removes the card. */
  pull(): Promise<void>
  /** Cuts the next COMMIT, once: the card leaves the reader and gives no answer. */
  tearNextCommit(tear: Tear): void
}

/** The sentence says what to do. */
export class NoVirtualReader extends Error {
  override readonly name = 'NoVirtualReader'
}

export interface VpcdOptions {
  readonly port: number
  readonly host?: string
  readonly purse: Purse
  /** Pulls the card when it aborts. */
  readonly signal?: AbortSignal
  readonly tear?: Tear | undefined
}

const isCommit = (command: Uint8Array): boolean => command[0] === 0x90 && command[1] === instruction.commit

/** A payload as vpcd takes it: its length before it, in one buffer. */
export const frameOf = (payload: Uint8Array): Buffer => {
  const frame = Buffer.alloc(lengthBytes + payload.length)
  frame.writeUInt16BE(payload.length)
  frame.set(payload, lengthBytes)
  return frame
}

/** Cuts a stream of bytes into payloads; what is not whole yet waits. */
export const frameSplitter = () => {
  let waiting = Buffer.alloc(0)
  return function* split(chunk: Uint8Array): Generator<Uint8Array> {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= lengthBytes) {
      const end = lengthBytes + waiting.readUInt16BE()
      if (waiting.length < end) return
      const payload = Uint8Array.from(waiting.subarray(lengthBytes, end))
      waiting = waiting.subarray(end)
      yield payload
    }
  }
}

/** What the card says to one payload: a frame, nothing, or that it was torn out. */
const react = (purse: Purse, payload: Uint8Array, tear: Tear | undefined): Buffer | 'silence' | 'torn' => {
  if (payload.length === 0) return 'silence'
  if (payload.length === 1)
    switch (payload[0]) {
      case control.off:
      case control.on:
      case control.reset:
        purse.reset()
        return 'silence'
      case control.giveAtr:
        return frameOf(atr)
    }
  const torn = tear !== undefined && isCommit(payload)
  if (torn && tear === 'before') return 'torn'
  const response = purse.process(payload)
  return torn ? 'torn' : frameOf(response)
}

/** Inserts the purse into vpcd's reader on this port. A card that left is not inserted again: plug it in anew. */
export const plugIntoVpcd = (options: VpcdOptions): VpcdPlug => {
  const { port, host = '127.0.0.1', purse, signal } = options
  const socket = connect({ port, host, noDelay: true })
  const split = frameSplitter()
  const noticed = Promise.withResolvers<void>()
  const left = Promise.withResolvers<Departure>()
  let tear = options.tear
  let inserted = false
  let departure: Departure = 'readerGone'

  const leave = (why: Departure) => {
    if (departure === 'readerGone') departure = why
    // Whole frames that were written still go out.
    socket.destroySoon()
  }

  const onPayload = (payload: Uint8Array) => {
    noticed.resolve()
    const reaction = react(purse, payload, tear)
    if (reaction === 'silence') return
    if (reaction !== 'torn') {
      socket.write(reaction)
      return
    }
    tear = undefined
    leave('torn')
  }

  socket.on('data', (chunk) => {
    try {
      for (const payload of split(chunk)) {
        if (departure !== 'readerGone') return
        onPayload(payload)
      }
    } catch (fault) {
      left.reject(fault)
      leave('pulled')
    }
  })
  socket.on('connect', () => {
    inserted = true
  })
  // Once it is inserted, the end of the connection says all that matters: the card is out.
  socket.on('error', (cause) => {
    if (inserted) return
    const advice = 'start pcscd with vpcd (Debian: pcscd, vsmartcard-vpcd)'
    noticed.reject(new NoVirtualReader(`No virtual reader listens on port ${port}: ${advice}.`, { cause }))
  })
  socket.on('close', () => {
    purse.reset()
    signal?.removeEventListener('abort', pull)
    noticed.reject(new NoVirtualReader(`The card left the reader on port ${port} before the reader noticed it.`))
    left.resolve(departure)
  })
  const pull = async () => {
    leave('pulled')
    await left.promise.catch(() => undefined)
  }
  if (signal?.aborted) void pull()
  signal?.addEventListener('abort', pull)
  // Whoever listens to neither still has a process that lives.
  noticed.promise.catch(() => undefined)
  left.promise.catch(() => undefined)

  return {
    ready: noticed.promise,
    closed: left.promise,
    pull,
    tearNextCommit: (next) => {
      tear = next
    },
  }
}

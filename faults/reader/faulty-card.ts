/**
 * A card in vpcd's reader (scripts/pcsc/with-pcscd.sh) whose line to the reader is faulty: one exchange of one insertion is
 * cut, delayed, muted, garbled, cut short, made longer or doubled, at a chosen byte. The purse behind it is sound, and what it
 * did is the truth that a test holds terminal and ledger against.
 */
import { connect } from 'node:net'
import type { Purse } from '../../card/purse.ts'
import { frameOf, frameSplitter } from '../../card/vpcd.ts'
import { instruction } from '../../protocol/apdu.ts'

export type Instruction = 'select' | 'initiate' | 'commit' | 'readRecord' | 'getResponse'

/** What happens to one exchange. Offsets count the APDU's bytes from 0; those of `cutAnswer` the frame's, with its two bytes of length. */
export type Fault =
  /** The card leaves: `before` it saw the command, or `after` it acted. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  /** The card leaves after this many bytes of its answer's frame. */
  | { readonly kind: 'cutAnswer'; readonly frameBytes: number }
  /** The card acts at once or only at the end of this time, and then answers. */
  | { readonly kind: 'delay'; readonly ms: number; readonly acts: 'first' | 'last' }
  | { readonly kind: 'mute'; readonly acts: boolean }
  | { readonly kind: 'garble'; readonly of: 'command' | 'answer'; readonly offset: number; readonly mask: number }
  | { readonly kind: 'truncate'; readonly of: 'command' | 'answer'; readonly keptBytes: number }
  | { readonly kind: 'extend'; readonly of: 'command' | 'answer'; readonly byBytes: number }
  /** The card gets the command twice, and its first or its second answer is delivered. */
  | { readonly kind: 'twice'; readonly delivered: 'first' | 'second' }
  /** The answer comes again instead of the next one, whose place is after that, and so on until the card leaves. */
  | { readonly kind: 'late' }
  /** The answer's frame is sent twice over, as it is. */
  | { readonly kind: 'frameTwice' }
  /** The command never reaches the card, or its answer is lost, and these bytes come instead. */
  | { readonly kind: 'instead'; readonly answer: readonly number[]; readonly acts: boolean }
  /** Another card lies there from this command on, and the reader has not noticed. */
  | { readonly kind: 'swap'; readonly purse: Purse }

/** Which exchange of the insertion: its instruction, and the how manieth of that kind (from 1). */
export interface FaultAt {
  readonly instruction: Instruction
  readonly nth: number
  readonly fault: Fault
  /** Told when the exchange begins, before the card sees the command. */
  readonly onStruck?: () => void
}

export interface FaultyCard {
  /** The reader has noticed the card. Rejects when there is no reader, or the card left before. */
  readonly ready: Promise<void>
  /** The card has left, by itself or not. */
  readonly left: Promise<void>
  /** Whether the fault happened. */
  readonly struck: boolean
  /** The instructions that the card was sent, in order. */
  readonly heard: readonly Instruction[]
  pull(): Promise<void>
}

export const faultyCardAtr = Uint8Array.of(0x3b, 0x80, 0x80, 0x01, 0x01)

const giveAtr = 4

const instructionOf = (command: Uint8Array): Instruction | undefined => {
  switch (command[1]) {
    case instruction.select:
      return 'select'
    case instruction.initiate:
      return 'initiate'
    case instruction.commit:
      return 'commit'
    case instruction.readRecord:
      return 'readRecord'
    case instruction.getResponse:
      return 'getResponse'
    default:
      return undefined
  }
}

/** The bytes with a fault of the line in them; the others pass. */
const spoil = (fault: Fault, of: 'command' | 'answer', bytes: Uint8Array): Uint8Array => {
  if (!('of' in fault) || fault.of !== of) return bytes
  switch (fault.kind) {
    case 'garble': {
      const spoilt = Uint8Array.from(bytes)
      const at = fault.offset % bytes.length
      spoilt[at] = (bytes[at] ?? 0) ^ fault.mask
      return spoilt
    }
    case 'truncate':
      return bytes.slice(0, fault.keptBytes)
    case 'extend':
      return Uint8Array.from([...bytes, ...new Uint8Array(fault.byBytes).fill(0xa5)])
  }
}

/** Puts the purse into the reader on this port. A card that left is not inserted again: plug it in anew. */
export const plugFaultyCard = (options: {
  readonly purse: Purse
  readonly port: number
  readonly faults?: readonly FaultAt[]
}): FaultyCard => {
  let { purse } = options
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
  const split = frameSplitter()
  const noticed = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const heard: Instruction[] = []
  const timers = new Set<NodeJS.Timeout>()
  let struck = false
  let gone = false
  /** The answer that came too often, and takes the next one's place. */
  let heldBack: Uint8Array | undefined

  const leave = () => {
    gone = true
    socket.destroySoon()
  }
  /** One buffer a frame, so that vpcd sees halves only where they are meant. */
  const send = (payload: Uint8Array) => {
    if (gone) return
    const next = heldBack ?? payload
    if (heldBack !== undefined) heldBack = payload
    socket.write(frameOf(next))
  }
  const later = (ms: number, action: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!gone) action()
    }, ms)
    timers.add(timer)
  }

  const strike = (fault: Fault, command: Uint8Array) => {
    const act = () => purse.process(spoil(fault, 'command', command))
    switch (fault.kind) {
      case 'cut':
        if (fault.when === 'after') act()
        return leave()
      case 'cutAnswer':
        socket.write(frameOf(act()).subarray(0, fault.frameBytes))
        return leave()
      case 'delay': {
        const answer = fault.acts === 'first' ? act() : undefined
        return later(fault.ms, () => send(answer ?? act()))
      }
      case 'mute':
        if (fault.acts) act()
        return
      case 'garble':
      case 'truncate':
      case 'extend':
        return send(spoil(fault, 'answer', act()))
      case 'twice': {
        const answers = { first: act(), second: act() }
        return send(answers[fault.delivered])
      }
      case 'late': {
        const answer = act()
        send(answer)
        heldBack = answer
        return
      }
      case 'frameTwice': {
        const frame = frameOf(act())
        socket.write(Buffer.concat([frame, frame]))
        return
      }
      case 'instead':
        if (fault.acts) act()
        return send(Uint8Array.from(fault.answer))
      case 'swap':
        purse = fault.purse
        purse.reset()
        return send(act())
    }
  }

  const onPayload = (payload: Uint8Array) => {
    noticed.resolve()
    if (payload.length === 0) return
    if (payload.length === 1) {
      // The answer to reset is polled for: a fault of an exchange does not shift it.
      if (payload[0] === giveAtr) socket.write(frameOf(faultyCardAtr))
      else purse.reset()
      return
    }
    const named = instructionOf(payload)
    if (named !== undefined) heard.push(named)
    const nth = heard.filter((each) => each === named).length
    const due = options.faults?.find((at) => at.instruction === named && at.nth === nth)
    if (due === undefined) return send(purse.process(payload))
    struck = true
    due.onStruck?.()
    strike(due.fault, payload)
  }

  socket.on('data', (chunk) => {
    for (const payload of split(chunk)) if (!gone) onPayload(payload)
  })
  // Its end says all that matters: no reader, or the reader is gone.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    gone = true
    for (const timer of timers) clearTimeout(timer)
    purse.reset()
    noticed.reject(new Error(`no reader on port ${options.port} noticed the card`))
    left.resolve()
  })
  noticed.promise.catch(() => undefined)

  return {
    ready: noticed.promise,
    left: left.promise,
    get struck() {
      return struck
    },
    heard,
    pull: async () => {
      leave()
      await left.promise
    },
  }
}

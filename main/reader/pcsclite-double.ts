/**
 * The helper process (pcsc-process.ts) over a pcsclite that does what virtual readers cannot: USB readers that come and
 * go, and PC/SC's own mark of a mute card. For tests, as `processPath`. The instruction byte of an APDU says what happens.
 */
import { EventEmitter } from 'node:events'
import { registerHooks } from 'node:module'

/** Instruction bytes: another reader with a mute card is plugged in; this reader is unplugged. */
export const instructions = { plugMute: 1, unplug: 2 } as const

const flags = { present: 0x20, empty: 0x10, mute: 0x200 }
const readerUnavailable = new Error('SCardTransmit error: reader unavailable (0x80100017)')

class DoubleReader extends EventEmitter {
  readonly SCARD_STATE_PRESENT = flags.present
  readonly SCARD_STATE_EMPTY = flags.empty
  readonly SCARD_STATE_MUTE = flags.mute
  connected = false
  readonly name: string
  readonly #context: EventEmitter

  constructor(context: EventEmitter, name: string) {
    super()
    this.#context = context
    this.name = name
  }

  connect(_options: unknown, done: (error: unknown, protocol: number) => void) {
    this.connected = true
    done(null, 2)
  }

  disconnect(_disposition: unknown, done: (error: unknown) => void) {
    this.connected = false
    done(null)
  }

  transmit(command: Uint8Array, _length: number, _protocol: number, done: (error: unknown, response?: Buffer) => void) {
    if (command[1] === instructions.plugMute) plug(this.#context, 'USB 01', { state: flags.present | flags.mute })
    if (command[1] !== instructions.unplug) {
      done(null, Buffer.of(0x90, 0x00))
      return
    }
    this.emit('error', readerUnavailable)
    this.emit('end')
    done(readerUnavailable)
  }
}

const plug = (context: EventEmitter, name: string, status: { state: number; atr?: Buffer }) => {
  const reader = new DoubleReader(context, name)
  context.emit('reader', reader)
  setImmediate(() => reader.emit('status', status))
}

/** What pcsclite exports: makes a context, which then tells of its readers. */
export default () => {
  const context = new EventEmitter()
  setImmediate(() => plug(context, 'USB 00', { state: flags.present, atr: Buffer.of(0x3b, 0x80, 0x80, 0x01, 0x01) }))
  return context
}

if (import.meta.main) {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'pcsclite'
        ? { url: `${import.meta.url}?as=pcsclite`, shortCircuit: true }
        : next(specifier, context),
  })
  await import('./pcsc-process.ts')
}

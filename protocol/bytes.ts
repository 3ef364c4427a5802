/** Big-endian reading and writing with bounds, hex, and comparison in constant time. */
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import { ProtocolError } from './errors.ts'

export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes)
export const concat = (...parts: readonly Uint8Array[]): Uint8Array => concatBytes(...parts)
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
export const zeros = (length: number): Uint8Array => new Uint8Array(length)
export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** @throws ProtocolError `range` unless `text` is lower-case hex of exactly `length` bytes */
export const fromHex = (text: string, length: number, field = 'hex'): Uint8Array => {
  if (typeof text !== 'string' || text.length !== length * 2 || !/^[0-9a-f]*$/.test(text))
    throw new ProtocolError('range', field, `${length} bytes of lower-case hex`)
  return hexToBytes(text)
}

/** Compares without an early exit. Different lengths are unequal. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i += 1) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}

/** @throws ProtocolError `length` unless `bytes` has exactly `length` bytes */
export const requireLength = (bytes: Uint8Array, length: number, field: string): Uint8Array => {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length)
    throw new ProtocolError('length', field, `${length} bytes, not ${bytes?.length}`)
  return bytes
}

export const u8Max = 0xff
export const u16Max = 0xffff
export const u32Max = 0xffffffff

/** @throws ProtocolError `range` unless `value` is an integer from `min` to `max` */
export const requireInteger = (value: number, bounds: { min?: number; max: number; field: string }): number => {
  if (!Number.isInteger(value) || value < (bounds.min ?? 0) || value > bounds.max)
    throw new ProtocolError('range', bounds.field, `${bounds.min ?? 0} to ${bounds.max}, not ${value}`)
  return value
}

/** Reads fields in order. Every read is bounded; `end` insists that nothing is left. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Uint8Array, length: number, field: string) {
    this.#bytes = requireLength(bytes, length, field)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #advance(size: number): number {
    const at = this.#offset
    if (at + size > this.#bytes.length) throw new ProtocolError('length', 'read past the end')
    this.#offset += size
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2))
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4))
  }
  /** A copy, so that a result does not keep a whole batch alive or change under its owner. */
  bytes(length: number): Uint8Array {
    const at = this.#advance(length)
    return this.#bytes.slice(at, at + length)
  }
  /** @throws ProtocolError `reserved` unless the next `length` bytes are zero */
  reserved(length: number, field: string): void {
    if (!isZero(this.bytes(length))) throw new ProtocolError('reserved', field)
  }
  /** @throws ProtocolError `magic` unless the next bytes are those of `text` */
  magic(text: string): void {
    if (!equalBytes(this.bytes(text.length), ascii(text))) throw new ProtocolError('magic', text)
  }
  /** @throws ProtocolError `version` unless the next byte is protocol version 1 */
  version(field: string): void {
    const version = this.u8()
    if (version !== protocolVersion) throw new ProtocolError('version', field, String(version))
  }
  end(field: string): void {
    if (this.#offset !== this.#bytes.length) throw new ProtocolError('length', field, 'bytes left over')
  }
}

/** Writes fields in order into a buffer of exactly `length` bytes. */
export class ByteWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(length: number) {
    this.#bytes = new Uint8Array(length)
    this.#view = new DataView(this.#bytes.buffer)
  }

  #advance(size: number): number {
    const at = this.#offset
    this.#offset += size
    return at
  }

  u8(value: number, field = 'u8'): this {
    this.#view.setUint8(this.#advance(1), requireInteger(value, { max: u8Max, field }))
    return this
  }
  u16(value: number, field = 'u16'): this {
    this.#view.setUint16(this.#advance(2), requireInteger(value, { max: u16Max, field }))
    return this
  }
  u32(value: number, field = 'u32'): this {
    this.#view.setUint32(this.#advance(4), requireInteger(value, { max: u32Max, field }))
    return this
  }
  bytes(value: Uint8Array, length: number, field: string): this {
    this.#bytes.set(requireLength(value, length, field), this.#advance(length))
    return this
  }
  zeros(length: number): this {
    this.#advance(length)
    return this
  }
  /** @throws ProtocolError `length` unless every byte was written: a bug of the caller */
  done(): Uint8Array {
    if (this.#offset !== this.#bytes.length) throw new ProtocolError('length', 'written bytes')
    return this.#bytes
  }
}

export const protocolVersion = 1

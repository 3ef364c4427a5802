/** The quantities that must not be swapped, each made only by its checking parser (PROTOCOL.md, Conventions). */
import { fromHex, requireInteger, requireLength, toHex, u16Max, u32Max } from './bytes.ts'

declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** Minor units of one currency, 0 to 2^32 - 1. */
export type AmountMinor = Branded<number, 'AmountMinor'>
/** A card's transaction number, 0 (none yet) to 2^32 - 1. */
export type Counter = Branded<number, 'Counter'>
/** UNIX seconds, u32. */
export type UnixTime = Branded<number, 'UnixTime'>
/** ISO 4217 numeric code, u16. */
export type CurrencyCode = Branded<number, 'CurrencyCode'>
/** 8 bytes as 16 lower-case hex digits. */
export type CardId = Branded<string, 'CardId'>
/** 8 bytes as 16 lower-case hex digits. */
export type TerminalId = Branded<string, 'TerminalId'>
/** A truncated MAC: 16 bytes. */
export type Mac = Branded<Uint8Array, 'Mac'>
/** The first 16 bytes of a SHA-256. */
export type ShortHash = Branded<Uint8Array, 'ShortHash'>

export const idLength = 8
export const macLength = 16

/** @throws ProtocolError `range` */
export const amountMinor = (value: number): AmountMinor =>
  requireInteger(value, { max: u32Max, field: 'amount' }) as AmountMinor
/** @throws ProtocolError `range` */
export const counter = (value: number): Counter => requireInteger(value, { max: u32Max, field: 'counter' }) as Counter
/** @throws ProtocolError `range` */
export const unixTime = (value: number): UnixTime => requireInteger(value, { max: u32Max, field: 'time' }) as UnixTime
/** @throws ProtocolError `range` */
export const currencyCode = (value: number): CurrencyCode =>
  requireInteger(value, { max: u16Max, field: 'currency' }) as CurrencyCode
/** @throws ProtocolError `range` unless 16 lower-case hex digits */
export const cardId = (hex: string): CardId => toHex(fromHex(hex, idLength, 'cardId')) as CardId
/** @throws ProtocolError `range` unless 16 lower-case hex digits */
export const terminalId = (hex: string): TerminalId => toHex(fromHex(hex, idLength, 'terminalId')) as TerminalId
/** @throws ProtocolError `length` unless 16 bytes */
export const mac = (bytes: Uint8Array): Mac => requireLength(bytes, macLength, 'MAC') as Mac
/** @throws ProtocolError `length` unless 16 bytes */
export const shortHash = (bytes: Uint8Array): ShortHash => requireLength(bytes, 16, 'hash') as ShortHash

export const zeroMac = (): Mac => mac(new Uint8Array(macLength))
export const zeroHash = (): ShortHash => shortHash(new Uint8Array(16))

export const idBytes = (id: CardId | TerminalId): Uint8Array => fromHex(id, idLength, 'id')

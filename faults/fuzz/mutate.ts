/** Mutation of bytes and of text: small damage, length fields at their edges, blocks doubled, cut, spliced and swollen. */
import type { Chance } from '../../simulate/chance.ts'

export interface Mutable {
  readonly lengthMax: number
  /** Other inputs to splice with. */
  readonly corpus: readonly Uint8Array[]
  readonly words: readonly Uint8Array[]
}

type Mutation = (input: Uint8Array, chance: Chance, about: Mutable) => Uint8Array

const byteEdges = [0, 1, 0x0a, 0x20, 0x7f, 0x80, 0xfe, 0xff]
const integerEdges = [0, 1, 2, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 10_000, 10_001, 0xffff, 0x10000]
/** One swelling in so many inputs: it is slow. */
const swellRarity = 40

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const cutAt = (input: Uint8Array, chance: Chance): number => chance.below(input.length + 1)

/** A piece of the input: short ones more often. */
const pieceOf = (input: Uint8Array, chance: Chance): { from: number; to: number } => {
  const from = cutAt(input, chance)
  const most = input.length - from
  const length = chance.hit(0.7) ? Math.min(1 + chance.below(16), most) : chance.below(most + 1)
  return { from, to: from + length }
}

const overwrite = (input: Uint8Array, at: number, bytes: Uint8Array): Uint8Array => {
  const changed = Uint8Array.from(input)
  changed.set(bytes.subarray(0, Math.max(0, changed.length - at)), at)
  return changed
}

const insert = (input: Uint8Array, at: number, bytes: Uint8Array): Uint8Array =>
  join(input.subarray(0, at), bytes, input.subarray(at))

const integerBytes = (value: number, size: 1 | 2 | 4): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return new Uint8Array(bytes.subarray(4 - size))
}

const flipBit: Mutation = (input, chance) => {
  if (input.length === 0) return input
  const at = chance.below(input.length)
  return overwrite(input, at, Uint8Array.of((input[at] ?? 0) ^ (1 << chance.below(8))))
}
const setByte: Mutation = (input, chance) =>
  input.length === 0
    ? input
    : overwrite(
        input,
        chance.below(input.length),
        chance.hit(0.5) ? Uint8Array.of(chance.pick(byteEdges)) : chance.bytes(1),
      )
/** As a length field would be: at an edge, or just beside what is there or what is true. */
const setInteger: Mutation = (input, chance) => {
  const size = chance.pick([1, 2, 4] as const)
  const near = [input.length - 1, input.length, input.length + 1, chance.below(256)]
  return overwrite(input, cutAt(input, chance), integerBytes(chance.pick(chance.hit(0.5) ? integerEdges : near), size))
}
const insertBytes: Mutation = (input, chance) =>
  insert(
    input,
    cutAt(input, chance),
    chance.hit(0.3) ? new Uint8Array(1 + chance.below(40)) : chance.bytes(1 + chance.below(12)),
  )
const remove: Mutation = (input, chance) => {
  const { from, to } = pieceOf(input, chance)
  return join(input.subarray(0, from), input.subarray(to))
}
const double: Mutation = (input, chance) => {
  const { from, to } = pieceOf(input, chance)
  return insert(input, cutAt(input, chance), input.subarray(from, to))
}
const truncate: Mutation = (input, chance) => input.slice(0, cutAt(input, chance))
const extend: Mutation = (input, chance) =>
  join(input, chance.hit(0.5) ? new Uint8Array(1 + chance.below(64)) : chance.bytes(1 + chance.below(64)))
const splice: Mutation = (input, chance, { corpus }) => {
  const other = corpus.length === 0 ? input : chance.pick(corpus)
  if (chance.hit(0.5)) {
    const at = chance.below(Math.min(input.length, other.length) + 1)
    return join(input.subarray(0, at), other.subarray(at))
  }
  const { from, to } = pieceOf(other, chance)
  return overwrite(input, cutAt(input, chance), other.subarray(from, to))
}
const word: Mutation = (input, chance, { words }) => {
  if (words.length === 0) return setInteger(input, chance, { corpus: [], words, lengthMax: 0 })
  const chosen = chance.pick(words)
  const at = cutAt(input, chance)
  return chance.hit(0.5) ? insert(input, at, chosen) : overwrite(input, at, chosen)
}
const random: Mutation = (_, chance) => chance.bytes(chance.below(200))

/** A piece repeated to the limit: what takes longer than its length allows shows here. */
const swell: Mutation = (input, chance, { lengthMax, words }) => {
  const { from, to } = pieceOf(input, chance)
  const own = input.subarray(from, Math.min(to, from + 32))
  const piece =
    own.length === 0 || (words.length > 0 && chance.hit(0.5)) ? chance.pick([...words, Uint8Array.of(32)]) : own
  const times = Math.floor((lengthMax - input.length) / Math.max(piece.length, 1))
  if (times <= 1 || piece.length === 0) return input
  const repeated = Buffer.alloc(piece.length * (chance.hit(0.5) ? times : 1 + chance.below(times)), piece)
  return insert(input, from, repeated)
}

const everyday: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  setInteger,
  setInteger,
  insertBytes,
  remove,
  double,
  truncate,
  extend,
  splice,
  splice,
  word,
  word,
]

/** @returns another input of at most `lengthMax` bytes */
export const mutateBytes = (input: Uint8Array, chance: Chance, about: Mutable): Uint8Array => {
  if (chance.hit(0.02)) return random(input, chance, about)
  let changed = input
  do changed = chance.pick(everyday)(changed, chance, about)
  while (chance.hit(0.45))
  if (chance.below(swellRarity) === 0) changed = swell(changed, chance, about)
  return changed.slice(0, about.lengthMax)
}

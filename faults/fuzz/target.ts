/** What the fuzzer throws bytes at, and what it asks of the answer. */
import assert from 'node:assert/strict'
import type { Chance } from '../../simulate/chance.ts'

/** How an input is mutated: as bytes with length fields, as lines of text, or as a JSON document. */
export type InputKind = 'bytes' | 'text' | 'json'

export interface OpenTarget {
  /** Valid documents: what mutation begins with. */
  readonly seeds: readonly Uint8Array[]
  /** Makes a mutated input right where its first check would stop it: seals, check sums, the canonical form. */
  readonly mend?: (input: Uint8Array, chance: Chance) => Uint8Array
  /** Returns for whatever its declared refusals cover; whatever it throws is a finding. The same input, the same course. */
  readonly run: (input: Uint8Array) => void | Promise<void>
  /** What must hold after many inputs. Whatever it throws is a finding. */
  readonly check?: () => void | Promise<void>
  readonly close?: () => void | Promise<void>
}

export interface Target {
  readonly name: string
  readonly kind: InputKind
  /** Inputs of one run in the tests: as many as some seconds allow. */
  readonly inputs: number
  readonly lengthMax?: number
  /** Words of the format, for the mutator to put in. */
  readonly words?: readonly string[]
  readonly open: () => OpenTarget | Promise<OpenTarget>
}

/** A declared error is one of these classes. */
type ErrorClass = abstract new (...given: never[]) => Error

/** @returns what `act` returned, or undefined where it threw a declared error; any other error passes */
export const refusing = <Result>(declared: ErrorClass, act: () => Result): Result | undefined => {
  try {
    return act()
  } catch (error) {
    if (error instanceof declared) return undefined
    throw error
  }
}

export const refusingLater = async <Result>(
  declared: ErrorClass,
  act: () => Promise<Result>,
): Promise<Result | undefined> => {
  try {
    return await act()
  } catch (error) {
    if (error instanceof declared) return undefined
    throw error
  }
}

/** No two encodings: what was read is written as the same bytes. */
export const requireSameBytes = (written: Uint8Array, read: Uint8Array): void =>
  assert(Buffer.compare(written, read) === 0, `written anew it is ${Buffer.from(written).toString('hex')}`)

export const textOf = (input: Uint8Array): string => Buffer.from(input).toString('utf8')
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'))
export const jsonBytesOf = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value))

/** @returns the value, or undefined for what is no JSON */
export const jsonOf = (input: Uint8Array): unknown => {
  try {
    return JSON.parse(textOf(input))
  } catch {
    return undefined
  }
}

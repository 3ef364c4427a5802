/** Canonical JSON (RFC 8785) to and from bytes. A document counts only in its one canonical form. */
import { bytesToUtf8 } from '@noble/ciphers/utils.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import serialize from 'canonicalize'
import * as v from 'valibot'
import { equalBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'

/** @param value plain JSON data @returns its RFC 8785 form in UTF-8 @throws ProtocolError `json` */
export const canonicalBytes = (value: unknown): Uint8Array => {
  try {
    const text = serialize(value)
    if (text !== undefined) return utf8ToBytes(text)
  } catch (cause) {
    throw new ProtocolError('json', 'canonical JSON', String(cause))
  }
  throw new ProtocolError('json', 'canonical JSON', 'not JSON data')
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null

/** Whether `kept` has all that stands in `value` and nothing else, and every object's keys stand there in RFC 8785's order. */
const isWholeAndSorted = (kept: unknown, value: unknown): boolean => {
  if (!isObject(value) || !isObject(kept)) return kept === value
  const keys = Object.keys(value)
  if (Array.isArray(value) !== Array.isArray(kept) || Object.keys(kept).length !== keys.length) return false
  return keys.every(
    (key, at) =>
      Object.hasOwn(kept, key) &&
      (at === 0 || Array.isArray(value) || (keys[at - 1] ?? '') < key) &&
      isWholeAndSorted(kept[key], value[key]),
  )
}

/**
 * The canonical form of what the schema kept of a value. JSON.stringify writes RFC 8785's form where the keys are in its
 * order already, many times faster than one who sorts them; but it escapes what is no Unicode, which RFC 8785 refuses.
 */
const canonicalOf = (value: unknown, kept: unknown): Uint8Array => {
  let text: string | undefined
  try {
    if (isWholeAndSorted(kept, value)) text = JSON.stringify(value)
  } catch {
    // Nested deeper than the stack; the slow way says so.
  }
  return text === undefined || /\\u[dD]/.test(text) ? canonicalBytes(kept) : utf8ToBytes(text)
}

/** @throws ProtocolError `json` unless the bytes are canonical JSON of the schema's shape */
export const parseCanonical = <Schema extends v.GenericSchema>(
  schema: Schema,
  bytes: Uint8Array,
  field: string,
): v.InferOutput<Schema> => {
  let value: unknown
  try {
    value = JSON.parse(bytesToUtf8(bytes))
  } catch {
    throw new ProtocolError('json', field, 'not JSON in UTF-8')
  }
  const parsed = v.safeParse(schema, value)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    throw new ProtocolError('json', field, `${v.getDotPath(issue) ?? 'document'}: ${issue.message}`)
  }
  // What the schema kept, not what stood there: it drops members called "constructor" or "__proto__" in silence.
  if (!equalBytes(canonicalOf(value, parsed.output), bytes))
    throw new ProtocolError('json', field, 'not in canonical form')
  return parsed.output
}

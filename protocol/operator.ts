/**
 * Operators of a terminal (PROTOCOL.md, Operators): who they are says the keyring, and their PINs are checked offline against a
 * salted slow hash in it (scrypt, RFC 7914). A card's own PIN cannot serve: the card looks at it in the COMMIT of a payment alone.
 */
import { scryptAsync } from '@noble/hashes/scrypt.js'
import * as v from 'valibot'
import { ascii, equalBytes, fromHex, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { id8Schema } from './item.ts'
import type { CardId } from './quantities.ts'

export const operatorRoles = ['operator', 'technician'] as const
export type OperatorRole = (typeof operatorRoles)[number]

export const operatorNameLengthMax = 60
export const operatorsMax = 200
export const operatorPinDigits = { min: 6, max: 12 } as const

const saltLength = 16
const hashLength = 32
/** 16 MB and about a tenth of a second on a kiosk. */
const cost = { logN: 14, r: 8, p: 1 } as const
/** Of what is verified: a keyring must not be able to stop a kiosk. */
const logNMax = 17

const pinForm = /^scrypt\$(\d{2})\$8\$1\$([0-9a-f]{32})\$([0-9a-f]{64})$/

export const operatorSchema = v.strictObject({
  cardId: id8Schema,
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(operatorNameLengthMax)),
  role: v.picklist(operatorRoles),
  /** "scrypt$14$8$1$salt$hash": log2 of N, r, p, and 16 and 32 bytes of hex. */
  pin: v.pipe(v.string(), v.regex(pinForm)),
})
export type Operator = Readonly<v.InferOutput<typeof operatorSchema>>

const requirePin = (pin: string): Uint8Array => {
  if (!/^[0-9]{6,12}$/.test(pin)) throw new ProtocolError('range', 'operator PIN', '6 to 12 digits')
  return ascii(pin)
}

/** @param pin 6 to 12 digits @param salt 16 fresh random bytes @returns what stands in the keyring @throws ProtocolError `range` */
export const hashOperatorPin = async (pin: string, salt: Uint8Array): Promise<string> => {
  const hash = await scryptAsync(requirePin(pin), salt, { N: 2 ** cost.logN, r: cost.r, p: cost.p, dkLen: hashLength })
  return `scrypt$${cost.logN}$${cost.r}$${cost.p}$${toHex(salt)}$${toHex(hash)}`
}

/** @returns whether these are the digits; digits of the wrong number are not */
export const isOperatorPin = async ({ pin: kept }: Pick<Operator, 'pin'>, digits: string): Promise<boolean> => {
  const [, logN, salt, hash] = pinForm.exec(kept) ?? []
  if (logN === undefined || salt === undefined || hash === undefined || Number(logN) > logNMax) return false
  if (!/^[0-9]{6,12}$/.test(digits)) return false
  const options = { N: 2 ** Number(logN), r: 8, p: 1, dkLen: hashLength }
  const made = await scryptAsync(ascii(digits), fromHex(salt, saltLength), options)
  return equalBytes(made, fromHex(hash, hashLength))
}

/** @param card as its own offer has proved it */
export const findOperator = (operators: readonly Operator[] | undefined, card: CardId): Operator | undefined =>
  operators?.find(({ cardId }) => cardId === card)

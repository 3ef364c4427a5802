/** ISO 4217: the currencies of a book, their numeric codes and decimals. Amounts on the outside are decimal text. */
import { u32Max } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { numberFormat } from './formats.ts'
import { type AmountMinor, amountMinor, type CurrencyCode, currencyCode } from './quantities.ts'

interface Currency {
  readonly letters: string
  readonly code: number
  readonly decimals: number
}

/** ISO 4217:2015 table A.1, the part that Farthing is sold in; add a line to add a currency. */
const currencies: readonly Currency[] = [
  { letters: 'EUR', code: 978, decimals: 2 },
  { letters: 'USD', code: 840, decimals: 2 },
  { letters: 'GBP', code: 826, decimals: 2 },
  { letters: 'CHF', code: 756, decimals: 2 },
  { letters: 'JPY', code: 392, decimals: 0 },
  { letters: 'TWD', code: 901, decimals: 2 },
  { letters: 'HKD', code: 344, decimals: 2 },
  { letters: 'CAD', code: 124, decimals: 2 },
  { letters: 'AUD', code: 36, decimals: 2 },
  { letters: 'MXN', code: 484, decimals: 2 },
  { letters: 'SEK', code: 752, decimals: 2 },
  { letters: 'NOK', code: 578, decimals: 2 },
  { letters: 'DKK', code: 208, decimals: 2 },
  { letters: 'PLN', code: 985, decimals: 2 },
  { letters: 'CZK', code: 203, decimals: 2 },
  { letters: 'KWD', code: 414, decimals: 3 },
  { letters: 'AED', code: 784, decimals: 2 },
  { letters: 'SAR', code: 682, decimals: 2 },
]

const find = (wanted: (currency: Currency) => boolean, said: string): Currency => {
  const found = currencies.find(wanted)
  if (found === undefined)
    throw new ProtocolError('range', 'currency', `${said} is not one of ${currencies.map((c) => c.letters).join(', ')}`)
  return found
}

/** @param letters such as "EUR" @throws ProtocolError `range` */
export const currencyOf = (letters: string): { code: CurrencyCode; decimals: number } => {
  const { code, decimals } = find((currency) => currency.letters === letters, letters)
  return { code: currencyCode(code), decimals }
}

/** @returns such as "EUR", or the three digits of a code that is not in the table */
export const lettersOf = (code: CurrencyCode): string =>
  currencies.find((currency) => currency.code === code)?.letters ?? String(code).padStart(3, '0')

/** @param text decimal, such as "2.50" @throws ProtocolError `range`: too many decimals, negative, over 2^32 - 1 */
export const parseAmount = (text: string, letters: string): AmountMinor => {
  const { decimals } = currencyOf(letters)
  const match = /^(\d{1,10})(?:\.(\d+))?$/.exec(text.trim())
  const fraction = match?.[2] ?? ''
  if (match === null || fraction.length > decimals)
    throw new ProtocolError(
      'range',
      'amount',
      `"${text}" is not an amount in ${letters} such as 2${decimals > 0 ? '.' : ''}${'50'.slice(0, decimals)}`,
    )
  const minor = Number(`${match[1]}${fraction.padEnd(decimals, '0')}`)
  if (minor > u32Max) throw new ProtocolError('range', 'amount', `"${text}" is too large`)
  return amountMinor(minor)
}

const decimalText = (minor: number, decimals: number): string => {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0')
  const at = digits.length - decimals
  return `${minor < 0 ? '-' : ''}${digits.slice(0, at)}${decimals === 0 ? '' : `.${digits.slice(at)}`}`
}

/** @param minor a safe integer, negative too @returns such as "2.50" or "-0.01" */
export const formatAmount = (minor: number, letters: string): string => decimalText(minor, currencyOf(letters).decimals)

const isDecimal = (text: string): text is `${number}` => /^-?\d+(\.\d+)?$/.test(text)

/**
 * An amount in minor units as Intl writes it for people; no floating-point number on the way. `signed`: with a plus where it is one.
 * @param as.currency ISO 4217 letters
 * @throws RangeError when the amount is not a safe integer
 */
export const moneyOf = (
  minor: number,
  as: {
    readonly locale: string
    readonly currency: string
    readonly decimals: number
    readonly signed?: boolean
  },
): string => {
  const { locale, currency, decimals, signed = false } = as
  const decimal = decimalText(minor, decimals)
  if (!Number.isSafeInteger(minor) || !isDecimal(decimal)) throw new RangeError('an amount is a safe integer')
  return numberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    signDisplay: signed ? 'exceptZero' : 'auto',
  }).format(decimal)
}

/**
 * The tax that a price contains: price x rate / (1 + rate), in whole minor units, a half of one rounded up.
 * @param priceMinor up to 2^32 - 1 @param taxBasisPoints up to 10,000: every product is a safe integer
 */
export const taxWithin = (priceMinor: number, taxBasisPoints: number): number => {
  const whole = 10_000 + taxBasisPoints
  return Math.floor((2 * priceMinor * taxBasisPoints + whole) / (2 * whole))
}

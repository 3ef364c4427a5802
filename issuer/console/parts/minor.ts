/** Amounts as people type them, in minor units. */
import { currencyOf } from '../../../protocol/currency.ts'

/**
 * @param of the currency's letters, or how many decimals there may be
 * @throws Error with the sentence to show
 */
export const minorOf = (text: string, of: string | number): number => {
  const decimals = typeof of === 'number' ? of : currencyOf(of).decimals
  const match = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.trim())
  const fraction = match?.[2] ?? ''
  if (match === null || fraction.length > decimals)
    throw new Error(`"${text}" is not a number with at most ${decimals} decimals, such as ${(1).toFixed(decimals)}.`)
  return Number(`${match[1]}${fraction.padEnd(decimals, '0')}`)
}

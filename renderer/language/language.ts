/** The languages the page speaks, and how it writes money, days and titles in them. */
import { de } from './de.ts'
import { type Dictionary, en } from './en.ts'

export type { Dictionary } from './en.ts'

export const dictionaries: Readonly<Record<string, Dictionary>> = { en, de }
const spoken = new Map(Object.entries(dictionaries))

/** The dictionary of a BCP 47 tag; of its primary language if the tag has none, else English. */
export function dictionaryOf(language: string): Dictionary {
  return spoken.get(language) ?? spoken.get(primaryOf(language)) ?? en
}

function primaryOf(language: string): string {
  return language.split('-')[0] ?? language
}

/** The text in this language, or its primary one, or the first of `preferred` that there is, or any. */
export function textOf(
  texts: Readonly<Record<string, string>>,
  language: string,
  preferred: readonly string[] = ['en'],
): string {
  for (const tag of [language, primaryOf(language), ...preferred]) {
    const text = texts[tag]
    if (text !== undefined && text !== '') return text
  }
  return Object.values(texts)[0] ?? ''
}

function isDecimal(text: string): text is `${number}` {
  return /^-?\d+(\.\d+)?$/.test(text)
}

/**
 * An amount in minor units as Intl writes it; no floating-point number on the way.
 * @throws RangeError when the amount is not a safe integer.
 */
export function moneyOf(
  amountMinor: number,
  { locale, currency, decimals }: { locale: string; currency: string; decimals: number },
): string {
  const digits = String(Math.abs(amountMinor)).padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals)
  const decimal = `${amountMinor < 0 ? '-' : ''}${whole}${decimals === 0 ? '' : `.${fraction}`}`
  if (!Number.isSafeInteger(amountMinor) || !isDecimal(decimal)) throw new RangeError('an amount is a safe integer')
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(decimal)
}

/** A day as people write it: 3 May 2027. Empty when the time is not one. */
export function dayOf(time: string, locale: string): string {
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? '' : new Intl.DateTimeFormat(locale, { dateStyle: 'long' }).format(at)
}

/** A moment of a movement: 3 May, 14:05. Empty when the time is not one. */
export function momentOf(time: string, locale: string): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(
    at,
  )
}

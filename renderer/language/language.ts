/** The languages the page speaks, and how it writes money, days and titles in them. */
import { ar } from './ar.ts'
import { scriptOf } from './bidi.ts'
import { de } from './de.ts'
import { type Dictionary, en } from './en.ts'
import { es } from './es.ts'
import { zhHant } from './zh-hant.ts'

export type { Dictionary } from './en.ts'

export const dictionaries: Readonly<Record<string, Dictionary>> = { en, de, es, ar, 'zh-Hant': zhHant }

/** The dictionary of a BCP 47 tag, or the nearest one of its language; else English. */
export function dictionaryOf(language: string): Dictionary {
  const nearest = nearestOf(Object.keys(dictionaries), language)
  return (nearest === undefined ? undefined : dictionaries[nearest]) ?? en
}

/**
 * Of `known` the tag that a reader of `language` reads best: the same one; the one that says less (zh-Hant for
 * zh-Hant-TW); one of the same language and script (zh-TW for zh-Hant); one of the same language. Else undefined.
 */
function nearestOf(known: readonly string[], language: string): string | undefined {
  if (known.includes(language)) return language
  const read = scriptOf(language)
  if (read === undefined) return undefined
  const sameLanguage = known.filter((tag) => scriptOf(tag)?.language === read.language)
  const sameScript = sameLanguage.filter((tag) => scriptOf(tag)?.script === read.script)
  return longest(sameScript.filter((tag) => language.startsWith(`${tag}-`))) ?? sameScript[0] ?? sameLanguage[0]
}

function longest(tags: readonly string[]): string | undefined {
  return tags.toSorted((a, b) => b.length - a.length)[0]
}

/** A text and the language that it is really in. */
export interface Spoken {
  readonly text: string
  readonly language: string
}

/** The text nearest to this language (nearestOf), or to the first of `preferred` that there is, or any. */
export function textOf(
  texts: Readonly<Record<string, string>>,
  language: string,
  preferred: readonly string[] = ['en'],
): Spoken {
  const known = Object.keys(texts).filter((tag) => texts[tag] !== '')
  for (const wish of [language, ...preferred, ...known]) {
    const nearest = nearestOf(known, wish)
    if (nearest !== undefined) return { text: texts[nearest] ?? '', language: nearest }
  }
  return { text: '', language }
}

/** To make one costs as much as to write a hundred amounts with it: a shelf is full of them. */
function kept<Options, Formatter>(make: new (locale: string, options: Options) => Formatter) {
  const formatters = new Map<string, Formatter>()
  return (locale: string, options: Options): Formatter => {
    const name = `${locale} ${JSON.stringify(options)}`
    const known = formatters.get(name) ?? new make(locale, options)
    formatters.set(name, known)
    return known
  }
}
const numberFormat = kept(Intl.NumberFormat)
const dateFormat = kept(Intl.DateTimeFormat)

function isDecimal(text: string): text is `${number}` {
  return /^-?\d+(\.\d+)?$/.test(text)
}

/**
 * An amount in minor units as Intl writes it; no floating-point number on the way. `signed`: with a plus where it is one.
 * @throws RangeError when the amount is not a safe integer.
 */
export function moneyOf(
  amountMinor: number,
  {
    locale,
    currency,
    decimals,
    signed = false,
  }: { locale: string; currency: string; decimals: number; signed?: boolean },
): string {
  const digits = String(Math.abs(amountMinor)).padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals)
  const decimal = `${amountMinor < 0 ? '-' : ''}${whole}${decimals === 0 ? '' : `.${fraction}`}`
  if (!Number.isSafeInteger(amountMinor) || !isDecimal(decimal)) throw new RangeError('an amount is a safe integer')
  return numberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    signDisplay: signed ? 'exceptZero' : 'auto',
  }).format(decimal)
}

/** A day as people write it: 3 May 2027. Empty when the time is not one. */
export function dayOf(time: string, locale: string): string {
  const at = new Date(time)
  return Number.isNaN(at.getTime()) ? '' : dateFormat(locale, { dateStyle: 'long' }).format(at)
}

/** A moment of a movement: 3 May, 14:05. Empty when the time is not one. */
export function momentOf(time: string, locale: string): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  return dateFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(at)
}

/** A rate in hundredths of a percent: 19 %, 7.5 %. */
export function percentOf(basisPoints: number, locale: string): string {
  return numberFormat(locale, { style: 'percent', maximumFractionDigits: 2 }).format(basisPoints / 10_000)
}

export function countOf(number: number, locale: string): string {
  return numberFormat(locale, {}).format(number)
}

/** A moment that is near: the time alone where it is today. Empty when the time is not one. */
export function soonOf(time: string, { locale, nowMs }: { locale: string; nowMs: number }): string {
  const at = new Date(time)
  if (at.toDateString() !== new Date(nowMs).toDateString()) return momentOf(time, locale)
  return dateFormat(locale, { hour: '2-digit', minute: '2-digit' }).format(at)
}

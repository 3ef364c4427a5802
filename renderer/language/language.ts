/** The languages the page speaks, and how it writes days, rates and counts in them. */
import { dateFormat, numberFormat } from '../../protocol/formats.ts'
import { nearestOf } from '../../protocol/language.ts'
import { ar } from './ar.ts'
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

/** A moment of a log, to the second: 3 May, 14:05:09. Empty when the time is not one. */
export function instantOf(time: string, locale: string): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  const parts = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
  return dateFormat(locale, parts).format(at)
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

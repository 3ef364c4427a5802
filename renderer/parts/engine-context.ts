/** The engine for the components, and what they ask of it most. */
import { createContext, useContext, useMemo } from 'react'
import { useStore } from 'zustand'
import { useShallow } from 'zustand/react/shallow'
import type { CatalogueItem, KioskStatus } from '../../preload/contract.ts'
import { moneyOf } from '../../protocol/currency.ts'
import { type Spoken, textOf } from '../../protocol/language.ts'
import {
  countOf,
  type Dictionary,
  dayOf,
  dictionaryOf,
  instantOf,
  momentOf,
  percentOf,
  soonOf,
} from '../language/language.ts'
import { type Engine, languageOf, type PageState } from '../store.ts'

export const EngineContext = createContext<Engine | undefined>(undefined)

/** @throws Error outside of an EngineContext: a bug. */
export function useEngine(): Engine {
  const engine = useContext(EngineContext)
  if (engine === undefined) throw new Error('a screen needs its engine')
  return engine
}

export function usePage<T>(select: (state: PageState) => T): T {
  return useStore(useEngine().store, select)
}

const nobody: KioskStatus = {
  merchant: '',
  currency: 'XXX',
  currencyDecimals: 2,
  online: true,
  languages: ['en'],
  readerPosition: 'below',
  diagonalMm: 546,
  catalogue: [],
  categories: [],
  branding: {},
  topUp: false,
  volume: 1,
  brightness: 1,
}

export const statusOf = ({ kiosk }: PageState): KioskStatus => kiosk?.status ?? nobody

export function useStatus(): KioskStatus {
  return usePage(statusOf)
}

export interface Words {
  readonly words: Dictionary
  readonly language: string
  readonly money: (amountMinor: number) => string
  /** What came in with a plus, what went out with a minus. */
  readonly moved: (amountMinor: number) => string
  readonly day: (time: string) => string
  readonly moment: (time: string) => string
  /** To the second. */
  readonly instant: (time: string) => string
  /** The time alone where it is today. */
  readonly soon: (time: string) => string
  readonly percent: (basisPoints: number) => string
  readonly count: (number: number) => string
  /** For labels; on the screen a title is a ContentText, which says its language. */
  readonly titleOf: (item: CatalogueItem) => string
  readonly spoken: (texts: Readonly<Record<string, string>>) => Spoken
}

/** Everything that is said, in the customer's language; the same until that, or the money, is another. */
export function useWords(): Words {
  const language = usePage(languageOf)
  // Main's every word brings a new status: only what is used here draws a whole shelf anew.
  const currency = usePage((state) => statusOf(state).currency)
  const decimals = usePage((state) => statusOf(state).currencyDecimals)
  const languages = usePage(useShallow((state) => statusOf(state).languages))
  return useMemo(() => {
    const words = dictionaryOf(language)
    const { locale } = words
    return {
      words,
      language,
      money: (amountMinor) => moneyOf(amountMinor, { locale, currency, decimals }),
      // A true minus: as wide as the plus, and spoken, which a hyphen is not by every voice.
      moved: (amountMinor) => moneyOf(amountMinor, { locale, currency, decimals, signed: true }).replace('-', '\u2212'),
      day: (time) => dayOf(time, locale),
      moment: (time) => momentOf(time, locale),
      instant: (time) => instantOf(time, locale),
      soon: (time) => soonOf(time, { locale, nowMs: Date.now() }),
      percent: (basisPoints) => percentOf(basisPoints, locale),
      count: (number) => countOf(number, locale),
      titleOf: (item) => textOf(item.title, language, languages).text,
      spoken: (texts) => textOf(texts, language, languages),
    }
  }, [language, currency, decimals, languages])
}

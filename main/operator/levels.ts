/** How the kiosk sounds, shines and speaks: what an operator set last, which the journal has, or else kiosk.json. */
import { paperLanguages } from '../receipt-words.ts'
import type { Terminal } from '../terminal.ts'

/** @param configured the languages of kiosk.json: until an operator chooses */
export const openLevels = (terminal: Terminal, configured: readonly string[]) => {
  let languages = languagesSet(terminal) ?? configured
  const percents = { volume: percentSet(terminal, 'volume'), brightness: percentSet(terminal, 'brightness') }
  return {
    percents: () => percents,
    languages: () => languages,
    setPercent(what: 'volume' | 'brightness', percent: number) {
      percents[what] = percent
    },
    setLanguages(chosen: readonly string[]) {
      languages = chosen
    },
  }
}
export type Levels = ReturnType<typeof openLevels>

/** What an operator chose last, as far as this program still speaks it. */
const languagesSet = ({ ledger }: Terminal): readonly string[] | undefined => {
  const chosen = ledger.newestAct(['languages'])?.details?.languages
  const known = typeof chosen === 'string' ? chosen.split(' ').filter(isSpoken) : []
  return known.length === 0 ? undefined : known
}

export const isSpoken = (language: string): boolean => paperLanguages.some((known) => known === language)

const percentSet = ({ ledger }: Terminal, act: 'volume' | 'brightness'): number => {
  const percent = ledger.newestAct([act])?.details?.percent
  return typeof percent === 'number' ? percent : 100
}

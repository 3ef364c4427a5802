/** For tests: a till over a real ledger and real software purses, with a reader whose cards come and go as they are told. */
import { onTestFinished } from 'vitest'
import type { KioskScreen } from '../../preload/contract.ts'
import { openReaderDouble } from '../reader/reader-double.ts'
import type { Terminal } from '../terminal.ts'
import { makeTestTerminal, type TestCard } from '../test-terminal.ts'
import { type KioskParts, makeKiosk } from './kiosk.ts'
import type { KioskSettings } from './kiosk-settings.ts'

export const settings: KioskSettings = { languages: ['en'], readerPosition: 'below', diagonalMm: 546, topUp: true }

export const openTill = (
  options: Parameters<typeof makeTestTerminal>[1] & {
    settings?: KioskSettings
    parts?: Partial<Pick<KioskParts, 'loadDesk' | 'printer' | 'restart' | 'logLines'>>
    breakLedger?: (terminal: Terminal) => Terminal
  } = {},
) => {
  const lines: string[] = []
  const log = (message: string) => void lines.push(message)
  const made = makeTestTerminal(onTestFinished, { ...options, log })
  const reader = openReaderDouble(['Double 00', 'Double 01'])
  const terminal = options.breakLedger?.(made.terminal) ?? made.terminal
  const kiosk = makeKiosk({
    terminal,
    reader,
    settings: options.settings ?? settings,
    log,
    ...options.parts,
  })
  onTestFinished(() => kiosk.close())
  /** The screen of that name, now or as soon as it comes. */
  const screen = <Name extends KioskScreen['name']>(
    name: Name,
    fits: (screen: Extract<KioskScreen, { name: Name }>) => boolean = () => true,
  ) =>
    new Promise<Extract<KioskScreen, { name: Name }>>((resolve) => {
      const isIt = (found: KioskScreen): found is Extract<KioskScreen, { name: Name }> => found.name === name
      const look = (found: KioskScreen): boolean => {
        if (!isIt(found) || !fits(found)) return false
        stop()
        resolve(found)
        return true
      }
      const stop = kiosk.subscribe((state) => look(state.screen))
      look(kiosk.state.screen)
    })
  const put = (card: TestCard, more: Parameters<typeof reader.insert>[1] = {}) => {
    card.reset()
    return reader.insert(card.answers, more)
  }
  return { ...made, terminal, reader, kiosk, screen, put, lines }
}

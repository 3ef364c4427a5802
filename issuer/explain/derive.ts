/** All cases of a book, open and closed, each with the key by which it is found again. */
import type { Book } from './book.ts'
import { type KeyedCase, keyedCases } from './case.ts'
import { seamCases } from './holes.ts'
import { moneyCases } from './money.ts'
import { noteCases } from './notes.ts'
import { soldTwiceCases } from './sold-twice.ts'
import { alarmCases, readStandings, type Silence, terminalCases } from './terminals.ts'

export const deriveCases = (book: Book, silence: Silence): readonly KeyedCase[] => {
  const standings = readStandings(book)
  return keyedCases([
    ...seamCases(book, standings),
    ...moneyCases(book),
    ...noteCases(book),
    ...terminalCases(book, standings, silence),
    ...soldTwiceCases(book),
    ...alarmCases(book),
  ])
}

/** The cases of a book, open and closed, each with the key by which it is found again. */
import type { Book } from './book.ts'
import { type DerivedCase, type KeyedCase, keyedCases } from './case.ts'
import { seamCases } from './holes.ts'
import { moneyCases } from './money.ts'
import { noteCases } from './notes.ts'
import { soldTwiceCases } from './sold-twice.ts'
import { alarmCases, type Silence, terminalCases } from './terminals.ts'

/** Some of them are of no card. */
const casesAboutRecords = (book: Book): readonly DerivedCase[] => [
  ...seamCases(book),
  ...moneyCases(book),
  ...noteCases(book),
  ...alarmCases(book),
]

const casesAboutMore = (book: Book, silence: Silence): readonly DerivedCase[] => [
  ...terminalCases(book, silence),
  ...soldTwiceCases(book),
]

/** Whether it follows from what is known of its card alone. A code that was sold twice is about several. */
const isOfCard = ({ cause, cardId }: DerivedCase): boolean => cardId !== undefined && cause !== 'soldTwice'

/** All of them. */
export const deriveCases = (book: Book, silence: Silence): readonly KeyedCase[] =>
  keyedCases([...casesAboutRecords(book), ...casesAboutMore(book, silence)])

/** @param book of some cards */
export const deriveOfCards = (book: Book): readonly KeyedCase[] => keyedCases(casesAboutRecords(book).filter(isOfCard))

/** @param book of no card */
export const deriveOfNoCard = (book: Book, silence: Silence): readonly KeyedCase[] =>
  keyedCases([...casesAboutRecords(book).filter((each) => !isOfCard(each)), ...casesAboutMore(book, silence)])

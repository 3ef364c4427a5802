/** The letters on the screen, as the keyboards of each language have them; figures stand above where there is room. */
import { scriptOf } from '../protocol/language.ts'

export type KeyRows = readonly (readonly string[])[]

const rowsOf = (...rows: readonly string[]): KeyRows => rows.map((row) => [...row])

const latin = rowsOf('qwertyuiop', 'asdfghjkl', 'zxcvbnm')
const german = rowsOf('qwertzuiopü', 'asdfghjklöä', 'yxcvbnmß')
const spanish = rowsOf('qwertyuiop', 'asdfghjklñ', 'zxcvbnm')
const arabic = rowsOf('ضصثقفغعهخحجد', 'شسيبلاتنمكطذ', 'ئءؤرىةوزظ')

export const figureKeys: readonly string[] = [...'1234567890']

/** The first is shown; the others are one key away. Chinese is found by Latin letters. */
export function keyboardsOf(language: string): readonly [KeyRows, ...KeyRows[]] {
  const known = scriptOf(language)
  if (known?.script === 'Arab') return [arabic, latin]
  if (known?.language === 'de') return [german]
  return [known?.language === 'es' ? spanish : latin]
}

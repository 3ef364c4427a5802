/**
 * Which way text runs: the Unicode bidirectional algorithm (UAX #9, rules W4 to W7, N1, N2, L2, L4) without embeddings,
 * isolates and Arabic-Indic numbers, which no receipt has.
 */

export type Direction = 'ltr' | 'rtl'

/** One direction each; the text in reading order. */
export interface Run {
  readonly text: string
  readonly direction: Direction
}

type Kind = 'left' | 'right' | 'number' | 'sign' | 'separator' | 'unit' | 'neutral'

const rightToLeft = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\u200f]/u
const marks = /[\u200e\u200f\u2066-\u2069\u061c]/gu
const mirrored: Readonly<Record<string, string>> = {
  '(': ')',
  ')': '(',
  '[': ']',
  ']': '[',
  '<': '>',
  '>': '<',
  '«': '»',
  '»': '«',
}

const kindOf = (char: string): Kind => {
  if (/\p{Nd}/u.test(char)) return 'number'
  if (rightToLeft.test(char)) return 'right'
  if (/[\p{L}\u200e]/u.test(char)) return 'left'
  if (/[+-]/.test(char)) return 'sign'
  if (/[,.:/\u00a0\u060c]/.test(char)) return 'separator'
  return /[\p{Sc}%#°]/u.test(char) ? 'unit' : 'neutral'
}

/** Of a paragraph: as its letters run; one without any runs from left to right. */
export const directionOf = (text: string): Direction => (rightToLeft.test(text) ? 'rtl' : 'ltr')

/** What belongs to a number: a separator within it (W4), units beside it (W5); the rest of them is neutral (W6). */
const joinNumbers = (kinds: readonly Kind[]): Kind[] => {
  const within = kinds.map((kind, at) =>
    (kind === 'sign' || kind === 'separator') && kinds[at - 1] === 'number' && kinds[at + 1] === 'number'
      ? 'number'
      : kind,
  )
  const touches = (from: number, step: 1 | -1): boolean => {
    let at = from
    while (within[at] === 'unit') at += step
    return within[at] === 'number'
  }
  return within.map((kind, at) => {
    if (kind === 'unit') return touches(at, 1) || touches(at, -1) ? 'number' : 'neutral'
    return kind === 'sign' || kind === 'separator' ? 'neutral' : kind
  })
}

/** A number after left-to-right letters is one of them (W7). */
const adoptNumbers = (kinds: readonly Kind[], base: Direction): Kind[] => {
  let last: Kind = base === 'ltr' ? 'left' : 'right'
  return kinds.map((kind) => {
    if (kind === 'left' || kind === 'right') last = kind
    return kind === 'number' && last === 'left' ? 'left' : kind
  })
}

/** What is neutral runs as both its sides do, numbers counting as right to left (N1), else as the paragraph (N2). */
const settleNeutrals = (kinds: readonly Kind[], base: Direction): Kind[] => {
  const paragraph: Kind = base === 'ltr' ? 'left' : 'right'
  const side = (from: number, step: 1 | -1): Kind => {
    let at = from
    while (kinds[at] === 'neutral') at += step
    const kind = kinds[at] ?? paragraph
    return kind === 'number' ? 'right' : kind
  }
  return kinds.map((kind, at) => {
    if (kind !== 'neutral') return kind
    const [before, after] = [side(at, -1), side(at, 1)]
    return before === after ? before : paragraph
  })
}

const levelOf = (kind: Kind, base: Direction): 0 | 1 | 2 =>
  kind === 'right' ? 1 : kind === 'left' && base === 'ltr' ? 0 : 2

/** @returns runs from left to right, as they are seen */
export const visualRuns = (text: string, base: Direction): Run[] => {
  const chars = [...text]
  const kinds = settleNeutrals(adoptNumbers(joinNumbers(chars.map(kindOf)), base), base)
  const runs: { text: string; level: 0 | 1 | 2 }[] = []
  chars.forEach((char, at) => {
    const level = levelOf(kinds[at] ?? 'neutral', base)
    const seen = level === 1 ? (mirrored[char] ?? char) : char
    const last = runs.at(-1)
    if (last?.level === level) last.text += seen
    else runs.push({ text: seen, level })
  })
  const seen: (typeof runs)[] = []
  for (const run of runs) {
    const group = seen.at(-1)
    // Runs above level 0 change places within their stretch (L2).
    if (group !== undefined && run.level > 0 && (group[0]?.level ?? 0) > 0) group.unshift(run)
    else seen.push([run])
  }
  return seen
    .flat()
    .map(({ text: all, level }): Run => ({ text: all.replace(marks, ''), direction: level === 1 ? 'rtl' : 'ltr' }))
    .filter((run) => run.text !== '')
}

/**
 * Text as banks take it in payment files: the Latin letters, digits and signs that all of them know
 * (European Payments Council, EPC217-08, Best Practices for SEPA Requirements for an Extended Character Set).
 */

const spelled: Readonly<Record<string, string>> = {
  ...{ ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'o', å: 'a', œ: 'oe', ð: 'd', þ: 'th', ł: 'l', đ: 'd', ħ: 'h' },
  ...{ ı: 'i', ĸ: 'k', ŋ: 'n', ŧ: 't', '&': '+', '€': 'E', _: '-', '–': '-', '—': '-', '’': "'", '‘': "'", '“': "'" },
  ...{
    '”': "'",
    '"': "'",
    '@': '(at)',
    '*': '.',
    ';': ',',
    '!': '.',
    '#': '.',
    '%': '.',
    '=': '-',
    '[': '(',
    ']': ')',
  },
  // Greek (ISO 843) and Cyrillic (ISO 9, without marks).
  ...{ α: 'a', β: 'v', γ: 'g', δ: 'd', ε: 'e', ζ: 'z', η: 'i', θ: 'th', ι: 'i', κ: 'k', λ: 'l', μ: 'm', ν: 'n' },
  ...{ ξ: 'x', ο: 'o', π: 'p', ρ: 'r', σ: 's', ς: 's', τ: 't', υ: 'y', φ: 'f', χ: 'ch', ψ: 'ps', ω: 'o' },
  ...{ а: 'a', б: 'b', в: 'v', г: 'g', д: 'd', е: 'e', ж: 'zh', з: 'z', и: 'i', й: 'j', к: 'k', л: 'l', м: 'm' },
  ...{ н: 'n', о: 'o', п: 'p', р: 'r', с: 's', т: 't', у: 'u', ф: 'f', х: 'h', ц: 'c', ч: 'ch', ш: 'sh', щ: 'shh' },
  ...{ ъ: '', ы: 'y', ь: '', э: 'e', ю: 'yu', я: 'ya', і: 'i', ї: 'yi', є: 'ye', ґ: 'g', ђ: 'dj', ј: 'j', љ: 'lj' },
  ...{ њ: 'nj', ћ: 'c', џ: 'dz' },
}

/** What stands for a letter that has no Latin spelling here. */
const unknown = '.'

const spell = (letter: string): string => {
  if (/^[A-Za-z0-9/\-?:().,'+ ]$/.test(letter)) return letter
  const lower = letter.toLowerCase()
  const direct = spelled[lower]
  const bare = letter.normalize('NFD').replaceAll(/\p{M}/gu, '')
  const latin = direct ?? (bare === letter ? undefined : [...bare].map(spell).join(''))
  if (latin === undefined) return /\s/.test(letter) ? ' ' : unknown
  // "Ä" begins a word as "Ae".
  return letter === lower || direct === undefined ? latin : latin.slice(0, 1).toUpperCase() + latin.slice(1)
}

/** @returns at most `lengthMax` characters, none of them one that a bank may refuse */
export const paymentText = (text: string, lengthMax: number): string =>
  [...text.normalize('NFC')]
    .map(spell)
    .join('')
    .replaceAll(/ +/g, ' ')
    // A slash at either end, or two of them, mean something to old systems.
    .replaceAll(/\/{2,}/g, '/')
    .replaceAll(/^[/ ]+|[/ ]+$/g, '')
    .slice(0, lengthMax)
    .replaceAll(/[/ ]+$/g, '') || unknown

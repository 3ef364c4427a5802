/** Texts by language tag (BCP 47), as items and categories bear them: which of them a reader reads best. */

/** What a tag says, or leaves to be known, of its language and script (ISO 15924); undefined when it is no tag. */
export const scriptOf = (
  language: string,
): { readonly language: string; readonly script: string | undefined } | undefined => {
  try {
    const { language: primary, script } = new Intl.Locale(language).maximize()
    return { language: primary, script }
  } catch {
    return undefined
  }
}

const longest = <Tag extends string>(tags: readonly Tag[]): Tag | undefined =>
  tags.toSorted((a, b) => b.length - a.length)[0]

/**
 * Of `known` the tag that a reader of `language` reads best: the same one; the one that says less (zh-Hant for
 * zh-Hant-TW); one of the same language and script (zh-TW for zh-Hant); one of the same language. Else undefined.
 */
export const nearestOf = <Tag extends string>(known: readonly Tag[], language: string): Tag | undefined => {
  const same = known.find((tag) => tag === language)
  if (same !== undefined) return same
  const read = scriptOf(language)
  if (read === undefined) return undefined
  const sameLanguage = known.filter((tag) => scriptOf(tag)?.language === read.language)
  const sameScript = sameLanguage.filter((tag) => scriptOf(tag)?.script === read.script)
  return longest(sameScript.filter((tag) => language.startsWith(`${tag}-`))) ?? sameScript[0] ?? sameLanguage[0]
}

/** A text and the language that it is really in. */
export interface Spoken {
  readonly text: string
  readonly language: string
}

/** The text nearest to this language (nearestOf), or to the first of `preferred` that there is, or any. */
export const textOf = (
  texts: Readonly<Record<string, string>>,
  language: string,
  preferred: readonly string[] = ['en'],
): Spoken => {
  const known = Object.keys(texts).filter((tag) => texts[tag] !== '')
  for (const wish of [language, ...preferred, ...known]) {
    const nearest = nearestOf(known, wish)
    if (nearest !== undefined) return { text: texts[nearest] ?? '', language: nearest }
  }
  return { text: '', language }
}

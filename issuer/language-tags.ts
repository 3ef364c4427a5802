/** Languages of titles and summaries, as BCP 47 writes them. */
import { IssuerError } from './errors.ts'

/** As items have them: without extensions and private parts, by which nobody chooses a text. */
const plainTag = /^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$/

/**
 * @returns the texts under the tags' canonical spelling ("de-at" is "de-AT")
 * @throws IssuerError `input`
 */
export const byLanguage = (texts: Readonly<Record<string, string>>): Record<string, string> => {
  const canonical: Record<string, string> = {}
  for (const [tag, text] of Object.entries(texts)) {
    let language: string | undefined
    try {
      language = Intl.getCanonicalLocales(tag)[0]
    } catch {
      language = undefined
    }
    if (language === undefined || !plainTag.test(language))
      throw new IssuerError('input', `"${tag}" is not a language such as "de" or "pt-BR" (BCP 47).`)
    if (canonical[language] !== undefined)
      throw new IssuerError('input', `The text for "${language}" is given twice: give each language one.`)
    canonical[language] = text
  }
  return canonical
}

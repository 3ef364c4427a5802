/** Counts in words: Intl.PluralRules chooses the form (Arabic has six), Intl.NumberFormat writes the number. */

type Form = (number: string) => string
/** The forms that a language has for one text; `other` is the one that every language has. */
export type Forms = Readonly<Partial<Record<Intl.LDMLPluralRule, Form>> & { other: Form }>

export function countedBy(locale: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(locale)
  const numbers = new Intl.NumberFormat(locale)
  return (count, forms) => (forms[rules.select(count)] ?? forms.other)(numbers.format(count))
}

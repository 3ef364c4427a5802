/** What an article says and costs: the fields that adding and changing one have in common. */
import { useState } from 'react'
import { parseAmount } from '../../../protocol/currency.ts'
import { useSession } from '../api/session.ts'
import { Button } from './Button.tsx'
import { TextField } from './Form.tsx'
import { Icon } from './Icon.tsx'
import './goods.css'

export interface Texts {
  /** Tells rows apart while they are typed. */
  readonly row: number
  readonly language: string
  readonly title: string
  readonly summary: string
}

export const textsOf = (
  title: Readonly<Record<string, string>>,
  summary: Readonly<Record<string, string>>,
): readonly Texts[] =>
  Object.keys(title).map((language, row) => ({
    row,
    language,
    title: title[language] ?? '',
    summary: summary[language] ?? '',
  }))

/** As the API takes them. */
export const byLanguage = (
  texts: readonly Texts[],
): { readonly title: Record<string, string>; readonly summary: Record<string, string> } => ({
  title: Object.fromEntries(texts.map(({ language, title }) => [language.trim(), title])),
  summary: Object.fromEntries(texts.map(({ language, summary }) => [language.trim(), summary])),
})

export function TextsField({
  texts,
  onChange,
  titlesOnly = false,
}: {
  texts: readonly Texts[]
  onChange: (texts: readonly Texts[]) => void
  titlesOnly?: boolean
}) {
  const [next, setNext] = useState(texts.length)
  const set = (row: number, change: Partial<Texts>) =>
    onChange(texts.map((each) => (each.row === row ? { ...each, ...change } : each)))
  return (
    <fieldset className="texts">
      <legend>{titlesOnly ? 'Title' : 'Title and summary'} by language</legend>
      {texts.map((each) => (
        <div key={each.row} className="texts-row">
          <TextField
            label="Language"
            placeholder="de, pt-BR"
            required
            spellCheck={false}
            value={each.language}
            onChange={(language) => set(each.row, { language })}
          />
          <TextField label="Title" required value={each.title} onChange={(title) => set(each.row, { title })} />
          {titlesOnly ? null : (
            <TextField label="Summary" value={each.summary} onChange={(summary) => set(each.row, { summary })} />
          )}
          <Button
            kind="bare"
            small
            label={`Leave out ${each.language || 'this language'}`}
            onPress={texts.length === 1 ? undefined : () => onChange(texts.filter(({ row }) => row !== each.row))}
          >
            <Icon name="close" />
          </Button>
        </div>
      ))}
      <div>
        <Button
          small
          onPress={() => {
            onChange([...texts, { row: next, language: '', title: '', summary: '' }])
            setNext(next + 1)
          }}
        >
          <Icon name="plus" /> Another language
        </Button>
      </div>
    </fieldset>
  )
}

/** @throws Error with a sentence for the person */
export const priceOf = (text: string, currency: string): number => {
  try {
    return parseAmount(text.trim(), currency)
  } catch {
    throw new Error(`"${text}" is not a price such as 2.50.`)
  }
}

/** @throws Error with a sentence for the person */
export const taxOf = (text: string): number => {
  const percent = Number(text.trim().replace(',', '.'))
  if (text.trim() === '' || !Number.isFinite(percent)) throw new Error(`"${text}" is not a tax rate such as 19.`)
  return Math.round(percent * 100)
}

export interface Priced {
  readonly price: string
  readonly tax: string
  /** As the browser's own field has it; empty: with the next publication. */
  readonly from: string
}

export function PriceFields({ priced, onChange }: { priced: Priced; onChange: (priced: Priced) => void }) {
  const { book } = useSession()
  return (
    <>
      <TextField
        label={`Price in ${book.currency}`}
        inputMode="decimal"
        placeholder="2.50"
        required
        value={priced.price}
        onChange={(price) => onChange({ ...priced, price })}
      />
      <TextField
        label="Tax in the price, %"
        inputMode="decimal"
        value={priced.tax}
        onChange={(tax) => onChange({ ...priced, tax })}
      />
      <TextField
        label="From"
        hint={`In ${book.timeZone}. Left empty: with the next publication. Terminals switch by themselves, online or not.`}
        type="datetime-local"
        value={priced.from}
        onChange={(from) => onChange({ ...priced, from })}
      />
    </>
  )
}

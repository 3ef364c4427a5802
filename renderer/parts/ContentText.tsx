/**
 * A title or summary, in the customer's language or the nearest that there is. The element says which it is, for the
 * typeface, the reading direction and a voice; it aligns with the page, whatever its own direction.
 */
import type { ReactElement } from 'react'
import { directionOf } from '../language/bidi.ts'
import { useWords } from './engine-context.ts'

interface ContentTextProps {
  readonly texts: Readonly<Record<string, string>>
  readonly as?: 'span' | 'p' | 'h1'
  readonly className?: string
}

export function ContentText({ texts, as: Tag = 'span', className }: ContentTextProps): ReactElement {
  const { spoken } = useWords()
  const { text, language } = spoken(texts)
  return (
    <Tag className={`content-text ${className ?? ''}`} lang={language} dir={directionOf(language)}>
      {text}
    </Tag>
  )
}

/** A name of the books as a badge, with its sentence on demand. */
import { Badge } from './values.tsx'
import type { Word } from './words.ts'

export function WordBadge({ word }: { word: Word }) {
  return (
    <span title={word.says === '' ? undefined : word.says}>
      <Badge tone={word.tone}>{word.title}</Badge>
    </span>
  )
}

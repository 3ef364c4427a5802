/** Where somebody helps: on the first screen, and wherever a customer is turned away. Nothing where nobody said. */
import type { ReactElement } from 'react'
import { isolated } from '../language/bidi.ts'
import { useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'

export function HelpLine(): ReactElement | null {
  const { help } = useStatus()
  const { words } = useWords()
  if (help === undefined) return null
  return (
    <p className="help-line">
      <Icon name="person" /> <span>{words.help(isolated(help))}</span>
    </p>
  )
}

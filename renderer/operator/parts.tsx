/** What the sections of operator mode are made of: rows of figures, and a word on what came of an act. */
import type { ReactElement, ReactNode } from 'react'
import type { PrintResult, Sum } from '../../preload/operator-contract.ts'
import { isolated } from '../language/bidi.ts'
import { useWords } from '../parts/engine-context.ts'

export interface Row {
  readonly label: ReactNode
  readonly value: ReactNode
  readonly total?: boolean
}

export function Rows({ title, rows }: { title?: string; rows: readonly Row[] }): ReactElement {
  return (
    <section className="operator-rows">
      {title !== undefined && <h2>{title}</h2>}
      <dl>
        {rows.map(({ label, value, total }, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name than their place
          <div key={place} data-total={total === true}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** What came of an act. */
export function Said({ good, children }: { good: boolean; children: ReactNode }): ReactElement {
  return (
    <p className="operator-said" data-good={good} role={good ? 'status' : 'alert'}>
      {children}
    </p>
  )
}

/** @param shown whether the screen has what the paper would */
export function Printed({ print, shown = false }: { print: PrintResult; shown?: boolean }): ReactElement {
  const { print: say, printer } = useWords().words.operator
  return (
    <Said good={print === 'printed' || print === 'none'}>{print === 'none' && !shown ? printer.none : say[print]}</Said>
  )
}

/** "12 · €34.50", whichever way is read. */
export function useSum(): (sum: Sum) => string {
  const { words, money } = useWords()
  return ({ count, amountMinor }) => `${words.operator.times(count)} · ${isolated(money(amountMinor))}`
}

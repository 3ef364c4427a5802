/** The receipt on the screen, and the button that prints it: as main says how far the printer is. */
import type { ReactElement } from 'react'
import type { Printing, ReceiptView } from '../../preload/contract.ts'
import { leftToRight } from '../language/bidi.ts'
import { Button } from './Button.tsx'
import { ContentText } from './ContentText.tsx'
import { useEngine, useStatus, useWords } from './engine-context.ts'
import { Icon } from './Icon.tsx'

export function Receipt({ receipt }: { receipt: ReceiptView }): ReactElement {
  const { words, money, moment, percent } = useWords()
  const { number, at, title, priceMinor, taxBasisPoints, taxMinor, cardEnding, balanceMinor } = receipt
  return (
    <section className="receipt" aria-label={words.receipt.title}>
      <p className="receipt-head">
        <strong>{words.receipt.title}</strong>
        <span dir="ltr">{number}</span>
      </p>
      <p>{moment(at)}</p>
      <dl>
        <div className="receipt-price">
          <dt>
            <ContentText texts={title} />
          </dt>
          <dd>{money(priceMinor)}</dd>
        </div>
        {taxBasisPoints > 0 && (
          <div>
            <dt>{words.receipt.tax(percent(taxBasisPoints))}</dt>
            <dd>{money(taxMinor)}</dd>
          </div>
        )}
        <div>
          <dt>{words.receipt.card}</dt>
          <dd>{leftToRight(`•••• ${cardEnding}`)}</dd>
        </div>
        <div>
          <dt>{words.approved.balance}</dt>
          <dd>{money(balanceMinor)}</dd>
        </div>
      </dl>
    </section>
  )
}

/** Nothing where there is no printer, or nothing to print. */
export function PrintButton({
  receipt,
  printing,
}: {
  receipt: ReceiptView | undefined
  printing: Printing | undefined
}): ReactElement | null {
  const engine = useEngine()
  const { words } = useWords()
  const { printer } = useStatus()
  if (receipt === undefined || (printing === undefined && printer?.ready !== true)) return null
  return (
    <Button
      action="print-receipt"
      data-printing={printing}
      className="print-receipt"
      aria-label={words.receipt[printing ?? 'print']}
      disabled={printing === 'working' || printing === 'done'}
      onClick={() => void engine.printReceipt()}
    >
      <Icon name={printing === 'done' ? 'tick' : 'print'} />
      <span role="status">{words.receipt[printing ?? 'print']}</span>
    </Button>
  )
}

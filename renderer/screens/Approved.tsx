/** Done: what was paid, what is left, and the receipt, and the way to the goods. */
import type { ReactElement } from 'react'
import type { GoodsView, KioskScreen } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { SpeechSwitch } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { PrintButton, Receipt } from '../parts/Receipt.tsx'

/** Its print failed as the card left: whether the money went back, the card's next tap tells, and only then there is a claim. */
const isOwed = ({ contentUrl, code, claimUrl }: GoodsView): boolean =>
  contentUrl === undefined && code === undefined && claimUrl === undefined

export function Approved({ screen }: { screen: Extract<KioskScreen, { name: 'approved' }> }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { amountMinor, balanceMinor, goods, recovered, printed, receipt, printing } = screen
  const owed = isOwed(goods)
  return (
    <Frame screen="approved" tone="done">
      <div className="verdict" data-receipt={receipt === undefined ? undefined : ''}>
        <svg className="verdict-sign" viewBox="0 0 120 120" aria-hidden="true">
          <circle cx="60" cy="60" r="54" />
          <path d="M34 62 53 81 88 43" />
        </svg>
        <div className="verdict-words">
          <h1 className="display" aria-live="assertive">
            {words.approved.paid(money(amountMinor))}
          </h1>
          {receipt === undefined && <ContentText as="p" className="lead" texts={goods.item.title} />}
          {recovered && <p className="verdict-note">{words.approved.recovered}</p>}
          <p className="figure">
            <span>{words.approved.balance}</span>
            <strong>{money(balanceMinor)}</strong>
          </p>
          {owed && <p className="lead">{words.goods.owedWhole}</p>}
          {printed && <p className="lead">{words.approved.takePrint}</p>}
          {!owed && !printed && <p className="verdict-hint">{words.approved.takeCard}</p>}
        </div>
        {receipt !== undefined && <Receipt receipt={receipt} />}
        <div className="verdict-do">
          {owed ? (
            <Button action="finish" weight="main" onClick={() => void engine.finish()}>
              {words.goods.finish}
            </Button>
          ) : (
            <Button action="show-goods" weight="main" onClick={() => void engine.showGoods()}>
              {words.approved.show[goods.item.kind]}
            </Button>
          )}
          <SpeechSwitch />
          <PrintButton receipt={receipt} printing={printing} />
        </div>
      </div>
    </Frame>
  )
}

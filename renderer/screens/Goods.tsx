/** What was bought: shown here, and taken along by its claim; what is not on this kiosk, by the claim alone. */
import type { ReactElement } from 'react'
import type { GoodsView, KioskScreen } from '../../preload/contract.ts'
import { CodeView } from '../goods/CodeView.tsx'
import { ContentView, Elsewhere, NotHere } from '../goods/ContentView.tsx'
import { Button } from '../parts/Button.tsx'
import { SpeechSwitch } from '../parts/ComfortBar.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { QrCode } from '../parts/QrCode.tsx'
import { PrintButton } from '../parts/Receipt.tsx'

export function Goods({ screen }: { screen: Extract<KioskScreen, { name: 'goods' }> }): ReactElement {
  const engine = useEngine()
  const { words, titleOf } = useWords()
  const { goods, receipt, printing } = screen
  return (
    <Frame screen="goods" tone="paper">
      <div className="goods">
        <section className="goods-shown" aria-label={titleOf(goods.item)}>
          <Shown goods={goods} />
        </section>
        <aside className="goods-side">
          {goods.claimUrl !== undefined && <Claim claimUrl={goods.claimUrl} goods={goods} />}
          <div className="goods-leave">
            <SpeechSwitch />
            <PrintButton receipt={receipt} printing={printing} />
            <Button action="finish" weight="main" onClick={() => void engine.finish()}>
              {words.goods.finish}
            </Button>
          </div>
        </aside>
      </div>
    </Frame>
  )
}

function Shown({ goods }: { goods: GoodsView }): ReactElement {
  const { words } = useWords()
  if (goods.code !== undefined) return <CodeView code={goods.code} item={goods.item} />
  if (goods.contentUrl !== undefined)
    return <ContentView contentUrl={goods.contentUrl} mediaType={goods.item.mediaType} item={goods.item} />
  return goods.claimUrl === undefined ? <NotHere what={words.goods.owed} todo={words.goods.owedTodo} /> : <Elsewhere />
}

function Claim({ claimUrl, goods }: { claimUrl: string; goods: GoodsView }): ReactElement {
  const { words, day } = useWords()
  const { online } = useStatus()
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad.
    <div className="claim" data-claim-url={claimUrl} data-said="" tabIndex={0}>
      <QrCode text={claimUrl} label={words.goods.scan} />
      <div className="claim-words">
        <h2>{words.goods.takeAlong}</h2>
        <p>{words.goods.scan}</p>
        <p className="claim-small">
          {goods.claimExpiresAt !== undefined && words.goods.until(day(goods.claimExpiresAt))}
        </p>
        {!online && <p className="claim-small claim-offline">{words.goods.offlineClaim}</p>}
      </div>
    </div>
  )
}

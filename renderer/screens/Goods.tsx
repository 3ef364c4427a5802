/** What was bought: shown here, and taken along by its claim. */
import type { ReactElement } from 'react'
import type { GoodsView, KioskScreen } from '../../preload/contract.ts'
import { CodeView } from '../goods/CodeView.tsx'
import { ContentView } from '../goods/ContentView.tsx'
import { Button } from '../parts/Button.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { QrCode } from '../parts/QrCode.tsx'

export function Goods({ screen }: { screen: Extract<KioskScreen, { name: 'goods' }> }): ReactElement {
  const engine = useEngine()
  const { words, titleOf } = useWords()
  const { goods } = screen
  return (
    <Frame screen="goods" tone="paper">
      <div className="goods">
        <section className="goods-shown" aria-label={titleOf(goods.item)}>
          {goods.code !== undefined ? (
            <CodeView code={goods.code} item={goods.item} />
          ) : (
            goods.contentUrl !== undefined && <ContentView contentUrl={goods.contentUrl} item={goods.item} />
          )}
        </section>
        <aside className="goods-side">
          {goods.claimUrl !== undefined && <Claim claimUrl={goods.claimUrl} goods={goods} />}
          <Button action="finish" weight="main" onClick={() => void engine.finish()}>
            {words.goods.finish}
          </Button>
        </aside>
      </div>
    </Frame>
  )
}

function Claim({ claimUrl, goods }: { claimUrl: string; goods: GoodsView }): ReactElement {
  const { words, day } = useWords()
  const { online } = useStatus()
  return (
    <div className="claim" data-claim-url={claimUrl}>
      <QrCode text={claimUrl} label={words.goods.scan} />
      <div className="claim-words">
        <h2>{words.goods.takeAlong}</h2>
        <p>{words.goods.scan}</p>
        <p className="claim-small">
          {goods.claimExpiresAt !== undefined && words.goods.until(day(goods.claimExpiresAt))}
        </p>
        {!online && <p className="claim-small">{words.goods.offlineClaim}</p>}
      </div>
    </div>
  )
}

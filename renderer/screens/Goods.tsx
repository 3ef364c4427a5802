/** What was bought: shown here, and taken along by its claim; what is not on this kiosk, by the claim alone. */
import type { ReactElement } from 'react'
import type { GoodsView, KioskScreen } from '../../preload/contract.ts'
import { CodeView } from '../goods/CodeView.tsx'
import { ContentView, Had, NotHere, shapeOf } from '../goods/ContentView.tsx'
import { Button } from '../parts/Button.tsx'
import { SpeechSwitch } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { QrCode } from '../parts/QrCode.tsx'
import { PrintButton } from '../parts/Receipt.tsx'

export function Goods({ screen }: { screen: Extract<KioskScreen, { name: 'goods' }> }): ReactElement {
  const engine = useEngine()
  const { words, titleOf } = useWords()
  const { goods, receipt, printing } = screen
  const { claimUrl } = goods
  return (
    <Frame screen="goods" tone="paper">
      <div className="goods">
        <section className="goods-shown" aria-label={titleOf(goods.item)}>
          <Had value={claimUrl === undefined ? 'here' : 'claim'}>
            {claimUrl !== undefined && onlyElsewhere(goods) ? (
              <Elsewhere claimUrl={claimUrl} goods={goods} />
            ) : (
              <Shown goods={goods} />
            )}
          </Had>
        </section>
        <aside className="goods-side">
          {claimUrl !== undefined && !onlyElsewhere(goods) && <Claim claimUrl={claimUrl} goods={goods} />}
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
  return <NotHere what={words.goods.owed} todo={words.goods.owedTodo} />
}

/** Not on this kiosk, or of a kind that it cannot show. */
function onlyElsewhere({ code, contentUrl, item }: GoodsView): boolean {
  return code === undefined && (contentUrl === undefined || shapeOf(item.mediaType) === 'unknown')
}

/** The claim is all that there is to see: it has the place of the goods. */
function Elsewhere({ claimUrl, goods }: { claimUrl: string; goods: GoodsView }): ReactElement {
  const { words, day } = useWords()
  return (
    <div className="code-view ticket-view" data-ready="true" data-claim-url={claimUrl}>
      <ContentText as="p" className="kind" texts={goods.item.title} />
      <h1>{words.goods.elsewhere}</h1>
      <QrCode text={claimUrl} label={words.goods.scan} />
      <p>{words.goods.elsewhereTodo}</p>
      {goods.claimExpiresAt !== undefined && (
        <p className="code-once claim-small">{words.goods.until(day(goods.claimExpiresAt))}</p>
      )}
    </div>
  )
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

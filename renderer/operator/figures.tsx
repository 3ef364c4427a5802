/** What the till has done: the day so far, its close, what is left to sell, and what the kiosk said of itself. */
import type { ReactElement } from 'react'
import type { DayFigures, Health } from '../../preload/operator-contract.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { useAct, useLook } from './look.ts'
import { Printed, Rows, useSum } from './parts.tsx'

export function Today(): ReactElement | null {
  const { view } = useLook('today')
  const { words } = useWords()
  const sum = useSum()
  if (view === undefined) return null
  const { figures, health } = view
  return (
    <div className="operator-columns">
      <DayRows figures={figures} />
      <HealthRows health={health} />
      {figures.byKind.length > 0 && (
        <Rows
          title={words.operator.today.byKind}
          rows={figures.byKind.map((each) => ({ label: words.kind[each.kind].name, value: sum(each) }))}
        />
      )}
      {figures.byArticle.length > 0 && (
        <Rows
          title={words.operator.today.byArticle}
          rows={figures.byArticle.map((each) => ({ label: <ContentText texts={each.title} />, value: sum(each) }))}
        />
      )}
    </div>
  )
}

function DayRows({ figures }: { figures: DayFigures }): ReactElement {
  const { words, moment } = useWords()
  const sum = useSum()
  const say = words.operator.today
  return (
    <Rows
      title={figures.since === undefined ? say.fromTheFirst : say.since(moment(figures.since))}
      rows={[
        { label: say.sales, value: sum(figures.sales), total: true },
        { label: say.reversed, value: sum(figures.reversed) },
        { label: say.refunds, value: sum(figures.refunds) },
        { label: say.cashLoads, value: sum(figures.cashLoads) },
        { label: say.otherLoads, value: sum(figures.otherLoads) },
      ]}
    />
  )
}

const megabyte = 1_000_000

export function HealthRows({ health }: { health: Health }): ReactElement {
  const { words, moment } = useWords()
  const sum = useSum()
  const say = words.operator.health
  const { oldestAt } = health.unsynced
  return (
    <Rows
      title={say.title}
      rows={[
        { label: say.issuer, value: health.online ? say.online : say.offline },
        {
          label: say.contact,
          value: health.issuerContactAt === undefined ? say.never : moment(health.issuerContactAt),
        },
        { label: say.unsynced, value: sum(health.unsynced) },
        ...(oldestAt === undefined ? [] : [{ label: say.oldest, value: moment(oldestAt) }]),
        { label: say.inDoubt, value: words.operator.times(health.inDoubt) },
        { label: say.hotlist, value: health.hotlistAsOf === undefined ? say.never : moment(health.hotlistAsOf) },
        { label: say.disk, value: words.operator.megabytes(Math.floor(health.diskFreeBytes / megabyte)) },
        { label: say.version, value: <bdi dir="ltr">{health.version}</bdi> },
        { label: say.terminal, value: <bdi dir="ltr">{health.terminalId}</bdi> },
      ]}
    />
  )
}

export function DayClose(): ReactElement | null {
  const { view } = useLook('today')
  const { words, language } = useWords()
  const { act, result, working } = useAct()
  if (result?.outcome === 'report')
    return (
      <div className="operator-columns">
        <div className="operator-report">
          <h2>{result.title}</h2>
          {result.lines.map((line) => (
            <p key={line} dir="auto">
              {line}
            </p>
          ))}
          <Rows rows={result.rows} />
        </div>
        <Printed print={result.print} shown />
      </div>
    )
  if (view === undefined) return null
  return (
    <div className="operator-columns">
      <DayRows figures={view.figures} />
      <div className="operator-do">
        <p>{words.operator.close.explain(view.figures.closeNo)}</p>
        <Button
          action="operator-day-close"
          weight="main"
          disabled={working}
          onClick={() => void act({ act: 'dayClose', language })}
        >
          <Icon name="tick" /> {words.operator.close.now}
        </Button>
      </div>
    </div>
  )
}

export function Stock(): ReactElement | null {
  const { view } = useLook('stock')
  const { words, money } = useWords()
  if (view === undefined) return null
  if (view.rows.length === 0) return <p className="lead">{words.operator.nothing}</p>
  return (
    <Rows
      rows={view.rows.map(({ title, stock, priceMinor }) => ({
        label: (
          <>
            <ContentText texts={title} /> <small>{money(priceMinor)}</small>
          </>
        ),
        value:
          stock === undefined
            ? words.operator.stock.endless
            : stock === 0
              ? words.catalogue.soldOut
              : words.catalogue.left(stock),
      }))}
    />
  )
}

export function Logs(): ReactElement | null {
  const { view, again } = useLook('logs')
  const { words, instant } = useWords()
  if (view === undefined) return null
  const lines = view.lines.toReversed()
  return (
    <>
      <div className="operator-do">
        <Button action="operator-again" onClick={() => void again()}>
          <Icon name="again" /> {words.operator.again}
        </Button>
      </div>
      {lines.length === 0 ? (
        <p className="lead">{words.operator.nothing}</p>
      ) : (
        <ol className="operator-logs">
          {lines.map(({ at, text }, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line may say the same as another
            <li key={place}>
              <time dateTime={at}>{instant(at)}</time>
              <bdi dir="ltr" lang="en">
                {text}
              </bdi>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

/** The machine: what it sends and takes, whether its parts work, how loud and bright it is, whether it is open. */
import { type ReactElement, useState } from 'react'
import {
  brightnessMin,
  type LeftFile,
  type OperatorResult,
  type OperatorTask,
} from '../../preload/operator-contract.ts'
import { dictionaries } from '../language/language.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { HealthRows } from './figures.tsx'
import { useAct, useLook } from './look.ts'
import { Printed, Rows, Said } from './parts.tsx'
import { useStep } from './steps.ts'

export function Exchange(): ReactElement | null {
  const { view, again } = useLook('exchange')
  const { words } = useWords()
  const { act, result, working } = useAct()
  if (view === undefined) return null
  const say = words.operator.exchange
  const go = async (asked: Parameters<typeof act>[0]) => {
    await act(asked)
    await again()
  }
  return (
    <div className="operator-columns">
      <div className="operator-do">
        <Button action="operator-sync" weight="main" disabled={working} onClick={() => void go({ act: 'sync' })}>
          <Icon name="again" /> {say.sync}
        </Button>
        {view.drives.length === 0 && <p>{say.noDrive}</p>}
        {view.drives.map(({ path, name }) => (
          <div key={path} className="operator-drive">
            <h2 dir="auto">{name}</h2>
            <Button action="operator-export" disabled={working} onClick={() => void go({ act: 'export', drive: path })}>
              {say.export}
            </Button>
            <Button action="operator-import" disabled={working} onClick={() => void go({ act: 'import', drive: path })}>
              {say.import}
            </Button>
          </div>
        ))}
        <Button action="operator-again" disabled={working} onClick={() => void again()}>
          {say.look}
        </Button>
        {working && <Said good>{say.working}</Said>}
        {result !== undefined && <Exchanged result={result} />}
      </div>
      <HealthRows health={view.health} />
    </div>
  )
}

function Exchanged({ result }: { result: OperatorResult }): ReactElement | null {
  const { words } = useWords()
  const say = words.operator.exchange
  switch (result.outcome) {
    case 'synced':
      return <Said good={result.exceptions === 0}>{say.synced(result.entries, result.exceptions)}</Said>
    case 'syncGoesOn':
      return <Said good>{say.goesOn}</Said>
    case 'syncFailed':
      return <Said good={false}>{say.syncFailed[result.problem]}</Said>
    case 'exported':
      return (
        <>
          <Said good>{say.exported(result.files)}</Said>
          <Left files={result.refused} />
        </>
      )
    case 'imported':
      return (
        <>
          <Said good={!result.stopped}>
            {result.stopped ? say.syncFailed.stopped : say.imported(result.answers, result.documents + result.goods)}
          </Said>
          {result.exportAgain && <Said good={false}>{say.exportAgain}</Said>}
          <Left files={result.refused} />
        </>
      )
    case 'stickFault':
      return <Said good={false}>{say.fault[result.problem]}</Said>
    default:
      return null
  }
}

function Left({ files }: { files: readonly LeftFile[] }): ReactElement | null {
  const { words } = useWords()
  const { left, leftWhy } = words.operator.exchange
  if (files.length === 0) return null
  return (
    <>
      <Said good={false}>{left}</Said>
      <Rows
        rows={files.map(({ file, problem }) => ({ label: <bdi dir="ltr">{file}</bdi>, value: leftWhy[problem] }))}
      />
    </>
  )
}

export function Tests({ task }: { task?: OperatorTask | undefined }): ReactElement {
  const { words, money, language } = useWords()
  const { catalogue, printer } = useStatus()
  const { act, result, working } = useAct()
  const [choosing, setChoosing] = useState(false)
  const say = words.operator.tests
  useStep(choosing, () => setChoosing(false))
  if (choosing)
    return (
      <div className="operator-do">
        <p>{say.saleWhat}</p>
        {catalogue.map(({ id, title, priceMinor }) => (
          <Button
            key={id}
            action="operator-test-sale"
            data-item-id={id}
            disabled={working}
            onClick={() => {
              setChoosing(false)
              void act({ act: 'testSale', itemId: id, language })
            }}
          >
            <ContentText texts={title} /> <strong>{money(priceMinor)}</strong>
          </Button>
        ))}
      </div>
    )
  return (
    <div className="operator-columns">
      <div className="operator-do">
        <Button action="operator-reader-test" disabled={working} onClick={() => void act({ act: 'readerTest' })}>
          <Icon name="card" /> {say.reader}
        </Button>
        <Button
          action="operator-printer-test"
          disabled={working || printer === undefined}
          onClick={() => void act({ act: 'printerTest', language })}
        >
          <Icon name="print" /> {say.printer}
        </Button>
        {printer === undefined && <p>{words.operator.printer.none}</p>}
        <Button action="operator-choose" disabled={working} onClick={() => setChoosing(true)}>
          {say.sale}
        </Button>
      </div>
      <div className="operator-do">
        {working && <Said good>{words.operator.exchange.working}</Said>}
        {result?.outcome === 'printed' && <Printed print={result.print} />}
        {result?.outcome === 'testSale' && (
          <>
            <Said good={result.goods === 'ready'}>{say.goods[result.goods]}</Said>
            {result.goods === 'ready' && <Printed print={result.print} />}
            <p>{say.nothingBooked}</p>
          </>
        )}
        {result === undefined && task?.kind === 'readerTest' && task.phase === 'done' && (
          <>
            <Said good={task.cardEnding !== undefined}>
              {task.atr === undefined ? say.mute : task.cardEnding === undefined ? say.otherCard : say.purse}
            </Said>
            <Rows
              rows={[
                { label: say.readerName, value: <bdi dir="ltr">{task.reader}</bdi> },
                ...(task.atr === undefined
                  ? []
                  : [{ label: say.atr, value: <bdi dir="ltr">{task.atr.replace(/..(?=.)/g, '$& ')}</bdi> }]),
                ...(task.cardEnding === undefined
                  ? []
                  : [
                      {
                        label: words.operator.receipt.card,
                        value: <bdi dir="ltr">•••• {task.cardEnding}</bdi>,
                      },
                    ]),
              ]}
            />
          </>
        )}
      </div>
    </div>
  )
}

/** Which languages customers may choose, and which they begin with. */
function LanguageRows({
  on,
  working,
  set,
}: {
  on: readonly string[]
  working: boolean
  set: (languages: readonly string[]) => void
}): ReactElement {
  const { words } = useWords()
  const say = words.operator.device
  const [first] = on
  return (
    <section className="operator-languages">
      <h2>{say.languages}</h2>
      {Object.entries(dictionaries).map(([tag, { autonym }]) => (
        <div key={tag} className="operator-language">
          <Button
            action="operator-language"
            data-language={tag}
            lang={tag}
            aria-pressed={on.includes(tag)}
            // Customers must be spoken to in one.
            disabled={working || (on.includes(tag) && on.length === 1)}
            onClick={() => set(on.includes(tag) ? on.filter((other) => other !== tag) : [...on, tag])}
          >
            {autonym}
          </Button>
          {tag === first ? (
            <span className="operator-begins">{say.begins}</span>
          ) : (
            <Button
              action="operator-language-first"
              data-language={tag}
              aria-label={`${say.beginWith}: ${autonym}`}
              disabled={working}
              onClick={() => set([tag, ...on.filter((other) => other !== tag)])}
            >
              {say.beginWith}
            </Button>
          )}
        </div>
      ))}
    </section>
  )
}

const step = 10

export function Device(): ReactElement | null {
  const engine = useEngine()
  const { view, again } = useLook('device')
  const { words } = useWords()
  const { act, working } = useAct()
  const [closing, setClosing] = useState(false)
  const [restarting, setRestarting] = useState(false)
  useStep(closing, () => setClosing(false))
  useStep(restarting, () => setRestarting(false))
  if (view === undefined) return null
  const say = words.operator.device
  const go = async (asked: Parameters<typeof act>[0]) => {
    await act(asked)
    await again()
  }
  const set = (what: 'volume' | 'brightness', percent: number) =>
    void go({ act: what, percent: Math.min(100, Math.max(what === 'volume' ? 0 : brightnessMin, percent)) })
  if (closing)
    return (
      <div className="operator-do">
        <p>{say.closeWhy}</p>
        {say.reasons.map((reason) => (
          <Button
            key={reason}
            action="operator-close-reason"
            disabled={working}
            onClick={() => {
              setClosing(false)
              void go({ act: 'outOfService', reason })
            }}
          >
            {reason}
          </Button>
        ))}
      </div>
    )
  return (
    <div className="operator-columns">
      <div className="operator-do">
        {(['volume', 'brightness'] as const).map((what) => (
          <div key={what} className="operator-level">
            <span>{say[what]}</span>
            <Button
              action={`operator-${what}-less`}
              aria-label={say.less(say[what])}
              disabled={working}
              onClick={() => set(what, view[what] - step)}
            >
              <Icon name="minus" />
            </Button>
            <strong role="status">{words.operator.percent(view[what])}</strong>
            <Button
              action={`operator-${what}-more`}
              aria-label={say.more(say[what])}
              disabled={working}
              onClick={() => set(what, view[what] + step)}
            >
              <Icon name="plus" />
            </Button>
          </div>
        ))}
        <LanguageRows
          on={view.languages}
          working={working}
          set={(languages) => void go({ act: 'languages', languages })}
        />
      </div>
      <div className="operator-do">
        {view.closed === undefined ? (
          <Button action="operator-close" disabled={working} onClick={() => setClosing(true)}>
            {say.close}
          </Button>
        ) : (
          <>
            <Said good={false}>{say.closed(view.closed)}</Said>
            <Button
              action="operator-open"
              weight="main"
              disabled={working}
              onClick={() => void go({ act: 'inService' })}
            >
              {say.open}
            </Button>
          </>
        )}
        {view.outOfService !== undefined && view.outOfService !== 'closed' && (
          <Said good={false}>{words.outOfService.reason[view.outOfService].why}</Said>
        )}
        <p>{words.operator.printer[view.printer]}</p>
        {restarting ? (
          <>
            <p>{say.restartWhat}</p>
            <Button
              action="operator-restart-now"
              weight="main"
              disabled={working}
              onClick={() => void engine.operatorAct({ act: 'restart' })}
            >
              {say.restart}
            </Button>
          </>
        ) : (
          <Button action="operator-restart" disabled={working} onClick={() => setRestarting(true)}>
            {say.restart}
          </Button>
        )}
      </div>
    </div>
  )
}

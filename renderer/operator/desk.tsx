/** What an operator does for a customer: a copy of a receipt, a refund, money onto a card for cash. */
import { type ReactElement, useEffect, useState } from 'react'
import {
  type OperatorTask,
  type PaidBeforeView,
  type ReceiptRow,
  refundReasonLengthMax,
} from '../../preload/operator-contract.ts'
import { leftToRight } from '../language/bidi.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { Keyboard } from '../parts/Keyboard.tsx'
import { useAct, useLook } from './look.ts'
import { Printed, Rows, Said } from './parts.tsx'
import { useStep } from './steps.ts'

export function Receipts(): ReactElement | null {
  const [before, setBefore] = useState<number>()
  const [open, setOpen] = useState<ReceiptRow>()
  const { view, again } = useLook('receipts', before)
  const { words, money, moment } = useWords()
  useStep(open !== undefined, () => {
    setOpen(undefined)
    void again()
  })
  if (view === undefined) return null
  if (open !== undefined) return <Receipt row={open} />
  const last = view.rows.at(-1)
  if (last === undefined) return <p className="lead">{words.operator.nothing}</p>
  return (
    <>
      <ol className="operator-list">
        {view.rows.map((row) => (
          <li key={row.receiptNo}>
            <Button action="operator-receipt" data-receipt-no={row.receiptNo} onClick={() => setOpen(row)}>
              <span className="operator-what">
                <ContentText texts={row.title} />
                <small>
                  {leftToRight(row.number)} · {moment(row.at)}
                  {row.state !== 'paid' && ` · ${words.operator.receipt.state[row.state]}`}
                </small>
              </span>
              <strong>{money(row.priceMinor)}</strong>
            </Button>
          </li>
        ))}
      </ol>
      <div className="operator-do">
        {before !== undefined && (
          <Button action="operator-newest" onClick={() => setBefore(undefined)}>
            {words.operator.receipt.newest}
          </Button>
        )}
        {view.older && (
          <Button action="operator-older" onClick={() => setBefore(last.receiptNo)}>
            {words.operator.receipt.older}
          </Button>
        )}
      </div>
    </>
  )
}

function Receipt({ row }: { row: ReceiptRow }): ReactElement {
  const { words, money, moment, language } = useWords()
  const { printer } = useStatus()
  const { act, result, working } = useAct()
  const [asking, setAsking] = useState(false)
  const [typing, setTyping] = useState(false)
  const say = words.operator.receipt
  const refunded = result?.outcome === 'refunded'
  useStep(asking && !refunded, () => setAsking(false))
  useStep(typing, () => setTyping(false))
  if (typing)
    return (
      <OwnWords
        refund={(reason) => {
          setTyping(false)
          void act({ act: 'refund', terminalSeq: row.terminalSeq, reason })
        }}
        close={() => setTyping(false)}
      />
    )
  return (
    <div className="operator-columns">
      <Rows
        rows={[
          { label: <ContentText texts={row.title} />, value: money(row.priceMinor), total: true },
          { label: say.number, value: <bdi dir="ltr">{row.number}</bdi> },
          { label: say.at, value: moment(row.at) },
          { label: say.card, value: <bdi dir="ltr">•••• {row.cardEnding}</bdi> },
          { label: say.tax, value: money(row.taxMinor) },
          { label: say.left, value: money(row.balanceMinor) },
          { label: say.stands, value: say.state[refunded ? 'refunded' : row.state] },
        ]}
      />
      <div className="operator-do">
        {asking && !refunded ? (
          <>
            <p>{say.refundWhat(money(row.priceMinor))}</p>
            {say.reasons.map((reason) => (
              <Button
                key={reason}
                action="operator-refund-reason"
                disabled={working}
                onClick={() => void act({ act: 'refund', terminalSeq: row.terminalSeq, reason })}
              >
                {reason}
              </Button>
            ))}
            <Button action="operator-refund-own" disabled={working} onClick={() => setTyping(true)}>
              {say.ownWords}
            </Button>
            <Button action="operator-refund-not" onClick={() => setAsking(false)}>
              <Icon name="close" /> {words.bar.cancel}
            </Button>
          </>
        ) : (
          <>
            <Button
              action="operator-reprint"
              disabled={working || printer === undefined}
              onClick={() => void act({ act: 'reprint', terminalSeq: row.terminalSeq, language })}
            >
              <Icon name="print" /> {say.reprint}
            </Button>
            {printer === undefined && <p>{words.operator.printer.none}</p>}
            {(row.state === 'paid' || row.state === 'owed') && !refunded && (
              <Button action="operator-refund" disabled={working} onClick={() => setAsking(true)}>
                {say.refund}
              </Button>
            )}
          </>
        )}
        {working && <Said good>{words.operator.exchange.working}</Said>}
        {result?.outcome === 'printed' && <Printed print={result.print} />}
        {result?.outcome === 'refunded' && (
          <Said good>{(result.sent ? say.refundSent : say.refundKept)(money(result.amountMinor))}</Said>
        )}
        {result?.outcome === 'refundRefused' && <Said good={false}>{say.refused[result.reason]}</Said>}
      </div>
    </div>
  )
}

/** A reason that none of the list is. */
function OwnWords({ refund, close }: { refund: (reason: string) => void; close: () => void }): ReactElement {
  const { words } = useWords()
  const [typed, setTyped] = useState('')
  const say = words.operator.receipt
  const type = (letter: string) =>
    setTyped((before) => {
      const text = `${before}${letter}`.trimStart()
      return text.length <= refundReasonLengthMax ? text : before
    })
  const drop = () => setTyped((before) => [...before].slice(0, -1).join(''))
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return
      // Space and Enter press what has the focus.
      if (/^[^\s\p{C}]$/u.test(event.key)) type(event.key)
      else if (event.key === 'Backspace') drop()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })
  return (
    <div className="operator-own">
      <p className="operator-typed" role="status" aria-label={`${say.typed}: ${typed}`}>
        {typed === '' ? <span className="operator-hint">{say.typed}</span> : <bdi>{typed}</bdi>}
      </p>
      <Keyboard type={type} drop={drop} empty={typed === ''} />
      <div className="operator-own-do">
        <Button action="operator-refund-not" onClick={close}>
          <Icon name="close" /> {words.bar.cancel}
        </Button>
        <Button
          action="operator-refund-because"
          weight="main"
          disabled={typed.trim() === ''}
          onClick={() => refund(typed.trim())}
        >
          {say.refundBecause}
        </Button>
      </div>
    </div>
  )
}

/** What nobody looked for: the card had paid before. */
function PaidBefore({ paid }: { paid: PaidBeforeView }): ReactElement {
  const { words, money } = useWords()
  const say = words.operator.load
  return (
    <div className="operator-do">
      <Rows
        title={say.paidBefore}
        rows={[{ label: <ContentText texts={paid.title} />, value: money(paid.amountMinor) }]}
      />
      <p>{say.paidGoods[paid.goods]}</p>
    </div>
  )
}

const amountKeys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '00', '0'] as const
/** Of minor units: more is no load at a desk. */
const amountDigitsMax = 6

export function Load({ task }: { task?: OperatorTask | undefined }): ReactElement | null {
  const { view } = useLook('device')
  const engine = useEngine()
  const { words, money } = useWords()
  const { act, working } = useAct()
  const [typed, setTyped] = useState('')
  const say = words.operator.load
  const add = (key: string) => setTyped((before) => `${before}${key}`.replace(/^0+/, '').slice(0, amountDigitsMax))
  const drop = () => setTyped((before) => before.slice(0, -1))
  const asking = task === undefined
  useEffect(() => {
    if (!asking) return
    const press = (event: KeyboardEvent) => {
      if (/^[0-9]$/.test(event.key)) add(event.key)
      else if (event.key === 'Backspace') drop()
    }
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  })
  if (task?.kind === 'load' && (task.phase === 'done' || task.phase === 'failed'))
    return (
      <div className="operator-columns operator-loaded">
        <div className="operator-do">
          {task.phase === 'done' ? (
            <>
              <Said good>{words.topUp.done(money(task.amountMinor))}</Said>
              <Rows
                rows={[
                  { label: words.operator.receipt.card, value: <bdi dir="ltr">•••• {task.cardEnding}</bdi> },
                  ...(task.creditsMinor === undefined ? [] : [{ label: say.credits, value: money(task.creditsMinor) }]),
                  { label: words.balance.left, value: money(task.balanceMinor) },
                  { label: say.takeCash, value: money(task.amountMinor), total: true },
                ]}
              />
            </>
          ) : (
            <>
              <Said good={false}>{say.problem[task.problem]}</Said>
              {task.problem !== 'inDoubt' && task.problem !== 'unanswered' && <p>{say.noCash}</p>}
            </>
          )}
        </div>
        {task.paidBefore !== undefined && <PaidBefore paid={task.paidBefore} />}
        <div className="operator-do">
          <Button action="operator-end-task" weight="main" onClick={() => void engine.operatorAct({ act: 'endTask' })}>
            {say.another}
          </Button>
        </div>
      </div>
    )
  if (view === undefined) return null
  if (!view.canLoad) return <Said good={false}>{say.offline}</Said>
  const amountMinor = Number(typed)
  return (
    <div className="operator-load">
      <div className="operator-load-amount">
        <p className="operator-amount" role="status">
          {money(amountMinor)}
        </p>
        <Button
          action="operator-load"
          weight="main"
          disabled={working || amountMinor === 0}
          onClick={() => void act({ act: 'load', amountMinor })}
        >
          {say.go}
        </Button>
      </div>
      <div className="pin-keys" dir="ltr">
        {amountKeys.map((key) => (
          <Button key={key} action="operator-amount-key" data-key={key} onClick={() => add(key)}>
            {key}
          </Button>
        ))}
        <Button action="operator-amount-back" aria-label={words.pin.back} disabled={typed === ''} onClick={drop}>
          <Icon name="backspace" />
        </Button>
      </div>
    </div>
  )
}

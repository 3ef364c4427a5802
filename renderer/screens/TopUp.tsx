/** Money onto the card: the voucher's code, then the card, then what it holds now. */
import { type ReactElement, useEffect, useState } from 'react'
import type { KioskScreen } from '../../preload/contract.ts'
import { goBack } from '../keypad.ts'
import { Button } from '../parts/Button.tsx'
import { SpeechSwitch } from '../parts/ComfortBar.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HelpLine } from '../parts/HelpLine.tsx'
import { HoldStill } from '../parts/HoldStill.tsx'
import { Icon } from '../parts/Icon.tsx'
import { TapHint } from '../parts/TapHint.tsx'
import { TimeLeft } from '../parts/TimeLeft.tsx'

type TopUpScreen = Extract<KioskScreen, { name: 'top-up' }>

/** What a voucher's code is written in (PROTOCOL.md, Loads): no letter that looks like a figure. */
const codeKeys = [...'1234567890ABCDEFGHJKMNPQRSTVWXYZ']
const codeLength = 16

export function TopUp({ screen }: { screen: TopUpScreen }): ReactElement {
  switch (screen.phase) {
    case 'working':
      return <HoldStill screen="top-up" />
    case 'done':
      return <Done screen={screen} />
    case 'failed':
      return <Failed screen={screen} />
    case 'tap':
      return <Tap screen={screen} />
    case 'code':
    case 'asking':
      return <Code screen={screen} />
  }
}

function Foot({ endsAt }: { endsAt: string }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  return (
    <>
      <Button action="cancel" onClick={() => void engine.cancel()}>
        <Icon name="close" /> {words.bar.cancel}
      </Button>
      <TimeLeft endsAt={endsAt} />
    </>
  )
}

/** Sixteen places in fours; those that are empty show how many are to come. */
function Entered({ code }: { code: string }): ReactElement {
  const { words } = useWords()
  const spelled = [...code].join(' ')
  return (
    <p className="code-entered" dir="ltr" role="status" aria-label={`${words.topUp.entered}: ${spelled}`}>
      {Array.from({ length: codeLength }, (_, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a place of the code is what it is
        <span key={place} data-filled={place < code.length}>
          {code[place]}
        </span>
      ))}
    </p>
  )
}

function Code({ screen }: { screen: Extract<TopUpScreen, { phase: 'code' | 'asking' }> }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const [code, setCode] = useState('')
  /** On a keypad: whether its figures move over the letters instead of being typed. */
  const [moving, setMoving] = useState(false)
  const asking = screen.phase === 'asking'
  const add = (key: string) => setCode((before) => (before.length < codeLength ? before + key : before))
  const drop = () => setCode((before) => before.slice(0, -1))
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (asking || event.ctrlKey || event.altKey || event.metaKey) return
      const key = event.key.toUpperCase()
      const typed = codeKeys.includes(key) && !(moving && /\d/.test(key))
      if (!typed && !['BACKSPACE', '*', '#'].includes(key)) return
      event.preventDefault()
      if (typed) add(key)
      else if (key === '#') setMoving(!moving)
      else if (code !== '') drop()
      else if (key === '*') goBack()
    }
    window.addEventListener('keydown', press, { capture: true })
    return () => window.removeEventListener('keydown', press, { capture: true })
  })
  return (
    <Frame screen="top-up" tone="paper" className="code-screen" actions={<Foot endsAt={screen.endsAt} />}>
      <div className="code-entry" data-phase={screen.phase}>
        <div className="code-words">
          <h1 className="title">{words.topUp.headline}</h1>
          {screen.problem === undefined ? (
            <p className="code-hint">{words.topUp.hint}</p>
          ) : (
            <p className="missing" role="alert">
              <Icon name="close" /> {words.topUp.problem[screen.problem]}
            </p>
          )}
          <p className="unseen">{words.speech.codeKeys}</p>
          <p className="unseen" role="status">
            {moving ? words.speech.letters : words.speech.figures}
          </p>
        </div>
        <div className="code-line" dir="ltr">
          <Entered code={code} />
          <Button
            action="code-back"
            className="button-icon"
            aria-label={words.pin.back}
            disabled={code === '' || asking}
            onClick={drop}
          >
            <Icon name="backspace" />
          </Button>
          <Button
            action="code-enter"
            weight="main"
            disabled={code.length < codeLength || asking}
            onClick={() => void engine.topUpCode(code)}
          >
            {asking ? words.topUp.asking : words.topUp.next}
          </Button>
        </div>
        <div className="code-keys" dir="ltr" data-grid="">
          {codeKeys.map((key) => (
            <Button key={key} action="code-key" data-key={key} disabled={asking} onClick={() => add(key)}>
              {key}
            </Button>
          ))}
        </div>
      </div>
    </Frame>
  )
}

function Tap({ screen }: { screen: Extract<TopUpScreen, { phase: 'tap' | 'working' }> }): ReactElement {
  const { words, money } = useWords()
  const { readerPosition } = useStatus()
  return (
    <Frame
      screen="top-up"
      tone="paper"
      className={`reader-${readerPosition}`}
      actions={<Foot endsAt={screen.endsAt} />}
    >
      <div className="tap" data-phase={screen.phase}>
        <div className="tap-words">
          <p className="tap-item">
            <span>{words.topUp.worth}</span>
            <strong className="tap-price">{money(screen.amountMinor)}</strong>
          </p>
          <h1 className="display" aria-live="assertive">
            {words.pay.headline}
          </h1>
          {screen.problem !== undefined && (
            <p className="lead missing" role="alert">
              {words.topUp.problem[screen.problem]}
            </p>
          )}
          <p className="lead">{words.pay.where[readerPosition]}</p>
        </div>
        <TapHint reader={readerPosition} away={false} />
      </div>
    </Frame>
  )
}

function Done({ screen }: { screen: Extract<TopUpScreen, { phase: 'done' }> }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  return (
    <Frame screen="top-up" tone="done">
      <div className="verdict" data-phase={screen.phase}>
        <svg className="verdict-sign" viewBox="0 0 120 120" aria-hidden="true">
          <circle cx="60" cy="60" r="54" />
          <path d="M34 62 53 81 88 43" />
        </svg>
        <div className="verdict-words">
          <h1 className="display" aria-live="assertive">
            {words.topUp.done(money(screen.amountMinor))}
          </h1>
          <p className="figure">
            <span>{words.balance.left}</span>
            <strong>{money(screen.balanceMinor)}</strong>
          </p>
          <p className="verdict-hint">{words.approved.takeCard}</p>
        </div>
        <div className="verdict-do">
          <Button action="browse" weight="main" onClick={() => void engine.browseOn()}>
            {words.balance.shop}
          </Button>
          <Button action="finish" onClick={() => void engine.finish()}>
            {words.bar.done}
          </Button>
          <SpeechSwitch />
        </div>
      </div>
    </Frame>
  )
}

/** What was in doubt ends at the reader; what failed may be tried again. Only what is known not to be loaded is said to be. */
function Failed({ screen }: { screen: Extract<TopUpScreen, { phase: 'failed' }> }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { readerPosition } = useStatus()
  const { problem, endsAt } = screen
  const known = problem !== 'inDoubt' && problem !== 'unanswered'
  const finish = (
    <Button action="finish" onClick={() => void engine.finish()}>
      <Icon name="close" /> {words.bar.done}
    </Button>
  )
  if (problem === 'inDoubt')
    return (
      <Frame
        screen="top-up"
        tone="stop"
        className={`reader-${readerPosition}`}
        actions={
          <>
            {finish}
            <TimeLeft endsAt={endsAt} />
          </>
        }
      >
        <div className="tap" data-phase={screen.phase}>
          <div className="tap-words">
            <h1 className="display" aria-live="assertive">
              {words.topUp.unsure}
            </h1>
            <p className="lead">{words.topUp.problem[problem]}</p>
          </div>
          <TapHint reader={readerPosition} />
        </div>
      </Frame>
    )
  return (
    <Frame
      screen="top-up"
      tone="paper"
      actions={
        <>
          {finish}
          <div className="choices">
            <Button action="browse" onClick={() => void engine.browseOn()}>
              {words.balance.shop}
            </Button>
            <Button action="retry" weight="main" onClick={() => void engine.topUp()}>
              <Icon name="again" /> {words.declined.again}
            </Button>
          </div>
        </>
      }
    >
      <div className="refusal" data-phase={screen.phase}>
        <svg className="refusal-sign" viewBox="0 0 120 120" aria-hidden="true">
          <circle cx="60" cy="60" r="54" />
          <path d="M42 42 78 78M78 42 42 78" />
        </svg>
        <h1 className="display" aria-live="assertive">
          {known ? words.topUp.failed : words.topUp.unsure}
        </h1>
        <div className="not-charged-row">
          <p className="lead">{words.topUp.problem[problem]}</p>
          <SpeechSwitch />
        </div>
        <HelpLine />
      </div>
    </Frame>
  )
}

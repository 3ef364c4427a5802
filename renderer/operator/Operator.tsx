/** Operator mode: the PIN, then one section at a time. Nothing of it stays: main owns what is open, and the page forgets with it. */
import { type ReactElement, useState } from 'react'
import { mayAct, mayLook, type OperatorScreen } from '../../preload/operator-contract.ts'
import { Button } from '../parts/Button.tsx'
import { Countdown } from '../parts/Countdown.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HoldStill } from '../parts/HoldStill.tsx'
import { Icon } from '../parts/Icon.tsx'
import { TapHint } from '../parts/TapHint.tsx'
import { PinKeys } from '../screens/Pin.tsx'
import { Load, Receipts } from './desk.tsx'
import { DayClose, Logs, Stock, Today } from './figures.tsx'
import { Device, Exchange, Tests } from './machine.tsx'
import { StepsContext } from './steps.ts'

const sections = {
  today: { Shown: Today, may: mayLook.today },
  dayClose: { Shown: DayClose, may: mayAct.dayClose },
  receipts: { Shown: Receipts, may: mayLook.receipts },
  load: { Shown: Load, may: mayAct.load },
  stock: { Shown: Stock, may: mayLook.stock },
  exchange: { Shown: Exchange, may: mayLook.exchange },
  tests: { Shown: Tests, may: mayAct.readerTest },
  device: { Shown: Device, may: mayLook.device },
  logs: { Shown: Logs, may: mayLook.logs },
} as const
type Section = keyof typeof sections
const sectionNames = Object.keys(sections) as readonly Section[]

export function Operator({ screen }: { screen: OperatorScreen }): ReactElement {
  if (screen.phase !== 'open') return <Entry screen={screen} />
  if (screen.task?.phase === 'working') return <HoldStill screen="operator" />
  if (screen.task?.phase === 'tap') return <Tap screen={screen} />
  return <Inside screen={screen} />
}

function Foot({ screen, back }: { screen: OperatorScreen; back?: () => void }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  return (
    <>
      <div className="choices">
        {back !== undefined && (
          <Button action="operator-back" onClick={back}>
            <Icon name="back" /> {words.bar.back}
          </Button>
        )}
        <Button action="operator-leave" onClick={() => void engine.operatorLeave()}>
          <Icon name="close" /> {words.bar.leave}
        </Button>
      </div>
      <Button action="stay" className="operator-clock" onClick={() => void engine.stay()}>
        <span className="unseen">{words.operator.stay}</span>
        <Countdown key={screen.endsAt} endsAt={screen.endsAt} label={words.pay.seconds} />
      </Button>
    </>
  )
}

function Entry({ screen }: { screen: Exclude<OperatorScreen, { phase: 'open' }> }): ReactElement {
  const engine = useEngine()
  const { words, moment } = useWords()
  const { phase } = screen
  const typing = phase !== 'waiting' && phase !== 'checking'
  return (
    <Frame screen="operator" tone="ink" actions={<Foot screen={screen} />}>
      <div className="tap operator-entry" data-phase={phase}>
        <div className="tap-words">
          <p className="tap-item" dir="auto">
            {screen.operator}
          </p>
          <h1 className="title" aria-live="assertive">
            {phase === 'checking' ? words.topUp.asking : words.operator.pin.headline}
          </h1>
          {phase === 'wrong' && (
            <p className="lead missing" role="alert">
              {words.operator.pin.wrong}
            </p>
          )}
          {phase === 'waiting' && (
            <p className="lead missing" role="alert">
              {words.operator.pin.later(moment(screen.retryAt))}
            </p>
          )}
          {screen.balance && phase === 'entering' && (
            <Button action="operator-balance" onClick={() => void engine.operatorBalance()}>
              <Icon name="card" /> {words.operator.pin.balance}
            </Button>
          )}
        </div>
        {phase !== 'waiting' && (
          <PinKeys screen={screen} disabled={!typing} onKey={(key) => void engine.operatorKey(key)} />
        )}
      </div>
    </Frame>
  )
}

function Tap({ screen }: { screen: OperatorScreen }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { readerPosition } = useStatus()
  return (
    <Frame
      screen="operator"
      tone="paper"
      className={`reader-${readerPosition}`}
      actions={<Foot screen={screen} back={() => void engine.operatorAct({ act: 'endTask' })} />}
    >
      <div className="tap" data-phase="tap">
        <div className="tap-words">
          <h1 className="display" aria-live="assertive">
            {words.operator.tap}
          </h1>
          <p className="lead">{words.pay.where[readerPosition]}</p>
        </div>
        <TapHint reader={readerPosition} />
      </div>
    </Frame>
  )
}

/** What was begun with a card ends in the section that it was begun in. */
const sectionOfTask = ({ task }: Extract<OperatorScreen, { phase: 'open' }>): Section | undefined =>
  task === undefined ? undefined : task.kind === 'load' ? 'load' : 'tests'

function Inside({ screen }: { screen: Extract<OperatorScreen, { phase: 'open' }> }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const [chosen, setChosen] = useState<Section | undefined>(() => sectionOfTask(screen))
  const Chosen = chosen === undefined ? undefined : sections[chosen].Shown
  const [steps] = useState<(() => void)[]>([])
  const back = () => {
    const leaveStep = steps.at(-1)
    if (leaveStep !== undefined) return leaveStep()
    setChosen(undefined)
    if (screen.task !== undefined) void engine.operatorAct({ act: 'endTask' })
  }
  return (
    <Frame
      screen="operator"
      tone="paper"
      actions={<Foot screen={screen} {...(chosen === undefined ? {} : { back })} />}
    >
      <div className="operator" data-section={chosen ?? 'home'}>
        <h1 className="title">
          {chosen === undefined ? <bdi>{screen.operator}</bdi> : words.operator.sections[chosen]}
        </h1>
        {Chosen === undefined ? (
          <>
            {screen.role === 'technician' && <p className="operator-role">{words.operator.technician}</p>}
            <nav className="operator-home">
              {sectionNames
                .filter((name) => sections[name].may.includes(screen.role))
                .map((name) => (
                  <Button key={name} action="operator-section" data-section-name={name} onClick={() => setChosen(name)}>
                    {words.operator.sections[name]}
                  </Button>
                ))}
            </nav>
          </>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keypad.
          <div className="operator-scroll scrolls" data-said="" tabIndex={0}>
            <StepsContext value={steps}>
              <Chosen task={screen.task} />
            </StepsContext>
          </div>
        )}
      </div>
    </Frame>
  )
}

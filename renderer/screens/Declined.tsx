/** Not sold: why, that nothing was charged, and what to do. Never a dead end. */
import type { ReactElement } from 'react'
import { useShallow } from 'zustand/react/shallow'
import type { KioskScreen, RefusalReason } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { SpeechSwitch } from '../parts/ComfortBar.tsx'
import { useEngine, usePage, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HelpLine } from '../parts/HelpLine.tsx'
import { Icon } from '../parts/Icon.tsx'
import { ItemCard } from '../parts/ItemCard.tsx'
import { useBuy } from '../parts/use-buy.tsx'
import { affordable } from '../store.ts'

/** What one can see at a glance. */
const alternativesMax = 2

/** Whether the same item can be tried at once, with this card or another. */
const canTryAgain: Readonly<Record<RefusalReason, boolean>> = {
  outOfService: false,
  outOfStock: false,
  notAPurse: true,
  cardSuspect: true,
  cardBlocked: true,
  hotlisted: true,
  cardExpired: true,
  wrongCurrency: true,
  limit: false,
  balanceTooLow: true,
  pinNeeded: true,
  pinWrong: true,
  pinBlocked: true,
  cancelled: true,
  timeout: true,
}

export function Declined({ screen }: { screen: Extract<KioskScreen, { name: 'declined' }> }): ReactElement {
  const engine = useEngine()
  const { words, money } = useWords()
  const { topUp } = useStatus()
  const { reason, item, balanceMinor, missingMinor, returned } = screen
  const { buy, question } = useBuy()
  const refusal = words.declined.refusal[reason]
  const others = usePage(
    useShallow((state) =>
      balanceMinor === undefined || reason !== 'balanceTooLow'
        ? []
        : affordable(state, balanceMinor).slice(0, alternativesMax),
    ),
  )
  const again = item !== undefined && canTryAgain[reason]
  const load = topUp && reason === 'balanceTooLow'
  return (
    <Frame
      screen="declined"
      tone="paper"
      actions={
        <>
          <Button action="finish" onClick={() => void engine.finish()}>
            <Icon name="close" /> <span>{words.bar.done}</span>
          </Button>
          <div className="choices">
            <Button action="browse" weight={again ? 'quiet' : 'main'} onClick={() => void engine.browseOn()}>
              {words.declined.other}
            </Button>
            {again && (
              <Button action="retry" weight={load ? 'quiet' : 'main'} onClick={() => buy(item)}>
                <Icon name="again" /> {words.declined.again}
              </Button>
            )}
            {load && (
              <Button action="top-up" weight="main" onClick={() => void engine.topUp()}>
                <Icon name="plus" /> {words.topUp.open}
              </Button>
            )}
          </div>
        </>
      }
    >
      <div className="refusal scrolls" data-reason={reason}>
        <svg className="refusal-sign" viewBox="0 0 120 120" aria-hidden="true">
          <circle cx="60" cy="60" r="54" />
          <path d="M42 42 78 78M78 42 42 78" />
        </svg>
        <div className="not-charged-row">
          <p className="not-charged" role="status">
            <Icon name="shield" />{' '}
            {returned && item !== undefined
              ? words.declined.returned(money(item.priceMinor))
              : words.declined.notCharged}
          </p>
          <SpeechSwitch />
        </div>
        <h1 className="display" aria-live="assertive">
          {refusal.what}
        </h1>
        <div className="refusal-why">
          <div className="refusal-words">
            {balanceMinor !== undefined && item !== undefined && (
              <div className="figures">
                {missingMinor !== undefined && (
                  <p className="lead missing">{words.declined.missing(money(missingMinor))}</p>
                )}
                <p className="figure">
                  <span>{words.declined.price}</span>
                  <strong>{money(item.priceMinor)}</strong>
                </p>
                <p className="figure">
                  <span>{words.declined.balance}</span>
                  <strong>{money(balanceMinor)}</strong>
                </p>
              </div>
            )}
            <p className="lead">{refusal.todo}</p>
            {others.length === 0 && <HelpLine />}
          </div>
          {others.length > 0 && (
            <section className="instead">
              <h2 className="instead-head">{words.declined.alternatives}</h2>
              <div className="instead-row">
                {others.map((other) => (
                  <ItemCard key={other.id} small action="buy" item={other} onPress={buy} />
                ))}
              </div>
            </section>
          )}
        </div>
      </div>
      {question}
    </Frame>
  )
}

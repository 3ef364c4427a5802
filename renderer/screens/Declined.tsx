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

/** How the same item can be tried at once, if at all: as before, or only with another card. */
const canTry: Readonly<Record<RefusalReason, 'again' | 'anotherCard' | undefined>> = {
  outOfService: undefined,
  outOfStock: undefined,
  notAPurse: 'anotherCard',
  cardSuspect: 'again',
  cardBlocked: 'anotherCard',
  hotlisted: 'anotherCard',
  cardExpired: 'anotherCard',
  wrongCurrency: 'anotherCard',
  limit: undefined,
  // It may have been loaded meanwhile.
  balanceTooLow: 'again',
  pinNeeded: 'anotherCard',
  pinWrong: 'again',
  pinBlocked: 'anotherCard',
  cancelled: 'again',
  timeout: 'again',
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
  const retry = item === undefined ? undefined : canTry[reason]
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
            <Button
              action="browse"
              weight={retry === undefined ? 'main' : 'quiet'}
              onClick={() => void engine.browseOn()}
            >
              {words.declined.other}
            </Button>
            {item !== undefined && retry !== undefined && (
              <Button action="retry" weight={load ? 'quiet' : 'main'} onClick={() => buy(item)}>
                <Icon name={retry === 'again' ? 'again' : 'card'} /> {words.declined[retry]}
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

/** A tap with nothing chosen: what the card holds, what it did, and what can be collected again. */
import type { ReactElement } from 'react'
import type { CardMovement, KioskScreen } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ComfortBar } from '../parts/ComfortBar.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Frame } from '../parts/Frame.tsx'
import { HelpLine } from '../parts/HelpLine.tsx'
import { Icon } from '../parts/Icon.tsx'

export function Balance({ screen }: { screen: Extract<KioskScreen, { name: 'balance' }> }): ReactElement {
  const engine = useEngine()
  const { words } = useWords()
  const { movements } = screen
  return (
    <Frame
      screen="balance"
      tone="paper"
      actions={
        <>
          <Button action="finish" onClick={() => void engine.finish()}>
            <Icon name="close" /> {words.bar.done}
          </Button>
          <ComfortBar />
        </>
      }
    >
      <div className="balance">
        <Purse screen={screen} />
        <section className="movements">
          <h2>{words.balance.movements}</h2>
          {movements.length === 0 && <p className="lead">{words.balance.none}</p>}
          <ol>
            {movements.map((movement) => (
              <Movement key={movement.counter} movement={movement} />
            ))}
          </ol>
        </section>
      </div>
    </Frame>
  )
}

/** Drawn as the card that was just held to the reader. */
function Purse({ screen }: { screen: Extract<KioskScreen, { name: 'balance' }> }): ReactElement {
  const engine = useEngine()
  const { words, money, day } = useWords()
  const { topUp } = useStatus()
  const { cardEnding, balanceMinor, expiresAt, blocked, waitingMinor } = screen
  return (
    <section className="purse tone-ink">
      <h1>{words.balance.left}</h1>
      <p className="display">{money(balanceMinor)}</p>
      <p className="purse-card">
        <span className="purse-ending">{words.balance.ending(cardEnding)}</span>
        {blocked ? <strong>{words.balance.blocked}</strong> : <span>{words.balance.validUntil(day(expiresAt))}</span>}
      </p>
      {blocked && <HelpLine />}
      {!blocked && (
        <div className="purse-do">
          <Button action="browse" weight="main" onClick={() => void engine.browseOn()}>
            {words.balance.shop}
          </Button>
          {/* What is owed comes first; a voucher can follow. */}
          {topUp && waitingMinor !== undefined && (
            <Button action="take-credits" onClick={() => void engine.takeCredits()}>
              <Icon name="again" /> {words.balance.take(money(waitingMinor))}
            </Button>
          )}
          {topUp && waitingMinor === undefined && (
            <Button action="top-up" onClick={() => void engine.topUp()}>
              <Icon name="plus" /> {words.topUp.open}
            </Button>
          )}
        </div>
      )}
    </section>
  )
}

const signs = { payment: 'card', load: 'plus', reversal: 'again' } as const

function Movement({ movement }: { movement: CardMovement }): ReactElement {
  const engine = useEngine()
  const { words, moved, moment } = useWords()
  const { counter, kind, amountMinor, at, title, collectable } = movement
  return (
    <li className="movement" data-kind={kind}>
      <span className="movement-sign">
        <Icon name={signs[kind]} />
      </span>
      <span className="movement-what">
        {title === undefined ? <span>{words.balance.kind[kind]}</span> : <ContentText texts={title} />}
        <span className="movement-when">{moment(at)}</span>
      </span>
      <span className="movement-amount">{moved(kind === 'payment' ? -amountMinor : amountMinor)}</span>
      {collectable && (
        <Button action="collect" data-counter={counter} onClick={() => void engine.collect(counter)}>
          {words.balance.collect}
        </Button>
      )}
    </li>
  )
}

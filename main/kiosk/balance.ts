/**
 * A card while nothing is chosen: a payment that it began is finished, or it tells its balance and what it bought. An
 * operator's card opens operator mode.
 */
import type { makeOperatorMode } from '../operator/operator-mode.ts'
import { operatorOf } from '../operator/operator-of.ts'
import { finishOpen, openSession } from '../purchase/purchase.ts'
import { standing, witness } from '../purchase/recovery.ts'
import type { PurseSession } from '../purse-session.ts'
import { CardFault, type PresentCard } from '../reader/card-reader.ts'
import { noteSuspect } from '../suspect-card.ts'
import type { Terminal } from '../terminal.ts'
import { readStatement, type Statement } from './card-statement.ts'
import { allows } from './modes.ts'
import type { Sale } from './sale.ts'
import type { ShownGoods } from './shown-goods.ts'
import type { Till } from './till.ts'
import type { TopUpRoom } from './top-up.ts'
import { balanceScreen, unnamedItem } from './views.ts'

interface BalanceParts {
  readonly terminal: Terminal
  readonly shownGoods: ShownGoods
  readonly sale: Sale
  readonly topUp: TopUpRoom
  readonly operators: Pick<ReturnType<typeof makeOperatorMode>, 'invite'>
}

export const makeBalance = ({ terminal, shownGoods, sale, topUp, operators }: BalanceParts, till: Till) => {
  const { enter, usedUp } = till
  /** Cards that were asked, while nothing is sold, whether they are an operator's. */
  const asked = new WeakSet<PresentCard>()

  const decline = (reason: 'notAPurse' | 'cardSuspect') =>
    enter({ name: 'shown', screen: { name: 'declined', reason } })

  const show = (statement: Statement) => {
    enter({ name: 'shown', screen: balanceScreen(statement), statement })
    topUp.lookForCredits(statement)
  }

  const tell = (card: PresentCard) =>
    card.use(async (channel) => {
      const tap = await finishOpen(terminal, channel)
      switch (tap.outcome) {
        case 'notAPurse':
          return decline('notAPurse')
        case 'suspect':
          return decline('cardSuspect')
        case 'captured':
          usedUp.add(card)
          return sale.showPaid({ ...tap, recovered: true })
        case 'clear': {
          const { session } = tap
          const statement = session && (await readStatement(terminal, session))
          if (session === undefined || statement === undefined) {
            noteSuspect(terminal, tap.card.cardId, 'wrong offer MAC')
            return decline('cardSuspect')
          }
          const operator = statement.proved ? operatorOf(terminal, statement.card.cardId) : undefined
          if (operator !== undefined) return operators.invite(operator, statement)
          show(statement)
          await passOn(session, statement.card.counter)
        }
      }
    })

  /** The customer has seen what he came for: a card that leaves now is no fault. */
  const passOn = async (session: PurseSession, newest: number) => {
    try {
      await witness(terminal, session, newest)
    } catch (error) {
      if (!(error instanceof CardFault)) throw error
    }
  }

  /** Where nothing is sold, an operator's card alone has something to say: it opens the kiosk again. */
  const askForOperator = (card: PresentCard) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      const operator = session && operatorOf(terminal, session.info.cardId)
      if (session === undefined || operator === undefined || !(await isGenuine(terminal, session))) return
      operators.invite(operator)
    })

  return {
    meet(cards: readonly PresentCard[]) {
      const closed = till.outOfService() !== undefined
      const met = closed ? asked : till.seen
      const card = cards.find((candidate) => !met.has(candidate))
      if (card === undefined) return
      met.add(card)
      till.serve(
        () => (closed ? askForOperator(card) : tell(card)),
        () => {
          // What a load that failed has to say is true still.
          if (till.mode().name !== 'top-up') enter({ name: 'browse' })
        },
      )
    },

    /** An operator who came as a customer sees what any customer sees. */
    showOperators() {
      const mode = till.mode()
      if (mode.name === 'operator' && mode.statement !== undefined && allows(mode, 'operatorBalance'))
        show(mode.statement)
    },

    /** What the card bought, again. @param counter of its record */
    collect(counter: number) {
      const mode = till.mode()
      if (mode.name !== 'shown' || mode.statement === undefined || !allows(mode, 'collect')) return
      const { statement } = mode
      const line = statement.lines.find((candidate) => candidate.record.counter === counter)
      if (line === undefined || !line.collectable) return
      const { sold } = line
      const mayRelease = sold?.epoch === terminal.ledger.epoch && (sold.goods === 'due' || sold.goods === 'released')
      const here = mayRelease && line.item !== undefined ? terminal.issued?.catalogue.goodsOf(line.item) : undefined
      const claim = terminal.claimUrl(line.record, line.settlementMac)
      const goods = shownGoods.viewOf(here, line.item ?? unnamedItem(line.record), claim)
      enter({ name: 'shown', screen: { name: 'goods', goods, balanceMinor: statement.balanceMinor } })
    },
  }
}

/** Whether the card has proved by an offer that it is what it says. */
const isGenuine = async (terminal: Terminal, session: PurseSession): Promise<boolean> =>
  (await standing(terminal, session))?.proved === true

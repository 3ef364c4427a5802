/** What an operator does with a card that is held to the reader: the reader's test, and money onto a card for cash. */
import type { DeskLoadProblem, OperatorTask, PaidBeforeView } from '../../preload/operator-contract.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { CardId } from '../../protocol/quantities.ts'
import { cardEnding } from '../card-id.ts'
import { type OperatorMode, placeOf, rulesOf } from '../kiosk/modes.ts'
import type { LoadDesk } from '../kiosk/top-up.ts'
import { tellThenLoad } from '../load.ts'
import { itemOf } from '../payment.ts'
import { openSession, type PaidBefore } from '../purchase/purchase.ts'
import { type CardChannel, CardFault, type PresentCard } from '../reader/card-reader.ts'
import { IssuerRefused, IssuerUnreachable } from '../sync/issuer-client.ts'
import type { Inside } from './inside.ts'

export const makeCardTasks = ({ terminal, till, loadDesk, open, write, log }: Inside) => {
  const testReader = (mode: OperatorMode, card: PresentCard) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      open(mode, {
        kind: 'readerTest',
        phase: 'done',
        reader: card.readerName,
        atr: toHex(card.atr),
        ...(session === undefined ? {} : { cardEnding: cardEnding(session.info.cardId) }),
      })
    })

  const load = async (mode: OperatorMode, channel: CardChannel, amountMinor: number) => {
    let told: { readonly paidBefore?: PaidBeforeView } = {}
    const failed = (problem: DeskLoadProblem) =>
      open(mode, { kind: 'load', phase: 'failed', amountMinor, problem, ...told })
    const session = await openSession(terminal, channel)
    if (session === undefined || loadDesk === undefined) return failed('notAPurse')
    const { info } = session
    write(mode, 'load', { amountMinor, cardId: info.cardId })
    try {
      const outcome = await tellThenLoad(
        (each) => loadDesk.load(channel, each),
        { amountMinor },
        (paid) => {
          // Told with what comes of the load: its goods are the card holder's, who has them on the first screen.
          told = { paidBefore: paidBeforeView(paid) }
        },
      )
      till.sync()?.nudge()
      if (outcome.outcome === 'captured') {
        const credits = await loadCredits(loadDesk, channel, info.cardId)
        return open(mode, {
          kind: 'load',
          phase: 'done',
          amountMinor,
          ...(credits.creditsMinor === 0 ? {} : { creditsMinor: credits.creditsMinor }),
          balanceMinor: credits.balanceMinor ?? outcome.balanceAfterMinor,
          cardEnding: cardEnding(info.cardId),
          ...told,
        })
      }
      if (outcome.outcome === 'inDoubt') return failed('inDoubt')
      switch (outcome.reason) {
        case 'notAPurse':
        case 'cardSuspect':
        case 'cardBlocked':
        case 'wrongCurrency':
        case 'overBalanceMax':
        case 'cardLost':
          return failed(outcome.reason)
        default:
          return failed('refused')
      }
    } catch (error) {
      if (error instanceof CardFault) return failed('cardLost')
      if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused)) throw error
      log(`load: ${error.message}`)
      return failed('unanswered')
    }
  }

  /** What the card is owed comes with its next load, which this one is. Whatever stops it, the cash is loaded, and the rest waits. */
  const loadCredits = async (desk: LoadDesk, channel: CardChannel, card: CardId) => {
    let creditsMinor = 0
    let balanceMinor: number | undefined
    try {
      for (const credit of await desk.credits(card)) {
        const outcome = await desk.load(channel, { ...credit, paidBeforeTold: true })
        if (outcome.outcome !== 'captured') break
        creditsMinor += credit.amountMinor
        balanceMinor = outcome.balanceAfterMinor
      }
    } catch (error) {
      if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused || error instanceof CardFault))
        throw error
      log(`credits: ${error.message}`)
    }
    return { creditsMinor, balanceMinor }
  }

  /** The card that a task waits for has come. */
  const take = (mode: OperatorMode, card: PresentCard) => {
    const { task } = mode
    if (task === undefined || task.phase !== 'tap') return
    open(mode, { ...task, phase: 'working' })
    till.serve(
      () =>
        task.kind === 'readerTest'
          ? testReader(mode, card)
          : card.use((channel) => load(mode, channel, task.amountMinor)),
      () => open(mode, task.kind === 'readerTest' ? task : { ...task, phase: 'failed', problem: 'cardLost' }),
    )
  }

  return {
    /** Waits for the card. */
    begin(mode: OperatorMode, task: Extract<OperatorTask, { phase: 'tap' | 'working' }>) {
      open(mode, task)
      till.look()
    },
    /** @param muteReader where a card lies that gave no answer to its reset */
    meet(mode: OperatorMode, cards: readonly PresentCard[], muteReader: string | undefined) {
      if (rulesOf[placeOf(mode)].card !== 'task') return
      const card = cards.find((candidate) => !till.seen.has(candidate))
      if (card !== undefined) {
        till.seen.add(card)
        take(mode, card)
      } else if (muteReader !== undefined && mode.task?.kind === 'readerTest')
        open(mode, { kind: 'readerTest', phase: 'done', reader: muteReader })
    },
  }
}
export type CardTasks = ReturnType<typeof makeCardTasks>

const paidBeforeView = ({ payment, goods }: PaidBefore): PaidBeforeView => {
  const { title, priceMinor } = itemOf(payment)
  return { title, amountMinor: priceMinor, goods }
}

/** Money onto a card at the till, online: by a voucher's code, or what the issuer owes the card. The load itself is main/load's. */
import type { TopUp } from '../../preload/contract.ts'
import type { CardId } from '../../protocol/quantities.ts'
import type { Load, Loaded, LoadOutcome } from '../load.ts'
import { type CardChannel, CardFault, type PresentCard } from '../reader/card-reader.ts'
import { IssuerRefused, IssuerUnreachable } from '../sync/issuer-client.ts'
import type { Statement } from './card-statement.ts'
import type { Fund, TopUpMode } from './modes.ts'
import type { Sale } from './sale.ts'
import { type Till, waitMs } from './till.ts'

/** Where money is loaded: the issuer, online. */
export interface LoadDesk {
  /** What a voucher is worth. @throws IssuerUnreachable */
  voucher(code: string): Promise<VoucherState>
  /** What a card is owed, which has just proved itself. @throws IssuerUnreachable, IssuerRefused */
  credits(cardId: CardId): Promise<readonly Fund[]>
  /** @throws IssuerUnreachable, IssuerRefused: it may be booked all the same */
  load(channel: CardChannel, load: Load): Promise<LoadOutcome>
}
export type VoucherState =
  | { readonly state: 'valid'; readonly amountMinor: number }
  | { readonly state: 'unknown' | 'used' | 'expired' }

interface TopUpParts {
  readonly sale: Pick<Sale, 'showPaid'>
  /** Absent: no money is loaded here. */
  readonly loadDesk: LoadDesk | undefined
  readonly log: (message: string) => void
}

export const makeTopUp = ({ sale, loadDesk, log }: TopUpParts, till: Till) => {
  const { serve, seen, usedUp } = till

  const enter = (step: TopUp, more: Partial<Pick<TopUpMode, 'funds' | 'refused'>> = {}) =>
    till.enter({ name: 'top-up', funds: [], ...more, step, endsAtMs: Date.now() + waitMs['top-up'] })

  const loadWith = (card: PresentCard, asked: TopUpMode, desk: LoadDesk) =>
    card.use(async (channel) => {
      let loadedMinor = 0
      let step: TopUp = { phase: 'failed', problem: 'refused' }
      try {
        for (const fund of asked.funds) {
          const outcome = await desk.load(channel, fund)
          if (outcome.outcome !== 'declined') usedUp.add(card)
          // The customer has his goods first; his voucher stands.
          if (outcome.outcome === 'paidBefore')
            return sale.showPaid({ ...outcome, outcome: 'captured', recovered: true })
          if (outcome.outcome === 'captured') loadedMinor += fund.amountMinor
          // What was loaded before it failed is said, and the rest waits where it was.
          else if (loadedMinor > 0) break
          step = loadStep(outcome, loadedMinor === 0 ? sumOf(asked.funds) : loadedMinor)
          if (outcome.outcome !== 'captured') break
        }
      } catch (error) {
        const isUnanswered = error instanceof IssuerUnreachable || error instanceof IssuerRefused
        // A card that leaves with a part of it has that part.
        if (!isUnanswered && !(error instanceof CardFault && loadedMinor > 0)) throw error
        log(`load: ${error.message}`)
        if (loadedMinor === 0) step = { phase: 'failed', problem: 'unanswered' }
      }
      enter(step, { funds: asked.funds, refused: card })
      till.sync()?.nudge()
    })

  return {
    async begin() {
      if (!(await till.wanted('topUp')) || !till.canLoad()) return
      enter({ phase: 'code' })
    },

    async code(code: string) {
      if (loadDesk === undefined || !(await till.wanted('topUpCode'))) return
      enter({ phase: 'asking' })
      const asking = till.mode()
      const answer = await voucherStep(loadDesk, code)
      if (till.mode() !== asking) return
      enter(answer, answer.phase === 'tap' ? { funds: [{ funding: code, amountMinor: answer.amountMinor }] } : {})
      till.look()
    },

    async takeCredits() {
      if (!(await till.wanted('takeCredits')) || !till.canLoad()) return
      const mode = till.mode()
      if (mode.name !== 'shown' || mode.credits === undefined) return
      enter({ phase: 'tap', amountMinor: sumOf(mode.credits) }, { funds: mode.credits })
      till.look()
    },

    /** What the issuer owes this card is shown as soon as it says so; nobody waits for that. */
    lookForCredits(statement: Statement) {
      if (loadDesk === undefined || !till.canLoad()) return
      loadDesk.credits(statement.card.cardId).then(
        (credits) => {
          const mode = till.mode()
          if (credits.length === 0 || mode.name !== 'shown' || mode.statement !== statement) return
          if (mode.screen.name === 'balance')
            till.enter({ ...mode, credits, screen: { ...mode.screen, waitingMinor: sumOf(credits) } })
        },
        (error: Error) => log(`credits: ${error.message}`),
      )
    },

    /** @param mute a card lies there that answers nothing */
    meet(mode: TopUpMode, [card, another]: readonly PresentCard[], mute: boolean) {
      const { step } = mode
      if (step.phase !== 'tap' || loadDesk === undefined) return
      if (card === undefined && mute && step.problem !== 'notAPurse')
        return enter({ ...step, problem: 'notAPurse' }, mode)
      if (card === undefined || another !== undefined) return
      if (usedUp.has(card) || mode.refused === card) return
      seen.add(card)
      enter({ phase: 'working', amountMinor: step.amountMinor }, mode)
      serve(
        () => loadWith(card, mode, loadDesk),
        () => {
          usedUp.add(card)
          enter({ ...step, problem: 'cardLost' }, mode)
        },
      )
    },
  }
}
export type TopUpRoom = ReturnType<typeof makeTopUp>

const sumOf = (funds: readonly Fund[]): number => funds.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
/** What is asked of the customer once the issuer said what his voucher is worth. */
const voucherStep = async (desk: LoadDesk, code: string): Promise<TopUp> => {
  try {
    const voucher = await desk.voucher(code)
    return voucher.state === 'valid'
      ? { phase: 'tap', amountMinor: voucher.amountMinor }
      : { phase: 'code', problem: `${voucher.state}Voucher` }
  } catch (error) {
    if (error instanceof IssuerUnreachable) return { phase: 'code', problem: 'offline' }
    if (error instanceof IssuerRefused) return { phase: 'code', problem: 'refused' }
    throw error
  }
}

const loadStep = (outcome: Loaded, amountMinor: number): TopUp => {
  switch (outcome.outcome) {
    case 'captured':
      return { phase: 'done', amountMinor, balanceMinor: outcome.balanceAfterMinor }
    case 'inDoubt':
      return { phase: 'failed', problem: 'inDoubt' }
    case 'declined':
      switch (outcome.reason) {
        case 'cardLost':
        case 'notAPurse':
        case 'cardSuspect':
        case 'cardBlocked':
        case 'wrongCurrency':
        case 'overBalanceMax':
          return { phase: 'tap', amountMinor, problem: outcome.reason }
        case 'notFunded':
          return { phase: 'failed', problem: 'usedVoucher' }
        default:
          return { phase: 'failed', problem: 'refused' }
      }
  }
}

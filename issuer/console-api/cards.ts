/** Cards in the console: the list of a million, one card's life, and the decisions over it. */
import { sql } from 'kysely'
import { type ClosureOutcome, closeCard, keepCard, remainingValues } from '../card-closure.ts'
import { cardHistory, cardOverview, moneyBackQuestion } from '../card-history.ts'
import { blockForReason, unblockForReason } from '../cards.ts'
import {
  blockedAnswer,
  blockInput,
  cancelCreditInput,
  cancelledAnswer,
  cardDetail,
  cardInput,
  cardsPage,
  cardsQuery,
  closureAnswer,
  historyPage,
  historyQuery,
  keptAnswer,
  moneyBackAnswer,
  moneyBackInput,
  moneyBackQuery,
  moneyBackQuestionAnswer,
  refundInput,
  replaceInput,
} from '../console-contract/cards.ts'
import { mayDo } from '../console-contract/roles.ts'
import { IssuerError } from '../errors.ts'
import { cancelCredit } from '../funding.ts'
import { withIsoTimes } from '../iso-times.ts'
import { giveMoneyBack } from '../money-back.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const closedCards = (state: 'waiting' | 'done') =>
  sql<number>`(SELECT card_no FROM card_closure WHERE state = ${sql.lit(state)})`
const holes = sql<number>`(SELECT count(*) FROM seam WHERE seam.card_no = card.card_no AND before_counter > after_counter + 1)`
const alarms = sql<number>`(SELECT count(*) FROM alarm WHERE alarm.card_no = card.card_no)`
const closing = sql<string | null>`(SELECT max(state) FROM card_closure WHERE card_closure.card_no = card.card_no)`

const list = route({
  method: 'GET',
  path: '/cards',
  permission: 'read',
  summary: 'Lists cards with their shadow balances, holes and alarms.',
  input: cardsQuery,
  output: cardsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('card')
          .select(['card.card_no', 'card_id', 'status', 'mark', 'balance_minor', 'created_at', 'expires_at'])
          .select([holes.as('holes'), alarms.as('alarms'), closing.as('closing')])
          .$if(input.q !== undefined && input.q !== '', (query) =>
            // A range, which the index of ids serves; LIKE would not be served by every collation.
            query.where('card_id', '>=', input.q ?? '').where('card_id', '<', `${input.q}g`),
          )
          .$if(input.status === 'active', (query) =>
            query
              .where('status', '=', 'active')
              .where('card.card_no', 'not in', sql<number>`(SELECT card_no FROM card_closure)`),
          )
          .$if(input.status === 'hotlisted', (query) =>
            query
              .where('status', '=', sql.lit('hotlisted'))
              .where('card.card_no', 'not in', sql<number>`(SELECT card_no FROM card_closure)`),
          )
          .$if(input.status === 'closing', (query) => query.where('card.card_no', 'in', closedCards('waiting')))
          .$if(input.status === 'closed', (query) =>
            query
              .where('card.card_no', 'in', closedCards('done'))
              .where('card.card_no', 'not in', closedCards('waiting')),
          )
          .$if(input.trouble === 'alarms', (query) =>
            query.where('card.card_no', 'in', sql<number>`(SELECT card_no FROM alarm WHERE card_no IS NOT NULL)`),
          )
          .$if(input.trouble === 'holes', (query) =>
            query.where(
              'card.card_no',
              'in',
              sql<number>`(SELECT card_no FROM seam WHERE before_counter > after_counter + 1)`,
            ),
          )
          .$if(input.stock === 'yes', (query) =>
            query.where('mark', '=', 0).where('personalised_at', 'is not', null).where('status', '=', 'active'),
          ),
      sorts: { recent: 'card.card_no', card: 'card_id' },
      key: 'card.card_no',
      show: async (rows, db) => {
        const values = await remainingValues(db, rows)
        return rows.map((row) => ({
          cardId: row.card_id,
          status:
            row.closing === null ? row.status : row.closing === 'done' ? ('closed' as const) : ('closing' as const),
          counter: row.mark,
          balanceMinor: row.balance_minor - (values.get(row.card_no)?.withdrawnMinor ?? 0),
          holes: Number(row.holes),
          alarms: Number(row.alarms),
          ...withIsoTimes({ registeredAt: row.created_at }),
          ...(row.expires_at === null ? {} : withIsoTimes({ expiresAt: row.expires_at })),
        }))
      },
    }),
})

const detail = route({
  method: 'GET',
  path: '/cards/:cardId',
  permission: 'read',
  summary: 'Tells how a card stands: balance, expiry, block, closure, credits, alarms.',
  input: cardInput,
  output: cardDetail,
  handle: async ({ issuer, input }) => {
    const {
      credits,
      alarms: raised,
      paidBackTwice,
      ...card
    } = await issuer.store.read((db) => cardOverview(db, input.cardId))
    return {
      ...withIsoTimes(card),
      credits: [...credits],
      alarms: [...withIsoTimes(raised)],
      paidBackTwice: [...paidBackTwice],
    }
  },
})

const history = route({
  method: 'GET',
  path: '/cards/:cardId/history',
  permission: 'read',
  summary: 'Lists what is known of a card in counter order, with the batch and entry that brought it.',
  input: historyQuery,
  output: historyPage,
  handle: async ({ issuer, input }) => {
    const { cardId, limit, direction, counter } = input
    // Just outside the counter, so that its first line is this page's.
    const before = direction === 'ascending' ? (counter ?? 0) - 1 : (counter ?? 0) + 1
    const after =
      input.after ??
      (counter === undefined || before < 0 ? undefined : `${before}/${direction === 'ascending' ? 9 : 0}/0`)
    const page = await issuer.store.read((db) =>
      cardHistory(db, cardId, { limit, direction, ...(after === undefined ? {} : { after }) }),
    )
    return { ...page, rows: [...withIsoTimes(page.rows)] }
  },
})

const block = route({
  method: 'POST',
  path: '/cards/:cardId/block',
  permission: 'operate',
  summary: 'Puts a card on the hotlist.',
  input: blockInput,
  output: blockedAnswer,
  handle: async ({ issuer, caller, input }) => {
    const { cardId, serial } = await blockForReason(issuer, caller, input)
    return { cardId, ...(serial === undefined ? {} : { serial }) }
  },
})

const unblock = route({
  method: 'POST',
  path: '/cards/:cardId/unblock',
  permission: 'operate',
  summary: 'Takes a card off the hotlist, unless a terminal has blocked it for good.',
  input: blockInput,
  output: blockedAnswer,
  handle: async ({ issuer, caller, input }) => {
    const { cardId, serial } = await unblockForReason(issuer, caller, input)
    return { cardId, ...(serial === undefined ? {} : { serial }) }
  },
})

const closureOf = (outcome: ClosureOutcome) =>
  outcome.outcome === 'done' ? { ...outcome, credits: [...outcome.credits] } : withIsoTimes(outcome)

const replace = route({
  method: 'POST',
  path: '/cards/:cardId/replace',
  permission: 'operate',
  fresh: true,
  summary:
    'Blocks a card and gives its remaining value to another one, after the waiting time or, with finance’s rights too, at the issuer’s risk.',
  input: replaceInput,
  output: closureAnswer,
  handle: async ({ issuer, caller, input }) => {
    // Whose loss it is decides who may: what terminals still hold of the card would be spent twice.
    if (input.atIssuersRisk && !mayDo(caller.role, 'finance'))
      throw new IssuerError(
        'notAllowed',
        'An operator lets the money go when the waiting time is over: ask an administrator to do it now, at the issuer’s risk.',
      )
    return closureOf(await closeCard(issuer, caller, { ...input, kind: 'replace' }))
  },
})

const refund = route({
  method: 'POST',
  path: '/cards/:cardId/refund',
  permission: 'finance',
  fresh: true,
  summary: 'Blocks a card and pays its remaining value out, after the waiting time or at the issuer’s risk.',
  input: refundInput,
  output: closureAnswer,
  handle: async ({ issuer, caller, input }) => closureOf(await closeCard(issuer, caller, { ...input, kind: 'refund' })),
})

const keep = route({
  method: 'POST',
  path: '/cards/:cardId/keep',
  permission: 'operate',
  summary: 'Withdraws a replacement or refund that waits; the card stays blocked.',
  input: blockInput,
  output: keptAnswer,
  handle: ({ issuer, caller, input }) => keepCard(issuer, caller, input),
})

const askMoneyBack = route({
  method: 'GET',
  path: '/cards/:cardId/counters/:counter/money-back',
  permission: 'read',
  summary: 'Says what stands against giving a payment’s money back.',
  input: moneyBackQuery,
  output: moneyBackQuestionAnswer,
  handle: ({ issuer, input }) => issuer.store.read((db) => moneyBackQuestion(db, input.cardId, input.counter)),
})

const moneyBack = route({
  method: 'POST',
  path: '/cards/:cardId/counters/:counter/money-back',
  permission: 'finance',
  fresh: true,
  summary: 'Gives a payment’s money back as a credit of its card, by the rule or at a named party’s risk.',
  input: moneyBackInput,
  output: moneyBackAnswer,
  handle: ({ issuer, caller, input }) => {
    const { atRiskOf, ...about } = input
    return giveMoneyBack(issuer, caller, { ...about, ...(atRiskOf === undefined ? {} : { atRiskOf }) })
  },
})

const withdrawCredit = route({
  method: 'POST',
  path: '/credits/:reference/cancel',
  permission: 'finance',
  fresh: true,
  summary: 'Takes back a credit that was not loaded.',
  input: cancelCreditInput,
  output: cancelledAnswer,
  handle: ({ issuer, caller, input }) => cancelCredit(issuer, caller, input),
})

export const cardRoutes = [
  list,
  detail,
  history,
  block,
  unblock,
  replace,
  refund,
  keep,
  askMoneyBack,
  moneyBack,
  withdrawCredit,
]

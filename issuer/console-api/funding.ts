/** Funding in the console: what stands behind the float, vouchers by the lot, closures that wait. */

import { sql } from 'kysely'
import { isSamePerson } from '../actor.ts'
import {
  addedLotAnswer,
  addLotInput,
  cancelLotInput,
  cancelledLotAnswer,
  closuresPage,
  closuresQuery,
  decisionsAnswer,
  decisionsInput,
  fundingAnswer,
  fundingInput,
  lotsPage,
  lotsQuery,
  paidLotAnswer,
  payLotInput,
  refuseDecisionInput,
  refusedDecisionAnswer,
} from '../console-contract/funding.ts'
import {
  addVoucherLot,
  cancelVoucherLot,
  fundingReport,
  lotOverviews,
  makeVoucherCodes,
  payVoucherLot,
  voucherCsv,
} from '../funding.ts'
import { withIsoTimes } from '../iso-times.ts'
import { fourEyesMinor, isProposalOver, proposalEnd, refuseDecision, waitingDecisions } from '../second-person.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const funding = route({
  method: 'GET',
  path: '/funding',
  permission: 'read',
  summary: 'Tells what stands behind the money on cards: cash, vouchers, credits, and what nobody has paid yet.',
  input: fundingInput,
  output: fundingAnswer,
  handle: ({ issuer }) => issuer.store.read(fundingReport),
})

const lots = route({
  method: 'GET',
  path: '/vouchers',
  permission: 'read',
  summary: 'Lists lots of vouchers: used, open, paid or on trust.',
  input: lotsQuery,
  output: lotsPage,
  handle: ({ issuer, input }) =>
    answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('voucher_lot')
          .selectAll()
          .$if(input.paid === 'yes', (query) => query.where('paid_at', 'is not', null))
          .$if(input.paid === 'no', (query) => query.where('paid_at', 'is', null)),
      sorts: { lot: 'lot_no' },
      key: 'lot_no',
      show: async (rows, db) => [...withIsoTimes(await lotOverviews(db, rows))],
    }),
})

const addLot = route({
  method: 'POST',
  path: '/vouchers',
  permission: 'finance',
  fresh: true,
  summary:
    'Makes a lot of vouchers; the answer holds their codes, and nothing else does. On trust, and over what one person decides: when another one asks for the same.',
  input: addLotInput,
  output: addedLotAnswer,
  handle: async ({ issuer, caller, input }) => {
    const { amountMinor, paidReference } = input
    const expiresAt = Date.parse(`${input.expires}T23:59:59Z`) / 1000
    const codes = makeVoucherCodes(issuer, input.count)
    const lot = await addVoucherLot(issuer, caller, {
      codes,
      amountMinor,
      expiresAt,
      ...(paidReference === undefined ? {} : { paidReference }),
    })
    if ('outcome' in lot) return lot
    return {
      outcome: 'done' as const,
      lotNo: lot.lotNo,
      csv: voucherCsv({ codes, amountMinor, expiresAt, currency: issuer.book.currency }),
    }
  },
})

const payLot = route({
  method: 'POST',
  path: '/vouchers/:lotNo/pay',
  permission: 'finance',
  fresh: true,
  summary: 'Books that the bank told of a lot’s money.',
  input: payLotInput,
  output: paidLotAnswer,
  handle: ({ issuer, caller, input }) => payVoucherLot(issuer, caller, input),
})

const cancelLot = route({
  method: 'POST',
  path: '/vouchers/:lotNo/cancel',
  permission: 'finance',
  fresh: true,
  summary: 'Ends the unused vouchers of a lot that nobody paid.',
  input: cancelLotInput,
  output: cancelledLotAnswer,
  handle: ({ issuer, caller, input }) => cancelVoucherLot(issuer, caller, input),
})

const decisions = route({
  method: 'GET',
  path: '/money-decisions',
  permission: 'read',
  summary: 'Lists vouchers on trust, refunds and money back that wait for a second person, who decides the same.',
  input: decisionsInput,
  output: decisionsAnswer,
  handle: ({ issuer, caller }) =>
    issuer.store.read(async (db) => ({
      fourEyesMinor: await fourEyesMinor(db),
      decisions: (await waitingDecisions(db)).map((each) => ({
        ...withIsoTimes({ ...each, holdsUntilAt: proposalEnd(each.proposedAt) }),
        own: isSamePerson(each.proposedBy, caller.name),
        over: isProposalOver(each.proposedAt, issuer.clock()),
      })),
    })),
})

const refuse = route({
  method: 'POST',
  path: '/money-decisions/:decisionNo/refuse',
  permission: 'finance',
  fresh: true,
  summary: 'Refuses a decision that waits for a second person, or takes it back.',
  input: refuseDecisionInput,
  output: refusedDecisionAnswer,
  handle: ({ issuer, caller, input }) => refuseDecision(issuer, caller, input),
})

const closures = route({
  method: 'GET',
  path: '/closures',
  permission: 'read',
  summary: 'Lists replacements and refunds that wait, and those that are due.',
  input: closuresQuery,
  output: closuresPage,
  handle: ({ issuer, input }) => {
    const now = issuer.clock()
    return answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('card_closure')
          .innerJoin('card', 'card.card_no', 'card_closure.card_no')
          .leftJoin('card as replacement', 'replacement.card_no', 'card_closure.replacement_no')
          .select(['card.card_id', 'kind', 'reason', 'ready_at', 'replacement.card_id as new_id'])
          .where('state', '=', sql.lit('waiting'))
          .$if(input.due === 'yes', (query) => query.where('ready_at', '<=', now)),
      sorts: { ready: 'ready_at' },
      key: 'closure_no',
      show: (rows) =>
        rows.map((row) => ({
          cardId: row.card_id,
          kind: row.kind,
          reason: row.reason,
          ...withIsoTimes({ readyAt: row.ready_at }),
          due: row.ready_at <= now,
          ...(row.new_id === null ? {} : { replacement: row.new_id }),
        })),
    })
  },
})

export const fundingRoutes = [funding, lots, addLot, payLot, cancelLot, decisions, refuse, closures]

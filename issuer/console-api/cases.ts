/** What does not add up, as work in the console: list, one case with its evidence, and what is done with it. */
import { sql } from 'kysely'
import * as v from 'valibot'
import { terminalId } from '../../protocol/quantities.ts'
import { isSamePerson } from '../actor.ts'
import { type CaseState, decisionKinds } from '../case-tables.ts'
import { addCaseNote, approveCase, assignCase, closeCase, decideCase, keepCase, refuseCase } from '../cases/actions.ts'
import { caseRow, requireCase, showCase } from '../cases/case-view.ts'
import { fitsSum } from '../cases/decision-money.ts'
import { readEvidence } from '../cases/evidence.ts'
import { causePlaces } from '../cases/workflow.ts'
import {
  assignInput,
  caseDetail,
  caseDone,
  caseInput,
  casesPage,
  casesQuery,
  casesSummary,
  closeInput,
  decideInput,
  keepInput,
  noteInput,
  refuseInput,
  retireDone,
  retireInput,
} from '../console-contract/cases.ts'
import { causes } from '../explain/case.ts'
import type { Issuer } from '../issuer.ts'
import { retireTerminal } from '../parties.ts'
import { aloneMinorLeft, fourEyesMinor } from '../second-person.ts'
import type { StoreReader } from '../store.ts'
import { businessDay } from './days.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const list = route({
  method: 'GET',
  path: '/cases',
  permission: 'read',
  summary: 'What does not add up, with owner, due date and the sum at risk.',
  input: casesQuery,
  output: casesPage,
  handle: ({ issuer, caller, input }) => {
    const now = issuer.clock()
    const { view, state, cause, owner, terminal, card } = input
    const open = view !== 'closed' && view !== 'all' && state === undefined
    return answerList(issuer, input, {
      select: (db) =>
        db
          .selectFrom('case_file')
          .selectAll()
          .$if(open, (query) => query.where('state', '<>', 'closed'))
          .$if(view === 'closed', (query) => query.where('state', '=', 'closed'))
          .$if(view === 'mine', (query) => query.where('owner', '=', caller.name))
          .$if(view === 'approval', (query) => query.where('state', '=', 'proposed'))
          .$if(view === 'overdue', (query) => query.where('due_at', '<', now))
          .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'open'))
          .$if(cause !== undefined, (query) => query.where('cause', '=', cause ?? ''))
          .$if(owner !== undefined, (query) => query.where('owner', '=', owner ?? ''))
          .$if(terminal !== undefined, (query) => query.where('terminal_id', '=', terminal ?? ''))
          .$if(card !== undefined, (query) => query.where('card_id', '=', card ?? ''))
          .$if(input.q !== undefined, (query) => {
            const typed = (input.q ?? '').trim().toLowerCase()
            const like = `%${typed}%`
            return query.where((eb) =>
              eb.or([
                eb('card_id', 'like', like),
                eb('terminal_id', 'like', like),
                eb(eb.fn('lower', ['merchant']), 'like', like),
                ...(/^\d{1,15}$/.test(typed) ? [eb('case_no', '=', Number(typed))] : []),
              ]),
            )
          }),
      sorts: { due: 'due_at', atRisk: 'at_risk_minor', opened: 'opened_at', case: 'case_no' },
      key: 'case_no',
      show: (rows) => rows.map((row) => caseRow(row, now)),
      csv: {
        fileName: 'exceptions',
        columns: {
          case: (row) => row.caseNo,
          state: (row) => row.state,
          cause: (row) => row.cause,
          reason: (row) => row.reason,
          owner: (row) => row.owner,
          due: (row) => row.dueAt,
          atRiskMinor: (row) => row.atRiskMinor,
          amountMinor: (row) => row.amountMinor,
          suspenseMinor: (row) => row.suspenseMinor,
          holesMinor: (row) => row.holesMinor,
          card: (row) => row.cardId,
          counter: (row) => row.counter,
          lastCounter: (row) => row.lastCounter,
          terminal: (row) => row.terminalId,
          merchant: (row) => row.merchant,
          day: (row) => row.day,
          opened: (row) => row.openedAt,
          closed: (row) => row.closedAt,
          closedBy: (row) => row.closedBy ?? row.closedDocument,
        },
      },
    })
  },
})

const summarise = async (db: StoreReader, now: number) => {
  const rows = await db
    .selectFrom('case_file')
    .select(['cause', 'state'])
    .select((eb) => [
      eb.fn.countAll<number | string>().as('count'),
      eb.fn.sum<number | string>('at_risk_minor').as('at_risk'),
      sql<number | string>`sum(CASE WHEN due_at < ${sql.lit(now)} THEN 1 ELSE 0 END)`.as('overdue'),
    ])
    .where('state', '<>', 'closed')
    .groupBy(['cause', 'state'])
    .execute()
  const owners = await db
    .selectFrom('case_file')
    .select('owner')
    .distinct()
    .where('state', '<>', 'closed')
    .where('owner', 'is not', null)
    .orderBy('owner')
    .execute()
  const sum = (of: readonly (typeof rows)[number][], which: 'count' | 'at_risk' | 'overdue') =>
    of.reduce((total, row) => total + Number(row[which]), 0)
  const inState = (state: CaseState) => rows.filter((row) => row.state === state)
  return {
    count: sum(rows, 'count'),
    overdueCount: sum(rows, 'overdue'),
    approvalCount: sum(inState('proposed'), 'count'),
    atRiskMinor: sum(rows, 'at_risk'),
    causes: causes.flatMap((cause) => {
      const its = rows.filter((row) => row.cause === cause)
      if (its.length === 0) return []
      return [{ cause, title: causePlaces[cause].title, count: sum(its, 'count'), atRiskMinor: sum(its, 'at_risk') }]
    }),
    owners: owners.map(({ owner }) => owner ?? ''),
    fourEyesMinor: await fourEyesMinor(db),
  }
}

const summary = route({
  method: 'GET',
  path: '/cases-summary',
  permission: 'read',
  summary: 'How many cases are not closed, by cause, and what they put at risk.',
  input: v.object({}),
  output: casesSummary,
  handle: ({ issuer }) => issuer.store.read((db) => summarise(db, issuer.clock())),
})

const one = route({
  method: 'GET',
  path: '/cases/:caseNo',
  permission: 'read',
  summary: 'One case with its evidence, what to do, notes, decisions and what happened to it.',
  input: caseInput,
  output: caseDetail,
  handle: ({ issuer, caller, input }) =>
    issuer.store.read(async (db) => {
      const file = await requireCase(db, input.caseNo)
      const shown = await showCase(db, input.caseNo, issuer.clock())
      const { hole, ...rest } = shown
      const isOpen = shown.state === 'open' || shown.state === 'waiting'
      const merchant =
        shown.merchant === undefined
          ? undefined
          : await db.selectFrom('merchant').select('merchant_no').where('name', '=', shown.merchant).executeTakeFirst()
      return {
        ...rest,
        ...(merchant === undefined ? {} : { merchantNo: merchant.merchant_no }),
        notes: [...shown.notes],
        decisions: shown.decisions.map((each) => ({ ...each, own: isSamePerson(each.proposedBy, caller.name) })),
        timeline: [...shown.timeline],
        ...(hole === undefined ? {} : { hole: { ...hole, suspects: [...hole.suspects] } }),
        evidence: await readEvidence(issuer, db, file),
        kinds: isOpen ? decisionKinds.filter((kind) => fitsSum(kind, shown)) : [],
        closable: isOpen && shown.suspenseMinor === 0 && shown.holesMinor === 0,
        aloneMinorLeft: await aloneMinorLeft(db, { name: caller.name, at: issuer.clock() }),
      }
    }),
})

/** What an action answers: the case as it is then. */
const done = async (issuer: Issuer, caseNo: number) => {
  const { case_no, state } = await issuer.store.read((db) => requireCase(db, caseNo))
  return { caseNo: case_no, state }
}

/** The end of a business day, for a due date. */
const endOf = (issuer: Issuer, day: string | undefined) =>
  day === undefined ? {} : { dueAt: businessDay(day, issuer.book.timeZone).ends - 1 }

const note = route({
  method: 'POST',
  path: '/cases/:caseNo/note',
  permission: 'reconcile',
  summary: 'Adds a note to a case.',
  input: noteInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    await addCaseNote(issuer, { caseNo: input.caseNo, by: caller.name, text: input.text })
    return done(issuer, input.caseNo)
  },
})

const assign = route({
  method: 'POST',
  path: '/cases/:caseNo/assign',
  permission: 'reconcile',
  summary: 'Gives a case an owner (none: nobody), and a new due date.',
  input: assignInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    const { caseNo, owner } = input
    await assignCase(issuer, {
      caseNo,
      by: caller.name,
      ...(owner === undefined ? {} : { owner }),
      ...endOf(issuer, input.dueDay),
    })
    return done(issuer, caseNo)
  },
})

const close = route({
  method: 'POST',
  path: '/cases/:caseNo/close',
  permission: 'reconcile',
  summary: 'Closes a case that holds no money, with a note.',
  input: closeInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    await closeCase(issuer, { caseNo: input.caseNo, by: caller.name, text: input.text })
    return done(issuer, input.caseNo)
  },
})

const keep = route({
  method: 'POST',
  path: '/cases/:caseNo/keep',
  permission: 'finance',
  fresh: true,
  summary: 'Leaves the money of a case where it is, with a reason and a new due date.',
  input: keepInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    const { caseNo, reason } = input
    await keepCase(issuer, { caseNo, by: caller.name, reason, ...endOf(issuer, input.dueDay) })
    return done(issuer, caseNo)
  },
})

const decide = route({
  method: 'POST',
  path: '/cases/:caseNo/decide',
  permission: 'finance',
  fresh: true,
  summary: 'Decides where the money of a case goes; over the limit another person approves.',
  input: decideInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    const { caseNo, kind, reason, merchant, cardId } = input
    await decideCase(issuer, {
      caseNo,
      by: caller.name,
      kind,
      reason,
      ...(merchant === undefined ? {} : { merchant }),
      ...(cardId === undefined ? {} : { cardId }),
    })
    return done(issuer, caseNo)
  },
})

const approve = route({
  method: 'POST',
  path: '/cases/:caseNo/approve',
  permission: 'finance',
  fresh: true,
  summary: "Approves another person's decision.",
  input: caseInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    await approveCase(issuer, { caseNo: input.caseNo, by: caller.name })
    return done(issuer, input.caseNo)
  },
})

const refuse = route({
  method: 'POST',
  path: '/cases/:caseNo/refuse',
  permission: 'finance',
  fresh: true,
  summary: 'Refuses a decision that waits for approval.',
  input: refuseInput,
  output: caseDone,
  handle: async ({ issuer, caller, input }) => {
    await refuseCase(issuer, { caseNo: input.caseNo, by: caller.name, reason: input.reason })
    return done(issuer, input.caseNo)
  },
})

const retire = route({
  method: 'POST',
  path: '/terminals/:terminalId/retired',
  permission: 'operate',
  summary: 'Takes a terminal out of use, or into it again: nobody waits for the reports of one that is out of use.',
  input: retireInput,
  output: retireDone,
  handle: async ({ issuer, caller, input }) => {
    const { retired } = input
    await retireTerminal(issuer, { terminalId: terminalId(input.terminalId), retired, by: caller.name })
    return { terminalId: input.terminalId, retired }
  },
})

export const caseRoutes = [list, summary, one, note, assign, close, keep, decide, approve, refuse, retire]

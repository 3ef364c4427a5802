/** Journals of terminals in the console, and the operators who wrote them. */
import * as v from 'valibot'
import { refundDetailsSchema } from '../../protocol/journal.ts'
import {
  addOperatorInput,
  changedOperator,
  type JournalRow,
  journalPage,
  journalQuery,
  operatorsAnswer,
  operatorsInput,
  refundMaxAnswer,
  refundMaxInput,
  removeOperatorInput,
} from '../console-contract/journal.ts'
import { isoTime, withIsoTimes } from '../iso-times.ts'
import { addOperator, listOperators, removeOperator } from '../operators.ts'
import { refundMinorMax, setRefundMinorMax } from '../refunds.ts'
import type { StoreReader } from '../store.ts'
import { dayAfter, dayBegins } from './days.ts'
import { answerList } from './paging.ts'
import { route } from './route.ts'

const entriesOf = (db: StoreReader, terminalId: string) =>
  db
    .selectFrom('journal_entry')
    .innerJoin('terminal', 'terminal.terminal_no', 'journal_entry.terminal_no')
    .select(['entry_no', 'journal_entry.epoch', 'journal_no', 'at', 'act', 'operator_card', 'operator_name', 'details'])
    .select(['journal_entry.received_at', 'journal_entry.terminal_no'])
    .where('terminal_id', '=', terminalId)
type StoredEntry = Awaited<ReturnType<ReturnType<typeof entriesOf>['executeTakeFirstOrThrow']>>

const refundOf = async (db: StoreReader, row: StoredEntry): Promise<JournalRow['refund']> => {
  const details = v.safeParse(refundDetailsSchema, JSON.parse(row.details ?? 'null'))
  if (row.act !== 'refund' || !details.success) return undefined
  const found = await db
    .selectFrom('device_refund')
    .select(['state', 'why'])
    .where('terminal_no', '=', row.terminal_no)
    .where('card_id', '=', details.output.cardId)
    .where('counter', '=', details.output.counter)
    .executeTakeFirst()
  return found && { state: found.state, ...(found.why === null ? {} : { why: found.why }) }
}

const showEntry = async (db: StoreReader, row: StoredEntry): Promise<JournalRow> => {
  const refund = await refundOf(db, row)
  return {
    entryNo: row.entry_no,
    epoch: row.epoch,
    journalNo: row.journal_no,
    at: isoTime(row.at),
    receivedAt: isoTime(row.received_at),
    act: row.act,
    ...(row.operator_name === null ? {} : { operator: row.operator_name }),
    ...(row.operator_card === null ? {} : { operatorCard: row.operator_card }),
    ...(row.details === null ? {} : { details: JSON.parse(row.details) }),
    ...(refund === undefined ? {} : { refund }),
  }
}

const list = route({
  method: 'GET',
  path: '/terminals/:terminalId/journal',
  permission: 'read',
  summary: 'Lists what operators did at a terminal, as its journal says.',
  input: journalQuery,
  output: journalPage,
  handle: async ({ issuer, input }) => {
    const { timeZone } = issuer.book
    const words = `%${(input.operator ?? '').trim().toLowerCase()}%`
    const answer = await answerList(issuer, input, {
      select: (db) =>
        entriesOf(db, input.terminalId)
          .$if(input.act !== undefined, (query) => query.where('act', 'like', `${input.act?.replace(/[%_\\]/g, '')}%`))
          .$if(input.operator !== undefined, (query) =>
            query.where((eb) =>
              eb.or([eb(eb.fn('lower', ['operator_name']), 'like', words), eb('operator_card', 'like', words)]),
            ),
          )
          .$if(input.from !== undefined, (query) => query.where('at', '>=', dayBegins(input.from ?? '', timeZone)))
          .$if(input.until !== undefined, (query) =>
            query.where('at', '<', dayBegins(dayAfter(input.until ?? '', 1), timeZone)),
          ),
      sorts: { entry: 'journal_entry.entry_pk', at: 'journal_entry.at' },
      key: 'journal_entry.entry_pk',
      show: (rows, db) => Promise.all(rows.map((row) => showEntry(db, row))),
    })
    return answer
  },
})

const operators = route({
  method: 'GET',
  path: '/operators',
  permission: 'read',
  summary: 'Lists who may operate terminals, and up to what they give the money of a sale back there.',
  input: operatorsInput,
  output: operatorsAnswer,
  handle: ({ issuer }) =>
    issuer.store.read(async (db) => ({
      operators: (await listOperators(db)).map((each) => {
        const { terminals, ...rest } = withIsoTimes(each)
        return { ...rest, terminals: terminals === 'all' ? terminals : [...terminals] }
      }),
      refundMinorMax: await refundMinorMax(issuer, db),
    })),
})

const add = route({
  method: 'POST',
  path: '/operators',
  permission: 'administer',
  fresh: true,
  summary: 'Lets a card operate terminals; for the same card again: changes its name, role, PIN and terminals.',
  input: addOperatorInput,
  output: changedOperator,
  handle: ({ issuer, caller, input }) => addOperator(issuer, caller, input),
})

const remove = route({
  method: 'POST',
  path: '/operators/:cardId/remove',
  permission: 'administer',
  fresh: true,
  summary: 'Takes that back; each terminal learns of it with its next keyring.',
  input: removeOperatorInput,
  output: changedOperator,
  handle: ({ issuer, caller, input }) => removeOperator(issuer, caller, input.cardId),
})

const refundMax = route({
  method: 'POST',
  path: '/operators/refund-max',
  permission: 'administer',
  fresh: true,
  summary: 'Sets up to what an operator at a terminal gives the money of a sale back; 0: a person decides each.',
  input: refundMaxInput,
  output: refundMaxAnswer,
  handle: async ({ issuer, caller, input }) => {
    await setRefundMinorMax(issuer, caller, input.amountMinor)
    return { refundMinorMax: input.amountMinor }
  },
})

export const journalRoutes = [list, operators, add, refundMax, remove]

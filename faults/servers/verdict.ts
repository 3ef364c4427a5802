/** What must be so at the end: nothing lost, nothing doubled, by figures that were counted apart. */
import { sql } from 'kysely'
import { auditBooks } from '../../issuer/audit.ts'
import { isTaken, openAcknowledgement } from '../../protocol/acknowledgement.ts'
import { openLoadAnswer } from '../../protocol/load.ts'
import type { Document, Oracle, Town } from './town.ts'
import type { Answer, Traffic } from './traffic.ts'

const judgeAnswer = ({ kind, name, terminal }: Document, answer: Answer | undefined): readonly string[] => {
  if (answer === undefined) return [`${name}: never acknowledged`]
  if (kind === 'claim') return []
  if (kind === 'load') {
    const { verdict } = openLoadAnswer(terminal.key(), answer.bytes)
    return verdict === 'authorised' ? [] : [`${name}: ${verdict}`]
  }
  const { verdict, exceptions } = openAcknowledgement(terminal.key(), answer.bytes)
  return [
    ...(isTaken(verdict) ? [] : [`${name}: ${verdict}`]),
    ...exceptions.map(({ entry, reason }) => `${name}, entry ${entry}: ${reason}`),
  ]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The archive holds each batch once, with the answer that its terminal has. */
const judgeArchive = async ({ issuer, documents }: Town, traffic: Traffic): Promise<readonly string[]> => {
  const rows = await issuer.store.read((db) => db.selectFrom('batch').select(['bytes', 'ack']).execute())
  const acks = new Map(rows.map(({ bytes, ack }) => [hex(bytes), hex(ack)]))
  const batches = documents.filter(({ kind }) => kind === 'batch')
  return [
    ...(rows.length === batches.length ? [] : [`${batches.length} batches were sent, ${rows.length} are archived`]),
    ...batches.flatMap((document) => {
      const answer = traffic.answers.get(document)
      return answer !== undefined && acks.get(hex(document.bytes)) === hex(answer.bytes)
        ? []
        : [`${document.name}: its terminal holds another answer than the archive`]
    }),
  ]
}

const differences = (what: string, books: ReadonlyMap<string, number>, oracle: ReadonlyMap<string, number>) =>
  [...new Set([...books.keys(), ...oracle.keys()])]
    .filter((name) => (books.get(name) ?? 0) !== (oracle.get(name) ?? 0))
    .map((name) => `${what} of ${name}: ${books.get(name) ?? 0} in the books, ${oracle.get(name) ?? 0} counted`)

const judgeFigures = ({ issuer, oracle }: Town): Promise<readonly string[]> =>
  issuer.store.read(async (db) => {
    const accounts = await db
      .selectFrom('account')
      .leftJoin('merchant', 'merchant.merchant_no', 'account.merchant_no')
      .select(['kind', 'name', 'balance_minor'])
      .execute()
    const of = (kind: string) =>
      new Map(accounts.filter((row) => row.kind === kind).map((row) => [row.name ?? kind, row.balance_minor]))
    const cards = await db.selectFrom('card').select(['card_id', 'mark', 'balance_minor']).execute()
    const { rows: moves } = await sql<{ cause: string; times: number }>`
      SELECT cause, count(*) AS times FROM transfer WHERE cause IN ('payment', 'load') GROUP BY cause`.execute(db)
    const { rows: settled } = await sql<{ order_type: string; times: number }>`
      SELECT order_type, count(*) AS times FROM settlement GROUP BY order_type`.execute(db)
    const left = await db.selectFrom('seam').select('card_no').execute()
    const alarms = await db.selectFrom('alarm').select('alarm_key').execute()
    return [
      ...differences('sales', of('payable'), oracle.salesMinor),
      ...differences('cash', of('merchantCash'), oracle.cashMinor),
      ...differences('balance', new Map(cards.map((row) => [row.card_id, row.balance_minor])), oracle.balanceMinor),
      ...differences('counter', new Map(cards.map((row) => [row.card_id, row.mark])), oracle.counter),
      ...differences('the account', new Map([...of('suspense'), ...of('holes')]), new Map()),
      ...differences('records', new Map(settled.map((row) => [row.order_type, Number(row.times)])), counted(oracle)),
      ...(moves.length === 2 ? [] : ['some transfers are missing']),
      ...left.map(({ card_no }) => `card ${card_no} has a seam`),
      ...alarms.map(({ alarm_key }) => `alarm ${alarm_key}`),
    ]
  })

const counted = ({ payments, reversals, loads }: Oracle): ReadonlyMap<string, number> =>
  new Map([
    ['payment', payments],
    ['reversal', reversals],
    ['load', loads],
  ])

/** @returns sentences, one for each thing that is wrong */
export const judge = async (town: Town, traffic: Traffic): Promise<readonly string[]> => [
  ...traffic.problems,
  ...town.documents.flatMap((document) => judgeAnswer(document, traffic.answers.get(document))),
  ...(await judgeArchive(town, traffic)),
  ...(await judgeFigures(town)),
  ...(await auditBooks(town.issuer)),
]

/** Every change that a person made: who, when, which one, and what was before and after; and whether the log is whole. */
import { useState } from 'react'
import type * as v from 'valibot'
import { useSearchParams } from 'wouter'
import { type AuditRow, auditPageSchema, chainStateSchema } from '../../console-contract/audit-log.ts'
import { get } from '../api/client.ts'
import { useSession } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { type Column, DataTable, PlainTable } from '../parts/DataTable.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { FilterDay, Filters, FilterText } from '../parts/Filters.tsx'
import { formatCount, formatMoney, formatTime } from '../parts/format.ts'
import { KeyValue, PageHead, Strip } from '../parts/layout.tsx'
import { ShownLink } from '../parts/ShownLink.tsx'
import { useList } from '../parts/use-list.ts'
import { Code, DateTime, None } from '../parts/values.tsx'

interface Difference {
  readonly field: string
  readonly before: string | undefined
  readonly after: string | undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface Book {
  readonly currency: string
  readonly timeZone: string
}

/** The log keeps sums in minor units, moments in seconds or in UTC; who reads it here is shown money and times. */
const textOf = (value: unknown, at: string, { currency, timeZone }: Book): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value === 'string')
    return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? formatTime(new Date(value), timeZone, 0) : value
  if (Number.isSafeInteger(value) && at.endsWith('Minor')) return formatMoney(Number(value), currency)
  if (Number.isSafeInteger(value) && at.endsWith('At')) return formatTime(new Date(Number(value) * 1000), timeZone, 0)
  return JSON.stringify(value)
}

/** Such as "price" of "priceMinor", "due at" of "dueAt": its value says the unit. */
const wordsOf = (field: string): string =>
  field.replace(/Minor$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** Leaves of a value, by their path. */
const leaves = (value: unknown, book: Book, at = ''): readonly (readonly [string, string])[] => {
  if (isRecord(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([name, member]) => leaves(member, book, at === '' ? name : `${at}.${name}`))
  const text = textOf(value, at, book)
  return text === undefined ? [] : [[at === '' ? 'value' : at, text]]
}

/** Fields that differ, in their order. */
const differences = ({ before, after }: AuditRow, book: Book): readonly Difference[] => {
  const [old, now] = [new Map(leaves(before, book)), new Map(leaves(after, book))]
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((field) => ({ field, before: old.get(field), after: now.get(field) }))
    .filter((each) => each.before !== each.after)
}

const inShort = (row: AuditRow, book: Book): string => {
  const [first, ...more] = differences(row, book)
  if (first === undefined) return ''
  const field = wordsOf(first.field)
  const change =
    first.before === undefined
      ? `${field}: ${first.after}`
      : first.after === undefined
        ? `${field}: no longer ${first.before}`
        : `${field}: ${first.before} → ${first.after}`
  const short = change.length > 60 ? `${change.slice(0, 59)}…` : change
  return more.length === 0 ? short : `${short}, and ${more.length} more`
}

function InShort({ row }: { row: AuditRow }) {
  return inShort(row, useSession().book) || <None />
}

const columns: readonly Column<AuditRow>[] = [
  {
    id: 'no',
    title: 'No.',
    sort: 'auditNo',
    cell: (row) => <ShownLink id={String(row.auditNo)}>{formatCount(row.auditNo)}</ShownLink>,
  },
  { id: 'at', title: 'When', cell: (row) => <DateTime at={row.at} /> },
  { id: 'name', title: 'Who', short: true, cell: (row) => row.name },
  { id: 'action', title: 'Action', cell: (row) => <Code>{row.action}</Code> },
  { id: 'subject', title: 'Of', short: true, cell: (row) => row.subject },
  { id: 'change', title: 'Change', wide: true, priority: 2, cell: (row) => <InShort row={row} /> },
]

function ShownRow({ row }: { row: AuditRow }) {
  const changed = differences(row, useSession().book)
  return (
    <div className="stack">
      <KeyValue
        pairs={[
          ['When', <DateTime key="at" at={row.at} />],
          ['Who', row.name],
          ['Action', <Code key="action">{row.action}</Code>],
          ['Of', row.subject],
          [
            'Hash',
            <span key="hash" className="changes">
              <Code>{row.hash}</Code>
            </span>,
          ],
        ]}
      />
      {changed.length === 0 ? (
        <p>This change has no values.</p>
      ) : (
        <div className="changes">
          <PlainTable
            caption="What changed"
            rows={changed}
            rowKey={({ field }) => field}
            columns={[
              { id: 'field', title: 'Field', cell: ({ field }) => wordsOf(field) },
              {
                id: 'before',
                title: 'Before',
                cell: ({ before }) => (before === undefined ? <None /> : <del className="is-before">{before}</del>),
              },
              {
                id: 'after',
                title: 'After',
                cell: ({ after }) => (after === undefined ? <None /> : <ins className="is-after">{after}</ins>),
              },
            ]}
          />
        </div>
      )}
    </div>
  )
}

type Chain = v.InferOutput<typeof chainStateSchema>

function ChainResult({ chain }: { chain: Chain }) {
  if (chain.state !== 'whole') return <Strip tone="bad">{chain.sentence}</Strip>
  return (
    <Strip tone="good">
      The log is whole: each of its {formatCount(chain.rows)} rows follows from the one before. The last hash is{' '}
      <Code>{chain.hash}</Code>; keep it elsewhere to show that nothing was cut off.
    </Strip>
  )
}

export default function AuditLog() {
  const [search, setSearch] = useSearchParams()
  const [chain, setChain] = useState<Chain>()
  const [walking, setWalking] = useState(false)
  const [failure, setFailure] = useState<string>()
  const list = useList({
    path: '/audit-log',
    page: auditPageSchema,
    sort: 'auditNo',
    filters: ['name', 'action', 'subject', 'from', 'until'],
    live: ['audit'],
  })
  const number = search.get('shown')
  const shown = list.rows?.find((row) => String(row.auditNo) === number)
  const close = () =>
    setSearch((old) => {
      const without = new URLSearchParams(old)
      without.delete('shown')
      return without
    })
  const walk = async () => {
    setWalking(true)
    setFailure(undefined)
    try {
      setChain(await get(chainStateSchema, '/audit-log/chain'))
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
    } finally {
      setWalking(false)
    }
  }
  return (
    <>
      <PageHead
        title="Audit log"
        lead="Rows are only ever added, and each one’s hash covers the row before."
        actions={
          <Button busy={walking} onPress={() => void walk()}>
            {walking ? 'Walking the chain …' : 'Check the chain'}
          </Button>
        }
      />
      <div className="stack is-narrow">
        {failure === undefined ? null : <Strip tone="bad">{failure}</Strip>}
        {chain === undefined ? null : <ChainResult chain={chain} />}
        <DataTable
          caption="Changes"
          noun={['change', 'changes']}
          list={list}
          columns={columns}
          rowKey={(row) => row.auditNo}
          empty={{ title: 'No changes yet', text: 'Whatever a person changes, here or by the command, stands here.' }}
          filters={
            <Filters list={list}>
              <FilterText list={list} name="name" label="Who" />
              <FilterText list={list} name="action" label="Action" />
              <FilterText list={list} name="subject" label="Of" />
              <FilterDay list={list} name="from" label="From" />
              <FilterDay list={list} name="until" label="Until" />
            </Filters>
          }
        />
      </div>
      <Dialog title={`Change ${shown?.auditNo ?? ''}`} open={shown !== undefined} onClose={close} drawer="end">
        {shown === undefined ? null : <ShownRow row={shown} />}
      </Dialog>
    </>
  )
}

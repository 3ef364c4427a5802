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
import { formatCount } from '../parts/format.ts'
import { KeyValue, PageHead, Strip } from '../parts/layout.tsx'
import { ShownLink } from '../parts/ShownLink.tsx'
import { useList } from '../parts/use-list.ts'
import { Code, DateTime, None } from '../parts/values.tsx'
import { differences, inShort, wordsOf } from './audit-changes.ts'

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

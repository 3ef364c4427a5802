/** One batch: its header, its chain, what its terminal says and what became of it, down to each entry. */
import {
  type BatchDetail,
  batchDetail,
  type EntryRow,
  entriesPage,
  type joints,
} from '../../console-contract/batches.ts'
import { useApi } from '../api/query.ts'
import type { PageProperties } from '../areas.ts'
import { type Column, DataTable, PlainTable } from '../parts/DataTable.tsx'
import { FilterSelect, Filters } from '../parts/Filters.tsx'
import { formatCount } from '../parts/format.ts'
import { Card, KeyValue, PageHead, Strip } from '../parts/layout.tsx'
import { BatchLink, CardLink, EntryLink, MerchantLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Code, Count, DateTime, Money, type Tone } from '../parts/values.tsx'
import { WordBadge } from '../parts/WordBadge.tsx'
import { orderWord, reasonWord, statusOptions, statusWord, verdictWord } from '../parts/words.ts'

const proofSays: Readonly<Record<string, readonly [string, Tone]>> = {
  right: ['Right', 'good'],
  wrong: ['Wrong', 'bad'],
  none: ['None', 'quiet'],
}

export function Proof({ proof }: { proof: string | undefined }) {
  const [title, tone] = proofSays[proof ?? ''] ?? ['–', 'quiet']
  return <Badge tone={tone}>{title}</Badge>
}

function Check({ right, says: [good, bad] }: { right: boolean; says: readonly [string, string] }) {
  return <Badge tone={right ? 'good' : 'bad'}>{right ? good : bad}</Badge>
}

type Joint = (typeof joints)[number]

function Neighbour({ joint, batch, step }: { joint: Joint; batch: BatchDetail; step: -1 | 1 }) {
  const beside = { terminalId: batch.terminalId, epoch: batch.epoch, batchNo: batch.batchNo + step }
  if (joint === 'end') return step === -1 ? 'It is the first of its epoch' : 'None came after it yet'
  if (joint === 'missing')
    return (
      <span className="inline">
        <Badge tone="warn">Missing</Badge> {`${beside.epoch}/${beside.batchNo} never came`}
      </span>
    )
  return (
    <span className="inline">
      {joint === 'breaks' ? <Badge tone="bad">Broken</Badge> : <Badge tone="good">Follows</Badge>}
      <BatchLink {...beside} short />
    </span>
  )
}

const columns: readonly Column<EntryRow & { batch: BatchDetail }>[] = [
  {
    id: 'entry',
    title: 'Entry',
    sort: 'entry',
    cell: ({ batch, entry }) => (
      <EntryLink terminalId={batch.terminalId} epoch={batch.epoch} batchNo={batch.batchNo} entry={entry} />
    ),
  },
  {
    id: 'type',
    title: 'Order',
    cell: (row) => (row.type === undefined ? '–' : orderWord(row.type).title),
  },
  {
    id: 'status',
    title: 'Status',
    cell: (row) => <WordBadge word={statusWord(row.status ?? 'unreadable')} />,
  },
  { id: 'proof', title: 'Proof', priority: 2, cell: (row) => <Proof proof={row.proof} /> },
  {
    id: 'exception',
    title: 'Exception',
    wide: true,
    cell: (row) => (row.exception === undefined ? null : <WordBadge word={reasonWord(row.exception)} />),
  },
  {
    id: 'card',
    title: 'Card',
    cell: (row) => (row.cardId === undefined ? null : <CardLink id={row.cardId} />),
  },
  { id: 'counter', title: 'Counter', align: 'end', priority: 3, cell: (row) => <Count of={row.counter} /> },
  { id: 'ordered', title: 'Ordered', priority: 3, cell: (row) => <DateTime at={row.orderedAt} /> },
  { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
]

function Entries({ batch }: { batch: BatchDetail }) {
  const list = useList({
    path: `/batches/${batch.terminalId}/${batch.epoch}/${batch.batchNo}/entries`,
    page: entriesPage,
    sort: 'entry',
    direction: 'ascending',
    filters: ['status', 'exceptions'],
    live: [],
  })
  const withBatch = { ...list, rows: list.rows?.map((row) => ({ ...row, batch })) }
  return (
    <DataTable
      caption="Entries of this batch"
      noun={['entry', 'entries']}
      list={withBatch}
      columns={columns}
      rowKey={(row) => row.entry}
      rowHref={(row) =>
        pathTo.entry({ terminalId: batch.terminalId, epoch: batch.epoch, batchNo: batch.batchNo, entry: row.entry })
      }
      empty={{ title: 'No entries', text: 'The terminal sealed a batch without any: it only says that it is there.' }}
      filters={
        <Filters list={list}>
          <FilterSelect list={list} name="status" label="Status" options={statusOptions} />
          <FilterSelect list={list} name="exceptions" label="Exceptions" options={[['some', 'Some']]} />
        </Filters>
      }
    />
  )
}

function Detail({ batch }: { batch: BatchDetail }) {
  const broken = !batch.whole || batch.before === 'breaks' || batch.after === 'breaks'
  return (
    <>
      <PageHead
        title={`${batch.terminalId}/${batch.epoch}/${batch.batchNo}`}
        code
        trail={[['Batches', '/batches']]}
        badge={<WordBadge word={verdictWord(batch.verdict)} />}
      />
      <div className="stack">
        {batch.sealRight ? null : (
          <Strip tone="bad">
            The seal of the archived bytes is wrong: the store was changed behind the issuer’s back.
          </Strip>
        )}
        {broken ? <Strip tone="bad">Its chain is broken: a ledger was changed, or went back to a copy.</Strip> : null}
        <div className="columns">
          <Card title="Batch">
            <KeyValue
              pairs={[
                ['Terminal', <TerminalLink key="terminal" id={batch.terminalId} />],
                ['Merchant', <MerchantLink key="merchant" no={batch.merchantNo} name={batch.merchant} />],
                ['Received', <DateTime key="received" at={batch.receivedAt} />],
                ['Epoch', batch.epoch],
                ['Number', batch.batchNo],
                ['Entries', `${formatCount(batch.firstEntry)} to ${formatCount(batch.firstEntry + batch.entries - 1)}`],
                ['Accepted', `${formatCount(batch.accepted)} of ${formatCount(batch.entries)}`],
                ['Size', `${formatCount(batch.bytes)} bytes`],
                ['Key version', batch.keyVersion],
                ['Seal', <Check key="seal" right={batch.sealRight} says={['Right', 'Wrong']} />],
                ['Chain within', <Check key="chain" right={batch.whole} says={['Whole', 'Broken']} />],
                ['Before it', <Neighbour key="before" joint={batch.before} batch={batch} step={-1} />],
                ['After it', <Neighbour key="after" joint={batch.after} batch={batch} step={1} />],
              ]}
            />
            <dl className="pairs is-one">
              <div>
                <dt>Head before</dt>
                <dd>
                  <Code>{batch.previousHead}</Code>
                </dd>
              </div>
              <div>
                <dt>Head after</dt>
                <dd>
                  <Code>{batch.head}</Code>
                </dd>
              </div>
            </dl>
          </Card>
          <Card title="What is in it" flush>
            <PlainTable
              caption="Entries by status"
              rows={batch.statuses}
              rowKey={(row) => row.status}
              columns={[
                {
                  id: 'status',
                  title: 'Status',
                  wide: true,
                  cell: (row) => <WordBadge word={statusWord(row.status)} />,
                },
                { id: 'count', title: 'Entries', align: 'end', cell: (row) => <Count of={row.count} /> },
                { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
              ]}
            />
            {batch.reasons.length === 0 ? null : (
              <PlainTable
                caption="Exceptions by reason"
                rows={batch.reasons}
                rowKey={(row) => row.reason}
                columns={[
                  {
                    id: 'reason',
                    title: 'Exception',
                    wide: true,
                    cell: (row) => <WordBadge word={reasonWord(row.reason)} />,
                  },
                  { id: 'count', title: 'Entries', align: 'end', cell: (row) => <Count of={row.count} /> },
                ]}
              />
            )}
          </Card>
        </div>
        <Entries batch={batch} />
      </div>
    </>
  )
}

export default function Batch({ terminalId = '', epoch = '', batchNo = '' }: PageProperties) {
  const path = [terminalId, epoch, batchNo].map(encodeURIComponent).join('/')
  const answer = useApi(batchDetail, `/batches/${path}`, { live: ['batches'] })
  return (
    <Answer
      of={answer}
      lines={10}
      head={{ title: `${terminalId}/${epoch}/${batchNo}`, above: ['Batches', '/batches'], code: true }}
    >
      {(batch) => <Detail batch={batch} />}
    </Answer>
  )
}

/** One entry: its record as the card made it, its proof, and what was booked for it. */
import { Link } from 'wouter'
import { type EntryDetail, entryDetail } from '../../console-contract/batches.ts'
import { useApi } from '../api/query.ts'
import type { PageProperties } from '../areas.ts'
import { PlainTable } from '../parts/DataTable.tsx'
import { Icon } from '../parts/Icon.tsx'
import { Card, KeyValue, PageHead, Strip } from '../parts/layout.tsx'
import { CardLink, DocumentLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { Code, Count, DateTime, Money } from '../parts/values.tsx'
import { WordBadge } from '../parts/WordBadge.tsx'
import { accountWord, orderWord, reasonWord, sourceWord, statusWord } from '../parts/words.ts'
import { Proof } from './Batch.tsx'

interface At {
  readonly terminalId: string
  readonly epoch: number
  readonly batchNo: number
}

/** "payable Harbour Museum" as "Merchants payable: Harbour Museum". */
const accountName = (account: string): string => {
  const [kind = '', ...merchant] = account.split(' ')
  const { title } = accountWord(kind)
  return merchant.length === 0 ? title : `${title}: ${merchant.join(' ')}`
}

function Neighbours({ entry, at }: { entry: EntryDetail; at: At }) {
  return (
    <>
      {entry.entry > entry.first ? (
        <Link className="button" href={pathTo.entry({ ...at, entry: entry.entry - 1 })}>
          <Icon name="left" /> Entry before
        </Link>
      ) : null}
      {entry.entry < entry.last ? (
        <Link className="button" href={pathTo.entry({ ...at, entry: entry.entry + 1 })}>
          Next entry <Icon name="right" />
        </Link>
      ) : null}
    </>
  )
}

function ProofCard({ entry }: { entry: EntryDetail }) {
  const says =
    entry.proof === 'right'
      ? 'The card itself made this record: its settlement MAC was computed anew and is the same.'
      : entry.proof === 'wrong'
        ? 'The card did not make this record, or it was changed since: its settlement MAC computed anew is another.'
        : 'The terminal saw no settlement MAC: the entry moves no money by itself.'
  return (
    <Card title="Proof">
      <KeyValue
        pairs={[
          ['Settlement MAC', <Proof key="proof" proof={entry.proof} />],
          ['Card', entry.cardKnown ? 'issued here' : 'was never issued here'],
          ['Card’s key version', entry.cardKeyVersion],
        ]}
      />
      <p className="card-says">{says}</p>
      <dl className="pairs is-one">
        <div>
          <dt>Record, 80 bytes</dt>
          <dd>
            <Code>{entry.recordHex}</Code>
          </dd>
        </div>
        <div>
          <dt>Settlement MAC, 16 bytes</dt>
          <dd>
            <Code>{entry.settlementMacHex}</Code>
          </dd>
        </div>
      </dl>
    </Card>
  )
}

function RecordCard({ entry }: { entry: EntryDetail }) {
  if (entry.cardId === undefined)
    return (
      <Card title="Record">
        <p>Its bytes are not laid out as an entry: nothing of it can be read.</p>
      </Card>
    )
  const { item } = entry
  return (
    <Card title="Record">
      <KeyValue
        pairs={[
          ['Order', orderWord(entry.type ?? '').title],
          ['Amount', <Money key="amount" minor={entry.amountMinor} strong />],
          ['Currency', entry.currency],
          ['Card', <CardLink key="card" id={entry.cardId} />],
          ['Counter', <Count key="counter" of={entry.counter} />],
          ['Balance after it', <Money key="balance" minor={entry.balanceAfterMinor} />],
          ['Ordered', <DateTime key="ordered" at={entry.orderedAt} />],
          ['Resolved', entry.resolvedAt === undefined ? undefined : <DateTime key="resolved" at={entry.resolvedAt} />],
          [
            'Terminal of the order',
            entry.orderTerminalId === undefined ? undefined : (
              <TerminalLink key="terminal" id={entry.orderTerminalId} />
            ),
          ],
          ['Its number there', entry.orderSeq],
          ['Undoes counter', entry.reference],
          [
            'Item',
            item === undefined ? (
              entry.itemHash === undefined ? undefined : (
                'never published here'
              )
            ) : (
              <Link key="item" href={pathTo.item(item.itemId)}>{`${item.title}, version ${item.version}`}</Link>
            ),
          ],
          ['Its price', item === undefined ? undefined : <Money key="price" minor={item.priceMinor} />],
        ]}
      />
    </Card>
  )
}

function BookedCard({ entry }: { entry: EntryDetail }) {
  const { settled } = entry
  return (
    <Card title="What was booked" flush>
      <div className="card-lead">
        {settled === undefined ? (
          <p>Nothing stands at this counter of the card.</p>
        ) : settled.sameRecord ? (
          <p>
            This record stands at its counter, brought by {sourceWord(settled.source).title.toLowerCase()},{' '}
            <DateTime at={settled.settledAt} />.
          </p>
        ) : (
          <p>Another record of the card stands at this counter: this one was not booked.</p>
        )}
      </div>
      {entry.postings.length === 0 ? null : (
        <PlainTable
          caption="Transfers for this counter of the card"
          rows={entry.postings}
          rowKey={(row) => row.transferNo}
          columns={[
            { id: 'no', title: 'Transfer', cell: (row) => <span className="figure">{row.transferNo}</span> },
            { id: 'from', title: 'From', cell: (row) => accountName(row.from) },
            { id: 'to', title: 'To', cell: (row) => accountName(row.to) },
            { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
            { id: 'cause', title: 'Cause', priority: 3, cell: (row) => row.cause },
            { id: 'document', title: 'By', priority: 2, cell: (row) => <DocumentLink name={row.document} /> },
            { id: 'booked', title: 'Booked', priority: 3, cell: (row) => <DateTime at={row.bookedAt} /> },
          ]}
        />
      )}
    </Card>
  )
}

function Detail({ entry, at }: { entry: EntryDetail; at: At }) {
  const word = entry.exception === undefined ? undefined : reasonWord(entry.exception)
  return (
    <>
      <PageHead
        title={`Entry ${entry.entry}`}
        trail={[
          ['Batches', '/batches'],
          [`${at.terminalId}/${at.epoch}/${at.batchNo}`, pathTo.batch(at)],
        ]}
        badge={
          <>
            <WordBadge word={statusWord(entry.status ?? 'unreadable')} />
            {word === undefined ? null : <WordBadge word={word} />}
          </>
        }
        lead={statusWord(entry.status ?? 'unreadable').says}
        actions={<Neighbours entry={entry} at={at} />}
      />
      <div className="stack">
        {word === undefined ? null : (
          <Strip tone={word.tone === 'bad' ? 'bad' : 'warn'}>
            {word.title}: {word.says}
          </Strip>
        )}
        <div className="columns">
          <div className="stack">
            <RecordCard entry={entry} />
            <BookedCard entry={entry} />
          </div>
          <ProofCard entry={entry} />
        </div>
      </div>
    </>
  )
}

export default function Entry({ terminalId = '', epoch = '', batchNo = '', entry = '' }: PageProperties) {
  const path = [terminalId, epoch, batchNo].map(encodeURIComponent).join('/')
  const answer = useApi(entryDetail, `/batches/${path}/entries/${encodeURIComponent(entry)}`, { live: ['batches'] })
  return (
    <Answer of={answer} lines={10} head={{ title: `Entry ${entry}`, above: ['Batches', '/batches'] }}>
      {(found) => <Detail entry={found} at={{ terminalId, epoch: Number(epoch), batchNo: Number(batchNo) }} />}
    </Answer>
  )
}

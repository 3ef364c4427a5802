/** One terminal: when it reported, what it sold, what it may hold, what went wrong, and its enrolment. */
import { useState } from 'react'
import { Link } from 'wouter'
import {
  type BatchRow,
  batchesPage,
  type EntryExceptionRow,
  entryExceptionsPage,
} from '../../console-contract/batches.ts'
import { type EnrolmentCode, enrolmentCodeSchema } from '../../console-contract/enrolment.ts'
import { namedTerminal, type TerminalDetail, terminalDetail } from '../../console-contract/terminals.ts'
import { post } from '../api/client.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import type { PageProperties } from '../areas.ts'
import { Button } from '../parts/Button.tsx'
import { Chart } from '../parts/Chart.tsx'
import { type Column, DataTable, PlainTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters } from '../parts/Filters.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { formatDay, formatMoney, formatMoneyShort } from '../parts/format.ts'
import { Card, KeyValue, PageHead, Stat, Stats, Strip, Tabs } from '../parts/layout.tsx'
import { BatchLink, CardLink, DocumentLink, EntryLink, MerchantLink, pathTo } from '../parts/links.tsx'
import { TerminalJournal, TerminalOperators } from '../parts/Operators.tsx'
import { Answer } from '../parts/states.tsx'
import { useList } from '../parts/use-list.ts'
import { useNow } from '../parts/use-now.ts'
import { useTab } from '../parts/use-tab.ts'
import { Age, Badge, Code, Count, DateTime, Money } from '../parts/values.tsx'
import { WordBadge } from '../parts/WordBadge.tsx'
import { alarmWord, reasonOptions, reasonWord, verdictWord } from '../parts/words.ts'

function State({ terminal }: { terminal: TerminalDetail }) {
  if (terminal.retired) return <Badge>Retired</Badge>
  if (terminal.epoch === 0) return <Badge>Not enrolled</Badge>
  return terminal.silent ? <Badge tone="warn">Silent</Badge> : <Badge tone="good">Reporting</Badge>
}

function EnrolmentCodeAction({ terminal }: { terminal: TerminalDetail }) {
  const [made, setMade] = useState<EnrolmentCode>()
  const again = terminal.epoch > 0
  return (
    <>
      <ConfirmAction
        button={again ? 'Enrol again' : 'Make enrolment code'}
        kind={again ? 'plain' : 'primary'}
        title={again ? 'Enrol this terminal again?' : 'Make its enrolment code?'}
        says={
          <>
            <p>A one-time code is shown once. It stands for 15 minutes; an earlier one is void.</p>
            {again ? (
              <p>
                The code begins epoch {terminal.epoch + 1}. If the terminal comes without its ledger, codes and tickets
                that it may have sold are withheld until their sales arrive.
              </p>
            ) : null}
          </>
        }
        confirm="Make the code"
        act={async () =>
          setMade(await post(enrolmentCodeSchema, `/terminals/${terminal.terminalId}/enrolment-code`, {}))
        }
      />
      <Dialog title="Enrolment code" open={made !== undefined} onClose={() => setMade(undefined)}>
        <p className="dialog-text">Carry it to the terminal now. It is not shown again.</p>
        <p className="code-once">{made?.code}</p>
        <p className="soft">
          It stands until <DateTime at={made?.expiresAt} />.
        </p>
      </Dialog>
    </>
  )
}

function RenameAction({ terminal }: { terminal: TerminalDetail }) {
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const rename = useChange(namedTerminal, `/terminals/${terminal.terminalId}/name`)
  const begin = () => {
    setName(terminal.name ?? '')
    setOpen(true)
  }
  return (
    <>
      <Button onPress={begin}>{terminal.name === undefined ? 'Name it' : 'Rename'}</Button>
      <Dialog title="Name of this terminal" open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Save name"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            await rename.mutateAsync({ name })
            setOpen(false)
          }}
        >
          <TextField
            label="Name"
            hint="What people call it, such as Pier 3. Empty: it goes by its id."
            autoFocus
            maxLength={60}
            value={name}
            onChange={setName}
          />
        </Form>
      </Dialog>
    </>
  )
}

function Figures({ terminal }: { terminal: TerminalDetail }) {
  const { exposure } = terminal
  return (
    <Stats>
      <Stat
        label="Sales today"
        value={<Money minor={terminal.salesToday.amountMinor} />}
        note={`${terminal.salesToday.count} sales`}
      />
      <Stat
        label="Sales, 7 days"
        value={<Money minor={terminal.salesWeek.amountMinor} />}
        note={`${terminal.salesWeek.count} sales`}
      />
      <Stat
        label="Last contact"
        {...(terminal.silent ? { tone: 'warn' as const } : {})}
        value={terminal.reportedAt === undefined ? 'Never' : <Age since={terminal.reportedAt} />}
        note={
          terminal.lastBatchAt === undefined ? (
            'No batch ever came'
          ) : (
            <>
              last sales <DateTime at={terminal.lastBatchAt} />
            </>
          )
        }
      />
      <Stat
        label="May hold"
        value={exposure === undefined ? '–' : <Money minor={exposure.expected.amountMinor} />}
        note={
          exposure === undefined
            ? 'No sales to go by'
            : `about ${exposure.expected.count} sales, by the ${exposure.basisDays} days before its last contact`
        }
      />
      <Stat
        label="Exceptions"
        {...(terminal.exceptions > 0 ? { tone: 'warn' as const } : {})}
        value={<Count of={terminal.exceptions} />}
        note={`${terminal.alarms.length} alarms`}
      />
    </Stats>
  )
}

function SalesByDay({ terminal }: { terminal: TerminalDetail }) {
  const { currency } = useSession().book
  const now = useNow()
  return (
    <Chart
      title="Sales by day, 30 days"
      labelTitle="Day"
      height={180}
      labels={terminal.days.map(({ day }) => formatDay(day, now).replace(/^\w+ /, ''))}
      series={[
        {
          title: 'Sales',
          color: '--series-1',
          shape: 'bars',
          values: terminal.days.map(({ amountMinor }) => amountMinor),
        },
      ]}
      format={(minor) => formatMoney(minor, currency)}
      formatShort={(minor) => formatMoneyShort(minor, currency)}
    />
  )
}

const batchColumns: readonly Column<BatchRow>[] = [
  { id: 'batch', title: 'Batch', cell: (row) => <BatchLink {...row} short /> },
  { id: 'received', title: 'Received', sort: 'received', cell: (row) => <DateTime at={row.receivedAt} /> },
  { id: 'verdict', title: 'Verdict', priority: 2, cell: (row) => <WordBadge word={verdictWord(row.verdict)} /> },
  { id: 'entries', title: 'Entries', sort: 'entries', align: 'end', cell: (row) => <Count of={row.entries} /> },
  { id: 'exceptions', title: 'Exceptions', align: 'end', cell: (row) => <Count of={row.exceptions} /> },
]

function Batches({ terminalId }: { terminalId: string }) {
  const list = useList({
    path: '/batches',
    page: batchesPage,
    sort: 'received',
    fixed: { terminal: terminalId },
    filters: ['exceptions'],
    live: ['batches'],
    scope: 'batches',
    limit: 25,
  })
  return (
    <DataTable
      caption="Batches of this terminal"
      noun={['batch', 'batches']}
      list={list}
      columns={batchColumns}
      rowKey={(row) => `${row.epoch}/${row.batchNo}`}
      rowHref={pathTo.batch}
      empty={{
        title: 'No batch yet',
        text: 'The first one comes when the terminal is enrolled, has sold something, and syncs.',
      }}
      filters={
        <Filters list={list}>
          <FilterSelect list={list} name="exceptions" label="Exceptions" options={[['some', 'Some']]} />
        </Filters>
      }
    />
  )
}

const exceptionColumns: readonly Column<EntryExceptionRow>[] = [
  { id: 'entry', title: 'Entry', cell: (row) => <EntryLink {...row} /> },
  { id: 'reason', title: 'Reason', cell: (row) => <WordBadge word={reasonWord(row.reason)} /> },
  { id: 'noted', title: 'Noted', sort: 'noted', cell: (row) => <DateTime at={row.notedAt} /> },
  { id: 'batch', title: 'Batch', priority: 2, cell: (row) => <BatchLink {...row} short /> },
  {
    id: 'card',
    title: 'Card',
    priority: 3,
    cell: (row) => (row.cardId === undefined ? null : <CardLink id={row.cardId} />),
  },
  { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
]

function Exceptions({ terminalId }: { terminalId: string }) {
  const list = useList({
    path: '/entry-exceptions',
    page: entryExceptionsPage,
    sort: 'noted',
    fixed: { terminal: terminalId },
    filters: ['reason'],
    live: ['batches'],
    scope: 'exceptions',
    limit: 25,
  })
  return (
    <DataTable
      caption="Exceptions of this terminal"
      noun={['exception', 'exceptions']}
      list={list}
      columns={exceptionColumns}
      rowKey={(row) => row.exceptionNo}
      rowHref={pathTo.entry}
      empty={{ title: 'No exceptions', text: 'Every entry of this terminal could be booked as it is.' }}
      filters={
        <Filters list={list}>
          <FilterSelect list={list} name="reason" label="Reason" options={reasonOptions} />
        </Filters>
      }
    />
  )
}

function Alarms({ terminal }: { terminal: TerminalDetail }) {
  return (
    <Card flush>
      {terminal.alarms.length === 0 ? (
        <p className="card-note">No alarm was ever raised about this terminal.</p>
      ) : (
        <PlainTable
          caption="Alarms"
          rows={terminal.alarms}
          rowKey={(row) => `${row.kind} ${row.document} ${row.raisedAt}`}
          columns={[
            { id: 'kind', title: 'Alarm', cell: (row) => <WordBadge word={alarmWord(row.kind)} /> },
            { id: 'says', title: 'What it says', wide: true, cell: (row) => alarmWord(row.kind).says },
            { id: 'raised', title: 'Raised', cell: (row) => <DateTime at={row.raisedAt} /> },
            { id: 'document', title: 'Document', priority: 3, cell: (row) => <DocumentLink name={row.document} /> },
          ]}
        />
      )}
    </Card>
  )
}

const tabs = ['batches', 'exceptions', 'alarms', 'journal', 'operators'] as const

function Detail({ terminal }: { terminal: TerminalDetail }) {
  const mayOperate = useMay('operate')
  const [tab, setTab] = useTab(tabs)
  return (
    <>
      <PageHead
        title={terminal.name ?? terminal.terminalId}
        code={terminal.name === undefined}
        trail={[['Terminals', '/terminals']]}
        badge={<State terminal={terminal} />}
        lead={
          <>
            <MerchantLink no={terminal.merchantNo} name={terminal.merchant} />
            {terminal.name === undefined ? null : (
              <>
                {' '}
                <Code>{terminal.terminalId}</Code>
              </>
            )}
          </>
        }
        actions={
          mayOperate ? (
            <>
              <RenameAction terminal={terminal} />
              <EnrolmentCodeAction terminal={terminal} />
            </>
          ) : undefined
        }
      />
      <div className="stack">
        {terminal.missingBatches > 0 ? (
          <Strip tone="warn">
            {terminal.missingBatches} {terminal.missingBatches === 1 ? 'batch' : 'batches'} before a later one never
            came: sync the terminal, it sends again what is asked for.
          </Strip>
        ) : null}
        <Figures terminal={terminal} />
        <div className="columns">
          <Card title="Sales by day">
            <SalesByDay terminal={terminal} />
          </Card>
          <Card title="Terminal">
            <KeyValue
              pairs={[
                ['Added', <DateTime key="added" at={terminal.createdAt} />],
                ['Epoch', terminal.epoch === 0 ? 'never enrolled' : terminal.epoch],
                ['Key version', terminal.keyVersion],
                ['Batches', <Count key="batches" of={terminal.batches} />],
                [
                  'Enrolment code',
                  terminal.codeExpiresAt === undefined ? (
                    'none stands'
                  ) : (
                    <>
                      stands until <DateTime at={terminal.codeExpiresAt} />
                    </>
                  ),
                ],
                [
                  'Codes withheld',
                  terminal.withheld.length === 0
                    ? 'none'
                    : terminal.withheld.map((unit) => (
                        <span key={unit.itemId} className="inline">
                          <Link href={pathTo.item(unit.itemId)}>{unit.itemId}</Link>
                          {`${unit.count} for`} <Money minor={unit.amountMinor} />
                        </span>
                      )),
                ],
              ]}
            />
          </Card>
        </div>
        <div>
          <Tabs
            label="About this terminal"
            at={tab}
            onChange={setTab}
            tabs={[
              { id: 'batches', title: 'Batches', count: terminal.batches },
              { id: 'exceptions', title: 'Exceptions', count: terminal.exceptions },
              { id: 'alarms', title: 'Alarms', count: terminal.alarms.length },
              { id: 'journal', title: 'Journal' },
              { id: 'operators', title: 'Operators' },
            ]}
          >
            {tab === 'batches' ? <Batches terminalId={terminal.terminalId} /> : null}
            {tab === 'exceptions' ? <Exceptions terminalId={terminal.terminalId} /> : null}
            {tab === 'alarms' ? <Alarms terminal={terminal} /> : null}
            {tab === 'journal' ? <TerminalJournal terminalId={terminal.terminalId} /> : null}
            {tab === 'operators' ? <TerminalOperators terminalId={terminal.terminalId} /> : null}
          </Tabs>
        </div>
      </div>
    </>
  )
}

export default function Terminal({ terminalId = '' }: PageProperties) {
  const answer = useApi(terminalDetail, `/terminals/${encodeURIComponent(terminalId)}`, {
    live: ['batches', 'terminals'],
  })
  return (
    <Answer of={answer} lines={10} head={{ title: terminalId, above: ['Terminals', '/terminals'], code: true }}>
      {(terminal) => <Detail terminal={terminal} />}
    </Answer>
  )
}

/** All terminals: who reports, who is silent, and what each sold. */
import { useState } from 'react'
import { useLocation } from 'wouter'
import { addedTerminal, type TerminalRow, terminalsPage } from '../../console-contract/terminals.ts'
import { useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { Icon } from '../parts/Icon.tsx'
import { PageHead } from '../parts/layout.tsx'
import { MerchantLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Code, Count, DateTime, Money } from '../parts/values.tsx'

function State({ row }: { row: TerminalRow }) {
  if (row.retired) return <Badge>Retired</Badge>
  if (row.epoch === 0) return <Badge>Not enrolled</Badge>
  if (row.silent) return <Badge tone="warn">Silent</Badge>
  return <Badge tone="good">Reporting</Badge>
}

const columns: readonly Column<TerminalRow>[] = [
  {
    id: 'terminal',
    title: 'Kiosk',
    sort: 'terminal',
    cell: (row) =>
      row.name === undefined ? (
        <TerminalLink id={row.terminalId} />
      ) : (
        <span className="two-lines">
          <TerminalLink id={row.terminalId} />
          <span className="soft">
            <Code>{row.terminalId}</Code>
          </span>
        </span>
      ),
  },
  {
    id: 'merchant',
    title: 'Merchant',
    sort: 'merchant',
    wide: true,
    cell: (row) => <MerchantLink no={row.merchantNo} name={row.merchant} />,
  },
  { id: 'state', title: 'State', cell: (row) => <State row={row} /> },
  {
    id: 'reported',
    title: 'Last contact',
    sort: 'reported',
    cell: (row) => <DateTime at={row.reportedAt} relative />,
  },
  {
    id: 'lastBatch',
    title: 'Last sales',
    priority: 3,
    cell: (row) => <DateTime at={row.lastBatchAt} relative />,
  },
  { id: 'epoch', title: 'Epoch', align: 'end', priority: 3, cell: (row) => <Count of={row.epoch} /> },
  {
    id: 'today',
    title: 'Sales today',
    align: 'end',
    priority: 2,
    cell: (row) => <Count of={row.salesToday.count} />,
  },
  { id: 'todayAmount', title: 'Today', align: 'end', cell: (row) => <Money minor={row.salesToday.amountMinor} /> },
  {
    id: 'weekAmount',
    title: '7 days',
    sort: 'sales',
    align: 'end',
    cell: (row) => <Money minor={row.salesWeek.amountMinor} />,
  },
  {
    id: 'exceptions',
    title: 'Exceptions',
    align: 'end',
    priority: 2,
    cell: (row) => <Count of={row.exceptions} />,
  },
]

function AddTerminal() {
  const [open, setOpen] = useState(false)
  const [merchant, setMerchant] = useState('')
  const [name, setName] = useState('')
  const [, navigate] = useLocation()
  const add = useChange(addedTerminal, '/terminals')
  return (
    <>
      <Button kind="primary" onPress={() => setOpen(true)}>
        <Icon name="plus" /> Add terminal
      </Button>
      <Dialog title="Add a terminal" open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Add terminal"
          onCancel={() => setOpen(false)}
          onSubmit={async () => navigate(pathTo.terminal((await add.mutateAsync({ merchant, name })).terminalId))}
        >
          <TextField
            label="Merchant"
            hint="To whom its sales are paid. Its id is made here; then its enrolment code is."
            required
            autoFocus
            value={merchant}
            onChange={setMerchant}
          />
          <TextField
            label="Name"
            hint="What people call it, such as Pier 3. It may stay empty."
            value={name}
            onChange={setName}
            maxLength={60}
          />
        </Form>
      </Dialog>
    </>
  )
}

export default function Terminals() {
  const mayOperate = useMay('operate')
  const list = useList({
    path: '/terminals',
    page: terminalsPage,
    sort: 'reported',
    filters: ['q', 'state'],
    live: ['batches', 'terminals'],
  })
  return (
    <>
      <PageHead title="Terminals" actions={mayOperate ? <AddTerminal /> : undefined} />
      <DataTable
        caption="Terminals"
        noun={['terminal', 'terminals']}
        list={list}
        columns={columns}
        rowKey={(row) => row.terminalId}
        rowHref={(row) => pathTo.terminal(row.terminalId)}
        empty={{
          title: 'No terminals yet',
          text: 'A terminal belongs to a merchant and is enrolled with a one-time code. It stands here as soon as it is added.',
        }}
        filters={
          <Filters list={list}>
            <FilterText list={list} name="q" label="Terminal, name or merchant" />
            <FilterSelect
              list={list}
              name="state"
              label="State"
              options={[
                ['reporting', 'Reporting'],
                ['silent', 'Silent'],
                ['neverEnrolled', 'Not enrolled'],
                ['retired', 'Retired'],
              ]}
            />
          </Filters>
        }
      />
    </>
  )
}

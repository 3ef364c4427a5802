/** Who may operate a terminal, and what they did there: two lists of its page. */
import { useState } from 'react'
import {
  changedOperator,
  type JournalRow,
  journalPage,
  type OperatorRow,
  operatorsAnswer,
} from '../../console-contract/journal.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { Button } from './Button.tsx'
import { type Column, DataTable, PlainTable } from './DataTable.tsx'
import { ConfirmAction, Dialog } from './Dialog.tsx'
import { FilterDay, Filters, FilterText } from './Filters.tsx'
import { Form, SelectField, TextField } from './Form.tsx'
import { Card } from './layout.tsx'
import { CardLink } from './links.tsx'
import { Answer } from './states.tsx'
import { useList } from './use-list.ts'
import { DateTime, Money, None } from './values.tsx'
import { WordBadge } from './WordBadge.tsx'
import { actWord, refundWord } from './words.ts'

/** "unsyncedCount" is "unsynced count". */
const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** First what became of it: what is long is cut off. */
function RefundDetails({ row }: { row: JournalRow }) {
  const { details = {}, refund } = row
  const word = refund && refundWord(refund.state)
  return (
    <>
      {word === undefined ? null : <WordBadge word={{ ...word, says: refund?.why ?? word.says }} />}{' '}
      <Money minor={Number(details.amountMinor)} /> <CardLink id={String(details.cardId)} />{' '}
      {`#${details.counter}: ${details.reason}`}
    </>
  )
}

/** What the day took; the sums of all time, from which the next close counts, are in the export. */
function DayCloseDetails({ details }: { details: NonNullable<JournalRow['details']> }) {
  const { no, sales, salesMinor, netMinor, cashLoadsMinor } = details
  return (
    <>
      {`No. ${no}: ${sales} ${sales === 1 ? 'sale' : 'sales'}, `}
      <Money minor={Number(salesMinor)} />, less returns <Money minor={Number(netMinor)} />; cash for loads{' '}
      <Money minor={Number(cashLoadsMinor)} />
    </>
  )
}

function Details({ row }: { row: JournalRow }) {
  const { details } = row
  if (details === undefined) return <None />
  if (row.refund !== undefined) return <RefundDetails row={row} />
  if (row.act === 'dayClose') return <DayCloseDetails details={details} />
  return Object.entries(details).map(([name, value], index) => (
    <span key={name}>
      {index === 0 ? '' : ', '}
      {name.endsWith('Minor') && typeof value === 'number' ? (
        <>
          {inWords(name.slice(0, -'Minor'.length))}: <Money minor={value} />
        </>
      ) : (
        `${inWords(name)}: ${value}`
      )}
    </span>
  ))
}

const journalColumns: readonly Column<JournalRow>[] = [
  { id: 'entry', title: 'Entry', sort: 'entry', cell: (row) => `${row.epoch}/${row.entryNo}` },
  { id: 'at', title: 'When', sort: 'at', cell: (row) => <DateTime at={row.at} /> },
  { id: 'act', title: 'Act', cell: (row) => <WordBadge word={actWord(row.act)} /> },
  { id: 'operator', title: 'Operator', short: true, cell: (row) => row.operator ?? <None says="nobody" /> },
  { id: 'details', title: 'Details', wide: true, cell: (row) => <Details row={row} /> },
  { id: 'received', title: 'Received', priority: 3, cell: (row) => <DateTime at={row.receivedAt} /> },
]

export function TerminalJournal({ terminalId }: { terminalId: string }) {
  const list = useList({
    path: `/terminals/${encodeURIComponent(terminalId)}/journal`,
    page: journalPage,
    sort: 'entry',
    filters: ['act', 'operator', 'from', 'until'],
    live: ['audit'],
    scope: 'journal',
    limit: 25,
  })
  return (
    <DataTable
      caption="Journal of this terminal"
      noun={['act', 'acts']}
      list={list}
      columns={journalColumns}
      rowKey={(row) => `${row.epoch}/${row.entryNo}/${row.journalNo}`}
      empty={{ title: 'No journal yet', text: 'What operators do at this terminal stands here after its next sync.' }}
      filters={
        <Filters list={list}>
          <FilterText list={list} name="act" label="Act" />
          <FilterText list={list} name="operator" label="Operator" />
          <FilterDay list={list} name="from" label="From" />
          <FilterDay list={list} name="until" label="Until" />
        </Filters>
      }
    />
  )
}

const placeOf = ({ terminals }: OperatorRow): string => {
  if (terminals === 'all') return 'all terminals'
  return terminals.length === 1 ? 'this one' : `${terminals.length} terminals`
}

const roleWords = { operator: 'Operator', technician: 'Technician' } as const

const blank = { cardId: '', name: '', pin: '', role: 'operator' as OperatorRow['role'], where: 'here' }

function AddOperator({ terminalId }: { terminalId: string }) {
  const [open, setOpen] = useState(false)
  const [fields, setFields] = useState(blank)
  const add = useChange(changedOperator, '/operators')
  const set = (changed: Partial<typeof blank>) => setFields((before) => ({ ...before, ...changed }))
  const begin = () => {
    setFields(blank)
    setOpen(true)
  }
  return (
    <>
      <Button onPress={begin}>Add operator</Button>
      <Dialog title="Operator of this terminal" open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Add operator"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            const { cardId, name, pin, role, where } = fields
            const terminals = where === 'all' ? where : [terminalId]
            await add.mutateAsync({ cardId: cardId.trim().toLowerCase(), name, pin, role, terminals })
            setOpen(false)
          }}
        >
          <TextField
            label="Card"
            hint="The id of a card of yours, 16 hex digits. It opens the operator mode together with the PIN."
            autoFocus
            maxLength={16}
            value={fields.cardId}
            onChange={(cardId) => set({ cardId })}
          />
          <TextField label="Name" maxLength={60} value={fields.name} onChange={(name) => set({ name })} />
          <TextField
            label="PIN"
            hint="6 to 12 digits. Only a salted hash of it is kept, and goes to the terminal."
            type="password"
            inputMode="numeric"
            autoComplete="new-password"
            maxLength={12}
            value={fields.pin}
            onChange={(pin) => set({ pin })}
          />
          <SelectField
            label="Role"
            value={fields.role}
            options={[
              ['operator', `${roleWords.operator}: everything`],
              ['technician', `${roleWords.technician}: the machine, and no money`],
            ]}
            onChange={(role) => set({ role: role === 'technician' ? role : 'operator' })}
          />
          <SelectField
            label="Where"
            value={fields.where}
            options={[
              ['here', 'At this terminal alone'],
              ['all', 'At all terminals'],
            ]}
            onChange={(where) => set({ where })}
          />
        </Form>
      </Dialog>
    </>
  )
}

function RemoveOperator({ operator }: { operator: OperatorRow }) {
  const remove = useChange(changedOperator, `/operators/${operator.cardId}/remove`)
  return (
    <ConfirmAction
      button="Remove"
      small
      title={`Remove ${operator.name}?`}
      says={<p>The card opens no operator mode any more: each terminal learns of it with its next sync.</p>}
      confirm="Remove operator"
      danger
      act={() => remove.mutateAsync({})}
    />
  )
}

export function TerminalOperators({ terminalId }: { terminalId: string }) {
  const mayAdminister = useMay('administer')
  const answer = useApi(operatorsAnswer, '/operators', { live: ['audit'] })
  return (
    <Answer of={answer} lines={4}>
      {({ operators, refundMinorMax }) => {
        const here = operators.filter(({ terminals }) => terminals === 'all' || terminals.includes(terminalId))
        return (
          <div className="stack">
            <Card
              flush
              {...(mayAdminister ? { aside: <AddOperator terminalId={terminalId} /> } : {})}
              title="Operators"
            >
              {here.length === 0 ? (
                <p className="card-note">Nobody may enter the operator mode of this terminal.</p>
              ) : (
                <PlainTable
                  caption="Operators of this terminal"
                  rows={here}
                  rowKey={(row) => row.cardId}
                  columns={[
                    { id: 'name', title: 'Name', wide: true, cell: (row) => row.name },
                    { id: 'role', title: 'Role', cell: (row) => roleWords[row.role] },
                    { id: 'card', title: 'Card', cell: (row) => <CardLink id={row.cardId} /> },
                    {
                      id: 'where',
                      title: 'Where',
                      priority: 2,
                      cell: (row) => placeOf(row),
                    },
                    { id: 'since', title: 'Since', priority: 3, cell: (row) => <DateTime at={row.addedAt} /> },
                    {
                      id: 'remove',
                      title: 'Action',
                      align: 'end',
                      cell: (row) => (mayAdminister ? <RemoveOperator operator={row} /> : null),
                    },
                  ]}
                />
              )}
            </Card>
            <p className="soft">
              An operator at a terminal gives the money of a sale back up to <Money minor={refundMinorMax} />; over it
              the refund becomes a case.
            </p>
          </div>
        )
      }}
    </Answer>
  )
}

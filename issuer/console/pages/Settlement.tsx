/** Settlement: close periods, see what that does before, pay, and find every statement again. */
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { type MerchantRow, merchantsPage } from '../../console-contract/merchants.ts'
import {
  closeAnswer,
  closeDayAnswer,
  madeRun,
  type RunRow,
  runsPage,
  type Settlement as Standing,
  settlementSchema,
} from '../../console-contract/settlement.ts'
import { partySchema, statementSchema } from '../../console-contract/statement.ts'
import { addressOf } from '../api/client.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { Icon } from '../parts/Icon.tsx'
import { Card, KeyValue, PageHead, Stat, Stats, Strip, Tabs } from '../parts/layout.tsx'
import { MerchantLink } from '../parts/links.tsx'
import { Periods } from '../parts/Periods.tsx'
import { StatementView } from '../parts/StatementView.tsx'
import { Answer } from '../parts/states.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Code, Count, DateTime, Day, Money, None } from '../parts/values.tsx'

function Sums({ standing }: { standing: Standing }) {
  const { payableMinor, cashOwedMinor, unpaid, unpayableMinor, openMerchants, lastClosedDay, yesterday } = standing
  return (
    <Stats>
      <Stat
        label="Owed to merchants"
        value={<Money minor={payableMinor} />}
        href="/merchants?state=owed"
        note={
          unpayableMinor === 0 ? (
            'bank accounts known'
          ) : (
            <Link href="/merchants?state=noBankAccount">
              <Money minor={unpayableMinor} /> without bank account
            </Link>
          )
        }
      />
      <Stat
        label="Cash owed by them"
        value={<Money minor={cashOwedMinor} />}
        href="/merchants?state=owing"
        note="taken for loads"
      />
      <Stat
        label="To close"
        value={<Count of={openMerchants} />}
        note={
          <>
            merchants, until <Day day={yesterday} />
          </>
        }
        {...(openMerchants > 0 ? { tone: 'warn' } : {})}
      />
      <Stat
        label="Payouts in no file"
        value={<Money minor={unpaid.amountMinor} />}
        note={unpaid.count === 1 ? '1 payout' : `${unpaid.count} payouts`}
        href="/settlement?tab=periods&periods.state=unpaid"
        {...(unpaid.count > 0 ? { tone: 'warn' } : {})}
      />
      <Stat
        label="Days closed until"
        value={lastClosedDay === undefined ? <None says="none" /> : <Day day={lastClosedDay} />}
        note={
          <>
            open: <Day day={standing.openDay} />
          </>
        }
      />
    </Stats>
  )
}

/** What closing a merchant's period would do, before it is done. */
function Preview({
  merchantNo,
  untilDay,
  mayClose,
  back,
}: {
  merchantNo: number
  untilDay: string
  mayClose: boolean
  back: () => void
}) {
  const answer = useApi(statementSchema, '/settlement/preview', { query: { merchantNo, untilDay }, live: ['books'] })
  return (
    <div className="stack">
      <div className="page-title">
        <Button onPress={back}>
          <Icon name="left" /> All merchants
        </Button>
        {answer.data === undefined ? null : (
          <>
            <h2 className="section-title">
              {answer.data.merchant.name}, <Day day={answer.data.fromDay} /> to <Day day={untilDay} />
            </h2>
            <Badge tone="note">Preview: nothing is booked</Badge>
            {mayClose ? (
              <div className="page-actions">
                <CloseButton
                  untilDay={untilDay}
                  merchant={{ merchantNo, merchant: answer.data.merchant.name }}
                  count={1}
                  done={back}
                />
              </div>
            ) : null}
          </>
        )}
      </div>
      <Answer of={answer} lines={10}>
        {(statement) => <StatementView statement={statement} merchantNo={merchantNo} />}
      </Answer>
    </div>
  )
}

/** @param merchantNo absent: all of them */
function CloseButton({
  untilDay,
  merchant,
  count,
  done,
}: {
  untilDay: string
  merchant?: Pick<MerchantRow, 'merchantNo' | 'merchant'>
  /** How many are to be closed. */
  count: number
  done?: () => void
}) {
  const close = useChange(closeAnswer, '/settlement/close')
  const whose = merchant === undefined ? `the periods of ${count} merchants` : `the period of ${merchant.merchant}`
  return (
    <ConfirmAction
      kind="primary"
      button={merchant === undefined ? `Close all (${count})` : 'Close this period'}
      title={`Close ${whose} until ${untilDay}`}
      says={
        <>
          <p>
            Fees are charged, cash for loads is set off, and the rest is booked as paid. The days until then are closed
            for the whole book.
          </p>
          <p>
            It cannot be undone. What comes later for these days goes into the next period; what is held and what waits
            for a person is carried over.
          </p>
        </>
      }
      confirm={merchant === undefined ? 'Close the periods' : 'Close the period'}
      disabled={count === 0}
      act={async () => {
        await close.mutateAsync({ untilDay, ...(merchant === undefined ? {} : { merchantNo: merchant.merchantNo }) })
        done?.()
      }}
    />
  )
}

const columnsFor = (untilDay: string, look: (row: MerchantRow) => void): readonly Column<MerchantRow>[] => [
  {
    id: 'merchant',
    title: 'Merchant',
    sort: 'merchant',
    wide: true,
    cell: (row) => <MerchantLink no={row.merchantNo} name={row.merchant} />,
  },
  {
    id: 'payable',
    title: 'Owed to merchant',
    sort: 'payable',
    align: 'end',
    cell: (row) => <Money minor={row.payableMinor} />,
  },
  { id: 'cash', title: 'Cash owed', sort: 'cash', align: 'end', cell: (row) => <Money minor={row.cashOwedMinor} /> },
  {
    id: 'bank',
    title: 'Bank account',
    priority: 2,
    cell: (row) => (row.hasBankAccount ? <Badge tone="good">Known</Badge> : <Badge tone="warn">Missing</Badge>),
  },
  {
    id: 'closed',
    title: 'Closed until',
    cell: (row) => (row.closedUntil === undefined ? <None says="never" /> : <Day day={row.closedUntil} />),
  },
  {
    id: 'preview',
    title: 'Next period',
    align: 'end',
    cell: (row) =>
      row.closedUntil !== undefined && row.closedUntil >= untilDay ? (
        <Badge tone="good">Closed</Badge>
      ) : (
        <Button small onPress={() => look(row)}>
          Preview
        </Button>
      ),
  },
]

function Open({ standing, mayClose }: { standing: Standing; mayClose: boolean }) {
  const [search, setSearch] = useSearchParams()
  const untilDay = search.get('until') ?? standing.yesterday
  const setUntilDay = (day: string) => setSearch({ until: day }, { replace: true })
  const list = useList({
    path: '/merchants',
    page: merchantsPage,
    sort: 'payable',
    filters: ['q', 'state'],
    live: ['books'],
  })
  const closeDays = useChange(closeDayAnswer, '/settlement/days/close')
  const looked = search.get('preview')
  if (looked !== null)
    return (
      <Preview
        merchantNo={Number(looked)}
        untilDay={untilDay}
        mayClose={mayClose}
        back={() => setSearch({ until: untilDay })}
      />
    )
  return (
    <div className="stack">
      <Card>
        <div className="page-title">
          <label className="filter is-set">
            Close until
            <input
              type="date"
              value={untilDay}
              max={standing.yesterday}
              onChange={(event) => setUntilDay(event.target.value)}
            />
          </label>
          <span className="hint">A day can be closed when it is over.</span>
          {mayClose ? (
            <div className="page-actions">
              <ConfirmAction
                button="Close days only"
                title={`Close all days until ${untilDay}`}
                says={
                  <p>
                    Their figures are written down and never change. What comes later goes into the open day. No
                    merchant is paid by this.
                  </p>
                }
                confirm="Close days"
                act={() => closeDays.mutateAsync({ day: untilDay })}
              />
              <CloseButton untilDay={untilDay} count={standing.openMerchants} />
            </div>
          ) : null}
        </div>
      </Card>
      <DataTable
        caption="Merchants to close"
        noun={['merchant', 'merchants']}
        list={list}
        columns={columnsFor(untilDay, (row) => setSearch({ until: untilDay, preview: String(row.merchantNo) }))}
        rowKey={(row) => row.merchantNo}
        empty={{ title: 'No merchants yet', text: 'Add one on the page Merchants.' }}
        filters={
          <Filters list={list}>
            <FilterText list={list} name="q" label="Name" />
            <FilterSelect
              list={list}
              name="state"
              label="Only"
              options={[
                ['owed', 'Owed money'],
                ['owing', 'Owing money'],
                ['noBankAccount', 'Without a bank account'],
              ]}
            />
          </Filters>
        }
      />
    </div>
  )
}

const bankFields = [
  ['name', 'Name', 'As the bank knows the issuer.'],
  ['iban', 'IBAN', 'From which merchants are paid.'],
  ['bic', 'BIC', 'Only where the bank asks for it.'],
  ['street', 'Street and number', undefined],
  ['postcode', 'Postcode', undefined],
  ['town', 'Town', undefined],
  ['country', 'Country', 'Two letters, such as AT.'],
] as const

function EditBank({ bank }: { bank: Standing['bank'] }) {
  const [open, setOpen] = useState(false)
  const [changed, setChanged] = useState<Readonly<Record<string, string>>>({})
  const change = useChange(partySchema, '/settlement/bank')
  return (
    <>
      <Button small onPress={() => setOpen(true)}>
        {bank === undefined ? 'Set' : 'Change'}
      </Button>
      <Dialog title="From which account merchants are paid" open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Save"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            await change.mutateAsync({ name: bank?.name ?? '', ...changed })
            setOpen(false)
          }}
        >
          {bankFields.map(([name, label, hint]) => (
            <TextField
              key={name}
              label={label}
              {...(hint === undefined ? {} : { hint })}
              value={changed[name] ?? bank?.[name] ?? ''}
              onChange={(value) => setChanged({ ...changed, [name]: value })}
            />
          ))}
        </Form>
      </Dialog>
    </>
  )
}

const runColumns: readonly Column<RunRow>[] = [
  {
    id: 'run',
    title: 'File',
    sort: 'run',
    cell: (row) => (
      <a href={addressOf(`/payment-runs/${row.runNo}/file`)} download>
        {`No. ${row.runNo}`}
      </a>
    ),
  },
  { id: 'message', title: 'Message', wide: true, cell: (row) => <Code>{row.messageId}</Code> },
  { id: 'execution', title: 'To be paid on', cell: (row) => <Day day={row.executionDay} /> },
  { id: 'count', title: 'Payments', align: 'end', cell: (row) => <Count of={row.count} /> },
  { id: 'sum', title: 'Sum', align: 'end', cell: (row) => <Money minor={row.sumMinor} /> },
  { id: 'made', title: 'Made', priority: 2, cell: (row) => <DateTime at={row.madeAt} /> },
  { id: 'by', title: 'By', priority: 3, cell: (row) => row.madeBy },
]

function Payments({ standing, mayPay }: { standing: Standing; mayPay: boolean }) {
  const { bank, unpaid } = standing
  const make = useChange(madeRun, '/payment-runs')
  const list = useList({ path: '/payment-runs', page: runsPage, sort: 'run', live: ['books'], scope: 'runs' })
  return (
    <div className="stack">
      <Card title="The issuer’s account" aside={mayPay ? <EditBank bank={bank} /> : undefined}>
        {bank === undefined ? (
          <p className="hint">It is not known yet from which account to pay: no file can be made.</p>
        ) : (
          <KeyValue
            pairs={[
              ['Name', bank.name],
              [
                'IBAN',
                bank.iban === undefined ? <None key="iban" says="not known" /> : <Code key="iban">{bank.iban}</Code>,
              ],
              ['BIC', bank.bic],
              ['Town', bank.town],
            ]}
          />
        )}
      </Card>
      <DataTable
        caption="Payment files"
        noun={['payment file', 'payment files']}
        list={list}
        columns={runColumns}
        rowKey={(row) => row.runNo}
        empty={{
          title: 'No payment file yet',
          text: 'A file (ISO 20022 pain.001) gathers the payouts that are in none yet, each once. The bank takes it.',
        }}
        actions={
          mayPay ? (
            <ConfirmAction
              small
              kind={unpaid.count > 0 ? 'primary' : 'plain'}
              button={`Make a file (${unpaid.count})`}
              title="Make a payment file"
              says={
                <p>
                  {unpaid.count} payouts, <Money minor={unpaid.amountMinor} /> together. The file can be fetched as
                  often as needed and is always the same; no payout comes into another one.
                </p>
              }
              confirm="Make it"
              disabled={unpaid.count === 0}
              act={() => make.mutateAsync({})}
            />
          ) : undefined
        }
      />
    </div>
  )
}

const tabs = [
  { id: 'open', title: 'To close' },
  { id: 'periods', title: 'Statements' },
  { id: 'payments', title: 'Payments' },
] as const

export default function Settlement() {
  const answer = useApi(settlementSchema, '/settlement', { live: ['books'] })
  const may = useMay('finance')
  const [search, setSearch] = useSearchParams()
  const at = tabs.find(({ id }) => id === search.get('tab'))?.id ?? 'open'
  return (
    <>
      <PageHead title="Settlement" />
      <Answer of={answer} lines={8}>
        {(standing) => (
          <div className="stack">
            {standing.trialBalanceMinor === 0 ? null : (
              <Strip tone="bad">The books do not balance: close nothing, and call whoever runs the issuer.</Strip>
            )}
            <Sums standing={standing} />
            <div>
              <Tabs label="Settlement" tabs={tabs} at={at} onChange={(id) => setSearch({ tab: id })}>
                {at === 'open' ? <Open standing={standing} mayClose={may} /> : null}
                {at === 'periods' ? <Periods /> : null}
                {at === 'payments' ? <Payments standing={standing} mayPay={may} /> : null}
              </Tabs>
            </div>
            <p className="hint">
              All movements of money stand in the <Link href="/ledger?tab=journal">journal</Link>.
            </p>
          </div>
        )}
      </Answer>
    </>
  )
}

/** One merchant: whom to pay and how, what is owed, fees, terminals, periods, movements. */
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { feesAnswer, type MerchantDetail, merchantDetail, payInAnswer } from '../../console-contract/merchants.ts'
import { partySchema } from '../../console-contract/statement.ts'
import { percentOf } from '../../console-contract/statement-lines.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import { Brand } from '../parts/Brand.tsx'
import { Button } from '../parts/Button.tsx'
import { PlainTable } from '../parts/DataTable.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { Journal } from '../parts/Journal.tsx'
import { Card, KeyValue, PageHead, Stat, Stats, Strip, Tabs } from '../parts/layout.tsx'
import { pathTo, TerminalLink } from '../parts/links.tsx'
import { minorOf } from '../parts/minor.ts'
import { Periods } from '../parts/Periods.tsx'
import { paymentsOf } from '../parts/StatementView.tsx'
import { Answer } from '../parts/states.tsx'
import { Code, Count, DateTime, Day, Money, None } from '../parts/values.tsx'

const fields = [
  ['legalName', 'Legal name', 'As the bank knows it.'],
  ['street', 'Street and number', undefined],
  ['postcode', 'Postcode', undefined],
  ['town', 'Town', undefined],
  ['country', 'Country', 'Two letters, such as AT.'],
  ['iban', 'IBAN', 'Its check digits are checked.'],
  ['bic', 'BIC', 'Only where the bank is outside of SEPA.'],
] as const

function EditDetails({ merchant }: { merchant: MerchantDetail }) {
  const [open, setOpen] = useState(false)
  const [changed, setChanged] = useState<Readonly<Record<string, string>>>({})
  const change = useChange(partySchema, `/merchants/${merchant.merchantNo}/details`)
  return (
    <>
      <Button small onPress={() => setOpen(true)}>
        Change
      </Button>
      <Dialog title={`Whom to pay: ${merchant.merchant}`} open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Save"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            await change.mutateAsync(changed)
            setOpen(false)
            setChanged({})
          }}
        >
          {fields.map(([name, label, hint]) => (
            <TextField
              key={name}
              label={label}
              {...(hint === undefined ? {} : { hint })}
              value={changed[name] ?? merchant.party[name] ?? ''}
              onChange={(value) => setChanged({ ...changed, [name]: value })}
            />
          ))}
        </Form>
      </Dialog>
    </>
  )
}

function SetFee({ merchant, today }: { merchant: MerchantDetail; today: string }) {
  const { currency } = useSession().book
  const [open, setOpen] = useState(false)
  const [percent, setPercent] = useState(String((merchant.fee?.basisPoints ?? 0) / 100))
  const [fixed, setFixed] = useState('')
  const [fromDay, setFromDay] = useState(today)
  const change = useChange(feesAnswer, `/merchants/${merchant.merchantNo}/fee`)
  return (
    <>
      <Button small onPress={() => setOpen(true)}>
        Set a fee
      </Button>
      <Dialog title={`Fee of ${merchant.merchant}`} open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Set"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            const basisPoints = minorOf(percent, 2)
            await change.mutateAsync({ basisPoints, fixedMinor: fixed === '' ? 0 : minorOf(fixed, currency), fromDay })
            setOpen(false)
          }}
        >
          <TextField
            label="Per cent of sales"
            hint="Of sales less reversals, at most two decimals."
            value={percent}
            onChange={setPercent}
            inputMode="decimal"
            required
          />
          <TextField
            label={`For each sale, ${currency}`}
            hint="A sale that is reversed costs nothing."
            value={fixed}
            onChange={setFixed}
            inputMode="decimal"
          />
          <TextField label="From" type="date" value={fromDay} onChange={setFromDay} required />
        </Form>
      </Dialog>
    </>
  )
}

function PayIn({ merchant }: { merchant: MerchantDetail }) {
  const { currency } = useSession().book
  const [open, setOpen] = useState(false)
  const [amount, setAmount] = useState('')
  const [document, setDocument] = useState('')
  const pay = useChange(payInAnswer, `/merchants/${merchant.merchantNo}/cash`)
  return (
    <>
      <Button onPress={merchant.cashOwedMinor > 0 ? () => setOpen(true) : undefined}>Note cash paid in</Button>
      <Dialog title={`Cash from ${merchant.merchant}`} open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Note it"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            await pay.mutateAsync({ amountMinor: minorOf(amount, currency), document })
            setOpen(false)
            setAmount('')
          }}
        >
          <p className="dialog-text">
            Owed: <Money minor={merchant.cashOwedMinor} /> of cash that customers gave for loads.
          </p>
          <TextField label={`Amount, ${currency}`} value={amount} onChange={setAmount} inputMode="decimal" required />
          <TextField label="What the bank’s statement calls it" value={document} onChange={setDocument} required />
        </Form>
      </Dialog>
    </>
  )
}

function Fees({ merchant, mayChange }: { merchant: MerchantDetail; mayChange: boolean }) {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: useSession().book.timeZone }).format()
  return (
    <Card title="Fees" aside={mayChange ? <SetFee merchant={merchant} today={today} /> : undefined} flush>
      {merchant.fees.length === 0 ? (
        <p className="card-body hint">No fee was set: sales are free.</p>
      ) : (
        <PlainTable
          caption="Fees"
          rows={merchant.fees.toReversed()}
          rowKey={({ fromDay }) => fromDay}
          columns={[
            { id: 'from', title: 'From', wide: true, cell: (fee) => <Day day={fee.fromDay} /> },
            { id: 'percent', title: 'Of sales', align: 'end', cell: (fee) => percentOf(fee.basisPoints) },
            { id: 'fixed', title: 'Each sale', align: 'end', cell: (fee) => <Money minor={fee.fixedMinor} /> },
          ]}
        />
      )}
    </Card>
  )
}

function Standing({ merchant }: { merchant: MerchantDetail }) {
  return (
    <Stats>
      <Stat
        label="Owed to merchant"
        value={<Money minor={merchant.payableMinor} />}
        href={pathTo.account(merchant.payableAccountNo)}
        note="all that is booked and not paid"
      />
      <Stat
        label="Held of it"
        value={<Money minor={merchant.heldMinor} />}
        note={paymentsOf(merchant.heldCount)}
        {...(merchant.heldCount > 0 ? { tone: 'warn' } : {})}
      />
      <Stat
        label="Cash owed"
        value={<Money minor={merchant.cashOwedMinor} />}
        href={pathTo.account(merchant.cashAccountNo)}
        note="taken for loads"
      />
      <Stat
        label="Closed until"
        value={merchant.closedUntil === undefined ? <None says="never" /> : <Day day={merchant.closedUntil} />}
        href="/settlement"
        note="settlement"
      />
    </Stats>
  )
}

function About({ merchant, mayChange }: { merchant: MerchantDetail; mayChange: boolean }) {
  const { party } = merchant
  const place = [party.postcode, party.town].filter(Boolean).join(' ')
  return (
    <div className="stack">
      <div className="halves">
        <Card title="Whom to pay" aside={mayChange ? <EditDetails merchant={merchant} /> : undefined}>
          <KeyValue
            pairs={[
              ['Legal name', party.legalName ?? <None key="name" says="not known" />],
              ['Address', [party.street, place, party.country].filter(Boolean).join(', ') || <None key="address" />],
              [
                'IBAN',
                party.iban === undefined ? <None key="iban" says="not known" /> : <Code key="iban">{party.iban}</Code>,
              ],
              ['BIC', party.bic],
              ['Added', <DateTime key="added" at={merchant.addedAt} />],
            ]}
          />
        </Card>
        <Fees merchant={merchant} mayChange={mayChange} />
      </div>
      <Brand merchant={merchant} />
      <Card title="Terminals" aside={<Count of={merchant.terminals} />}>
        {merchant.terminalIds.length === 0 ? (
          <p className="hint">This merchant has no terminal yet.</p>
        ) : (
          <ul className="pairs">
            {merchant.terminalIds.map((id) => (
              <li key={id}>
                <TerminalLink id={id} />
              </li>
            ))}
          </ul>
        )}
      </Card>
    </div>
  )
}

const tabs = [
  { id: 'about', title: 'About' },
  { id: 'movements', title: 'Movements' },
  { id: 'periods', title: 'Periods' },
] as const
type TabId = (typeof tabs)[number]['id']

export default function Merchant({ merchantNo = '' }: { merchantNo?: string | undefined }) {
  const answer = useApi(merchantDetail, `/merchants/${encodeURIComponent(merchantNo)}`, { live: ['books'] })
  const mayChange = useMay('finance')
  const [search, setSearch] = useSearchParams()
  const at: TabId = tabs.find(({ id }) => id === search.get('tab'))?.id ?? 'about'
  return (
    <Answer of={answer} lines={8} head={{ title: 'Merchant', above: ['Merchants', '/merchants'] }}>
      {(merchant) => (
        <>
          <PageHead
            title={merchant.merchant}
            trail={[['Merchants', '/merchants']]}
            actions={mayChange ? <PayIn merchant={merchant} /> : undefined}
          />
          <div className="stack">
            {merchant.hasBankAccount ? null : (
              <Strip tone="warn">The bank account is not known: nothing can be paid out to this merchant.</Strip>
            )}
            <Standing merchant={merchant} />
            <div>
              <Tabs label="About the merchant" tabs={tabs} at={at} onChange={(id) => setSearch({ tab: id })}>
                {at === 'about' ? <About merchant={merchant} mayChange={mayChange} /> : null}
                {at === 'movements' ? <Journal fixed={{ merchantNo: merchant.merchantNo }} /> : null}
                {at === 'periods' ? <Periods merchantNo={merchant.merchantNo} /> : null}
              </Tabs>
            </div>
            <p className="hint">
              Periods are closed in <Link href="/settlement">Settlement</Link>.
            </p>
          </div>
        </>
      )}
    </Answer>
  )
}

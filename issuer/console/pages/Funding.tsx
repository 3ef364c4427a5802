/** What stands behind the money on cards, vouchers by the lot, and cards whose money waits. */
import { useState } from 'react'
import { parseAmount } from '../../../protocol/currency.ts'
import {
  addedLotAnswer,
  type ClosureRow,
  cancelledLotAnswer,
  closuresPage,
  decisionsAnswer,
  type Funding,
  fundingAnswer,
  type LotRow,
  lotsPage,
  paidLotAnswer,
} from '../../console-contract/funding.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { remarkWord } from '../parts/card-words.ts'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters } from '../parts/Filters.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { FundingTable } from '../parts/FundingTable.tsx'
import { LotCodes } from '../parts/LotCodes.tsx'
import { Card, PageHead, Stat, Stats, Tabs } from '../parts/layout.tsx'
import { CardLink, pathTo } from '../parts/links.tsx'
import { MoneyDecisions, Proposed } from '../parts/MoneyDecisions.tsx'
import { Answer } from '../parts/states.tsx'
import { useList } from '../parts/use-list.ts'
import { useTab } from '../parts/use-tab.ts'
import { Badge, Count, DateTime, Money, None } from '../parts/values.tsx'

function Behind({ funding }: { funding: Funding }) {
  const { credits, closedCards } = funding
  return (
    <div className="stack">
      <Stats>
        <Stat label="On cards" value={<Money minor={funding.floatMinor} strong />} note="the float" />
        <Stat
          label="Not funded yet"
          value={<Money minor={funding.unfundedMinor} strong />}
          note={funding.unfundedMinor === 0 ? 'everything loaded was paid' : 'loaded, and nobody has paid for it'}
          {...(funding.unfundedMinor === 0 ? {} : { tone: 'warn' as const })}
        />
        <Stat label="Owed as credits" value={<Money minor={credits.openMinor} strong />} note="not loaded yet" />
        <Stat
          label="Spent after closing"
          value={<Money minor={closedCards.overdrawnMinor} strong />}
          note="the issuer’s loss"
          {...(closedCards.overdrawnMinor === 0 ? {} : { tone: 'bad' as const })}
        />
      </Stats>
      <Card title="What loads were paid with, all days" flush>
        <FundingTable funding={funding} />
      </Card>
    </div>
  )
}

const inTwoYears = (): string => {
  const day = new Date()
  day.setUTCFullYear(day.getUTCFullYear() + 2)
  return day.toISOString().slice(0, 10)
}

function AddLot() {
  const { currency } = useSession().book
  const [open, setOpen] = useState(false)
  const [amount, setAmount] = useState('20.00')
  const [count, setCount] = useState('100')
  const [expires, setExpires] = useState(inTwoYears)
  const [reference, setReference] = useState('')
  const change = useChange(addedLotAnswer, '/vouchers')
  const made = change.data
  const close = () => {
    setOpen(false)
    change.reset()
  }
  const add = async () => {
    let amountMinor: number
    try {
      amountMinor = parseAmount(amount.trim(), currency)
    } catch {
      throw new Error(`“${amount}” is not an amount in ${currency}, such as 20.00.`)
    }
    const paid = reference.trim()
    await change.mutateAsync({
      amountMinor,
      count: Number(count),
      expires,
      ...(paid === '' ? {} : { paidReference: paid }),
    })
  }
  return (
    <>
      <Button kind="primary" small onPress={() => setOpen(true)}>
        New lot …
      </Button>
      <Dialog title="New lot of vouchers" open={open} onClose={made?.outcome === 'done' ? () => undefined : close}>
        {made?.outcome === 'proposed' ? (
          <>
            <div className="dialog-text">
              <Proposed amountMinor={made.amountMinor} />
            </div>
            <footer className="dialog-foot">
              <Button kind="primary" onPress={close}>
                Done
              </Button>
            </footer>
          </>
        ) : made === undefined ? (
          <Form submit="Make the vouchers" onCancel={close} onSubmit={add}>
            <TextField
              label={`Each is worth (${currency})`}
              value={amount}
              onChange={setAmount}
              inputMode="decimal"
              required
            />
            <TextField label="How many" value={count} onChange={setCount} inputMode="numeric" required />
            <TextField label="Last day" type="date" value={expires} onChange={setExpires} required />
            <TextField
              label="The bank’s reference"
              hint="When they are paid already. Left out, they are on trust, and shown as not funded."
              value={reference}
              onChange={setReference}
            />
          </Form>
        ) : (
          <LotCodes lot={made} onSaved={close} />
        )}
      </Dialog>
    </>
  )
}

function LotActions({ lot }: { lot: LotRow }) {
  const pay = useChange(paidLotAnswer, `/vouchers/${lot.lotNo}/pay`)
  const cancel = useChange(cancelledLotAnswer, `/vouchers/${lot.lotNo}/cancel`)
  if (lot.paidAt !== undefined) return null
  return (
    <>
      <ConfirmAction
        button="Note payment"
        kind="bare"
        small
        title={`Lot ${lot.lotNo} is paid`}
        says="Its money is in the issuer’s account at the bank: the whole lot, less what was cancelled."
        reason="The bank’s reference, as on the account statement"
        confirm="Book as paid"
        act={(paidReference) => pay.mutateAsync({ paidReference })}
      />
      {lot.openCount === 0 ? null : (
        <ConfirmAction
          button="Cancel"
          kind="bare"
          small
          title={`Cancel what is open of lot ${lot.lotNo}`}
          says={`${lot.openCount} vouchers are worth nothing any more. What was loaded stays loaded.`}
          reason="Why are they cancelled?"
          confirm="Cancel the vouchers"
          danger
          act={(reason) => cancel.mutateAsync({ reason })}
        />
      )}
    </>
  )
}

const lotColumns = (finance: boolean): readonly Column<LotRow>[] => [
  { id: 'lot', title: 'Lot', sort: 'lot', cell: (row) => <span className="figure">{row.lotNo}</span> },
  {
    id: 'paid',
    title: 'Paid',
    cell: (row) => (row.paidAt === undefined ? <Badge tone="warn">On trust</Badge> : <Badge tone="good">Paid</Badge>),
  },
  { id: 'each', title: 'Each', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
  { id: 'count', title: 'Vouchers', align: 'end', cell: (row) => <Count of={row.count} /> },
  { id: 'used', title: 'Loaded', align: 'end', cell: (row) => <Count of={row.usedCount} /> },
  { id: 'open', title: 'Open', align: 'end', cell: (row) => <Count of={row.openCount} /> },
  {
    id: 'ended',
    title: 'Ended',
    align: 'end',
    priority: 3,
    cell: (row) => <Count of={row.cancelledCount + row.lapsedCount} />,
  },
  { id: 'expires', title: 'Expires', priority: 2, cell: (row) => <DateTime at={row.expiresAt} relative /> },
  { id: 'made', title: 'Made', priority: 2, cell: (row) => <DateTime at={row.madeAt} /> },
  {
    id: 'reference',
    title: 'Bank’s reference',
    priority: 3,
    wide: true,
    cell: (row) => row.paidReference ?? <None />,
  },
  ...(finance ? [{ id: 'act', title: 'Action', cell: (row: LotRow) => <LotActions lot={row} /> }] : []),
]

function Lots() {
  const finance = useMay('finance')
  const list = useList({
    path: '/vouchers',
    page: lotsPage,
    sort: 'lot',
    filters: ['paid'],
    live: ['books'],
    scope: 'lots',
  })
  return (
    <DataTable
      caption="Lots of vouchers"
      noun={['lot', 'lots']}
      list={list}
      columns={lotColumns(finance)}
      rowKey={(row) => row.lotNo}
      {...(finance ? { actions: <AddLot /> } : {})}
      empty={{
        title: 'No vouchers yet',
        text: 'A voucher is a code that pays for one load at any kiosk. They are made in lots, to be printed and sold.',
      }}
      filters={
        <Filters list={list}>
          <FilterSelect
            list={list}
            name="paid"
            label="Paid"
            options={[
              ['yes', 'Paid'],
              ['no', 'On trust'],
            ]}
          />
        </Filters>
      }
    />
  )
}

const closureColumns: readonly Column<ClosureRow>[] = [
  { id: 'card', title: 'Card', cell: (row) => <CardLink id={row.cardId} /> },
  { id: 'kind', title: 'What', cell: (row) => remarkWord(row.kind) },
  {
    id: 'due',
    title: 'State',
    cell: (row) => (row.due ? <Badge tone="warn">Due: finish it</Badge> : <Badge>Waiting</Badge>),
  },
  { id: 'ready', title: 'Its money can go', sort: 'ready', cell: (row) => <DateTime at={row.readyAt} relative /> },
  {
    id: 'replacement',
    title: 'New card',
    cell: (row) => (row.replacement === undefined ? <None /> : <CardLink id={row.replacement} />),
  },
  { id: 'reason', title: 'Why', wide: true, cell: (row) => row.reason },
]

function Closures() {
  const list = useList({
    path: '/closures',
    page: closuresPage,
    sort: 'ready',
    direction: 'ascending',
    filters: ['due'],
    live: ['books', 'cards'],
    scope: 'closures',
  })
  return (
    <DataTable
      caption="Cards being closed"
      noun={['card', 'cards']}
      list={list}
      columns={closureColumns}
      rowKey={(row) => row.cardId}
      rowHref={(row) => pathTo.card(row.cardId)}
      empty={{
        title: 'No card waits',
        text: 'A card that is replaced or refunded is blocked at once. Its money goes when terminals can hold nothing of it any more.',
      }}
      filters={
        <Filters list={list}>
          <FilterSelect list={list} name="due" label="Due" options={[['yes', 'Due now']]} />
        </Filters>
      }
    />
  )
}

export default function FundingPage() {
  const [at, setAt] = useTab(['behind', 'lots', 'closures', 'agree'])
  const decisions = useApi(decisionsAnswer, '/money-decisions', { live: ['audit'] })
  const funding = useApi(fundingAnswer, '/funding', { live: ['books', 'cards'] })
  return (
    <>
      <PageHead title="Funding" lead="What stands behind the money on cards, and what nobody has paid for yet." />
      <Tabs
        label="Funding"
        at={at}
        onChange={setAt}
        tabs={[
          { id: 'behind', title: 'Behind the cards' },
          { id: 'lots', title: 'Vouchers' },
          { id: 'closures', title: 'Cards being closed' },
          { id: 'agree', title: 'To be agreed', count: decisions.data?.decisions.length },
        ]}
      >
        {at === 'behind' ? <Answer of={funding}>{(known) => <Behind funding={known} />}</Answer> : null}
        {at === 'lots' ? <Lots /> : null}
        {at === 'closures' ? <Closures /> : null}
        {at === 'agree' ? (
          <Answer of={decisions}>
            {(known) => <MoneyDecisions limitMinor={known.fourEyesMinor} rows={known.decisions} />}
          </Answer>
        ) : null}
      </Tabs>
    </>
  )
}

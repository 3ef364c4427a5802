/** All merchants: what is owed to each, and by each. */
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { addedMerchant, type MerchantRow, merchantsPage } from '../../console-contract/merchants.ts'
import { percentOf } from '../../console-contract/statement-lines.ts'
import { useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { FilterSelect, Filters, FilterText } from '../parts/Filters.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { PageHead } from '../parts/layout.tsx'
import { MerchantLink, pathTo } from '../parts/links.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Count, Day, Money, None } from '../parts/values.tsx'

function FeeText({ fee }: { fee: MerchantRow['fee'] }) {
  if (fee === undefined) return <None says="no fee" />
  return (
    <span className="figure">
      {percentOf(fee.basisPoints)}
      {fee.fixedMinor === 0 ? null : (
        <>
          {' + '}
          <Money minor={fee.fixedMinor} />
        </>
      )}
    </span>
  )
}

const columns: readonly Column<MerchantRow>[] = [
  {
    id: 'merchant',
    title: 'Merchant',
    sort: 'merchant',
    wide: true,
    cell: (row) => <MerchantLink no={row.merchantNo} name={row.merchant} />,
  },
  { id: 'terminals', title: 'Terminals', align: 'end', priority: 2, cell: (row) => <Count of={row.terminals} /> },
  { id: 'fee', title: 'Fee', align: 'end', priority: 2, cell: (row) => <FeeText fee={row.fee} /> },
  {
    id: 'payable',
    title: 'Owed to merchant',
    sort: 'payable',
    align: 'end',
    cell: (row) => (
      <Link href={pathTo.account(row.payableAccountNo)}>
        <Money minor={row.payableMinor} />
      </Link>
    ),
  },
  {
    id: 'cash',
    title: 'Cash owed',
    sort: 'cash',
    align: 'end',
    cell: (row) => (
      <Link href={pathTo.account(row.cashAccountNo)}>
        <Money minor={row.cashOwedMinor} />
      </Link>
    ),
  },
  {
    id: 'bank',
    title: 'Bank account',
    priority: 3,
    cell: (row) => (row.hasBankAccount ? <Badge tone="good">Known</Badge> : <Badge tone="warn">Missing</Badge>),
  },
  {
    id: 'closed',
    title: 'Closed until',
    priority: 2,
    cell: (row) => (row.closedUntil === undefined ? <None says="never" /> : <Day day={row.closedUntil} />),
  },
]

function AddMerchant() {
  const [open, setOpen] = useState(false)
  const [name, setName] = useState('')
  const [, navigate] = useLocation()
  const add = useChange(addedMerchant, '/merchants')
  return (
    <>
      <Button kind="primary" onPress={() => setOpen(true)}>
        Add merchant
      </Button>
      <Dialog title="Add a merchant" open={open} onClose={() => setOpen(false)}>
        <Form
          submit="Add"
          onCancel={() => setOpen(false)}
          onSubmit={async () => {
            const { merchantNo } = await add.mutateAsync({ name })
            navigate(pathTo.merchant(merchantNo))
          }}
        >
          <TextField
            label="Name"
            hint="As everybody calls it. Legal name and bank account come next."
            value={name}
            onChange={setName}
            required
          />
        </Form>
      </Dialog>
    </>
  )
}

export default function Merchants() {
  const mayChange = useMay('finance')
  const list = useList({
    path: '/merchants',
    page: merchantsPage,
    sort: 'payable',
    filters: ['q', 'state'],
    live: ['books'],
  })
  return (
    <>
      <PageHead title="Merchants" actions={mayChange ? <AddMerchant /> : undefined} />
      <DataTable
        caption="Merchants"
        noun={['merchant', 'merchants']}
        list={list}
        columns={columns}
        rowKey={(row) => row.merchantNo}
        rowHref={(row) => pathTo.merchant(row.merchantNo)}
        empty={{ title: 'No merchants yet', text: 'A merchant owns terminals and is paid for what they sell.' }}
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
    </>
  )
}

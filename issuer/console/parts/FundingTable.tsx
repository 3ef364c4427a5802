/** What loads were paid with, and what waits to be loaded: it stands in the overview and under Funding. */
import type { Funding } from '../../console-contract/funding.ts'
import { PlainTable } from './DataTable.tsx'
import { Money } from './values.tsx'

export function FundingTable({ funding }: { funding: Funding }) {
  const { cash, vouchers, credits } = funding
  const rows: readonly (readonly [string, number | undefined, number | undefined])[] = [
    ['Cash, paid in by merchants', cash.paidInMinor, undefined],
    ['Cash that merchants still owe', cash.owedByMerchantsMinor, undefined],
    ['Vouchers that were paid', vouchers.paidMinor, vouchers.openPaidMinor],
    ['Vouchers on trust', vouchers.unpaidMinor, vouchers.openUnpaidMinor],
    ['Credits', credits.loadedMinor, credits.openMinor],
  ]
  return (
    <PlainTable
      caption="What loads were paid with"
      rows={rows}
      rowKey={([name]) => name}
      columns={[
        { id: 'what', title: 'Paid with', wide: true, cell: ([name]) => name },
        { id: 'loaded', title: 'Loaded', align: 'end', cell: ([, loaded]) => <Money minor={loaded} /> },
        { id: 'open', title: 'Not loaded yet', align: 'end', cell: ([, , open]) => <Money minor={open} /> },
      ]}
    />
  )
}

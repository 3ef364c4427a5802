/** The books: the trial balance, and the journal that it is made of. */
import { Link, Redirect, useSearchParams } from 'wouter'
import { type Account, balancesSchema } from '../../console-contract/ledger.ts'
import { useApi } from '../api/query.ts'
import { accountMeaning, accountName } from '../parts/accounts.tsx'
import { PlainTable } from '../parts/DataTable.tsx'
import { Journal } from '../parts/Journal.tsx'
import { Card, PageHead, Strip, Tabs } from '../parts/layout.tsx'
import { pathTo } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { Money } from '../parts/values.tsx'

interface Row {
  readonly kind: string
  readonly href: string
  readonly balanceMinor: number
}

const rowOf = ({ accountNo, kind, balanceMinor }: Account): Row => ({
  kind,
  href: pathTo.account(accountNo),
  balanceMinor,
})

/** With `of`, a kind of account, on to what that is made of. */
function TrialBalance({ of }: { of: string | null }) {
  const answer = useApi(balancesSchema, '/accounts', { live: ['books'] })
  return (
    <Answer of={answer} lines={11}>
      {({ accounts, payableMinor, merchantCashMinor, trialBalanceMinor }) => {
        const [first, ...others] = accounts.map(rowOf)
        const merchants: Row[] = [
          { kind: 'payable', href: '/merchants?sort=payable', balanceMinor: payableMinor },
          { kind: 'merchantCash', href: '/merchants?sort=cash', balanceMinor: merchantCashMinor },
        ]
        const rows = first === undefined ? merchants : [first, ...merchants, ...others]
        const wanted = rows.find(({ kind }) => kind === of)
        if (wanted !== undefined) return <Redirect to={wanted.href} replace />
        return (
          <div className="stack">
            {trialBalanceMinor === 0 ? (
              <Strip tone="good">The books balance. The database refuses to commit anything that does not.</Strip>
            ) : (
              <Strip tone="bad">The books do not balance: stop, and call whoever runs the issuer.</Strip>
            )}
            <Card title="Trial balance" flush>
              <PlainTable
                caption="Trial balance"
                rows={rows}
                rowKey={({ kind }) => kind}
                columns={[
                  {
                    id: 'account',
                    title: 'Account',
                    cell: (row) => <Link href={row.href}>{accountName(row.kind)}</Link>,
                  },
                  { id: 'meaning', title: 'What stands in it', wide: true, cell: (row) => accountMeaning(row.kind) },
                  {
                    id: 'balance',
                    title: 'Balance',
                    align: 'end',
                    cell: (row) => (
                      <Link href={row.href}>
                        <Money minor={row.balanceMinor} />
                      </Link>
                    ),
                  },
                ]}
                foot={['Sum', '', <Money key="sum" minor={trialBalanceMinor} strong />]}
              />
            </Card>
          </div>
        )
      }}
    </Answer>
  )
}

const tabs = [
  { id: 'balance', title: 'Trial balance' },
  { id: 'journal', title: 'Journal' },
] as const

export default function Ledger() {
  const [search, setSearch] = useSearchParams()
  const at = tabs.find(({ id }) => id === search.get('tab'))?.id ?? 'balance'
  return (
    <>
      <PageHead title="Ledger" lead="Double entry: what leaves one account arrives in another, on a document." />
      <Tabs label="The books" tabs={tabs} at={at} onChange={(id) => setSearch({ tab: id })}>
        {at === 'balance' ? <TrialBalance of={search.get('kind')} /> : <Journal />}
      </Tabs>
    </>
  )
}

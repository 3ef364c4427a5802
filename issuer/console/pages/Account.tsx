/** One account of the books, and every movement in it. */
import { accountSchema } from '../../console-contract/ledger.ts'
import { useApi } from '../api/query.ts'
import { accountMeaning, accountName } from '../parts/accounts.tsx'
import { Journal } from '../parts/Journal.tsx'
import { PageHead, Stat, Stats } from '../parts/layout.tsx'
import { MerchantLink } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { Money } from '../parts/values.tsx'

export default function Account({ accountNo = '' }: { accountNo?: string | undefined }) {
  const answer = useApi(accountSchema, `/accounts/${encodeURIComponent(accountNo)}`, { live: ['books'] })
  return (
    <Answer of={answer} lines={8} head={{ title: 'Account', above: ['Ledger', '/ledger'] }}>
      {(account) => (
        <>
          <PageHead
            title={accountName(account.kind)}
            trail={[['Ledger', '/ledger']]}
            lead={
              <>
                {accountMeaning(account.kind)}
                {account.merchantNo === undefined || account.merchant === undefined ? null : (
                  <>
                    {': '}
                    <MerchantLink no={account.merchantNo} name={account.merchant} />
                  </>
                )}
              </>
            }
          />
          <div className="stack">
            <Stats>
              <Stat
                label="Balance"
                value={<Money minor={account.balanceMinor} />}
                note="the sum of all that is below"
              />
            </Stats>
            <Journal accountNo={account.accountNo} />
          </div>
        </>
      )}
    </Answer>
  )
}

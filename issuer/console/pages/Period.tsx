/** The statement of one closed period, with its files. */
import { Link } from 'wouter'
import { periodDetail } from '../../console-contract/settlement.ts'
import { addressOf } from '../api/client.ts'
import { useApi } from '../api/query.ts'
import { Icon } from '../parts/Icon.tsx'
import { Card, KeyValue, PageHead } from '../parts/layout.tsx'
import { MerchantLink, pathTo } from '../parts/links.tsx'
import { StatementView } from '../parts/StatementView.tsx'
import { Answer } from '../parts/states.tsx'
import { Badge, Code, DateTime, Day } from '../parts/values.tsx'

export default function Period({ periodNo = '' }: { periodNo?: string | undefined }) {
  const path = `/periods/${encodeURIComponent(periodNo)}`
  const answer = useApi(periodDetail, path, { live: ['books'] })
  return (
    <Answer of={answer} lines={10} head={{ title: `Statement ${periodNo}`, above: ['Settlement', '/settlement'] }}>
      {({ period, statement, previousNo, nextNo }) => (
        <>
          <PageHead
            title={`Statement ${period.periodNo}`}
            trail={[['Settlement', '/settlement']]}
            badge={<Badge tone="good">Closed</Badge>}
            lead={
              <>
                <MerchantLink no={period.merchantNo} name={period.merchant} />, <Day day={period.fromDay} /> to{' '}
                <Day day={period.untilDay} />. What comes later is in the next statement.
              </>
            }
            actions={
              <>
                <a className="button" href={addressOf(`${path}/pdf`)} download>
                  <Icon name="export" /> PDF
                </a>
                <a className="button" href={addressOf(`${path}/csv`)} download>
                  <Icon name="export" /> CSV
                </a>
              </>
            }
          />
          <div className="stack">
            <StatementView statement={statement} merchantNo={period.merchantNo} />
            <Card title="About this closing">
              <KeyValue
                pairs={[
                  ['Closed', <DateTime key="at" at={period.closedAt} />],
                  ['By', period.closedBy],
                  ['Payment reference', <Code key="reference">{statement.reference ?? ''}</Code>],
                  ['Payment file', period.runNo === undefined ? 'in none yet' : `No. ${period.runNo}`],
                  [
                    'Before',
                    previousNo === undefined ? undefined : (
                      <Link key="previous" href={pathTo.period(previousNo)}>{`Statement ${previousNo}`}</Link>
                    ),
                  ],
                  [
                    'After',
                    nextNo === undefined ? undefined : (
                      <Link key="next" href={pathTo.period(nextNo)}>{`Statement ${nextNo}`}</Link>
                    ),
                  ],
                ]}
              />
            </Card>
          </div>
        </>
      )}
    </Answer>
  )
}

/** Vouchers on trust, refunds and money back over what one person decides alone: another one agrees, or refuses. */
import { useState } from 'react'
import { Link } from 'wouter'
import { closureAnswer, moneyBackAnswer } from '../../console-contract/cards.ts'
import { addedLotAnswer, refusedDecisionAnswer, type WaitingDecisionRow } from '../../console-contract/funding.ts'
import { proposalDaysMax } from '../../console-contract/proposal.ts'
import { useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { type Column, PlainTable } from './DataTable.tsx'
import { ConfirmAction, Dialog } from './Dialog.tsx'
import { LotCodes } from './LotCodes.tsx'
import { Card } from './layout.tsx'
import { CardLink, pathTo } from './links.tsx'
import { EmptyState } from './states.tsx'
import { Count, DateTime, Day, Money } from './values.tsx'

/** After a decision that was kept as a proposal. */
export function Proposed({ amountMinor }: { amountMinor: number }) {
  return (
    <p>
      <Money minor={amountMinor} strong /> is over what one person decides alone in a day. Nothing is done yet: somebody
      else of finance agrees within {proposalDaysMax} days, under <Link href="/funding?tab=agree">Funding</Link>, “To be
      agreed”.
    </p>
  )
}

interface Lot {
  readonly lotNo: number
  readonly csv: string
}

function What({ decision }: { decision: WaitingDecisionRow['decision'] }) {
  switch (decision.kind) {
    case 'vouchers':
      return (
        <>
          <Count of={decision.count} /> vouchers on trust of <Money minor={decision.eachMinor} />, until{' '}
          <Day day={decision.expiresAt.slice(0, 10)} />
        </>
      )
    case 'refund':
      return (
        <>
          Refund of card <CardLink id={decision.cardId} />
          {decision.atIssuersRisk ? ', now, at the issuer’s risk' : ''}
        </>
      )
    case 'moneyBack':
      return (
        <>
          Money back for <Link href={pathTo.counter(decision.cardId, decision.counter)}>#{decision.counter}</Link> of
          card <CardLink id={decision.cardId} />, at the {decision.atRiskOf}’s risk
        </>
      )
  }
}

/** Whoever agrees decides the same. */
function Agree({ row, onLot }: { row: WaitingDecisionRow; onLot: (lot: Lot) => void }) {
  const { decision } = row
  const vouchers = useChange(addedLotAnswer, '/vouchers')
  const card = decision.kind === 'vouchers' ? '' : `/cards/${decision.cardId}`
  const refund = useChange(closureAnswer, `${card}/refund`)
  const moneyBack = useChange(
    moneyBackAnswer,
    decision.kind === 'moneyBack' ? `${card}/counters/${decision.counter}/money-back` : '',
  )
  const agree = async (reason: string) => {
    switch (decision.kind) {
      case 'vouchers': {
        const { eachMinor, count, expiresAt } = decision
        const made = await vouchers.mutateAsync({ amountMinor: eachMinor, count, expires: expiresAt.slice(0, 10) })
        if (made.outcome === 'done') onLot(made)
        return
      }
      case 'refund':
        await refund.mutateAsync({ reason, atIssuersRisk: decision.atIssuersRisk })
        return
      case 'moneyBack':
        await moneyBack.mutateAsync({ reason, atRiskOf: decision.atRiskOf })
    }
  }
  return (
    <ConfirmAction
      button="Agree"
      small
      title="Agree to this?"
      says={
        <p>
          <Money minor={decision.amountMinor} strong />. <What decision={decision} />. {row.proposedBy} proposed it: “
          {row.reason}”. It is done at once.
        </p>
      }
      {...(decision.kind === 'vouchers' ? {} : { reason: 'Why do you agree?' })}
      confirm="Agree"
      act={agree}
    />
  )
}

function Refuse({ row }: { row: WaitingDecisionRow }) {
  const { own } = row
  const refuse = useChange(refusedDecisionAnswer, `/money-decisions/${row.decisionNo}/refuse`)
  return (
    <ConfirmAction
      button={own ? 'Take it back' : 'Refuse'}
      kind="bare"
      small
      title={own ? 'Take the proposal back?' : 'Refuse this?'}
      says={<p>Nothing of it is done.</p>}
      reason="Why?"
      confirm={own ? 'Take it back' : 'Refuse'}
      act={(reason) => refuse.mutateAsync({ reason })}
    />
  )
}

export function MoneyDecisions({ limitMinor, rows }: { limitMinor: number; rows: readonly WaitingDecisionRow[] }) {
  const finance = useMay('finance')
  const [lot, setLot] = useState<Lot>()
  const columns: readonly Omit<Column<WaitingDecisionRow>, 'sort'>[] = [
    {
      id: 'what',
      title: 'What',
      wide: true,
      cell: (row) => (
        <p className="whole">
          <What decision={row.decision} />
        </p>
      ),
    },
    { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.decision.amountMinor} strong /> },
    { id: 'by', title: 'Proposed by', cell: (row) => row.proposedBy },
    { id: 'at', title: 'When', priority: 2, cell: (row) => <DateTime at={row.proposedAt} /> },
    {
      id: 'until',
      title: 'Holds until',
      priority: 2,
      cell: (row) =>
        row.over ? (
          <>No longer: {row.proposedBy} proposes it anew, or it is refused.</>
        ) : (
          <DateTime at={row.holdsUntilAt} />
        ),
    },
    { id: 'why', title: 'Why', wide: true, priority: 3, cell: (row) => row.reason },
    ...(finance
      ? [
          {
            id: 'act',
            title: 'Action',
            cell: (row: WaitingDecisionRow) => (
              <>
                {row.own || row.over ? null : <Agree row={row} onLot={setLot} />}
                <Refuse row={row} />
              </>
            ),
          },
        ]
      : []),
  ]
  return (
    <Card title="Waits for a second person" flush>
      {rows.length === 0 ? (
        <EmptyState
          title="Nothing waits"
          text="Vouchers on trust, refunds, and money back at somebody’s risk need a second person of finance when they are over what one decides alone in a day."
        />
      ) : (
        <PlainTable
          caption="What waits for a second person"
          columns={columns}
          rows={rows}
          rowKey={(row) => row.decisionNo}
        />
      )}
      <p className="card-note">
        One person alone decides up to <Money minor={limitMinor} /> in 24 hours.
      </p>
      <Dialog title="New lot of vouchers" open={lot !== undefined} onClose={() => undefined}>
        {lot === undefined ? null : <LotCodes lot={lot} onSaved={() => setLot(undefined)} />}
      </Dialog>
    </Card>
  )
}

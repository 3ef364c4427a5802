/** One case: what is known, the proofs, what to do, and what people did about it. */
import { useState } from 'react'
import { Link } from 'wouter'
import { isRiskUnknown } from '../../console-contract/case-risk.ts'
import {
  type CaseDetailShape,
  caseDetail,
  caseDone,
  type DecisionName,
  type DecisionShape,
  type LineShape,
} from '../../console-contract/cases.ts'
import { proposalDaysMax } from '../../console-contract/proposal.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import type { PageProperties } from '../areas.ts'
import { Button } from '../parts/Button.tsx'
import {
  actsWords,
  decisionStates,
  decisionWords,
  doubtWord,
  eventWord,
  orderTitle,
  reasonTitle,
  stateWords,
} from '../parts/case-words.ts'
import { type Column, PlainTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { Form, FormField, TextField } from '../parts/Form.tsx'
import { Card, KeyValue, PageHead, Stat, Stats, Strip } from '../parts/layout.tsx'
import { BatchLink, CardLink, DocumentLink, EntryLink, MerchantLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { Age, Badge, Code, DateTime, Day, Money, None } from '../parts/values.tsx'
import './cases.css'

const useAct = (caseNo: number, what: string) => useChange(caseDone, `/cases/${caseNo}/${what}`)

function Proof({ row }: { row: LineShape }) {
  if (row.proof === undefined) return <None says="missing" />
  if (row.proof === 'right') return <Badge tone="good">Right</Badge>
  return row.proof === 'wrong' ? <Badge tone="bad">Wrong</Badge> : <Badge tone="warn">Not yet</Badge>
}

const lineColumns = (cardId: string): readonly Omit<Column<LineShape>, 'sort'>[] => [
  {
    id: 'counter',
    title: 'Counter',
    cell: (row) => (
      <span className={row.subject ? 'case-subject' : ''}>
        <Link href={pathTo.counter(cardId, row.counter)}>{`#${row.counter}`}</Link>
      </span>
    ),
  },
  {
    id: 'what',
    title: 'Record',
    cell: (row) =>
      row.known ? (
        <span className="case-cell">
          {orderTitle(row.type ?? '')}
          {row.exception === undefined ? (
            <span className="case-sub">by {row.source}</span>
          ) : (
            <span className="case-sub case-overdue">{reasonTitle(row.exception)}</span>
          )}
        </span>
      ) : (
        <Badge tone={row.subject ? 'bad' : 'warn'}>Missing</Badge>
      ),
  },
  { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
  { id: 'before', title: 'Before', align: 'end', cell: (row) => <Money minor={row.balanceBeforeMinor} /> },
  { id: 'after', title: 'Balance after', align: 'end', cell: (row) => <Money minor={row.balanceAfterMinor} strong /> },
  { id: 'proof', title: 'Proof', cell: (row) => <Proof row={row} /> },
  {
    id: 'terminal',
    title: 'Terminal',
    cell: (row) =>
      row.terminalId === undefined ? (
        <None />
      ) : (
        <span className="case-cell">
          <TerminalLink id={row.terminalId} />
          <span className="case-sub">
            <DateTime at={row.orderedAt} />
          </span>
        </span>
      ),
  },
]

function Line({ of }: { of: CaseDetailShape }) {
  if (of.cardId === undefined || of.evidence.line.length === 0) return null
  return (
    <Card title="The card’s line" aside={<CardLink id={of.cardId} />} flush>
      <PlainTable
        caption="What is known of the card around this case"
        columns={lineColumns(of.cardId)}
        rows={of.evidence.line}
        rowKey={(row) => row.counter}
      />
    </Card>
  )
}

function Suspects({ of: { hole } }: { of: CaseDetailShape }) {
  if (hole === undefined || hole.suspects.length === 0) return null
  return (
    <Card title="Who may have made it">
      <ol className="case-list">
        {hole.suspects.map((suspect, index) => (
          <li key={`${suspect.terminalId}/${suspect.counter ?? ''}/${suspect.evidence}`}>
            <span className="case-head">
              <TerminalLink id={suspect.terminalId} /> {suspect.merchant}
              {index === 0 ? <Badge tone="warn">Most likely</Badge> : null}
            </span>
            <span className="case-sub">{suspect.why}.</span>
          </li>
        ))}
      </ol>
      {hole.moreSuspects === 0 ? null : <p className="case-sub">And {hole.moreSuspects} more that may have.</p>}
    </Card>
  )
}

function Doubts({ of }: { of: CaseDetailShape }) {
  const { doubts } = of.evidence
  if (doubts.length === 0) return null
  return (
    <Card title="What terminals said without proof" flush>
      <PlainTable
        caption="Doubts, voids and goods that are owed"
        rows={doubts}
        rowKey={(row) => `${row.counter}/${row.terminalId}/${row.orderedAt}/${row.type}`}
        columns={[
          { id: 'counter', title: 'Counter', cell: (row) => <span className="figure">{`#${row.counter}`}</span> },
          { id: 'type', title: 'Order', cell: (row) => orderTitle(row.type) },
          { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
          { id: 'says', title: 'It says', cell: (row) => row.says.map(doubtWord).join(', then ') },
          { id: 'terminal', title: 'Terminal', cell: (row) => <TerminalLink id={row.terminalId} /> },
          { id: 'time', title: 'Ordered', wide: true, cell: (row) => <DateTime at={row.orderedAt} /> },
        ]}
      />
    </Card>
  )
}

function Entries({ of }: { of: CaseDetailShape }) {
  const { entries } = of.evidence
  if (entries.length === 0) return null
  return (
    <Card title="Entries that were not plain" flush>
      <PlainTable
        caption="Entries of batches"
        rows={entries}
        rowKey={(row) => `${row.terminalId}/${row.epoch}/${row.batchNo}/${row.entry}`}
        columns={[
          { id: 'entry', title: 'Entry', cell: (row) => <EntryLink {...row} /> },
          { id: 'batch', title: 'Batch', cell: (row) => <BatchLink {...row} short /> },
          { id: 'terminal', title: 'Terminal', cell: (row) => <TerminalLink id={row.terminalId} /> },
          { id: 'reason', title: 'Reason', cell: (row) => <Badge tone="warn">{reasonTitle(row.reason)}</Badge> },
          { id: 'amount', title: 'Amount', align: 'end', cell: (row) => <Money minor={row.amountMinor} /> },
          { id: 'time', title: 'Came', wide: true, cell: (row) => <DateTime at={row.notedAt} /> },
        ]}
      />
    </Card>
  )
}

function Batches({ of }: { of: CaseDetailShape }) {
  const { batches } = of.evidence
  if (batches.length === 0 || of.terminalId === undefined) return null
  return (
    <Card title="Newest batches of the terminal" aside={<TerminalLink id={of.terminalId} />} flush>
      <PlainTable
        caption="Batches"
        rows={batches}
        rowKey={(row) => `${row.epoch}/${row.batchNo}`}
        columns={[
          { id: 'batch', title: 'Batch', cell: (row) => <BatchLink {...row} short /> },
          {
            id: 'entries',
            title: 'Entries',
            align: 'end',
            cell: (row) => <span className="figure">{row.entries}</span>,
          },
          { id: 'time', title: 'Came', wide: true, cell: (row) => <DateTime at={row.receivedAt} relative /> },
        ]}
      />
    </Card>
  )
}

/** The sum that a decision is about, in either account. */
const sumOf = (of: { suspenseMinor: number; holesMinor: number }): number => of.suspenseMinor + of.holesMinor

function DecideButton({ of, kind, first }: { of: CaseDetailShape; kind: DecisionName; first: boolean }) {
  const act = useAct(of.caseNo, 'decide')
  const { verb, says } = decisionWords[kind]
  const large = Math.abs(of.suspenseMinor) + Math.abs(of.holesMinor) > of.aloneMinorLeft
  const named = kind === 'creditCard' ? of.cardId : kind === 'writeOff' ? '' : of.merchant
  const [merchant, setMerchant] = useState('')
  const isMerchants = kind === 'payMerchant' || kind === 'chargeMerchant'
  return (
    <ConfirmAction
      button={verb}
      kind={first ? 'primary' : 'plain'}
      title={`${verb}?`}
      says={
        <>
          <p>
            <Money minor={Math.abs(sumOf(of))} strong />
            {named === undefined || named === '' ? '' : `, ${named}`}. {says}
          </p>
          <p>
            {large
              ? 'It is over what you decide alone in a day: it is booked when somebody else of finance approves it. '
              : ''}
            When a record explains the case after all, the decision is taken back by itself.
          </p>
          {isMerchants ? (
            <TextField
              label="Another merchant than the case names"
              value={merchant}
              placeholder={of.merchant ?? ''}
              onChange={setMerchant}
            />
          ) : null}
        </>
      }
      reason="Why?"
      confirm={large ? 'Propose' : verb}
      danger={kind === 'writeOff'}
      act={(reason) =>
        act.mutateAsync({
          kind,
          reason,
          ...(isMerchants && merchant.trim() !== '' ? { merchant: merchant.trim() } : {}),
        })
      }
    />
  )
}

function KeepButton({ of }: { of: CaseDetailShape }) {
  const act = useAct(of.caseNo, 'keep')
  const [day, setDay] = useState('')
  return (
    <ConfirmAction
      button="Keep it where it is"
      title="Keep the sum where it is?"
      says={
        <>
          <p>Nothing is booked. The case waits until the day that you name.</p>
          <TextField label="Until" type="date" value={day} onChange={setDay} />
        </>
      }
      reason="Why?"
      confirm="Keep it"
      act={(reason) => act.mutateAsync({ reason, ...(day === '' ? {} : { dueDay: day }) })}
    />
  )
}

function Approval({ of, decision }: { of: CaseDetailShape; decision: DecisionShape }) {
  const approve = useAct(of.caseNo, 'approve')
  const refuse = useAct(of.caseNo, 'refuse')
  const may = useMay('finance')
  const { own } = decision
  const { verb, says } = decisionWords[decision.kind]
  return (
    <Card title="Waits for approval" className="case-approval">
      <p>
        {decision.proposedBy} proposes: {verb.toLowerCase()}, <Money minor={Math.abs(sumOf(decision))} strong />
        {decision.merchant === undefined ? '' : `, ${decision.merchant}`}. “{decision.reason}”
      </p>
      {decision.over ? (
        <p className="case-sub">
          It is older than {proposalDaysMax} days and holds no longer: {own ? 'take it back' : 'refuse it'}, then decide
          the case anew.
        </p>
      ) : (
        <p className="case-sub">
          It holds until <DateTime at={decision.holdsUntilAt} />.
        </p>
      )}
      {may ? (
        <div className="case-actions">
          {own ? (
            <p className="case-sub">You proposed it: somebody else of finance approves it.</p>
          ) : decision.over ? null : (
            <ConfirmAction
              button="Approve"
              kind="primary"
              title="Approve this decision?"
              says={<p>{says} It is booked in the open day.</p>}
              confirm="Approve and book"
              act={() => approve.mutateAsync({})}
            />
          )}
          <ConfirmAction
            button={own ? 'Take it back' : 'Refuse'}
            title={own ? 'Take the proposal back?' : 'Refuse this decision?'}
            says={<p>Nothing is booked; the case is open again.</p>}
            reason="Why?"
            confirm={own ? 'Take it back' : 'Refuse'}
            act={(reason) => refuse.mutateAsync({ reason })}
          />
        </div>
      ) : null}
    </Card>
  )
}

function Assign({ of }: { of: CaseDetailShape }) {
  const act = useAct(of.caseNo, 'assign')
  const own = useSession().user.name
  const [open, setOpen] = useState(false)
  const [owner, setOwner] = useState('')
  const [day, setDay] = useState('')
  const begin = () => {
    setOwner(of.owner ?? own)
    setOpen(true)
  }
  const send = async () => {
    await act.mutateAsync({ owner: owner.trim(), ...(day === '' ? {} : { dueDay: day }) })
    setOpen(false)
  }
  return (
    <>
      <Button onPress={begin}>Assign</Button>
      <Dialog title="Whose case is it?" open={open} onClose={() => setOpen(false)}>
        <Form submit="Assign" onSubmit={send} onCancel={() => setOpen(false)}>
          <TextField label="Owner" hint="A user’s name; empty: nobody’s." value={owner} onChange={setOwner} />
          <TextField label="Due" hint="Empty: as it is." type="date" value={day} onChange={setDay} />
        </Form>
      </Dialog>
    </>
  )
}

function Notes({ of }: { of: CaseDetailShape }) {
  const act = useAct(of.caseNo, 'note')
  const may = useMay('reconcile')
  const [text, setText] = useState('')
  const send = async () => {
    if (text.trim() === '') return
    await act.mutateAsync({ text: text.trim() })
    setText('')
  }
  return (
    <Card title="Notes">
      {of.notes.length === 0 ? <p className="case-sub">Nobody wrote anything down yet.</p> : null}
      <ol className="case-list">
        {of.notes.map((note) => (
          <li key={note.noteNo}>
            <span className="case-head">
              {note.author} <DateTime at={note.at} />
            </span>
            <span className="case-text">{note.text}</span>
          </li>
        ))}
      </ol>
      {may ? (
        <Form submit="Add the note" onSubmit={send}>
          <FormField label="A new note">
            {(field) => <textarea {...field} rows={3} value={text} onChange={(event) => setText(event.target.value)} />}
          </FormField>
        </Form>
      ) : null}
    </Card>
  )
}

function Decisions({ of }: { of: CaseDetailShape }) {
  if (of.decisions.length === 0) return null
  return (
    <Card title="Decisions">
      <ol className="case-list">
        {of.decisions.map((each) => (
          <li key={each.decisionNo}>
            <span className="case-head">
              {decisionWords[each.kind].title} <Money minor={Math.abs(sumOf(each))} strong />
              <Badge tone={decisionStates[each.state].tone}>{decisionStates[each.state].title}</Badge>
            </span>
            <span className="case-text">
              {each.merchant ?? each.cardId ?? ''} “{each.reason}”
            </span>
            <span className="case-sub">
              {each.proposedBy}, <DateTime at={each.proposedAt} />
              {each.approvedBy === undefined || each.approvedBy === each.proposedBy ? null : (
                <>
                  {each.state === 'refused' ? '; refused by ' : '; approved by '}
                  {each.approvedBy}, <DateTime at={each.decidedAt} />
                </>
              )}
              {each.takenBackAt === undefined ? null : (
                <>
                  ; taken back <DateTime at={each.takenBackAt} />
                </>
              )}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  )
}

function Timeline({ of }: { of: CaseDetailShape }) {
  return (
    <Card title="What happened">
      <ol className="case-list case-timeline">
        {of.timeline.toReversed().map((each) => (
          <li key={`${each.at}/${each.kind}/${each.document ?? ''}/${each.detail ?? ''}`}>
            <span className="case-head">
              {eventWord(each.kind)} <DateTime at={each.at} />
            </span>
            <span className="case-sub">
              {each.who ?? 'by itself'}
              {each.document === undefined ? null : (
                <>
                  , <DocumentLink name={each.document} />
                </>
              )}
              {each.detail === undefined ? '' : `: ${each.detail}`}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  )
}

function About({ of }: { of: CaseDetailShape }) {
  const { merchant, merchantNo } = of
  const counters =
    of.counter === undefined
      ? undefined
      : of.lastCounter === undefined
        ? `#${of.counter}`
        : `#${of.counter} to #${of.lastCounter}`
  return (
    <Card title="What is known">
      <p className="case-text">{of.detail}</p>
      <KeyValue
        pairs={[
          ['Card', of.cardId === undefined ? undefined : <CardLink key="card" id={of.cardId} />],
          ['Counter', counters === undefined ? undefined : <Code key="counter">{counters}</Code>],
          [
            of.hole === undefined ? 'Terminal' : 'Likely terminal',
            of.terminalId === undefined ? undefined : <TerminalLink key="terminal" id={of.terminalId} />,
          ],
          [
            'Merchant',
            merchant === undefined ? undefined : merchantNo === undefined ? (
              merchant
            ) : (
              <MerchantLink key="merchant" no={merchantNo} name={merchant} />
            ),
          ],
          ['Reason', of.reason === undefined ? undefined : reasonTitle(of.reason)],
          ['Amount', <Money key="amount" minor={of.amountMinor} />],
          ['Business day', <Day key="day" day={of.day} />],
          [
            'Opened by',
            of.openedDocument === undefined ? undefined : <DocumentLink key="opened" name={of.openedDocument} />,
          ],
          [
            'Closed by',
            of.state !== 'closed' ? undefined : of.closedDocument === undefined ? (
              of.closedBy
            ) : (
              <DocumentLink key="closed" name={of.closedDocument} />
            ),
          ],
        ]}
      />
    </Card>
  )
}

function ToDo({ of }: { of: CaseDetailShape }) {
  const close = useAct(of.caseNo, 'close')
  const [reconcile, finance] = [useMay('reconcile'), useMay('finance')]
  const isOpen = of.state === 'open' || of.state === 'waiting'
  return (
    <Card title="What to do">
      <p className="case-text">{of.todo}</p>
      <p className="case-sub">{actsWords[of.acts]}.</p>
      {isOpen ? (
        <div className="case-actions">
          {finance
            ? of.kinds.map((kind, at) => (
                <DecideButton key={kind} of={of} kind={kind} first={at === 0 && of.acts === 'finance'} />
              ))
            : null}
          {finance && of.kinds.length > 0 ? <KeepButton of={of} /> : null}
          {reconcile && of.closable ? (
            <ConfirmAction
              button="Close it"
              kind="primary"
              title="Close this case?"
              says={<p>It holds no money. It opens again when something comes that nobody had seen.</p>}
              reason="Why is nothing left to do?"
              confirm="Close it"
              act={(text) => close.mutateAsync({ text })}
            />
          ) : null}
        </div>
      ) : null}
    </Card>
  )
}

function Shown({ of }: { of: CaseDetailShape }) {
  const reconcile = useMay('reconcile')
  const proposal = of.decisions.find(({ state }) => state === 'proposed')
  const { title, tone } = stateWords[of.state]
  return (
    <>
      <PageHead
        title={`Case ${of.caseNo}: ${of.title}${of.reason === undefined ? '' : `, ${reasonTitle(of.reason).toLowerCase()}`}`}
        trail={[['Exceptions', '/exceptions']]}
        badge={<Badge tone={tone}>{title}</Badge>}
        {...(reconcile && of.state !== 'closed' ? { actions: <Assign of={of} /> } : {})}
      />
      {of.overdue ? <Strip tone="warn">It is overdue.</Strip> : null}
      <div className="case-stats">
        <Stats>
          <Stat label="At risk" value={isRiskUnknown(of) ? 'unknown' : <Money minor={of.atRiskMinor} />} />
          <Stat label="In suspense" value={<Money minor={of.suspenseMinor} />} />
          <Stat label="In holes" value={<Money minor={of.holesMinor} />} />
          <Stat
            label={of.closedAt === undefined ? 'Age' : 'Closed'}
            value={of.closedAt === undefined ? <Age since={of.openedAt} /> : <DateTime at={of.closedAt} />}
            note={
              of.closedAt === undefined ? (
                <>
                  due <DateTime at={of.dueAt} />
                </>
              ) : undefined
            }
          />
          <Stat label="Owner" value={of.owner ?? <None says="nobody" />} />
        </Stats>
      </div>
      <div className="columns">
        <div className="stack">
          {proposal === undefined ? null : <Approval of={of} decision={proposal} />}
          <About of={of} />
          <Line of={of} />
          <Suspects of={of} />
          <Doubts of={of} />
          <Entries of={of} />
          <Batches of={of} />
        </div>
        <div className="stack">
          <ToDo of={of} />
          <Decisions of={of} />
          <Notes of={of} />
          <Timeline of={of} />
        </div>
      </div>
    </>
  )
}

export default function Exception({ caseNo = '' }: PageProperties) {
  const answer = useApi(caseDetail, `/cases/${encodeURIComponent(caseNo)}`, { live: ['cases', 'batches'] })
  return (
    <Answer of={answer} head={{ title: `Case ${caseNo}`, above: ['Exceptions', '/exceptions'] }}>
      {(of) => <Shown of={of} />}
    </Answer>
  )
}

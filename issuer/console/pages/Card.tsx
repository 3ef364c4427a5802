/** One card: how it stands, all that is known of it by counter, and what a person may do. */
import { type ReactNode, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import {
  blockedAnswer,
  type CardDetail,
  type CardHistoryRow,
  cancelledAnswer,
  cardDetail,
  closureAnswer,
  historyPage,
  keptAnswer,
  moneyBackAnswer,
  moneyBackQuestionAnswer,
} from '../../console-contract/cards.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import { Button } from '../parts/Button.tsx'
import { kindWord, remarkWord } from '../parts/card-words.ts'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { ConfirmAction, Dialog } from '../parts/Dialog.tsx'
import { Form, SelectField, TextField } from '../parts/Form.tsx'
import { formatMoney } from '../parts/format.ts'
import { KeyValue, PageHead, Card as Panel, Stat, Stats, Strip } from '../parts/layout.tsx'
import { BatchLink, CardLink, DocumentLink, EntryLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { Proposed } from '../parts/MoneyDecisions.tsx'
import { Answer } from '../parts/states.tsx'
import { useList } from '../parts/use-list.ts'
import { Badge, Code, DateTime, Money, None } from '../parts/values.tsx'
import { CardState } from './Cards.tsx'

const neverAsks = 0xffffffff

function useMoney() {
  const { currency } = useSession().book
  return (minor: number) => formatMoney(minor, currency)
}

/** Blocks the card and lets its money go: to another card, or through the bank. */
function Closing({ card, kind }: { card: CardDetail; kind: 'replace' | 'refund' }) {
  const money = useMoney()
  const [open, setOpen] = useState(false)
  const [replacement, setReplacement] = useState(card.closure?.replacement ?? '')
  const [reason, setReason] = useState(card.closure?.reason ?? '')
  const [risk, setRisk] = useState(false)
  const change = useChange(closureAnswer, `/cards/${card.cardId}/${kind}`)
  const title = kind === 'replace' ? 'Replace this card' : 'Refund this card'
  const done = change.data
  const close = () => {
    setOpen(false)
    change.reset()
  }
  return (
    <>
      <Button onPress={() => setOpen(true)}>{kind === 'replace' ? 'Replace' : 'Refund'}</Button>
      <Dialog title={title} open={open} onClose={close}>
        {done === undefined ? (
          <Form
            submit={kind === 'replace' ? 'Block and replace' : 'Block and refund'}
            onCancel={close}
            onSubmit={() =>
              change.mutateAsync({
                ...(kind === 'replace' ? { replacement: replacement.trim().toLowerCase() } : {}),
                reason,
                atIssuersRisk: risk,
              })
            }
          >
            <div className="dialog-text">
              <p>
                The card is blocked at once. As far as is known {money(card.remainingMinor)} may leave it
                {kind === 'replace' ? ', as a credit of the new card.' : ', through the bank; open credits go with it.'}
              </p>
              <p>
                Terminals may still bring what it spent. So its money waits until they have had their time, and this is
                asked once more.
              </p>
            </div>
            {kind === 'replace' ? (
              <TextField
                label="The new card’s id"
                hint="16 hex digits. It is personalised already."
                value={replacement}
                onChange={setReplacement}
                autoComplete="off"
                spellCheck={false}
                required
              />
            ) : null}
            <TextField label="Why?" hint="The reason is kept." value={reason} onChange={setReason} required />
            <SelectField
              label="When does its money go?"
              hint="Now means at the issuer’s own risk: what the card spent and nobody has brought yet is its loss."
              value={risk ? 'now' : 'wait'}
              onChange={(value) => setRisk(value === 'now')}
              options={[
                ['wait', 'When terminals have had their time'],
                ['now', 'Now, at the issuer’s risk'],
              ]}
            />
          </Form>
        ) : (
          <>
            <div className="dialog-text">
              {done.outcome === 'proposed' ? (
                <Proposed amountMinor={done.amountMinor} />
              ) : done.outcome === 'waiting' ? (
                <p>
                  The card is blocked. Its money can go from <DateTime at={done.readyAt} /> on: it then stands under{' '}
                  <Link href="/funding">Funding</Link>.
                  {done.creditsMinor === 0 ? '' : ` Open credits of ${money(done.creditsMinor)} go with it.`}
                </p>
              ) : (
                <>
                  <p>
                    {money(done.amountMinor)} left the card
                    {done.creditsMinor === 0 ? '' : `, and open credits of ${money(done.creditsMinor)} with it`}.
                  </p>
                  {done.credits.map((credit) => (
                    <p key={credit.reference}>
                      Credit <Code>{credit.reference}</Code>, {money(credit.amountMinor)}:{' '}
                      {done.replacement === undefined ? 'paid out' : 'the new card’s now'}.
                    </p>
                  ))}
                  {done.reference === undefined ? null : (
                    <p>
                      The new card’s load is paid with credit <Code>{done.reference}</Code>.
                    </p>
                  )}
                  {done.unbackedMinor === 0 ? null : (
                    <p>{money(done.unbackedMinor)} on it came from nothing that is known, and stays.</p>
                  )}
                </>
              )}
            </div>
            <footer className="dialog-foot">
              <Button kind="primary" onPress={close}>
                Done
              </Button>
            </footer>
          </>
        )}
      </Dialog>
    </>
  )
}

function Actions({ card }: { card: CardDetail }) {
  const operate = useMay('operate')
  const finance = useMay('finance')
  const block = useChange(blockedAnswer, `/cards/${card.cardId}/block`)
  const unblock = useChange(blockedAnswer, `/cards/${card.cardId}/unblock`)
  const keep = useChange(keptAnswer, `/cards/${card.cardId}/keep`)
  const closed = card.status === 'closed'
  const closing = card.status === 'closing'
  return (
    <>
      {operate && card.blocked === undefined && !closed ? (
        <ConfirmAction
          button="Block"
          title="Block this card"
          says="It goes onto the hotlist. Terminals refuse it from their next sync on, and block it for good when they see it."
          reason="Why is it blocked?"
          confirm="Block"
          danger
          act={(reason) => block.mutateAsync({ reason })}
        />
      ) : null}
      {operate && card.status === 'hotlisted' && card.blocked?.forGood === false ? (
        <ConfirmAction
          button="Unblock"
          title="Unblock this card"
          says="It is taken off the hotlist. A terminal that has not synced since may still block it for good."
          reason="Why is it unblocked?"
          confirm="Unblock"
          act={(reason) => unblock.mutateAsync({ reason })}
        />
      ) : null}
      {operate && closing ? (
        <ConfirmAction
          button="Keep"
          title="Keep this card"
          says="What was asked for is withdrawn: its money stays on it. It is blocked until somebody unblocks it."
          reason="Why is it kept?"
          confirm="Keep"
          act={(reason) => keep.mutateAsync({ reason })}
        />
      ) : null}
      {operate && (!closing || card.closure?.kind === 'replace') && !closed ? (
        <Closing card={card} kind="replace" />
      ) : null}
      {finance && (!closing || card.closure?.kind === 'refund') && !closed ? (
        <Closing card={card} kind="refund" />
      ) : null}
    </>
  )
}

/** Asks first what stands against it: the answer decides what the dialog offers. */
function MoneyBack({ cardId, counter }: { cardId: string; counter: number }) {
  const money = useMoney()
  const [open, setOpen] = useState(false)
  const [reason, setReason] = useState('')
  const [party, setParty] = useState('')
  const path = `/cards/${cardId}/counters/${counter}/money-back`
  const question = useApi(moneyBackQuestionAnswer, path, { enabled: open })
  const change = useChange(moneyBackAnswer, path)
  const given = change.data
  const close = () => {
    setOpen(false)
    change.reset()
  }
  return (
    <>
      <Button small kind="bare" label={`Money back for #${counter}`} onPress={() => setOpen(true)}>
        Money back
      </Button>
      <Dialog title={`Money back for #${counter}`} open={open} onClose={close}>
        {given?.outcome === 'proposed' ? (
          <>
            <div className="dialog-text">
              <Proposed amountMinor={given.amountMinor} />
            </div>
            <footer className="dialog-foot">
              <Button kind="primary" onPress={close}>
                Done
              </Button>
            </footer>
          </>
        ) : given !== undefined ? (
          <>
            <div className="dialog-text">
              <p>
                {money(given.amountMinor)} are a credit of the card now, charged to the {given.charged}. Its load is
                paid with <Code>{given.reference}</Code>.
              </p>
              {given.onlyCounter === undefined ? null : (
                <p>It must be the card’s next transaction, or come when that one is known here.</p>
              )}
            </div>
            <footer className="dialog-foot">
              <Button kind="primary" onPress={close}>
                Done
              </Button>
            </footer>
          </>
        ) : (
          <Answer of={question}>
            {(stand) =>
              stand.refusal !== undefined ? (
                <>
                  <div className="dialog-text">
                    <p>{stand.refusal}</p>
                  </div>
                  <footer className="dialog-foot">
                    <Button onPress={close}>Close</Button>
                  </footer>
                </>
              ) : (
                <Form
                  submit={`Give ${money(stand.amountMinor)} back`}
                  onCancel={close}
                  onSubmit={() => change.mutateAsync({ reason, ...(party === '' ? {} : { atRiskOf: party }) })}
                >
                  <div className="dialog-text">
                    <p>
                      This ends the right to the goods. The money reaches the card with its next load, and is charged to
                      the merchant unless you say otherwise.
                    </p>
                  </div>
                  {stand.risk === undefined ? null : <Strip tone="warn">{stand.risk}</Strip>}
                  <SelectField
                    label="At whose risk?"
                    value={party}
                    onChange={setParty}
                    options={[
                      stand.risk === undefined ? ['', 'Nobody’s: by the rule'] : ['', 'Choose …'],
                      ['merchant', 'The merchant’s'],
                      ['issuer', 'The issuer’s'],
                    ]}
                  />
                  <TextField label="Why?" hint="The reason is kept." value={reason} onChange={setReason} required />
                </Form>
              )
            }
          </Answer>
        )}
      </Dialog>
    </>
  )
}

function CancelCredit({ reference }: { reference: string }) {
  const change = useChange(cancelledAnswer, `/credits/${reference}/cancel`)
  return (
    <ConfirmAction
      button="Take back"
      kind="bare"
      small
      title={`Take back credit ${reference}`}
      says="Its money returns to where it came from. A credit that was loaded cannot be taken back."
      reason="Why is it taken back?"
      confirm="Take back"
      danger
      act={(reason) => change.mutateAsync({ reason })}
    />
  )
}

const remarkOf = (row: CardHistoryRow): ReactNode => {
  if (row.kind === 'credit')
    return (
      <>
        {row.detail === undefined ? null : <Code>{row.detail}</Code>}
        {row.remark === undefined || row.remark === 'open' ? '' : ` ${remarkWord(row.remark)}`}
      </>
    )
  const words = [row.remark === 'payment' ? undefined : row.remark]
  if (row.kind === 'load' || row.kind === 'closure') words.push(row.detail)
  const said = words.filter((word) => word !== undefined).map(remarkWord)
  if (row.proved === false) said.push('its record has not come')
  return said.length === 0 ? null : said.join(', ')
}

const broughtBy = (row: CardHistoryRow): ReactNode => {
  if (row.document === undefined) return <None />
  if (row.document.startsWith('load ')) return 'its load request'
  const batch = /^batch ([0-9a-f]{16})\/(\d+)\/(\d+)$/.exec(row.document)
  if (batch === null || row.entry === undefined) return <DocumentLink name={row.document} />
  const [, terminalId = '', epoch, batchNo] = batch
  return (
    <>
      <BatchLink terminalId={terminalId} epoch={Number(epoch)} batchNo={Number(batchNo)} short /> entry{' '}
      <EntryLink terminalId={terminalId} epoch={Number(epoch)} batchNo={Number(batchNo)} entry={row.entry} />
    </>
  )
}

function RowAction({ cardId, row }: { cardId: string; row: CardHistoryRow }) {
  if (row.kind === 'payment') return <MoneyBack cardId={cardId} counter={row.counter} />
  if (row.kind === 'credit' && row.remark === 'open' && row.detail !== undefined)
    return <CancelCredit reference={row.detail} />
  return null
}

const columnsOf = (cardId: string, finance: boolean): readonly Column<CardHistoryRow>[] => [
  {
    id: 'counter',
    title: 'Counter',
    sort: 'counter',
    cell: (row) => (
      <Link href={pathTo.counter(cardId, row.counter)}>
        <span className="figure">
          {row.lastCounter === undefined || row.lastCounter === row.counter
            ? `#${row.counter}`
            : `#${row.counter}–${row.lastCounter}`}
        </span>
      </Link>
    ),
  },
  {
    id: 'kind',
    title: 'What',
    cell: (row) => <Badge tone={kindWord(row.kind).tone}>{kindWord(row.kind).title}</Badge>,
  },
  {
    id: 'amount',
    title: 'Amount',
    align: 'end',
    cell: (row) => <Money minor={row.amountMinor} sign={row.kind === 'hole'} />,
  },
  { id: 'balance', title: 'Balance', align: 'end', cell: (row) => <Money minor={row.balanceAfterMinor} /> },
  { id: 'at', title: 'When', cell: (row) => <DateTime at={row.at} /> },
  {
    id: 'terminal',
    title: 'Terminal',
    priority: 3,
    cell: (row) => (row.terminalId === undefined ? <None /> : <TerminalLink id={row.terminalId} />),
  },
  {
    id: 'remark',
    title: 'Remark',
    wide: true,
    cell: remarkOf,
  },
  { id: 'document', title: 'Brought by', priority: 2, cell: broughtBy },
  ...(finance
    ? [
        {
          id: 'action',
          title: 'Action',
          align: 'end' as const,
          cell: (row: CardHistoryRow) => <RowAction cardId={cardId} row={row} />,
        },
      ]
    : []),
]

function History({ cardId }: { cardId: string }) {
  const finance = useMay('finance')
  const [search] = useSearchParams()
  const counter = search.get('counter') ?? undefined
  const list = useList({
    path: `/cards/${cardId}/history`,
    page: historyPage,
    sort: 'counter',
    fixed: counter === undefined || !/^\d{1,10}$/.test(counter) ? {} : { counter },
    live: ['books', 'cards'],
  })
  return (
    <DataTable
      caption="History"
      noun={['line', 'lines']}
      list={list}
      columns={columnsOf(cardId, finance)}
      rowKey={(row) => `${row.counter} ${row.kind} ${row.at ?? ''} ${row.detail ?? ''} ${row.amountMinor ?? ''}`}
      empty={{ title: 'Nothing is known yet', text: 'What the card does stands here when a terminal brings it.' }}
      {...(counter === undefined
        ? {}
        : {
            filters: (
              <p className="hint">
                From #{counter}. <Link href={pathTo.card(cardId)}>Show all</Link>
              </p>
            ),
          })}
    />
  )
}

function Warnings({ card }: { card: CardDetail }) {
  const money = useMoney()
  const { closure } = card
  return (
    <>
      {card.overdrawnMinor === 0 ? null : (
        <Strip tone="bad">
          {money(card.overdrawnMinor)} were spent after its money had left it: the issuer’s loss.
        </Strip>
      )}
      {card.unbackedMinor === 0 ? null : (
        <Strip tone="bad">
          {money(card.unbackedMinor)} on this card came from nothing that is known. Look at the card.
        </Strip>
      )}
      {card.paidBackTwice.length === 0 ? null : (
        <Strip tone="bad">
          {`Money back was given for ${card.paidBackTwice.map((counter) => `#${counter}`).join(', ')}, which was reversed afterwards: take the credit back.`}
        </Strip>
      )}
      {closure?.state !== 'waiting' ? null : (
        <Strip tone="warn">
          {closure.kind === 'replace' ? 'Being replaced' : 'Being refunded'} ({closure.reason}). Its money can go from{' '}
          <DateTime at={closure.readyAt} /> on.
        </Strip>
      )}
    </>
  )
}

function Detail({ card }: { card: CardDetail }) {
  const { blocked, closure } = card
  return (
    <>
      <PageHead
        title={card.cardId}
        code
        trail={[['Cards', '/cards']]}
        badge={<CardState status={card.status} />}
        actions={<Actions card={card} />}
      />
      <div className="stack">
        <Warnings card={card} />
        <Stats>
          <Stat
            label="Balance"
            value={<Money minor={card.balanceMinor - card.withdrawnMinor} strong />}
            note={`after #${card.counter}`}
            href={pathTo.counter(card.cardId, card.counter)}
          />
          <Stat
            label="Owed as credits"
            value={<Money minor={card.credits.reduce((sum, credit) => sum + credit.amountMinor, 0)} strong />}
            note={card.credits.length === 0 ? 'none is open' : 'until they are loaded'}
          />
          <Stat label="Holes" value={card.holes} {...(card.holes === 0 ? {} : { tone: 'warn' as const })} />
          <Stat
            label="Alarms"
            value={card.alarms.length}
            {...(card.alarms.length === 0 ? {} : { tone: 'bad' as const })}
          />
        </Stats>
        <Panel title="The card">
          <KeyValue
            pairs={[
              ['Expires', <DateTime key="expires" at={card.expiresAt} />],
              [
                'Holds at most',
                card.balanceMaxMinor === undefined ? undefined : <Money key="max" minor={card.balanceMaxMinor} />,
              ],
              [
                'Without a PIN',
                card.pinFreeMaxMinor === undefined ? undefined : card.pinFreeMaxMinor === neverAsks ? (
                  'always'
                ) : (
                  <Money key="pin" minor={card.pinFreeMaxMinor} />
                ),
              ],
              ['Registered', <DateTime key="registered" at={card.registeredAt} />],
              [
                'Personalised',
                card.personalisedAt === undefined ? undefined : <DateTime key="made" at={card.personalisedAt} />,
              ],
              [
                'Blocked',
                blocked === undefined ? undefined : (
                  <span key="blocked">
                    {blocked.at === undefined ? '' : <DateTime at={blocked.at} />}{' '}
                    {blocked.by === undefined ? '' : `by ${blocked.by}`}
                    {blocked.reason === undefined ? '' : `: ${blocked.reason}`}
                    {blocked.forGood ? ' (for good, by a terminal)' : ''}
                  </span>
                ),
              ],
              [
                'Closed',
                closure?.state !== 'done' ? undefined : (
                  <span key="closed">
                    {remarkWord(closure.kind)}, <Money minor={closure.amountMinor} />
                    {closure.replacement === undefined ? null : (
                      <>
                        {' '}
                        to <CardLink id={closure.replacement} />
                      </>
                    )}
                    {closure.atRisk ? ', at the issuer’s risk' : ''}
                  </span>
                ),
              ],
            ]}
          />
        </Panel>
        <History cardId={card.cardId} />
      </div>
    </>
  )
}

export default function CardPage({ cardId = '' }: { readonly cardId?: string | undefined }) {
  const card = useApi(cardDetail, `/cards/${encodeURIComponent(cardId)}`, { live: ['cards', 'books', 'batches'] })
  return (
    <Answer of={card} head={{ title: cardId, above: ['Cards', '/cards'], code: true }}>
      {(found) => <Detail card={found} />}
    </Answer>
  )
}

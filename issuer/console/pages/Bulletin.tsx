/** What terminals are told: the newest bulletin, what the next one changes, who has it, limits, and the versions of keys. */
import { useState } from 'react'
import { formatAmount } from '../../../protocol/currency.ts'
import {
  type BulletinAnswer,
  bulletinAnswer,
  endedAnswer,
  type KeysAnswer,
  keysAnswer,
  type NewsRow,
  newsPage,
  publishedAnswer,
  retiredAnswer,
  rotatedAnswer,
} from '../../console-contract/bulletin.ts'
import { changesAnswer } from '../../console-contract/catalogue.ts'
import { useApi, useChange } from '../api/query.ts'
import { useMay, useSession } from '../api/session.ts'
import { priceOf } from '../parts/ArticleForm.tsx'
import { ChangeableCard } from '../parts/ChangeableCard.tsx'
import { Changes } from '../parts/Changes.tsx'
import { type Column, DataTable } from '../parts/DataTable.tsx'
import { ConfirmAction } from '../parts/Dialog.tsx'
import { FilterSelect, Filters } from '../parts/Filters.tsx'
import { Form, TextField } from '../parts/Form.tsx'
import { Size } from '../parts/Goods.tsx'
import { Card, KeyValue, PageHead, Stat, Stats, Strip } from '../parts/layout.tsx'
import { MerchantLink, pathTo, TerminalLink } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { useList } from '../parts/use-list.ts'
import { useNow } from '../parts/use-now.ts'
import { Age, Badge, Code, Count, DateTime, Money, None } from '../parts/values.tsx'

const live = ['publications', 'audit', 'batches'] as const
const daySeconds = 86_400

type Bulletin = NonNullable<BulletinAnswer['bulletin']>

function Publish({ jumpDays }: { jumpDays: number | undefined }) {
  const found = useApi(changesAnswer, '/catalogue/changes', { live })
  const publish = useChange(publishedAnswer, '/bulletin/publish')
  const may = useMay('operate')
  return (
    <Answer of={found}>
      {(changes) => (
        <Card
          title="What the next publication changes"
          aside={
            may ? (
              <ConfirmAction
                button="Publish"
                kind={changes.nothing ? 'plain' : 'primary'}
                small
                title="Publish the catalogue as it stands?"
                says={
                  <>
                    {jumpDays === undefined ? null : (
                      <p>
                        The last bulletin was signed {jumpDays} days ago. A serial never goes back: if the issuer’s
                        clock is wrong, terminals refuse all that comes later. Look at it first.
                      </p>
                    )}
                    <Changes changes={changes} />
                  </>
                }
                confirm={jumpDays === undefined ? 'Publish' : 'The clock is right: publish'}
                danger={jumpDays !== undefined}
                act={() => publish.mutateAsync(jumpDays === undefined ? {} : { jump: true })}
              />
            ) : undefined
          }
        >
          <Changes changes={changes} />
        </Card>
      )}
    </Answer>
  )
}

const amounts = [
  ['saleMinorMax', 'One sale', 'the most that one sale costs'],
  ['staleSaleMinorMax', 'One sale with an old bulletin', 'in the place of the first'],
  ['cardUnsyncedMinorMax', 'One card until the next sync', 'the most that it spends at one terminal'],
  ['unsyncedMinorMax', 'One terminal until the next sync', 'the most that it takes'],
] as const
const days = [
  ['staleAfterSeconds', 'A bulletin is old after', 'days'],
  ['unsyncedSecondsMax', 'A terminal sells without an acknowledgement for', 'days'],
] as const

function ChangeLimits({ bulletin, onDone }: { bulletin: Bulletin; onDone: () => void }) {
  const { currency } = useSession().book
  const change = useChange(publishedAnswer, '/bulletin/terms')
  const { limits } = bulletin
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({
    ...Object.fromEntries(amounts.map(([name]) => [name, formatAmount(limits[name], currency)])),
    ...Object.fromEntries(days.map(([name]) => [name, String(limits[name] / daySeconds)])),
    unsyncedCountMax: String(limits.unsyncedCountMax),
    validSeconds: String(bulletin.validSeconds / daySeconds),
    claimSeconds: String(bulletin.claimSeconds / daySeconds),
  })
  const field = (name: string, label: string, hint?: string) => (
    <TextField
      key={name}
      label={label}
      {...(hint === undefined ? {} : { hint })}
      inputMode="decimal"
      required
      value={typed[name] ?? ''}
      onChange={(value) => setTyped({ ...typed, [name]: value })}
    />
  )
  const number = (name: string, times: number): number => {
    const value = Math.round(Number(typed[name]) * times)
    if (typed[name]?.trim() === '' || !Number.isFinite(value)) throw new Error(`"${typed[name]}" is not a number.`)
    return value
  }
  /** A limit of nothing is one, too. */
  const amount = (name: string): number =>
    /^0+([.,]0+)?$/.test(typed[name] ?? '') ? 0 : priceOf(typed[name] ?? '', currency)
  const submit = async () => {
    await change.mutateAsync({
      limits: {
        ...Object.fromEntries(amounts.map(([name]) => [name, amount(name)])),
        ...Object.fromEntries(days.map(([name]) => [name, number(name, daySeconds)])),
        unsyncedCountMax: number('unsyncedCountMax', 1),
      },
      validSeconds: number('validSeconds', daySeconds),
      claimSeconds: number('claimSeconds', daySeconds),
    })
    onDone()
  }
  return (
    <Form submit="Change the limits at once" onSubmit={submit} onCancel={onDone}>
      <p>
        They stand in a new bulletin at once, and reach a terminal with its next sync. The catalogue is not published.
      </p>
      {amounts.map(([name, label, hint]) => field(name, `${label}, ${currency}`, hint))}
      {field('unsyncedCountMax', 'Entries that wait at one terminal')}
      {days.map(([name, label]) => field(name, `${label}, days`))}
      {field('validSeconds', 'A bulletin is good for, days', 'A terminal that is away longer stops.')}
      {field('claimSeconds', 'A claim stands for, days')}
    </Form>
  )
}

function Limits({ bulletin }: { bulletin: Bulletin }) {
  const may = useMay('administer')
  const { limits } = bulletin
  const inDays = (seconds: number) =>
    `${(seconds / daySeconds).toLocaleString('en', { maximumFractionDigits: 2 })} days`
  return (
    <ChangeableCard
      title="Limits"
      may={may}
      dialog="Limits and terms"
      form={(onDone) => <ChangeLimits bulletin={bulletin} onDone={onDone} />}
    >
      <KeyValue
        pairs={[
          ...amounts.map(([name, label]) => [label, <Money key={name} minor={limits[name]} />] as const),
          ['Entries that wait at one terminal', <Count key="count" of={limits.unsyncedCountMax} />],
          ...days.map(([name, label]) => [label, inDays(limits[name])] as const),
          ['A bulletin is good for', inDays(bulletin.validSeconds)],
          ['A claim stands for', inDays(bulletin.claimSeconds)],
        ]}
      />
    </ChangeableCard>
  )
}

function Rotate({
  what,
  button,
  title,
  says,
}: {
  what: 'masters' | 'signing'
  button: string
  title: string
  says: string
}) {
  const rotate = useChange(rotatedAnswer, '/keys/rotate')
  return (
    <>
      <ConfirmAction
        button={button}
        small
        title={title}
        says={says}
        confirm="Rotate"
        danger
        act={() => rotate.mutateAsync({ what })}
      />
      {rotate.data === undefined ? null : (
        <Strip tone="good">
          Key version {rotate.data.keyVersion} is in use. Back the new keys up; those of before are kept on the issuer’s
          machine in {rotate.data.keptAs}: move them to the backup, or destroy them.
        </Strip>
      )}
    </>
  )
}

function EndVersion({ row }: { row: KeysAnswer['versions'][number] }) {
  const retire = useChange(retiredAnswer, `/keys/${row.version}/retire`)
  const end = useChange(endedAnswer, `/keys/${row.version}/end`)
  return (
    <span className="row-of-buttons">
      {row.cardsRetired ? null : (
        <ConfirmAction
          button="Refuse its cards"
          kind="bare"
          small
          title={`Refuse cards of version ${row.version}?`}
          says={`${row.activeCards} active cards have it. Every terminal that gets the new bulletin refuses them; what they paid settles. It cannot be undone here.`}
          confirm="Refuse them"
          danger
          act={() => retire.mutateAsync({ force: row.activeCards > 0 })}
        />
      )}
      {row.terminalsEnded ? null : (
        <ConfirmAction
          button="End its seals"
          kind="bare"
          small
          title={`End terminal keys up to version ${row.version}?`}
          says={`${row.terminals} terminals have shown no later one: each has to be enrolled again before anything of it is taken. Nothing that was sold is lost.`}
          confirm="End them"
          danger
          act={() => end.mutateAsync({ force: true })}
        />
      )}
    </span>
  )
}

function Keys() {
  const may = useMay('administer')
  const found = useApi(keysAnswer, '/keys', { live })
  return (
    <Answer of={found}>
      {(keys) => (
        <Card title="Keys" flush>
          {keys.dev ? <Strip tone="bad">These master keys are published: for play money only.</Strip> : null}
          <table className="table">
            <caption className="unseen">Versions of the master keys</caption>
            <thead>
              <tr>
                <th scope="col">Version</th>
                <th scope="col" className="at-end">
                  Active cards
                </th>
                <th scope="col">Cards</th>
                <th scope="col" className="at-end">
                  Terminals
                </th>
                <th scope="col">Their seals</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.versions.map((row) => (
                <tr key={row.version}>
                  <td>
                    {row.version} {row.newest ? <Badge tone="good">newest</Badge> : null}
                  </td>
                  <td className="at-end">
                    <Count of={row.activeCards} />
                  </td>
                  <td>{row.cardsRetired ? <Badge tone="bad">refused</Badge> : 'taken'}</td>
                  <td className="at-end">
                    <Count of={row.terminals} />
                  </td>
                  <td>{row.terminalsEnded ? <Badge tone="bad">ended</Badge> : 'taken'}</td>
                  <td>{may && !row.newest ? <EndVersion row={row} /> : null}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <div className="card-body stack">
            <p>Bulletins are signed with key version {keys.signingKeyVersion}.</p>
            {may ? (
              <div className="row-of-buttons">
                <Rotate
                  what="masters"
                  button="Add a version of the master keys"
                  title="Add a version of the master keys?"
                  says="New cards get it, and terminals take it up with their next sync, however long they were away. Wait for them before you give out new cards: a terminal that is still offline does not know these."
                />
                <Rotate
                  what="signing"
                  button="Sign with a new key"
                  title="Sign bulletins with a new key?"
                  says="The old key names the new one with its last signature, and is then gone from this machine. Terminals follow with their next sync."
                />
              </div>
            ) : null}
          </div>
        </Card>
      )}
    </Answer>
  )
}

const newsStates = {
  current: ['good', 'Has the newest'],
  behind: ['warn', 'Behind'],
  never: ['quiet', 'Never asked'],
} as const

const newsColumns: readonly Column<NewsRow>[] = [
  { id: 'terminal', title: 'Terminal', sort: 'terminal', cell: (row) => <TerminalLink id={row.terminalId} /> },
  {
    id: 'merchant',
    title: 'Merchant',
    wide: true,
    cell: (row) => <MerchantLink no={row.merchantNo} name={row.merchant} />,
  },
  {
    id: 'state',
    title: 'Bulletin',
    cell: (row) => <Badge tone={newsStates[row.state][0]}>{newsStates[row.state][1]}</Badge>,
  },
  {
    id: 'serial',
    title: 'Serial',
    priority: 3,
    cell: (row) => (row.bulletinSerial === undefined ? <None /> : <Code>{String(row.bulletinSerial)}</Code>),
  },
  { id: 'asked', title: 'Asked', sort: 'asked', cell: (row) => <DateTime at={row.askedAt} relative /> },
  { id: 'assortment', title: 'Sells', priority: 2, cell: (row) => row.assortment ?? 'everything' },
  { id: 'key', title: 'Key version', align: 'end', priority: 2, cell: (row) => <Count of={row.keyVersion} /> },
]

function News() {
  const list = useList({
    path: '/bulletin/terminals',
    page: newsPage,
    sort: 'asked',
    filters: ['state'],
    live,
  })
  return (
    <section className="stack" aria-labelledby="who-has-it">
      <h2 id="who-has-it" className="section-title">
        Who has it
      </h2>
      <DataTable
        caption="Terminals and the bulletin that each was given"
        noun={['terminal', 'terminals']}
        list={list}
        columns={newsColumns}
        rowKey={(row) => row.terminalId}
        rowHref={(row) => pathTo.terminal(row.terminalId)}
        empty={{ title: 'No terminals yet', text: 'Whoever asks for the bulletin in a terminal’s name stands here.' }}
        filters={
          <Filters list={list}>
            <FilterSelect
              list={list}
              name="state"
              label="Bulletin"
              options={Object.entries(newsStates).map(([state, [, says]]) => [state, says] as const)}
            />
          </Filters>
        }
      />
    </section>
  )
}

function Figures({ bulletin }: { bulletin: Bulletin }) {
  const now = useNow()
  const leftDays = (Date.parse(bulletin.expiresAt) - now) / 1000 / daySeconds
  return (
    <Stats>
      <Stat
        label="Serial"
        value={<span className="figure">{bulletin.serial}</span>}
        note={
          <>
            <Size bytes={bulletin.bytes} />, signed with key {bulletin.signingKeyVersion}
          </>
        }
      />
      <Stat label="Age" value={<Age since={bulletin.issuedAt} />} note={<DateTime at={bulletin.issuedAt} />} />
      <Stat
        label="Good for"
        value={leftDays < 1 ? 'ends today' : `${Math.floor(leftDays)} days`}
        {...(leftDays < 7 ? { tone: 'warn' as const } : {})}
        note={<DateTime at={bulletin.expiresAt} />}
      />
      <Stat
        label="Articles"
        value={<Count of={bulletin.items} />}
        href="/catalogue"
        note={bulletin.coming === 0 ? 'nothing announced' : `${bulletin.coming} announced`}
      />
      <Stat label="Cards on the hotlist" value={<Count of={bulletin.hotlisted} />} href="/cards?status=hotlisted" />
    </Stats>
  )
}

export default function BulletinPage() {
  const found = useApi(bulletinAnswer, '/bulletin', { live })
  return (
    <>
      <PageHead title="Bulletin" lead="What the issuer signs for all terminals: prices, limits, key versions." />
      <Answer of={found}>
        {({ bulletin, jumpDays, warnings }) => (
          <div className="stack">
            {warnings.map((warning) => (
              <Strip key={warning} tone="warn">
                {warning}
              </Strip>
            ))}
            {bulletin === undefined ? (
              <Strip tone="note">Nothing was published yet: terminals have nothing to sell.</Strip>
            ) : (
              <Figures bulletin={bulletin} />
            )}
            {jumpDays === undefined ? null : (
              <Strip tone="bad">
                By the issuer’s clock the last bulletin is {jumpDays} days old. None is signed by itself any more: look
                at the clock, then publish.
              </Strip>
            )}
            <Publish jumpDays={jumpDays} />
            <News />
            {bulletin === undefined ? null : <Limits bulletin={bulletin} />}
            <Keys />
          </div>
        )}
      </Answer>
    </>
  )
}

/** The morning's page: what was sold where, who has not reported, what does not add up, what to do next. */
import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from 'wouter'
import { isRiskUnknown } from '../../console-contract/case-risk.ts'
import { fundingAnswer } from '../../console-contract/funding.ts'
import {
  type ArticlesOverview,
  type AttentionOverview,
  articlesOverview,
  attentionOverview,
  type BooksOverview,
  booksOverview,
  type SalesOverview,
  salesOverview,
  type UnreportedOverview,
  unreportedOverview,
} from '../../console-contract/overview.ts'
import type { CountAndAmount } from '../../console-contract/terminals.ts'
import { mayHoldWords, unreportedWords } from '../../console-contract/unreported-words.ts'
import { useApi } from '../api/query.ts'
import { useSession } from '../api/session.ts'
import { isThere } from '../areas.ts'
import { Chart } from '../parts/Chart.tsx'
import { PlainTable } from '../parts/DataTable.tsx'
import { FundingTable } from '../parts/FundingTable.tsx'
import { formatClock, formatCount, formatDay, formatMoney, formatMoneyShort } from '../parts/format.ts'
import { Icon } from '../parts/Icon.tsx'
import { Card, PageHead, Stat, Stats } from '../parts/layout.tsx'
import { pathTo, TerminalLink } from '../parts/links.tsx'
import { Answer } from '../parts/states.tsx'
import { useNow } from '../parts/use-now.ts'
import { Badge, Count, DateTime, Money, None } from '../parts/values.tsx'
import { accountWord, alarmWord } from '../parts/words.ts'

interface Answers {
  readonly sales: UseQueryResult<SalesOverview>
  readonly unreported: UseQueryResult<UnreportedOverview>
  readonly books: UseQueryResult<BooksOverview>
  readonly attention: UseQueryResult<AttentionOverview>
}

/** By how many per cent one sum is more or less than another. */
const compared = (now: CountAndAmount, before: CountAndAmount, what: string): string => {
  if (before.amountMinor === 0) return now.amountMinor === 0 ? `none ${what} either` : `none ${what}`
  const percent = Math.round(((now.amountMinor - before.amountMinor) / before.amountMinor) * 100)
  return `${percent > 0 ? '+' : percent < 0 ? '\u2212' : '±'}${Math.abs(percent)}\u2009% on ${what}`
}

function Figures({ sales, unreported, books, attention }: Answers) {
  const { currency } = useSession().book
  const waiting = '…'
  const { data: sold } = sales
  const { data: kiosks } = unreported
  const { data: trouble } = attention
  const { data: book } = books
  return (
    <Stats>
      <Stat
        label="Sales today"
        value={sold === undefined ? waiting : <Money minor={sold.sales.today.amountMinor} />}
        note={
          sold && (
            <>
              {formatCount(sold.sales.today.count)} sales,{' '}
              {compared(sold.sales.today, sold.sales.yesterdayUntilNow, 'yesterday until now')}
            </>
          )
        }
      />
      <Stat
        label="Sales yesterday"
        value={sold === undefined ? waiting : <Money minor={sold.sales.yesterday.amountMinor} />}
        note={
          sold && (
            <>
              {formatCount(sold.sales.yesterday.count)} sales,{' '}
              {compared(sold.sales.yesterday, sold.sales.dayBefore, 'the day before')}
            </>
          )
        }
      />
      <Stat
        label="Not reported yet"
        href="/terminals?state=silent"
        {...(kiosks !== undefined && kiosks.silentCount > 0 ? { tone: 'warn' as const } : {})}
        value={kiosks === undefined ? waiting : `${kiosks.count} of ${kiosks.enrolledCount}`}
        note={
          kiosks && (
            <>
              {mayHoldWords({
                kiosks: kiosks.count,
                unknown: kiosks.unknownCount,
                mayHold: formatMoney(kiosks.expectedMinor, currency),
              })}{' '}
              held, {kiosks.silentCount} silent for a day
            </>
          )
        }
      />
      <Stat
        label="Open cases"
        href="/exceptions"
        {...(trouble !== undefined && trouble.cases.count > 0 ? { tone: 'warn' as const } : {})}
        value={trouble === undefined ? waiting : <Count of={trouble.cases.count} />}
        note={
          trouble && (
            <>
              <Money minor={trouble.cases.atRiskMinor} /> at risk, {formatCount(trouble.cases.overdue)} overdue
            </>
          )
        }
      />
      <Stat
        label="Trial balance"
        {...(book === undefined ? {} : { tone: book.trialBalanceMinor === 0 ? ('good' as const) : ('bad' as const) })}
        value={book === undefined ? waiting : <Money minor={book.trialBalanceMinor} />}
        note={book && (book.trialBalanceMinor === 0 ? 'The books balance' : 'The books do not balance: stop and look')}
      />
    </Stats>
  )
}

function SalesByHour({ sales }: { sales: SalesOverview }) {
  const { currency, timeZone } = useSession().book
  const now = useNow()
  return (
    <Chart
      title="Sales by hour, today and yesterday"
      labelTitle="Hour"
      labels={sales.hours.map(({ hour }) => formatClock(new Date(hour), timeZone))}
      series={[
        {
          title: `Yesterday, ${formatDay(sales.yesterday, now)}`,
          color: '--series-2',
          shape: 'line',
          values: sales.hours.map(({ yesterday }) => yesterday.amountMinor),
        },
        {
          title: `Today, ${formatDay(sales.today, now)}`,
          color: '--series-1',
          shape: 'bars',
          values: sales.hours.map(({ today }) => today?.amountMinor ?? null),
        },
      ]}
      format={(minor) => formatMoney(minor, currency)}
      formatShort={(minor) => formatMoneyShort(minor, currency)}
    />
  )
}

function Kiosks({ sales }: { sales: SalesOverview }) {
  const most = Math.max(
    1,
    ...sales.kiosks.flatMap(({ today, yesterday }) => [today.amountMinor, yesterday.amountMinor]),
  )
  if (sales.kiosks.length === 0) return <p className="card-note">No kiosk sold anything yesterday or today.</p>
  return (
    <>
      <PlainTable
        caption="Sales by kiosk, today and yesterday"
        rows={sales.kiosks}
        rowKey={(row) => row.terminalId}
        columns={[
          {
            id: 'kiosk',
            title: 'Kiosk',
            cell: (row) => (
              <span className="two-lines">
                <TerminalLink id={row.terminalId} />
                <span className="soft">{row.merchant}</span>
              </span>
            ),
          },
          {
            id: 'bars',
            title: 'Today over yesterday',
            wide: true,
            priority: 2,
            cell: (row) => (
              <span className="bars" aria-hidden="true">
                <meter className="bar" min={0} max={most} value={row.today.amountMinor} />
                <meter className="bar is-before" min={0} max={most} value={row.yesterday.amountMinor} />
              </span>
            ),
          },
          { id: 'today', title: 'Today', align: 'end', cell: (row) => <Money minor={row.today.amountMinor} /> },
          {
            id: 'yesterday',
            title: 'Yesterday',
            align: 'end',
            cell: (row) => <Money minor={row.yesterday.amountMinor} />,
          },
        ]}
      />
      {sales.kiosksSelling > sales.kiosks.length ? (
        <p className="card-note">
          The {sales.kiosks.length} that sold most, of {formatCount(sales.kiosksSelling)}.{' '}
          <Link href="/terminals?sort=sales">All terminals</Link>
        </p>
      ) : null}
    </>
  )
}

function Unreported({ unreported }: { unreported: UnreportedOverview }) {
  const { limits } = unreported
  if (unreported.count === 0)
    return <p className="card-note">Every kiosk that usually sells at these hours has reported.</p>
  return (
    <>
      <PlainTable
        caption="Kiosks that have not reported"
        rows={unreported.kiosks}
        rowKey={(row) => row.terminalId}
        columns={[
          {
            id: 'kiosk',
            title: 'Kiosk',
            cell: (row) => (
              <span className="two-lines">
                <TerminalLink id={row.terminalId} />
                <span className="soft">{row.merchant}</span>
              </span>
            ),
          },
          {
            id: 'reported',
            title: 'Last contact',
            cell: (row) => (
              <span className="inline">
                <DateTime at={row.reportedAt} relative />
                {row.silent ? <Badge tone="warn">Silent</Badge> : null}
              </span>
            ),
          },
          {
            id: 'usual',
            title: 'Usual day',
            align: 'end',
            priority: 2,
            cell: (row) => (row.exposure === undefined ? '–' : <Money minor={row.exposure.usualDayMinor} />),
          },
          {
            id: 'held',
            title: 'May hold',
            align: 'end',
            cell: ({ exposure }) =>
              exposure === undefined ? (
                'unknown'
              ) : (
                <span title={exposure.limited ? 'Cut off at the kiosk’s own limit' : undefined}>
                  <Money minor={exposure.expected.amountMinor} strong />
                  {exposure.limited ? '*' : ''}
                </span>
              ),
          },
        ]}
      />
      <p className="card-note">
        Estimated: what each kiosk sold at the same hours in the 14 days before its last report
        {limits === undefined ? '.' : ', and never more than its own limits let it sell without reporting.'}
        {unreported.count > unreported.kiosks.length
          ? ` The ${unreported.kiosks.length} that may hold most, of ${formatCount(unreported.count)}.`
          : ''}
      </p>
    </>
  )
}

function Books({ books }: { books: BooksOverview }) {
  const used = books.accounts.filter(({ kind, balanceMinor }) => balanceMinor !== 0 || kind === 'float')
  return (
    <PlainTable
      caption="The books by kind of account"
      rows={used}
      rowKey={(row) => row.kind}
      columns={[
        {
          id: 'kind',
          title: 'Account',
          wide: true,
          cell: (row) => (
            <span className="two-lines">
              {isThere('Ledger') ? (
                <Link href={`/ledger?kind=${row.kind}`}>{accountWord(row.kind).title}</Link>
              ) : (
                accountWord(row.kind).title
              )}
              <span className="soft">{accountWord(row.kind).says}</span>
            </span>
          ),
        },
        { id: 'balance', title: 'Balance', align: 'end', cell: (row) => <Money minor={row.balanceMinor} /> },
      ]}
      foot={['Trial balance', <Money key="sum" minor={books.trialBalanceMinor} strong />]}
    />
  )
}

function Trouble({ attention, unreported }: { attention: AttentionOverview; unreported: UnreportedOverview }) {
  const { currency } = useSession().book
  const { silentCount, silentSince, silentMinor, unknownCount } = unreported
  const missed =
    silentCount === 0
      ? undefined
      : unreportedWords({
          ...{ kiosks: silentCount, since: silentSince, unknown: unknownCount },
          mayHold: formatMoney(silentMinor, currency),
        })
  if (attention.cases.causes.length === 0)
    return (
      <p className="card-note">
        {missed === undefined ? 'Everything adds up: no case is open.' : `No case is open, but ${missed}`}
      </p>
    )
  return (
    <PlainTable
      caption="Open cases by cause"
      rows={attention.cases.causes}
      rowKey={(row) => row.cause}
      columns={[
        {
          id: 'cause',
          title: 'Cause',
          wide: true,
          cell: (row) => (
            <Link href={`/exceptions?cause=${encodeURIComponent(row.cause)}`} title={row.todo}>
              {row.title}
            </Link>
          ),
        },
        { id: 'count', title: 'Cases', align: 'end', cell: (row) => <Count of={row.count} /> },
        {
          id: 'overdue',
          title: 'Overdue',
          align: 'end',
          priority: 3,
          cell: (row) => <Count of={row.overdue} />,
        },
        { id: 'amount', title: 'Amount', align: 'end', priority: 2, cell: (row) => <Money minor={row.amountMinor} /> },
        {
          id: 'risk',
          title: 'At risk',
          align: 'end',
          cell: (row) => (isRiskUnknown(row) ? 'unknown' : <Money minor={row.atRiskMinor} />),
        },
      ]}
    />
  )
}

interface Todo {
  readonly key: string
  readonly tone: 'bad' | 'warn' | 'note'
  readonly title: string
  readonly text: string
  readonly href: string
}

const kiosks = (count: number): string => `${formatCount(count)} ${count === 1 ? 'kiosk' : 'kiosks'}`

/** In the order in which a person should go about it. */
const todosOf = (
  {
    books,
    attention,
    unreported,
  }: { books: BooksOverview; attention: AttentionOverview; unreported: UnreportedOverview },
  money: (minor: number) => string,
): readonly Todo[] => {
  const balanceOf = (kind: string) => books.accounts.find((account) => account.kind === kind)?.balanceMinor ?? 0
  const missing = attention.missingBatches.reduce((total, each) => total + each.missing, 0)
  const [firstMissing] = attention.missingBatches
  const todos: (Todo | false)[] = [
    books.trialBalanceMinor !== 0 && {
      key: 'trial',
      tone: 'bad',
      title: `The trial balance is ${money(books.trialBalanceMinor)}`,
      text: 'It is zero by construction: stop paying out, and restore or rebuild the store.',
      href: isThere('Ledger') ? '/ledger' : '/exceptions',
    },
    attention.cases.overdue > 0 && {
      key: 'overdue',
      tone: 'bad',
      title: `${formatCount(attention.cases.overdue)} ${attention.cases.overdue === 1 ? 'case is' : 'cases are'} overdue`,
      text: 'Their due dates have passed: take each up, or say what it waits for.',
      href: '/exceptions?view=overdue',
    },
    attention.cases.proposed > 0 && {
      key: 'proposed',
      tone: 'warn',
      title: `${formatCount(attention.cases.proposed)} ${attention.cases.proposed === 1 ? 'decision waits' : 'decisions wait'} for a second person`,
      text: 'Whoever did not propose it approves or refuses it.',
      href: '/exceptions?view=approval',
    },
    ...attention.alarms.map(
      (alarm): Todo => ({
        key: `alarm ${alarm.kind}`,
        tone: alarmWord(alarm.kind).tone === 'bad' ? 'bad' : 'warn',
        title: `${alarmWord(alarm.kind).title}: ${formatCount(alarm.count)} in 7 days`,
        text: alarmWord(alarm.kind).says,
        href: '/exceptions',
      }),
    ),
    unreported.silentCount > 0 && {
      key: 'silent',
      tone: 'warn',
      title: `${kiosks(unreported.silentCount)} silent for more than a day`,
      text: 'Sync each, or fetch its batches by stick: until then its days are not complete.',
      href: '/terminals?state=silent&direction=ascending',
    },
    missing > 0 && {
      key: 'missing',
      tone: 'warn',
      title: `${formatCount(missing)} ${missing === 1 ? 'batch' : 'batches'} never came`,
      text: `From ${kiosks(new Set(attention.missingBatches.map(({ terminalId }) => terminalId)).size)}: each sends again what is asked for when it syncs.`,
      href: attention.missingBatches.length === 1 ? `/terminals/${firstMissing?.terminalId}` : '/batches',
    },
    balanceOf('suspense') !== 0 && {
      key: 'suspense',
      tone: 'warn',
      title: `${money(balanceOf('suspense'))} in suspense`,
      text: 'Paid to nobody until each exception and hole behind it is decided or closes itself.',
      href: '/exceptions',
    },
    balanceOf('holes') !== 0 && {
      key: 'holes',
      tone: 'warn',
      title: `${money(balanceOf('holes'))} in holes`,
      text: 'Counters of cards that are missing: their entries, a tap or a claim fill them.',
      href: '/exceptions',
    },
    attention.notEnrolled > 0 && {
      key: 'enrol',
      tone: 'note',
      title: `${kiosks(attention.notEnrolled)} never enrolled`,
      text: 'Make its one-time code and carry it there.',
      href: '/terminals?state=neverEnrolled',
    },
    balanceOf('payable') > 0 && {
      key: 'payable',
      tone: 'note',
      title: `${money(balanceOf('payable'))} owed to merchants`,
      text: 'Close their periods, then export the payment file.',
      href: isThere('Settlement') ? '/settlement' : '/merchants',
    },
  ]
  return todos.filter((todo) => todo !== false)
}

function Next({ books, attention, unreported }: Answers) {
  const { currency } = useSession().book
  return (
    <Answer of={books}>
      {(book) => (
        <Answer of={attention}>
          {(trouble) => (
            <Answer of={unreported}>
              {(quiet) => {
                const todos = todosOf({ books: book, attention: trouble, unreported: quiet }, (minor) =>
                  formatMoney(minor, currency),
                )
                if (todos.length === 0) return <p className="card-note">Nothing waits for anybody. Well done.</p>
                return (
                  <ol className="todos">
                    {todos.map((todo) => (
                      <li key={todo.key} className={`todo tone-${todo.tone}`}>
                        <Link href={todo.href}>
                          <span className="todo-title">{todo.title}</span>
                          <span className="todo-text">{todo.text}</span>
                        </Link>
                        <Icon name="right" />
                      </li>
                    ))}
                  </ol>
                )
              }}
            </Answer>
          )}
        </Answer>
      )}
    </Answer>
  )
}

/** More than anybody reads in the morning. */
const articlesShown = 10

function Articles({ articles }: ArticlesOverview) {
  if (articles.length === 0) return <p className="card-note">Nothing was sold yesterday or today.</p>
  const sold = ({ count, amountMinor }: ArticlesOverview['articles'][number]['today']) =>
    count === 0 ? (
      <None says="none" />
    ) : (
      <span className="two-lines">
        <Money minor={amountMinor} />
        <span className="soft">
          {formatCount(count)} {count === 1 ? 'sale' : 'sales'}
        </span>
      </span>
    )
  return (
    <>
      <PlainTable
        caption="Sales by article, today and yesterday"
        rows={articles.slice(0, articlesShown)}
        rowKey={(row) => row.itemId}
        columns={[
          {
            id: 'article',
            title: 'Article',
            wide: true,
            cell: (row) => (
              <Link className="words" dir="auto" href={pathTo.item(row.itemId)} title={row.title}>
                {row.title}
              </Link>
            ),
          },
          { id: 'today', title: 'Today', align: 'end', cell: (row) => sold(row.today) },
          { id: 'yesterday', title: 'Yesterday', align: 'end', cell: (row) => sold(row.yesterday) },
        ]}
      />
      {articles.length > articlesShown ? (
        <p className="card-note">
          The {articlesShown} that took most on both days, of {formatCount(articles.length)}.
        </p>
      ) : null}
    </>
  )
}

export default function Overview() {
  const answers: Answers = {
    sales: useApi(salesOverview, '/overview/sales', { live: ['batches', 'books'] }),
    unreported: useApi(unreportedOverview, '/overview/unreported', { live: ['batches', 'terminals'] }),
    books: useApi(booksOverview, '/overview/books', { live: ['books'] }),
    attention: useApi(attentionOverview, '/overview/attention', { live: ['batches', 'cases', 'terminals'] }),
  }
  const articles = useApi(articlesOverview, '/overview/articles')
  const funding = useApi(fundingAnswer, '/funding', { live: ['books', 'cards'] })
  return (
    <>
      <PageHead title="Overview" />
      <div className="stack">
        <Figures {...answers} />
        <div className="columns is-second-first">
          <div className="stack">
            <Card title="Sales by hour">
              <Answer of={answers.sales} lines={6}>
                {(sales) => <SalesByHour sales={sales} />}
              </Answer>
              <p className="card-note">
                By the time of each sale, as its kiosk tells it. A <Link href="/settlement">statement</Link> counts a
                sale on the day that it was booked here: what is reported late stands there later.
              </p>
            </Card>
            <Card
              title="Not reported yet"
              flush
              aside={<Link href="/terminals?direction=ascending">All terminals</Link>}
            >
              <Answer of={answers.unreported}>{(unreported) => <Unreported unreported={unreported} />}</Answer>
            </Card>
          </div>
          <Card title="What to do next" flush>
            <Next {...answers} />
          </Card>
        </div>
        <div className="halves">
          <div className="stack">
            <Card title="What does not add up" flush aside={<Link href="/exceptions">All exceptions</Link>}>
              <Answer of={answers.attention}>
                {(attention) => (
                  <Answer of={answers.unreported}>
                    {(unreported) => <Trouble attention={attention} unreported={unreported} />}
                  </Answer>
                )}
              </Answer>
            </Card>
            <Card title="The books" flush>
              <Answer of={answers.books}>{(books) => <Books books={books} />}</Answer>
            </Card>
          </div>
          <div className="stack">
            <Card title="Sales by kiosk" flush aside={<Link href="/terminals?sort=sales">All terminals</Link>}>
              <Answer of={answers.sales}>{(sales) => <Kiosks sales={sales} />}</Answer>
            </Card>
            <Card title="Sales by article" flush aside={<Link href="/catalogue">Catalogue</Link>}>
              <Answer of={articles}>{(known) => <Articles {...known} />}</Answer>
            </Card>
            <Card title="What stands behind the cards" flush aside={<Link href="/funding">Funding</Link>}>
              <Answer of={funding}>{(known) => <FundingTable funding={known} />}</Answer>
            </Card>
          </div>
        </div>
      </div>
    </>
  )
}

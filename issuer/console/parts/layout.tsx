/** How a page is laid out: its head, cards, figures, pairs of names and values, tabs. */
import { type KeyboardEvent, type ReactNode, useEffect, useId } from 'react'
import { Link } from 'wouter'

/** A page's head. The title is also the window's. */
export function PageHead({
  title,
  trail = [],
  lead,
  actions,
  badge,
  code,
}: {
  title: string
  /** The pages above, from the outermost: name and address. */
  trail?: readonly (readonly [string, string])[]
  lead?: ReactNode
  actions?: ReactNode
  badge?: ReactNode
  /** The title is an id. */
  code?: boolean
}) {
  useEffect(() => {
    document.title = `${title} · Farthing`
  }, [title])
  return (
    <header className="page-head">
      {trail.length === 0 ? null : (
        <nav aria-label="Breadcrumb" className="trail">
          <ol>
            {trail.map(([name, href]) => (
              <li key={href}>
                <Link href={href}>{name}</Link>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <div className="page-title">
        <h1 className={code ? 'is-code' : ''}>{title}</h1>
        {badge}
        {actions === undefined ? null : <div className="page-actions">{actions}</div>}
      </div>
      {lead === undefined ? null : <p className="lead">{lead}</p>}
    </header>
  )
}

export function Card({
  title,
  aside,
  children,
  flush,
  className = '',
}: {
  title?: string
  /** Beside the title: a link to all, a switch. */
  aside?: ReactNode
  children: ReactNode
  /** What is in it goes to the edges: a table. */
  flush?: boolean
  className?: string
}) {
  const id = useId()
  return (
    <section className={`card ${className}`} aria-labelledby={title === undefined ? undefined : id}>
      {title === undefined ? null : (
        <header className="card-head">
          <h2 id={id}>{title}</h2>
          {aside === undefined ? null : <div className="card-aside">{aside}</div>}
        </header>
      )}
      <div className={flush ? 'card-flush' : 'card-body'}>{children}</div>
    </section>
  )
}

/** One figure with its name, and what it is to be compared with. With `href` it leads to what it is made of. */
export function Stat({
  label,
  value,
  note,
  href,
  tone,
}: {
  label: string
  value: ReactNode
  note?: ReactNode
  href?: string
  tone?: 'good' | 'warn' | 'bad'
}) {
  return (
    <div className={`stat${tone === undefined ? '' : ` tone-${tone}`}`}>
      <p className="stat-label">{label}</p>
      <p className="stat-value">{href === undefined ? value : <Link href={href}>{value}</Link>}</p>
      {note === undefined ? null : <p className="stat-note">{note}</p>}
    </div>
  )
}

export function Stats({ children }: { children: ReactNode }) {
  return <div className="stats">{children}</div>
}

/** Names and values of one thing. Pairs whose value is undefined are left out. */
export function KeyValue({ pairs }: { pairs: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="pairs">
      {pairs
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

/** A sentence that must be seen, in the page's flow. */
export function Strip({ tone, children }: { tone: 'good' | 'warn' | 'bad' | 'note'; children: ReactNode }) {
  return (
    <p className={`strip tone-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </p>
  )
}

export function Tabs<Id extends string>({
  label,
  tabs,
  at,
  onChange,
  children,
}: {
  label: string
  tabs: readonly { readonly id: Id; readonly title: string; readonly count?: number | undefined }[]
  at: Id
  onChange: (id: Id) => void
  children: ReactNode
}) {
  const id = useId()
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const here = tabs.findIndex((tab) => tab.id === at)
    const next = tabs[(here + step + tabs.length) % tabs.length]
    if (next === undefined) return
    onChange(next.id)
    document.getElementById(`${id}-${next.id}`)?.focus()
  }
  return (
    <>
      <div role="tablist" aria-label={label} className="tabs" onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            aria-selected={tab.id === at}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === at ? 0 : -1}
            onClick={() => onChange(tab.id)}
          >
            {tab.title}
            {tab.count === undefined ? null : <span className="tab-count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${at}`} className="tab-panel">
        {children}
      </div>
    </>
  )
}

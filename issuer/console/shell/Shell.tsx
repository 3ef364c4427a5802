/** The frame around every page: navigation, search, who is signed in, and whether what is shown is live. */
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { mayDo } from '../../console-contract/roles.ts'
import { type LiveState, useLive } from '../api/live.ts'
import { noticeSignOut } from '../api/query.ts'
import { useSession } from '../api/session.ts'
import { isThere, navigation } from '../areas.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Icon } from '../parts/Icon.tsx'
import { pathTo } from '../parts/links.tsx'
import { keyHelp, useKeys } from './keys.ts'
import { PasswordAgain } from './PasswordAgain.tsx'
import { UserMenu } from './UserMenu.tsx'

function Navigation({ onGo, brand }: { onGo?: () => void; brand?: ReactNode }) {
  const [path] = useLocation()
  const { role } = useSession().user
  const isHere = (href: string) => (href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`))
  return (
    <nav aria-label="Main" className="navigation">
      {brand}
      {navigation.map((group) => {
        const items = group.items.filter(
          ({ page, permission }) => isThere(page) && (permission === undefined || mayDo(role, permission)),
        )
        if (items.length === 0) return null
        return (
          <div key={group.title} className="navigation-group">
            <h2>{group.title}</h2>
            <ul>
              {items.map((item) => (
                <li key={item.href}>
                  <Link
                    href={item.href}
                    {...(onGo === undefined ? {} : { onClick: onGo })}
                    aria-current={isHere(item.href) ? 'page' : undefined}
                  >
                    <Icon name={item.icon} />
                    <span>{item.title}</span>
                    <span aria-hidden="true" className="key">
                      {item.key}
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        )
      })}
    </nav>
  )
}

const liveSays: Readonly<Record<LiveState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Not live: reconnecting',
}

function LiveMark({ state }: { state: LiveState }) {
  return (
    <p
      className={`live is-${state}`}
      role="status"
      title="What is shown changes by itself when the issuer books something"
    >
      <span className="live-dot" aria-hidden="true" />
      <span className="live-text">{liveSays[state]}</span>
    </p>
  )
}

function Brand() {
  return (
    <Link href="/" className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <circle cx="16" cy="16" r="15" />
        <path d="M12 24V9h10v3.2h-6.4v3.2h5.6v3.1h-5.6V24z" />
      </svg>
      <span>Farthing</span>
    </Link>
  )
}

function KeyHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keys" open={open} onClose={onClose}>
      <dl className="keys">
        {keyHelp.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd className="key">{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

function SearchBox({ field }: { field: React.RefObject<HTMLInputElement | null> }) {
  const [, navigate] = useLocation()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const q = field.current?.value.trim() ?? ''
    if (q === '') return
    navigate(pathTo.search(q))
    field.current?.blur()
  }
  return (
    <search className="search-box">
      <form onSubmit={submit}>
        <label htmlFor="search-everything" className="unseen">
          Search for a card, a terminal, a batch or a document
        </label>
        <Icon name="search" />
        <input
          ref={field}
          id="search-everything"
          type="search"
          placeholder="Card, terminal, merchant, article, batch"
          spellCheck={false}
          autoComplete="off"
        />
        <span aria-hidden="true" className="key search-hint">
          /
        </span>
      </form>
    </search>
  )
}

export function Shell({ children }: { children: ReactNode }) {
  const [path, navigate] = useLocation()
  const { book } = useSession()
  const live = useLive(useQueryClient(), noticeSignOut)
  const [menu, setMenu] = useState(false)
  const [help, setHelp] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const main = useRef<HTMLElement>(null)
  const keys = useMemo(
    () => ({
      search: () => field.current?.select(),
      help: () => setHelp(true),
      go: (letter: string) => {
        const item = navigation.flatMap(({ items }) => items).find(({ key, page }) => key === letter && isThere(page))
        if (item !== undefined) navigate(item.href)
      },
      enterList: () => main.current?.querySelector<HTMLElement>('tbody tr > :first-child a')?.focus(),
    }),
    [navigate],
  )
  useKeys(keys)
  // A new page begins at its top, for the eye and for whoever listens.
  const shown = useRef(path)
  useEffect(() => {
    if (shown.current === path) return
    shown.current = path
    window.scrollTo(0, 0)
    main.current?.focus({ preventScroll: true })
  }, [path])
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <div className="rail">
        <Navigation brand={<Brand />} />
      </div>
      <div className="column">
        {book.dev ? (
          <p className="dev-strip">Development keys: no money here is real, and nothing is protected.</p>
        ) : null}
        <header className="top-bar">
          <div className="menu-button">
            <Button kind="bare" label="Menu" onPress={() => setMenu(true)}>
              <Icon name="menu" />
            </Button>
          </div>
          <SearchBox field={field} />
          <div className="top-end">
            <LiveMark state={live} />
            <Button kind="bare" label="Keys" onPress={() => setHelp(true)}>
              <Icon name="help" />
            </Button>
            <UserMenu />
          </div>
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          {children}
        </main>
      </div>
      <Dialog title="Menu" open={menu} onClose={() => setMenu(false)} drawer="start">
        <Navigation onGo={() => setMenu(false)} />
      </Dialog>
      <PasswordAgain />
      <KeyHelp open={help} onClose={() => setHelp(false)} />
    </div>
  )
}

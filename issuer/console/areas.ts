/**
 * The console's map: every address with the page that stands there (pages/NAME.tsx, its default export, fetched when it is
 * first opened), and what the navigation offers. A page that is not there is not offered.
 */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import type { Permission } from '../console-contract/roles.ts'
import type { IconName } from './parts/Icon.tsx'

export interface NavigationItem {
  readonly title: string
  readonly href: string
  readonly icon: IconName
  /** The key after g that leads there. */
  readonly key: string
  readonly page: string
  /** Offered to those who may do this; absent: to all. */
  readonly permission?: Permission
}

export const navigation: readonly { readonly title: string; readonly items: readonly NavigationItem[] }[] = [
  {
    title: 'Today',
    items: [
      { title: 'Overview', href: '/', icon: 'overview', key: 'o', page: 'Overview' },
      { title: 'Exceptions', href: '/exceptions', icon: 'alert', key: 'e', page: 'Exceptions' },
    ],
  },
  {
    title: 'Fleet',
    items: [
      { title: 'Terminals', href: '/terminals', icon: 'terminal', key: 't', page: 'Terminals' },
      { title: 'Batches', href: '/batches', icon: 'batch', key: 'b', page: 'Batches' },
    ],
  },
  {
    title: 'Cards',
    items: [
      { title: 'Cards', href: '/cards', icon: 'card', key: 'c', page: 'Cards' },
      { title: 'Funding', href: '/funding', icon: 'voucher', key: 'f', page: 'Funding' },
    ],
  },
  {
    title: 'Money',
    items: [
      { title: 'Merchants', href: '/merchants', icon: 'merchant', key: 'm', page: 'Merchants' },
      { title: 'Settlement', href: '/settlement', icon: 'settlement', key: 's', page: 'Settlement' },
      { title: 'Ledger', href: '/ledger', icon: 'ledger', key: 'l', page: 'Ledger' },
    ],
  },
  {
    title: 'Goods',
    items: [
      { title: 'Catalogue', href: '/catalogue', icon: 'catalogue', key: 'i', page: 'Catalogue' },
      { title: 'Bulletin', href: '/bulletin', icon: 'bulletin', key: 'n', page: 'Bulletin' },
    ],
  },
  {
    title: 'Administration',
    items: [
      { title: 'Users', href: '/users', icon: 'users', key: 'u', page: 'Users', permission: 'administer' },
      { title: 'Audit log', href: '/audit-log', icon: 'audit', key: 'a', page: 'AuditLog', permission: 'administer' },
    ],
  },
]

/** Pattern of the address, and the page. Parameters are given to the page as properties. */
const addresses: readonly (readonly [string, string])[] = [
  ['/', 'Overview'],
  ['/exceptions', 'Exceptions'],
  ['/exceptions/:caseNo', 'Exception'],
  ['/terminals', 'Terminals'],
  ['/terminals/:terminalId', 'Terminal'],
  ['/batches', 'Batches'],
  ['/batches/:terminalId/:epoch/:batchNo', 'Batch'],
  ['/batches/:terminalId/:epoch/:batchNo/entries/:entry', 'Entry'],
  ['/cards', 'Cards'],
  ['/cards/:cardId', 'Card'],
  ['/funding', 'Funding'],
  ['/merchants', 'Merchants'],
  ['/merchants/:merchantNo', 'Merchant'],
  ['/settlement', 'Settlement'],
  ['/settlement/:periodNo', 'Period'],
  ['/ledger', 'Ledger'],
  ['/ledger/:accountNo', 'Account'],
  ['/catalogue', 'Catalogue'],
  ['/catalogue/:itemId', 'Item'],
  ['/bulletin', 'Bulletin'],
  ['/users', 'Users'],
  ['/audit-log', 'AuditLog'],
  ['/search', 'Search'],
  ['/account', 'OwnAccount'],
]

/** Outside the shell: for those who are not signed in. */
const openAddresses: readonly (readonly [string, string])[] = [
  ['/sign-in', 'SignIn'],
  ['/first-run', 'FirstRun'],
]

/** What a page is given: its address's parameters. */
export type PageProperties = Readonly<Record<string, string | undefined>>
type Page = ComponentType<PageProperties>
type LoadPage = () => Promise<{ readonly default: Page }>

const files: Readonly<Record<string, LoadPage>> = import.meta.glob<{ default: Page }>('./pages/*.tsx')
const load = (page: string): LoadPage | undefined => files[`./pages/${page}.tsx`]

export const isThere = (page: string): boolean => load(page) !== undefined

const withPages = (list: typeof addresses): readonly { path: string; Page: LazyExoticComponent<Page> }[] =>
  list.flatMap(([path, page]) => {
    const loadPage = load(page)
    return loadPage === undefined ? [] : [{ path, Page: lazy(loadPage) }]
  })

export const pages = withPages(addresses)
export const openPages = withPages(openAddresses)

/** Fetches the page of an address while it is found out who is signed in. @param path below /console */
export const fetchPageAhead = (path: string): void => {
  const found = addresses.find(([pattern]) =>
    new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/]+')}/?$`).test(path === '' ? '/' : path),
  )
  // What fails now is said when the page is shown.
  if (found !== undefined) void load(found[1])?.().catch(() => undefined)
}

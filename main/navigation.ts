/**
 * What the window may load, ask for and recover from: pure decisions, wired to Electron in window.ts.
 */

/** The app's own scheme and host; nothing else is ever loaded. */
export const appScheme = 'farthing'
export const appHost = 'kiosk'
export const appUrl = `${appScheme}://${appHost}/`
/** A book is laid out by its own style sheets, and so under a policy of its own: on this host, apart from the page. */
export const bookHost = 'book'
export const bookPath = '/book.html'

const isOf = (host: string, address: string): boolean => {
  const url = URL.parse(address)
  return url !== null && url.protocol === `${appScheme}:` && url.host === host && url.username === ''
}

/** Whether an address is the app's own. (`URL.origin` is "null" for schemes that the standard does not know.) */
export const isAppUrl = (address: string): boolean => isOf(appHost, address)
export const isBookUrl = (address: string): boolean => isOf(bookHost, address)

const isMadeBy = (host: string, address: string): boolean => address.startsWith(`blob:${appScheme}://${host}/`)

/** The main frame shows the page alone; a frame in it, the book reader, and in that the chapters that it unpacked. */
export const navigationAllowed = ({ url, isMainFrame }: { url: string; isMainFrame: boolean }): boolean => {
  if (isMainFrame) return isAppUrl(url) && ['/', '/index.html'].includes(new URL(url).pathname)
  return (isBookUrl(url) && new URL(url).pathname === bookPath) || isMadeBy(bookHost, url)
}

/** Requests of any kind: the app's own files, and what its pages made themselves in memory. */
export const requestAllowed = (address: string): boolean =>
  isAppUrl(address) ||
  isBookUrl(address) ||
  isMadeBy(appHost, address) ||
  isMadeBy(bookHost, address) ||
  address.startsWith('data:')

const reloadDelayMsMin = 250
const reloadDelayMsMax = 30_000
/** A page that lived this long starts again at the shortest delay. */
const calmMs = 60_000

/** How often the page has died in a row, and when last. */
export interface CrashHistory {
  readonly inARow: number
  readonly lastMs: number
}

/** After a crash at `nowMs`: the new history, and how long to wait before the page is loaded again. */
export const afterCrash = (
  history: CrashHistory | undefined,
  nowMs: number,
): { history: CrashHistory; delayMs: number } => {
  const inARow = history === undefined || nowMs - history.lastMs > calmMs ? 1 : history.inARow + 1
  const delayMs = Math.min(reloadDelayMsMin * 2 ** Math.min(inARow - 1, 16), reloadDelayMsMax)
  return { history: { inARow, lastMs: nowMs }, delayMs }
}

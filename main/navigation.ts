/**
 * What the window may load, ask for and recover from: pure decisions, wired to Electron in window.ts.
 */

/** The app's own scheme and host; nothing else is ever loaded. */
export const appScheme = 'farthing'
export const appHost = 'kiosk'
export const appUrl = `${appScheme}://${appHost}/`

/** Whether an address is the app's own. (`URL.origin` is "null" for schemes that the standard does not know.) */
export const isAppUrl = (address: string): boolean => {
  const url = URL.parse(address)
  return url !== null && url.protocol === `${appScheme}:` && url.host === appHost && url.username === ''
}

/** Only the main frame navigates, and only to the page itself. */
export const navigationAllowed = (navigation: { url: string; isMainFrame: boolean }): boolean => {
  if (!navigation.isMainFrame || !isAppUrl(navigation.url)) return false
  return ['/', '/index.html'].includes(new URL(navigation.url).pathname)
}

/** Requests of any kind: the app's own files, and what the page made itself in memory. */
export const requestAllowed = (address: string): boolean =>
  isAppUrl(address) || address.startsWith(`blob:${appScheme}://${appHost}/`) || address.startsWith('data:')

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

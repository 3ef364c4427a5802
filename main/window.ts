/**
 * The one window: sandboxed, locked to the app's own origin, and brought back when its page dies.
 */
import { BrowserWindow, type Session } from 'electron'
import { watchHeartbeat } from './heartbeat.ts'
import { afterCrash, appUrl, type CrashHistory, navigationAllowed, requestAllowed } from './navigation.ts'

/** Nothing in the page needs a permission, a download or an address outside of the app. */
const denyAll = (session: Session) => {
  session.setPermissionRequestHandler((_webContents, _permission, callback) => callback(false))
  session.setPermissionCheckHandler(() => false)
  session.on('will-download', (event) => event.preventDefault())
  session.webRequest.onBeforeRequest((details, callback) => callback({ cancel: !requestAllowed(details.url) }))
}

/** Loads the page again after each death, later each time, and says so. */
const recover = (window: BrowserWindow, { log, onPageEnded }: Pick<WindowOptions, 'log' | 'onPageEnded'>) => {
  let history: CrashHistory | undefined
  let timer: NodeJS.Timeout | undefined
  const reloadLater = (cause: string) => {
    const next = afterCrash(history, Date.now())
    history = next.history
    log(`the page is gone (${cause}); loading it again in ${next.delayMs} ms`)
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!window.isDestroyed()) window.loadURL(appUrl).catch((error: Error) => reloadLater(error.message))
    }, next.delayMs)
  }
  window.webContents.on('render-process-gone', (_event, details) => {
    onPageEnded()
    reloadLater(details.reason)
  })
  window.on('unresponsive', () => window.webContents.forcefullyCrashRenderer())
  window.on('closed', () => clearTimeout(timer))
  return reloadLater
}

export interface WindowOptions {
  readonly preload: string
  /** A plain window of this size; absent: a kiosk over the whole screen. */
  readonly size?: { readonly width: number; readonly height: number }
  readonly devTools: boolean
  /** Whether nobody is in front of the screen. */
  readonly idle: () => boolean
  /** It died, or had to be ended: the next one will show what stands then. */
  readonly onPageEnded: () => void
  readonly log: (message: string) => void
}

/** Makes the window. `load` shows the page, and rejects if that cannot be done at all; `alive` takes its heartbeat. */
export const makeWindow = (
  options: WindowOptions,
): { window: BrowserWindow; load: () => Promise<void>; alive: (heapBytes: number) => void } => {
  const window = new BrowserWindow({
    ...(options.size ?? { kiosk: true, fullscreen: true }),
    useContentSize: true,
    autoHideMenuBar: true,
    backgroundColor: '#ffffff',
    title: 'Farthing',
    webPreferences: {
      preload: options.preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      spellcheck: false,
      devTools: options.devTools,
    },
  })
  const { webContents } = window
  denyAll(webContents.session)
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  webContents.on('will-frame-navigate', (event) => {
    if (!navigationAllowed(event)) event.preventDefault()
  })
  webContents.on('will-redirect', (event) => event.preventDefault())
  webContents.on('will-attach-webview', (event) => event.preventDefault())
  const reloadLater = recover(window, options)
  // An address that is no request (about:blank) passes the check above, and must not become a dead end.
  webContents.on('did-navigate', (_event, url) => {
    if (!navigationAllowed({ url, isMainFrame: true })) reloadLater('it left the app')
  })
  const heartbeat = watchHeartbeat({
    idle: options.idle,
    onTrouble: (trouble) => {
      options.log(`the page is ${trouble}: it begins anew`)
      if (!window.isDestroyed()) webContents.forcefullyCrashRenderer()
    },
  })
  webContents.on('did-finish-load', () => heartbeat.restarted())
  window.on('closed', () => heartbeat.stop())
  return { window, load: () => window.loadURL(appUrl), alive: (heapBytes) => heartbeat.beat(heapBytes) }
}

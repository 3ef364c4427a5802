/**
 * Stands in for the module `electron` where its binary cannot be had: just the calls that main uses, over the machine's
 * own Chromium. Names and shapes are tied to electron.d.ts in electron-types.ts. What differs stands in docs/ARCHITECTURE.md.
 */
import { createHash } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import type Electron from 'electron'
import { type Browser, startBrowser } from './browser.ts'
import { type Frame, openPage, type Page, type PageDelegate } from './page.ts'
import { hasDisplay } from './program.ts'

const headless = process.argv.includes('--headless') || !hasDisplay()

/** Without a display there is no screen to fill. */
const headlessSize = { width: 1080, height: 1920 }

const log = (message: string) => {
  process.stderr.write(`chromium: ${message}\n`)
}

/** An event whose default can be prevented, as Electron hands them out. */
const preventable = <Details extends object>(details: Details) => {
  const event = {
    ...details,
    defaultPrevented: false,
    preventDefault: () => {
      event.defaultPrevented = true
    },
  }
  return event
}

const schemes = new Map<string, (request: Request) => Response | Promise<Response>>()

export const protocol = {
  /** Every scheme is served as a secure http origin here; there is nothing to register. */
  registerSchemesAsPrivileged: (_schemes: Electron.CustomScheme[]) => {},
  handle: (scheme: string, handler: (request: Request) => Response | Promise<Response>) => {
    schemes.set(scheme, handler)
  },
}

type InvokeEvent = { sender: WebContents; senderFrame: Frame | null }
type InvokeListener = (event: InvokeEvent, ...given: unknown[]) => unknown
const invokeListeners = new Map<string, InvokeListener>()

export const ipcMain = {
  handle: (channel: string, listener: InvokeListener) => {
    if (invokeListeners.has(channel)) throw new Error(`a second handler for ${channel}`)
    invokeListeners.set(channel, listener)
  },
}

/** Chromium's names of what a page may ask for, with Electron's. */
const permissions = [
  ['geolocation', 'geolocation'],
  ['notifications', 'notifications'],
  ['midi', 'midi'],
  ['camera', 'media'],
  ['microphone', 'media'],
  ['clipboard-read', 'clipboard-read'],
  ['clipboard-write', 'clipboard-sanitized-write'],
  ['persistent-storage', 'persistent-storage'],
  ['idle-detection', 'idle-detection'],
  ['screen-wake-lock', 'screen-wake-lock'],
  ['storage-access', 'storage-access'],
  ['window-management', 'window-management'],
  ['local-fonts', 'local-fonts'],
  ['display-capture', 'display-capture'],
] as const

type PermissionHandler = (
  webContents: WebContents,
  permission: (typeof permissions)[number][1],
  callback: (granted: boolean) => void,
) => void
type RequestListener = (details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void

class Session extends EventEmitter {
  permissionHandler: PermissionHandler | undefined
  requestListener: RequestListener | undefined
  readonly webRequest = {
    onBeforeRequest: (listener: RequestListener) => {
      this.requestListener = listener
    },
  }
  setPermissionRequestHandler(handler: PermissionHandler) {
    this.permissionHandler = handler
  }
  /** Chromium is told each permission's answer beforehand, by the request handler's decision. */
  setPermissionCheckHandler(_handler: () => boolean) {}

  requestAllowed(url: string): boolean {
    let allowed = true
    this.requestListener?.({ url }, (answer) => {
      allowed = answer.cancel !== true
    })
    return allowed
  }
}

class WebContents extends EventEmitter {
  readonly id = 1
  readonly session = new Session()
  page: Page | undefined
  destroyed = false
  windowOpenHandler: (details: { url: string }) => { action: 'deny' | 'allow' } = () => ({ action: 'allow' })

  isDestroyed() {
    return this.destroyed
  }
  get mainFrame(): Frame {
    return this.page?.mainFrame ?? { url: '', parent: null }
  }
  send(channel: string, ...given: unknown[]) {
    this.page?.send(channel, given)
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: 'deny' | 'allow' }) {
    this.windowOpenHandler = handler
  }
  forcefullyCrashRenderer() {
    this.page?.crash()
  }
}

type WindowOptions = Pick<
  Electron.BrowserWindowConstructorOptions,
  'width' | 'height' | 'kiosk' | 'fullscreen' | 'useContentSize' | 'autoHideMenuBar' | 'backgroundColor' | 'title'
> & { webPreferences?: Electron.WebPreferences }

/** The one window that is open; a second one is not made here. */
let openWindow: BrowserWindow | undefined

export class BrowserWindow extends EventEmitter {
  readonly webContents = new WebContents()
  readonly #options: WindowOptions
  #browser: Promise<Browser> | undefined
  #opening: Promise<Page> | undefined
  #loading: PromiseWithResolvers<void> | undefined

  constructor(options: WindowOptions = {}) {
    super()
    if (openWindow !== undefined) throw new Error('only one window can be open')
    this.#options = headless ? { ...headlessSize, ...options } : options
    openWindow = this
    // Chromium takes its time to start; main has other things to do meanwhile, and asks for the page when they are done.
    this.#opening = this.#open()
    this.#opening.catch(() => {})
  }

  async loadURL(url: string) {
    this.#loading?.resolve()
    const loading = Promise.withResolvers<void>()
    this.#loading = loading
    this.#opening ??= this.#open()
    try {
      const page = await this.#opening
      await page.navigate(url)
    } catch (error) {
      if (this.webContents.page === undefined) this.#opening = undefined
      throw error
    }
    await loading.promise
  }
  isDestroyed() {
    return this.webContents.destroyed
  }
  focus() {
    this.webContents.page?.session.send('Page.bringToFront').catch(() => {})
  }
  destroy() {
    this.#closed()
  }
  async quit() {
    const browser = await this.#browser?.catch(() => undefined)
    await browser?.quit()
  }

  async #open(): Promise<Page> {
    const { width, height, kiosk = false } = this.#options
    const starting = startBrowser({
      headless,
      kiosk,
      ...(width === undefined || height === undefined ? {} : { size: { width, height } }),
      switches: app.commandLine.switches,
    })
    this.#browser = starting
    const browser = await starting
    browser.ended.then((status) => {
      if (this.#browser === starting) this.#browserEnded(status)
    })
    try {
      const page = await openPage(browser, this.#delegate())
      await Promise.all([this.#answerPermissions(browser), this.#fit(browser, page)])
      this.webContents.page = page
      return page
    } catch (error) {
      this.#browser = undefined
      await browser.quit()
      throw error
    }
  }

  /** The content gets the size that was asked for; a kiosk gets the screen, even where no window manager gives it. */
  async #fit(browser: Browser, { session, targetId }: Page) {
    const { width, height, kiosk = false } = this.#options
    const root = browser.devTools.browser
    const { windowId } = await root.send('Browser.getWindowForTarget', { targetId })
    if (width !== undefined && height !== undefined) {
      await root.send('Browser.setContentsSize', { windowId, width, height })
    } else if (kiosk && !headless) {
      const { result } = await session.send('Runtime.evaluate', {
        // Where no window manager makes it fullscreen, Chromium takes a pixel off a window of exactly the screen's size.
        expression: '({ width: screen.width + 1, height: screen.height + 1 })',
        returnByValue: true,
      })
      const bounds = { windowState: 'normal' as const, left: 0, top: 0, ...result.value }
      await root.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'normal' } })
      await root.send('Browser.setWindowBounds', { windowId, bounds })
      await root.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'fullscreen' } })
    }
  }

  async #answerPermissions(browser: Browser) {
    const answers = permissions.map(([name, electronName]) => {
      let granted = true
      this.webContents.session.permissionHandler?.(this.webContents, electronName, (answer) => {
        granted = answer
      })
      const setting = granted ? 'granted' : 'denied'
      return browser.devTools.browser
        .send('Browser.setPermission', { permission: { name }, setting })
        .catch((error: Error) => log(error.message))
    })
    await Promise.all(answers)
  }

  #delegate(): PageDelegate {
    const { webContents } = this
    const { webPreferences } = this.#options
    const { preload } = webPreferences ?? {}
    return {
      preload: preload === undefined ? undefined : readFileSync(preload, 'utf8'),
      navigationAllowed: (navigation) => {
        const event = preventable(navigation)
        webContents.emit('will-frame-navigate', event)
        return !event.defaultPrevented
      },
      requestAllowed: (url) => webContents.session.requestAllowed(url),
      content: (request) => {
        const handler = schemes.get(new URL(request.url).protocol.slice(0, -1))
        return handler === undefined ? undefined : Promise.resolve(handler(request))
      },
      windowAllowed: (url) =>
        url.startsWith('devtools:')
          ? webPreferences?.devTools !== false
          : webContents.windowOpenHandler({ url }).action === 'allow',
      invoked: async ({ channel, given, frame }) => {
        const listener = invokeListeners.get(channel)
        if (listener === undefined) throw new Error(`no handler registered for '${channel}'`)
        return listener({ sender: webContents, senderFrame: frame }, ...given)
      },
      navigated: (url) => {
        webContents.emit('did-navigate', {}, url)
      },
      loaded: () => {
        this.#loading?.resolve()
        webContents.emit('did-finish-load')
      },
      crashed: (exitCode) => this.#gone(exitCode),
      hung: () => {
        this.emit('unresponsive')
      },
      closed: () => this.#closed(),
    }
  }

  #gone(exitCode: number) {
    this.#loading?.resolve()
    if (!this.isDestroyed()) this.webContents.emit('render-process-gone', {}, { reason: 'crashed', exitCode })
  }

  /** A browser that ended by itself was closed by somebody; one that died is the page's death, and is started again. */
  #browserEnded(status: number) {
    this.#browser = undefined
    this.#opening = undefined
    this.webContents.page = undefined
    if (status === 0) this.#closed()
    else this.#gone(status)
  }

  #closed() {
    if (this.isDestroyed()) return
    this.webContents.destroyed = true
    this.#loading?.resolve()
    this.emit('closed')
    app.emit('window-all-closed')
  }
}

/** One name a data folder, that the system takes back however the process ends. */
const lockName = (userData: string) => {
  const name = `farthing-${createHash('sha256').update(path.resolve(userData)).digest('hex').slice(0, 32)}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`
}

class App extends EventEmitter {
  readonly isPackaged = false
  readonly #paths = new Map<string, string>()
  readonly commandLine = {
    switches: [] as string[],
    appendSwitch: (name: string, value?: string) => {
      this.commandLine.switches.push(value === undefined ? `--${name}` : `--${name}=${value}`)
    },
  }

  /** Chromium's own sandbox is on unless this runs as root, where it cannot be. */
  enableSandbox() {
    if (process.getuid?.() === 0) log('running as root: Chromium has no sandbox (--no-sandbox)')
  }
  setPath(name: string, folder: string) {
    this.#paths.set(name, folder)
  }
  async whenReady() {}

  requestSingleInstanceLock(): boolean {
    const name = lockName(this.#paths.get('userData') ?? process.cwd())
    const server = createServer((socket) => {
      socket.destroy()
      this.emit('second-instance')
    })
    // The first one is told, as Electron tells it.
    server.on('error', () => connect(name).on('error', () => {}))
    server.listen(name)
    server.unref()
    return server.listening
  }

  quit() {
    const event = preventable({})
    this.emit('before-quit', event)
    if (!event.defaultPrevented) this.exit(0)
  }
  exit(status = 0) {
    const quit = openWindow?.quit() ?? Promise.resolve()
    quit.finally(() => process.exit(status))
  }
}

export const app = new App()

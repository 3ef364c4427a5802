/**
 * Starts the machine's own Chromium with a new profile, and leaves neither process nor profile behind.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable, Writable } from 'node:stream'
import { connectDevTools, type DevTools } from './devtools.ts'
import { chromiumEnvironment } from './environment.ts'
import { chromiumProgram } from './program.ts'

/** In the folder for temporary files; the starting process's id follows. */
export const profilePrefix = 'farthing-chromium-'
const quitMsMax = 3000

/** Nothing of Chromium's own may use the network: no name resolves, and what would ask in the background is off. */
const quietSwitches = [
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--no-proxy-server',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-extensions',
  '--disable-sync',
  '--disable-breakpad',
  '--disable-client-side-phishing-detection',
  '--metrics-recording-only',
  '--no-pings',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-service-autorun',
  '--password-store=basic',
  '--use-mock-keychain',
  // Neither an address bar's popup nor a page in reserve: each is a process that nobody would ever see.
  '--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,CertificateTransparencyComponentUpdater,GlobalMediaControls,InterestFeedContentSuggestions,DialMediaRouteProvider,WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup,SpareRendererForSitePerProcess,AudioServiceOutOfProcess',
]

/**
 * Processes and buffers for what no kiosk has. The network service answers nothing here (each request is answered before it
 * leaves), and has no sandbox of its own on Linux: it needs no process. Nothing draws in three dimensions: no GPU is imitated.
 */
const frugalSwitches = [
  '--enable-features=NetworkServiceInProcess2',
  '--disable-software-rasterizer',
  '--no-unsandboxed-zygote',
]

/** As root there is no sandbox, and so nothing that a process of its own would keep in; without a display nothing is shown. */
const processSwitches = ({ root, headless }: { root: boolean; headless: boolean }) => [
  ...(root ? ['--no-sandbox'] : []),
  ...(root || headless ? ['--in-process-gpu'] : []),
]

/** A kiosk's page is in front and awake at all times, and needs no gesture to play a sound. */
const kioskSwitches = [
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-hang-monitor',
  '--disable-pinch',
  '--overscroll-history-navigation=0',
  '--disable-prompt-on-repost',
  '--noerrdialogs',
]

const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Anything but "no such process" is somebody else's, alive.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** Profiles of processes that were killed before they could clean up. */
const removeLeftovers = () => {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(profilePrefix) ? Number(name.slice(profilePrefix.length).split('-')[0]) : Number.NaN
    if (!Number.isSafeInteger(pid) || alive(pid)) continue
    try {
      rmSync(path.join(tmpdir(), name), { recursive: true, force: true })
    } catch {
      // Another user's: not ours to remove.
    }
  }
}

export interface Browser {
  readonly devTools: DevTools
  /** Resolves when the process has ended and its profile is gone. Status 0: somebody closed it; anything else: it died. */
  readonly ended: Promise<number>
  quit(): Promise<void>
}

export interface BrowserOptions {
  readonly headless: boolean
  readonly size?: { readonly width: number; readonly height: number }
  readonly kiosk: boolean
  readonly switches: readonly string[]
}

const windowSwitches = ({ headless, kiosk, size }: BrowserOptions) => [
  // Letters are drawn with and without the browser around the page as they are in a window.
  ...(headless ? ['--headless=new', '--hide-scrollbars', '--font-render-hinting=slight'] : []),
  // No bar over the page that warns of the switches above: the page's foot would be below the screen's.
  ...(headless ? [] : ['--test-type']),
  ...(kiosk && !headless ? ['--kiosk'] : []),
  ...(size === undefined ? [] : [`--window-size=${size.width},${size.height}`]),
  '--window-position=0,0',
]

const pipesOf = (child: ChildProcess) => {
  const [, , , toChromium, fromChromium] = child.stdio
  if (!(toChromium instanceof Writable) || !(fromChromium instanceof Readable))
    throw new Error('Chromium started without its debugging pipes')
  return { toChromium, fromChromium }
}

/** @throws when there is no Chromium to start */
export const startBrowser = async (options: BrowserOptions): Promise<Browser> => {
  removeLeftovers()
  const profile = mkdtempSync(path.join(tmpdir(), `${profilePrefix}${process.pid}-`))
  const root = process.getuid?.() === 0
  const child = spawn(
    chromiumProgram(options),
    [
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      ...processSwitches({ root, headless: options.headless }),
      ...quietSwitches,
      ...frugalSwitches,
      ...kioskSwitches,
      ...windowSwitches(options),
      ...options.switches,
      // An app's window has neither tabs nor an address bar.
      options.headless ? 'about:blank' : '--app=data:text/html,',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env: chromiumEnvironment(process.env) },
  )
  const ended = new Promise<number>((resolve) => {
    const end = (status: number) => {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
      resolve(status)
    }
    child.once('exit', (status) => end(status ?? -1))
    child.once('error', () => end(-1))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) =>
      reject(new Error(`cannot start Chromium (${error.message}): install it, or name it in FARTHING_CHROMIUM`)),
    )
  })
  const devTools = connectDevTools(pipesOf(child))
  const quit = async () => {
    const deadline = setTimeout(() => child.kill('SIGKILL'), quitMsMax)
    devTools.browser.send('Browser.close').catch(() => {})
    await ended
    clearTimeout(deadline)
  }
  return { devTools, ended, quit }
}

/**
 * The Electron entry: reads what was asked for, opens the till, opens the window, connects the two, and ends cleanly.
 * Prints one line of JSON when the page is up. Everything that decides stands in the modules that it names.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { app, ipcMain, protocol } from 'electron'
import { appContent } from './app-scheme.ts'
import { holdsProductionKeys } from './identity.ts'
import { connectIpc } from './ipc.ts'
import type { Kiosk } from './kiosk/kiosk-contract.ts'
import { appScheme, appUrl } from './navigation.ts'
import { openSpeaker } from './speech/speech-dispatcher.ts'
import { debugPortAllowed, type StartOptions, startOptions } from './start-options.ts'
import { makeWindow } from './window.ts'

/** `restart`: whoever minds the kiosk starts it again (docs/OPERATIONS.md, At the kiosk: operator mode). */
const exitStatus = { done: 0, refused: 1, usage: 2, world: 3, restart: 75 } as const
/** The till may finish a payment that is under way; after this long the process ends all the same. */
const stopMsMax = 10_000

const log = (message: string) => {
  process.stderr.write(`farthing: ${message}\n`)
}

// Whoever read the output may go away; the kiosk goes on selling.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {})

const giveUp = (problem: string, status: number) => {
  log(problem)
  app.exit(status)
}

const start = async (options: StartOptions) => {
  // The ledger and what is bought from it are their owner's alone.
  process.umask(0o077)
  await app.whenReady()
  const out = path.join(import.meta.dirname, '..')
  let kiosk: Kiosk | undefined
  // The window comes up while the till is opened, whose code is loaded after it for that reason.
  const { window, load, alive } = makeWindow({
    preload: path.join(out, 'preload/index.cjs'),
    ...(options.windowSize === undefined ? {} : { size: options.windowSize }),
    devTools: !app.isPackaged && !holdsProductionKeys(options.dataDir),
    idle: () => kiosk?.state.screen.name === 'browse',
    onPageEnded: () => kiosk?.pageEnded(),
    log,
  })
  const { openKiosk } = await import('./open-kiosk.ts')
  const opened = await openKiosk({ dataDir: options.dataDir, log, restart: () => stop(exitStatus.restart) })
  kiosk = opened
  protocol.handle(
    appScheme,
    appContent({
      rendererDir: path.join(out, 'renderer'),
      goodsContent: (token) => opened.goodsContent(token),
      shelfContent: (contentHash) => opened.shelfContent(contentHash),
    }),
  )
  const speaker = openSpeaker(log)
  const disconnect = connectIpc({ ipcMain, webContents: window.webContents, kiosk: opened, speaker, onAlive: alive })

  let stopping = false
  const stop = (status: number) => {
    if (stopping) return
    stopping = true
    setTimeout(() => giveUp('the till did not stop in time', exitStatus.world), stopMsMax).unref()
    disconnect()
    speaker.close()
    if (!window.isDestroyed()) window.destroy()
    opened.close().then(
      () => app.exit(status),
      (error: Error) => giveUp(error.message, exitStatus.world),
    )
  }
  process.on('SIGTERM', () => stop(exitStatus.done))
  process.on('SIGINT', () => stop(exitStatus.done))
  process.on('uncaughtException', (error) => {
    log(error.message)
    stop(exitStatus.world)
  })
  app.on('before-quit', (event) => {
    event.preventDefault()
    stop(exitStatus.done)
  })
  app.on('window-all-closed', () => stop(exitStatus.done))
  app.on('second-instance', () => {
    if (!window.isDestroyed()) window.focus()
  })

  window.webContents.once('did-finish-load', () => {
    process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, url: appUrl })}\n`)
  })
  await load().catch((error: Error) => {
    log(error.message)
    stop(exitStatus.world)
  })
}

/** What must be said to Electron before it is ready. Returns what forbids the start, if anything does. */
const prepare = (options: StartOptions): { problem: string; status: number } | undefined => {
  app.enableSandbox()
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
  ])
  if (options.debugPort !== undefined) {
    const productionKeys = holdsProductionKeys(options.dataDir)
    const debug = debugPortAllowed({ port: options.debugPort, packaged: app.isPackaged, productionKeys })
    if (!debug.allowed) return { problem: debug.problem, status: exitStatus.usage }
    app.commandLine.appendSwitch('remote-debugging-port', String(debug.port))
    app.commandLine.appendSwitch('remote-debugging-address', '127.0.0.1')
  }
  const userData = path.join(options.dataDir, 'window')
  mkdirSync(userData, { recursive: true })
  app.setPath('userData', userData)
  if (app.requestSingleInstanceLock()) return undefined
  return { problem: `a kiosk is already running on ${options.dataDir}`, status: exitStatus.refused }
}

const options = startOptions({ argv: process.argv.slice(1), env: process.env })
if ('problem' in options) giveUp(options.problem, exitStatus.usage)
else {
  const forbidden = prepare(options)
  if (forbidden !== undefined) giveUp(forbidden.problem, forbidden.status)
  else start(options).catch((error: Error) => giveUp(error.message, exitStatus.world))
}

/**
 * Ties electron.ts to electron.d.ts: this file compiles only while each name that the stand-in offers exists in Electron,
 * and takes what Electron's takes. Nothing here runs.
 */
import type Electron from 'electron'
import type { app, BrowserWindow, ipcMain, protocol } from './electron.ts'

/** The stand-in's public names, without those of its own. */
type Names<StandIn, Own extends keyof StandIn = never> = Exclude<keyof StandIn, Own>
/** Compiles only if every one of the names is Electron's too. */
type Known<Given extends Expected, Expected> = Given
/** Compiles only if Electron's arguments are good for the stand-in's method. */
type Takes<StandIn extends (...given: never[]) => unknown, Real extends (...given: never[]) => unknown> =
  Parameters<Real> extends Parameters<StandIn> ? true : never

type WebContents = InstanceType<typeof BrowserWindow>['webContents']
type Session = WebContents['session']

export type NamesOfElectron = [
  Known<Names<typeof app>, keyof Electron.App>,
  Known<keyof (typeof app)['commandLine'], keyof Electron.CommandLine | 'switches'>,
  Known<keyof typeof protocol, keyof Electron.Protocol>,
  Known<keyof typeof ipcMain, keyof Electron.IpcMain>,
  Known<Names<InstanceType<typeof BrowserWindow>, 'quit'>, keyof Electron.BrowserWindow>,
  Known<Names<WebContents, 'page' | 'destroyed' | 'windowOpenHandler'>, keyof Electron.WebContents>,
  Known<Names<Session, 'permissionHandler' | 'requestListener' | 'requestAllowed'>, keyof Electron.Session>,
  Known<keyof Session['webRequest'], keyof Electron.WebRequest>,
  Known<keyof WebContents['mainFrame'], keyof Electron.WebFrameMain>,
]

export const takesWhatElectronTakes: [
  Takes<(typeof app)['setPath'], Electron.App['setPath']>,
  Takes<(typeof app)['exit'], Electron.App['exit']>,
  Takes<(typeof app)['commandLine']['appendSwitch'], Electron.CommandLine['appendSwitch']>,
  Takes<(typeof protocol)['registerSchemesAsPrivileged'], Electron.Protocol['registerSchemesAsPrivileged']>,
  Takes<InstanceType<typeof BrowserWindow>['loadURL'], (url: string) => Promise<void>>,
  Takes<WebContents['send'], Electron.WebContents['send']>,
] = [true, true, true, true, true, true]

/** The events that the stand-in emits, with the arguments that main reads. */
export const eventsOfElectron = (electron: {
  app: Electron.App
  window: Electron.BrowserWindow
  webContents: Electron.WebContents
}) => {
  electron.app.on('before-quit', (event) => event.preventDefault())
  electron.app.on('window-all-closed', () => {})
  electron.app.on('second-instance', () => {})
  electron.window.on('closed', () => {})
  electron.window.on('unresponsive', () => {})
  electron.webContents.on('did-finish-load', () => {})
  electron.webContents.on('did-navigate', (_event, _url: string) => {})
  electron.webContents.on('will-frame-navigate', (event: { url: string; isMainFrame: boolean }) => event)
  electron.webContents.on('render-process-gone', (_event, details: { reason: string; exitCode: number }) => details)
}

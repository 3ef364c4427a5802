/**
 * The one door for messages from the page. Sender and shape of every message are checked here and nowhere else;
 * what does not fit is refused with a named error and never reaches the till.
 */
import * as v from 'valibot'
import {
  channels,
  type FarthingBridge,
  type KioskStatus,
  type PushedState,
  pinKeys,
  spokenLengthMax,
} from '../preload/contract.ts'
import type { Kiosk } from './kiosk/kiosk-contract.ts'
import { isAppUrl } from './navigation.ts'
import { language, operatorActSchema, operatorLookSchema } from './operator/operator-shapes.ts'
import type { Speaker } from './speech/speech-dispatcher.ts'

/** The methods of the bridge that arrive as messages. */
export type Method = Exclude<keyof typeof channels, 'pushed'>

type Arguments = { readonly [M in Method]: Parameters<FarthingBridge[M]> }

const itemIdLengthMax = 128
const counterMax = 2 ** 32 - 1
const yearsMax = 150
/** A voucher's code with all the blanks and dashes that somebody may type. */
const codeLengthMax = 64
/** Speech that is slower or faster is none. */
const speechRate = { min: 0.5, max: 3 }

const nothing = v.strictTuple([])
const shapes: { readonly [M in Method]: v.GenericSchema<unknown, Arguments[M]> } = {
  state: nothing,
  buy: v.strictTuple([
    v.pipe(v.string(), v.minLength(1), v.maxLength(itemIdLengthMax)),
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(yearsMax)),
    language,
  ]),
  stay: nothing,
  pinKey: v.strictTuple([v.picklist(pinKeys)]),
  topUp: nothing,
  topUpCode: v.strictTuple([v.pipe(v.string(), v.minLength(1), v.maxLength(codeLengthMax))]),
  takeCredits: nothing,
  printReceipt: v.strictTuple([language]),
  cancel: nothing,
  showGoods: nothing,
  collect: v.strictTuple([v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(counterMax))]),
  alive: v.strictTuple([v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER))]),
  finish: nothing,
  speak: v.strictTuple([
    v.pipe(v.string(), v.maxLength(spokenLengthMax)),
    language,
    v.pipe(v.number(), v.minValue(speechRate.min), v.maxValue(speechRate.max)),
  ]),
  hush: nothing,
  operatorKey: v.strictTuple([v.picklist(pinKeys)]),
  operatorBalance: nothing,
  operatorLook: v.strictTuple([operatorLookSchema]),
  operatorAct: v.strictTuple([operatorActSchema]),
  operatorLeave: nothing,
}

/** Why a message was refused: `sender` (not our page), `shape` (not the arguments of this method). */
export class MessageRefused extends Error {
  readonly code: 'sender' | 'shape'
  constructor(code: 'sender' | 'shape', channel: string) {
    super(`${code}: ${channel}`)
    this.name = 'MessageRefused'
    this.code = code
  }
}

/** What of a message's origin is looked at; Electron's event has it, and a test can make it. */
export interface Sender {
  readonly sender: { readonly id: number }
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null
}

/** @throws MessageRefused unless the main frame of our own window sent it, from our own origin */
export const checkSender = (from: Sender, windowId: number, channel: string): void => {
  const frame = from.senderFrame
  const ours = frame !== null && frame.parent === null && from.sender.id === windowId && isAppUrl(frame.url)
  if (!ours) throw new MessageRefused('sender', channel)
}

/** @throws MessageRefused unless these are the arguments of that method */
export const checkShape = <M extends Method>(method: M, given: readonly unknown[]): Arguments[M] => {
  const shape: v.GenericSchema<unknown, Arguments[M]> = shapes[method]
  const result = v.safeParse(shape, given)
  if (!result.success) throw new MessageRefused('shape', channels[method])
  return result.output
}

/** The two ends of Electron that the door uses. */
export interface MessageReceiver {
  handle(channel: string, listener: (event: Sender, ...given: unknown[]) => Promise<unknown>): void
}
export interface MessageTarget {
  readonly id: number
  isDestroyed(): boolean
  send(channel: string, ...given: unknown[]): void
}

/** Connects the window's messages with the till, and the till's states with the window. */
export const connectIpc = (options: {
  ipcMain: MessageReceiver
  webContents: MessageTarget
  kiosk: Kiosk
  speaker: Pick<Speaker, 'say' | 'hush'>
  /** The page's heartbeat. */
  onAlive: (heapBytes: number) => void
}): (() => void) => {
  const { ipcMain, webContents, kiosk, speaker, onAlive } = options
  const handle = <M extends Method>(method: M, act: (...given: Arguments[M]) => ReturnType<FarthingBridge[M]>) => {
    const channel = channels[method]
    ipcMain.handle(channel, async (event, ...given) => {
      checkSender(event, webContents.id, channel)
      return act(...checkShape(method, given))
    })
  }
  /** The page has it: a catalogue of 1,000 articles is a megabyte, and most states change nothing of it. */
  let told: KioskStatus['catalogue'] | undefined
  handle('state', async () => {
    // A page that begins anew has said nothing yet.
    speaker.hush()
    told = kiosk.state.status.catalogue
    return kiosk.state
  })
  handle('buy', (itemId, ageDeclared, language) => kiosk.buy(itemId, ageDeclared, language))
  handle('stay', () => kiosk.stay())
  handle('pinKey', (key) => kiosk.pinKey(key))
  handle('topUp', () => kiosk.topUp())
  handle('topUpCode', (code) => kiosk.topUpCode(code))
  handle('takeCredits', () => kiosk.takeCredits())
  handle('printReceipt', (language) => kiosk.printReceipt(language))
  handle('cancel', () => kiosk.cancel())
  handle('showGoods', () => kiosk.showGoods())
  handle('collect', (counter) => kiosk.collect(counter))
  handle('alive', async (heapBytes) => onAlive(heapBytes))
  handle('finish', () => kiosk.finish())
  handle('speak', (text, language, rate) => speaker.say({ text, language, rate, volume: kiosk.state.status.volume }))
  handle('hush', async () => speaker.hush())
  handle('operatorKey', (key) => kiosk.operatorKey(key))
  handle('operatorBalance', () => kiosk.operatorBalance())
  handle('operatorLook', (look) => kiosk.operatorLook(look))
  handle('operatorAct', (act) => kiosk.operatorAct(act))
  handle('operatorLeave', () => kiosk.operatorLeave())
  return kiosk.subscribe((state) => {
    if (webContents.isDestroyed()) return
    const { catalogue, ...status } = state.status
    const pushed: PushedState =
      catalogue === told ? { screen: state.screen, status } : { screen: state.screen, status: { ...status, catalogue } }
    told = catalogue
    webContents.send(channels.pushed, pushed)
  })
}

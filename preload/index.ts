/**
 * The bridge between page and main: one named method a channel, nothing generic. Runs sandboxed, as one CommonJS file.
 */
import { contextBridge, ipcRenderer } from 'electron'
import { channels, type FarthingBridge, type KioskState, type KioskStatus, type PushedState } from './contract.ts'

/** As main last told it. */
let catalogue: KioskStatus['catalogue'] | undefined
const askState = async (): Promise<KioskState> => {
  const before = catalogue
  const state: KioskState = await ipcRenderer.invoke(channels.state)
  // What was pushed meanwhile is newer.
  if (catalogue === before) catalogue = state.status.catalogue
  return state
}

const bridge: FarthingBridge = {
  state: askState,
  onState: (listener) => {
    const forward = (_event: unknown, { screen, status }: PushedState) => {
      catalogue = status.catalogue ?? catalogue
      // A page that was loaded anew has not been told yet.
      if (catalogue === undefined) askState().then(listener)
      else listener({ screen, status: { ...status, catalogue } })
    }
    ipcRenderer.on(channels.pushed, forward)
    return () => {
      ipcRenderer.removeListener(channels.pushed, forward)
    }
  },
  buy: (itemId, ageDeclared, language) => ipcRenderer.invoke(channels.buy, itemId, ageDeclared, language),
  stay: () => ipcRenderer.invoke(channels.stay),
  pinKey: (key) => ipcRenderer.invoke(channels.pinKey, key),
  topUp: () => ipcRenderer.invoke(channels.topUp),
  topUpCode: (code) => ipcRenderer.invoke(channels.topUpCode, code),
  takeCredits: () => ipcRenderer.invoke(channels.takeCredits),
  printReceipt: (language) => ipcRenderer.invoke(channels.printReceipt, language),
  cancel: () => ipcRenderer.invoke(channels.cancel),
  showGoods: () => ipcRenderer.invoke(channels.showGoods),
  collect: (counter) => ipcRenderer.invoke(channels.collect, counter),
  alive: (heapBytes) => ipcRenderer.invoke(channels.alive, heapBytes),
  speak: (text, language, rate) => ipcRenderer.invoke(channels.speak, text, language, rate),
  hush: () => ipcRenderer.invoke(channels.hush),
  finish: () => ipcRenderer.invoke(channels.finish),
  operatorKey: (key) => ipcRenderer.invoke(channels.operatorKey, key),
  operatorBalance: () => ipcRenderer.invoke(channels.operatorBalance),
  operatorLook: (look) => ipcRenderer.invoke(channels.operatorLook, look),
  operatorAct: (act) => ipcRenderer.invoke(channels.operatorAct, act),
  operatorLeave: () => ipcRenderer.invoke(channels.operatorLeave),
}

contextBridge.exposeInMainWorld('farthing', bridge)

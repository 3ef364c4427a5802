/**
 * The bridge between page and main: one named method a channel, nothing generic. Runs sandboxed, as one CommonJS file.
 */
import { contextBridge, ipcRenderer } from 'electron'
import { channels, type FarthingBridge, type KioskState } from './contract.ts'

const bridge: FarthingBridge = {
  state: () => ipcRenderer.invoke(channels.state),
  onState: (listener) => {
    const forward = (_event: unknown, state: KioskState) => listener(state)
    ipcRenderer.on(channels.pushed, forward)
    return () => {
      ipcRenderer.removeListener(channels.pushed, forward)
    }
  },
  buy: (itemId, ageDeclared) => ipcRenderer.invoke(channels.buy, itemId, ageDeclared ?? 0),
  stay: () => ipcRenderer.invoke(channels.stay),
  pinKey: (key) => ipcRenderer.invoke(channels.pinKey, key),
  topUp: () => ipcRenderer.invoke(channels.topUp),
  topUpCode: (code) => ipcRenderer.invoke(channels.topUpCode, code),
  printReceipt: () => ipcRenderer.invoke(channels.printReceipt),
  cancel: () => ipcRenderer.invoke(channels.cancel),
  showGoods: () => ipcRenderer.invoke(channels.showGoods),
  collect: (counter) => ipcRenderer.invoke(channels.collect, counter),
  alive: (heapBytes) => ipcRenderer.invoke(channels.alive, heapBytes),
  finish: () => ipcRenderer.invoke(channels.finish),
}

contextBridge.exposeInMainWorld('farthing', bridge)

/**
 * Opens the terminal of a data folder. For now a fixed catalogue on the browse screen, so that the shell can be built.
 */
import type { KioskState } from '../preload/contract.ts'
import type { Kiosk } from './kiosk-contract.ts'

const state: KioskState = {
  status: {
    merchant: 'Harbour Museum',
    currency: 'EUR',
    currencyDecimals: 2,
    online: false,
    languages: ['en'],
    readerPosition: 'below',
    diagonalMm: 546,
    catalogue: [
      {
        id: 'harbour-walk',
        kind: 'document',
        title: { en: 'Harbour walk' },
        summary: { en: 'A map of one hour along the old quays' },
        priceMinor: 250,
        mediaType: 'text/plain',
        bytes: 12,
      },
    ],
  },
  screen: { name: 'browse' },
}

export const openKiosk = async (_options: { dataDir: string }): Promise<Kiosk> => {
  const nothing = async () => {}
  return {
    state,
    subscribe: () => () => {},
    buy: nothing,
    cancel: nothing,
    showGoods: nothing,
    collect: nothing,
    finish: nothing,
    goodsContent: () => undefined,
    close: nothing,
  }
}

/** Whether this data folder can take real money: no debugger may attach then. */
export const holdsProductionKeys = (_dataDir: string): boolean => false

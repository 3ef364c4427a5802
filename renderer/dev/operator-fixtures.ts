/** A day of a kiosk as operator mode shows it, for looking at its sections without a shell. */
import type { OperatorAct, OperatorResult, OperatorViews, ReceiptRow } from '../../preload/operator-contract.ts'

const title = { en: 'Walking map of the old town', de: 'Stadtplan für den Rundgang durch die Altstadt', ar: 'خريطة' }
const health: OperatorViews['today']['health'] = {
  online: false,
  issuerContactAt: '2026-11-23T08:05:00Z',
  unsynced: { count: 118, amountMinor: 21_450, oldestAt: '2026-11-22T17:40:00Z' },
  inDoubt: 1,
  diskFreeBytes: 42_000_000_000,
  hotlistAsOf: '2026-11-22T04:00:00Z',
  version: '0.1.0',
  terminalId: '7465726d30303031',
}

const receipt = (receiptNo: number, state: ReceiptRow['state']): ReceiptRow => ({
  terminalSeq: receiptNo + 64,
  receiptNo,
  state,
  number: `3-${receiptNo}`,
  at: '2026-11-23T08:05:00Z',
  title: receiptNo % 2 ? title : { en: 'Wi-Fi for a day' },
  priceMinor: receiptNo % 2 ? 250 : 150,
  taxBasisPoints: 1_900,
  taxMinor: 40,
  cardEnding: '4711',
  balanceMinor: 1_250,
})

export const operatorViews: OperatorViews = {
  today: {
    figures: {
      closeNo: 42,
      since: '2026-11-22T18:02:00Z',
      sales: { count: 131, amountMinor: 24_310 },
      reversed: { count: 1, amountMinor: 250 },
      refunds: { count: 2, amountMinor: 500 },
      cashLoads: { count: 6, amountMinor: 12_000 },
      otherLoads: { count: 3, amountMinor: 4_500 },
      byKind: [
        { kind: 'document', count: 80, amountMinor: 17_100 },
        { kind: 'code', count: 51, amountMinor: 7_210 },
      ],
      byArticle: [
        { title, count: 61, amountMinor: 15_250 },
        { title: { en: 'Wi-Fi for a day' }, count: 51, amountMinor: 7_210 },
        { title: { en: 'The penny that carried a letter' }, count: 19, amountMinor: 1_850 },
      ],
    },
    health,
  },
  receipts: {
    rows: [131, 130, 129, 128, 127, 126].map((no) => receipt(no, no === 129 ? 'refunded' : 'paid')),
    older: true,
  },
  exchange: { health, drives: [{ path: '/media/kiosk/FARTHING', name: 'FARTHING' }] },
  device: { volume: 70, brightness: 100, printer: 'paperOut', canLoad: true, languages: ['en', 'de'] },
  stock: {
    rows: [
      {
        id: 'wifi-day',
        kind: 'code',
        title: { en: 'Wi-Fi for a day' },
        summary: {},
        priceMinor: 150,
        taxBasisPoints: 1_900,
        mediaType: 'text/plain',
        bytes: 0,
        stock: 4,
      },
      {
        id: 'map',
        kind: 'document',
        title,
        summary: {},
        priceMinor: 250,
        taxBasisPoints: 1_900,
        mediaType: 'application/pdf',
        bytes: 300_000,
      },
    ],
  },
  logs: {
    lines: [
      { at: '2026-11-23T07:58:12.004Z', text: 'card: removed' },
      { at: '2026-11-23T08:01:40.118Z', text: 'printer: paperOut' },
      { at: '2026-11-23T08:04:02.550Z', text: 'The issuer cannot be reached: connect ECONNREFUSED' },
    ],
  },
}

export const operatorResults: Readonly<Partial<Record<OperatorAct['act'], OperatorResult>>> = {
  dayClose: {
    outcome: 'report',
    title: 'Day close no. 42',
    lines: [
      'Old Town Station',
      '7465726d30303031',
      'From 22 Nov 2026, 19:02',
      'Until 23 Nov 2026, 18:30',
      'Closed by Ada Brandt',
    ],
    rows: [
      { label: 'Sales, 131', value: '€243.10' },
      { label: 'Reversed on the spot, 1', value: '-€2.50' },
      { label: 'Refunds asked for, 2', value: '-€5.00' },
      { label: 'Sales less returns', value: '€235.60', total: true },
      { label: 'Cash taken for loads, 6', value: '€120.00' },
      { label: 'All sales so far', value: '€9,812.40', total: true },
    ],
    print: 'none',
  },
  refund: { outcome: 'refunded', amountMinor: 250, sent: true },
  reprint: { outcome: 'printed', print: 'paperOut' },
  printerTest: { outcome: 'printed', print: 'printed' },
  testSale: { outcome: 'testSale', goods: 'ready', bytes: 300_000, priceMinor: 250, print: 'none' },
  sync: { outcome: 'syncFailed', problem: 'unreachable' },
  export: { outcome: 'exported', files: 3, refused: [] },
}

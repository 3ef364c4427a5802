import { describe, expect, test } from 'vitest'
import { channels, type KioskState } from '../preload/contract.ts'
import { checkSender, checkShape, connectIpc, type Method, type Sender } from './ipc.ts'
import type { Kiosk } from './kiosk/kiosk-contract.ts'

const windowId = 7
const ours = { sender: { id: windowId }, senderFrame: { url: 'farthing://kiosk/', parent: null } }
const methods: readonly Method[] = [
  'state',
  'buy',
  'cancel',
  'stay',
  'pinKey',
  'topUp',
  'topUpCode',
  'takeCredits',
  'printReceipt',
  'showGoods',
  'collect',
  'finish',
  'alive',
  'speak',
  'hush',
  'operatorKey',
  'operatorBalance',
  'operatorLook',
  'operatorAct',
  'operatorLeave',
]

describe('a sender', () => {
  test('that is our own page is heard', () => {
    expect(() => checkSender(ours, windowId, 'c')).not.toThrow()
  })
  test.each([
    ['another window', { ...ours, sender: { id: 8 } }],
    ['a frame inside the page', { ...ours, senderFrame: { url: 'farthing://kiosk/', parent: {} } }],
    ['a frame that is gone', { ...ours, senderFrame: null }],
    ['a page from the web', { ...ours, senderFrame: { url: 'https://example.com/', parent: null } }],
    ['another host', { ...ours, senderFrame: { url: 'farthing://other/', parent: null } }],
    ['an empty page', { ...ours, senderFrame: { url: 'about:blank', parent: null } }],
    ['a page with no address', { ...ours, senderFrame: { url: '', parent: null } }],
  ])('that is %s is refused by name', (_what, sender) => {
    expect(() => checkSender(sender, windowId, 'farthing:buy')).toThrow(
      expect.objectContaining({ name: 'MessageRefused', code: 'sender', message: 'sender: farthing:buy' }),
    )
  })
})

describe('the arguments', () => {
  const right: Record<Method, readonly unknown[]> = {
    state: [],
    buy: ['harbour-walk', 0, 'en'],
    stay: [],
    pinKey: ['7'],
    topUp: [],
    topUpCode: ['7KQ2-0F9M-XW3T-H5RA'],
    takeCredits: [],
    printReceipt: ['zh-Hant'],
    cancel: [],
    showGoods: [],
    collect: [4_294_967_295],
    finish: [],
    alive: [123_456],
    speak: ['You paid €0.50.', 'zh-Hant', 1.35],
    hush: [],
    operatorKey: ['7'],
    operatorBalance: [],
    operatorLook: [{ section: 'receipts', before: 42 }],
    operatorAct: [{ act: 'refund', terminalSeq: 7, reason: 'It would not open' }],
    operatorLeave: [],
  }
  test.each(methods)('of %s are taken as they are', (method) => {
    expect(checkShape(method, right[method])).toEqual(right[method])
  })
  test.each(methods)('of %s are refused when there are more of them', (method) => {
    expect(() => checkShape(method, [...right[method], undefined])).toThrow('shape: ')
  })
  test.each([
    [],
    [''],
    ['x'.repeat(129)],
    [42],
    [null],
    [['harbour-walk']],
    [{ id: 'harbour-walk' }],
    ['map', -1],
    ['map', 1.5],
    ['map', '18'],
    ['map'],
  ])('of buy are refused when they are %j', (...given) => {
    expect(() => checkShape('buy', given)).toThrow(
      expect.objectContaining({ name: 'MessageRefused', code: 'shape', message: 'shape: farthing:buy' }),
    )
  })
  test.each([
    ['word'],
    ['word', 'en', 0.4],
    ['word', 'en', Number.NaN],
    ['word', 'en\r\nQUIT', 1],
    ['x'.repeat(8001), 'en', 1],
  ])('of speak are refused when they are %j', (...given) => {
    expect(() => checkShape('speak', given)).toThrow('shape: farthing:speak')
  })
  test.each([[], [1], ['10'], [''], ['A'], [null]])('of pinKey are refused when they are %j', (...given) => {
    expect(() => checkShape('pinKey', given)).toThrow('shape: farthing:pin-key')
  })
  test.each([
    { act: 'dayClose', language: 'de' },
    { act: 'testSale', itemId: 'map', language: 'en' },
    { act: 'reprint', terminalSeq: 1, language: 'zh-Hant' },
    { act: 'export', drive: '/media/stick' },
    { act: 'import', drive: 'E:\\' },
    { act: 'sync' },
    { act: 'outOfService', reason: 'Broken glass' },
    { act: 'inService' },
    { act: 'restart' },
    { act: 'volume', percent: 0 },
    { act: 'brightness', percent: 20 },
    { act: 'languages', languages: ['zh-Hant', 'en'] },
    { act: 'printerTest', language: 'en' },
    { act: 'readerTest' },
    { act: 'load', amountMinor: 1_000_000 },
    { act: 'endTask' },
  ])('of operatorAct are taken: %j', (act) => {
    expect(checkShape('operatorAct', [act])).toEqual([act])
  })
  test.each([
    {},
    { act: 'buy' },
    { act: 'sync', more: 1 },
    { act: 'refund', terminalSeq: 7, reason: ' ' },
    { act: 'refund', terminalSeq: 7, reason: 'x'.repeat(201) },
    { act: 'refund', terminalSeq: 7, reason: '\ud800' },
    { act: 'refund', terminalSeq: 1.5, reason: 'late' },
    { act: 'refund', terminalSeq: 0, reason: 'late' },
    { act: 'reprint', terminalSeq: 7 },
    { act: 'export', drive: '' },
    { act: 'export', drive: 7 },
    { act: 'volume', percent: 101 },
    { act: 'volume', percent: 0.5 },
    { act: 'brightness', percent: 19 },
    { act: 'languages', languages: [] },
    { act: 'languages', languages: ['en', 'en'] },
    { act: 'languages', languages: ['English!'] },
    { act: 'load', amountMinor: 0 },
    { act: 'load', amountMinor: 1_000_001 },
    { act: 'outOfService' },
  ])('of operatorAct are refused: %j', (act) => {
    expect(() => checkShape('operatorAct', [act])).toThrow('shape: farthing:operator-act')
  })
  test.each([{}, { section: 'cards' }, { section: 'today', before: 1 }, { section: 'receipts', before: 0 }])(
    'of operatorLook are refused: %j',
    (look) => {
      expect(() => checkShape('operatorLook', [look])).toThrow('shape: farthing:operator-look')
    },
  )
  test.each([[], [0], [-1], [1.5], [Number.NaN], [Infinity], [2 ** 32], ['1'], [1n], [true], [null]])(
    'of collect are refused when they are %s',
    (...given) => {
      expect(() => checkShape('collect', given)).toThrow('shape: farthing:collect')
    },
  )
})

describe('a connected window', () => {
  const state: KioskState = {
    status: {
      merchant: 'Harbour Museum',
      currency: 'EUR',
      currencyDecimals: 2,
      online: false,
      languages: ['en'],
      readerPosition: 'below',
      diagonalMm: 546,
      catalogue: [],
      categories: [],
      branding: {},
      topUp: false,
      volume: 1,
      brightness: 1,
    },
    screen: { name: 'browse' },
  }

  /** A till that notes what it was told, and the two ends of Electron that the door uses. */
  const connected = () => {
    const told: unknown[] = []
    const note =
      (method: string) =>
      async (...given: unknown[]) => {
        told.push([method, ...given])
      }
    let push: (state: KioskState) => void = () => {}
    const kiosk: Kiosk = {
      state,
      subscribe: (listener) => {
        push = listener
        return () => {
          push = () => {}
        }
      },
      buy: note('buy'),
      stay: note('stay'),
      pinKey: note('pinKey'),
      topUp: note('topUp'),
      topUpCode: note('topUpCode'),
      takeCredits: note('takeCredits'),
      printReceipt: note('printReceipt'),
      cancel: note('cancel'),
      showGoods: note('showGoods'),
      collect: note('collect'),
      finish: note('finish'),
      operatorKey: note('operatorKey'),
      operatorBalance: note('operatorBalance'),
      async operatorLook(look) {
        told.push(['operatorLook', look])
        return undefined
      },
      async operatorAct(act) {
        told.push(['operatorAct', act])
        return { outcome: 'done' }
      },
      operatorLeave: note('operatorLeave'),
      goodsContent: () => undefined,
      shelfContent: () => undefined,
      pageEnded: () => undefined,
      close: note('close'),
    }
    const handlers = new Map<string, (event: Sender, ...given: unknown[]) => Promise<unknown>>()
    const sent: unknown[] = []
    const webContents = {
      id: windowId,
      destroyed: false,
      isDestroyed: () => webContents.destroyed,
      send: (channel: string, ...given: unknown[]) => {
        sent.push([channel, ...given])
      },
    }
    const disconnect = connectIpc({
      onAlive: () => undefined,
      ipcMain: { handle: (channel, listener) => handlers.set(channel, listener) },
      webContents,
      kiosk,
      speaker: {
        async say(line) {
          told.push(['say', line])
          return true
        },
        hush: () => void told.push(['hush']),
      },
    })
    const say = (channel: string, from: Sender, ...given: unknown[]) => handlers.get(channel)?.(from, ...given)
    return { told, say, sent, handlers, webContents, disconnect, push: (next: KioskState) => push(next) }
  }

  test('listens on the channels of the contract and no others', () => {
    const { handlers } = connected()
    const listening = methods.map((method) => channels[method])
    expect([...handlers.keys()].sort()).toEqual(listening.sort())
  })
  test('reaches the till with what the page may say', async () => {
    const { say, told } = connected()
    expect(await say('farthing:state', ours)).toBe(state)
    await say('farthing:buy', ours, 'harbour-walk', 18, 'de')
    await say('farthing:cancel', ours)
    await say('farthing:show-goods', ours)
    await say('farthing:collect', ours, 12)
    await say('farthing:finish', ours)
    expect(await say('farthing:speak', ours, 'You paid €2.50.', 'en', 1.35)).toBe(true)
    expect(told).toEqual([
      // A page that begins.
      ['hush'],
      ['buy', 'harbour-walk', 18, 'de'],
      ['cancel'],
      ['showGoods'],
      ['collect', 12],
      ['finish'],
      ['say', { text: 'You paid €2.50.', language: 'en', rate: 1.35, volume: 1 }],
    ])
  })
  test('pushes the catalogue only where it is another one than the page has', async () => {
    const { say, sent, push } = connected()
    const { catalogue, ...status } = state.status
    await say('farthing:state', ours)
    push({ ...state, screen: { name: 'out-of-service', reason: 'stopped' } })
    const other: KioskState['status']['catalogue'] = [...catalogue]
    push({ ...state, status: { ...status, catalogue: other } })
    push({ ...state, status: { ...status, catalogue: other } })
    expect(sent).toEqual([
      ['farthing:pushed', { screen: { name: 'out-of-service', reason: 'stopped' }, status }],
      ['farthing:pushed', { screen: { name: 'browse' }, status: { ...status, catalogue: other } }],
      ['farthing:pushed', { screen: { name: 'browse' }, status }],
    ])
  })
  test('does not reach the till with anything else', async () => {
    const { say, told } = connected()
    const stranger = { ...ours, senderFrame: { url: 'https://example.com/', parent: null } }
    await expect(say('farthing:state', stranger)).rejects.toThrow('sender: farthing:state')
    await expect(say('farthing:buy', stranger, 'harbour-walk')).rejects.toThrow('sender: farthing:buy')
    await expect(say('farthing:buy', ours, 42)).rejects.toThrow('shape: farthing:buy')
    await expect(say('farthing:finish', ours, 'now')).rejects.toThrow('shape: farthing:finish')
    expect(told).toEqual([])
  })
  test('gets every new state, until it is gone', () => {
    const { push, sent, webContents } = connected()
    push(state)
    expect(sent).toEqual([['farthing:pushed', state]])
    webContents.destroyed = true
    push(state)
    expect(sent).toHaveLength(1)
  })
  test('gets no state after it was disconnected', () => {
    const { push, sent, disconnect } = connected()
    disconnect()
    push(state)
    expect(sent).toEqual([])
  })
})

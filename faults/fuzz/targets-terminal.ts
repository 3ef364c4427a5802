/** What a terminal reads from outside: its files, its helper process, its page, its goods. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { drivePurse, sampleOrder, samplePersonalisation } from '../../card/purse-driver.ts'
import { newCardState } from '../../card/purse-state.ts'
import { readStateFile, StateFileError } from '../../card/state-file.ts'
import { mortalCard } from '../../card/test-card.ts'
import { appContent, fileOf, rangeOf } from '../../main/app-scheme.ts'
import { goodsPath, openCatalogue } from '../../main/catalogue.ts'
import { IdentityFault, identityPath, readIdentity } from '../../main/identity.ts'
import { connectIpc, type MessageReceiver, MessageRefused } from '../../main/ipc.ts'
import type { Kiosk } from '../../main/kiosk/kiosk-contract.ts'
import { readKioskSettings } from '../../main/kiosk/kiosk-settings.ts'
import { isAppUrl, navigationAllowed, requestAllowed } from '../../main/navigation.ts'
import { parseFromHelper, parseToHelper } from '../../main/reader/pcsc-messages.ts'
import { channels, type KioskState } from '../../preload/contract.ts'
import { encryptContent } from '../../protocol/keyring.ts'
import { amountMinor } from '../../protocol/quantities.ts'
import { articleCharactersMax, type Block, blocksOf, type Span } from '../../renderer/goods/markdown.ts'
import { bytesOf, jsonBytesOf, jsonOf, refusing, refusingLater, type Target, textOf } from './target.ts'

const temporaryFolder = (): { readonly folder: string; readonly close: () => void } => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-fuzz-'))
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}

const identity = {
  terminalId: '7465726d30303031',
  epoch: 3,
  keyVersion: 1,
  terminalKey: '11'.repeat(32),
  bulletinPublicKey: '22'.repeat(32),
  publicUrl: 'https://issuer.example/',
  issuerUrl: 'http://127.0.0.1:8080',
  currency: 'EUR',
  merchant: 'Museum',
  dev: true,
}

const settingsFile: Target = {
  name: 'kiosk-json',
  kind: 'json',
  inputs: 15_000,
  words: ['en', 'de', 'below', 'languages', 'reader', 'diagonalMm'],
  open: () => {
    const { folder, close } = temporaryFolder()
    const file = path.join(folder, 'kiosk.json')
    return {
      close,
      seeds: [
        jsonBytesOf({ languages: ['de', 'en'], readerPosition: 'left', diagonalMm: 800, reader: 'ACS' }),
        bytesOf('{}'),
      ],
      run(input) {
        writeFileSync(file, input)
        try {
          const settings = readKioskSettings(folder)
          assert(settings.languages.length > 0 && settings.diagonalMm >= 100 && settings.diagonalMm <= 3000)
        } catch (error) {
          // Its declared error is a plain one whose sentence begins with the file.
          if (!(error instanceof Error) || error.name !== 'Error' || !error.message.startsWith(file)) throw error
        }
      },
    }
  },
}

const identityFile: Target = {
  name: 'terminal-json',
  kind: 'json',
  inputs: 15_000,
  words: ['EUR', 'XXX', 'https://a.example', 'javascript:alert(1)', '00'.repeat(32)],
  open: () => {
    const { folder, close } = temporaryFolder()
    return {
      close,
      seeds: [jsonBytesOf(identity)],
      run(input) {
        writeFileSync(identityPath(folder), input)
        const read = refusing(IdentityFault, () => readIdentity(folder))
        if (read !== undefined)
          assert(read.terminalKey.length === 32 && read.epoch >= 1 && URL.canParse(read.issuerUrl))
      },
    }
  },
}

const digestOf = (state: unknown): string => createHash('sha256').update(JSON.stringify(state)).digest('hex')

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** A card that has loaded, paid and undone. */
const usedCard = () => {
  const card = mortalCard(newCardState(samplePersonalisation()), 3)
  const drive = drivePurse(card.process)
  drive.select()
  drive.transact(sampleOrder('load', { amountMinor: amountMinor(5000) }))
  drive.transact(sampleOrder('payment'))
  drive.transact(sampleOrder('payment'))
  return card.stored()
}

/** Whatever state is believed, the card that has it answers every command. */
const stateFile: Target = {
  name: 'card-state',
  kind: 'json',
  inputs: 3_000,
  open: () => {
    const { folder, close } = temporaryFolder()
    const file = path.join(folder, 'card.json')
    const states = [{ kind: 'blank' }, newCardState(samplePersonalisation()), usedCard()]
    return {
      close,
      seeds: states.map((state) => jsonBytesOf({ sha256: digestOf(state), state })),
      mend(input, chance) {
        const state = memberOf(jsonOf(input), 'state')
        if (state === undefined || chance.hit(0.2)) return input
        // JSON.stringify recurses: what is nested too deep for it goes as it is.
        return refusing(RangeError, () => jsonBytesOf({ sha256: digestOf(state), state })) ?? input
      },
      run(input) {
        writeFileSync(file, input)
        const state = refusing(StateFileError, () => readStateFile(file))
        if (state === undefined) return
        const card = mortalCard(state, 1)
        if (state.kind === 'blank') return
        const { commands, ...drive } = drivePurse(card.process, { ...samplePersonalisation(), cardId: state.cardId })
        drive.select()
        for (const type of ['probe', 'payment', 'reversal', 'load', 'block'] as const) {
          const reference = type === 'reversal' ? { reference: state.counter } : {}
          drive.transact(sampleOrder(type, reference), '1234')
        }
        drive.send(commands.readRecord(1))
      },
    }
  },
}

/** What JSON cannot say but a message can: {"$bytes": "hex"} and {"$number": "NaN"}. */
const revive = (_: string, value: unknown): unknown => {
  const hex = memberOf(value, '$bytes')
  if (typeof hex === 'string') return new Uint8Array(Buffer.from(hex, 'hex'))
  const number = memberOf(value, '$number')
  return typeof number === 'string' ? Number(number) : value
}

/** As it arrives from another process. */
const messageOf = (input: Uint8Array): unknown => {
  try {
    return structuredClone(JSON.parse(textOf(input), revive))
  } catch {
    return undefined
  }
}

const helperMessages: Target = {
  name: 'pcsc-messages',
  kind: 'json',
  inputs: 25_000,
  words: ['alive', 'state', 'done', 'fault', 'removed', 'mute', '$bytes', '$number', 'NaN', 'connect', 'transmit'],
  open: () => ({
    seeds: [
      { kind: 'alive' },
      {
        kind: 'state',
        detail: 'down',
        slots: [
          { name: 'Virtual PCD 00 00', card: { insertion: 1, eventCount: 1, atr: { $bytes: '3b00' } }, mute: false },
        ],
      },
      { kind: 'done', id: 3, response: { $bytes: '9000' } },
      { kind: 'fault', id: { $number: 'NaN' }, code: 'removed', message: 'gone' },
      { id: 1, readerName: 'Virtual PCD 00 00', insertion: 1, action: 'transmit', command: { $bytes: '00a40400' } },
    ].map(jsonBytesOf),
    run(input) {
      const message = messageOf(input)
      const from = refusing(v.ValiError, () => parseFromHelper(message))
      if (from?.kind === 'state')
        for (const { card } of from.slots) assert(card === undefined || card.atr instanceof Uint8Array)
      if (from?.kind === 'done') assert(from.response === undefined || from.response instanceof Uint8Array)
      const to = refusing(v.ValiError, () => parseToHelper(message))
      assert(to?.command === undefined || to.command instanceof Uint8Array)
    },
  }),
}

type Listener = Parameters<MessageReceiver['handle']>[1]

const kioskState: KioskState = {
  status: {
    merchant: 'M',
    currency: 'EUR',
    currencyDecimals: 2,
    online: true,
    languages: ['en'],
    readerPosition: 'below',
    diagonalMm: 500,
    catalogue: [],
    categories: [],
    branding: {},
    topUp: false,
    volume: 1,
    brightness: 1,
  },
  screen: { name: 'browse' },
}

/** A till that writes down what reaches it. */
const recordingKiosk = (reached: unknown[][]): Kiosk => {
  const note = async (...call: unknown[]) => void reached.push(call)
  return {
    state: kioskState,
    subscribe: () => () => undefined,
    buy: (itemId, ageDeclared, language) => note('buy', itemId, ageDeclared, language),
    stay: () => note('stay'),
    pinKey: (key) => note('pinKey', key),
    topUp: () => note('topUp'),
    topUpCode: (code) => note('topUpCode', code),
    takeCredits: () => note('takeCredits'),
    printReceipt: (language) => note('printReceipt', language),
    cancel: () => note('cancel'),
    showGoods: () => note('showGoods'),
    collect: (counter) => note('collect', counter),
    finish: () => note('finish'),
    operatorKey: (key) => note('operatorKey', key),
    operatorBalance: () => note('operatorBalance'),
    async operatorLook(look) {
      reached.push(['operatorLook', look])
      return undefined
    },
    async operatorAct(act) {
      reached.push(['operatorAct', act])
      return { outcome: 'ignored' }
    },
    operatorLeave: () => note('operatorLeave'),
    goodsContent: () => undefined,
    shelfContent: () => undefined,
    pageEnded: () => undefined,
    close: async () => undefined,
  }
}

const senderOf = (message: unknown): Parameters<Listener>[0] => {
  const frame = memberOf(message, 'senderFrame') ?? null
  const id = memberOf(memberOf(message, 'sender'), 'id')
  const url = memberOf(frame, 'url')
  return {
    sender: { id: typeof id === 'number' ? id : -1 },
    senderFrame:
      frame === null ? null : { url: typeof url === 'string' ? url : '', parent: memberOf(frame, 'parent') ?? null },
  }
}

/** Only the main frame of window 1, from our own origin, with a method's own arguments, reaches the till. */
const requireAllowed = (from: Parameters<Listener>[0], call: readonly unknown[]): void => {
  assert(from.sender.id === 1 && from.senderFrame?.parent === null, 'a foreign window or frame reached the till')
  assert(
    /^\s*farthing:[/\\]*kiosk([/\\?#]|\s*$)/i.test(from.senderFrame.url.replace(/[\t\r\n]/g, '')),
    `${from.senderFrame.url} reached the till`,
  )
  const [method, ...given] = call
  assert(typeof method === 'string' && given.length === (argumentCounts[method] ?? 0), `${method} with ${given.length}`)
  const [first, age] = given
  if (method === 'buy') {
    assert(typeof first === 'string' && first.length >= 1 && first.length <= 128)
    assert(Number.isSafeInteger(age) && Number(age) >= 0 && Number(age) <= 150)
  }
  if (method === 'topUpCode') assert(typeof first === 'string' && first.length >= 1 && first.length <= 64)
  if (method === 'collect') assert(Number.isSafeInteger(first) && Number(first) >= 1)
  if (method === 'pinKey' || method === 'operatorKey') assert(typeof first === 'string' && first.length <= 16)
  if (method === 'say') {
    assert(typeof first === 'string' && first.length <= 8000 && Number(given[2]) >= 0.5 && Number(given[2]) <= 3)
    assert.match(String(given[1]), /^[a-z]{2,3}(-[a-z\d]+)*$/i)
  }
  if (method === 'buy' || method === 'printReceipt') assert.match(String(given.at(-1)), /^[a-z]{2,3}(-[a-z\d]+)*$/i)
}

/** Of the methods that take any. */
const argumentCounts: Readonly<Record<string, number>> = {
  buy: 3,
  topUpCode: 1,
  collect: 1,
  pinKey: 1,
  operatorKey: 1,
  printReceipt: 1,
  say: 3,
  operatorLook: 1,
  operatorAct: 1,
}

const page = { sender: { id: 1 }, senderFrame: { url: 'farthing://kiosk/index.html', parent: null } }

const ipc: Target = {
  name: 'ipc',
  kind: 'json',
  inputs: 30_000,
  words: [
    'farthing://kiosk/',
    'farthing://kiosk.evil/',
    'https://kiosk/',
    'farthing://a@kiosk/',
    'FARTHING://KIOSK',
    ...Object.values(channels),
  ],
  open: () => {
    const reached: unknown[][] = []
    const listeners = new Map<string, Listener>()
    connectIpc({
      onAlive: () => undefined,
      ipcMain: { handle: (channel, listener) => void listeners.set(channel, listener) },
      webContents: { id: 1, isDestroyed: () => false, send: () => undefined },
      kiosk: recordingKiosk(reached),
      speaker: {
        async say({ text, language, rate }) {
          reached.push(['say', text, language, rate])
          return true
        },
        hush: () => undefined,
      },
    })
    return {
      seeds: [
        { ...page, channel: channels.buy, given: ['map', 0, 'en'] },
        { ...page, channel: channels.collect, given: [7] },
        { ...page, channel: channels.state, given: [] },
        { ...page, channel: channels.cancel, given: [] },
        { ...page, channel: channels.finish, given: [{ $number: 'NaN' }] },
        { ...page, channel: channels.topUpCode, given: ['F2K4-9XQ7'] },
        { ...page, channel: channels.pinKey, given: ['7'] },
        { ...page, channel: channels.speak, given: ['You paid 0.50.', 'en', 1.35] },
        { ...page, channel: channels.printReceipt, given: ['zh-Hant'] },
        { ...page, channel: channels.operatorKey, given: ['enter'] },
        { ...page, channel: channels.operatorLook, given: [{ section: 'day' }] },
        { ...page, channel: channels.operatorAct, given: [{ act: 'dayClose', language: 'en' }] },
        {
          sender: { id: 2 },
          senderFrame: { url: 'farthing://kiosk/', parent: {} },
          channel: channels.showGoods,
          given: [],
        },
      ].map(jsonBytesOf),
      async run(input) {
        reached.length = 0
        const message = messageOf(input)
        const channel = memberOf(message, 'channel')
        const given = memberOf(message, 'given')
        const listener = typeof channel === 'string' ? listeners.get(channel) : undefined
        const from = senderOf(message)
        await refusingLater(MessageRefused, async () => listener?.(from, ...(Array.isArray(given) ? given : [given])))
        for (const call of reached) requireAllowed(from, call)
      },
    }
  },
}

const hostileUrls = [
  'farthing://kiosk/',
  'farthing://kiosk/assets/a.js?v=1',
  'farthing://kiosk/goods/sold',
  'farthing://kiosk/../secret.txt',
  'farthing://kiosk/assets/..%2f..%2fsecret.txt',
  'farthing://kiosk/assets/%2e%2e/%2e%2e/secret.txt',
  'farthing://kiosk/assets/..%5csecret.txt',
  'farthing://kiosk/%00',
  'farthing://kiosk:80/',
  'farthing://user:word@kiosk/',
  'https://kiosk/',
  'blob:farthing://kiosk/x',
  'data:text/html,x',
]

/** "METHOD URL RANGE", and a folder with what may be shown and a secret beside it. */
const appScheme: Target = {
  name: 'app-scheme',
  kind: 'text',
  inputs: 15_000,
  words: [
    '../',
    '..%2f',
    '%2e%2e',
    '%00',
    '%',
    '\\',
    '//',
    'secret.txt',
    'index.html',
    '/goods/',
    'bytes=',
    'bytes=-1',
    'GET',
    'HEAD',
    'POST',
    '.env',
    '9'.repeat(30),
  ],
  open: () => {
    const { folder, close } = temporaryFolder()
    const root = path.join(folder, 'renderer')
    mkdirSync(path.join(root, 'assets'), { recursive: true })
    writeFileSync(path.join(folder, 'secret.txt'), 'secret')
    writeFileSync(path.join(root, '.env'), 'secret')
    writeFileSync(path.join(root, 'index.html'), '<!doctype html>')
    writeFileSync(path.join(root, 'assets/a.js'), 'export {}')
    const goods = { mediaType: 'text/html', bytes: bytesOf('0123456789') }
    const answer = appContent({
      rendererDir: root,
      goodsContent: (token) => (token === 'sold' ? goods : undefined),
      shelfContent: () => undefined,
    })
    const requireHonest = async (request: Request) => {
      const response = await answer(request)
      assert([200, 206, 403, 404, 405].includes(response.status), `status ${response.status}`)
      const body = await response.text()
      assert(!body.includes('secret'), `${request.url} shows a secret`)
      assert(body === '' || isAppUrl(request.url), 'a foreign address has an answer')
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
    }
    return {
      close,
      seeds: hostileUrls.flatMap((url) => [bytesOf(`GET ${url} bytes=0-3`), bytesOf(`HEAD ${url} `)]),
      async run(input) {
        const [method = '', url = '', range = ''] = textOf(input).split(' ')
        const file = fileOf(root, url)
        assert(file === undefined || file.startsWith(root + path.sep), `${file} is outside`)
        for (const length of [0, 1, 10]) {
          const part = rangeOf(range, length)
          assert(
            part === undefined || (part.first >= 0 && part.first <= part.last && part.last < length),
            JSON.stringify(part),
          )
        }
        const own = isAppUrl(url)
        assert(!navigationAllowed({ url, isMainFrame: true }) || own)
        requestAllowed(url)
        const request = refusing(TypeError, () => new Request(url, { method, headers: { range } }))
        if (request !== undefined) await requireHonest(request)
      },
    }
  },
}

const spansOf = (block: Block): readonly Span[] =>
  block.name === 'rule' ? [] : block.name === 'list' ? block.items.flat() : block.spans

const markdown: Target = {
  name: 'markdown',
  kind: 'text',
  inputs: 20_000,
  lengthMax: 128 * 1024,
  words: [
    '# ',
    '###### ',
    '\n',
    '\n\n',
    '\r\n',
    '- ',
    '1. ',
    '> ',
    '**',
    '*',
    '_',
    '`',
    '---',
    ' ',
    '\t',
    '#',
    '\u2028',
    '<script>',
    '](',
    '&lt;',
    '\\',
  ],
  open: () => ({
    seeds: [
      '# Heading\nwith its text\n\nA *word*, a **strong one**, `code` and _more_.\n\n- one\n- two\n  goes on\n\n1. first\n2) second\n\n> quoted\n> again\n\n---\n\n## Last ##',
      '<b onclick="x()">[link](javascript:alert(1))</b> **open *both `all _four',
      '# a\n# b\n# c\n# d',
    ].map(bytesOf),
    run(input) {
      const text = textOf(input)
      const spans = blocksOf(text).flatMap(spansOf)
      const shown = spans.reduce((sum, span) => sum + span.text.length, 0)
      assert(shown <= Math.min(text.length, articleCharactersMax) + text.length, 'more is shown than there is')
      for (const span of spans) assert(span.at >= 0 && span.text.length > 0)
    },
  }),
}

const goodsOnDisk: Target = {
  name: 'goods-blob',
  kind: 'bytes',
  inputs: 12_000,
  lengthMax: 4096,
  open: () => {
    const { folder, close } = temporaryFolder()
    mkdirSync(path.join(folder, 'goods'))
    const content = bytesOf('a map of the old town')
    const contentHash = createHash('sha256').update(content).digest('hex')
    const key = '07'.repeat(32)
    const blob = encryptContent(content, { key: new Uint8Array(32).fill(7), contentHash })
    const item = {
      v: 1,
      id: 'map',
      version: 1,
      kind: 'document',
      title: { en: 'Map' },
      summary: { en: '' },
      priceMinor: 250,
      currency: 'EUR',
      taxBasisPoints: 0,
      mediaType: 'text/plain',
      bytes: content.length,
      contentHash,
    } as const
    const catalogue = openCatalogue({
      dataDir: folder,
      bulletin: {
        v: 1,
        serial: 1,
        issuedAt: '2026-01-01T00:00:00Z',
        expiresAt: '2027-01-01T00:00:00Z',
        currency: 'EUR',
        publicUrl: 'https://a.example/',
        claimSeconds: 1,
        items: [item],
        hotlist: { generation: 1, count: 0, head: '00'.repeat(32) },
        limits: {
          saleMinorMax: 1,
          cardUnsyncedMinorMax: 1,
          unsyncedCountMax: 1,
          unsyncedMinorMax: 1,
          unsyncedSecondsMax: 1,
          staleAfterSeconds: 1,
          staleSaleMinorMax: 1,
        },
        payKeyVersions: [1],
      },
      keyring: {
        v: 1,
        issuedAt: '2026-01-01T00:00:00Z',
        merchant: 'M',
        payKeys: [],
        contentKeys: [{ contentHash, key }],
        units: [],
      },
      now: () => 1_790_000_000,
      held: () => new Set(),
    })
    return {
      close,
      seeds: [blob, new Uint8Array(0)],
      run(input) {
        writeFileSync(goodsPath(folder, contentHash), input)
        const ready = catalogue.prepare('map')
        if (ready === 'outOfStock') return
        assert(typeof ready === 'object' && ready.content !== undefined)
        assert.deepEqual(Buffer.from(ready.content), Buffer.from(content), 'only the goods of that name are sold')
      },
    }
  },
}

export const terminalTargets: readonly Target[] = [
  settingsFile,
  identityFile,
  stateFile,
  helperMessages,
  ipc,
  appScheme,
  markdown,
  goodsOnDisk,
]

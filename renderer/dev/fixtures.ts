/** States of a kiosk for looking at its screens without a shell: everyday ones, and the ones that break layouts. */
import type {
  CatalogueItem,
  FarthingBridge,
  KioskScreen,
  KioskState,
  KioskStatus,
  ReceiptView,
} from '../../preload/contract.ts'
import { refusalReasons } from '../../preload/contract.ts'
import type { OperatorLook, OperatorViews } from '../../preload/operator-contract.ts'
import { operatorResults, operatorViews } from './operator-fixtures.ts'

const map: CatalogueItem = {
  id: 'walking-map',
  kind: 'document',
  title: {
    en: 'Walking map of the old town',
    de: 'Stadtplan für den Rundgang durch die Altstadt',
    es: 'Mapa para pasear por el casco antiguo',
    ar: 'خريطة للتجول في البلدة القديمة',
    'zh-Hant': '老城漫步地圖',
  },
  summary: {
    en: 'A two-hour route past twelve sights, with a drawn map to keep.',
    de: 'Ein Rundgang von zwei Stunden zu zwölf Sehenswürdigkeiten, mit gezeichnetem Plan.',
    es: 'Un paseo de dos horas por doce lugares, con un mapa dibujado para llevar.',
    ar: 'جولة من ساعتين تمرّ باثني عشر معلمًا، مع خريطة مرسومة تحتفظ بها.',
    'zh-Hant': '兩小時路線，走訪十二處景點，附手繪地圖。',
  },
  priceMinor: 250,
  taxBasisPoints: 1_900,
  mediaType: 'application/pdf',
  bytes: 312_000,
}
const article: CatalogueItem = {
  id: 'penny-post',
  kind: 'document',
  title: { en: 'The penny that carried a letter' },
  summary: { en: 'How one stamp made it cheap to write to anyone. Five minutes to read.' },
  priceMinor: 40,
  taxBasisPoints: 1_900,
  mediaType: 'text/markdown',
  bytes: 5_400,
}
const code: CatalogueItem = {
  id: 'wifi-day',
  kind: 'code',
  title: { en: 'Wi-Fi for a day', de: 'WLAN für einen Tag', ar: 'Wi-Fi ليوم واحد', 'zh-Hant': '一日無線網路' },
  summary: {
    en: 'Fast internet in the whole station for 24 hours.',
    de: 'Schnelles Internet im ganzen Bahnhof, 24 Stunden lang.',
    ar: 'إنترنت سريع في المحطة كلها لمدة 24 ساعة.',
    'zh-Hant': '全車站高速上網，24 小時有效。',
  },
  priceMinor: 150,
  taxBasisPoints: 1_900,
  mediaType: 'text/plain',
  bytes: 12,
  stock: 4,
}
const picture: CatalogueItem = {
  id: 'panorama',
  kind: 'media',
  title: { en: 'The harbour at dawn', de: 'Der Hafen im Morgengrauen' },
  summary: { en: 'A picture to keep, in full size.', de: 'Ein Bild zum Behalten, in voller Größe.' },
  priceMinor: 99,
  taxBasisPoints: 1_900,
  mediaType: 'image/svg+xml',
  bytes: 2_000,
}
const book: CatalogueItem = {
  ...map,
  id: 'book',
  title: { en: 'The lighthouse keeper’s year', de: 'Das Jahr des Leuchtturmwärters' },
  summary: {
    en: 'A novel in three hundred short chapters.',
    de: 'Ein Roman in dreihundert kurzen Kapiteln.',
  },
  mediaType: 'application/epub+zip',
  preview: { url: '/goods/book', mediaType: 'application/epub+zip' },
}
const sound: CatalogueItem = {
  ...picture,
  id: 'sound',
  title: { en: 'A walk along the harbour', de: 'Ein Gang am Hafen entlang' },
  summary: { en: 'Two hours to listen to on the way.', de: 'Zwei Stunden zum Hören unterwegs.' },
  mediaType: 'audio/wav',
  preview: { url: '/goods/sound', mediaType: 'audio/wav' },
}
const film: CatalogueItem = {
  ...picture,
  id: 'film',
  title: { en: 'The tide in a minute', de: 'Die Flut in einer Minute' },
  mediaType: 'video/webm',
  preview: { url: '/goods/film', mediaType: 'video/webm' },
}
const program: CatalogueItem = { ...map, id: 'program', mediaType: 'application/x-route' }
const ticket: CatalogueItem = {
  ...code,
  id: 'museum',
  kind: 'ticket',
  title: { en: 'Museum, one entry', de: 'Museum, ein Eintritt' },
  summary: { en: 'Any day this week, no queue.', de: 'An jedem Tag dieser Woche, ohne Schlange.' },
  priceMinor: 999_999,
  stock: 0,
}
const long: CatalogueItem = {
  ...article,
  id: 'long',
  title: {
    en: 'A title that goes on and on, past every sensible length, because somebody typed the whole abstract into the field for the title and nobody stopped him before the catalogue was signed',
  },
  summary: { en: 'A summary of the same kind. '.repeat(12) },
  priceMinor: 1,
}

/** What a hostile issuer could sign. */
const hostile: CatalogueItem = {
  ...map,
  id: 'hostile',
  title: {
    en: '<img src=x onerror="window.taken=1"><script>window.taken=2</script>\u202eeerf\u202c &lt;b&gt; javascript:window.taken=3',
  },
  summary: { en: '<iframe srcdoc="<script>parent.taken=4</script>"></iframe>{{window.taken=5}}' },
}

export const items = { map, article, code, picture, book, sound, film, ticket, long, hostile }

export const status: KioskStatus = {
  merchant: 'Old Town Station',
  currency: 'EUR',
  currencyDecimals: 2,
  online: true,
  languages: ['en', 'de', 'es', 'ar', 'zh-Hant'],
  readerPosition: 'below',
  diagonalMm: 546,
  help: 'Station desk, 030 1234567',
  catalogue: [map, article, code],
  categories: [],
  branding: {},
  printer: { ready: true },
  topUp: true,
  volume: 1,
  brightness: 1,
}

export const manyItems: readonly CatalogueItem[] = [map, article, code, picture, book, sound, ticket, long].concat(
  Array.from(
    { length: 18 },
    (_, place) => ({ ...[map, article, code, picture, article, map][place % 6], id: `more-${place}` }) as CatalogueItem,
  ),
)

const claimUrl = `https://farthing.example/c#${'RkNMTQEBAAB7x1f0k2'.repeat(10).slice(0, 176)}`
const endsAt = (inMs = 42_000) => new Date(Date.now() + inMs).toISOString()
const claimExpiresAt = '2027-05-23T00:00:00Z'

const receipt: ReceiptView = {
  number: '3-1042',
  at: '2026-11-26T08:05:00Z',
  title: map.title,
  priceMinor: 250,
  taxBasisPoints: 1_900,
  taxMinor: 40,
  cardEnding: '4711',
  balanceMinor: 750,
}

const pin = { name: 'pin', item: map, amountMinor: 250, digitsMin: 4, digitsMax: 12, triesLeft: 3 } as const

const operator = {
  name: 'operator',
  operator: 'Ada Brandt',
  role: 'operator',
  get endsAt() {
    return new Date(Date.now() + 171_000).toISOString()
  },
} as const

export const screens: Readonly<Record<string, () => KioskScreen>> = {
  attract: () => ({ name: 'browse' }),
  catalogue: () => ({ name: 'browse' }),
  item: () => ({ name: 'browse' }),
  pay: () => ({ name: 'pay', item: map, phase: 'waiting', endsAt: endsAt() }),
  'pay-late': () => ({ name: 'pay', item: map, phase: 'waiting', endsAt: endsAt(12_000) }),
  'pay-two': () => ({ name: 'pay', item: map, phase: 'twoCards', endsAt: endsAt() }),
  'pay-working': () => ({ name: 'pay', item: map, phase: 'working', endsAt: endsAt() }),
  pin: () => ({ ...pin, phase: 'entering', digits: 2, endsAt: endsAt() }),
  'pin-wrong': () => ({ ...pin, phase: 'wrong', digits: 0, triesLeft: 1, endsAt: endsAt() }),
  'pin-tap': () => ({ ...pin, phase: 'tap', digits: 4, endsAt: endsAt() }),
  'top-up': () => ({ name: 'top-up', phase: 'code', endsAt: endsAt() }),
  'top-up-unknown': () => ({ name: 'top-up', phase: 'code', problem: 'unknownVoucher', endsAt: endsAt() }),
  'top-up-tap': () => ({ name: 'top-up', phase: 'tap', amountMinor: 2_000, endsAt: endsAt() }),
  'top-up-done': () => ({
    name: 'top-up',
    phase: 'done',
    amountMinor: 2_000,
    balanceMinor: 2_165,
    endsAt: endsAt(),
  }),
  'top-up-failed': () => ({ name: 'top-up', phase: 'failed', problem: 'cardBlocked', endsAt: endsAt() }),
  'top-up-unanswered': () => ({ name: 'top-up', phase: 'failed', problem: 'unanswered', endsAt: endsAt() }),
  'top-up-doubt': () => ({ name: 'top-up', phase: 'failed', problem: 'inDoubt', endsAt: endsAt() }),
  approved: () => ({
    name: 'approved',
    amountMinor: 250,
    balanceMinor: 750,
    goods: { item: map, contentUrl: '/walking-map.pdf', claimUrl, claimExpiresAt },
    recovered: false,
    receipt,
  }),
  'approved-print': () => ({
    name: 'approved',
    amountMinor: 99,
    balanceMinor: 750,
    goods: { item: picture, contentUrl: '/goods/picture', claimUrl, claimExpiresAt },
    recovered: false,
    printed: true,
    receipt: { ...receipt, title: picture.title, priceMinor: 99, taxMinor: 16 },
  }),
  'approved-printed': () => ({
    name: 'approved',
    amountMinor: 1,
    balanceMinor: 999_999,
    goods: { item: long, contentUrl: '/article.md', claimUrl, claimExpiresAt },
    recovered: false,
    receipt: { ...receipt, title: long.title, priceMinor: 1, taxMinor: 0, balanceMinor: 999_999 },
    printing: 'failed',
  }),
  'approved-recovered': () => ({
    name: 'approved',
    amountMinor: 250,
    balanceMinor: 750,
    goods: { item: map, contentUrl: '/walking-map.pdf', claimUrl },
    recovered: true,
  }),
  'approved-owed': () => ({
    name: 'approved',
    amountMinor: 99,
    balanceMinor: 750,
    goods: { item: picture },
    recovered: false,
    receipt: { ...receipt, title: picture.title, priceMinor: 99, taxMinor: 16 },
  }),
  'goods-pdf': () => ({
    name: 'goods',
    goods: { item: map, contentUrl: '/walking-map.pdf', claimUrl, claimExpiresAt },
    receipt,
    printing: 'done',
  }),
  'goods-article': () => ({
    name: 'goods',
    goods: { item: article, contentUrl: '/article.md', claimUrl, claimExpiresAt },
  }),
  'goods-code': () => ({ name: 'goods', goods: { item: code, code: 'KESTREL-4821-MOSS', claimUrl, claimExpiresAt } }),
  'goods-picture': () => ({
    name: 'goods',
    goods: {
      item: picture,
      contentUrl: new URL('../../resources/icon.svg', import.meta.url).href,
      claimUrl,
      claimExpiresAt,
    },
  }),
  'goods-book': () => ({ name: 'goods', goods: { item: book, contentUrl: '/goods/book', claimUrl, claimExpiresAt } }),
  'goods-sound': () => ({
    name: 'goods',
    goods: { item: sound, contentUrl: '/goods/sound', claimUrl, claimExpiresAt },
  }),
  'goods-film': () => ({ name: 'goods', goods: { item: film, contentUrl: '/goods/film', claimUrl, claimExpiresAt } }),
  'goods-unknown': () => ({
    name: 'goods',
    goods: { item: program, contentUrl: '/goods/book', claimUrl, claimExpiresAt },
  }),
  'goods-ticket': () => ({
    name: 'goods',
    goods: { item: ticket, code: `FTKT1${'Q9X7KM2RW4'.repeat(26)}`, claimUrl, claimExpiresAt },
  }),
  'goods-elsewhere': () => ({ name: 'goods', goods: { item: map, claimUrl, claimExpiresAt } }),
  'goods-bare': () => ({ name: 'goods', goods: { item: map } }),
  'goods-lost': () => ({
    name: 'goods',
    goods: { item: map, contentUrl: '/src/no-such.pdf', claimUrl, claimExpiresAt },
  }),
  'declined-balanceTooLow': () => ({
    name: 'declined',
    reason: 'balanceTooLow',
    item: map,
    balanceMinor: 165,
    missingMinor: 85,
  }),
  'declined-returned': () => ({
    name: 'declined',
    reason: 'outOfService',
    item: map,
    balanceMinor: 1_000,
    returned: true,
  }),
  recover: () => ({ name: 'recover', item: map, amountMinor: 250, phase: 'waiting', endsAt: endsAt() }),
  'recover-wrong': () => ({ name: 'recover', item: map, amountMinor: 250, phase: 'wrongCard', endsAt: endsAt() }),
  'recover-working': () => ({ name: 'recover', item: map, amountMinor: 250, phase: 'working', endsAt: endsAt() }),
  balance: () => ({
    name: 'balance',
    cardEnding: '4711',
    balanceMinor: 1_250,
    expiresAt: '2028-12-31T00:00:00Z',
    blocked: false,
    movements: [
      {
        counter: 9,
        kind: 'payment',
        amountMinor: 250,
        at: '2026-11-23T08:05:00Z',
        title: map.title,
        collectable: true,
      },
      { counter: 8, kind: 'payment', amountMinor: 150, at: '2026-11-22T17:40:00Z', collectable: true },
      { counter: 7, kind: 'reversal', amountMinor: 40, at: '2026-11-22T17:38:00Z', collectable: false },
      {
        counter: 6,
        kind: 'payment',
        amountMinor: 40,
        at: '2026-11-22T17:38:00Z',
        title: article.title,
        collectable: false,
      },
      { counter: 5, kind: 'load', amountMinor: 2_000, at: '2026-11-20T09:12:00Z', collectable: false },
      {
        counter: 4,
        kind: 'payment',
        amountMinor: 99,
        at: '2026-11-19T12:00:00Z',
        title: picture.title,
        collectable: true,
      },
      { counter: 3, kind: 'load', amountMinor: 500, at: '2026-11-18T09:12:00Z', collectable: false },
    ],
  }),
  'balance-owed': () => ({
    name: 'balance',
    cardEnding: '4711',
    balanceMinor: 165,
    expiresAt: '2028-12-31T00:00:00Z',
    blocked: false,
    waitingMinor: 250,
    movements: [],
  }),
  'balance-empty': () => ({
    name: 'balance',
    cardEnding: '0001',
    balanceMinor: 0,
    expiresAt: '2028-12-31T00:00:00Z',
    blocked: true,
    movements: [],
  }),
  operator: () => ({ ...operator, phase: 'entering', digits: 3, digitsMin: 6, digitsMax: 12, balance: true }),
  'operator-wrong': () => ({ ...operator, phase: 'wrong', digits: 0, digitsMin: 6, digitsMax: 12, balance: true }),
  'operator-waiting': () => ({ ...operator, phase: 'waiting', retryAt: endsAt(), balance: true }),
  'operator-open': () => ({ ...operator, phase: 'open' }),
  'operator-technician': () => ({ ...operator, role: 'technician', phase: 'open' }),
  'operator-tap': () => ({ ...operator, phase: 'open', task: { kind: 'load', phase: 'tap', amountMinor: 2_000 } }),
  'operator-read': () => ({
    ...operator,
    phase: 'open',
    task: {
      kind: 'readerTest',
      phase: 'done',
      reader: 'Virtual PCD 00 00',
      atr: '3b80800101',
      cardEnding: '4711',
    },
  }),
  'operator-loaded': () => ({
    ...operator,
    phase: 'open',
    task: {
      kind: 'load',
      phase: 'done',
      amountMinor: 2_000,
      balanceMinor: 2_750,
      cardEnding: '4711',
      paidBefore: { title: map.title, amountMinor: 250, goods: 'owed' },
    },
  }),
  'out-of-service': () => ({ name: 'out-of-service', reason: 'noReader' }),
  'out-of-service-starting': () => ({ name: 'out-of-service', reason: 'starting' }),
  ...Object.fromEntries(
    refusalReasons
      .filter((reason) => reason !== 'balanceTooLow')
      .map((reason) => [`declined-${reason}`, (): KioskScreen => ({ name: 'declined', reason, item: map })]),
  ),
}

/** What main never sends: a screen falls over it. */
export const brokenScreen: KioskScreen = {
  name: 'approved',
  amountMinor: Number.NaN,
  balanceMinor: 0,
  goods: { item: map },
  recovered: false,
}

/** A bridge with nothing behind it: it keeps what it was asked, and shows what it is told. */
export interface FakeBridge extends FarthingBridge {
  readonly asked: readonly string[]
  push(change: Partial<KioskState>): void
}

export function fakeBridge(first: KioskState): FakeBridge {
  let present = first
  const asked: string[] = []
  const listeners = new Set<(state: KioskState) => void>()
  const note = async (wish: string) => {
    asked.push(wish)
  }
  return {
    asked,
    push(change) {
      present = { ...present, ...change }
      for (const listener of listeners) listener(present)
    },
    state: async () => present,
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    buy: (itemId, age = 0) => note(age === 0 ? `buy ${itemId}` : `buy ${itemId} at ${age}`),
    stay: () => note('stay'),
    pinKey: (key) => note(`pinKey ${key}`),
    topUp: () => note('topUp'),
    topUpCode: (code) => note(`topUpCode ${code}`),
    takeCredits: () => note('takeCredits'),
    printReceipt: () => note('printReceipt'),
    cancel: () => note('cancel'),
    showGoods: () => note('showGoods'),
    collect: (counter) => note(`collect ${counter}`),
    alive: async () => undefined,
    speak: async () => false,
    hush: async () => undefined,
    finish: () => note('finish'),
    operatorKey: (key) => note(`operatorKey ${key}`),
    operatorBalance: () => note('operatorBalance'),
    async operatorLook<Look extends OperatorLook>(look: Look): Promise<OperatorViews[Look['section']]> {
      const section: Look['section'] = look.section
      asked.push(`look ${section}`)
      return operatorViews[section]
    },
    async operatorAct(act) {
      asked.push(`act ${act.act}`)
      return operatorResults[act.act] ?? { outcome: 'done' }
    },
    operatorLeave: () => note('operatorLeave'),
  }
}

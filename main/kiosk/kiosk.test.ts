import { rmSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { LedgerFault } from '../../db/open.ts'
import type { OutOfServiceReason } from '../../preload/contract.ts'
import { instruction } from '../../protocol/apdu.ts'
import { goodsPath } from '../catalogue.ts'
import type { CardAnswers } from '../reader/reader-double.ts'
import type { Terminal } from '../terminal.ts'
import { allKnown, makeTestCard, mapContent, mapItem, wifiCodes } from '../test-terminal.ts'
import { openTill, settings } from './test-kiosk.ts'

const notAPurse: CardAnswers = () => Uint8Array.of(0x6a, 0x82)

/** What was begun is over: the card's queue is empty and microtasks have run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

afterEach(() => {
  vi.useRealTimers()
})

test('browse, buy, pay, approved, goods, finish', async () => {
  const { kiosk, screen, put, terminal } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
  expect(kiosk.state.status).toMatchObject({ merchant: 'Kiosk at the pier', currency: 'EUR', currencyDecimals: 2 })
  expect(kiosk.state.status.catalogue.map(({ id, stock }) => [id, stock])).toEqual([
    ['map', undefined],
    ['wifi', 3],
  ])
  await kiosk.buy('map')
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'waiting', item: { id: 'map', priceMinor: 250 } })
  const phases: string[] = []
  kiosk.subscribe(({ screen: now }) => phases.push('phase' in now ? `${now.name} ${now.phase}` : now.name))
  put(card)
  const approved = await screen('approved')
  expect(phases.slice(0, 2)).toEqual(['pay working', 'approved'])
  expect(approved).toMatchObject({ amountMinor: 250, balanceMinor: 750, recovered: false })
  expect(approved.goods.claimUrl).toMatch(/^https:\/\/pay\.example\/c#/)
  await kiosk.showGoods()
  const goods = await screen('goods')
  const token = goods.goods.contentUrl?.split('/').at(-1) ?? ''
  expect(kiosk.goodsContent(token)?.bytes).toEqual(mapContent)
  expect(terminal.ledger.goodsDue(card.id)).toEqual([])
  await settled()
  await kiosk.finish()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
  // Nothing of the last customer stays.
  expect(kiosk.goodsContent(token)).toBeUndefined()
  await settled()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
})

test('goods in front of which the page ended are shown to no other page: the claim is, and the kiosk sells on', async () => {
  const { kiosk, screen, put } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card)
  await screen('approved')
  // Not the goods' doing: what was paid stays where it is.
  kiosk.pageEnded()
  await kiosk.showGoods()
  const { goods } = await screen('goods')
  const token = goods.contentUrl?.split('/').at(-1) ?? ''
  expect(kiosk.goodsContent(token)).toBeDefined()
  kiosk.pageEnded()
  const { contentUrl: _, ...left } = goods
  expect(await screen('goods')).toMatchObject({ goods: left, receipt: { priceMinor: 250 } })
  expect(kiosk.state.screen).not.toHaveProperty('goods.contentUrl')
  expect(kiosk.goodsContent(token)).toBeUndefined()
  await settled()
  await kiosk.finish()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
})

test('who touches again and then leaves, while his card is still let go of, has left', async () => {
  const { kiosk, put } = openTill()
  await kiosk.buy('map')
  const touched = new Promise<void>((resolve) => {
    const stop = kiosk.subscribe(({ screen }) => {
      if (screen.name !== 'declined') return
      stop()
      resolve(kiosk.buy('map'))
      void kiosk.finish()
    })
  })
  put(makeTestCard({ balanceMinor: 100 }))
  await touched
  await settled()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
})

test('a one-time code is shown in plain sight, and the stock falls', async () => {
  const { kiosk, screen, put } = openTill()
  await kiosk.buy('wifi')
  put(makeTestCard())
  const { goods } = await screen('approved')
  expect(goods).toMatchObject({ code: wifiCodes[0] })
  expect(goods.contentUrl).toBeUndefined()
  expect(kiosk.state.status.catalogue[1]?.stock).toBe(2)
})

test('cancel leaves pay, but not while the card is debited; an unknown item does nothing', async () => {
  const { kiosk, screen, put } = openTill()
  await kiosk.buy('nothing')
  expect(kiosk.state.screen.name).toBe('browse')
  await kiosk.buy('map')
  await kiosk.cancel()
  expect(kiosk.state.screen.name).toBe('browse')
  await kiosk.buy('map')
  put(makeTestCard())
  await kiosk.cancel()
  await kiosk.finish()
  await kiosk.buy('wifi')
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'working' })
  await screen('approved')
})

test('no card in time is a timeout; from declined the next purchase starts', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const { kiosk } = openTill()
  await kiosk.buy('map')
  vi.advanceTimersByTime(44_999)
  expect(kiosk.state.screen.name).toBe('pay')
  vi.advanceTimersByTime(2)
  expect(kiosk.state.screen).toMatchObject({ name: 'declined', reason: 'timeout', item: { id: 'map' } })
  await kiosk.buy('map')
  expect(kiosk.state.screen.name).toBe('pay')
  await kiosk.cancel()
  vi.advanceTimersByTime(100_000)
  expect(kiosk.state.screen.name).toBe('browse')
})

test('too little money says how much is missing', async () => {
  const { kiosk, screen, put } = openTill()
  await kiosk.buy('map')
  put(makeTestCard({ balanceMinor: 249 }))
  expect(await screen('declined')).toMatchObject({ reason: 'balanceTooLow', missingMinor: 1, balanceMinor: 249 })
})

test('two cards: one has to go, and the other pays', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const payer = makeTestCard({ balanceMinor: 1000 })
  reader.insert(notAPurse, { readerName: 'Double 01' })
  await screen('declined')
  await kiosk.finish()
  put(payer, { readerName: 'Double 00' })
  await screen('balance')
  await settled()
  await kiosk.finish()
  await kiosk.buy('map')
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'twoCards' })
  expect(payer.state.balanceMinor).toBe(1000)
  reader.remove('Double 01')
  await screen('approved')
  expect(payer.state.balanceMinor).toBe(750)
})

test('only the reader that the technician named counts', async () => {
  const { kiosk, screen, put, reader } = openTill({ settings: { ...settings, reader: 'Double 01' } })
  await kiosk.buy('map')
  reader.insert(notAPurse, { readerName: 'Double 00' })
  await settled()
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'waiting' })
  put(makeTestCard(), { readerName: 'Double 01' })
  await screen('approved')
  expect(openTill({ settings: { ...settings, reader: 'Elsewhere' } }).kiosk.state.screen).toEqual({
    name: 'out-of-service',
    reason: 'noReader',
  })
})

test('a card that leaves before COMMIT may come back; the purchase waits for it', async () => {
  const { kiosk, screen, put } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card, { cut: { apdu: 2, when: 'after' } })
  await screen('pay', ({ phase }) => phase === 'working')
  await screen('pay', ({ phase }) => phase === 'waiting')
  expect(card.state.balanceMinor).toBe(1000)
  put(card)
  expect(await screen('approved')).toMatchObject({ recovered: false, balanceMinor: 750 })
})

test('who leaves while a card that was taken away is let go of has left, and pays with none that comes that very moment', async () => {
  const { kiosk, screen, put } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  const left = new Promise<void>((resolve) => {
    let worked = false
    const stop = kiosk.subscribe(({ screen }) => {
      if (screen.name !== 'pay') return
      worked ||= screen.phase === 'working'
      if (!worked || screen.phase !== 'waiting') return
      stop()
      resolve(kiosk.cancel())
      put(card)
    })
  })
  put(card, { cut: { apdu: 2, when: 'after' } })
  await left
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
  expect(await screen('balance')).toMatchObject({ balanceMinor: 1000 })
})

test.each([
  ['after', true],
  ['before', false],
] as const)(
  'cut %s COMMIT: recover asks for the same card, refuses another, and ends well',
  async (when, recovered) => {
    const { kiosk, screen, put, reader } = openTill()
    const card = makeTestCard({ balanceMinor: 1000 })
    const stranger = makeTestCard({ balanceMinor: 1000 })
    await kiosk.buy('map')
    put(card, { cut: { apdu: 3, when } })
    expect(await screen('recover')).toMatchObject({ phase: 'waiting', amountMinor: 250, item: { id: 'map' } })
    put(stranger)
    await screen('recover', ({ phase }) => phase === 'wrongCard')
    expect(stranger.state.balanceMinor).toBe(1000)
    reader.remove()
    await settled()
    // It leaves again before it told: still to be recovered, never "pay".
    put(card, { cut: { apdu: 3, when: 'before' } })
    await screen('recover', ({ phase }) => phase === 'working')
    await screen('recover', ({ phase }) => phase === 'waiting')
    put(card)
    expect(await screen('approved')).toMatchObject({ recovered, balanceMinor: 750, amountMinor: 250 })
    expect(card.state.balanceMinor).toBe(750)
  },
)

test('cut after the debit, and the same card answers garbled: still to be recovered, never declined', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card, { cut: { apdu: 3, when: 'after' } })
  await screen('recover', ({ phase }) => phase === 'waiting')
  const names: string[] = []
  kiosk.subscribe((state) => names.push(state.screen.name))
  card.reset()
  reader.insert((command) => {
    const answer = card.answers(command)
    return command[1] === instruction.readRecord ? answer.map((byte) => byte ^ 1) : answer
  })
  await screen('recover', ({ phase }) => phase === 'working')
  await screen('recover', ({ phase }) => phase === 'waiting')
  expect(new Set(names)).toEqual(new Set(['recover']))
  put(card)
  expect(await screen('approved')).toMatchObject({ recovered: true, balanceMinor: 750, amountMinor: 250 })
})

test('a doubt holds up nobody: the screen returns, and the card’s next tap hands over what it paid', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const { kiosk, screen, put, reader } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card, { cut: { apdu: 3, when: 'after' } })
  await screen('recover')
  await settled()
  vi.advanceTimersByTime(30_001)
  expect(kiosk.state.screen.name).toBe('browse')
  const next = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(next)
  await screen('approved')
  await settled()
  reader.remove()
  await kiosk.finish()
  put(card)
  expect(await screen('approved')).toMatchObject({ recovered: true, amountMinor: 250, balanceMinor: 750 })
})

test('a tap with nothing chosen shows the balance; left lying, the card does nothing more', async () => {
  const { kiosk, screen, put, terminal } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  card.pay(100)
  put(card)
  const balance = await screen('balance')
  expect(balance).toMatchObject({ balanceMinor: 900, blocked: false, cardEnding: card.id.slice(-4) })
  expect(balance.movements.map(({ kind, amountMinor, collectable }) => [kind, amountMinor, collectable])).toEqual([
    ['payment', 100, true],
    ['load', 1000, false],
  ])
  await settled()
  expect(terminal.ledger.unsynced.count).toBe(1)
  await kiosk.finish()
  await settled()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
})

test('a card that leaves once its balance is shown leaves the balance shown', async () => {
  const { kiosk, screen, put } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  // SELECT, probe, one record read; the next command is the witness's.
  put(card, { cut: { apdu: 4, when: 'before' } })
  await screen('balance')
  await settled()
  expect(kiosk.state.screen.name).toBe('balance')
})

test('a purchase can be collected again from the balance, and its code is the same', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('wifi')
  put(card)
  await screen('approved')
  await settled()
  reader.remove()
  await kiosk.finish()
  put(card)
  const { movements } = await screen('balance')
  expect(movements[0]).toMatchObject({ collectable: true, counter: 2, title: { en: 'Wi-Fi' } })
  await settled()
  await kiosk.collect(1)
  expect(kiosk.state.screen.name).toBe('balance')
  await kiosk.collect(2)
  expect(await screen('goods')).toMatchObject({ goods: { code: wifiCodes[0] }, balanceMinor: 900 })
  expect(card.state.balanceMinor).toBe(900)
})

test('what an old epoch sold is collected by claim, and never from here', async () => {
  const { kiosk, screen, put, terminal, reader } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('wifi')
  put(card)
  await screen('approved')
  await settled()
  reader.remove()
  await kiosk.finish()
  terminal.ledger.beginEpoch(2, allKnown)
  put(card)
  await screen('balance')
  await settled()
  await kiosk.collect(2)
  const { goods } = await screen('goods')
  expect(goods.code).toBeUndefined()
  expect(goods.claimUrl).toBeDefined()
})

test('no purse, a forged offer: each has its word, and the log says why a card is suspect, by four digits of it', async () => {
  const { kiosk, screen, reader, put, lines } = openTill()
  reader.insert(notAPurse)
  expect(await screen('declined')).toMatchObject({ reason: 'notAPurse' })
  reader.remove()
  await settled()
  await kiosk.finish()
  const card = makeTestCard()
  reader.insert((command) => {
    const response = card.answers(command)
    if (command[1] === 0x10) response[20] = (response[20] ?? 0) ^ 1
    return response
  })
  expect(await screen('declined')).toMatchObject({ reason: 'cardSuspect' })
  expect(lines).toEqual([`card ···· ${card.id.slice(-4)} is suspect: wrong offer MAC`])

  reader.remove()
  await settled()
  await kiosk.finish()
  const other = makeTestCard()
  const earlier = other.state
  await kiosk.buy('map')
  put(other)
  await screen('approved')
  reader.remove()
  await settled()
  await kiosk.finish()
  await kiosk.buy('map')
  other.rollBack(earlier)
  put(other)
  expect(await screen('declined')).toMatchObject({ reason: 'cardSuspect' })
  expect(lines.slice(1)).toEqual([`card ···· ${other.id.slice(-4)} is suspect: the card's counter went back to 2`])
})

test.each<[OutOfServiceReason, Parameters<typeof openTill>[0], (opened: ReturnType<typeof openTill>) => void]>([
  ['notEnrolled', { publication: 'none' }, () => {}],
  ['emptyCatalogue', { publication: { bulletin: { items: [] } } }, () => {}],
  ['stale', {}, ({ clock }) => (clock.seconds += 31 * 86_400)],
  ['noReader', {}, ({ reader }) => reader.setService('down')],
])('out of service: %s', async (reason, options, arrange) => {
  const opened = openTill(options)
  arrange(opened)
  opened.reader.insertMute()
  await settled()
  expect(opened.kiosk.state.screen).toEqual({ name: 'out-of-service', reason })
  await opened.kiosk.buy('map')
  expect(opened.kiosk.state.screen).toEqual({ name: 'out-of-service', reason })
})

test('the reader comes back, and so does the shop', async () => {
  const { kiosk, reader } = openTill()
  reader.setService('down')
  expect(kiosk.state.screen).toMatchObject({ name: 'out-of-service' })
  reader.setService('up')
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
})

const failingAt =
  (method: string) =>
  (terminal: Terminal): Terminal => ({
    ...terminal,
    get issued() {
      return terminal.issued
    },
    ledger: new Proxy(terminal.ledger, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver)
        if (name !== method) return value
        return () => {
          throw new LedgerFault('storage', 'The disk is full.')
        }
      },
    }),
  })

test('a disk that fails before the debit takes the till out of service, and no money', async () => {
  const { kiosk, screen, put, lines } = openTill({ breakLedger: failingAt('writeIntent') })
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card)
  expect(await screen('out-of-service')).toEqual({ name: 'out-of-service', reason: 'storage' })
  expect(card.state.balanceMinor).toBe(1000)
  expect(lines).toEqual(['The disk is full.'])
})

test('a disk that fails after the debit leaves the payment in doubt, to be found at the next tap', async () => {
  const { kiosk, screen, put, terminal } = openTill({ breakLedger: failingAt('capture') })
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card)
  await screen('out-of-service')
  expect(card.state.balanceMinor).toBe(750)
  expect(terminal.ledger.openIntents(card.id)).toHaveLength(1)
})

test('a disk that fails once the goods are shown does not take them away', async () => {
  const { kiosk, screen, put } = openTill({ breakLedger: failingAt('markReleased') })
  await kiosk.buy('wifi')
  put(makeTestCard())
  const { goods } = await screen('approved')
  await settled()
  expect(kiosk.state.screen.name).toBe('approved')
  expect(goods.code).toBe(wifiCodes[0])
  await kiosk.finish()
  expect(kiosk.state.screen).toEqual({ name: 'out-of-service', reason: 'storage' })
})

test('card work that breaks under a touch that waits for it breaks that touch alone: the next card is served', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const broken = makeTestCard()
  const bug = new TypeError('a bug')
  reader.insert(() => {
    throw bug
  })
  await expect(kiosk.buy('map')).rejects.toBe(bug)
  reader.remove()
  put(broken)
  expect(await screen('balance')).toMatchObject({ balanceMinor: broken.state.balanceMinor })
})

test('closing waits for the card at the reader', async () => {
  const { kiosk, put, terminal } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card)
  await kiosk.close()
  expect(card.state.balanceMinor).toBe(750)
  expect(terminal.ledger.openIntents(card.id)).toEqual([])
})

test('a card that paid and was forgotten pays nothing for the next customer; tapped again, it does', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card)
  await screen('approved')
  await settled()
  await kiosk.finish()
  await kiosk.buy('wifi')
  await settled()
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'waiting' })
  expect(card.state.balanceMinor).toBe(750)
  reader.remove()
  put(card)
  await screen('approved')
  expect(card.state.balanceMinor).toBe(650)
})

test('a card put down while the last customer still reads is asked when he is done', async () => {
  const { kiosk, screen, put, reader } = openTill()
  await kiosk.buy('map')
  put(makeTestCard({ balanceMinor: 1000 }))
  await screen('approved')
  await settled()
  reader.remove()
  put(makeTestCard({ balanceMinor: 300 }))
  expect(kiosk.state.screen).toMatchObject({ name: 'approved' })
  await kiosk.finish()
  expect(await screen('balance')).toMatchObject({ balanceMinor: 300 })
})

test('a card that does not answer to reset is named while the customer waits', async () => {
  const { kiosk, screen, reader } = openTill()
  await kiosk.buy('map')
  reader.insertMute()
  expect(await screen('declined')).toMatchObject({ reason: 'notAPurse' })
})

test.each<[string, (reader: ReturnType<typeof openTill>['reader']) => void]>([
  ['a card that does not answer to reset', (reader) => reader.insertMute('Double 01')],
  ['no purse', (reader) => void reader.insert(notAPurse, { readerName: 'Double 01' })],
])('%s that stays in one reader ends one sale, and the next is paid at the other', async (_what, forget) => {
  const { kiosk, screen, put, reader } = openTill()
  const isRefused = async () => {
    expect(await screen('declined')).toMatchObject({ reason: 'notAPurse' })
    await settled()
    await kiosk.finish()
    await kiosk.buy('map')
  }
  await kiosk.buy('map')
  forget(reader)
  await isRefused()
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'waiting' })
  put(makeTestCard({ balanceMinor: 1000 }))
  expect(await screen('approved')).toMatchObject({ balanceMinor: 750 })
  // Until it is taken away: put there anew, it is told anew.
  for (const name of ['Double 00', 'Double 01']) reader.remove(name)
  await settled()
  await kiosk.finish()
  await kiosk.buy('map')
  forget(reader)
  await isRefused()
  // A card in its place pays, also if the reader was never seen empty.
  put(makeTestCard({ balanceMinor: 1000 }), { readerName: 'Double 01' })
  expect(await screen('approved')).toMatchObject({ balanceMinor: 750 })
  reader.remove('Double 01')
  await settled()
  await kiosk.finish()
  await kiosk.buy('map')
  forget(reader)
  await isRefused()
  // And where no other reader is left, each time.
  reader.insertMute('Double 00')
  await isRefused()
  expect(await screen('declined')).toMatchObject({ reason: 'notAPurse' })
})

test('with no purse in either reader a sale waits for one to go, and charges none but the purse that comes in its place', async () => {
  const { kiosk, screen, put, reader } = openTill()
  for (const readerName of ['Double 00', 'Double 01']) {
    await kiosk.buy('map')
    reader.insert(notAPurse, { readerName })
    expect(await screen('declined')).toMatchObject({ reason: 'notAPurse' })
    await settled()
    await kiosk.finish()
  }
  await kiosk.buy('map')
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'twoCards' })
  reader.remove('Double 00')
  expect(kiosk.state.screen).toMatchObject({ name: 'pay', phase: 'waiting' })
  const card = makeTestCard({ balanceMinor: 1000 })
  put(card, { readerName: 'Double 00' })
  await screen('approved')
  expect(card.state.balanceMinor).toBe(750)
})

test('goods of an earlier sale that cannot be opened any more are shown as a claim, once', async () => {
  const { kiosk, screen, put, reader, dataDir, terminal } = openTill()
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map')
  put(card, { cut: { apdu: 3, when: 'after' } })
  await screen('recover')
  rmSync(goodsPath(dataDir, mapItem.contentHash))
  put(card)
  const { goods } = await screen('approved')
  expect(goods.contentUrl).toBeUndefined()
  expect(goods.claimUrl).toBeDefined()
  expect(terminal.ledger.goodsDue(card.id)).toEqual([])
  reader.remove()
})

test('a ledger that cannot even be read puts the till out of service, and the page keeps its shelf', async () => {
  let broken = false
  const { kiosk, put, lines } = openTill({
    breakLedger: (terminal) => {
      const { ledger } = terminal
      const heldUnits = ledger.heldUnits
      Object.assign(ledger, {
        heldUnits: () => {
          if (broken) throw new LedgerFault('damaged', 'The ledger file is damaged.')
          return heldUnits()
        },
      })
      return terminal
    },
  })
  broken = true
  put(makeTestCard())
  await settled()
  expect(kiosk.state.screen).toEqual({ name: 'out-of-service', reason: 'storage' })
  expect(kiosk.state.status.catalogue).toHaveLength(2)
  expect(lines).toContain('The ledger file is damaged.')
})

test('an imitated card that names another card’s counter gets nothing of what was sold there', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const victim = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('wifi')
  put(victim)
  await screen('approved')
  await settled()
  reader.remove()
  await kiosk.finish()
  // The same keys and number, another history: what somebody with MK_pay can make.
  const imitation = makeTestCard({ balanceMinor: 500, personalisation: { cardId: victim.id } })
  imitation.pay(1)
  put(imitation)
  const balance = await screen('balance')
  // What it shows may be claimed, for what that is worth: the issuer checks the settlement MAC. Nothing of the victim's is here.
  expect(balance.movements.map(({ title }) => title)).toEqual([undefined, undefined])
  await kiosk.collect(2)
  const { goods } = await screen('goods')
  expect(goods).toMatchObject({ item: { id: '', priceMinor: 1 }, claimUrl: expect.any(String) })
  expect(goods.code).toBeUndefined()
  expect(goods.contentUrl).toBeUndefined()
})

test('who leaves before a purchase could begin is not asked for his card; who stays, is', async () => {
  const { kiosk, reader, screen } = openTill()
  const wishWhileACardIsRead = async (leaves: boolean) => {
    let answer: ((bytes: Uint8Array) => void) | undefined
    await new Promise<void>((reached) => {
      reader.insert(() => {
        reached()
        return new Promise((resolve) => {
          answer = resolve
        })
      })
    })
    const wish = kiosk.buy('map')
    if (leaves) await kiosk.cancel()
    reader.remove()
    answer?.(Uint8Array.of(0x90, 0))
    await wish
  }
  await wishWhileACardIsRead(true)
  expect(kiosk.state.screen.name).toBe('browse')
  await wishWhileACardIsRead(false)
  await screen('pay')
})

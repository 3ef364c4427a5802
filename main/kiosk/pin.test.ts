import { expect, onTestFinished, test, vi } from 'vitest'
import type { PinKey } from '../../preload/contract.ts'
import { instruction } from '../../protocol/apdu.ts'
import { amountMinor } from '../../protocol/quantities.ts'
import { makeTestCard } from '../test-terminal.ts'
import { openTill } from './test-kiosk.ts'

const pinCard = (balanceMinor = 1000) =>
  makeTestCard({ balanceMinor, personalisation: { pin: '4711', pinTriesMax: 3, pinFreeMaxMinor: amountMinor(0) } })

const typed = async (kiosk: ReturnType<typeof openTill>['kiosk'], pin: string) => {
  for (const key of [...pin, 'enter']) await kiosk.pinKey(key as PinKey)
}

/** A till that asks a card for its PIN. */
const asked = async () => {
  const till = openTill()
  const card = pinCard()
  await till.kiosk.buy('map')
  till.put(card)
  await till.screen('pin')
  return { ...till, card }
}

test('a card that still lies there pays as soon as its PIN is entered', async () => {
  const { kiosk, screen, put } = openTill()
  const card = pinCard()
  await kiosk.buy('map')
  put(card)
  const asked = await screen('pin')
  expect(asked).toMatchObject({ phase: 'entering', digits: 0, digitsMin: 4, triesLeft: 3, amountMinor: 250 })
  expect(card.state.balanceMinor).toBe(1000)
  await kiosk.pinKey('4')
  expect(kiosk.state.screen).toMatchObject({ digits: 1 })
  await kiosk.pinKey('enter')
  expect(kiosk.state.screen).toMatchObject({ phase: 'entering', digits: 1 })
  await kiosk.pinKey('back')
  await typed(kiosk, '4711')
  expect(await screen('approved')).toMatchObject({ amountMinor: 250, balanceMinor: 750, recovered: false })
  expect(card.state.pinTriesLeft).toBe(3)
})

test('a card that went away meanwhile is asked for again, and only that card', async () => {
  const { kiosk, screen, put, reader } = openTill()
  const card = pinCard()
  const stranger = pinCard()
  await kiosk.buy('map')
  put(card)
  await screen('pin')
  reader.remove()
  await typed(kiosk, '4711')
  expect(kiosk.state.screen).toMatchObject({ phase: 'tap' })
  put(stranger)
  await screen('pin', ({ phase }) => phase === 'wrongCard')
  // Nobody's tries are spent on somebody else's PIN.
  expect(stranger.state).toMatchObject({ balanceMinor: 1000, pinTriesLeft: 3 })
  reader.remove()
  put(card)
  expect(await screen('approved')).toMatchObject({ balanceMinor: 750 })
})

test('wrong PINs are counted down to blocked; nothing is charged, and no doubt stays', async () => {
  const { kiosk, screen, put, terminal } = openTill()
  const card = pinCard()
  await kiosk.buy('map')
  put(card)
  await screen('pin')
  for (const triesLeft of [2, 1]) {
    await typed(kiosk, '0000')
    expect(await screen('pin', (now) => now.triesLeft === triesLeft)).toMatchObject({ phase: 'wrong', digits: 0 })
  }
  await typed(kiosk, '0000')
  expect(await screen('declined')).toMatchObject({ reason: 'pinBlocked', balanceMinor: 1000 })
  expect(card.state).toMatchObject({ balanceMinor: 1000, pinTriesLeft: 0 })
  expect(terminal.ledger.openIntents(card.id)).toEqual([])
})

test('a card torn away at COMMIT with its PIN is recovered like any other, once', async () => {
  const { kiosk, screen, put, reader, card } = await asked()
  reader.remove()
  await typed(kiosk, '4711')
  // SELECT, INITIATE, VERIFY, COMMIT.
  put(card, { cut: { apdu: 4, when: 'after' } })
  await screen('recover')
  put(card)
  expect(await screen('approved')).toMatchObject({ recovered: true, balanceMinor: 750 })
  expect(card.state.balanceMinor).toBe(750)
})

test('a card torn away before COMMIT keeps the PIN typed, for its next tap', async () => {
  const { kiosk, screen, put, reader, card } = await asked()
  reader.remove()
  await typed(kiosk, '4711')
  put(card, { cut: { apdu: 3, when: 'after' } })
  await screen('pin', ({ phase }) => phase === 'working')
  expect(await screen('pin', ({ phase }) => phase === 'tap')).toMatchObject({ digits: 4 })
  put(card)
  expect(await screen('approved')).toMatchObject({ balanceMinor: 750 })
})

test('a card that is another one after its name was read gets no PIN, which its owner would find by trial', async () => {
  const { kiosk, screen, reader, card } = await asked()
  reader.remove()
  await typed(kiosk, '4711')
  const another = pinCard()
  for (const each of [card, another]) each.reset()
  const heard: (number | undefined)[] = []
  reader.insert((command) => {
    heard.push(command[1])
    if (heard.length > 1) return another.answers(command)
    another.answers(command)
    return card.answers(command)
  })
  expect(await screen('declined')).toMatchObject({ reason: 'cardSuspect' })
  expect(heard).toContain(instruction.initiate)
  expect(heard).not.toContain(instruction.verifyPin)
  expect(another.state).toMatchObject({ balanceMinor: 1000, pinTriesLeft: 3 })
})

test('a card that is torn away again and again ends the sale, with its PIN, and the till is free', async () => {
  const { kiosk, screen, put, reader, card, terminal, lines } = await asked()
  reader.remove()
  await typed(kiosk, '4711')
  for (let losses = 1; losses < 5; losses += 1) {
    put(card, { cut: { apdu: 3, when: 'after' } })
    await screen('pin', ({ phase }) => phase === 'working')
    expect(await screen('pin', ({ phase }) => phase === 'tap')).toMatchObject({ digits: 4 })
  }
  put(card, { cut: { apdu: 3, when: 'after' } })
  expect(await screen('declined')).toMatchObject({ reason: 'cardSuspect' })
  expect(lines).toEqual(['card: lost 5 times in one sale'])
  expect(card.state).toMatchObject({ balanceMinor: 1000, pinTriesLeft: 3 })
  expect(terminal.ledger.openIntents(card.id)).toEqual([])
  await kiosk.finish()
  await kiosk.buy('map')
  put(card)
  expect(await screen('pin')).toMatchObject({ digits: 0 })
})

test('who goes away in the middle is not charged, and the next customer finds no digit', async () => {
  const { kiosk, screen, put, reader, card } = await asked()
  await new Promise(setImmediate)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  await kiosk.pinKey('4')
  reader.remove()
  await kiosk.stay()
  vi.advanceTimersByTime(44_999)
  expect(kiosk.state.screen.name).toBe('pin')
  vi.advanceTimersByTime(2)
  expect(kiosk.state.screen).toMatchObject({ name: 'declined', reason: 'timeout' })
  vi.useRealTimers()
  await kiosk.buy('map')
  put(card)
  expect(await screen('pin')).toMatchObject({ digits: 0 })
  await kiosk.cancel()
  expect(kiosk.state.screen.name).toBe('browse')
})

test('a card that answers nothing after the PIN ends the sale, and the PIN with it', async () => {
  const { kiosk, screen, reader, card } = await asked()
  reader.remove()
  await typed(kiosk, '4711')
  reader.insertMute()
  expect(await screen('declined')).toMatchObject({ reason: 'notAPurse', item: { id: 'map' } })
  expect(card.state.balanceMinor).toBe(1000)
})

import { expect, test, vi } from 'vitest'
import { type LoadOutcome, loadCard } from '../load.ts'
import { selectPurse } from '../purse-session.ts'
import { CardFault } from '../reader/card-reader.ts'
import { connectIssuer, IssuerRefused, IssuerUnreachable } from '../sync/issuer-client.ts'
import type { SyncLoop } from '../sync/sync.ts'
import { makeTestCard } from '../test-terminal.ts'
import type { Fund } from './modes.ts'
import { openTill } from './test-kiosk.ts'
import type { LoadDesk, VoucherState } from './top-up.ts'

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

const code = '7KQ20F9MXW3TH5RA'

/** The issuer's answers, one by one; what is loaded is the desk's own test (load.test.ts). */
const openWith = (desk: {
  vouchers?: (VoucherState | Error)[]
  voucher?: LoadDesk['voucher']
  credits?: readonly Fund[]
  loads?: (LoadOutcome | Error | 'really')[]
  online?: boolean
}) => {
  const asked: unknown[] = []
  const next = <Answer>(answers: (Answer | Error)[]): Answer => {
    const answer = answers.shift()
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('asked too often')
    return answer
  }
  const loadDesk: LoadDesk = {
    voucher:
      desk.voucher ??
      (async (voucher) => {
        asked.push(voucher)
        return next(desk.vouchers ?? [])
      }),
    credits: async () => desk.credits ?? [],
    load: async (channel, load) => {
      asked.push(load)
      const answer = next(desk.loads ?? [])
      if (answer === 'really') return loadCard(till.terminal, nobody, channel, load)
      await selectPurse(channel)
      return answer
    },
  }
  const till = openTill({ parts: { loadDesk } })
  const sync: Pick<SyncLoop, 'online' | 'nudge'> = { online: desk.online ?? true, nudge: () => {} }
  till.kiosk.attachSync(sync as SyncLoop)
  return { ...till, asked }
}

const nobody = connectIssuer('http://127.0.0.1:1', { fetch: () => Promise.reject(new TypeError('fetch failed')) })

const valid = { state: 'valid', amountMinor: 2000 } as const

test('a voucher, then a card, then money on it', async () => {
  const loaded = { outcome: 'captured', cardId: 'c0', counter: 2, balanceAfterMinor: 2165 } as const
  const { kiosk, screen, put, asked } = openWith({ vouchers: [valid], loads: [loaded] })
  expect(kiosk.state.status.topUp).toBe(true)
  await kiosk.topUp()
  expect(kiosk.state.screen).toMatchObject({ name: 'top-up', phase: 'code' })
  await kiosk.topUpCode(code)
  expect(kiosk.state.screen).toMatchObject({ phase: 'tap', amountMinor: 2000 })
  put(makeTestCard())
  expect(await screen('top-up', ({ phase }) => phase === 'done')).toMatchObject({
    amountMinor: 2000,
    balanceMinor: 2165,
  })
  expect(asked).toEqual([code, { amountMinor: 2000, funding: code }])
  await kiosk.finish()
  expect(kiosk.state.screen.name).toBe('browse')
})

test.each([
  [{ state: 'unknown' } as const, 'unknownVoucher'],
  [{ state: 'used' } as const, 'usedVoucher'],
  [{ state: 'expired' } as const, 'expiredVoucher'],
  [new IssuerUnreachable('no'), 'offline'],
  [new IssuerRefused(429, 'no'), 'refused'],
])('a voucher that is no good says why and may be typed again: %s', async (answer, problem) => {
  const { kiosk } = openWith({ vouchers: [answer, valid] })
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  expect(kiosk.state.screen).toMatchObject({ phase: 'code', problem })
  await kiosk.topUpCode(code)
  expect(kiosk.state.screen).toMatchObject({ phase: 'tap' })
})

test('a card that cannot take it leaves the voucher for another card; that card is not asked twice', async () => {
  const { kiosk, screen, put, reader, asked, lines } = openWith({
    vouchers: [valid],
    loads: [
      { outcome: 'declined', reason: 'overBalanceMax' },
      { outcome: 'inDoubt', cardId: 'c0', counter: 2 },
    ],
  })
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  put(makeTestCard())
  await screen('top-up', (now) => now.phase === 'tap' && now.problem === 'overBalanceMax')
  reader.remove()
  put(makeTestCard())
  await screen('top-up', (now) => now.phase === 'failed' && now.problem === 'inDoubt')
  expect(asked).toHaveLength(3)
  // Held there again, as the screen asks, it may leave too soon again: nothing else is true by that.
  reader.remove()
  put(makeTestCard(), { cut: { apdu: 2, when: 'before' } })
  await vi.waitFor(() => expect(lines).toContain('card: removed'))
  expect(kiosk.state.screen).toMatchObject({ phase: 'failed', problem: 'inDoubt' })
  // Then it says what it holds.
  reader.remove()
  put(makeTestCard())
  await screen('balance')
})

test('a card that paid here before and was not told is told that first; its voucher stands', async () => {
  const loaded = { outcome: 'captured', cardId: 'c0', counter: 3, balanceAfterMinor: 2750 } as const
  const { kiosk, screen, put, reader, asked } = openWith({ vouchers: [valid, valid], loads: ['really', loaded] })
  const card = makeTestCard({ balanceMinor: 1000 })
  await kiosk.buy('map', 0, 'en')
  put(card, { cut: { apdu: 3, when: 'after' } })
  await screen('recover', ({ phase }) => phase === 'waiting')
  reader.remove()
  await settled()
  await kiosk.finish()
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  put(card)
  expect(await screen('approved')).toMatchObject({ recovered: true, amountMinor: 250, balanceMinor: 750 })
  expect(card.state.balanceMinor).toBe(750)
  expect(asked).toHaveLength(2)
  reader.remove()
  await kiosk.finish()
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  put(card)
  await screen('top-up', ({ phase }) => phase === 'done')
})

test('the card is to be held still while money comes, and one that leaves too soon may come again', async () => {
  const loaded = { outcome: 'captured', cardId: 'c0', counter: 2, balanceAfterMinor: 2165 } as const
  const { kiosk, screen, put, reader } = openWith({
    vouchers: [valid],
    loads: [new CardFault('removed', 'gone'), loaded],
  })
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  const shown: unknown[] = []
  kiosk.subscribe((state) => shown.push('phase' in state.screen && state.screen.phase))
  put(makeTestCard())
  await screen('top-up', (now) => now.phase === 'tap' && now.problem === 'cardLost')
  expect(shown).toContain('working')
  reader.remove()
  put(makeTestCard())
  await screen('top-up', ({ phase }) => phase === 'done')
})

test('an issuer that does not answer the load leaves the customer with the truth', async () => {
  const { kiosk, screen, put } = openWith({ vouchers: [valid], loads: [new IssuerUnreachable('no')] })
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  put(makeTestCard())
  await screen('top-up', (now) => now.phase === 'failed' && now.problem === 'unanswered')
})

test('a card that answers nothing is told so, once, and another one may come', async () => {
  const { kiosk, screen, reader } = openWith({ vouchers: [valid] })
  await kiosk.topUp()
  await kiosk.topUpCode(code)
  reader.insertMute()
  expect(await screen('top-up', (shown) => 'problem' in shown)).toMatchObject({ phase: 'tap', problem: 'notAPurse' })
})

test('who leaves while the issuer is still asked has left, whatever it answers', async () => {
  let answer = (_: VoucherState): void => {}
  const asked = new Promise<VoucherState>((resolve) => {
    answer = resolve
  })
  const { kiosk } = openWith({ voucher: () => asked })
  await kiosk.topUp()
  const told = kiosk.topUpCode(code)
  await settled()
  expect(kiosk.state.screen).toMatchObject({ phase: 'asking' })
  await kiosk.cancel()
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
  answer(valid)
  await told
  expect(kiosk.state.screen).toEqual({ name: 'browse' })
})

test('offline, or where the technician says so, no money is loaded', async () => {
  const { kiosk } = openWith({ online: false })
  expect(kiosk.state.status.topUp).toBe(false)
  await kiosk.topUp()
  expect(kiosk.state.screen.name).toBe('browse')
})

test('what the issuer owes a card is shown with its balance, and comes onto it with one tap', async () => {
  const credits = [
    { funding: 'AAAAA-BBBBB', amountMinor: 250 },
    { funding: 'CCCCC-DDDDD', amountMinor: 40 },
  ]
  const loaded = (counter: number, balanceAfterMinor: number): LoadOutcome => ({
    outcome: 'captured',
    cardId: 'c0',
    counter,
    balanceAfterMinor,
  })
  const { kiosk, screen, put, asked } = openWith({ credits, loads: [loaded(2, 1250), loaded(3, 1290)] })
  await kiosk.takeCredits()
  expect(kiosk.state.screen.name).toBe('browse')
  put(makeTestCard())
  expect(await screen('balance', ({ waitingMinor }) => waitingMinor !== undefined)).toMatchObject({ waitingMinor: 290 })
  // It still lies there.
  await kiosk.takeCredits()
  expect(await screen('top-up', ({ phase }) => phase === 'done')).toMatchObject({
    amountMinor: 290,
    balanceMinor: 1290,
  })
  expect(asked).toEqual(credits)
})

test.each([
  ['the issuer is silent', new IssuerUnreachable('no')],
  ['the card leaves', new CardFault('removed', 'gone')],
])('a second credit at which %s leaves the first one said, and waits where it was', async (_when, fault) => {
  const credits = [
    { funding: 'AAAAA-BBBBB', amountMinor: 250 },
    { funding: 'CCCCC-DDDDD', amountMinor: 40 },
  ]
  const { kiosk, screen, put } = openWith({
    credits,
    loads: [{ outcome: 'captured', cardId: 'c0', counter: 2, balanceAfterMinor: 1250 }, fault],
  })
  put(makeTestCard())
  await screen('balance', ({ waitingMinor }) => waitingMinor !== undefined)
  await kiosk.takeCredits()
  expect(await screen('top-up', ({ phase }) => phase === 'done')).toMatchObject({
    amountMinor: 250,
    balanceMinor: 1250,
  })
})

/** What holds for a purse under any commands, cuts and bytes (PROTOCOL.md, Invariants I1 and I2). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { statusWord } from '../protocol/apdu.ts'
import { amountMinor, counter, currencyCode, unixTime } from '../protocol/quantities.ts'
import { balanceChangeMinor } from '../protocol/record.ts'
import { drivePurse, sampleOrder, samplePersonalisation } from './purse-driver.ts'
import { newCardState } from './purse-state.ts'
import { type Cut, cardOf, mortalCard, newestRecord, requireLawful } from './test-card.ts'

const newCard = (seed: number) => {
  const card = mortalCard(newCardState(samplePersonalisation({ pinFreeMaxMinor: amountMinor(600) })), seed)
  return { ...card, stored: () => cardOf(card.stored()) }
}

const amount = fc.constantFrom(0, 1, 250, 700, 5000, 20_001).map(amountMinor)
const order = fc
  .record({
    type: fc.constantFrom('payment', 'payment', 'load', 'load', 'reversal', 'probe', 'block'),
    amount,
    reference: fc.nat(12),
    expired: fc.boolean(),
    foreign: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
  })
  .map((drawn) =>
    sampleOrder(drawn.type, {
      ...(drawn.type === 'payment' || drawn.type === 'load' || drawn.type === 'reversal'
        ? { amountMinor: drawn.amount }
        : {}),
      ...(drawn.type === 'reversal' ? { reference: counter(drawn.reference) } : {}),
      ...(drawn.foreign ? { currency: currencyCode(840) } : {}),
      time: unixTime(drawn.expired ? 0xffffffff : 1),
    }),
  )
const digits = fc.constantFrom('1234', '1234', '0000')
const command = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ kind: 'select' as const }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('transact' as const), order, pin: fc.option(digits) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'undo' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('initiate' as const), order }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('verify' as const), digits }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'commit' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('torn' as const), when: fc.constantFrom<Cut>('before', 'after') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), number: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reset' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 90 }) }) },
)

test('loads + reversals - payments is the balance, whatever is sent, cut and repeated', () => {
  const committed = new Set<string>()
  fc.assert(
    fc.property(fc.nat(), fc.array(command, { minLength: 10, maxLength: 60 }), (seed, commands) => {
      const card = newCard(seed)
      const { commands: right, ...drive } = drivePurse(card.process)
      drive.select()
      for (const step of commands) {
        const before = card.stored()
        let status: number = statusWord.ok
        switch (step.kind) {
          case 'select':
            drive.select()
            break
          case 'transact':
            drive.select()
            status = drive.transact(step.order, step.pin ?? undefined)
            break
          case 'undo': {
            if (before.log.length === 0) break
            const { counter: reference, order: payment } = newestRecord(before)
            status = drive.transact(sampleOrder('reversal', { reference, amountMinor: payment.amountMinor }))
            break
          }
          case 'initiate':
            status = drive.initiate(step.order).status
            break
          case 'verify':
            status = drive.send(right.verifyPin(step.digits)).status
            break
          case 'commit':
            status = drive.send(right.commit()).status
            break
          case 'torn':
            card.tear(step.when, () => drive.send(right.commit()))
            break
          case 'read':
            status = drive.send(right.readRecord(step.number)).status
            break
          case 'reset':
            card.reset()
            break
          case 'bytes':
            status = drive.send(step.bytes).status
        }
        const after = card.stored()
        const { pinTriesLeft } = after
        if (status !== statusWord.ok) expect(after).toEqual({ ...before, pinTriesLeft })
      }
      const history = card.history.map(cardOf)
      const orders = history.flatMap((state, at) => {
        const before = history[at - 1]
        if (before === undefined) return []
        requireLawful(before, state)
        return state.counter === before.counter ? [] : [newestRecord(state).order]
      })
      for (const { type } of orders) committed.add(type)
      const sum = orders.reduce((balance, made) => balance + balanceChangeMinor(made), 0)
      expect(card.stored().balanceMinor).toBe(sum)
    }),
    { numRuns: 300 },
  )
  expect([...committed].sort()).toEqual(['block', 'load', 'payment', 'reversal'])
})

test('any bytes get an answer of two bytes and more, and change nothing', () => {
  const cla = fc.constantFrom(0x00, 0x90, 0x80)
  const ins = fc.constantFrom(0xa4, 0xb2, 0x10, 0x12, 0x14, 0xe0, 0xff)
  const body = fc
    .constantFrom(0, 9, 16, 60, 140)
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
  const nearly = fc
    .tuple(cla, ins, fc.constantFrom(0, 1, 4), fc.constantFrom(0, 4), body, fc.uint8Array({ maxLength: 2 }))
    .map(([c, i, p1, p2, data, le]) => Uint8Array.from([c, i, p1, p2, data.length, ...data, ...le]))
  fc.assert(
    fc.property(fc.array(fc.oneof(nearly, fc.uint8Array({ maxLength: 300 })), { maxLength: 20 }), (all) => {
      const card = newCard(1)
      for (const bytes of all) expect(card.process(bytes).length).toBeGreaterThanOrEqual(2)
      expect(card.history).toHaveLength(1)
    }),
    { numRuns: 500 },
  )
})

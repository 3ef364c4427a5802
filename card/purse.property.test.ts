/** What holds for a purse under any commands, cuts and bytes (PROTOCOL.md, Invariants I1 and I2). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { statusWord } from '../protocol/apdu.ts'
import { fromHex } from '../protocol/bytes.ts'
import { amountMinor, counter, currencyCode, unixTime } from '../protocol/quantities.ts'
import { balanceChangeMinor, parseRecord, recordLength } from '../protocol/record.ts'
import { openPurse, type Purse } from './purse.ts'
import { drivePurse, sampleOrder, samplePersonalisation } from './purse-driver.ts'
import { type CardState, newCardState, type PurseState } from './purse-state.ts'

/** Where a save is cut: before the file is replaced, or after. */
type Cut = 'before' | 'after'

const cut = new Error('the power went')

const cardOf = (state: PurseState): CardState => {
  if (state.kind === 'blank') throw new Error('the card is blank')
  return state
}

/** A card that lives through power cuts: `stored` is all that a cut leaves of it. */
const mortalCard = (seed: number) => {
  let drawn = seed
  const randomByte = () => {
    drawn = (drawn * 75 + 74) % 65537
    return drawn & 0xff
  }
  const randomBytes = (length: number) => Uint8Array.from({ length }, randomByte)
  const history: CardState[] = [newCardState(samplePersonalisation({ pinFreeMaxMinor: amountMinor(600) }))]
  let stored: PurseState = history[0] ?? { kind: 'blank' }
  let nextCut: Cut | undefined
  const save = (state: PurseState) => {
    const now = nextCut
    nextCut = undefined
    if (now === 'before') throw cut
    stored = state
    history.push(cardOf(state))
    if (now === 'after') throw cut
  }
  const open = () => openPurse({ state: stored, save, randomBytes })
  let purse: Purse = open()
  return {
    history,
    stored: () => cardOf(stored),
    process: (command: Uint8Array) => purse.process(command),
    reset: () => purse.reset(),
    /** Runs until the cut, if `act` comes so far, and puts the card in again. */
    tear: (when: Cut, act: () => unknown) => {
      nextCut = when
      try {
        act()
      } catch (error) {
        if (error !== cut) throw error
      }
      nextCut = undefined
      purse = open()
    },
  }
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

/** What one saved state may become: a lost PIN try, or exactly one transaction. */
const expectLawful = (before: CardState, after: CardState) => {
  if (after.counter === before.counter) {
    expect(after).toEqual({ ...before, pinTriesLeft: before.pinTriesLeft - 1 })
    return
  }
  const made = parseRecord(fromHex(after.log[0]?.record ?? '', recordLength))
  expect(after.counter).toBe(before.counter + 1)
  expect(made).toMatchObject({ counter: after.counter, balanceAfterMinor: after.balanceMinor })
  expect(after.balanceMinor).toBe(before.balanceMinor + balanceChangeMinor(made.order))
  expect(after.log).toHaveLength(Math.min(after.counter, 10))
  expect(after.log.slice(1)).toEqual(before.log.slice(0, 9))
}

test('loads + reversals - payments is the balance, whatever is sent, cut and repeated', () => {
  const committed = new Set<string>()
  fc.assert(
    fc.property(fc.nat(), fc.array(command, { minLength: 10, maxLength: 60 }), (seed, commands) => {
      const card = mortalCard(seed)
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
            const newest = before.log[0]
            if (newest === undefined) break
            const { counter: reference, order: payment } = parseRecord(fromHex(newest.record, recordLength))
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
      const orders = card.history.flatMap((state, at) => {
        const before = card.history[at - 1]
        if (before === undefined) return []
        expectLawful(before, state)
        return state.counter === before.counter
          ? []
          : [parseRecord(fromHex(state.log[0]?.record ?? '', recordLength)).order]
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
      const card = mortalCard(1)
      for (const bytes of all) expect(card.process(bytes).length).toBeGreaterThanOrEqual(2)
      expect(card.history).toHaveLength(1)
    }),
    { numRuns: 500 },
  )
})

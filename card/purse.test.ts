/** The purse against the vectors and against the words of PROTOCOL.md, The card. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { personaliseCommand, selectCommand, statusWord } from '../protocol/apdu.ts'
import { concat, fromHex, toHex } from '../protocol/bytes.ts'
import { parseSelectAnswer } from '../protocol/card-info.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../protocol/keys.ts'
import { macKey, readMac } from '../protocol/mac.ts'
import { encodeOrder, type Order } from '../protocol/order.ts'
import { encodePersonalisation } from '../protocol/personalise.ts'
import { amountMinor, cardId, counter, currencyCode, terminalId, unixTime } from '../protocol/quantities.ts'
import { openPurse } from './purse.ts'
import { drivePurse, sampleOrder, samplePersonalisation, sampleSecret } from './purse-driver.ts'
import { blankState, type CardState, newCardState, type PurseState } from './purse-state.ts'

const vectors = JSON.parse(readFileSync(new URL('../protocol/vectors.json', import.meta.url), 'utf8'))
const hex = (text: string): Uint8Array => fromHex(text, text.length / 2)
const master = (name: string): Uint8Array => hex(vectors.masters[name])
const select = hex('00a4040009f04641525448494e47')

interface VectorCard {
  readonly keyVersion: number
  readonly cardId: string
  readonly currency: number
  readonly counter: number
  readonly balanceMinor: number
}

const vectorCard = (row: VectorCard): CardState => {
  const id = cardId(row.cardId)
  return {
    kind: 'card',
    keyVersion: row.keyVersion,
    cardId: id,
    currency: currencyCode(row.currency),
    expiry: unixTime(0xffffffff),
    balanceMaxMinor: amountMinor(0xffffffff),
    pinFreeMaxMinor: amountMinor(0xffffffff),
    pinTriesMax: 3,
    pin: '1234',
    payKey: toHex(derivePayKey(master('pay'), row.keyVersion, id)),
    settleKey: toHex(deriveSettleKey(master('settle'), row.keyVersion, id)),
    loadKey: toHex(deriveLoadKey(master('load'), row.keyVersion, id)),
    status: 'active',
    counter: counter(row.counter),
    balanceMinor: amountMinor(row.balanceMinor),
    pinFreeLeftMinor: amountMinor(0xffffffff),
    pinTriesLeft: 3,
    log: [],
  }
}

/** Randomness that a vector prescribes, in the order in which the purse draws it. */
const prescribed = (...texts: readonly string[]) => {
  const left = texts.map(hex)
  return (length: number): Uint8Array => {
    const next = left.shift()
    if (next?.length !== length) throw new Error('the vector prescribes no such randomness')
    return next
  }
}

describe('the vectors, replayed', () => {
  for (const row of vectors.transactions)
    test(row.name, () => {
      const before = { ...row, counter: row.counter - 1, balanceMinor: row.balanceBefore }
      const undone = vectors.transactions.find(
        (other: { cardId: string; counter: number }) => other.cardId === row.cardId && other.counter === row.reference,
      )
      const log = undone && {
        record: undone.record,
        settlementMac: undone.macSettlement,
        acceptanceMac: undone.macAcceptance,
      }
      const state = { ...vectorCard(before), log: log === undefined ? [] : [log] }
      const saved: unknown[] = []
      const purse = openPurse({
        state,
        save: (next) => saved.push(next),
        randomBytes: prescribed(row.challenge, row.cardNonce),
      })
      purse.process(select)
      expect(toHex(purse.process(hex(row.initiateApdu)))).toBe(`${row.initiateAnswer}9000`)
      expect(saved).toHaveLength(0)
      expect(toHex(purse.process(hex(row.commitApdu)))).toBe(`${row.commitAnswer}9000`)
      expect(saved).toEqual([purse.state])
      expect(purse.state).toMatchObject({ counter: row.counter, balanceMinor: row.balanceAfter })
      const made = { record: row.record, settlementMac: row.macSettlement, acceptanceMac: row.macAcceptance }
      expect(purse.state).toMatchObject({ log: [made, ...state.log] })
    })
})

const freshBytes = (length: number) => Uint8Array.from(randomBytes(length))

/** A purse with 100.00 on it unless told otherwise, selected, with the states that it saved. */
const openCard = (changes: Partial<CardState> = {}) => {
  const saved: PurseState[] = []
  const state = { ...newCardState(samplePersonalisation()), balanceMinor: amountMinor(10_000), ...changes }
  const purse = openPurse({ state, save: (next) => saved.push(next), randomBytes: freshBytes })
  const driver = drivePurse(purse.process)
  driver.select()
  return { ...driver, purse, saved, before: state }
}
type OpenCard = ReturnType<typeof openCard>

const cardOf = (state: PurseState): CardState => {
  if (state.kind === 'blank') throw new Error('the card is blank')
  return state
}
const amounts = (state: PurseState) => {
  const { counter: n, balanceMinor, pinFreeLeftMinor, pinTriesLeft } = cardOf(state)
  return { n, balanceMinor, pinFreeLeftMinor, pinTriesLeft }
}
const hexStatus = (status: number) => status.toString(16).padStart(4, '0')

describe('a blank card', () => {
  const blank = () => {
    const saved: PurseState[] = []
    return {
      saved,
      purse: openPurse({ state: blankState, save: (next) => saved.push(next), randomBytes: freshBytes }),
    }
  }
  const personalise = personaliseCommand(encodePersonalisation(samplePersonalisation()))
  const statusOf = (answer: Uint8Array) => toHex(answer.slice(-2))

  test('is selected, says nothing of itself, and becomes a card of balance and counter 0', () => {
    const { purse, saved } = blank()
    expect(toHex(purse.process(selectCommand()))).toBe('9000')
    expect(toHex(purse.process(personalise))).toBe('9000')
    expect(saved).toEqual([newCardState(samplePersonalisation())])
    expect(purse.state).toEqual(saved[0])
    const info = parseSelectAnswer(purse.process(selectCommand()).slice(0, -2))
    expect(info).toMatchObject({ status: 'active', counter: 0, balanceMinor: 0, pinTriesLeft: 3 })
    expect(info).toMatchObject({ balanceMaxMinor: 20_000, pinFreeLeftMinor: 2500, cardId: 'c0ffee0000000001' })
  })

  test('is personalised once, and selected before and after', () => {
    const { purse } = blank()
    expect(statusOf(purse.process(personalise))).toBe('6985')
    purse.process(selectCommand())
    expect(statusOf(purse.process(personalise))).toBe('9000')
    expect(drivePurse(purse.process).initiate(sampleOrder('probe')).status).toBe(statusWord.conditionsNotSatisfied)
    purse.process(selectCommand())
    expect(statusOf(purse.process(personalise))).toBe('6985')
  })

  test('refuses what is no personalisation, and everything else, and stays blank', () => {
    const { purse, saved } = blank()
    purse.process(selectCommand())
    expect(statusOf(purse.process(personaliseCommand(new Uint8Array(140))))).toBe('6a80')
    expect(statusOf(purse.process(personaliseCommand(new Uint8Array(139))))).toBe('6700')
    const driver = drivePurse(purse.process)
    expect(driver.initiate(sampleOrder('probe')).status).toBe(statusWord.conditionsNotSatisfied)
    for (const command of [driver.commands.commit(), driver.commands.verifyPin('1234'), driver.commands.readRecord(1)])
      expect(driver.send(command).status).toBe(statusWord.conditionsNotSatisfied)
    expect(saved).toEqual([])
  })
})

describe('APDUs that change nothing', () => {
  const zeros = (count: number) => '00'.repeat(count)
  const rows: readonly (readonly [name: string, command: string, status: string])[] = [
    ['no bytes', '', '6700'],
    ['a header cut short', '90100000'.slice(0, 6), '6700'],
    ['no Lc', '90140000', '6700'],
    ['Lc 0', '9014000000', '6700'],
    ['a COMMIT one byte short', `9014000010${zeros(15)}`, '6700'],
    ['a COMMIT two bytes long', `9014000010${zeros(18)}`, '6700'],
    ['a COMMIT whose Lc is 17', `9014000011${zeros(17)}`, '6700'],
    ['an INITIATE whose Lc is 59', `901000003b${zeros(59)}`, '6700'],
    ['an extended Lc', `9014000000000010${zeros(16)}`, '6700'],
    ['a SELECT without an AID', '00a4040000', '6700'],
    ['a SELECT of 17 bytes', `00a4040011${zeros(17)}`, '6700'],
    ['INITIATE with P1 1', `901001003c${zeros(60)}`, '6a86'],
    ['VERIFY with P2 1', `9012000110${zeros(16)}`, '6a86'],
    ['COMMIT with P1 1', `9014010010${zeros(16)}`, '6a86'],
    ['READ RECORD with P2 0', `00b2010010${zeros(16)}`, '6a86'],
    ['SELECT by file', '00a4000009f04641525448494e47', '6a86'],
    ['PERSONALISE with P2 1', `90e000018c${zeros(140)}`, '6a86'],
    ['an unknown class', `80140000 10${zeros(16)}`.replace(' ', ''), '6e00'],
    ['COMMIT in the interindustry class', `0014000010${zeros(16)}`, '6d00'],
    ['READ RECORD in our class', `90b2010410${zeros(16)}`, '6d00'],
    ['an unknown instruction', '90ff0000', '6d00'],
    ['SELECT of another AID', '00a4040007a0000000041010', '6a82'],
    ['SELECT of the start of ours', '00a4040008f04641525448494e', '6a82'],
    ['PERSONALISE on a card', `90e000008c${zeros(140)}`, '6985'],
  ]
  for (const [name, command, status] of rows)
    test(`${name} is ${status}, and an offer stands`, () => {
      const { purse, initiate, send, commands, saved } = openCard()
      initiate(sampleOrder('payment'))
      expect(toHex(purse.process(fromHex(command, command.length / 2)))).toBe(status)
      expect(saved).toEqual([])
      expect(send(commands.commit()).status).toBe(statusWord.ok)
    })

  test('a trailing Le is optional, whatever it says', () => {
    const { send, commands, initiate } = openCard()
    const le = Uint8Array.of(0x10)
    expect(send(concat(selectCommand(), le)).status).toBe(statusWord.ok)
    initiate(sampleOrder('payment'))
    expect(send(concat(commands.commit(), le)).status).toBe(statusWord.ok)
  })
})

/*
 * Every command in every state of the session. `then` is what the right COMMIT of the state's own offer says
 * afterwards: 9000 the offer (and the PIN, if it needs one) still stood, 9405 the PIN was dropped, 6985 the offer was.
 */
describe('the session', () => {
  const large = () => sampleOrder('payment', { amountMinor: amountMinor(3000) })
  const states: Record<string, (card: OpenCard) => void> = {
    unselected: ({ purse }) => purse.reset(),
    selected: () => undefined,
    probed: ({ initiate }) => void initiate(sampleOrder('probe')),
    offered: ({ initiate }) => void initiate(sampleOrder('payment')),
    withPin: ({ initiate, send, commands }) => {
      initiate(large())
      send(commands.verifyPin('1234'))
    },
  }
  const commands: Record<string, (card: OpenCard) => number> = {
    select: ({ send }) => send(selectCommand()).status,
    selectOther: ({ send }) => send(fromHex('00a4040007a0000000041010', 12)).status,
    probe: ({ initiate }) => initiate(sampleOrder('probe')).status,
    initiateRefused: ({ initiate }) => initiate(sampleOrder('payment', { amountMinor: amountMinor(10_001) })).status,
    verify: ({ send, commands: { verifyPin } }) => send(verifyPin('1234')).status,
    commit: ({ send, commands: { commit } }) => send(commit()).status,
    commitForged: ({ send }) => send(fromHex(`9014000010${'00'.repeat(16)}`, 21)).status,
    read: ({ send, commands: { readRecord } }) => send(readRecord(1)).status,
    readForged: ({ send }) => send(fromHex(`00b2010410${'00'.repeat(16)}`, 21)).status,
    reset: ({ purse }) => {
      purse.reset()
      return statusWord.ok
    },
  }
  const cells: Record<string, Record<string, readonly [status: string, then: string]>> = {
    unselected: {
      select: ['9000', '6985'],
      selectOther: ['6a82', '6985'],
      probe: ['6985', '6985'],
      initiateRefused: ['6985', '6985'],
      verify: ['6985', '6985'],
      commit: ['6985', '6985'],
      commitForged: ['6985', '6985'],
      read: ['6985', '6985'],
      readForged: ['6985', '6985'],
      reset: ['9000', '6985'],
    },
    selected: {
      select: ['9000', '6985'],
      selectOther: ['6a82', '6985'],
      probe: ['9000', '6985'],
      initiateRefused: ['9401', '6985'],
      verify: ['6985', '6985'],
      commit: ['6985', '6985'],
      commitForged: ['6985', '6985'],
      read: ['6a83', '6985'],
      readForged: ['6982', '6985'],
      reset: ['9000', '6985'],
    },
    probed: {
      select: ['9000', '6985'],
      selectOther: ['6a82', '6985'],
      probe: ['9000', '6985'],
      initiateRefused: ['9401', '6985'],
      verify: ['9000', '6985'],
      commit: ['6985', '6985'],
      commitForged: ['6985', '6985'],
      read: ['6a83', '6985'],
      readForged: ['6982', '6985'],
      reset: ['9000', '6985'],
    },
    offered: {
      select: ['9000', '6985'],
      selectOther: ['6a82', '9000'],
      probe: ['9000', '6985'],
      initiateRefused: ['9401', '6985'],
      verify: ['9000', '9000'],
      commit: ['9000', '6985'],
      commitForged: ['6982', '6985'],
      read: ['6a83', '9000'],
      readForged: ['6982', '9000'],
      reset: ['9000', '6985'],
    },
    withPin: {
      select: ['9000', '6985'],
      selectOther: ['6a82', '9000'],
      probe: ['9000', '6985'],
      initiateRefused: ['9401', '6985'],
      verify: ['9000', '9000'],
      commit: ['9000', '6985'],
      commitForged: ['6982', '6985'],
      read: ['6a83', '9000'],
      readForged: ['6982', '9000'],
      reset: ['9000', '6985'],
    },
  }
  for (const [stateName, arrange] of Object.entries(states))
    for (const [commandName, act] of Object.entries(commands))
      test(`${stateName}: ${commandName}`, () => {
        const card = openCard()
        arrange(card)
        const rightCommit = card.commands.commit()
        const status = hexStatus(act(card))
        const then = hexStatus(card.send(rightCommit).status)
        expect([status, then]).toEqual(cells[stateName]?.[commandName])
      })

  test('a second INITIATE drops the PIN with the offer', () => {
    const { initiate, send, commands: right, purse } = openCard()
    initiate(large())
    send(right.verifyPin('1234'))
    initiate(large())
    expect(send(right.commit()).status).toBe(statusWord.pinRequired)
    expect(amounts(purse.state)).toMatchObject({ n: 0, pinTriesLeft: 3 })
  })

  test('SELECT and INITIATE are fresh each time', () => {
    const { select: selectCard, initiate } = openCard()
    expect(selectCard().challenge).not.toEqual(selectCard().challenge)
    const order = sampleOrder('payment')
    expect(initiate(order).data).not.toEqual(initiate(order).data)
  })
})

describe('INITIATE checks, the earlier first', () => {
  const raw = (order: Order, changes: Record<number, number>): Uint8Array =>
    encodeOrder(order).map((byte, at) => changes[at] ?? byte)
  const payment = (changes: Partial<Order> = {}) => sampleOrder('payment', changes)
  const dollars = currencyCode(840)
  const late = unixTime(4_102_444_801)
  const blocked: Partial<CardState> = { status: 'blocked' }
  const last: Partial<CardState> = { counter: counter(0xffffffff) }
  const full: Partial<CardState> = { balanceMinor: amountMinor(19_751) }

  const rows: readonly (readonly [name: string, Partial<CardState>, Order | Uint8Array, status: string])[] = [
    ['blocked before currency', blocked, payment({ currency: dollars }), '9402'],
    ['blocked before type', blocked, raw(payment(), { 0: 5 }), '9402'],
    ['blocked, a load', blocked, sampleOrder('load'), '9402'],
    ['blocked, a block', blocked, sampleOrder('block'), '9402'],
    ['blocked, a probe', blocked, sampleOrder('probe'), '9000'],
    ['blocked, a probe in another currency', blocked, sampleOrder('probe', { currency: dollars }), '9404'],
    ['currency before type', {}, raw(payment({ currency: dollars }), { 0: 9 }), '9404'],
    ['currency of a block', {}, sampleOrder('block', { currency: dollars }), '9404'],
    ['an unknown type', {}, raw(payment(), { 0: 5 }), '6a80'],
    ['the reserved byte', {}, raw(payment(), { 1: 1 }), '6a80'],
    ['layout before expiry', {}, raw(payment({ time: late }), { 1: 1 }), '6a80'],
    ['a reference in a payment', {}, raw(payment(), { 11: 1 }), '6a80'],
    ['a reference in a load', {}, raw(sampleOrder('load'), { 11: 1 }), '6a80'],
    ['an amount in a probe', {}, raw(sampleOrder('probe'), { 7: 1 }), '6a80'],
    ['an item in a probe', {}, raw(sampleOrder('probe'), { 28: 1 }), '6a80'],
    ['an amount in a block', {}, raw(sampleOrder('block'), { 7: 1 }), '6a80'],
    ['an item in a block', {}, raw(sampleOrder('block'), { 28: 1 }), '6a80'],
    ['a lock in a block', {}, raw(sampleOrder('block'), { 44: 1 }), '6a80'],
    ['expiry before amount', {}, payment({ time: late, amountMinor: amountMinor(0) }), '9403'],
    ['the second of expiry', {}, payment({ time: unixTime(4_102_444_800) }), '9000'],
    ['an expired card still takes a load', {}, sampleOrder('load', { time: late }), '9000'],
    ['a payment of 0', {}, payment({ amountMinor: amountMinor(0) }), '6a80'],
    ['one more than the balance', {}, payment({ amountMinor: amountMinor(10_001) }), '9401'],
    ['the whole balance', {}, payment({ amountMinor: amountMinor(10_000) }), '9000'],
    ['a load of 0', {}, sampleOrder('load', { amountMinor: amountMinor(0) }), '6a80'],
    ['one over balanceMax', full, sampleOrder('load'), '9406'],
    ['up to balanceMax', { balanceMinor: amountMinor(19_750) }, sampleOrder('load'), '9000'],
    ['a load over u32', {}, sampleOrder('load', { amountMinor: amountMinor(0xffffffff) }), '9406'],
    ['a reversal of nothing', {}, sampleOrder('reversal', { reference: counter(0) }), '6985'],
    ['no next counter', last, payment(), '6985'],
    ['no next counter, a probe', last, sampleOrder('probe'), '6985'],
    ['no next counter, but blocked', { ...last, ...blocked }, payment(), '9402'],
    ['a load', {}, sampleOrder('load'), '9000'],
    ['a block', {}, sampleOrder('block'), '9000'],
  ]
  for (const [name, changes, order, status] of rows)
    test(`${name}: ${status}`, () => {
      const { initiate, saved } = openCard(changes)
      expect(hexStatus(initiate(order).status)).toBe(status)
      expect(saved).toEqual([])
    })
})

describe('a reversal', () => {
  const paid = (changes: Partial<CardState> = {}) => {
    const card = openCard(changes)
    expect(card.transact(sampleOrder('payment'))).toBe(statusWord.ok)
    return card
  }
  const reversal = (changes: Partial<Order> = {}) => sampleOrder('reversal', { reference: counter(1), ...changes })

  test('gives back the newest payment to who knows its secret, and not its PIN-free money', () => {
    const { transact, purse } = paid()
    expect(transact(reversal())).toBe(statusWord.ok)
    expect(amounts(purse.state)).toEqual({ n: 2, balanceMinor: 10_000, pinFreeLeftMinor: 2250, pinTriesLeft: 3 })
    expect(transact(reversal())).toBe(statusWord.conditionsNotSatisfied)
  })

  const rows: readonly (readonly [name: string, Partial<Order>])[] = [
    ['another counter', { reference: counter(2) }],
    ['another terminal', { terminalId: terminalId('7465726d30303032') }],
    ['another amount', { amountMinor: amountMinor(249) }],
    ['an amount of 0', { amountMinor: amountMinor(0) }],
    ['another item', { itemHash: sampleOrder('load').itemHash }],
    ['another secret', { lock: sampleSecret.map((byte) => byte ^ 1) }],
    ['the lock in place of the secret', { lock: sampleOrder('payment').lock }],
  ]
  for (const [name, changes] of rows)
    test(`with ${name} is 6985`, () => {
      const { initiate } = paid()
      expect(hexStatus(initiate(reversal(changes)).status)).toBe('6985')
    })

  test('undoes a payment only, however much another record is like one', () => {
    const { transact, initiate } = openCard()
    expect(transact(sampleOrder('load', { itemHash: sampleOrder('payment').itemHash }))).toBe(statusWord.ok)
    expect(hexStatus(initiate(reversal()).status)).toBe('6985')
  })

  test('is 6985 once another transaction followed', () => {
    const { transact, initiate } = paid()
    transact(sampleOrder('load'))
    expect(hexStatus(initiate(reversal()).status)).toBe('6985')
  })

  test('may exceed balanceMax', () => {
    const { transact, purse } = paid({ balanceMaxMinor: amountMinor(9_800) })
    expect(transact(reversal())).toBe(statusWord.ok)
    expect(amounts(purse.state)).toMatchObject({ balanceMinor: 10_000 })
  })

  test('may not exceed u32', () => {
    const { purse, before } = paid()
    const rich = { ...cardOf(purse.state), balanceMinor: amountMinor(0xffffffff - 249) }
    const card = openCard({ ...before, ...rich })
    expect(hexStatus(card.initiate(reversal()).status)).toBe('6985')
  })
})

describe('the PIN', () => {
  const large = sampleOrder('payment', { amountMinor: amountMinor(2501) })

  test('is not asked for up to pinFreeLeft, which shrinks by each payment', () => {
    const { transact, purse } = openCard()
    expect(transact(sampleOrder('payment', { amountMinor: amountMinor(2400) }))).toBe(statusWord.ok)
    expect(amounts(purse.state).pinFreeLeftMinor).toBe(100)
    expect(transact(sampleOrder('payment', { amountMinor: amountMinor(100) }))).toBe(statusWord.ok)
    expect(amounts(purse.state).pinFreeLeftMinor).toBe(0)
    expect(transact(sampleOrder('payment', { amountMinor: amountMinor(1) }))).toBe(statusWord.pinRequired)
  })

  test('sets the limit and the tries back when it is right', () => {
    const { transact, purse } = openCard({ pinFreeLeftMinor: amountMinor(7), pinTriesLeft: 1 })
    expect(transact(sampleOrder('payment'), '1234')).toBe(statusWord.ok)
    expect(amounts(purse.state)).toEqual({ n: 1, balanceMinor: 9750, pinFreeLeftMinor: 2500, pinTriesLeft: 3 })
  })

  test('is looked at only above pinFreeLeft', () => {
    const { transact, purse } = openCard({ pinTriesLeft: 2 })
    expect(transact(sampleOrder('payment'), '9999')).toBe(statusWord.ok)
    expect(amounts(purse.state)).toEqual({ n: 1, balanceMinor: 9750, pinFreeLeftMinor: 2250, pinTriesLeft: 2 })
  })

  test('counts down from 63C2 to 6983, and nothing brings the tries back', () => {
    const { transact, purse, initiate, send, commands } = openCard()
    const tries = [1, 2, 3].map(() => hexStatus(transact(large, '0000')))
    expect(tries).toEqual(['63c2', '63c1', '6983'])
    initiate(large)
    expect(hexStatus(send(commands.verifyPin('1234')).status)).toBe('6983')
    expect(hexStatus(send(commands.commit()).status)).toBe('9405')
    transact(sampleOrder('load'))
    expect(amounts(purse.state)).toEqual({ n: 1, balanceMinor: 10_250, pinFreeLeftMinor: 2500, pinTriesLeft: 0 })
  })

  test('loses its try durably before it is compared, right or wrong', () => {
    for (const digits of ['0000', '1234']) {
      const { transact, saved } = openCard()
      transact(large, digits)
      expect(amounts(saved[0] ?? blankState)).toMatchObject({ n: 0, pinTriesLeft: 2 })
    }
  })

  test('is not compared after a wrong commit MAC', () => {
    const { initiate, send, commands, saved } = openCard()
    initiate(large)
    send(commands.verifyPin('0000'))
    expect(send(fromHex(`9014000010${'00'.repeat(16)}`, 21)).status).toBe(statusWord.securityNotSatisfied)
    expect(saved).toEqual([])
  })

  test('of a card without one is never right', () => {
    const { transact } = openCard({ pin: '' })
    expect(hexStatus(transact(large, '0000'))).toBe('63c2')
  })
})

describe('READ RECORD', () => {
  test('gives the last ten, the newest first, and no eleventh', () => {
    const { transact, send, commands } = openCard()
    const payment = sampleOrder('payment', { amountMinor: amountMinor(100) })
    for (let n = 1; n <= 12; n += 1) expect(transact(payment)).toBe(statusWord.ok)
    for (let n = 1; n <= 10; n += 1) {
      const { data, status } = send(commands.readRecord(n))
      expect(status).toBe(statusWord.ok)
      expect(data).toHaveLength(112)
      expect(new DataView(data.buffer).getUint32(12)).toBe(13 - n)
    }
    expect(send(commands.readRecord(11)).status).toBe(statusWord.recordNotFound)
    expect(send(commands.readRecord(255)).status).toBe(statusWord.recordNotFound)
  })

  test('repeats the MACs of COMMIT', () => {
    const { initiate, send, commands } = openCard()
    initiate(sampleOrder('payment'))
    const receipt = send(commands.commit()).data
    expect(send(commands.readRecord(1)).data.slice(80)).toEqual(receipt.slice(4))
  })

  test('is bound to the number and to the challenge of the last SELECT', () => {
    const { transact, send, commands, select: selectCard } = openCard()
    transact(sampleOrder('payment'))
    const command = commands.readRecord(1)
    expect(send(command.with(2, 2)).status).toBe(statusWord.securityNotSatisfied)
    selectCard()
    expect(send(command).status).toBe(statusWord.securityNotSatisfied)
  })

  test('has no record 0', () => {
    const { select: selectCard, send, transact } = openCard()
    transact(sampleOrder('payment'))
    const { cardId: id, challenge } = selectCard()
    const right = readMac(macKey(samplePersonalisation().payKey), { cardId: id, challenge, recordNumber: 0 })
    expect(send(concat(fromHex('00b2000410', 5), right)).status).toBe(statusWord.recordNotFound)
  })
})

test('a block is final: only probes and records are answered', () => {
  const { transact, select: selectCard, send, commands, purse } = openCard()
  expect(transact(sampleOrder('block'))).toBe(statusWord.ok)
  expect(selectCard()).toMatchObject({ status: 'blocked', counter: 1, balanceMinor: 10_000 })
  expect(transact(sampleOrder('payment'))).toBe(statusWord.cardBlocked)
  expect(transact(sampleOrder('probe'))).toBe(statusWord.conditionsNotSatisfied)
  expect(send(commands.readRecord(1)).status).toBe(statusWord.ok)
  expect(amounts(purse.state)).toMatchObject({ n: 1, balanceMinor: 10_000 })
})

test('a load goes by K_load: the MACs of K_pay do not commit it', () => {
  const { initiate, send } = openCard()
  const impostor = drivePurse(
    (command) => {
      const { data, status } = send(command)
      return concat(data, Uint8Array.of(status >> 8, status & 0xff))
    },
    samplePersonalisation({ loadKey: samplePersonalisation().payKey }),
  )
  initiate(sampleOrder('load'))
  impostor.initiate(sampleOrder('load'))
  expect(send(impostor.commands.commit()).status).toBe(statusWord.securityNotSatisfied)
})

test('a purse that cannot save gives no answer, then or later, and says why', () => {
  const fault = new Error('the disk is full')
  const state = { ...newCardState(samplePersonalisation()), balanceMinor: amountMinor(500) }
  const purse = openPurse({
    state,
    save: () => {
      throw fault
    },
    randomBytes: freshBytes,
  })
  const { select: selectCard, initiate, commands } = drivePurse(purse.process)
  selectCard()
  initiate(sampleOrder('payment'))
  expect(() => purse.process(commands.commit())).toThrow(fault)
  expect(() => purse.process(selectCommand())).toThrow('open it anew')
  expect(purse.state).toBe(state)
})

test('the lock of the sample is SHA-256 of its secret', () => {
  const hash = createHash('sha256').update(sampleSecret).digest('hex')
  expect(toHex(sampleOrder('payment').lock)).toBe(hash.slice(0, 32))
})

/** The purse against the vectors and against the words of PROTOCOL.md, The card. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../protocol/bytes.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../protocol/keys.ts'
import { amountMinor, cardId, counter, currencyCode, unixTime } from '../protocol/quantities.ts'
import { openPurse } from './purse.ts'
import type { CardState } from './purse-state.ts'

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

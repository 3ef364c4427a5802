/**
 * Holds a terminal's ledger, the cards' own records and the goods that were handed over against each other. Reads the ledger's
 * file itself: it shares no query with the code that it checks.
 */
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { ledgerPath } from '../../db/open.ts'
import type { Terminal } from '../../main/terminal.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { balanceChangeMinor, type CardRecord, parseRecord, recordLength } from '../../protocol/record.ts'

interface Row {
  readonly terminalSeq: number
  readonly type: string
  readonly state: string
  readonly goods: string
  readonly proof: string | null
}

/** A record as its card keeps it, in hex, with the settlement MAC that the issuer pays for. */
interface Kept {
  readonly record: CardRecord
  readonly proof: string
}

export const balancedBooks = (terminal: Terminal) => {
  const { terminalId } = terminal.identity
  /** Every record that a card ever showed, by card and counter: its log keeps the last ten only. */
  const records = new Map<string, Map<number, Kept>>()
  const handedOver = new Map<number, number>()

  const rowsOf = (cardId: string) => {
    const database = new Database(ledgerPath(terminal.dataDir), { readonly: true })
    try {
      const intents = database
        .prepare(
          `SELECT terminal_seq AS terminalSeq, type, state, goods, lower(hex(record) || hex(settlement_mac)) AS proof
           FROM intent WHERE card_id = ? ORDER BY terminal_seq`,
        )
        .all(cardId) as Row[]
      const captured = database
        .prepare(
          `SELECT lower(substr(hex(bytes), 1, 192)) AS proof FROM entry
           WHERE card_id = ? AND status = 'captured' ORDER BY proof`,
        )
        .pluck()
        .all(cardId) as string[]
      return { intents, captured }
    } finally {
      database.close()
    }
  }

  const expectGoodsOnce = (payment: Row) => {
    const handed = handedOver.get(payment.terminalSeq) ?? 0
    const undone = payment.state !== 'captured'
    const owed = payment.goods === 'owed' || payment.goods === 'withheld'
    const right = undone || owed ? handed === 0 : handed === 1
    expect({ ...payment, handed, right }).toEqual({ ...payment, handed, right: true })
  }

  return {
    note(card: TestCard) {
      const known = records.get(card.id) ?? new Map<number, Kept>()
      records.set(card.id, known)
      for (const entry of card.state.log) {
        const record = parseRecord(fromHex(entry.record, recordLength))
        known.set(record.counter, { record, proof: entry.record + entry.settlementMac })
      }
    },
    handOver({ terminalSeq }: { readonly terminalSeq: number }) {
      handedOver.set(terminalSeq, (handedOver.get(terminalSeq) ?? 0) + 1)
    },
    /** After the card's tap in good order: nothing is open, and card, ledger and goods say the same. */
    expectBalanced(card: TestCard, startMinor: number) {
      this.note(card)
      const { intents, captured } = rowsOf(card.id)
      const all = [...(records.get(card.id)?.values() ?? [])]
      const ours = all.filter(({ record }) => record.order.terminalId === terminalId)
      expect(intents.filter(({ state }) => state === 'open')).toEqual([])
      const paid = intents.filter(({ state }) => state === 'captured' || state === 'reversed')
      const byCard = ours.map(({ proof }) => proof).sort()
      // What the card did here is what was captured here, each once, as intent and as entry, and with the card's own MAC.
      expect(paid.map(({ proof }) => proof).sort()).toEqual(byCard)
      expect(captured).toEqual(byCard)
      expect(all).toHaveLength(card.state.counter)
      const changes = ours.reduce((sum, { record }) => sum + balanceChangeMinor(record.order), 0)
      expect(card.state.balanceMinor).toBe(startMinor + changes)
      const undone = new Set(
        ours.flatMap(({ record: { order } }): number[] => (order.type === 'reversal' ? [order.reference] : [])),
      )
      for (const {
        record: { order, counter },
      } of ours)
        if (order.type === 'payment')
          expect(intents.find(({ terminalSeq }) => terminalSeq === order.terminalSeq)?.state).toBe(
            undone.has(counter) ? 'reversed' : 'captured',
          )
      for (const payment of intents) if (payment.type === 'payment') expectGoodsOnce(payment)
    },
  }
}

/** Any taps in any order, cut anywhere, with restarts and sales elsewhere between them: the law holds at the end. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/batch.ts'
import { parseEntry } from '../../protocol/entry.ts'
import { macKey } from '../../protocol/mac.ts'
import { balanceChangeMinor, encodeRecord, type parseRecord } from '../../protocol/record.ts'
import { openReaderDouble } from '../reader/reader-double.ts'
import type { Terminal } from '../terminal.ts'
import { makeTestCard, makeTestTerminal, type TestCard, testTerminalKey } from '../test-terminal.ts'
import { purchase, witnessAfterSale } from './purchase.ts'

const stepArbitrary = fc.record({
  card: fc.nat(1),
  item: fc.constantFrom('map', 'wifi'),
  cut: fc.option(fc.record({ apdu: fc.integer({ min: 1, max: 8 }), when: fc.constantFrom('before', 'after') })),
  printer: fc.constantFrom('none', 'none', 'works', 'fails'),
  /** Whether the goods are noted as handed over, or the terminal dies before. */
  noted: fc.boolean(),
  restart: fc.boolean(),
  batch: fc.boolean(),
  elsewhere: fc.constantFrom(0, 0, 0, 1, 2, 11),
})

type Step = typeof stepArbitrary extends fc.Arbitrary<infer Value> ? Value : never

/** Handed over, by payment: how often, and whether a claim was shown. */
type HandedOver = Map<number, number>

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const allEntries = ({ ledger }: Terminal, seen: ReturnType<typeof parseEntry>[]) => {
  while (
    ledger.cutBatch((batch) => {
      seen.push(...batch.entries.map(parseEntry))
      return encodeBatch(macKey(testTerminalKey()), { ...batch, keyVersion: 1 })
    })
  );
}

test('no value from nothing, captured at most once, no goods without a captured payment, none after money back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 3, maxLength: 14 }), async (steps) => {
      const cleanUps: (() => void)[] = []
      const made = makeTestTerminal((cleanUp) => cleanUps.unshift(cleanUp))
      const cards = [makeTestCard({ balanceMinor: 20_000 }), makeTestCard({ balanceMinor: 20_000 })]
      const entries: ReturnType<typeof parseEntry>[] = []
      const records = new Map<string, ReturnType<typeof parseRecord>>()
      const handedOver: HandedOver = new Map()
      const units = new Map<string, number>()

      const note = (card: TestCard) => {
        for (const record of card.records) records.set(hex(encodeRecord(record)), record)
      }
      const tapOnce = async (step: Step, card: TestCard) => {
        const { terminal } = made
        const goods = terminal.issued?.catalogue.prepare(step.item)
        if (goods === undefined || typeof goods === 'string') return
        card.reset()
        const inserted = openReaderDouble().insert(card.answers, step.cut === null ? {} : { cut: step.cut })
        const print = async () => {
          if (step.printer === 'fails') throw new Error('out of paper')
        }
        await inserted
          .use(async (channel) => {
            const hooks = step.printer === 'none' ? {} : { handOver: print }
            const outcome = await purchase(terminal, channel, goods, hooks)
            if (outcome.outcome !== 'captured') return
            const { payment } = outcome
            expect(terminal.ledger.intent(payment.terminalSeq).state).toBe('captured')
            if (terminal.ledger.reversalBegun(payment))
              expect(outcome).toMatchObject({ goods: 'owed', claimable: false })
            if (outcome.goods === 'owed') return
            handedOver.set(payment.terminalSeq, (handedOver.get(payment.terminalSeq) ?? 0) + 1)
            if (payment.unit !== undefined) {
              expect(units.get(payment.unit) ?? payment.terminalSeq).toBe(payment.terminalSeq)
              units.set(payment.unit, payment.terminalSeq)
            }
            if (step.noted) terminal.ledger.markReleased(payment.terminalSeq)
            await witnessAfterSale(terminal, channel, payment)
          })
          .catch((error: unknown) => {
            if (!(error instanceof Error) || error.name !== 'CardFault') throw error
          })
        note(card)
      }

      try {
        for (const step of steps) {
          const card = cards[step.card]
          if (card === undefined) continue
          await tapOnce(step, card)
          for (let i = 0; i < step.elsewhere; i += 1) {
            card.pay(1)
            note(card)
          }
          if (step.batch) allEntries(made.terminal, entries)
          if (step.restart) made.restart()
        }
        // Both cards come back, uncut, until nothing of theirs is open.
        const calm = {
          item: 'map',
          cut: null,
          printer: 'none',
          noted: true,
          restart: false,
          batch: false,
          elsewhere: 0,
        } as const
        for (const card of [...cards, ...cards, ...cards]) await tapOnce({ ...calm, card: 0 }, card)
        allEntries(made.restart(), entries)

        for (const card of cards) {
          expect(made.terminal.ledger.openIntents(card.id)).toEqual([])
          const own = [...records.values()].filter(({ identity }) => identity.cardId === card.id)
          // I1: the card's own records explain its balance.
          expect(own.reduce((sum, { order }) => sum + balanceChangeMinor(order), 0)).toBe(card.state.balanceMinor)
          expect(own).toHaveLength(card.state.counter)
        }
        // I2: what the cards committed here is captured here once (or abandoned once, out of sight), and nothing else is.
        const ours = [...records].filter(([, { order }]) => order.terminalId === made.terminal.identity.terminalId)
        const decided = entries.filter(({ status }) => status === 'captured' || status === 'abandoned')
        const captured = decided
          .filter(({ status }) => status === 'captured')
          .map(({ record }) => hex(encodeRecord(record)))
        expect(new Set(captured).size).toBe(captured.length)
        const ofCards = new Set(ours.map(([bytes]) => bytes))
        for (const bytes of captured) expect(ofCards).toContain(bytes)
        const known = new Set(decided.map(({ record }) => hex(encodeRecord(record))))
        for (const [bytes] of ours) expect(known).toContain(bytes)
        // I3: goods only for captured payments that were not undone; and each of those has its goods or is owed.
        const undone = new Set(
          ours
            .filter(([, { order }]) => order.type === 'reversal')
            .map(([, { identity, order }]) => `${identity.cardId} ${order.reference}`),
        )
        for (const [bytes, record] of ours) {
          if (record.order.type !== 'payment' || !captured.includes(bytes)) continue
          const intent = made.terminal.ledger.intent(record.order.terminalSeq)
          if (undone.has(`${record.identity.cardId} ${record.counter}`))
            expect(handedOver.has(intent.terminalSeq)).toBe(false)
          else if (!handedOver.has(intent.terminalSeq)) {
            expect(intent.goods).toBe('owed')
            expect(entries.some((e) => e.status === 'owed' && hex(encodeRecord(e.record)) === bytes)).toBe(true)
          }
        }
        for (const terminalSeq of handedOver.keys())
          expect(made.terminal.ledger.intent(terminalSeq).state).toBe('captured')
      } finally {
        for (const cleanUp of cleanUps) cleanUp()
      }
    }),
    { numRuns: 40 },
  )
}, 120_000)

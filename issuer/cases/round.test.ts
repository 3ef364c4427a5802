import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { insertRows } from '../bulk-rows.ts'
import type { Issuer } from '../issuer.ts'
import { type Bench, newCard, newTerminal, openBench } from '../test-support.ts'
import { cardsPerStep, reconcileCases } from './round.ts'

const cards = 2500
let bench: Bench
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench.close())

/** Cards that each have one thing to look into, and no file of it. */
const addBacklog = ({ issuer }: Bench): Promise<void> =>
  issuer.store.write(async (db) => {
    const numbers = Array.from({ length: cards }, (_, index) => index + 1000)
    const at = issuer.clock()
    await insertRows(
      db,
      'card',
      numbers.map((card_no) => ({
        card_no,
        card_id: `ca${card_no.toString(16).padStart(14, '0')}`,
        key_version: 1,
        status: 'active' as const,
        created_at: at,
      })),
    )
    await insertRows(
      db,
      'alarm',
      numbers.map((card_no) => ({
        alarm_key: `rollback/${card_no}`,
        kind: 'rollback',
        card_no,
        counter: 1,
        terminal_no: null,
        document: 'batch 1',
        raised_at: at,
        last_document: null,
      })),
    )
  })

/** The same issuer, with the number of files that each transaction opened. */
const counting = (issuer: Issuer): { readonly issuer: Issuer; readonly opened: readonly number[] } => {
  const opened: number[] = []
  const { store } = issuer
  const write: Issuer['store']['write'] = (work) =>
    store.write(async (db) => {
      const count = async () =>
        Number(
          (
            await db
              .selectFrom('case_file')
              .select((eb) => eb.fn.countAll().as('files'))
              .executeTakeFirst()
          )?.files,
        )
      const before = await count()
      const result = await work(db)
      opened.push((await count()) - before)
      return result
    })
  return { issuer: { ...issuer, store: { ...store, write } }, opened }
}

describe('thousands of cards without a file', () => {
  beforeEach(() => addBacklog(bench))

  test('are taken some at a time, and between any two steps a batch is acknowledged', async () => {
    const town = await newTerminal(bench.issuer, 'Town')
    const card = await newCard(bench.issuer)
    const { issuer, opened } = counting(bench.issuer)
    const verdicts: string[] = []
    let steps = 0
    const rest = async () => {
      steps += 1
      // It waits for the writer: inside of a transaction it would never come back.
      if (steps % 10 === 0) verdicts.push((await town.sync(town.entry(await town.load(card, 100)))).verdict)
    }
    expect(await reconcileCases(issuer, { rest })).toEqual({ opened: cards, closed: 0, reopened: 0, takenBack: 0 })
    expect(Math.max(...opened)).toBe(cardsPerStep)
    expect(opened.filter((files) => files > 0)).toHaveLength(cards / cardsPerStep)
    expect(verdicts.length).toBeGreaterThan(4)
    expect(new Set(verdicts)).toEqual(new Set(['taken']))
  })

  test('that a round left when it was cut off are found by the next, each once', async () => {
    const { issuer, opened } = counting(bench.issuer)
    const rest = async () => {
      if (opened.filter((files) => files > 0).length === 7) throw new Error('cut off')
    }
    await expect(reconcileCases(issuer, { rest })).rejects.toThrow('cut off')
    expect(await reconcileCases(issuer)).toMatchObject({ opened: cards - 7 * cardsPerStep, closed: 0 })
    expect(await reconcileCases(issuer)).toEqual({ opened: 0, closed: 0, reopened: 0, takenBack: 0 })
  })
})

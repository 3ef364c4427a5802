import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Bench, newCard, newTerminal, openBench, publish } from '../test-support.ts'
import { keepCases } from './keeper.ts'
import type { Reconciled } from './reconcile.ts'

let bench: Bench
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench.close())

test('many documents are one pass, which two keepers on one store take turns with', async () => {
  const { issuer } = bench
  const map = await publish(issuer, 'map', 250)
  const town = await newTerminal(issuer, 'Town')
  const card = await newCard(issuer)
  const passes: Reconciled[] = []
  let heard = Promise.withResolvers<void>()
  const onPass = (outcome: Reconciled | Error) => {
    if (outcome instanceof Error) throw outcome
    passes.push(outcome)
    if (passes.length % 2 === 0) heard.resolve()
  }
  const keepers = [keepCases(issuer, { delayMs: 1, onPass }), keepCases(issuer, { delayMs: 1, onPass })]
  await heard.promise
  heard = Promise.withResolvers()
  await town.sync(town.entry(await town.load(card, 5000)), town.entry(card.pay(town, map, 100)))
  for (const keeper of keepers) for (let time = 0; time < 5; time += 1) keeper.documentCame()
  await heard.promise
  await Promise.all(keepers.map((keeper) => keeper.close()))
  expect(passes).toHaveLength(4)
  expect(passes.reduce((sum, { opened }) => sum + opened, 0)).toBe(1)
})

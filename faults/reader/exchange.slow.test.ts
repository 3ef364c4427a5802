/**
 * Cards and readers that take each other's place in the middle: another card with the reader none the wiser, another card
 * the instant after a cut, the other slot, another reader.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/reader`; `npm test` does.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fundingIssuer } from './funding-issuer.ts'
import { scenesAt } from './scenes.ts'
import { soaking } from './soak-minutes.ts'
import { openStand, type Stand, slots } from './stand.ts'

const cleanUps: (() => void)[] = []
let stand: Stand

beforeAll(async () => {
  stand = await openStand((cleanUp) => cleanUps.unshift(cleanUp), { cuts: true, client: fundingIssuer })
})
afterAll(async () => {
  await stand.close()
  for (const cleanUp of cleanUps) cleanUp()
})

describe.each(scenesAt(() => stand))('$name', ({ name, exchanges, prepare, tap = {} }) => {
  const places = exchanges.map(([instruction, nth]) => ({ instruction, nth }))

  // From SELECT on it would be the other card's own tap.
  const begun = places.filter(({ instruction, nth }) => instruction !== 'select' || nth > 1)
  test.for(begun)('another card lies there from $instruction $nth on, unnoticed: it is not touched', async (at) => {
    const customer = stand.customer()
    const stranger = stand.customer()
    await prepare?.(customer)
    const { struck } = await stand.tap(customer, {
      ...tap,
      faults: [{ ...at, fault: { kind: 'swap', purse: stranger.card.purse } }],
    })
    expect(struck).toBe(true)
    expect(stranger.card.state.counter).toBe(1)
    await stand.comeBack(stranger)
    await stand.comeBack(customer)
  })

  // It takes the reader half a second to be sure.
  const quickly = soaking || name === 'a sale' ? places : places.slice(-1)
  test.for(quickly)(
    'cut at $instruction $nth, and another card there at once, before pcscd looks: each pays its own',
    async (at) => {
      const customer = stand.customer()
      const stranger = stand.customer()
      await prepare?.(customer)
      const next = await stand.tapAndSwap(customer, stranger, { ...tap, at })
      expect(next).toMatchObject({ outcome: 'captured', recovered: false, balanceMinor: 4750 })
      stand.books.expectBalanced(stranger.card, stranger.startMinor)
      await stand.comeBack(customer)
    },
  )

  test.for(places)('torn in one slot at $instruction $nth, and on in the other', async (at) => {
    const customer = stand.customer()
    await prepare?.(customer)
    await stand.tap(customer, { ...tap, faults: [{ ...at, fault: { kind: 'cut', when: 'after' } }] })
    await stand.comeBack(customer, { slot: slots[1] })
    await stand.nextCustomer({ slot: slots[1] })
  })
})

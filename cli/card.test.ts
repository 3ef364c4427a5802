import { expect, test } from 'vitest'
import { amountMinor } from '../protocol/quantities.ts'
import { pinText } from './card.ts'

const info = { balanceMaxMinor: amountMinor(20_000), currency: 'EUR' } as const

test.each([
  ['was made without a PIN', { pinFreeLeftMinor: 0xffff_ffff - 750, pinTriesLeft: 3 }, 'asks for no PIN'],
  ['has a PIN', { pinFreeLeftMinor: 1_250, pinTriesLeft: 3 }, '12.50 before it asks for its PIN, 3 tries left'],
  ['has one try left', { pinFreeLeftMinor: 0, pinTriesLeft: 1 }, '0.00 before it asks for its PIN, 1 try left'],
])('says of a card that %s what it asks for', (_, pin, says) => {
  expect(pinText({ ...info, ...pin, pinFreeLeftMinor: amountMinor(pin.pinFreeLeftMinor) })).toBe(says)
})

import { expect, test } from 'vitest'
import { type Place, rulesOf, type Touch } from './modes.ts'

const touches: readonly Touch[] = [
  'buy',
  'cancel',
  'stay',
  'pinKey',
  'topUp',
  'topUpCode',
  'takeCredits',
  'showGoods',
  'printReceipt',
  'collect',
  'finish',
  'operatorKey',
  'operatorBalance',
  'operatorAct',
  'operatorLeave',
]

/** Written down apart from the table: every cell, the forbidden ones too. */
const expected: Readonly<Record<Place, string>> = {
  browse: 'buy topUp | tell',
  'pay waiting': 'cancel stay | pay timed',
  'pay twoCards': 'cancel stay | pay timed',
  'pay working': '| nothing',
  'pin entering': 'cancel stay pinKey | nothing timed',
  'pin wrong': 'cancel stay pinKey | nothing timed',
  'pin tap': 'cancel stay | payWithPin timed',
  'pin wrongCard': 'cancel stay | payWithPin timed',
  'pin working': '| nothing',
  'top-up code': 'cancel stay topUpCode | nothing timed',
  'top-up asking': 'cancel | nothing',
  'top-up tap': 'cancel stay | load timed',
  'top-up working': '| nothing',
  'top-up done': 'stay finish | nothing timed',
  'top-up failed': 'stay topUp finish | tell timed',
  'recover waiting': 'stay finish | finishDoubt timed',
  'recover wrongCard': 'stay finish | finishDoubt timed',
  'recover working': '| nothing',
  'operator entering': 'stay operatorKey operatorBalance operatorLeave | nothing timed',
  'operator wrong': 'stay operatorKey operatorBalance operatorLeave | nothing timed',
  'operator checking': '| nothing',
  'operator waiting': 'stay operatorBalance operatorLeave | nothing timed',
  'operator open': 'stay operatorAct operatorLeave | nothing timed',
  'operator tap': 'stay operatorAct operatorLeave | task timed',
  'operator working': '| nothing',
  approved: 'showGoods printReceipt finish | nothing',
  goods: 'printReceipt finish | nothing',
  declined: 'buy topUp finish | nothing',
  balance: 'topUp takeCredits collect finish | nothing',
}

test.each(Object.entries(rulesOf))('%s', (place, { touches: allowed, card, timed }) => {
  const named = touches.filter((touch) => (allowed as readonly Touch[]).includes(touch))
  expect([...named, '|', card, ...(timed ? ['timed'] : [])].join(' ')).toBe(expected[place as Place])
})

test('where a card works nothing can be touched, and wherever a customer waits he can leave or the clock ends it', () => {
  for (const [place, { touches: allowed, timed }] of Object.entries(rulesOf)) {
    if (/ (working|checking)$/.test(place)) expect(allowed).toEqual([])
    // The network's patience is the clock.
    else if (place === 'top-up asking') expect(allowed).toEqual(['cancel'])
    else if (place !== 'browse') expect(timed || (allowed as readonly Touch[]).includes('finish'), place).toBe(true)
  }
})

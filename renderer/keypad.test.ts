import { expect, it } from 'vitest'
import { stepOf } from './keypad.ts'
import { pinKeyOf } from './screens/Pin.tsx'

it('goes by four keys of a keypad or four arrows, left and right by the way of reading', () => {
  for (const [key, ltr, rtl] of [
    ['2', 'up', 'up'],
    ['ArrowDown', 'down', 'down'],
    ['6', 'next', 'previous'],
    ['ArrowRight', 'next', 'previous'],
    ['4', 'previous', 'next'],
    ['ArrowLeft', 'previous', 'next'],
    ['5', 'choose', 'choose'],
    ['*', 'back', 'back'],
    ['Escape', 'back', 'back'],
    ['#', 'help', 'help'],
    ['0', 'speech', 'speech'],
  ] as const) {
    expect(stepOf(key, 'ltr'), key).toBe(ltr)
    expect(stepOf(key, 'rtl'), key).toBe(rtl)
  }
  for (const key of ['7', '9', 'a', 'Tab', 'Enter', ' ', 'constructor']) expect(stepOf(key, 'ltr'), key).toBeUndefined()
})

it('takes every figure for the PIN, star to delete and hash to confirm', () => {
  for (let digit = 0; digit <= 9; digit += 1) expect(pinKeyOf(String(digit))).toBe(String(digit))
  expect(['*', 'Backspace'].map(pinKeyOf)).toEqual(['back', 'back'])
  expect(['#', 'Enter'].map(pinKeyOf)).toEqual(['enter', 'enter'])
  for (const key of ['a', '10', 'Escape', 'constructor', '']) expect(pinKeyOf(key), key).toBeUndefined()
})

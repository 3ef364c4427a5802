import { expect, test } from 'vitest'
import { answerReader } from './answers.ts'

const kindsOf = (bytes: readonly number[]) => bytes.map(answerReader())

test('an answer in real time, one in turn, and the marks that only hold the line up', () => {
  expect(kindsOf([0x12, 0x7e, 0x00, 0x0f, 0x11, 0x13, 0xff])).toEqual(['now', 'now', 'inTurn', 'inTurn', ...Array(3)])
})

test('what a printer tells by itself is no answer, not even where another comes in between', () => {
  const paperIsOut = [0x18, 0x00, 0x0c, 0x00] as const
  expect(kindsOf([...paperIsOut, 0x00])).toEqual([...Array(4), 'inTurn'])
  expect(kindsOf([0x18, 0x12, 0x00, 0x13, 0x0c, 0x00, 0x00])).toEqual([undefined, 'now', ...Array(4), 'inTurn'])
  expect(kindsOf([0x18, 0x00, ...paperIsOut, 0x0c])).toEqual([...Array(6), 'inTurn'])
})

import * as v from 'valibot'
import { expect, test } from 'vitest'
import { listQuery } from './list.ts'

test('a list without a word is sorted by its first column, and bounded', () => {
  const query = listQuery(['at', 'amount'], { merchant: v.optional(v.string()) })
  expect(v.parse(query, {})).toEqual({ sort: 'at', direction: 'descending', limit: 50 })
  expect(v.safeParse(query, { limit: '201' }).success).toBe(false)
  expect(v.safeParse(query, { sort: 'name' }).success).toBe(false)
})

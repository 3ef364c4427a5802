import { expect, test } from 'vitest'
import { GroupCommit } from './group-commit.ts'

const limits = { weightMax: 10, quietMs: 1, gatherMs: 20 }

test('what comes while a group is written goes into the next, up to its weight, and each is answered with its own', async () => {
  const groups: number[][] = []
  const commit = new GroupCommit<number, string>(limits)
  const work = async (items: readonly number[]) => {
    groups.push([...items])
    await new Promise((resolve) => setImmediate(resolve))
    return items.map((item) => `answer ${item}`)
  }
  const answers = await Promise.all([1, 2, 3, 4, 5].map((item) => commit.take({ item, weight: 4 }, work)))
  expect(answers).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer 4', 'answer 5'])
  expect(groups).toEqual([[1, 2], [3, 4], [5]])
})

test('an item that is heavier than a group may be is a group of its own', async () => {
  const groups: number[][] = []
  const commit = new GroupCommit<number, number>(limits)
  const work = async (items: readonly number[]) => {
    groups.push([...items])
    return items
  }
  await Promise.all([commit.take({ item: 1, weight: 50 }, work), commit.take({ item: 2, weight: 1 }, work)])
  expect(groups).toEqual([[1], [2]])
})

test('one item that cannot be taken in spoils no other of its group', async () => {
  const commit = new GroupCommit<number, number>(limits)
  const work = async (items: readonly number[]) => {
    if (items.includes(2)) throw new Error('2 is bad')
    return items
  }
  const settled = await Promise.allSettled([1, 2, 3].map((item) => commit.take({ item, weight: 1 }, work)))
  expect(settled).toMatchObject([{ value: 1 }, { reason: new Error('2 is bad') }, { value: 3 }])
})

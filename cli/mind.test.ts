import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { mind } from './mind.ts'

/** A program that ends with these statuses, one after the other; how often it was started. */
const program = (statuses: readonly (number | 'waits')[]) => {
  let starts = 0
  const start = () => {
    const status = statuses[starts] ?? 99
    starts += 1
    const script =
      status === 'waits'
        ? `process.on('SIGTERM', () => process.exit(75)); setInterval(() => {}, 1000); console.log('up')`
        : `process.exit(${status})`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.once('data', () => process.emit('SIGTERM', 'SIGTERM'))
    return child
  }
  return { start, starts: () => starts }
}

test('a kiosk that an operator restarts is started again, and any other end is the end', async () => {
  const { start, starts } = program([75, 75, 3])
  expect(await mind(start, 1)).toBe(3)
  expect(starts()).toBe(3)
})

test('a signal stops it for good, whatever it ends with', async () => {
  const { start, starts } = program(['waits'])
  expect(await mind(start, 1)).toBe(75)
  expect(starts()).toBe(1)
})

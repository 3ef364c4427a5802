import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { driveClock } from './driven-clock.ts'

const answerBytes = 512 * 1024
const answers = 20

/** Fetches from itself at every line that it is told; of `keep` it keeps the answers. */
const fetching = `
  const kept = []
  const server = require('node:http').createServer((_, response) => response.end(Buffer.alloc(${answerBytes})))
  server.listen(0, '127.0.0.1', () => console.log('ready'))
  process.stdin.on('data', async (line) => {
    for (let count = 0; count < ${answers}; count += 1) {
      const answer = await (await fetch('http://127.0.0.1:' + server.address().port)).arrayBuffer()
      if (String(line) === 'keep') kept.push(answer)
    }
    console.log('fetched')
  })`

it('counts what a process holds, and not what it had and let go of', async () => {
  const clock = await driveClock()
  const child = spawn(process.execPath, ['-e', fetching], {
    env: { ...process.env, ...clock.env() },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const heldAfter = async (order: 'keep' | 'leave') => {
    child.stdin.write(order)
    await once(child.stdout, 'data')
    return clock.heldBytes()
  }
  try {
    await once(child.stdout, 'data')
    const before = await clock.heldBytes()
    const first = await heldAfter('leave')
    const second = await heldAfter('leave')
    expect(Math.abs(second - first)).toBeLessThan((answers * answerBytes) / 4)
    // Against a process that fetched nothing yet: of what it let go of, Node itself holds the last few answers, or does no more.
    const third = await heldAfter('keep')
    expect(third - before).toBeGreaterThan((answers * answerBytes * 3) / 4)
  } finally {
    child.kill()
    clock.close()
  }
})

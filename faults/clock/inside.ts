/**
 * Runs inside the kiosk's processes before anything of theirs (driven-clock.ts says how it gets there): their clock goes on
 * by itself, and further when it is told to. What they read it by and wait by is all of one clock: Date, timers, performance.
 */
import { syncBuiltinESMExports } from 'node:module'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { install } from '@sinonjs/fake-timers'

/** In real time, as fine as a countdown needs it. */
const everyMs = 10
/** What happens on the way happens at its time: between two of these, answers from outside are taken. */
const stepMs = 100

const { FARTHING_CLOCK_SOCKET: socketPath = '', FARTHING_CLOCK_FROM_MS: fromMs } = process.env
const breath = () => new Promise<void>((resolve) => setImmediate(resolve))

const clock = install({
  now: Number(fromMs),
  shouldAdvanceTime: true,
  advanceTimeDelta: everyMs,
  toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
})
// Modules that import these by name from node:timers/promises get the same.
syncBuiltinESMExports()

/** What is asked over the network is answered before time goes on: a machine that jumps must not take that for silence. */
const answered = async () => {
  while (process.getActiveResourcesInfo().some((name) => /^TCP(Socket|Connect)Wrap$/.test(name))) await breath()
}

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
const collections = 4
/**
 * What is still reachable: in a day of minutes the rest has no time to go. One collection is not enough: buffers that it finds
 * dead are taken off the count by the next one, and what a finalizer let go of is found dead by the next one.
 */
const heldBytes = async (): Promise<number> => {
  for (let round = 0; round < collections; round += 1) {
    collect()
    await breath()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const socket = connect(socketPath).unref()
const orders = createInterface({ input: socket })
// Whoever drives it may go: the clock goes on.
for (const end of [socket, orders]) end.on('error', () => {})
orders.on('line', async (line) => {
  if (line === 'held') return void socket.write(`${await heldBytes()}\n`)
  for (let leftMs = Number(line); leftMs > 0; leftMs -= stepMs) {
    clock.tick(Math.min(leftMs, stepMs))
    await breath()
  }
  await answered()
  socket.write(`${Date.now()}\n`)
})

/**
 * Stops and starts the pcscd that with-pcscd.sh set up, from inside the command it runs (a test, the demonstration).
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const socket = '/run/pcscd/pcscd.comm'
const pollMs = 10
const waitMsMax = 5000

export interface PcscdRig {
  /** pcscd's process id. */
  pid(): number
  /** Kills pcscd and waits until it is gone. After SIGKILL its socket file stays behind, as in the field. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts pcscd and waits until it listens. Does nothing if it runs. */
  start(): Promise<void>
}

const waitUntil = async (happened: () => boolean, what: string) => {
  const deadlineMs = performance.now() + waitMsMax
  while (!happened()) {
    if (performance.now() > deadlineMs) throw new Error(`${what} did not happen within ${waitMsMax} ms`)
    await delay(pollMs)
  }
}

/** A zombie has ended, but only once its last thread has: until then vpcd's ports stay taken. */
const runs = (pid: number) => {
  try {
    const zombie = /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return !zombie || readdirSync(`/proc/${pid}/task`).length > 1
  } catch {
    return false
  }
}

/** @throws Error, with the command to run, outside of with-pcscd.sh */
export const pcscdRig = (): PcscdRig => {
  const directory = process.env.FARTHING_PCSCD_DIR
  if (directory === undefined)
    throw new Error('This needs a pcscd of its own: run "scripts/pcsc/with-pcscd.sh COMMAND...", or "npm test".')
  const pid = () => Number(readFileSync(path.join(directory, 'pid'), 'utf8'))
  return {
    pid,
    stop: async (signal = 'SIGTERM') => {
      const running = pid()
      if (!runs(running)) return
      process.kill(running, signal)
      await waitUntil(() => !runs(running), 'the end of pcscd')
    },
    start: async () => {
      if (runs(pid())) return
      rmSync(socket, { force: true })
      rmSync('/run/pcscd/pcscd.pid', { force: true })
      spawn(path.join(directory, 'start'), { detached: true, stdio: 'ignore' }).unref()
      await waitUntil(() => existsSync(socket), 'the start of pcscd')
    },
  }
}

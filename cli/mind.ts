/** Minds a program until it is done: passes signals on, and starts it again when an operator asked for that on its screen. */
import type { ChildProcess } from 'node:child_process'

/** With this the kiosk ends to be started again (main/index.ts). */
const restartStatus = 75
const passedOn = ['SIGTERM', 'SIGINT'] as const

/** @param start begins the program @param failed the status of one that a signal ended @returns its last status */
export const mind = async (start: () => ChildProcess, failed: number): Promise<number> => {
  let child: ChildProcess
  let stopping = false
  const pass = (signal: NodeJS.Signals) => {
    stopping = true
    child.kill(signal)
  }
  for (const signal of passedOn) process.on(signal, pass)
  try {
    for (;;) {
      child = start()
      const status = await new Promise<number>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', (exit) => resolve(exit ?? failed))
      })
      if (status !== restartStatus || stopping) return status
    }
  } finally {
    for (const signal of passedOn) process.off(signal, pass)
  }
}

/** The newest lines of what the kiosk says of itself, for the operator at its screen; they are on the error output, too. */
import type { LogLine } from '../../preload/operator-contract.ts'

const linesMax = 200
const lineLengthMax = 400

export interface LogLines {
  add(message: string): void
  /** Oldest first. */
  readonly lines: readonly LogLine[]
}

export const openLogLines = (now: () => Date): LogLines => {
  const lines: LogLine[] = []
  return {
    add(message) {
      lines.push({ at: now().toISOString(), text: message.slice(0, lineLengthMax) })
      if (lines.length > linesMax) lines.shift()
    },
    get lines() {
      return [...lines]
    },
  }
}

/** The newest lines of what the kiosk says of itself, for the operator at its screen; they are on the error output, too. */
const linesMax = 200
const lineLengthMax = 400

export interface LogLines {
  add(message: string): void
  /** Oldest first, each with its time. */
  readonly lines: readonly string[]
}

export const openLogLines = (now: () => Date): LogLines => {
  const lines: string[] = []
  return {
    add(message) {
      lines.push(`${now().toISOString()} ${message.slice(0, lineLengthMax)}`)
      if (lines.length > linesMax) lines.shift()
    },
    get lines() {
      return [...lines]
    },
  }
}

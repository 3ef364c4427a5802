/**
 * What the command line and the environment ask of the app (docs/OPERATIONS.md): pure parsing, before anything starts.
 */
import { parseArgs } from 'node:util'

export interface StartOptions {
  readonly dataDir: string
  /** A plain window of this size, for development; absent: the whole screen, as a kiosk. */
  readonly windowSize?: { readonly width: number; readonly height: number }
  /** The wish for a debugger's port, not yet allowed. */
  readonly debugPort?: string
}

/** @returns the options, or one sentence on what is wrong with them */
export const startOptions = (from: {
  argv: readonly string[]
  env: Readonly<Record<string, string | undefined>>
}): StartOptions | { problem: string } => {
  // Chromium's own switches stand in the same command line, so unknown ones are no mistake.
  const { values } = parseArgs({ args: [...from.argv], options: { data: { type: 'string' } }, strict: false })
  if (typeof values.data !== 'string' || values.data === '')
    return { problem: 'say where the terminal keeps its data: --data DIR' }
  const size = from.env.FARTHING_WINDOW
  const [, width, height] = size?.match(/^([1-9]\d{2,4})x([1-9]\d{2,4})$/) ?? []
  if (size !== undefined && (width === undefined || height === undefined))
    return { problem: `FARTHING_WINDOW must be WIDTHxHEIGHT in pixels, such as 1080x1920, not "${size}"` }
  return {
    dataDir: values.data,
    ...(size === undefined ? {} : { windowSize: { width: Number(width), height: Number(height) } }),
    ...(from.env.FARTHING_DEBUG_PORT === undefined ? {} : { debugPort: from.env.FARTHING_DEBUG_PORT }),
  }
}

/**
 * Whether a debugger may attach to the page (it could then press any button): in development only, on loopback,
 * never where the terminal can take real money.
 */
export const debugPortAllowed = (wish: {
  port: string
  packaged: boolean
  productionKeys: boolean
}): { allowed: true; port: number } | { allowed: false; problem: string } => {
  const port = Number(wish.port)
  if (wish.packaged) return { allowed: false, problem: 'FARTHING_DEBUG_PORT works in a checkout only; unset it' }
  if (wish.productionKeys)
    return { allowed: false, problem: 'FARTHING_DEBUG_PORT is refused: this data folder holds production keys' }
  if (!/^\d{1,5}$/.test(wish.port) || port < 1024 || port > 65_535)
    return { allowed: false, problem: `FARTHING_DEBUG_PORT must be a port from 1024 to 65535, not "${wish.port}"` }
  return { allowed: true, port }
}

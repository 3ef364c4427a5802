/**
 * Pages are made in a thread of their own: unpacking a font and setting a page in it keeps a processor busy for up to a second,
 * and touches, reader and heartbeat would wait for it. The thread begins with the first page and stays, its fonts open, as long as
 * the process has anything else to do.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { PrintDocument } from './print-job.ts'
import type { PrinterSetting } from './printer-settings.ts'

export interface Page {
  readonly document: PrintDocument
  readonly setting: PrinterSetting
}

/**
 * A day of receipts in five languages holds 50 to 70 MB. What needs more (titles of hundreds of rare characters) is not printed.
 * Without limits as low, V8 lets a hundred more lie about before it cleans up.
 */
const heapLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 } as const

const modulePath = () =>
  new URL(import.meta.url.endsWith('.ts') ? './render-thread.ts' : './render-thread.js', import.meta.url)

let thread: Worker | undefined
/** It answers one page after the other, and says not which. */
let last: Promise<unknown> = Promise.resolve()

const startThread = (): Worker => {
  const started = new Worker(modulePath(), { resourceLimits: heapLimits })
  // Whoever waits for a page is told by it. Here it only keeps an error between two pages from ending main.
  started.on('error', () => {})
  started.once('exit', () => {
    if (thread === started) thread = undefined
  })
  return started
}

const renderNow = async (page: Page, signal: AbortSignal): Promise<Uint8Array> => {
  thread ??= startThread()
  const asked = thread
  asked.ref()
  try {
    asked.postMessage(page)
    const [bytes] = await once(asked, 'message', { signal })
    return bytes
  } catch (error) {
    // It broke, or works on what nobody waits for: the next page has a new one.
    if (thread === asked) thread = undefined
    void asked.terminate()
    throw error
  } finally {
    asked.unref()
  }
}

/** As `render`. @throws what broke the thread; AbortError when the signal comes first */
export const renderApart = (page: Page, signal: AbortSignal): Promise<Uint8Array> => {
  const turn = last.then(() => renderNow(page, signal))
  last = turn.catch(() => {})
  return turn
}

/**
 * Previews of what strangers packed. A PDF or a book can be written so that its reader is busy for hours: it is read in a thread
 * of its own, which is ended when its time is up, and the issuer answers everybody else meanwhile.
 */
import { Worker } from 'node:worker_threads'
import { type Preview, previewOf } from './previews.ts'

export interface PreviewTask {
  readonly content: Uint8Array
  readonly mediaType: string
}

/** What unpacks; the rest is cut by its length alone. */
const packed = ['application/pdf', 'application/epub+zip']
const timeMsMax = 30_000
const heapMiBMax = 1024

/** @returns as `previewOf`; undefined, too, when it took too long or too much memory */
export const previewApart = (task: PreviewTask, timeMs = timeMsMax): Promise<Preview | undefined> => {
  if (!packed.includes(task.mediaType)) return previewOf(task.content, task.mediaType)
  return new Promise((resolve) => {
    const thread = new Worker(new URL('preview-thread.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: heapMiBMax },
    })
    const timer = setTimeout(() => thread.terminate(), timeMs)
    let preview: Preview | undefined
    thread.once('message', (made: Preview | undefined) => {
      preview = made
    })
    // It ran out of memory: the end of the thread follows.
    thread.once('error', () => undefined)
    thread.once('exit', () => {
      clearTimeout(timer)
      resolve(preview)
    })
  })
}

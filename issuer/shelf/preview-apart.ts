/**
 * Previews of what strangers packed. A PDF or a book can be written so that its reader is busy for hours, and 64 MiB of anything
 * else so that it is for seconds: such is read in a thread of its own, which is ended when its time is up, and the issuer answers
 * everybody else meanwhile. One after the other: whoever adds a dozen books at once must not take the machine's memory a dozen times.
 */
import { Worker } from 'node:worker_threads'
import { flawOf, flawSays } from './file-flaws.ts'
import { type Preview, previewOf } from './previews.ts'

export interface PreviewTask {
  readonly content: Uint8Array
  readonly mediaType: string
}

/** What unpacks; the rest takes no longer than its length allows. */
const packed = ['application/pdf', 'application/epub+zip']
/** The worst of that length keeps a processor busy for a tenth of a second, which is what a thread takes to begin. */
const bytesHereMax = 1024 * 1024
const timeMsMax = 30_000
const heapMiBMax = 1024
/** With the one that is being made; each holds its goods in memory while it waits. */
const tasksMax = 8

export interface MadePreview {
  readonly preview?: Preview
  /** What is wrong with it, or why none was made where one might have been: a sentence. */
  readonly problem?: string
}

const madeOf = (preview: Awaited<ReturnType<typeof previewOf>>): MadePreview => {
  if (preview === 'unreadable')
    return {
      problem: 'The file is damaged or locked by a password. Look whether it opens, and export it again.',
    }
  return preview === undefined ? {} : { preview }
}

/** What is wrong with it as a whole, or a part of it. */
export const makePreview = async ({ content, mediaType }: PreviewTask): Promise<MadePreview> => {
  const flaw = flawOf(content, mediaType)
  if (flaw !== undefined) return { problem: `The file ${flawSays[flaw]}` }
  return madeOf(await previewOf(content, mediaType))
}

const inThread = (task: PreviewTask, timeMs: number): Promise<MadePreview> =>
  new Promise((resolve) => {
    const thread = new Worker(new URL('preview-thread.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: heapMiBMax },
    })
    let made: MadePreview = {}
    const timer = setTimeout(() => {
      made = { problem: `No preview was made: its reader was still busy after ${timeMs / 1000} seconds.` }
      thread.terminate()
    }, timeMs)
    thread.once('message', (told: MadePreview) => {
      made = told
    })
    // The end of the thread follows.
    thread.once('error', (error) => {
      made = { problem: `No preview was made: ${error instanceof Error ? error.message : String(error)}` }
    })
    thread.once('exit', () => {
      clearTimeout(timer)
      resolve(made)
    })
  })

let tasks = 0
let last: Promise<unknown> = Promise.resolve()

/** @returns as `makePreview`; none, too, when it took too long or too much memory, or when too many wait */
export const previewApart = async (task: PreviewTask, timeMs = timeMsMax): Promise<MadePreview> => {
  const { content, mediaType } = task
  // What unpacks is known for torn by its two ends, without waiting for a turn.
  const isQuick = packed.includes(mediaType) ? flawOf(content, mediaType) !== undefined : content.length <= bytesHereMax
  if (isQuick) return makePreview(task)
  if (tasks >= tasksMax)
    return { problem: `No preview was made: ${tasksMax} others are being made. Add the article again later.` }
  tasks += 1
  const turn = last
    .then(() => inThread(task, timeMs))
    .finally(() => {
      tasks -= 1
    })
  // Whatever comes of it, the next one has its turn.
  last = turn.catch(() => undefined)
  return turn
}

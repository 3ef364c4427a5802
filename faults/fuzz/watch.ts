/** Runs targets in threads of their own and watches over them: a loop without end, or a death, is named with its input. */
import { Worker } from 'node:worker_threads'
import { type Course, type Finding, lengthMaxDefault } from './engine.ts'
import type { Target } from './target.ts'
import type { FromThread, PresentInput, ThreadTask } from './thread.ts'

/** Of one run of one input, what is merely slow three times. Judged by the thread's own processor time, so that a busy machine is no hang. */
const hangMsMax = 8000
const lookMs = 250
const heapMbMax = 1024
/** As the main thread of a terminal has it. */
const stackMbMax = 1

export interface Watched {
  readonly findings: readonly Finding[]
  /** Absent when the target did not come to its end. */
  readonly course?: Course
}

type Task = Omit<ThreadTask, 'present' | 'target'> & { readonly hangMs?: number }

const presentInput = (lengthMax: number): PresentInput => ({
  numbers: new Int32Array(new SharedArrayBuffer(12)),
  bytes: new Uint8Array(new SharedArrayBuffer(lengthMax)),
})

const cpuMs = async (worker: Worker): Promise<number> => {
  const { user, system } = await worker.cpuUsage()
  return (user + system) / 1000
}

interface Watch {
  readonly present: PresentInput
  readonly hangMs: number
  readonly onHang: () => void
}

/** Calls `onHang` when one run keeps the thread busy for too long. @returns the function that stops it */
const watchOver = (worker: Worker, { present, hangMs, onHang }: Watch): (() => void) => {
  let lastRun = -1
  let sinceCpuMs = 0
  const look = async () => {
    const run = Atomics.load(present.numbers, 2)
    const spentMs = await cpuMs(worker).catch(() => 0)
    if (run !== lastRun || run === 0) sinceCpuMs = spentMs
    lastRun = run
    if (spentMs - sinceCpuMs > hangMs) onHang()
  }
  const timer = setInterval(() => void look(), lookMs)
  return () => clearInterval(timer)
}

/** Fuzzes one target in a thread until it is done, dead or hanging. */
export const runWatched = (target: Target, { hangMs = hangMsMax, ...task }: Task): Promise<Watched> =>
  new Promise((resolve) => {
    const present = presentInput(target.lengthMax ?? lengthMaxDefault)
    const data: ThreadTask = { ...task, target: target.name, present }
    const worker = new Worker(new URL('thread.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapMbMax, stackSizeMb: stackMbMax },
    })
    const findings: Finding[] = []
    let course: Course | undefined
    let ended = false
    const end = () => {
      if (ended) return
      ended = true
      stop()
      resolve({ findings, ...(course === undefined ? {} : { course }) })
    }
    /** What the thread was at when it stopped. */
    const blame = (kind: 'hang' | 'died', detail: string) => {
      const length = Atomics.load(present.numbers, 1)
      const input = Buffer.from(present.bytes.slice(0, length)).toString('hex')
      findings.push({ target: target.name, kind, detail, number: Atomics.load(present.numbers, 0), input })
    }
    const onHang = () => {
      if (ended) return
      blame('hang', `no end after ${hangMs} ms of processor time`)
      void worker.terminate()
      end()
    }
    const stop = watchOver(worker, { present, hangMs, onHang })
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'finding') findings.push(message.finding)
      else course = message.course
    })
    worker.on('error', (error) => {
      blame('died', String(error))
      end()
    })
    worker.on('exit', end)
  })

/** The worker thread that fuzzes one target. What it runs at the moment stands in memory that its watcher can read. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { openCoverage } from './coverage.ts'
import type { Course, Finding } from './engine.ts'
import type { Target } from './target.ts'
import { type Group, targetsOf } from './targets.ts'

export interface ThreadTask {
  readonly group: Group
  readonly target: string
  readonly seed: string
  readonly inputs: number
  readonly forMs?: number
  readonly findingsMax?: number
  /** One input alone, in hex. */
  readonly only?: string
  readonly present: PresentInput
}

/** Of the input that is running: number, length, and which run of the thread it is (one input may run many times); then its bytes. */
export interface PresentInput {
  readonly numbers: Int32Array
  readonly bytes: Uint8Array
}

export type FromThread =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'course'; readonly course: Course }

export const corpusFolder = (target: string): string => path.join(import.meta.dirname, 'corpus', target)

const corpusOf = (target: string): readonly Uint8Array[] => {
  const folder = corpusFolder(target)
  try {
    return readdirSync(folder)
      .toSorted()
      .map((name) => new Uint8Array(readFileSync(path.join(folder, name))))
  } catch {
    return []
  }
}

const work = async (task: ThreadTask): Promise<void> => {
  const { numbers, bytes } = task.present
  // Before anything of the product is loaded: see coverage.ts.
  const coverage = openCoverage()
  const [{ fuzz }, loaded] = await Promise.all([import('./engine.ts'), targetsOf(task.group)])
  const target = loaded.find(({ name }) => name === task.target)
  if (target === undefined) throw new Error(`there is no target ${task.target}`)
  const send = (message: FromThread) => parentPort?.postMessage(message)
  const alone: Target = { ...target, open: async () => ({ ...(await target.open()), seeds: [] }) }
  const course = await fuzz(task.only === undefined ? target : alone, {
    ...task,
    coverage,
    corpus: task.only === undefined ? corpusOf(target.name) : [new Uint8Array(Buffer.from(task.only, 'hex'))],
    onInput: (input, number) => {
      bytes.set(input.subarray(0, bytes.length))
      Atomics.store(numbers, 1, input.length)
      Atomics.store(numbers, 0, number)
      Atomics.add(numbers, 2, 1)
    },
    onFinding: (finding) => send({ kind: 'finding', finding }),
  })
  send({ kind: 'course', course })
}

if (parentPort !== null) await work(workerData)

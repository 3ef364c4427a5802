/**
 * The fuzzer's loop over one target: seeds and corpus first, then mutants of whatever reached something new, each run
 * under a limit of time and memory. Deterministic by its seed, but for what the clock of the machine ends.
 */
import { getHeapStatistics } from 'node:v8'
import { chanceOf } from '../../simulate/chance.ts'
import type { Coverage } from './coverage.ts'
import { type Mutable, mutateBytes } from './mutate.ts'
import { mutateJson } from './mutate-json.ts'
import { bytesOf, type OpenTarget, type Target } from './target.ts'

/** Of processor time, for one input of up to the target's length. */
export const inputMsMax = 200
/** What one input may leave allocated: an announced length is believed only as far as there are bytes. */
export const inputBytesMax = 64 * 1024 * 1024
export const lengthMaxDefault = 16 * 1024
/** Between two looks at the coverage. */
const inputsPerLook = 256
const inputsPerCheck = 1000
const corpusCountMax = 2000
/** A target that has failed in so many ways has said enough. */
export const findingsMaxDefault = 8
/** This part of the inputs, or of the time, is watched for what it reaches; the rest runs at full speed. */
const watchedPart = 0.4
const shorteningTriesMax = 400

export type FindingKind = 'threw' | 'slow' | 'memory' | 'check' | 'hang' | 'died'

export interface Finding {
  readonly target: string
  readonly kind: FindingKind
  readonly detail: string
  /** Which input of the run, from 1. */
  readonly number: number
  /** In hex: `--target T --input HEX` runs it again. */
  readonly input: string
}

export interface Course {
  readonly target: string
  readonly inputs: number
  readonly seconds: number
  /** Of the processor, for this target alone: what counts on a busy machine. */
  readonly processorSeconds: number
  readonly blocks: number
  /** The smallest inputs that together reach every block. */
  readonly reached: readonly Uint8Array[]
}

interface Complaint {
  readonly kind: FindingKind
  readonly detail: string
}

export interface FuzzOptions {
  readonly seed: string
  /** Ends after so many inputs, or so long after the target is open, whichever comes first. */
  readonly inputs: number
  readonly forMs?: number
  readonly corpus: readonly Uint8Array[]
  readonly findingsMax?: number
  /** Counting since before the target was loaded. */
  readonly coverage: Coverage
  /** Told of every input before it runs, and before it runs again: what hangs is known by the last one. */
  readonly onInput: (input: Uint8Array, number: number) => void
  readonly onFinding: (finding: Finding) => void
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  const places = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node:|node_modules/.test(line))
  return `${error.name}: ${error.message.slice(0, 300)} ${places[0]?.trim() ?? ''}`
}

/** The same fault, whatever its input: numbers and bytes of a message say nothing. */
const signatureOf = ({ kind, detail }: Complaint): string =>
  kind === 'threw' || kind === 'check'
    ? `${kind} ${detail.slice(0, detail.indexOf(':') + 1)} ${detail.split(' at ').at(-1) ?? ''}`
    : kind

const runOnce = async (target: OpenTarget, input: Uint8Array): Promise<void> => {
  const running = target.run(input)
  if (running instanceof Promise) await running
}

/** Once more, by the thread's own clock: a busy machine is no slow parser. */
const processorMs = async (target: OpenTarget, input: Uint8Array): Promise<number> => {
  const before = process.threadCpuUsage()
  await runOnce(target, input)
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

const heldBytes = (): number => {
  const { external_memory, used_heap_size } = getHeapStatistics()
  return external_memory + used_heap_size
}

const judge = async (target: OpenTarget, input: Uint8Array): Promise<Complaint | undefined> => {
  const heldBefore = heldBytes()
  const startMs = performance.now()
  try {
    await runOnce(target, input)
    const grown = heldBytes() - heldBefore
    if (grown > inputBytesMax) return { kind: 'memory', detail: `held ${grown} bytes more` }
    if (performance.now() - startMs <= inputMsMax) return undefined
    const tookMs = Math.min(await processorMs(target, input), await processorMs(target, input))
    return tookMs > inputMsMax ? { kind: 'slow', detail: `took ${Math.round(tookMs)} ms` } : undefined
  } catch (error) {
    return { kind: 'threw', detail: messageOf(error) }
  }
}

/** The input of the same complaint with fewer bytes. */
const shortened = async (
  input: Uint8Array,
  complaint: Complaint,
  judgeNow: (input: Uint8Array) => Promise<Complaint | undefined>,
): Promise<Uint8Array> => {
  if (complaint.kind !== 'threw') return input
  let best = input
  let tries = 0
  for (let piece = Math.ceil(best.length / 2); piece >= 1; piece = Math.floor(piece / 2))
    for (let at = 0; at < best.length && tries < shorteningTriesMax; tries += 1) {
      const shorter = new Uint8Array(Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]))
      const same = await judgeNow(shorter)
      if (same !== undefined && signatureOf(same) === signatureOf(complaint)) best = shorter
      else at += piece
    }
  return best
}

/** Those of `inputs` that reach something new, found by halves. */
const novelOf = async (
  inputs: readonly Uint8Array[],
  means: { readonly coverage: Coverage; readonly again: (input: Uint8Array) => Promise<void> },
): Promise<readonly Uint8Array[]> => {
  if (inputs.length === 0) return []
  for (const input of inputs) await means.again(input)
  if (inputs.length === 1) return means.coverage.add() > 0 ? inputs : []
  if (!means.coverage.peek()) return []
  const middle = inputs.length >> 1
  return [...(await novelOf(inputs.slice(0, middle), means)), ...(await novelOf(inputs.slice(middle), means))]
}

/** The smallest first: of what reaches the same, the shortest stays. */
const reachedBy = async (
  inputs: readonly Uint8Array[],
  { coverage, again }: { readonly coverage: Coverage; readonly again: (input: Uint8Array) => Promise<void> },
): Promise<readonly Uint8Array[]> => {
  coverage.forget()
  const reached: Uint8Array[] = []
  for (const input of inputs.toSorted((a, b) => a.length - b.length)) {
    await again(input)
    if (coverage.add() > 0) reached.push(input)
  }
  return reached
}

/** Runs one target. @returns figures; findings go to `onFinding` as they are made */
export const fuzz = async (target: Target, options: FuzzOptions): Promise<Course> => {
  const opened = await target.open()
  const chance = chanceOf(options.seed, target.name)
  const { coverage, findingsMax = findingsMaxDefault } = options
  coverage.forget()
  const startMs = performance.now()
  const startUsage = process.threadCpuUsage()
  const seen = new Set<string>()
  const corpus: Uint8Array[] = []
  const lengthMax = target.lengthMax ?? lengthMaxDefault
  const about: Mutable = { lengthMax, corpus, words: (target.words ?? []).map(bytesOf) }
  const mutate = target.kind === 'json' ? mutateJson : mutateBytes
  let number = 0

  const report = (complaint: Complaint, input: Uint8Array): void =>
    options.onFinding({ target: target.name, ...complaint, number, input: Buffer.from(input).toString('hex') })

  const judgeNow = (input: Uint8Array): Promise<Complaint | undefined> => {
    options.onInput(input, number)
    return judge(opened, input)
  }
  const attempt = async (input: Uint8Array): Promise<void> => {
    number += 1
    const complaint = await judgeNow(input)
    if (complaint === undefined || seen.has(signatureOf(complaint))) return
    seen.add(signatureOf(complaint))
    report(complaint, await shortened(input, complaint, judgeNow))
  }
  const again = async (input: Uint8Array): Promise<void> => {
    options.onInput(input, number)
    await runOnce(opened, input).catch(() => undefined)
  }
  const check = async (): Promise<void> => {
    try {
      await opened.check?.()
    } catch (error) {
      const complaint: Complaint = { kind: 'check', detail: messageOf(error) }
      if (!seen.has(signatureOf(complaint))) report(complaint, new Uint8Array(0))
      seen.add(signatureOf(complaint))
    }
  }
  const startTime = Date.now()
  /** How far the run is, 0 to 1. */
  const progress = (): number =>
    Math.max(number / options.inputs, options.forMs === undefined ? 0 : (Date.now() - startTime) / options.forMs)
  const isOver = (until: number): boolean => progress() >= until || seen.size >= findingsMax

  const mutant = (): Uint8Array => {
    const parent = chance.hit(0.3) ? corpus.slice(-16) : corpus
    const changed = mutate(parent.length === 0 ? new Uint8Array(0) : chance.pick(parent), chance, about)
    return opened.mend?.(changed, chance) ?? changed
  }

  try {
    for (const input of [...opened.seeds, ...options.corpus]) {
      await attempt(input)
      if (coverage.add() > 0 || opened.seeds.includes(input)) corpus.push(input)
    }
    let checkAt = inputsPerCheck
    const next = async (): Promise<Uint8Array> => {
      const input = mutant()
      await attempt(input)
      if (number >= checkAt) {
        await check()
        checkAt += inputsPerCheck
      }
      return input
    }
    while (!isOver(watchedPart) && corpus.length < corpusCountMax) {
      const batch: Uint8Array[] = []
      while (batch.length < inputsPerLook && !isOver(watchedPart)) batch.push(await next())
      if (coverage.peek()) corpus.push(...(await novelOf(batch, { coverage, again })))
    }
    const { blocks } = coverage
    const reached = await reachedBy(corpus, { coverage, again })
    coverage.stop()
    while (!isOver(1)) await next()
    await check()
    const seconds = (performance.now() - startMs) / 1000
    const { user, system } = process.threadCpuUsage(startUsage)
    return { target: target.name, inputs: number, seconds, processorSeconds: (user + system) / 1e6, blocks, reached }
  } finally {
    await opened.close?.()
  }
}

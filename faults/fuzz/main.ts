/**
 * Fuzzes the parsers of both sides: `node faults/fuzz/main.ts --help`. Ends with 1 when there is a finding; each is printed
 * with its input and the seed, and `--target T --input HEX` runs it again.
 */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { Command } from 'commander'
import { count, seconds } from '../../cli/arguments.ts'
import type { Course, Finding } from './engine.ts'
import type { Target } from './target.ts'
import { type Group, groups, targetsOf } from './targets.ts'
import { corpusFolder } from './thread.ts'
import { runWatched } from './watch.ts'

interface Options {
  readonly target?: readonly string[]
  readonly seed: string
  readonly soak?: number
  readonly inputs?: number
  readonly part: number
  readonly lanes: number
  readonly input?: string
  readonly keep: boolean
  readonly planted: boolean
  readonly json: boolean
}

/** One more than a thread can hold in a soak. */
const inputsUnlimited = Number.MAX_SAFE_INTEGER
/** A corpus file that is longer is kept only by hand. */
const keptBytesMax = 2048
const shownLettersMax = 400

const options = new Command('fuzz')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .option('--target <names...>', 'only these targets')
  .option('--seed <text>', 'the same seed, the same inputs', randomBytes(4).toString('hex'))
  .option('--soak <minutes>', 'for so long in all, each target its share', seconds)
  .option('--inputs <count>', 'so many inputs to each target', count)
  .option('--part <count>', 'of each target’s inputs the so-manieth part', count, 1)
  .option('--lanes <count>', 'targets at a time', count, Math.min(availableParallelism(), 4))
  .option('--input <hex>', 'one input alone, to the one target')
  .option('--keep', 'write to the corpus what reached something new', false)
  .option('--planted', 'the planted defects instead: each must be found', false)
  .option('--json', 'one JSON document at the end', false)
  .parse()
  .opts<Options>()

interface Queued {
  readonly group: Group
  readonly target: Target
}

const queueOf = async (): Promise<readonly Queued[]> => {
  const asked = options.planted ? (['planted'] as const) : groups
  const all = (
    await Promise.all(asked.map(async (group) => (await targetsOf(group)).map((target) => ({ group, target }))))
  ).flat()
  const names = all.map(({ target }) => target.name)
  const unknown = options.target?.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    console.error(`There is no target ${unknown}: there are ${names.join(', ')}.`)
    process.exit(2)
  }
  return all.filter(({ target }) => options.target?.includes(target.name) ?? true)
}

const keep = ({ target, reached }: Course): void => {
  const folder = corpusFolder(target)
  mkdirSync(folder, { recursive: true })
  for (const input of reached.filter(({ length }) => length <= keptBytesMax))
    writeFileSync(path.join(folder, createHash('sha256').update(input).digest('hex').slice(0, 12)), input)
}

const print = (line: string): void => {
  if (!options.json) process.stdout.write(`${line}\n`)
}

const printCourse = ({ target, inputs, processorSeconds, blocks, reached }: Course): void => {
  const rate = Math.round(inputs / processorSeconds)
  print(
    `${target.padEnd(18)} ${String(inputs).padStart(9)} inputs ${String(rate).padStart(7)} a second of the processor (${processorSeconds.toFixed(1)} s)  ${String(blocks).padStart(5)} blocks  ${reached.length} in its corpus`,
  )
}

const printFinding = ({ target, kind, detail, number, input }: Finding): void => {
  const shown =
    input.length > shownLettersMax ? `${input.slice(0, shownLettersMax)}... (${input.length / 2} bytes)` : input
  print(`FOUND ${target}: ${kind}: ${detail}\n  input ${number} of seed ${options.seed}: ${shown}`)
}

const run = async (queue: readonly Queued[]) => {
  const findings: Finding[] = []
  const courses: Course[] = []
  const waiting = [...queue]
  const shareMs = options.soak === undefined ? undefined : (options.soak * 60_000 * options.lanes) / queue.length
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { group, target } = next
      const watched = await runWatched(target, {
        group,
        seed: options.seed,
        inputs:
          options.input === undefined
            ? (options.inputs ?? (shareMs === undefined ? Math.ceil(target.inputs / options.part) : inputsUnlimited))
            : 1,
        ...(shareMs === undefined ? {} : { forMs: shareMs }),
        ...(options.input === undefined ? {} : { only: options.input }),
        ...(options.planted ? { findingsMax: 1 } : {}),
      })
      watched.findings.forEach(printFinding)
      findings.push(...watched.findings)
      if (watched.course === undefined) continue
      courses.push(watched.course)
      printCourse(watched.course)
      if (options.keep) keep(watched.course)
    }
  }
  await Promise.all(Array.from({ length: options.lanes }, lane))
  return { findings, courses }
}

// Thousands of small files a second: in memory, where there is such a folder.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm'
const startMs = performance.now()
print(`seed ${options.seed}`)
const { findings, courses } = await run(await queueOf())
const taken = (performance.now() - startMs) / 1000
const inputs = courses.reduce((sum, course) => sum + course.inputs, 0)
const blocks = courses.reduce((sum, course) => sum + course.blocks, 0)
const processorSeconds = courses.reduce((sum, course) => sum + course.processorSeconds, 0)
print(
  `${inputs} inputs to ${courses.length} targets in ${taken.toFixed(1)} s (${processorSeconds.toFixed(1)} s of the processor), ${blocks} blocks, ${findings.length} findings; seed ${options.seed}`,
)
if (options.json)
  process.stdout.write(
    `${JSON.stringify({ seed: options.seed, inputs, seconds: taken, processorSeconds, blocks, findings, targets: courses.map(({ reached, ...course }) => ({ ...course, corpus: reached.length })) })}\n`,
  )
process.exitCode = findings.length === 0 ? 0 : 1

/** Cuts the power after every call of a recorded day, rebuilds what the disk may hold then, and opens it. */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { chanceOf } from '../../simulate/chance.ts'
import { marksFile } from './marks.ts'
import { type DiskImage, type RecordedCall, RecordedDisk, type Survivors } from './recording.ts'

/** What had been reported as durable when the power went, and what was to be reported next. */
export interface Reported {
  readonly marks: readonly string[]
  readonly next: readonly string[]
}

const marksOf = (call: RecordedCall): readonly string[] =>
  call.file === marksFile && call.kind === 'written'
    ? Buffer.from(call.bytes).toString('utf8').split('\n').filter(Boolean)
    : []

/** What may have reached the disk of what is not certain. */
const outcomes = (seeds: number, prefix: number): readonly (readonly [string, Survivors])[] => [
  ['nothing', { write: () => 'lost', names: () => 0 }],
  ['names alone', { write: () => 'lost', names: (many) => many }],
  ['every other write', { write: (index) => (index % 2 === 0 ? 'lost' : 'there'), names: (many) => many }],
  ['all, the last torn', { write: (index, many) => (index === many - 1 ? 'torn' : 'there'), names: (many) => many }],
  ...Array.from({ length: seeds }, (_, seed): readonly [string, Survivors] => {
    const chance = chanceOf('power loss', seed, prefix)
    return [
      `seed ${seed}`,
      {
        write: () => (chance.hit(0.1) ? 'torn' : chance.hit(0.5) ? 'there' : 'lost'),
        names: (many) => chance.below(many + 1),
      },
    ]
  }),
]

const writeImage = (image: DiskImage, folder: string): void => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const [name, bytes] of image) {
    if (name === marksFile) continue
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    if (bytes === undefined) mkdirSync(file, { recursive: true })
    else writeFileSync(file, bytes, { mode: 0o600 })
  }
}

const digestOf = (image: DiskImage): string => {
  const hash = createHash('sha256')
  for (const [name, bytes] of [...image].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (name !== marksFile) hash.update(`\n${name} ${bytes?.length}\n`).update(bytes ?? '')
  return hash.digest('hex')
}

export interface PowerLosses {
  readonly problems: readonly string[]
  readonly calls: number
  /** Images that were opened: those that differ in what they hold or in what had been reported. */
  readonly images: number
}

/**
 * @param check opens what is in the folder @returns what of it must not be; what it throws is a problem too
 * @param seeds random subsets for each prefix
 */
export const cutPowerEverywhere = async (
  calls: readonly RecordedCall[],
  options: {
    readonly folder: string
    readonly seeds: number
    /** The cut comes after every so many calls. */
    readonly stride: number
    readonly check: (folder: string, reported: Reported) => Promise<readonly string[]> | readonly string[]
  },
): Promise<PowerLosses> => {
  const { folder, seeds, stride, check } = options
  const disk = new RecordedDisk()
  const all = calls.flatMap(marksOf)
  const seen = new Set<string>()
  const problems: string[] = []
  let reported = 0

  const look = async (image: DiskImage, name: string) => {
    const key = `${reported} ${digestOf(image)}`
    if (seen.has(key)) return
    seen.add(key)
    writeImage(image, folder)
    try {
      for (const problem of await check(folder, { marks: all.slice(0, reported), next: all.slice(reported) }))
        problems.push(`${name}: ${problem}`)
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const [at, call] of calls.entries()) {
    disk.play(call)
    reported += marksOf(call).length
    if (at % stride !== 0) continue
    const where = `after call ${at + 1} (${call.kind} ${call.file})`
    await look(disk.image(), `${where}, everything`)
    if (disk.uncertain)
      for (const [name, survivors] of outcomes(seeds, at))
        await look(disk.imageAfterPowerLoss(survivors), `${where}, ${name}`)
  }
  rmSync(folder, { recursive: true, force: true })
  return { problems, calls: calls.length, images: seen.size }
}

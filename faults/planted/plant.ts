/** Plants one defect in a copy of the sources, and sees whether what should notice it does. */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Defect } from './defects.ts'

const root = path.join(import.meta.dirname, '../..')
/** A seed that nobody chose for it, and days enough for every kind of fault. */
const simulation = ['simulate/main.ts', '--seed', '1', '--runs', '6', '--days', '12', '--no-shrink']

export interface Verdict {
  readonly caught: boolean
  /** What noticed it, in its own words. */
  readonly says: string
}

/** The sources alone, which Node runs as they are. */
const copyOfSources = (): string => {
  const copy = mkdtempSync(path.join(tmpdir(), 'farthing-planted-'))
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean)
  for (const file of files) {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true })
    cpSync(path.join(root, file), path.join(copy, file), { errorOnExist: false })
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  return copy
}

/** How often the code that the defect is about is there. */
export const placesOf = (defect: Defect, folder: string = root): number =>
  readFileSync(path.join(folder, defect.file), 'utf8').split(defect.find).length - 1

/** @throws Error when the code that the defect is about is not there, or not only once */
const plantIn = (copy: string, defect: Defect): void => {
  const places = placesOf(defect, copy)
  if (places !== 1) throw new Error(`"${defect.name}" finds its place in ${defect.file} ${places} times, not once`)
  const file = path.join(copy, defect.file)
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(defect.find, () => defect.replace),
  )
}

const run = (copy: string, argv: readonly string[]): Promise<{ status: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, VITEST: undefined },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8')
      })
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, output }))
  })

/** The line that says what was wrong, without what merely counts. */
const gistOf = (output: string): string =>
  output
    .split('\n')
    .map((text) => text.trim())
    .find((text) => /^(VIOLATION|AssertionError|Error|×|FAIL)/.test(text))
    ?.slice(0, 160) ?? output.slice(-160)

/** @throws Error when the defect has no place in the code any more */
export const plant = async (defect: Defect): Promise<Verdict> => {
  const copy = copyOfSources()
  try {
    plantIn(copy, defect)
    const argv =
      defect.caughtBy === 'simulator'
        ? simulation
        : ['node_modules/vitest/vitest.mjs', 'run', '--project', 'plain', defect.caughtBy]
    const { status, output } = await run(copy, argv)
    // A copy that does not even start has noticed nothing.
    const noticed = defect.caughtBy === 'simulator' ? /^VIOLATION of /m : /Tests .*\d+ failed/
    return { caught: status === 1 && noticed.test(output), says: gistOf(output) }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Kills a flow's process at one step after the other, and looks at what is left each time. */

import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { ledgerPath } from '../../db/open.ts'
import { startOnFaultyDisk, untilEnd } from '../disk/disk-faults.ts'
import { fingerprintOf } from '../disk/fingerprint.ts'
import { readMarks } from '../disk/marks.ts'
import { parseRecording } from '../disk/recording.ts'
import { aftermath, handedIn } from './aftermath.ts'
import type { Flow } from './flow-names.ts'
import { copyTemplate, openShop, type Shop, type Template, terminalFolder } from './shop.ts'

const program = path.join(import.meta.dirname, 'terminal-process.ts')

export interface KillBench {
  readonly flow: Flow
  readonly template: Template
  readonly library: string
  /** For the copies. */
  readonly folder: string
}

/** @param step undefined: to the end */
const runFlow = async (bench: KillBench, shop: Shop, step: number | undefined, record?: string) => {
  const dataDir = terminalFolder(shop.folder)
  const code = bench.flow === 'enrolment' ? [await shop.enrolmentCode()] : []
  const child = startOnFaultyDisk({
    library: bench.library,
    program,
    argv: [dataDir, bench.flow, shop.url, ...code],
    folder: dataDir,
    ...(step === undefined ? {} : { plan: { mode: 'killBefore', at: step } }),
    ...(record === undefined ? {} : { record }),
  })
  const [card] = shop.cards
  card.reset()
  child.on('message', (command) => {
    const answer = card.answer(new Uint8Array(Buffer.from(String(command), 'hex')))
    child.send(Buffer.from(answer).toString('hex'), () => {
      // It may be dead by now.
    })
  })
  const ended = await untilEnd(child)
  if (ended.signal !== 'SIGKILL' && ended.status !== 0) throw new Error(`${bench.flow} failed: ${ended.stderr}`)
  return { killed: ended.signal === 'SIGKILL', marks: readMarks(dataDir) }
}

/** One run to its end: how many steps it has, and the states that it goes through. */
export interface Reference {
  readonly steps: number
  /** What each step is, for the figures. */
  readonly kinds: Readonly<Record<string, number>>
  readonly states: readonly string[]
}

const statesIn = (marks: readonly string[]): readonly string[] =>
  marks.flatMap((mark) => (mark.startsWith('ledger ') ? [mark.slice('ledger '.length)] : []))

const inFreshShop = async <Result>(bench: KillBench, name: string, work: (shop: Shop) => Promise<Result>) => {
  const folder = path.join(bench.folder, name)
  copyTemplate(bench.template, folder)
  const shop = await openShop(folder, bench.template.cards)
  try {
    return await work(shop)
  } finally {
    await shop.close()
    rmSync(folder, { recursive: true })
  }
}

export const referenceRun = (bench: KillBench): Promise<Reference> =>
  inFreshShop(bench, 'reference', async (shop) => {
    const log = path.join(bench.folder, 'reference.log')
    const { killed, marks } = await runFlow(bench, shop, undefined, log)
    if (killed) throw new Error('the reference run was killed')
    // What is written last beside the ledger's own methods (the hotlist) has no mark behind it.
    const end = fingerprintOf(ledgerPath(terminalFolder(shop.folder)))
    const seen = statesIn(marks)
    const states = seen.at(-1) === end ? seen : [...seen, end]
    const problems = await aftermath(shop, handedIn(marks))
    if (problems.length > 0) throw new Error(`${bench.flow}, not killed: ${problems.join('; ')}`)
    const calls = parseRecording(readFileSync(log), terminalFolder(shop.folder))
    const kinds: Record<string, number> = {}
    for (const { kind, file, bytes } of calls) {
      const mark =
        file === 'marks' && kind === 'written' ? Buffer.from(bytes).toString('utf8').split(/\s/)[0] : undefined
      const name = mark ?? kind
      kinds[name] = (kinds[name] ?? 0) + 1
    }
    return { steps: calls.length, kinds, states }
  })

/** @returns what is wrong after a kill before this step; none: all is well */
export const killAt = (bench: KillBench, step: number, reference: Reference): Promise<readonly string[]> =>
  inFreshShop(bench, `step-${step}`, async (shop) => {
    const file = ledgerPath(terminalFolder(shop.folder))
    const enrolled = existsSync(file)
    const { killed, marks } = await runFlow(bench, shop, step)
    if (!killed) return [`step ${step} was never reached`]
    const seen = statesIn(marks)
    const at = seen.length === 0 ? -1 : reference.states.indexOf(seen.at(-1) ?? '', seen.length - 1)
    // Opening an enrolled terminal's ledger changes nothing in it; before an enrolment there is none to compare.
    const possible = at >= 0 ? reference.states.slice(at, at + 2) : enrolled ? reference.states.slice(0, 1) : undefined
    const problems: string[] = []
    if (possible !== undefined) {
      const now = fingerprintOf(file)
      if (!possible.includes(now))
        problems.push(`the ledger is neither before nor after: ${now}, not ${possible.join()}`)
    }
    problems.push(...(await aftermath(shop, handedIn(marks))))
    return problems.map((problem) => `${bench.flow}, killed before step ${step}: ${problem}`)
  })

/** Starts at once; each has a process of its own. */
const atOnce = 2

/** Tries every `stride`th step. @returns everything that was wrong, and how many were tried */
export const killEverywhere = async (
  steps: number,
  kill: (step: number) => Promise<readonly string[]>,
  stride = 1,
): Promise<{ readonly problems: readonly string[]; readonly tried: number }> => {
  const problems: string[] = []
  let next = 1
  let tried = 0
  const work = async () => {
    while (next <= steps) {
      const step = next
      next += stride
      tried += 1
      problems.push(...(await kill(step)))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return { problems, tried }
}

/**
 * Twenty thousand inputs to every parser; and the fuzzer finds each planted defect. The seed is fixed, so that a change is
 * judged by itself; FARTHING_FAULT_SEED takes another, a soak (FARTHING_SOAK=1) one of its own.
 */
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { plantedDefects, steady } from './planted.ts'
import { groups, targetsOf } from './targets.ts'
import { runWatched } from './watch.ts'

const soak = process.env.FARTHING_SOAK === '1'
const seedGiven = process.env.FARTHING_FAULT_SEED ?? (soak ? undefined : '1')
const runMsMax = 8 * 60_000
const corpusBytesMax = 200_000

const reportSchema = v.object({
  seed: v.string(),
  inputs: v.number(),
  seconds: v.number(),
  blocks: v.number(),
  findings: v.array(
    v.object({ target: v.string(), kind: v.string(), detail: v.string(), number: v.number(), input: v.string() }),
  ),
  targets: v.array(v.object({ target: v.string(), inputs: v.number(), blocks: v.number() })),
})

const fuzz = async (...argv: readonly string[]) => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), '--json', ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (part) => {
    output += String(part)
  })
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, report: v.parse(reportSchema, JSON.parse(output)) }
}

const targetNames = async () => (await Promise.all(groups.map(targetsOf))).flat().map(({ name }) => name)

test('no parser crashes, hangs, swells or reads two encodings as one', { timeout: runMsMax }, async () => {
  const { status, report } = await fuzz(
    ...(soak ? [] : ['--part', '32']),
    ...(seedGiven === undefined ? [] : ['--seed', seedGiven]),
  )
  const { seed, inputs, blocks, seconds, findings } = report
  process.stderr.write(`fuzz: seed ${seed}, ${inputs} inputs in ${seconds.toFixed(0)} s, ${blocks} blocks\n`)
  const short = findings.map((finding) => ({ ...finding, input: finding.input.slice(0, 2000), seed }))
  expect(short).toEqual([])
  expect(report.targets.map(({ target }) => target).toSorted()).toEqual((await targetNames()).toSorted())
  expect(status).toBe(0)
  expect(inputs).toBeGreaterThan(15_000)
})

test('every planted defect is found, as what it is', { timeout: runMsMax }, async () => {
  const { status, report } = await fuzz('--planted', '--seed', '1')
  const found = report.findings.map(({ target, kind }) => `${target}: ${kind}`)
  expect(found.toSorted()).toEqual(
    plantedDefects.map((planted) => `${planted.target.name}: ${planted.found}`).toSorted(),
  )
  expect(status).toBe(1)
})

test('what is run again to see what it reaches is no hang, however many there are of it', async () => {
  const watched = await runWatched(steady, { group: 'planted', seed: '1', inputs: steady.inputs, hangMs: 120 })
  expect(watched).toMatchObject({ findings: [], course: { inputs: steady.inputs } })
})

test('the corpus is small, and of targets that there are', async () => {
  const corpus = path.join(import.meta.dirname, 'corpus')
  const names = await targetNames()
  for (const folder of readdirSync(corpus)) expect(names).toContain(folder)
  const files = readdirSync(corpus, { recursive: true, encoding: 'utf8' })
    .map((file) => statSync(path.join(corpus, file)))
    .filter((found) => found.isFile())
  expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(corpusBytesMax)
})

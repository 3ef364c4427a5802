/**
 * A disk that is full, read-only, failing, dead or short of bytes at the Nth call: nothing is debited that is not in the
 * ledger, the fault has its name, and once the disk is mended the terminal goes on, in the same process and after a restart.
 */
import path from 'node:path'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { compileLayer, faultFolder, startOnFaultyDisk, untilEnd } from './disk-faults.ts'

const lineSchema = v.object({
  flow: v.string(),
  mode: v.string(),
  tries: v.number(),
  told: v.record(v.string(), v.number()),
  problems: v.array(v.string()),
})

test('a terminal on a failing disk loses no debit, says what is wrong, and goes on when the disk is mended', async () => {
  const folder = faultFolder(onTestFinished)
  const child = startOnFaultyDisk({
    library: compileLayer(folder),
    program: path.join(import.meta.dirname, 'failing-disk-process.ts'),
    argv: [folder],
    folder: path.join(folder, 'try', 'terminal'),
  })
  const { status, stdout, stderr } = await untilEnd(child)
  expect(status, stderr).toBe(0)
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => v.parse(lineSchema, JSON.parse(line)))
  for (const { flow, mode, tries, told } of lines)
    console.log(`${flow}, ${mode}: ${tries} faults, ${JSON.stringify(told)}`)
  expect(lines.flatMap(({ flow, problems }) => problems.map((problem) => `${flow}: ${problem}`))).toEqual([])
}, 900_000)

/** What the command's exit status says before anything is done. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { IssuerError, type IssuerErrorCode } from '../issuer/errors.ts'
import { exitStatus, statusOf } from './output.ts'

const farthing = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(import.meta.dirname, 'farthing.mjs'), ...words],
    {
      encoding: 'utf8',
    },
  )
  return { status, stdout, stderr }
}

test.each([
  ['nonsense', '--help'],
  ['issuer', 'nonsense', '--help'],
  ['issuer', 'card', 'nonsense', '-h'],
])('help about a command that there is not (%s %s) is a wrong use, and says what there is', (...words) => {
  const { status, stdout, stderr } = farthing(...words)
  expect({ status, stdout }).toEqual({ status: exitStatus.usage, stdout: '' })
  expect(stderr).toMatch(/^error: unknown command 'nonsense'\s+Usage: farthing/)
})

test('help about one that there is, is done', () => {
  expect(farthing('issuer', 'card', '--help')).toMatchObject({ status: exitStatus.done, stderr: '' })
})

test('what stands against it is a refusal, and what was typed wrongly a wrong use', () => {
  const status = (code: IssuerErrorCode) => statusOf(new IssuerError(code, 'x'))
  expect(['refused', 'fourEyes', 'caseState', 'serialJump'].map((code) => status(code as IssuerErrorCode))).toEqual([
    1, 1, 1, 1,
  ])
  expect([status('input'), status('unknownCard'), status('storeMissing')]).toEqual([2, 2, 3])
})

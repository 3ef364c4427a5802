/**
 * `npm test`: sets up, then runs every check there is: types, lint, import rules, unit and integration tests, and the
 * end-to-end tests. Its last line is `N passed, N failed`. Types, lint and import rules count as one check each; a
 * runner that crashes, or that finds nothing to run, counts as one that failed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setUp } from './setup.mjs'

const { root, node, env } = await setUp()
const at = (...parts) => path.join(root, ...parts)
const results = mkdtempSync(path.join(tmpdir(), 'farthing-test-'))
/** A runner that hangs is ended, and counts as failed. */
const runMsMax = 13 * 60_000
let running
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    running?.kill(signal)
    rmSync(results, { recursive: true, force: true })
    process.exit(1)
  })

/** Into a file or a pipe, no colours. */
const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined }

const run = (program, argv, extraEnv = {}) =>
  new Promise((resolve) => {
    running = spawn(program, argv, {
      cwd: root,
      env: { ...env, ...plain, ...extraEnv },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    running.on('error', (error) => {
      process.stderr.write(`test: ${program}: ${error.message}\n`)
      resolve(1)
    })
    const limit = setTimeout(() => {
      process.stderr.write(`test: no end after ${runMsMax / 60_000} minutes\n`)
      running.kill('SIGTERM')
    }, runMsMax)
    running.on('close', (status) => {
      clearTimeout(limit)
      resolve(status ?? 1)
    })
  })

const readResults = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** One check, judged by its exit status. */
const check = async (argv) => ((await run(node, argv)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })

/** Never better than the runner's own exit status, and never nothing. */
const honest = ({ passed, failed }, status) => ({
  passed,
  failed: failed === 0 && (status !== 0 || passed === 0) ? 1 : failed,
})

const withPcscd = at('scripts/pcsc/with-pcscd.sh')

const unitTests = async () => {
  const file = path.join(results, 'unit.json')
  const argv = [
    at('node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]
  const status = await run(withPcscd, [node, ...argv])
  const report = readResults(file)
  // A file that does not even load has no tests of its own to count.
  const broken = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  return honest({ passed: report?.numPassedTests ?? 0, failed: (report?.numFailedTests ?? 0) + broken.length }, status)
}

const endToEndTests = async () => {
  const file = path.join(results, 'e2e.json')
  const argv = [at('node_modules/@playwright/test/cli.js'), 'test', '--reporter=list,json']
  const status = await run(withPcscd, [node, ...argv], { PLAYWRIGHT_JSON_OUTPUT_FILE: file })
  const stats = readResults(file)?.stats
  return honest({ passed: stats?.expected ?? 0, failed: (stats?.unexpected ?? 0) + (stats?.flaky ?? 0) }, status)
}

const parts = [
  ['types', () => check([at('scripts/check-types.mjs')])],
  ['lint', () => check([at('node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'])],
  ['imports', () => check([at('scripts/check-imports.mjs')])],
  ['unit and integration tests', unitTests],
  ['end-to-end tests', endToEndTests],
]

const sum = { passed: 0, failed: 0 }
const lines = []
for (const [name, part] of parts) {
  process.stdout.write(`\n== ${name}\n`)
  const startMs = performance.now()
  const { passed, failed } = await part()
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  sum.passed += passed
  sum.failed += failed
  lines.push(`${name}: ${passed} passed, ${failed} failed (${seconds} s)`)
}
rmSync(results, { recursive: true, force: true })
process.stdout.write(`\n${lines.join('\n')}\n${sum.passed} passed, ${sum.failed} failed\n`)
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1

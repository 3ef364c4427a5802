/**
 * `npm test`: sets up, then runs every check there is: types, lint, import rules, unit and integration tests, and the
 * end-to-end tests. Its last line is `N passed, N failed`. Types, lint and import rules count as one check each; a
 * runner that crashes, or that finds nothing to run, counts as one that failed.
 *
 * Two lanes side by side, since half of the time a test waits: for a disk, for a process, for a page. Each lane has a
 * network (where the system grants one) and a folder for temporary files of its own; the second one is silent until
 * the first has ended.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setUp } from './setup.mjs'

const { root, node, env } = await setUp()
const at = (...parts) => path.join(root, ...parts)
const results = mkdtempSync(path.join(tmpdir(), 'farthing-test-'))
const secondTmp = mkdtempSync(path.join(tmpdir(), 'farthing-second-'))
// The database's own user has to pass through it.
chmodSync(secondTmp, 0o711)
const tidy = () => {
  for (const folder of [results, secondTmp]) rmSync(folder, { recursive: true, force: true })
}
/** A runner that hangs is ended, and counts as failed. `FARTHING_SOAK=1 npm test` takes a night. */
const runMsMax = (process.env.FARTHING_SOAK === '1' ? 10 * 60 : 13) * 60_000
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    for (const child of running) child.kill(signal)
    tidy()
    process.exit(1)
  })

/** Into a file or a pipe, no colours. */
const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined }

/** @param out where its output goes: `inherit`, or a file's descriptor */
const run = (out, program, argv, extraEnv = {}) =>
  new Promise((resolve) => {
    const child = spawn(program, argv, {
      cwd: root,
      env: { ...env, ...plain, ...(out === 'inherit' ? {} : { NO_COLOR: '1', TMPDIR: secondTmp }), ...extraEnv },
      stdio: ['ignore', out, out],
    })
    running.add(child)
    child.on('error', (error) => {
      process.stderr.write(`test: ${program}: ${error.message}\n`)
      resolve(1)
    })
    const limit = setTimeout(() => {
      process.stderr.write(`test: no end after ${runMsMax / 60_000} minutes\n`)
      child.kill('SIGTERM')
    }, runMsMax)
    child.on('close', (status) => {
      clearTimeout(limit)
      running.delete(child)
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
const check = async (out, argv) =>
  (await run(out, node, argv)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }

/** Never better than the runner's own exit status, and never nothing. */
const honest = ({ passed, failed }, status) => ({
  passed,
  failed: failed === 0 && (status !== 0 || passed === 0) ? 1 : failed,
})

const withPcscd = at('scripts/pcsc/with-pcscd.sh')
/** Without namespaces there is one pcscd for all, and one network: the second lane alone uses the pcscd. */
const apart =
  spawnSync(withPcscd, ['sh', '-c', 'echo "$FARTHING_PCSCD"'], { env, encoding: 'utf8' }).stdout.trim() === 'private'

/** @param projects of vitest.config.ts */
const vitest = (...projects) => {
  const file = path.join(results, `${projects.join('-')}.json`)
  const argv = [
    at('node_modules/vitest/vitest.mjs'),
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]
  return async (out) => {
    // Where it can be had, a network of one's own.
    const inPrivate = apart || projects.includes('pcscd')
    const status = await (inPrivate ? run(out, withPcscd, [node, ...argv]) : run(out, node, argv))
    const report = readResults(file)
    // A file that does not even load has no tests of its own to count.
    const broken = (report?.testResults ?? []).filter(
      ({ status, assertionResults }) =>
        status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
    )
    const failed = (report?.numFailedTests ?? 0) + broken.length
    return honest({ passed: report?.numPassedTests ?? 0, failed }, status)
  }
}

const endToEndTests = async (out) => {
  const file = path.join(results, 'e2e.json')
  const argv = [at('node_modules/@playwright/test/cli.js'), 'test', '--reporter=list,json']
  const status = await run(out, withPcscd, [node, ...argv], { PLAYWRIGHT_JSON_OUTPUT_FILE: file })
  const stats = readResults(file)?.stats
  return honest({ passed: stats?.expected ?? 0, failed: (stats?.unexpected ?? 0) + (stats?.flaky ?? 0) }, status)
}

const sum = { passed: 0, failed: 0 }
const lines = []
const runLane = async (out, parts) => {
  for (const [name, part] of parts) {
    writeSync(out === 'inherit' ? 1 : out, `\n== ${name}\n`)
    const startMs = performance.now()
    const { passed, failed } = await part(out)
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    sum.passed += passed
    sum.failed += failed
    lines.push(`${name}: ${passed} passed, ${failed} failed (${seconds} s)`)
  }
}

const first = [
  ['types', (out) => check(out, [at('scripts/check-types.mjs')])],
  ['lint', (out) => check(out, [at('node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'])],
  ['imports', (out) => check(out, [at('scripts/check-imports.mjs')])],
  ['unit and integration tests', vitest('plain')],
]
const second = [
  ['end-to-end tests', endToEndTests],
  ['tests with a card reader', vitest('pcscd')],
  ["the issuer's tests on PostgreSQL", vitest('postgres')],
]
const secondOutput = path.join(results, 'second.txt')
const out = openSync(secondOutput, 'w')
await Promise.all([runLane('inherit', first), runLane(out, second)])
closeSync(out)
process.stdout.write(readFileSync(secondOutput))
tidy()
process.stdout.write(`\n${lines.join('\n')}\n${sum.passed} passed, ${sum.failed} failed\n`)
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1

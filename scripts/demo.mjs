/** `npm run demo`: sets up what is missing, then runs `farthing demo` beside a pcscd of its own. */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { setUp } from './setup.mjs'

const { root, node, env } = await setUp()
const child = spawn(
  path.join(root, 'scripts/pcsc/with-pcscd.sh'),
  [node, path.join(root, 'cli/farthing.mjs'), 'demo', ...process.argv.slice(2)],
  { cwd: root, env, stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`demo: ${error.message}\n`)
  process.exitCode = 3
})
child.on('exit', (status) => {
  process.exitCode = status ?? 1
})

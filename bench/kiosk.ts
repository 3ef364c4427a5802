/**
 * What the kiosk asks of its machine: start, touch, scrolling, memory over a day's customers. It runs in a process of its own,
 * beside a pcscd of its own, since it is compiled without the browser's types that the other benches need.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const command = [process.execPath, path.join(root, 'bench/kiosk/main.ts'), ...process.argv.slice(3)]
process.exitCode = spawnSync(path.join(root, 'scripts/pcsc/with-pcscd.sh'), command, { stdio: 'inherit' }).status ?? 1

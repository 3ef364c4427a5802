/**
 * How long the console's first pages take over a million entries. It runs in a process of its own, since it is compiled
 * without the browser's types that the other benches need.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const program = path.join(import.meta.dirname, 'pages/main.ts')
const options = process.argv.slice(3)
process.exitCode = spawnSync(process.execPath, [program, ...options], { stdio: 'inherit' }).status ?? 1

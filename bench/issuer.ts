/**
 * How fast a whole issuer takes batches in, with and without the check of the settlement MACs, empty and with millions of
 * rows. It runs in a process of its own, since it is compiled without the browser's types that the other benches need.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const program = path.join(import.meta.dirname, 'ingest/main.ts')
const options = process.argv.slice(3)
process.exitCode = spawnSync(process.execPath, [program, ...options], { stdio: 'inherit' }).status ?? 1

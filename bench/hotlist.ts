/**
 * A hotlist of a million cards, from the issuer's list to the kiosk's refusal. It runs in a process of its own, since it is
 * compiled without the browser's types that the other benches need.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const program = path.join(import.meta.dirname, '../faults/network/time-hotlist.ts')
process.exitCode = spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1

/** How long a month's queue takes to drain, and what it does to the sales meanwhile. In a process of its own: faults/network/time-drain.ts. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const program = path.join(import.meta.dirname, '../faults/network/time-drain.ts')
process.exitCode = spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1

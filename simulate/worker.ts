/** A thread of the simulator: plays one seed after another. */
import { parentPort } from 'node:worker_threads'
import { run } from './run.ts'
import type { Scale } from './workload.ts'

parentPort?.on('message', async (scale: Scale) => parentPort?.postMessage(await run(scale)))

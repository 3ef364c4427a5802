/** The thread in which one preview is made (preview-apart.ts). */
import { parentPort, workerData } from 'node:worker_threads'
import { makePreview } from './preview-apart.ts'

parentPort?.postMessage(await makePreview(workerData))

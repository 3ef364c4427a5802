/** The thread in which one preview is made (preview-apart.ts). */
import { parentPort, workerData } from 'node:worker_threads'
import type { PreviewTask } from './preview-apart.ts'
import { previewOf } from './previews.ts'

const { content, mediaType }: PreviewTask = workerData
parentPort?.postMessage(await previewOf(content, mediaType))

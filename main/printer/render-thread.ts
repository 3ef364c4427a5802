/** The thread in which pages are made (render-apart.ts). */
import { parentPort } from 'node:worker_threads'
import { render } from './render.ts'
import type { Page } from './render-apart.ts'

parentPort?.on('message', ({ document, setting }: Page) => {
  parentPort?.postMessage(render(document, setting))
})

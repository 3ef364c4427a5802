/**
 * The goods at rest: one encrypted blob per content, in a folder beside the store (PROTOCOL.md, Goods).
 * A blob is named by the SHA-256 of its plaintext and never changes, so that a copy of the folder is a backup.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'

/** Goods are encrypted as one message and so pass through memory whole. */
export const contentBytesMax = 256 * 1024 * 1024

const blobPath = (folder: string, contentHash: string): string => path.join(folder, contentHash)

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Makes a blob durable under its name, in one step: a reader sees all of it or none. */
export const storeBlob = async (folder: string, blob: { contentHash: string; bytes: Uint8Array }): Promise<void> => {
  await mkdir(folder, { recursive: true })
  const draft = path.join(folder, `.${blob.contentHash}.${randomUUID()}`)
  try {
    const handle = await open(draft, 'wx', 0o644)
    try {
      await handle.writeFile(blob.bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, blobPath(folder, blob.contentHash))
  } finally {
    await rm(draft, { force: true })
  }
  if (process.platform !== 'win32') await syncFolder(folder)
}

/** @returns its length in bytes, or undefined when it is not here */
export const blobBytes = async (folder: string, contentHash: string): Promise<number | undefined> => {
  if (!/^[0-9a-f]{64}$/.test(contentHash)) return undefined
  const found = await stat(blobPath(folder, contentHash)).catch(() => undefined)
  return found?.isFile() ? found.size : undefined
}

/** What was never sold. One that is not here is gone already. */
export const removeBlob = (folder: string, contentHash: string): Promise<void> =>
  rm(blobPath(folder, contentHash), { force: true })

/** @throws the disk's error when it is not here */
export const readBlob = async (folder: string, contentHash: string): Promise<Uint8Array> =>
  readFile(blobPath(folder, contentHash))

/** @param range first and last byte, both inclusive */
export const streamBlob = (
  folder: string,
  contentHash: string,
  range: { first: number; last: number },
): ReadableStream<Uint8Array> => {
  const file = createReadStream(blobPath(folder, contentHash), { start: range.first, end: range.last })
  return Readable.toWeb(file)
}

const chunkBytes = 64 * 1024

/**
 * A part of what lies in memory already, as it is taken: many slow readers of one film share it.
 * @param range first and last byte, both inclusive
 */
export const streamBytes = (bytes: Uint8Array, range: { first: number; last: number }): ReadableStream<Uint8Array> => {
  let at = range.first
  return new ReadableStream(
    {
      pull(controller) {
        const end = Math.min(at + chunkBytes, range.last + 1)
        if (end > at) controller.enqueue(bytes.subarray(at, end))
        at = end
        if (at > range.last) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

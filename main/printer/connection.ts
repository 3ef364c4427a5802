/**
 * Bytes to a printer and back: a TCP port, or a device file. One connection for each errand, since a network printer
 * serves one at a time and forgets idle ones; so a printer that was away is simply found again.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type AnswerKind, answerReader } from './answers.ts'
import type { PrinterSetting } from './printer-settings.ts'

export interface Connection {
  /** Resolves when the printer, or the system for it, has taken all of it. Rejects when it is gone or the signal aborts. */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /** Tells every answer that comes. Returns the function that stops it. */
  listen(listener: (kind: AnswerKind, byte: number) => void): () => void
  /** Aborted when the printer goes away, or says more than any printer does. */
  readonly gone: AbortSignal
  /** What was not taken yet is dropped. */
  close(): Promise<void>
}

/** An errand is some hundred questions of a byte each. What says more is no printer, and would keep the kiosk reading. */
const heardBytesMax = 4096

const tellAll = (away: AbortController) => {
  const listeners = new Set<(kind: AnswerKind, byte: number) => void>()
  const kindOf = answerReader()
  let heardBytes = 0
  return {
    listen(listener: (kind: AnswerKind, byte: number) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(bytes: Uint8Array): void {
      heardBytes += bytes.length
      if (heardBytes > heardBytesMax) {
        away.abort(new Error('the printer talks without end'))
        return
      }
      for (const byte of bytes) {
        const kind = kindOf(byte)
        if (kind !== undefined) for (const listener of [...listeners]) listener(kind, byte)
      }
    },
  }
}

/** What a device file takes at once, and how often it is looked at again while it takes nothing or says nothing. */
const chunkBytes = 4096
const pollMs = 20

const addressOf = (tcp: string): { host: string; port: number } => {
  const at = tcp.lastIndexOf(':')
  return { host: tcp.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(tcp.slice(at + 1)) }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

const openTcp = async (tcp: string, signal: AbortSignal): Promise<Connection> => {
  const socket = connect({ ...addressOf(tcp), noDelay: true })
  const away = new AbortController()
  const goneAway = () => away.abort(new Error('the printer closed the connection'))
  socket.on('error', goneAway)
  socket.on('close', goneAway)
  socket.on('end', goneAway)
  try {
    await Promise.race([
      new Promise<void>((resolve) => socket.once('connect', resolve)),
      aborted(away.signal),
      aborted(signal),
    ])
  } catch (error) {
    socket.destroy()
    throw error
  }
  const { listen, tell } = tellAll(away)
  socket.on('data', tell)
  away.signal.addEventListener('abort', () => socket.destroy(), { once: true })
  return {
    listen,
    gone: away.signal,
    write: (bytes, until) =>
      Promise.race([
        new Promise<void>((resolve, reject) => {
          socket.write(bytes, (error) => (error ? reject(error) : resolve()))
        }),
        aborted(away.signal),
        aborted(until),
      ]),
    close: () =>
      new Promise((resolve) => {
        if (socket.destroyed) return resolve()
        socket.once('close', () => resolve())
        if (socket.writableLength === 0) socket.destroySoon()
        else socket.resetAndDestroy()
      }),
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** A pipe would give back what was written to it, and a plain file says nothing: they are only written. */
const openFile = async (device: string): Promise<{ file: FileHandle; readable: boolean }> => {
  try {
    const readable = (await stat(device)).isCharacterDevice()
    const access = readable ? constants.O_RDWR : constants.O_WRONLY | constants.O_APPEND
    // Never waits in the kernel: a printer without paper takes nothing, and would hold a thread for as long.
    return { file: await open(device, access | constants.O_NONBLOCK | constants.O_NOCTTY), readable }
  } catch (cause) {
    throw new Error(`${device} cannot be opened (${String(codeOf(cause))})`, { cause })
  }
}

const openDevice = async (device: string): Promise<Connection> => {
  const { file, readable } = await openFile(device)
  const away = new AbortController()
  const done = new AbortController()
  const { listen, tell } = tellAll(away)
  const read = async (): Promise<void> => {
    const buffer = new Uint8Array(64)
    while (!done.signal.aborted && !away.signal.aborted) {
      try {
        const { bytesRead } = await file.read(buffer, 0, buffer.length)
        tell(buffer.subarray(0, bytesRead))
        if (bytesRead > 0) continue
      } catch (error) {
        const code = codeOf(error)
        // A printer without a way back cannot be read; it may print all the same.
        if (code === 'EINVAL') return
        if (code !== 'EAGAIN') away.abort(error)
      }
      await pause(pollMs)
    }
  }
  const reading = readable ? read() : Promise.resolve()
  return {
    listen,
    gone: away.signal,
    async write(bytes, until) {
      let from = 0
      while (from < bytes.length) {
        until.throwIfAborted()
        away.signal.throwIfAborted()
        try {
          const { bytesWritten } = await file.write(bytes, from, Math.min(chunkBytes, bytes.length - from))
          from += bytesWritten
        } catch (error) {
          if (codeOf(error) !== 'EAGAIN') {
            away.abort(error)
            throw error
          }
          await pause(pollMs)
        }
      }
    },
    async close() {
      done.abort()
      await reading
      await file.close()
    },
  }
}

/** @throws Error when it is not there, or the signal aborts first */
export const openConnection = ({ tcp, device }: PrinterSetting, signal: AbortSignal): Promise<Connection> =>
  tcp === undefined ? openDevice(device ?? '') : openTcp(tcp, signal)

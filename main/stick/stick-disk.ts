/** What is done to a USB stick, one operation of the system at a time, so that a test can pull it in the middle of each. */
import {
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'

export interface StickFile {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly bytes: number
}

/** Each throws the system's error, with its code. */
export interface StickDisk {
  /** @returns names, in no order; at most one more than `max` */
  names(dir: string, max: number): string[]
  /** Without following a link. @returns undefined: it is not there */
  look(file: string): StickFile | undefined
  open(file: string): number
  /** A new file: neither an old one nor a link in its place is ever written through. */
  create(file: string): number
  read(handle: number, into: Uint8Array): number
  write(handle: number, bytes: Uint8Array): number
  flush(handle: number): void
  close(handle: number): void
  rename(from: string, to: string): void
  /** What is not there is removed already. */
  remove(file: string): void
  flushFolder(dir: string): void
}

/** Absent on Windows, which has neither. */
const straightOnly = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

export const realStickDisk: StickDisk = {
  names(dir, max) {
    const folder = opendirSync(dir)
    const names: string[] = []
    try {
      for (let entry = folder.readSync(); entry !== null && names.length <= max; entry = folder.readSync())
        names.push(entry.name)
    } finally {
      folder.closeSync()
    }
    return names
  },
  look(file) {
    const found = lstatSync(file, { throwIfNoEntry: false })
    if (found === undefined) return undefined
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSymbolicLink() ? 'link' : 'other'
    return { kind, bytes: found.size }
  },
  open: (file) => openSync(file, constants.O_RDONLY | straightOnly),
  create: (file) => openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | straightOnly),
  read: (handle, into) => readSync(handle, into),
  write: (handle, bytes) => writeSync(handle, bytes),
  flush: fsyncSync,
  close: closeSync,
  rename: renameSync,
  remove(file) {
    // Not rmSync: on a read-only disk its error has no code (Node 24).
    try {
      unlinkSync(file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  },
  flushFolder(dir) {
    // Windows cannot flush a folder; its rename is journalled.
    if (process.platform === 'win32') return
    const handle = openSync(dir, constants.O_RDONLY)
    try {
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  },
}

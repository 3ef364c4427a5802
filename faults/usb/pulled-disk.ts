/**
 * A stick that is pulled at its Nth operation: the operation is done by half or not at all, everything after it fails, and
 * what the system had not flushed until then is forgotten, as a real one may.
 */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { realStickDisk, type StickDisk } from '../../main/stick/stick-disk.ts'

export class Pulled extends Error {
  readonly code = 'ENODEV'
}

/** No more goes through at a time, so that most files take several. */
const pieceBytes = 400

/** What is left of what was not flushed. */
export type Memory = 'forgets' | 'keeps'

export interface PulledDisk extends StickDisk {
  /** Operations until now. */
  readonly count: number
  readonly pulled: boolean
  /** Of the operation that it was pulled in. */
  readonly during: string
}

/** @param at from 1; a stick that is never pulled where absent */
export const pulledDisk = (at = Number.POSITIVE_INFINITY, memory: Memory = 'keeps'): PulledDisk => {
  let count = 0
  let during = ''
  /** Undoes what the folder would not remember, newest last. */
  const unflushed: (() => void)[] = []
  /** By handle: written, not flushed yet. */
  const drafts = new Map<number, string>()

  const pull = (name: string): never => {
    during = name
    if (memory === 'forgets') {
      for (const file of drafts.values()) if (existsSync(file)) truncateSync(file, 0)
      for (const undo of unflushed.toReversed()) undo()
    }
    throw new Pulled(`ENODEV: the stick was pulled at operation ${at}, ${name}`)
  }
  const step = (name: string): void => {
    if (during !== '') throw new Pulled(`ENODEV: the stick is gone since ${during}`)
    count += 1
    if (count >= at) pull(name)
  }
  const restoring = (file: string) => {
    const before = existsSync(file) ? readFileSync(file) : undefined
    return () => {
      if (before === undefined) rmSync(file, { force: true })
      else writeFileSync(file, before)
    }
  }

  return {
    get count() {
      return count
    },
    get pulled() {
      return during !== ''
    },
    get during() {
      return during
    },
    names(dir, max) {
      step('names')
      return realStickDisk.names(dir, max)
    },
    look(file) {
      step('look')
      return realStickDisk.look(file)
    },
    open(file) {
      step('open')
      return realStickDisk.open(file)
    },
    create(file) {
      step('create')
      unflushed.push(restoring(file))
      const handle = realStickDisk.create(file)
      drafts.set(handle, file)
      return handle
    },
    read(handle, into) {
      step('read')
      return realStickDisk.read(handle, into.subarray(0, pieceBytes))
    },
    write(handle, bytes) {
      const piece = bytes.subarray(0, pieceBytes)
      if (count + 1 === at) realStickDisk.write(handle, piece.subarray(0, piece.length / 2))
      step('write')
      return realStickDisk.write(handle, piece)
    },
    flush(handle) {
      step('flush')
      realStickDisk.flush(handle)
      drafts.delete(handle)
    },
    close(handle) {
      // The system closes what the program had open, whatever became of the stick.
      realStickDisk.close(handle)
      step('close')
    },
    rename(from, to) {
      step('rename')
      unflushed.push(restoring(from), restoring(to))
      realStickDisk.rename(from, to)
      for (const [handle, file] of drafts) if (file === from) drafts.set(handle, to)
    },
    remove(file) {
      step('remove')
      unflushed.push(restoring(file))
      realStickDisk.remove(file)
    },
    flushFolder(dir) {
      step('flushFolder')
      realStickDisk.flushFolder(dir)
      unflushed.length = 0
    },
  }
}

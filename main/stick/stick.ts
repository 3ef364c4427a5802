/**
 * A USB stick with documents on it (docs/OPERATIONS.md, USB). A file is whole or not there; what others put on the stick is
 * read only where it is a plain file of a bounded size; nothing outside the folder is ever touched.
 */
import path from 'node:path'
import type { JournalPlace } from '../../db/journal.ts'
import type { BatchPlace } from '../../db/ledger.ts'
import type { LeftFile, LeftFileProblem } from '../../preload/operator-contract.ts'
import { hotlistPageEntriesMax } from '../../protocol/hotlist.ts'
import type { TerminalId } from '../../protocol/quantities.ts'
import { realStickDisk, type StickDisk } from './stick-disk.ts'

/** More than any year of ours leaves on a stick. */
export const stickFilesMax = 5_000
/** In one file, so that a million cards are 25 files of 1 MB, of which a visit writes the new ones alone. */
export const stickHotlistEntriesMax = 10 * hotlistPageEntriesMax
const shownNameLengthMax = 80

/** The names are for people and for the order of work; what a file is, its content says. */
export const stickName = {
  bulletin: 'bulletin.fbul',
  successions: 'successions.fsuc',
  batch: (terminal: TerminalId, { epoch, batchNo }: BatchPlace): string =>
    `${terminal}-${epoch}-${String(batchNo).padStart(6, '0')}.fbat`,
  journal: (terminal: TerminalId, { epoch, journalNo }: JournalPlace): string =>
    `${terminal}-${epoch}-${String(journalNo).padStart(6, '0')}.fjrn`,
  /** Empty as long as the terminal only asks for one. */
  keyring: (terminal: string): string => `${terminal}.fkey`,
  /** @param part from 0 */
  hotlist: (generation: number, part: number): string => `hotlist-${generation}-${String(part).padStart(3, '0')}.fhot`,
  goods: (contentHash: string): string => `${contentHash}.fgoods`,
  answerTo: (file: string): string => file.replace(/\.fbat$/i, '.fack').replace(/\.fjrn$/i, '.fjra'),
} as const

/** The stick as a whole cannot be used; the sentence says what to do. Nothing is lost by it. */
export class StickFault extends Error {
  override readonly name = 'StickFault'
}

/** A file that was left alone, and why. */
export interface RefusedFile {
  /** As it may be shown on a screen. */
  readonly file: string
  readonly sentence: string
}
/** As operators at a kiosk are told it, in their language. */
export type LeftAlone = RefusedFile & LeftFile

interface Refusal {
  readonly outcome: 'refused'
  readonly problem: LeftFileProblem
  readonly sentence: string
}

type ReadResult = { readonly outcome: 'read'; readonly bytes: Uint8Array } | { readonly outcome: 'absent' } | Refusal
type WriteResult = { readonly outcome: 'written' | 'kept' } | Refusal

/** A name that somebody else chose, without what would move the cursor or turn the text around. */
export const shownName = (name: string): string => {
  const plain = name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?')
  return plain.length > shownNameLengthMax ? `${plain.slice(0, shownNameLengthMax)}...` : plain
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

const faultOf = (dir: string, error: unknown): unknown => {
  const code = codeOf(error)
  if (code === undefined) return error
  const sentence =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? `The stick at ${dir} is full: make room on it, or take another.`
      : code === 'EROFS' || code === 'EACCES' || code === 'EPERM'
        ? `The stick at ${dir} cannot be written (${code}): look at its switch, how it is mounted and who owns it.`
        : code === 'ENOENT' || code === 'ENOTDIR'
          ? `There is no folder ${dir}: is the stick in, and mounted there?`
          : `The stick at ${dir} stopped working (${code}): put it in again, or take another.`
  return new StickFault(`${sentence} Nothing is lost: then run the same command again.`, { cause: error })
}

const kindSentence = {
  folder: 'It is a folder, not a file.',
  link: 'It is a link, not a file.',
  other: 'It is no file.',
}
/** What stands where our file is to go. */
const inTheWay: readonly string[] = ['EISDIR', 'ENOTEMPTY', 'EEXIST']

const numeric = new Intl.Collator('en', { numeric: true })

export type Stick = ReturnType<typeof openStick>

export const openStick = (dir: string, disk: StickDisk = realStickDisk) => {
  const place = (name: string): string => path.join(dir, name)

  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      throw faultOf(dir, error)
    }
  }

  const readWhole = (file: string, length: number): Uint8Array | undefined => {
    const bytes = new Uint8Array(length)
    const handle = disk.open(file)
    try {
      let at = 0
      while (at < length) {
        const count = disk.read(handle, bytes.subarray(at))
        if (count === 0) return undefined
        at += count
      }
      return bytes
    } finally {
      disk.close(handle)
    }
  }

  const read = (name: string, bytesMax: number): ReadResult => {
    const refused = (problem: LeftFileProblem, sentence: string): ReadResult => ({
      outcome: 'refused',
      problem,
      sentence,
    })
    try {
      const found = disk.look(place(name))
      if (found === undefined) return { outcome: 'absent' }
      if (found.kind !== 'file') return refused('noFile', kindSentence[found.kind])
      if (found.bytes > bytesMax)
        return refused('tooLarge', `It is larger than such a file can be (${found.bytes} bytes).`)
      const bytes = readWhole(place(name), found.bytes)
      return bytes === undefined ? refused('unreadable', 'It ended while it was read.') : { outcome: 'read', bytes }
    } catch (error) {
      const code = codeOf(error)
      if (code === undefined) throw error
      return refused('unreadable', `It cannot be read (${code}).`)
    }
  }

  const writeWhole = (file: string, bytes: Uint8Array): void => {
    disk.remove(file)
    const handle = disk.create(file)
    try {
      for (let at = 0; at < bytes.length; ) at += disk.write(handle, bytes.subarray(at))
      disk.flush(handle)
    } finally {
      disk.close(handle)
    }
  }

  return {
    dir,
    /** Its files' names in the order in which they were made. @throws StickFault */
    names(): string[] {
      const names = guarded(() => disk.names(dir, stickFilesMax))
      if (names.length > stickFilesMax)
        throw new StickFault(`There are more than ${stickFilesMax} files in ${dir}: take an empty stick.`)
      // A leading dot is how other systems name their own notes about a file.
      return names.filter((name) => !name.startsWith('.')).toSorted(numeric.compare)
    },
    has: (name: string): boolean => guarded(() => disk.look(place(name)) !== undefined),
    read,
    /** Whole or not at all; the same bytes are not written twice. Sure only after `flush`. @throws StickFault */
    write(name: string, bytes: Uint8Array): WriteResult {
      const there = read(name, bytes.length)
      if (there.outcome === 'read' && Buffer.compare(there.bytes, bytes) === 0) return { outcome: 'kept' }
      const part = `${place(name)}.part`
      try {
        writeWhole(part, bytes)
        disk.rename(part, place(name))
        return { outcome: 'written' }
      } catch (error) {
        if (codeOf(error) === 'ENAMETOOLONG')
          return { outcome: 'refused', problem: 'inTheWay', sentence: 'Its name is too long: rename it, or delete it.' }
        if (inTheWay.includes(codeOf(error) ?? ''))
          return {
            outcome: 'refused',
            problem: 'inTheWay',
            sentence: 'Something else of that name is in the way: move it off the stick.',
          }
        throw faultOf(dir, error)
      }
    },
    /** @throws StickFault */
    remove(name: string): void {
      guarded(() => disk.remove(place(name)))
    },
    /** After it, what was written stays though the stick is pulled. @throws StickFault */
    flush(): void {
      guarded(() => disk.flushFolder(dir))
    },
  }
}

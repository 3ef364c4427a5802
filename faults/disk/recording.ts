/**
 * A recorded disk: the calls that disk-faults.c wrote down, and the files as a power cut after any of them may leave them.
 *
 * The model. A write is certain once its file was synced after it; a new, changed or removed name is certain once its
 * folder was. Of later writes any subset may have reached the disk, and one of them torn; of a folder's later changes any
 * beginning (file systems journal them in order). A sync that returned did what it says.
 */
import path from 'node:path'

export type CallKind =
  | 'made'
  | 'truncated'
  | 'written'
  | 'synced'
  | 'renamed'
  | 'linked'
  | 'unlinked'
  | 'folderMade'
  | 'folderRemoved'

export interface RecordedCall {
  readonly kind: CallKind
  /** Relative to the watched folder; '' is the folder itself. */
  readonly file: string
  /** The new name. */
  readonly to: string
  /** Where it writes; for a truncation, the length. */
  readonly offset: number
  readonly bytes: Uint8Array
}

const kinds: Readonly<Record<string, CallKind>> = {
  c: 'made',
  t: 'truncated',
  w: 'written',
  s: 'synced',
  r: 'renamed',
  l: 'linked',
  u: 'unlinked',
  m: 'folderMade',
  x: 'folderRemoved',
}
const headLength = 17

/** @param log what disk-faults.c recorded of that folder */
export const parseRecording = (log: Buffer, folder: string): readonly RecordedCall[] => {
  const calls: RecordedCall[] = []
  let at = 0
  const take = (length: number): Buffer => {
    at += length
    return log.subarray(at - length, at)
  }
  const name = (length: number): string => (length === 0 ? '' : path.relative(folder, take(length).toString('utf8')))
  while (at + headLength <= log.length) {
    const head = take(headLength)
    const kind = kinds[String.fromCharCode(head.readUInt8(0))]
    if (kind === undefined) throw new Error(`the recording has no such call at byte ${at}`)
    const file = name(head.readUInt16LE(1))
    const to = name(head.readUInt16LE(3))
    calls.push({
      kind,
      file,
      to,
      offset: Number(head.readBigUInt64LE(5)),
      bytes: new Uint8Array(take(head.readUInt32LE(13))),
    })
  }
  return calls
}

type Change = Pick<RecordedCall, 'kind' | 'offset' | 'bytes'>

interface Inode {
  readonly durable: { bytes: Buffer }
  /** Since the last sync of this file. */
  pending: Change[]
}

type NameChange =
  | { readonly kind: 'set'; readonly name: string; readonly inode: Inode | 'folder' }
  | { readonly kind: 'clear'; readonly name: string }

const rename = (names: Map<string, Inode | 'folder'>, changes: readonly NameChange[]): void => {
  for (const change of changes)
    if (change.kind === 'set') names.set(change.name, change.inode)
    else names.delete(change.name)
}

/** The content after these changes, in order. */
const applied = (bytes: Buffer, changes: readonly Change[]): Buffer => {
  const room = Math.max(bytes.length, ...changes.map((change) => change.offset + change.bytes.length))
  const result = Buffer.alloc(room)
  bytes.copy(result)
  let length = bytes.length
  for (const change of changes)
    if (change.kind === 'truncated') {
      result.fill(0, Math.min(length, change.offset), length)
      length = change.offset
    } else {
      result.set(change.bytes, change.offset)
      length = Math.max(length, change.offset + change.bytes.length)
    }
  return result.subarray(0, length)
}

/** How much of what is not certain has reached the disk. */
export interface Survivors {
  /** Of the pending changes of a file, in order: whether each is there, or the first half of it. */
  write(index: number, many: number): 'there' | 'lost' | 'torn'
  /** How many of a folder's pending changes of names are there. */
  names(many: number): number
}

/** What lies in the folder: contents by name, `undefined` for a folder. */
export type DiskImage = ReadonlyMap<string, Buffer | undefined>

/** The disk while a recording is played on it. */
export class RecordedDisk {
  /** As processes see it. */
  readonly #names = new Map<string, Inode | 'folder'>()
  readonly #durableNames = new Map<string, Inode | 'folder'>()
  /** Of each folder, in order; what one call changes is changed at once. */
  readonly #pendingNames = new Map<string, (readonly NameChange[])[]>()

  #change(first: NameChange, ...rest: readonly NameChange[]): void {
    const changes = [first, ...rest]
    rename(this.#names, changes)
    const parent = path.dirname(first.name)
    const folder = parent === '.' ? '' : parent
    this.#pendingNames.set(folder, [...(this.#pendingNames.get(folder) ?? []), changes])
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name)
    if (inode === undefined || inode === 'folder')
      throw new Error(`the recording writes to ${name}, which was never made`)
    return inode
  }

  #sync(name: string): void {
    const inode = name === '' ? 'folder' : this.#names.get(name)
    if (inode !== undefined && inode !== 'folder') {
      inode.durable.bytes = applied(inode.durable.bytes, inode.pending)
      inode.pending = []
      return
    }
    for (const changes of this.#pendingNames.get(name) ?? []) rename(this.#durableNames, changes)
    this.#pendingNames.set(name, [])
  }

  play(call: RecordedCall): void {
    const { kind, file } = call
    switch (kind) {
      case 'made':
        this.#change({ kind: 'set', name: file, inode: { durable: { bytes: Buffer.alloc(0) }, pending: [] } })
        break
      case 'folderMade':
        this.#change({ kind: 'set', name: file, inode: 'folder' })
        break
      case 'written':
      case 'truncated':
        this.#inode(file).pending.push(call)
        break
      case 'synced':
        this.#sync(file)
        break
      case 'renamed':
        this.#change({ kind: 'set', name: call.to, inode: this.#inode(file) }, { kind: 'clear', name: file })
        break
      case 'linked':
        this.#change({ kind: 'set', name: call.to, inode: this.#inode(file) })
        break
      case 'unlinked':
      case 'folderRemoved':
        this.#change({ kind: 'clear', name: file })
    }
  }

  /** Whether anything is not certain, so that survivors make a difference. */
  get uncertain(): boolean {
    return (
      [...this.#pendingNames.values()].some((changes) => changes.length > 0) ||
      [...this.#names.values()].some((inode) => inode !== 'folder' && inode.pending.length > 0)
    )
  }

  /** As a process sees it: what a kill leaves. */
  image(): DiskImage {
    return new Map(
      [...this.#names].map(([name, inode]) => [
        name,
        inode === 'folder' ? undefined : applied(inode.durable.bytes, inode.pending),
      ]),
    )
  }

  /** As a power cut leaves it. */
  imageAfterPowerLoss(survivors: Survivors): DiskImage {
    const names = new Map(this.#durableNames)
    for (const pending of this.#pendingNames.values())
      for (const changes of pending.slice(0, survivors.names(pending.length))) rename(names, changes)
    return new Map(
      [...names].map(([name, inode]) => [name, inode === 'folder' ? undefined : contentAfter(inode, survivors)]),
    )
  }
}

const contentAfter = (inode: Inode, survivors: Survivors): Buffer => {
  const many = inode.pending.length
  const survived = inode.pending.flatMap((change, index): Change[] => {
    const fate = survivors.write(index, many)
    if (fate === 'lost') return []
    if (fate === 'there' || change.kind === 'truncated') return [change]
    return [{ ...change, bytes: change.bytes.subarray(0, change.bytes.length >> 1) }]
  })
  return applied(inode.durable.bytes, survived)
}

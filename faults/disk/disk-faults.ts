/**
 * Processes whose disk fails, is watched, or kills them at the Nth call: starts them with disk-faults.c preloaded, which
 * says what it covers and what it does not.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** What happens at the Nth mutating call of the folder; disk-faults.c has the words. */
export type FaultMode =
  | 'killBefore'
  | 'killAfter'
  | 'full'
  | 'io'
  | 'readOnly'
  | 'short'
  | 'shortFull'
  | 'sync'
  | 'dead'

export interface FaultPlan {
  readonly mode: FaultMode
  /** The first call is 1; 0, with `lasting`: before it, opening included. */
  readonly at: number
  /** From then on, not once. */
  readonly lasting?: boolean
}

/** In memory where the system has that: quicker, and a kill loses nothing of it. */
const quickFolder = (): string => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())

/** A temporary folder under its real name: the layer compares paths byte by byte. */
export const faultFolder = (atEnd: (cleanUp: () => void) => void): string => {
  const folder = realpathSync(mkdtempSync(path.join(quickFolder(), 'farthing-fault-')))
  atEnd(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** @throws when this machine cannot run the layer, with what to do */
export const compileLayer = (folder: string): string => {
  if (process.platform !== 'linux')
    throw new Error('The disk fault layer needs Linux: run these tests there, or in a container.')
  const library = path.join(folder, 'disk-faults.so')
  if (existsSync(library)) return library
  const source = path.join(import.meta.dirname, 'disk-faults.c')
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread'], { stdio: 'pipe' })
  } catch (cause) {
    throw new Error('The disk fault layer needs a C compiler: apt-get install build-essential.', { cause })
  }
  return library
}

export const planText = ({ mode, at, lasting = false }: FaultPlan): string => `${mode} ${at}${lasting ? ' on' : ''}`

export interface FaultyRun {
  /** From compileLayer. */
  readonly library: string
  /** The program, a TypeScript file that Node runs as it is. */
  readonly program: string
  readonly argv?: readonly string[]
  /** The folder whose disk it is. */
  readonly folder: string
  readonly plan?: FaultPlan
  /** Where the calls are recorded. */
  readonly record?: string
}

/** Starts a program on that disk; its compiled modules are kept beside the layer, so that the next start is quicker. */
export const startOnFaultyDisk = (run: FaultyRun): ChildProcess =>
  spawn(process.execPath, [run.program, ...(run.argv ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: path.join(path.dirname(run.library), 'compiled'),
      LD_PRELOAD: run.library,
      FARTHING_DISK_FOLDER: run.folder,
      FARTHING_DISK_PLAN: run.plan === undefined ? '' : planText(run.plan),
      ...(run.record === undefined ? {} : { FARTHING_DISK_RECORD: run.record }),
    },
  })

export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Collects what a process says until it has ended. */
export const untilEnd = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8')
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })

/** Wider runs, for hours instead of minutes. */
export const soak = process.env.FARTHING_SOAK === '1'

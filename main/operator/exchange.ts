/** What goes to the issuer and comes from it at an operator's word: over the network, or on a stick. */
import type { LeftFile, OperatorResult } from '../../preload/operator-contract.ts'
import { exportBatches } from '../stick/export.ts'
import { StickFault } from '../stick/stick.ts'
import { takeFromStick } from '../stick/take.ts'
import { IssuerRefused, IssuerUnreachable } from '../sync/issuer-client.ts'
import { cutJournal } from '../sync/sync.ts'
import { findDrives } from './drives.ts'
import type { Inside } from './inside.ts'

/** A long hotlist may be coming in, for hours on a slow line: nobody stands and waits for that, and nothing else is held up by it. */
const waitMsMax = { sync: 60_000, acts: 10_000 } as const

/** What comes of it, or undefined where that takes too long; it goes on all the same. */
const inTime = async <Result>(work: Promise<Result>, ms: number): Promise<Result | undefined> => {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export const makeExchange = ({ terminal, till, stick, log }: Inside) => {
  /** The folder if it is one of those that are there now: the page names no other. */
  const stickWork = (drive: string, work: (dir: string) => OperatorResult): OperatorResult => {
    if (!findDrives(stick).some(({ path }) => path === drive)) return { outcome: 'stickFault', problem: 'gone' }
    try {
      return work(drive)
    } catch (error) {
      if (!(error instanceof StickFault)) throw error
      log(error.message)
      return { outcome: 'stickFault', problem: stickProblem(error) }
    }
  }

  const exportTo = (dir: string): OperatorResult => {
    const { files, refused } = exportBatches(terminal, dir)
    for (const { file, sentence } of refused) log(`${file}: ${sentence}`)
    return { outcome: 'exported', files: files.length, refused: refused.map(leftFile) }
  }

  const importFrom = (dir: string): OperatorResult => {
    const taken = takeFromStick(terminal, dir)
    for (const { file, sentence } of taken.refused) log(`${file}: ${sentence}`)
    return {
      outcome: 'imported',
      answers: taken.answers,
      entries: taken.entries,
      journals: taken.journals,
      documents: (taken.bulletin === undefined ? 0 : 1) + (taken.keyring === undefined ? 0 : 1),
      goods: taken.goods,
      waiting: taken.waiting,
      exportAgain: taken.exportAgain,
      stopped: taken.stopped !== undefined,
      refused: taken.refused.map(leftFile),
    }
  }

  const syncNow = async (): Promise<OperatorResult> => {
    const sync = till.sync()
    if (sync === undefined) return { outcome: 'syncFailed', problem: 'unreachable' }
    try {
      const result = await inTime(sync.now(), waitMsMax.sync)
      if (result === undefined) return { outcome: 'syncGoesOn' }
      if (result.stopped !== undefined) return { outcome: 'syncFailed', problem: 'stopped' }
      const { entries, exceptions, journals = 0 } = result
      return { outcome: 'synced', entries, exceptions, journals }
    } catch (error) {
      if (error instanceof IssuerUnreachable) return { outcome: 'syncFailed', problem: 'unreachable' }
      if (error instanceof IssuerRefused) return { outcome: 'syncFailed', problem: 'refused' }
      throw error
    }
  }

  /**
   * Sends what operators did while whoever it is for still stands there.
   * @returns whether the issuer has all of it; what it has not goes with the next sync or stick
   */
  const sendActs = async (): Promise<boolean> => {
    const sync = till.sync()
    if (sync === undefined) return false
    if (!sync.online) {
      sync.nudge()
      return false
    }
    // What failed is told by what is still due; the loop itself goes on trying.
    const sent = sync.now().catch((error: Error) => log(`sync: ${error.message}`))
    await inTime(sent, waitMsMax.acts)
    const { ledger } = terminal
    return ledger.stoppedVerdict === undefined && ledger.journalDue() === undefined && !cutJournal(terminal)
  }

  return {
    sendActs,
    syncNow,
    exportTo: (drive: string) => stickWork(drive, exportTo),
    importFrom: (drive: string) => stickWork(drive, importFrom),
  }
}

export type Exchange = ReturnType<typeof makeExchange>

const leftFile = ({ file, problem }: LeftFile): LeftFile => ({ file, problem })

const stickProblem = ({ cause }: StickFault): 'gone' | 'full' | 'readOnly' | 'broken' => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'full'
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'readOnly'
    case 'ENOENT':
    case 'ENOTDIR':
      return 'gone'
    default:
      return 'broken'
  }
}

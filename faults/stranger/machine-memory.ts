/** What the kiosk's page holds: its script, its documents, its browser. Linux. */
import { readdirSync, readFileSync } from 'node:fs'
import type { CDPSession } from 'playwright'

export interface Held {
  readonly heapBytes: number
  readonly nodes: number
  readonly listeners: number
  readonly documents: number
  /** Of every process of the browser: shared pages count in part. */
  readonly pageSideBytes: number
}

const below = (pid: number): number[] => {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [...children, ...children.flatMap(below)]
}
const isBrowser = (pid: number): boolean => {
  try {
    return /chrom/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '')
  } catch {
    // It ended meanwhile.
    return false
  }
}
/** Other people's browsers share the pages of their program with this one: the more of them, the less it seems to hold. */
export const othersBrowsers = (mainPid: number): number => {
  const ours = new Set(below(mainPid))
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !ours.has(Number(name)) && isBrowser(Number(name)))
    .length
}
const kib = (file: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? 0) * 1024

/** After a collection, so that only what is still reachable counts. @param mainPid of the kiosk's process */
export const heldNow = async (session: CDPSession, mainPid: number): Promise<Held> => {
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners, documents } = await session.send('Memory.getDOMCounters')
  const browser = below(mainPid).filter(isBrowser)
  return {
    heapBytes: usedSize,
    nodes,
    listeners: jsEventListeners,
    documents,
    pageSideBytes: browser.reduce((sum, pid) => sum + kib(`/proc/${pid}/smaps_rollup`, 'Pss'), 0),
  }
}

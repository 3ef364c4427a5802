/** Whether the server can take documents: for what stands in front of it and would send them elsewhere. */
import { statfs } from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'kysely'
import { goodsFolder } from './catalogue.ts'
import type { Issuer } from './issuer.ts'
import { migrations } from './migrations.ts'
import type { StoreReader } from './store.ts'

/** A few full batches, and room for the database to tidy up. */
const freeBytesMin = 256 * 1024 * 1024
const answerMsMax = 2_000

export type Verdict = 'ok' | 'failed'

export interface Readiness {
  readonly status: 'ready' | 'notReady'
  readonly store: Verdict
  readonly migrations: Verdict
  /** Of the folder of the goods, which is the store's in SQLite. */
  readonly disk: Verdict
}

const versionOf = async (db: StoreReader): Promise<number> => {
  const { rows } = await sql<{
    version: number | string | null
  }>`SELECT max(version) AS version FROM migration`.execute(db)
  return Number(rows[0]?.version ?? 0)
}

const inTime = <Result>(work: Promise<Result>): Promise<Result | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), answerMsMax)
  })
  return Promise.race([work.catch(() => undefined), late]).finally(() => clearTimeout(timer))
}

const hasRoom = async (issuer: Issuer): Promise<boolean> => {
  try {
    // The goods have a folder once there are goods; its parent is there in any case.
    const { bavail, bsize } = await statfs(path.dirname(goodsFolder(issuer)))
    return bavail * bsize >= freeBytesMin
  } catch {
    return false
  }
}

/** Answers within some seconds, whatever hangs. */
export const readiness = async (issuer: Issuer): Promise<Readiness> => {
  const verdict = (fine: boolean): Verdict => (fine ? 'ok' : 'failed')
  const [version, room] = await Promise.all([inTime(issuer.store.read(versionOf)), inTime(hasRoom(issuer))])
  const checks = {
    store: verdict(version !== undefined),
    migrations: verdict(version === migrations.at(-1)?.version),
    disk: verdict(room === true),
  }
  return { status: Object.values(checks).includes('failed') ? 'notReady' : 'ready', ...checks }
}

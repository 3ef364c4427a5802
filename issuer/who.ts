/** Who made a change, for the audit log. */
import { noteChange } from './audit-log.ts'
import type { Change } from './console-api/route.ts'
import { isoTime } from './iso-times.ts'
import type { Issuer } from './issuer.ts'
import type { StoreWriter } from './store.ts'

/** A user of the console, or "cli:" and the user of this machine. Absent: the program itself, as in tests. */
export type Who = string

/** Appends a change to the audit log, in the transaction that makes it. */
export const noteFor = async (
  issuer: Pick<Issuer, 'clock'>,
  db: StoreWriter,
  who: Who | undefined,
  change: Change,
): Promise<void> => {
  if (who !== undefined) await noteChange(db, { name: who, at: issuer.clock() }, change)
}

/** UNIX seconds as the log and the API write them. */
export const timeOf = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : isoTime(seconds)

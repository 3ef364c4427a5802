/** What happened to a case: its timeline, append-only. */
import type { StoreWriter } from '../store.ts'

export type CaseEventKind =
  | 'opened'
  | 'changed'
  | 'closed'
  | 'reopened'
  | 'assigned'
  | 'due'
  | 'kept'
  | 'proposed'
  | 'booked'
  | 'refused'
  | 'takenBack'

export interface CaseEvent {
  readonly caseNo: number
  readonly kind: CaseEventKind
  /** Absent: by itself. */
  readonly who?: string | undefined
  readonly document?: string | undefined
  readonly detail?: string | undefined
}

export const appendEvents = async (db: StoreWriter, at: number, events: readonly CaseEvent[]): Promise<void> => {
  const rows = events.map(({ caseNo, kind, who, document, detail }) => ({
    case_no: caseNo,
    kind,
    who: who ?? null,
    document: document ?? null,
    detail: detail ?? null,
    at,
  }))
  for (let from = 0; from < rows.length; from += 200)
    await db
      .insertInto('case_event')
      .values(rows.slice(from, from + 200))
      .execute()
}

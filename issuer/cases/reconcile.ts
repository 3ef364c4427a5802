/**
 * Brings the files of the cases of a part of the book up to what the books say now (without what passes by itself, as a load whose
 * terminal is to sync yet): new cases are opened, those whose missing document came close themselves and name it, those that came
 * back are opened again, and what was decided about a case that is explained meanwhile is taken back, once.
 */
import { type Insertable, type Selectable, sql } from 'kysely'
import { listOf } from '../bulk-rows.ts'
import type { CaseFileTable } from '../case-tables.ts'
import { chunks } from '../chunks.ts'
import { exposuresOf, unsyncedLimits } from '../console-api/exposure.ts'
import { reportsOf } from '../console-api/terminals.ts'
import { readBook } from '../explain/book.ts'
import type { Case, KeyedCase } from '../explain/case.ts'
import { stands } from '../explain/decided.ts'
import { deriveOfCards, deriveOfNoCard } from '../explain/derive.ts'
import type { Part } from '../explain/read.ts'
import { type Reports, readReports } from '../explain/reports.ts'
import { businessDays } from '../facts.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreWriter } from '../store.ts'
import { appendEvents, type CaseEvent } from './case-log.ts'
import { type Decision, decisionDocument, undoDecision } from './decision-money.ts'
import { causePlaces } from './workflow.ts'

const daySeconds = 86_400
/** A terminal that has sent nothing for longer is missed. */
const silenceSeconds = 26 * 3600
/** The record of a load comes with its terminal's next sync: until then there is nothing to do. */
const loadPatienceSeconds = 2 * daySeconds
const keysMax = 500

export type CaseFile = Selectable<CaseFileTable>

export interface Reconciled {
  readonly opened: number
  readonly closed: number
  readonly reopened: number
  /** Decisions. */
  readonly takenBack: number
}

const seconds = (iso: string | undefined): number | undefined =>
  iso === undefined ? undefined : Math.floor(Date.parse(iso) / 1000)

/** By terminal: about what each that is missed may hold, as the Overview has it. */
type Held = ReadonlyMap<string, number>

const atRiskMinor = (found: Case, held: Held): number => {
  const { cause, amountMinor, suspenseMinor, holesMinor, terminalId } = found
  const standing = Math.abs(suspenseMinor) + Math.abs(holesMinor)
  if (standing > 0) return standing
  const { amountAtRisk } = causePlaces[cause]
  if (amountAtRisk === 'estimated') return held.get(terminalId ?? '') ?? 0
  return amountAtRisk ? amountMinor : 0
}

const readHeld = async (issuer: Issuer, db: StoreWriter, derived: readonly KeyedCase[]): Promise<Held> => {
  const missed = new Set(derived.flatMap(({ found }) => (found.cause === 'notReported' ? [found.terminalId] : [])))
  if (missed.size === 0) return new Map()
  const reporters = (await reportsOf(db)).filter(({ terminalId }) => missed.has(terminalId))
  const exposures = await exposuresOf(db, reporters, { now: issuer.clock(), limits: await unsyncedLimits(issuer, db) })
  return new Map(
    reporters.map(({ terminalId, terminalNo }) => [terminalId, exposures.get(terminalNo)?.expected.amountMinor ?? 0]),
  )
}

/** Of what is derived, the columns that may change while the case is the same. */
const changing = ({ found, evidence }: KeyedCase, held: Held) => ({
  reason: found.reason ?? null,
  amount_minor: found.amountMinor,
  suspense_minor: found.suspenseMinor,
  holes_minor: found.holesMinor,
  at_risk_minor: atRiskMinor(found, held),
  last_counter: found.lastCounter ?? null,
  terminal_id: found.terminalId ?? null,
  merchant: found.merchant ?? null,
  day: found.day,
  json: JSON.stringify(found),
  evidence,
})

const newFile = (keyed: KeyedCase, now: number, held: Held): Insertable<CaseFileTable> => {
  const { found } = keyed
  const { acts, dueDays } = causePlaces[found.cause]
  return {
    case_key: keyed.key,
    cause: found.cause,
    state: acts === 'nobody' ? 'waiting' : 'open',
    owner: null,
    due_at: now + dueDays * daySeconds,
    card_id: found.cardId ?? null,
    counter: found.counter ?? null,
    opened_at: seconds(found.opened?.at) ?? now,
    opened_document: found.opened?.document ?? null,
    closed_at: null,
    closed_document: null,
    closed_by: null,
    ...changing(keyed, held),
  }
}

/** A person may have cancelled the credit that was decided. */
type StandingDecision = Decision & { readonly isCancelled: boolean }
/** By case. */
type Decisions = ReadonlyMap<number, StandingDecision>

/** One pass over what is derived, and what is on file. */
class Pass {
  readonly #db: StoreWriter
  readonly #now: number
  readonly #issuer: Issuer
  readonly #decisions: Decisions
  readonly #held: Held
  readonly #events: CaseEvent[] = []
  readonly counts = { opened: 0, closed: 0, reopened: 0, takenBack: 0 }

  constructor(
    issuer: Issuer,
    db: StoreWriter,
    { decisions, held }: { readonly decisions: Decisions; readonly held: Held },
  ) {
    this.#issuer = issuer
    this.#db = db
    this.#now = issuer.clock()
    this.#decisions = decisions
    this.#held = held
  }

  async open(fresh: readonly KeyedCase[]): Promise<void> {
    for (const some of chunks(fresh, keysMax)) {
      const made: { case_no: number; opened_document: string | null }[] = []
      for (let at = 0; at < some.length; at += 40)
        made.push(
          ...(await this.#db
            .insertInto('case_file')
            .values(some.slice(at, at + 40).map((keyed) => newFile(keyed, this.#now, this.#held)))
            .returning(['case_no', 'opened_document'])
            .execute()),
        )
      for (const { case_no, opened_document } of made)
        this.#events.push({ caseNo: case_no, kind: 'opened', document: opened_document ?? undefined })
      this.counts.opened += made.length
    }
  }

  /** A case that is on file, as it is derived now. */
  async keep(file: CaseFile, keyed: KeyedCase): Promise<void> {
    const decision = this.#decisions.get(file.case_no)
    const holds = decision !== undefined && stands(decision, keyed.found) && !decision.isCancelled
    if (decision?.state === 'booked' && holds) return
    if (decision !== undefined && !holds) await this.#withdraw(decision, keyed.found.opened?.document)
    const isClosed = file.state === 'closed'
    // A person closed it, and nothing has come since that he had not seen.
    if (isClosed && file.closed_by !== null && decision?.state !== 'booked' && file.evidence === keyed.evidence) return
    if (isClosed) await this.#reopen(file, keyed)
    else if (
      file.json !== JSON.stringify(keyed.found) ||
      file.evidence !== keyed.evidence ||
      file.at_risk_minor !== atRiskMinor(keyed.found, this.#held)
    )
      await this.#change(file, keyed, decision !== undefined && !holds)
  }

  async #change(file: CaseFile, keyed: KeyedCase, undecided: boolean): Promise<void> {
    const next = changing(keyed, this.#held)
    const moved = next.suspense_minor !== file.suspense_minor || next.holes_minor !== file.holes_minor
    const state =
      undecided || (moved && file.state === 'waiting') ? newFile(keyed, this.#now, this.#held).state : file.state
    await this.#update(file.case_no, { ...next, state })
    if (moved) this.#events.push({ caseNo: file.case_no, kind: 'changed', detail: keyed.found.detail })
  }

  async #reopen(file: CaseFile, keyed: KeyedCase): Promise<void> {
    const { state, due_at } = newFile(keyed, this.#now, this.#held)
    await this.#update(file.case_no, {
      ...changing(keyed, this.#held),
      state,
      due_at,
      closed_at: null,
      closed_document: null,
      closed_by: null,
    })
    this.#events.push({ caseNo: file.case_no, kind: 'reopened', document: keyed.found.opened?.document })
    this.counts.reopened += 1
  }

  /** A case that is not derived any more: what was missing has come. */
  async end(file: CaseFile, closed: Case['closed']): Promise<void> {
    const decision = this.#decisions.get(file.case_no)
    const told = closed ?? (await this.#whatCame(file))
    if (decision !== undefined) await this.#withdraw(decision, told?.document)
    if (file.state === 'closed' && decision?.state !== 'booked') return
    await this.#update(file.case_no, {
      state: 'closed',
      suspense_minor: 0,
      holes_minor: 0,
      at_risk_minor: 0,
      closed_at: seconds(told?.at) ?? this.#now,
      closed_document: told?.document ?? null,
      closed_by: null,
    })
    this.#events.push({ caseNo: file.case_no, kind: 'closed', document: told?.document })
    this.counts.closed += 1
  }

  /** What was booked goes back, what was proposed is void. Its state is what makes it once. */
  async #withdraw(decision: Decision, document: string | undefined): Promise<void> {
    const booked = decision.state === 'booked'
    const { numUpdatedRows } = await this.#db
      .updateTable('case_decision')
      .set(booked ? { state: 'takenBack', taken_back_at: this.#now } : { state: 'refused', decided_at: this.#now })
      .where('decision_no', '=', decision.decision_no)
      .where('state', '=', decision.state)
      .executeTakeFirstOrThrow()
    if (Number(numUpdatedRows) === 0) return
    if (booked) {
      await undoDecision(this.#issuer, this.#db, decision)
      this.counts.takenBack += 1
    }
    this.#events.push({
      caseNo: decision.case_no,
      kind: booked ? 'takenBack' : 'refused',
      document,
      detail: `${decisionDocument(decision)}: the case is another one now, or the credit was taken back.`,
    })
  }

  /** The document that most likely ended a case: about its counter, or from its terminal. */
  async #whatCame(file: CaseFile): Promise<Case['closed']> {
    const { card_id, counter, terminal_id } = file
    if (card_id !== null && counter !== null) {
      const about = file.cause === 'held' ? counter + 1 : file.cause === 'reversalWaits' ? counter - 1 : counter
      const transfer = await this.#db
        .selectFrom('transfer')
        .innerJoin('card', 'card.card_no', 'transfer.card_no')
        .select(['document', 'booked_at'])
        .where('card_id', '=', card_id)
        .where('counter', '=', about)
        .where('cause', 'in', ['payment', 'reversal', 'load'])
        .orderBy('transfer_no', file.cause === 'hole' || file.cause === 'presumedReversal' ? 'asc' : 'desc')
        .executeTakeFirst()
      if (transfer !== undefined && file.cause !== 'courier' && transfer.document !== file.opened_document)
        return { document: transfer.document, at: new Date(transfer.booked_at * 1000).toISOString() }
    }
    if (terminal_id === null) return undefined
    const batch = await this.#db
      .selectFrom('batch_span')
      .innerJoin('terminal', 'terminal.terminal_no', 'batch_span.terminal_no')
      .select(['batch_span.epoch', 'batch_no', 'received_at'])
      .where('terminal_id', '=', terminal_id)
      .where('received_at', '>=', file.opened_at)
      .orderBy('received_at', 'desc')
      .orderBy('batch_span.epoch', 'desc')
      .orderBy('batch_no', 'desc')
      .executeTakeFirst()
    return (
      batch && {
        document: `batch ${terminal_id}/${batch.epoch}/${batch.batch_no}`,
        at: new Date(batch.received_at * 1000).toISOString(),
      }
    )
  }

  async #update(caseNo: number, columns: Partial<Insertable<CaseFileTable>>): Promise<void> {
    await this.#db.updateTable('case_file').set(columns).where('case_no', '=', caseNo).execute()
  }

  async finish(): Promise<Reconciled> {
    await appendEvents(this.#db, this.#now, this.#events)
    return this.counts
  }
}

/** The condition of an index: it is written out. */
const decisionStands = sql<boolean>`case_decision.state IN ('proposed', 'booked')`

/** As explain/derive.ts divides cases. The condition of those of no card is that of an index: it is written out. */
const isOfPart = (db: StoreWriter, part: Part) =>
  part === 'noCard'
    ? sql<boolean>`(card_id IS NULL OR cause = 'soldTwice')`
    : sql<boolean>`card_id IN ${listOf(db, part.cardIds)} AND cause <> 'soldTwice'`

/** Those that are not closed, those with a standing decision, and those of these keys. */
const readFiles = async (
  db: StoreWriter,
  part: Part,
  keys: readonly string[],
): Promise<ReadonlyMap<string, CaseFile>> => {
  const files = await db
    .selectFrom('case_file')
    .selectAll()
    .where(isOfPart(db, part))
    .where((eb) =>
      eb.or([
        eb('state', '<>', 'closed'),
        eb.exists(
          eb
            .selectFrom('case_decision')
            .select('case_decision.case_no')
            .whereRef('case_decision.case_no', '=', 'case_file.case_no')
            .where(decisionStands),
        ),
      ]),
    )
    .execute()
  const known = new Map(files.map((file) => [file.case_key, file]))
  for (const some of chunks(
    keys.filter((key) => !known.has(key)),
    keysMax,
  ))
    for (const file of await db.selectFrom('case_file').selectAll().where('case_key', 'in', listOf(db, some)).execute())
      known.set(file.case_key, file)
  return known
}

const readDecisions = async (db: StoreWriter, files: Iterable<CaseFile>): Promise<Decisions> => {
  const decisions = new Map<number, StandingDecision>()
  for (const some of chunks(
    [...files].map(({ case_no }) => case_no),
    keysMax,
  ))
    for (const { credit_state, ...decision } of await db
      .selectFrom('case_decision')
      .leftJoin('funding', 'funding.funding_no', 'case_decision.funding_no')
      .selectAll('case_decision')
      .select('funding.state as credit_state')
      .where('case_no', 'in', listOf(db, some))
      .where(decisionStands)
      .execute())
      decisions.set(decision.case_no, { ...decision, isCancelled: credit_state === 'cancelled' })
  return decisions
}

/** The first day whose loads nobody expects a record of yet. */
export const freshLoadsFrom = (issuer: Issuer): string =>
  businessDays(issuer.book.timeZone)(issuer.clock() - loadPatienceSeconds)

/** Within a transaction that writes. */
export const reconcileIn = async (
  issuer: Issuer,
  db: StoreWriter,
  { part, reports }: { readonly part: Part; readonly reports: Reports },
): Promise<Reconciled> => {
  const book = await readBook(issuer, db, { closed: false, part, reports })
  const derived =
    part === 'noCard' ? deriveOfNoCard(book, { since: issuer.clock() - silenceSeconds }) : deriveOfCards(book)
  const freshFrom = freshLoadsFrom(issuer)
  const isWork = ({ found, routine }: KeyedCase): boolean =>
    found.state === 'open' && !routine && !(found.cause === 'loadStanding' && found.day >= freshFrom)
  const open = new Map(derived.filter(isWork).map((keyed) => [keyed.key, keyed]))
  const ended = new Map(
    derived.filter(({ found }) => found.state === 'closed').map(({ key, found }) => [key, found.closed]),
  )
  const files = await readFiles(db, part, [...open.keys()])
  const pass = new Pass(issuer, db, {
    decisions: await readDecisions(db, files.values()),
    held: await readHeld(issuer, db, [...open.values()]),
  })
  for (const file of files.values()) {
    const keyed = open.get(file.case_key)
    if (keyed === undefined) await pass.end(file, ended.get(`${file.case_key}/closed`))
    else await pass.keep(file, keyed)
  }
  await pass.open([...open.values()].filter(({ key }) => !files.has(key)))
  return pass.finish()
}

/** A case, and what else its card has. Within a transaction that writes. */
export const reconcileCase = async (
  issuer: Issuer,
  db: StoreWriter,
  { card_id, cause }: Pick<CaseFile, 'card_id' | 'cause'>,
): Promise<Reconciled> => {
  const part: Part = card_id === null || cause === 'soldTwice' ? 'noCard' : { cardIds: [card_id] }
  return reconcileIn(issuer, db, { part, reports: await readReports((work) => work(db)) })
}

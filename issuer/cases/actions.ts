/** What people do with a case. Each is one transaction, is audited, and looks first at what the books say now. */

import { isSamePerson } from '../actor.ts'
import { noteChange } from '../audit-log.ts'
import { type DecisionKind, decisionKinds } from '../case-tables.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import { aloneMinorLeft, isProposalOver, overProposal } from '../second-person.ts'
import type { StoreReader, StoreWriter } from '../store.ts'
import { appendEvents } from './case-log.ts'
import { requireCase } from './case-view.ts'
import { bookDecision, type Decision, decisionDocument, fitsSum } from './decision-money.ts'
import { type CaseFile, reconcileCase } from './reconcile.ts'

const textLengthMax = 2000
const ownerLengthMax = 64

export interface CaseAction {
  readonly caseNo: number
  /** Who does it: a user's name, or "cli:" and that of the operating system. */
  readonly by: string
}

const requireText = (text: string, what: string): string => {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.length > textLengthMax)
    throw new IssuerError('input', `${what} has 1 to ${textLengthMax} characters.`)
  return trimmed
}

const closedSentence = ({ case_no, closed_document, closed_by }: CaseFile): string => {
  const by = closed_by === null ? (closed_document ?? 'what came since') : closed_by
  return `Case ${case_no} is closed (${by}).`
}

const requireOpen = (file: CaseFile): void => {
  if (file.state === 'closed') throw new IssuerError('caseState', `${closedSentence(file)} There is nothing to do.`)
}

/** @returns the case as the books have it now @throws IssuerError `unknownCase` */
const present = async (issuer: Issuer, db: StoreWriter, caseNo: number): Promise<CaseFile> => {
  await reconcileCase(issuer, db, await requireCase(db, caseNo))
  return requireCase(db, caseNo)
}

/** @throws IssuerError `unknownCase`, `input` */
export const addCaseNote = (issuer: Issuer, action: CaseAction & { readonly text: string }): Promise<void> => {
  const text = requireText(action.text, 'A note')
  return issuer.store.write(async (db) => {
    await requireCase(db, action.caseNo)
    const at = issuer.clock()
    await insertNote(db, { caseNo: action.caseNo, author: action.by, text, at })
    await noteChange(
      db,
      { name: action.by, at },
      { action: 'case.note', subject: `case ${action.caseNo}`, after: { text } },
    )
  })
}

const insertNote = async (
  db: StoreWriter,
  note: { readonly caseNo: number; readonly author: string; readonly text: string; readonly at: number },
): Promise<void> => {
  await db
    .insertInto('case_note')
    .values({ case_no: note.caseNo, author: note.author, text: note.text, at: note.at })
    .execute()
}

/**
 * @param action.owner absent: nobody's any more
 * @throws IssuerError `unknownCase`, `caseState`, `input`
 */
export const assignCase = (
  issuer: Issuer,
  action: CaseAction & { readonly owner?: string; readonly dueAt?: number },
): Promise<void> => {
  const owner = action.owner?.trim() ?? ''
  if (owner.length > ownerLengthMax)
    throw new IssuerError('input', `An owner's name has at most ${ownerLengthMax} characters.`)
  return issuer.store.write(async (db) => {
    const file = await requireCase(db, action.caseNo)
    requireOpen(file)
    const at = issuer.clock()
    const after = { owner: owner === '' ? null : owner, due_at: action.dueAt ?? file.due_at }
    await db.updateTable('case_file').set(after).where('case_no', '=', file.case_no).execute()
    await appendEvents(db, at, [
      { caseNo: file.case_no, kind: 'assigned', who: action.by, detail: after.owner ?? 'nobody' },
    ])
    await noteChange(
      db,
      { name: action.by, at },
      {
        action: 'case.assign',
        subject: `case ${file.case_no}`,
        before: { owner: file.owner, dueAt: file.due_at },
        after: { owner: after.owner, dueAt: after.due_at },
      },
    )
  })
}

/**
 * A person has seen to a case that holds no money. It is opened again by what he had not seen.
 * @throws IssuerError `unknownCase`, `caseState`, `input`
 */
export const closeCase = (issuer: Issuer, action: CaseAction & { readonly text: string }): Promise<void> => {
  const text = requireText(action.text, 'The note that closes a case')
  return issuer.store.write(async (db) => {
    const file = await present(issuer, db, action.caseNo)
    requireOpen(file)
    if (file.suspense_minor !== 0 || file.holes_minor !== 0)
      throw new IssuerError(
        'caseState',
        `Case ${file.case_no} holds money in suspense or holes: decide where it goes ("cases decide"), and it closes with that.`,
      )
    const at = issuer.clock()
    await insertNote(db, { caseNo: file.case_no, author: action.by, text, at })
    await db
      .updateTable('case_file')
      .set({ state: 'closed', closed_at: at, closed_by: action.by, closed_document: null })
      .where('case_no', '=', file.case_no)
      .execute()
    await appendEvents(db, at, [{ caseNo: file.case_no, kind: 'closed', who: action.by, detail: text }])
    await noteChange(
      db,
      { name: action.by, at },
      {
        action: 'case.close',
        subject: `case ${file.case_no}`,
        before: { state: file.state },
        after: { state: 'closed', text },
      },
    )
  })
}

/**
 * Leaves its money where it is, and says why and until when.
 * @throws IssuerError `unknownCase`, `caseState`, `input`
 */
export const keepCase = (
  issuer: Issuer,
  action: CaseAction & { readonly reason: string; readonly dueAt?: number },
): Promise<void> => {
  const reason = requireText(action.reason, 'The reason')
  return issuer.store.write(async (db) => {
    const file = await present(issuer, db, action.caseNo)
    requireOpen(file)
    if (file.state === 'proposed')
      throw new IssuerError('caseState', `A decision about case ${file.case_no} waits for approval: refuse that first.`)
    const at = issuer.clock()
    const dueAt = action.dueAt ?? file.due_at
    await db
      .updateTable('case_file')
      .set({ state: 'waiting', due_at: dueAt })
      .where('case_no', '=', file.case_no)
      .execute()
    await appendEvents(db, at, [{ caseNo: file.case_no, kind: 'kept', who: action.by, detail: reason }])
    await noteChange(
      db,
      { name: action.by, at },
      {
        action: 'case.keep',
        subject: `case ${file.case_no}`,
        before: { state: file.state, dueAt: file.due_at },
        after: { state: 'waiting', dueAt, reason },
      },
    )
  })
}

export interface Decide extends CaseAction {
  readonly kind: DecisionKind
  /** Whom to pay or to charge; absent: the merchant that the case names. */
  readonly merchant?: string
  /** Whose credit it is; absent: the card that the case names. */
  readonly cardId?: string
  readonly reason: string
}

export interface Decided {
  readonly caseNo: number
  readonly decisionNo: number
  /** proposed: another person has to approve. */
  readonly state: 'proposed' | 'booked'
  readonly suspenseMinor: number
  readonly holesMinor: number
}

const merchantOf = async (db: StoreReader, name: string | null): Promise<number> => {
  if (name === null) throw new IssuerError('input', 'The case names no merchant: say which one.')
  const row = await db.selectFrom('merchant').select('merchant_no').where('name', '=', name).executeTakeFirst()
  if (row === undefined) throw new IssuerError('unknownMerchant', `There is no merchant "${name}".`)
  return row.merchant_no
}

const cardOf = async (db: StoreReader, id: string | null): Promise<number> => {
  if (id === null) throw new IssuerError('input', 'The case names no card: say which one.')
  const row = await db.selectFrom('card').select('card_no').where('card_id', '=', id).executeTakeFirst()
  if (row === undefined) throw new IssuerError('unknownCard', `There is no card ${id}.`)
  return row.card_no
}

const proposalWords: Readonly<Record<DecisionKind, string>> = {
  payMerchant: 'pay the merchant',
  chargeMerchant: 'charge the merchant',
  creditCard: 'credit the customer',
  writeOff: 'write off',
}

const kindWords: Readonly<Record<DecisionKind, string>> = {
  payMerchant: 'Only a sum that waits in suspense or holes can be paid to a merchant',
  chargeMerchant: 'A merchant is charged only with what is missing in suspense or holes',
  creditCard: 'Only a sum that waits in suspense or holes can be credited to a card',
  writeOff: 'There is nothing to write off',
}

/** @throws IssuerError `caseState` */
const requireDecidable = (file: CaseFile, kind: DecisionKind): void => {
  requireOpen(file)
  if (file.state === 'proposed')
    throw new IssuerError('caseState', `A decision about case ${file.case_no} waits for approval already.`)
  const { suspense_minor: suspenseMinor, holes_minor: holesMinor } = file
  if (suspenseMinor === 0 && holesMinor === 0)
    throw new IssuerError('caseState', `Case ${file.case_no} holds no money: close it with a note.`)
  if (!fitsSum(kind, { suspenseMinor, holesMinor }))
    throw new IssuerError('caseState', `${kindWords[kind]}, which case ${file.case_no} is not.`)
}

/**
 * Decides where a case's money goes: at once within what a person decides alone in a day, over it when another one approves.
 * @throws IssuerError `unknownCase`, `caseState`, `input`, `unknownMerchant`, `unknownCard`
 */
export const decideCase = (issuer: Issuer, decide: Decide): Promise<Decided> => {
  const reason = requireText(decide.reason, 'The reason')
  if (!decisionKinds.includes(decide.kind)) throw new IssuerError('input', `"${decide.kind}" is no kind of decision.`)
  return issuer.store.write(async (db) => {
    const file = await present(issuer, db, decide.caseNo)
    requireDecidable(file, decide.kind)
    const at = issuer.clock()
    const isMerchants = decide.kind === 'payMerchant' || decide.kind === 'chargeMerchant'
    const decision = await db
      .insertInto('case_decision')
      .values({
        case_no: file.case_no,
        kind: decide.kind,
        state: 'proposed',
        suspense_minor: file.suspense_minor,
        holes_minor: file.holes_minor,
        merchant_no: isMerchants ? await merchantOf(db, decide.merchant ?? file.merchant) : null,
        funding_no: null,
        card_no: decide.kind === 'creditCard' ? await cardOf(db, decide.cardId ?? file.card_id) : null,
        reason,
        proposed_by: decide.by,
        proposed_at: at,
        approved_by: null,
        decided_at: null,
        taken_back_at: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    const left = await aloneMinorLeft(db, { name: decide.by, at })
    const isLarge = Math.abs(file.suspense_minor) + Math.abs(file.holes_minor) > left
    await db.updateTable('case_file').set({ state: 'proposed' }).where('case_no', '=', file.case_no).execute()
    await appendEvents(db, at, [
      {
        caseNo: file.case_no,
        kind: 'proposed',
        who: decide.by,
        document: decisionDocument(decision),
        detail: `${proposalWords[decide.kind]}: ${reason}`,
      },
    ])
    await noteChange(
      db,
      { name: decide.by, at },
      {
        action: 'case.decide',
        subject: `case ${file.case_no}`,
        before: { state: file.state },
        after: {
          decision: decision.decision_no,
          kind: decide.kind,
          suspenseMinor: file.suspense_minor,
          holesMinor: file.holes_minor,
          merchant: isMerchants ? (decide.merchant ?? file.merchant) : null,
          card: decide.kind === 'creditCard' ? (decide.cardId ?? file.card_id) : null,
          reason,
          needsApproval: isLarge,
        },
      },
    )
    if (!isLarge) await settle(issuer, db, { decision, by: decide.by, at })
    return {
      caseNo: file.case_no,
      decisionNo: decision.decision_no,
      state: isLarge ? 'proposed' : 'booked',
      suspenseMinor: file.suspense_minor,
      holesMinor: file.holes_minor,
    }
  })
}

/** Books it, and closes the case. */
const settle = async (
  issuer: Issuer,
  db: StoreWriter,
  about: { readonly decision: Decision; readonly by: string; readonly at: number },
): Promise<void> => {
  const { decision, by, at } = about
  const booked = await bookDecision(issuer, db, decision, by)
  await db
    .updateTable('case_decision')
    .set({ state: 'booked', approved_by: by, decided_at: at, ...booked })
    .where('decision_no', '=', decision.decision_no)
    .execute()
  await db
    .updateTable('case_file')
    .set({
      state: 'closed',
      closed_at: at,
      closed_by: by,
      closed_document: decisionDocument(decision),
      suspense_minor: 0,
      holes_minor: 0,
      at_risk_minor: 0,
    })
    .where('case_no', '=', decision.case_no)
    .execute()
  await appendEvents(db, at, [
    { caseNo: decision.case_no, kind: 'booked', who: by, document: decisionDocument(decision) },
  ])
}

const requireProposal = async (db: StoreReader, file: CaseFile): Promise<Decision> => {
  const decision = await db
    .selectFrom('case_decision')
    .selectAll()
    .where('case_no', '=', file.case_no)
    .where('state', '=', 'proposed')
    .executeTakeFirst()
  if (decision === undefined)
    throw new IssuerError(
      'caseState',
      `No decision about case ${file.case_no} waits for approval: it may have become void, since documents came meanwhile.`,
    )
  return decision
}

/**
 * The second pair of eyes.
 * @throws IssuerError `unknownCase`, `caseState`, `fourEyes`
 */
export const approveCase = (issuer: Issuer, action: CaseAction): Promise<Decided> =>
  issuer.store.write(async (db) => {
    const file = await present(issuer, db, action.caseNo)
    const decision = await requireProposal(db, file)
    if (isSamePerson(decision.proposed_by, action.by))
      throw new IssuerError('fourEyes', `${action.by} proposed it: somebody else approves it.`)
    const at = issuer.clock()
    if (isProposalOver(decision.proposed_at, at))
      throw new IssuerError(
        'caseState',
        `${overProposal({ by: decision.proposed_by, at: decision.proposed_at })} Refuse it, then decide case ${file.case_no} anew.`,
      )
    await settle(issuer, db, { decision, by: action.by, at })
    await noteChange(
      db,
      { name: action.by, at },
      {
        action: 'case.approve',
        subject: `case ${file.case_no}`,
        before: { state: 'proposed', proposedBy: decision.proposed_by },
        after: { state: 'booked', decision: decision.decision_no },
      },
    )
    return {
      caseNo: file.case_no,
      decisionNo: decision.decision_no,
      state: 'booked',
      suspenseMinor: decision.suspense_minor,
      holesMinor: decision.holes_minor,
    }
  })

/**
 * The second pair of eyes says no, or the first takes it back.
 * @throws IssuerError `unknownCase`, `caseState`, `input`
 */
export const refuseCase = (issuer: Issuer, action: CaseAction & { readonly reason: string }): Promise<void> => {
  const reason = requireText(action.reason, 'The reason')
  return issuer.store.write(async (db) => {
    const file = await present(issuer, db, action.caseNo)
    const decision = await requireProposal(db, file)
    const at = issuer.clock()
    await db
      .updateTable('case_decision')
      .set({ state: 'refused', approved_by: action.by, decided_at: at })
      .where('decision_no', '=', decision.decision_no)
      .execute()
    await db.updateTable('case_file').set({ state: 'open' }).where('case_no', '=', file.case_no).execute()
    await appendEvents(db, at, [
      {
        caseNo: file.case_no,
        kind: 'refused',
        who: action.by,
        document: decisionDocument(decision),
        detail: reason,
      },
    ])
    await noteChange(
      db,
      { name: action.by, at },
      {
        action: 'case.refuse',
        subject: `case ${file.case_no}`,
        before: { state: 'proposed', decision: decision.decision_no },
        after: { state: 'open', reason },
      },
    )
  })
}

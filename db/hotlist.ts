/**
 * The hotlist at the terminal (PROTOCOL.md, Hotlist): one log in force, which was verified up to a signed head, and one that
 * arrives page by page beside it. An entry counts by its position, so that a whole delta comes into force with one row.
 * Every method is at most one durable commit; none takes longer than a page.
 */
import assert from 'node:assert/strict'
import {
  firstHotlistHead,
  hotlistEntryLength,
  hotlistPageEntriesMax,
  isSignedHotlist,
  nextHotlistHead,
  parseHotlistPage,
  type SignedHotlist,
} from '../protocol/hotlist.ts'
import { type CardId, idBytes, type Mac, mac } from '../protocol/quantities.ts'
import { asLedgerFault, type WritableDatabase } from './open.ts'

/** What a verified bulletin says; times in UNIX seconds. */
export interface HotlistTerms {
  readonly signed: SignedHotlist
  readonly issuedTime: number
  readonly expiresTime: number
}

interface Log {
  readonly list: number
  /** 0: from before there were logs. */
  readonly generation: number
  readonly count: number
  readonly head: Uint8Array
}

export interface HotlistInForce extends Log {
  /** When the issuer last said that this is all, and until when that holds. */
  readonly asOf: number
  readonly goodUntil: number
}

/** `refused`: shorter or older than what is in force, which stays. */
export type HotlistStand = 'inForce' | 'arriving' | 'refused'

interface LogRow {
  role: 'inForce' | 'arriving'
  list: number
  generation: number
  count: number
  head: Uint8Array
  as_of: number
  good_until: number
}

export type Hotlist = ReturnType<typeof openHotlist>

/** @throws LedgerFault, as every method does */
export const openHotlist = (database: WritableDatabase) => {
  let inForce: HotlistInForce | undefined
  let arriving: Log | undefined

  const statements = {
    find: database.prepare(
      `SELECT listed, block_mac FROM hotlist WHERE list = ? AND card_id = ? AND position <= ? ORDER BY position DESC LIMIT 1`,
    ),
    insert: database.prepare('INSERT INTO hotlist (list, card_id, position, listed, block_mac) VALUES (?, ?, ?, ?, ?)'),
    writeLog: database.prepare(
      `INSERT INTO hotlist_log (role, list, generation, count, head, as_of, good_until)
       VALUES (@role, @list, @generation, @count, @head, @asOf, @goodUntil)
       ON CONFLICT (role) DO UPDATE SET list = @list, generation = @generation, count = @count, head = @head,
         as_of = @asOf, good_until = @goodUntil`,
    ),
    dropArriving: database.prepare(`DELETE FROM hotlist_log WHERE role = 'arriving'`),
    lists: database.prepare('SELECT min(list) AS first, max(list) AS last FROM hotlist'),
    listAfter: database.prepare('SELECT min(list) AS list FROM hotlist WHERE list > ?'),
    sweep: database.prepare(
      `DELETE FROM hotlist WHERE (list, card_id, position) IN (
         SELECT list, card_id, position FROM hotlist WHERE list = ? LIMIT ${hotlistPageEntriesMax})`,
    ),
  }

  const look = <Result>(work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      throw asLedgerFault(error)
    }
  }

  const reload = (): void => {
    inForce = undefined
    arriving = undefined
    for (const row of database.prepare('SELECT * FROM hotlist_log').all() as LogRow[]) {
      const { role, list, generation, count, as_of: asOf, good_until: goodUntil } = row
      const log = { list, generation, count, head: new Uint8Array(row.head) }
      if (role === 'arriving') arriving = log
      else inForce = { ...log, asOf, goodUntil }
    }
  }
  look(reload)

  /** Memory follows the disk, and only after it. */
  const commit = <Result>(work: () => Result): Result =>
    look(() => {
      const result = database.transaction(work).immediate()
      reload()
      return result
    })

  const writeArriving = (log: Log): void => {
    statements.writeLog.run({ ...log, role: 'arriving', asOf: 0, goodUntil: 0 })
  }
  const confirm = (log: Log, { signed, issuedTime, expiresTime }: HotlistTerms): void => {
    assert(isSignedHotlist(log, signed), 'only what was signed comes into force')
    statements.writeLog.run({ ...log, role: 'inForce', asOf: issuedTime, goodUntil: expiresTime })
  }
  const putInForce = (log: Log, terms: HotlistTerms): void => {
    confirm(log, terms)
    statements.dropArriving.run()
  }

  const beginAnew = (generation: number): Log => {
    const { last } = statements.lists.get() as { last: number | null }
    const list = Math.max(last ?? 0, inForce?.list ?? 0, arriving?.list ?? 0) + 1
    return { list, generation, count: 0, head: firstHotlistHead() }
  }

  const isBehind = (signed: SignedHotlist): boolean =>
    inForce !== undefined &&
    (signed.generation < inForce.generation ||
      (signed.generation === inForce.generation && signed.count <= inForce.count))

  /** Where reading goes on: behind what arrived, behind what is in force, or at the beginning. */
  const beginningOf = (signed: SignedHotlist): Log => {
    if (arriving?.generation === signed.generation && arriving.count < signed.count) return arriving
    if (arriving === undefined && inForce?.generation === signed.generation) return inForce
    return beginAnew(signed.generation)
  }

  return {
    /** What holds now; undefined before the first whole list. */
    get inForce(): HotlistInForce | undefined {
      return inForce
    },
    /** Entries of the arriving log that are here. */
    get arrived(): number {
      return arriving?.count ?? 0
    },
    /** @returns undefined: the card is not listed; else the MAC that blocks it, where the issuer knows the card */
    find(card: CardId): { readonly blockMac: Mac | undefined } | undefined {
      if (inForce === undefined) return undefined
      const { list, count } = inForce
      const row = look(() => statements.find.get(list, idBytes(card), count)) as
        | { listed: number; block_mac: Uint8Array | null }
        | undefined
      if (row === undefined || row.listed === 0) return undefined
      return { blockMac: row.block_mac === null ? undefined : mac(new Uint8Array(row.block_mac)) }
    },

    /** What a bulletin's word of the hotlist changes: the list in force is confirmed, or a newer one is awaited. */
    meet(terms: HotlistTerms): HotlistStand {
      const { signed, issuedTime, expiresTime } = terms
      const here = inForce
      if (here !== undefined && isSignedHotlist(here, signed)) {
        if (issuedTime > here.asOf || (issuedTime === here.asOf && expiresTime !== here.goodUntil))
          // What arrived beside it stays: its list may hold entries that no head ever signed.
          commit(() => confirm(here, terms))
        return 'inForce'
      }
      if (isBehind(signed)) return 'refused'
      const log = beginningOf(signed)
      if (isSignedHotlist(log, signed)) {
        commit(() => putInForce(log, terms))
        return 'inForce'
      }
      if (signed.count === 0) return 'refused'
      if (log !== arriving) commit(() => writeArriving(log))
      return 'arriving'
    },

    /**
     * Takes in the entries that follow those that arrived; the last ones up to the signed length bring all into force.
     * @param page more than was signed is left out
     * @returns `forged`: the log that arrived is not the signed one; it is read again from its beginning
     * @throws ProtocolError for a page that is none: nothing was changed
     */
    append(terms: HotlistTerms, page: Uint8Array): 'arriving' | 'inForce' | 'forged' {
      assert(arriving !== undefined && arriving.generation === terms.signed.generation, 'a log is awaited')
      const from = arriving
      const left = terms.signed.count - from.count
      assert(left > 0, 'entries are awaited')
      const bytes = page.subarray(0, Math.min(page.length, left * hotlistEntryLength))
      const entries = parseHotlistPage(bytes)
      const log = { ...from, count: from.count + entries.length, head: nextHotlistHead(from.head, bytes) }
      const isWhole = log.count === terms.signed.count
      if (isWhole && !isSignedHotlist(log, terms.signed)) {
        commit(() => writeArriving(beginAnew(log.generation)))
        return 'forged'
      }
      commit(() => {
        for (const [at, { op, cardId, blockMac }] of entries.entries())
          statements.insert.run(log.list, idBytes(cardId), from.count + at + 1, op === 'list' ? 1 : 0, blockMac ?? null)
        if (isWhole) putInForce(log, terms)
        else writeArriving(log)
      })
      return isWhole ? 'inForce' : 'arriving'
    },

    /** Deletes a page's worth of what no log needs any more. @returns whether there is more */
    sweep(): boolean {
      const kept = [inForce?.list, arriving?.list].filter((list) => list !== undefined)
      const { first } = look(() => statements.lists.get()) as { first: number | null }
      let refuse = first ?? undefined
      while (refuse !== undefined && kept.includes(refuse))
        refuse = (look(() => statements.listAfter.get(refuse)) as { list: number | null }).list ?? undefined
      if (refuse === undefined) return false
      commit(() => statements.sweep.run(refuse))
      return true
    },
  }
}

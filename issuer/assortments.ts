/**
 * Assortments: named choices of articles, of which a terminal has one, or everything (PROTOCOL.md, Bulletin). The bulletin says
 * what is in each, the keyring which one a terminal has; both change with the next `publish`.
 */

import * as v from 'valibot'
import type { Bulletin } from '../protocol/bulletin.ts'
import { assortmentNameSchema } from '../protocol/bulletin.ts'
import type { TerminalId } from '../protocol/quantities.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader, StoreWriter } from './store.ts'
import { noteFor, type Who } from './who.ts'

const assortmentsMax = 1000

export interface Assortment {
  readonly name: string
  /** Ids of articles. */
  readonly items: readonly string[]
  /** How many terminals are to have it. */
  readonly terminals: number
}

const itemsByName = async (db: StoreReader): Promise<ReadonlyMap<string, readonly string[]>> => {
  const names = await db.selectFrom('assortment').select('name').orderBy('name').execute()
  const rows = await db.selectFrom('assortment_item').selectAll().orderBy('item_id').execute()
  const items = Map.groupBy(rows, ({ name }) => name)
  return new Map(names.map(({ name }) => [name, (items.get(name) ?? []).map(({ item_id }) => item_id)]))
}

/** As the next bulletin has them; undefined: there are none. */
export const assortmentsIn = async (db: StoreReader): Promise<Bulletin['assortments']> => {
  const all = [...(await itemsByName(db))].map(([name, items]) => ({ name, items: [...items] }))
  return all.length === 0 ? undefined : all
}

export const listAssortments = (issuer: Pick<Issuer, 'store'>): Promise<readonly Assortment[]> =>
  issuer.store.read(async (db) => {
    const counts = await db
      .selectFrom('terminal_assortment')
      .select((eb) => ['name', eb.fn.countAll<number>().as('terminals')])
      .where('name', 'is not', null)
      .groupBy('name')
      .execute()
    const terminals = new Map(counts.map((row) => [row.name, row.terminals]))
    return [...(await itemsByName(db))].map(([name, items]) => ({ name, items, terminals: terminals.get(name) ?? 0 }))
  })

/**
 * Makes an assortment of these articles, or changes it to them.
 * @throws IssuerError `input`, `unknownItem`
 */
export const setAssortment = (
  issuer: Issuer,
  given: { readonly name: string; readonly items: readonly string[] },
  who?: Who,
): Promise<{ readonly outcome: 'added' | 'changed' }> => {
  const { name } = given
  if (!v.is(assortmentNameSchema, name))
    throw new IssuerError('input', 'An assortment\'s name has a-z, 0-9, ".", "_" and "-", and up to 64 characters.')
  const items = [...new Set(given.items)].sort()
  return issuer.store.write(async (db) => {
    const all = await itemsByName(db)
    const before = all.get(name)
    if (before === undefined && all.size >= assortmentsMax)
      throw new IssuerError('refused', `There are ${assortmentsMax} assortments already: remove one first.`)
    const known = await db.selectFrom('article').select('item_id').execute()
    const ids = new Set(known.map(({ item_id }) => item_id))
    const unknown = items.find((id) => !ids.has(id))
    if (unknown !== undefined)
      throw new IssuerError('unknownItem', `There is no article "${unknown}": "farthing catalogue list" names them.`)
    const row = { name, changed_at: issuer.clock() }
    await db
      .insertInto('assortment')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute()
    await db.deleteFrom('assortment_item').where('name', '=', name).execute()
    for (const item_id of items) await db.insertInto('assortment_item').values({ name, item_id }).execute()
    await noteFor(issuer, db, who, { action: 'assortment.set', subject: name, before, after: items })
    return { outcome: before === undefined ? 'added' : 'changed' }
  })
}

const unknownAssortment = (name: string): IssuerError =>
  new IssuerError('unknownItem', `There is no assortment "${name}": "farthing catalogue assortment list" names them.`)

/** @throws IssuerError `unknownItem`, and `input` as long as a terminal has it */
export const removeAssortment = (issuer: Issuer, name: string, who?: Who): Promise<void> =>
  issuer.store.write(async (db) => {
    const before = (await itemsByName(db)).get(name)
    if (before === undefined) throw unknownAssortment(name)
    const held = await db
      .selectFrom('terminal_assortment')
      .innerJoin('terminal', 'terminal.terminal_no', 'terminal_assortment.terminal_no')
      .select('terminal.terminal_id')
      .where((eb) => eb.or([eb('terminal_assortment.name', '=', name), eb('published_name', '=', name)]))
      .execute()
    if (held[0] !== undefined)
      throw new IssuerError(
        'input',
        `Terminal ${held[0].terminal_id} has the assortment "${name}" (${held.length} in all): give it another one and publish, then remove this one.`,
      )
    await db.deleteFrom('assortment_item').where('name', '=', name).execute()
    await db.deleteFrom('assortment').where('name', '=', name).execute()
    await noteFor(issuer, db, who, { action: 'assortment.remove', subject: name, before })
  })

export interface TerminalAssortment {
  readonly terminalId: string
  readonly merchant: string
  /** Absent: everything. */
  readonly assortment?: string
  /** What its keyring says until the next `publish`; the same where nothing is pending. */
  readonly published?: string
}

export const terminalAssortments = (issuer: Pick<Issuer, 'store'>): Promise<readonly TerminalAssortment[]> =>
  issuer.store.read(async (db) => {
    const rows = await db
      .selectFrom('terminal')
      .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
      .leftJoin('terminal_assortment as choice', 'choice.terminal_no', 'terminal.terminal_no')
      .select(['terminal.terminal_id', 'merchant.name as merchant', 'choice.name', 'choice.published_name'])
      .orderBy('terminal.terminal_no')
      .execute()
    return rows.map((row) => ({
      terminalId: row.terminal_id,
      merchant: row.merchant,
      ...(row.name === null ? {} : { assortment: row.name }),
      ...(row.published_name === null ? {} : { published: row.published_name }),
    }))
  })

/**
 * Says what a terminal sells, from the next `publish` on. Codes that were dealt to it stay with it, for good: it may have sold
 * them offline, and nothing that it could say in time would prove that it never will.
 * @param choice.assortment absent: everything
 * @throws IssuerError `unknownTerminal`, `unknownItem`
 */
export const giveAssortment = (
  issuer: Issuer,
  choice: { readonly terminalId: TerminalId; readonly assortment?: string | undefined },
  who?: Who,
): Promise<void> =>
  issuer.store.write(async (db) => {
    const terminal = await db
      .selectFrom('terminal')
      .leftJoin('terminal_assortment as choice', 'choice.terminal_no', 'terminal.terminal_no')
      .select(['terminal.terminal_no', 'choice.name', 'choice.published_name'])
      .where('terminal.terminal_id', '=', choice.terminalId)
      .executeTakeFirst()
    if (terminal === undefined) throw new IssuerError('unknownTerminal', `There is no terminal ${choice.terminalId}.`)
    const name = choice.assortment ?? null
    if (name !== null && !(await itemsByName(db)).has(name)) throw unknownAssortment(name)
    const row = { terminal_no: terminal.terminal_no, name, published_name: terminal.published_name }
    await db
      .insertInto('terminal_assortment')
      .values(row)
      .onConflict((conflict) => conflict.column('terminal_no').doUpdateSet({ name }))
      .execute()
    await noteFor(issuer, db, who, {
      action: 'terminal.assortment.set',
      subject: choice.terminalId,
      before: { assortment: terminal.name ?? 'everything' },
      after: { assortment: name ?? 'everything' },
    })
  })

/** What a person wished for is published: keyrings say it from now on. */
export const publishAssortments = async (db: StoreWriter): Promise<void> => {
  await db
    .updateTable('terminal_assortment')
    .set((eb) => ({ published_name: eb.ref('name') }))
    .execute()
}

/** Merchants, terminals and cards: who takes part. */

import { toHex, u8Max } from '../protocol/bytes.ts'
import { type CardId, cardId, idLength, type TerminalId, terminalId } from '../protocol/quantities.ts'
import { noteChange } from './audit-log.ts'
import { merchantAccounts } from './books-tables.ts'
import { isDeceptiveName } from './deceptive-text.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { By } from './users.ts'

const nameLengthMax = 100
const terminalNameLengthMax = 60

const deceptive = (whose: 'merchant' | 'terminal'): IssuerError =>
  new IssuerError(
    'input',
    `A ${whose}'s name is one line, without control characters and those that turn the direction of writing.`,
  )

/** @throws IssuerError `input` */
const terminalName = (given: string): string => {
  const name = given.trim()
  if (name === '' || name.length > terminalNameLengthMax)
    throw new IssuerError('input', `A terminal's name has 1 to ${terminalNameLengthMax} characters.`)
  if (isDeceptiveName(name)) throw deceptive('terminal')
  return name
}

/** Adds a merchant with his accounts; one of that name is left as he is. @param by for the log; absent: no person did it */
export const addMerchant = async (
  issuer: Issuer,
  name: string,
  by?: By,
): Promise<{ merchant: string; added: boolean }> => {
  const merchant = name.trim()
  if (merchant === '' || merchant.length > nameLengthMax)
    throw new IssuerError('input', `A merchant's name has 1 to ${nameLengthMax} characters.`)
  if (isDeceptiveName(merchant)) throw deceptive('merchant')
  return issuer.store.write(async (db) => {
    const known = await db.selectFrom('merchant').select('merchant_no').where('name', '=', merchant).executeTakeFirst()
    if (known !== undefined) return { merchant, added: false }
    const { merchant_no } = await db
      .insertInto('merchant')
      .values({ name: merchant, created_at: issuer.clock() })
      .returning('merchant_no')
      .executeTakeFirstOrThrow()
    await db
      .insertInto('account')
      .values(merchantAccounts.map((kind) => ({ kind, merchant_no })))
      .execute()
    if (by !== undefined)
      await noteChange(db, { name: by.name, at: issuer.clock() }, { action: 'merchant.add', subject: merchant })
    return { merchant, added: true }
  })
}

/**
 * Adds a terminal of a merchant, not yet enrolled (epoch 0).
 * @param options.name what people call it; absent: nothing
 * @throws IssuerError `unknownMerchant`, `input`
 */
export const addTerminal = async (
  issuer: Issuer,
  options: { readonly merchant: string; readonly terminalId?: TerminalId; readonly name?: string },
  by?: By,
): Promise<{ terminalId: TerminalId }> => {
  const name = options.name === undefined ? undefined : terminalName(options.name)
  return issuer.store.write(async (db) => {
    const merchant = await db
      .selectFrom('merchant')
      .select('merchant_no')
      .where('name', '=', options.merchant.trim())
      .executeTakeFirst()
    if (merchant === undefined)
      throw new IssuerError(
        'unknownMerchant',
        `There is no merchant "${options.merchant}": add it with "farthing issuer merchant add".`,
      )
    const id = options.terminalId ?? terminalId(toHex(issuer.randomBytes(idLength)))
    const known = await db.selectFrom('terminal').selectAll().where('terminal_id', '=', id).executeTakeFirst()
    if (known !== undefined) {
      if (known.merchant_no !== merchant.merchant_no)
        throw new IssuerError('refused', `Terminal ${id} belongs to another merchant already.`)
      if (name !== undefined && name !== known.name)
        throw new IssuerError(
          'input',
          `Terminal ${id} is known already: give it another name with "farthing issuer terminal name".`,
        )
      return { terminalId: id }
    }
    await db
      .insertInto('terminal')
      .values({
        terminal_id: id,
        merchant_no: merchant.merchant_no,
        key_version: issuer.keys.keyVersion,
        created_at: issuer.clock(),
        name: name ?? null,
      })
      .execute()
    if (by !== undefined) {
      const after = { merchant: options.merchant.trim(), ...(name === undefined ? {} : { name }) }
      const change = { action: 'terminal.add', subject: id, after }
      await noteChange(db, { name: by.name, at: issuer.clock() }, change)
    }
    return { terminalId: id }
  })
}

/**
 * Gives a terminal a name, or takes it away; the same again changes nothing.
 * @param change.name absent: none any more
 * @throws IssuerError `unknownTerminal`, `input`
 */
export const nameTerminal = async (
  issuer: Issuer,
  change: { readonly terminalId: TerminalId; readonly name?: string; readonly by: string },
): Promise<{ terminalId: TerminalId; name?: string; changed: boolean }> => {
  const { terminalId: id, by } = change
  const name = change.name === undefined ? undefined : terminalName(change.name)
  const done = { terminalId: id, ...(name === undefined ? {} : { name }) }
  return issuer.store.write(async (db) => {
    const known = await db.selectFrom('terminal').select('name').where('terminal_id', '=', id).executeTakeFirst()
    if (known === undefined)
      throw new IssuerError(
        'unknownTerminal',
        `There is no terminal ${id}: "farthing issuer terminal list" shows them.`,
      )
    if (known.name === (name ?? null)) return { ...done, changed: false }
    await db
      .updateTable('terminal')
      .set({ name: name ?? null })
      .where('terminal_id', '=', id)
      .execute()
    await noteChange(
      db,
      { name: by, at: issuer.clock() },
      {
        action: 'terminal.name',
        subject: id,
        before: known.name === null ? {} : { name: known.name },
        after: name === undefined ? {} : { name },
      },
    )
    return { ...done, changed: true }
  })
}

/** All terminals by merchant and name. @returns times in UNIX seconds; `reportedAt` is the arrival of the newest batch */
export const listTerminals = async (issuer: Pick<Issuer, 'store'>) => {
  const rows = await issuer.store.read((db) =>
    db
      .selectFrom('terminal')
      .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
      .select(['terminal_id', 'terminal.name', 'merchant.name as merchant', 'epoch', 'retired_at'])
      .select((eb) =>
        eb
          .selectFrom('batch')
          .whereRef('batch.terminal_no', '=', 'terminal.terminal_no')
          .select((of) => of.fn.max('received_at').as('newest'))
          .as('reported_at'),
      )
      .orderBy('merchant.name')
      .orderBy('terminal.name', (order) => order.asc().nullsLast())
      .orderBy('terminal_id')
      .execute(),
  )
  return rows.map((row) => ({
    terminalId: row.terminal_id,
    ...(row.name === null ? {} : { name: row.name }),
    merchant: row.merchant,
    epoch: row.epoch,
    retired: row.retired_at !== null,
    ...(row.reported_at === null ? {} : { reportedAt: Number(row.reported_at) }),
  }))
}

/** All merchants by name, with how many terminals each has. */
export const listMerchants = async (issuer: Pick<Issuer, 'store'>) => {
  const rows = await issuer.store.read((db) =>
    db
      .selectFrom('merchant')
      .leftJoin('terminal', 'terminal.merchant_no', 'merchant.merchant_no')
      .select(['merchant.merchant_no', 'merchant.name'])
      .select((eb) => eb.fn.count<number | string>('terminal.terminal_no').as('terminals'))
      .groupBy(['merchant.merchant_no', 'merchant.name'])
      .orderBy('merchant.name')
      .execute(),
  )
  return rows.map((row) => ({ merchant: row.name, terminals: Number(row.terminals) }))
}

/**
 * Begins a terminal's next epoch, never one used before; what enrolment calls.
 * @throws IssuerError `unknownTerminal`
 */
export const startEpoch = (issuer: Issuer, id: TerminalId): Promise<{ epoch: number; keyVersion: number }> =>
  issuer.store.write(async (db) => {
    const begun = await db
      .updateTable('terminal')
      .set((eb) => ({ epoch: eb('epoch', '+', 1), key_version: issuer.keys.keyVersion }))
      .where('terminal_id', '=', id)
      .returning(['epoch', 'key_version'])
      .executeTakeFirst()
    if (begun === undefined)
      throw new IssuerError(
        'unknownTerminal',
        `There is no terminal ${id}: add it with "farthing issuer terminal add".`,
      )
    return { epoch: begun.epoch, keyVersion: begun.key_version }
  })

/**
 * Adds a card with balance 0; the same card again changes nothing.
 * @throws IssuerError `input`: a key version without keys, or another one than the card was added with
 */
export const addCard = (
  issuer: Issuer,
  options: { readonly cardId: CardId | string; readonly keyVersion?: number },
  by?: By,
): Promise<{ cardId: CardId; added: boolean }> => {
  if (!/^[0-9a-f]{16}$/.test(options.cardId))
    throw new IssuerError('input', `"${options.cardId}" is not a card's id: 16 lower-case hex digits.`)
  const id = cardId(options.cardId)
  const keyVersion = options.keyVersion ?? issuer.keys.keyVersion
  if (!(keyVersion >= 0 && keyVersion <= u8Max) || !issuer.keys.has(keyVersion))
    throw new IssuerError('input', `There are no keys of version ${keyVersion}.`)
  return issuer.store.write(async (db) => {
    const known = await db.selectFrom('card').selectAll().where('card_id', '=', id).executeTakeFirst()
    if (known !== undefined) {
      if (known.key_version !== keyVersion)
        throw new IssuerError('refused', `Card ${id} was added with key version ${known.key_version} already.`)
      return { cardId: id, added: false }
    }
    await db.insertInto('card').values({ card_id: id, key_version: keyVersion, created_at: issuer.clock() }).execute()
    if (by !== undefined)
      await noteChange(
        db,
        { name: by.name, at: issuer.clock() },
        { action: 'card.add', subject: id, after: { keyVersion } },
      )
    return { cardId: id, added: true }
  })
}

/**
 * Takes a terminal out of use: nobody waits for its reports any more. What it sends all the same is taken.
 * @param change.retired false: it is in use again
 * @throws IssuerError `unknownTerminal`
 */
export const retireTerminal = (
  issuer: Issuer,
  change: { readonly terminalId: TerminalId; readonly retired: boolean; readonly by: string },
): Promise<{ terminalId: TerminalId; retired: boolean; changed: boolean }> =>
  issuer.store.write(async (db) => {
    const { terminalId: id, retired, by } = change
    const known = await db
      .selectFrom('terminal')
      .select(['terminal_no', 'retired_at'])
      .where('terminal_id', '=', id)
      .executeTakeFirst()
    if (known === undefined)
      throw new IssuerError('unknownTerminal', `There is no terminal ${id}: "farthing issuer report" lists them.`)
    if ((known.retired_at !== null) === retired) return { terminalId: id, retired, changed: false }
    const at = issuer.clock()
    await db
      .updateTable('terminal')
      .set({ retired_at: retired ? at : null })
      .where('terminal_no', '=', known.terminal_no)
      .execute()
    await noteChange(
      db,
      { name: by, at },
      {
        action: retired ? 'terminal.retire' : 'terminal.return',
        subject: id,
        before: { retired: !retired },
        after: { retired },
      },
    )
    return { terminalId: id, retired, changed: true }
  })

/** Merchants, terminals and cards: who takes part. */

import { toHex, u8Max } from '../protocol/bytes.ts'
import { type CardId, cardId, idLength, type TerminalId, terminalId } from '../protocol/quantities.ts'
import { noteChange } from './audit-log.ts'
import { merchantAccounts } from './books-tables.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { By } from './users.ts'

const nameLengthMax = 100

/** Adds a merchant with his accounts; one of that name is left as he is. @param by for the log; absent: no person did it */
export const addMerchant = (issuer: Issuer, name: string, by?: By): Promise<{ merchant: string; added: boolean }> => {
  const merchant = name.trim()
  if (merchant === '' || merchant.length > nameLengthMax)
    throw new IssuerError('input', `A merchant's name has 1 to ${nameLengthMax} characters.`)
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
 * @throws IssuerError `unknownMerchant`
 */
export const addTerminal = (
  issuer: Issuer,
  options: { readonly merchant: string; readonly terminalId?: TerminalId },
  by?: By,
): Promise<{ terminalId: TerminalId }> =>
  issuer.store.write(async (db) => {
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
      if (known.merchant_no === merchant.merchant_no) return { terminalId: id }
      throw new IssuerError('input', `Terminal ${id} belongs to another merchant already.`)
    }
    await db
      .insertInto('terminal')
      .values({
        terminal_id: id,
        merchant_no: merchant.merchant_no,
        key_version: issuer.keys.keyVersion,
        created_at: issuer.clock(),
      })
      .execute()
    if (by !== undefined) {
      const change = { action: 'terminal.add', subject: id, after: { merchant: options.merchant.trim() } }
      await noteChange(db, { name: by.name, at: issuer.clock() }, change)
    }
    return { terminalId: id }
  })

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
        throw new IssuerError('input', `Card ${id} was added with key version ${known.key_version} already.`)
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

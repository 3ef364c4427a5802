/**
 * Operators: who may enter the operator mode of which terminals, by a card and a PIN (PROTOCOL.md, Operators). They reach a
 * terminal with its keyring, and only once it has sent a journal: an older program would refuse a keyring that names them.
 */
import {
  hashOperatorPin,
  type Operator,
  type OperatorRole,
  operatorNameLengthMax,
  operatorsMax,
} from '../protocol/operator.ts'
import type { Actor } from './actor.ts'
import { noteChange } from './audit-log.ts'
import { requireCard } from './cards.ts'
import { isDeceptiveName } from './deceptive-text.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const saltBytes = 16

export interface OperatorOverview {
  readonly cardId: string
  readonly name: string
  readonly role: OperatorRole
  /** 'all': at those too that come. */
  readonly terminals: 'all' | readonly string[]
  /** UNIX seconds. */
  readonly addedAt: number
  readonly addedBy: string
}

const requireName = (given: string): string => {
  const name = given.trim()
  if (name === '' || name.length > operatorNameLengthMax || isDeceptiveName(name))
    throw new IssuerError('input', `An operator's name is one line of 1 to ${operatorNameLengthMax} characters.`)
  return name
}

const requirePinOf = (pin: string): string => {
  if (!/^[0-9]{6,12}$/.test(pin)) throw new IssuerError('input', "An operator's PIN has 6 to 12 digits.")
  if (/^(\d)\1*$/.test(pin) || '0123456789012'.includes(pin) || '9876543210987'.includes(pin))
    throw new IssuerError('input', 'Choose a PIN that is not one digit again and again, nor digits in a row.')
  return pin
}

const findTerminalNos = async (db: StoreReader, ids: readonly string[]): Promise<number[]> => {
  const numbers: number[] = []
  for (const id of new Set(ids)) {
    const row = await db.selectFrom('terminal').select('terminal_no').where('terminal_id', '=', id).executeTakeFirst()
    if (row === undefined) throw new IssuerError('unknownTerminal', `There is no terminal ${id}.`)
    numbers.push(row.terminal_no)
  }
  return numbers
}

const removeStanding = (db: StoreWriter, cardNo: number, by: Actor, at: number) =>
  db
    .updateTable('operator')
    .set({ removed_at: at, removed_by: by.name })
    .where('card_no', '=', cardNo)
    .where('removed_at', 'is', null)
    .returning('name')
    .executeTakeFirst()

/**
 * Lets a card's holder operate terminals; once more for the same card changes name, role, PIN and terminals.
 * @param operator.pin 6 to 12 digits: only its salted slow hash is kept
 * @throws IssuerError `input`, `unknownCard`, `unknownTerminal`
 */
export const addOperator = async (
  issuer: Issuer,
  by: Actor,
  operator: {
    readonly cardId: string
    readonly name: string
    readonly role: OperatorRole
    readonly pin: string
    readonly terminals: 'all' | readonly string[]
  },
): Promise<{ readonly cardId: string; readonly name: string }> => {
  const name = requireName(operator.name)
  const { role, terminals } = operator
  if (terminals !== 'all' && terminals.length === 0)
    throw new IssuerError('input', 'Name the terminals that this operator works at, or all of them.')
  const pin = await hashOperatorPin(requirePinOf(operator.pin), issuer.randomBytes(saltBytes))
  return issuer.store.write(async (db) => {
    const at = issuer.clock()
    const card = await requireCard(db, operator.cardId)
    const terminalNos = terminals === 'all' ? [] : await findTerminalNos(db, terminals)
    const before = await removeStanding(db, card.card_no, by, at)
    const { count } = await db
      .selectFrom('operator')
      .select((eb) => eb.fn.countAll<number | string>().as('count'))
      .where('removed_at', 'is', null)
      .executeTakeFirstOrThrow()
    if (Number(count) >= operatorsMax)
      throw new IssuerError('input', `There are ${operatorsMax} operators already: remove one that left.`)
    const { operator_no } = await db
      .insertInto('operator')
      .values({
        card_no: card.card_no,
        name,
        role,
        pin,
        everywhere: terminals === 'all' ? 1 : 0,
        added_at: at,
        added_by: by.name,
        removed_at: null,
        removed_by: null,
      })
      .returning('operator_no')
      .executeTakeFirstOrThrow()
    for (const terminal_no of terminalNos)
      await db.insertInto('operator_terminal').values({ operator_no, terminal_no }).execute()
    await noteChange(
      db,
      { name: by.name, at },
      {
        action: before === undefined ? 'operator.add' : 'operator.change',
        subject: card.card_id,
        after: { name, role, terminals },
      },
    )
    return { cardId: card.card_id, name }
  })
}

/** Reaches the terminals with their next keyring. @throws IssuerError `input`, `unknownCard` */
export const removeOperator = (
  issuer: Issuer,
  by: Actor,
  cardId: string,
): Promise<{ readonly cardId: string; readonly name: string }> =>
  issuer.store.write(async (db) => {
    const at = issuer.clock()
    const card = await requireCard(db, cardId)
    const removed = await removeStanding(db, card.card_no, by, at)
    if (removed === undefined) throw new IssuerError('input', `Card ${card.card_id} is no operator's.`)
    await noteChange(
      db,
      { name: by.name, at },
      { action: 'operator.remove', subject: card.card_id, before: { name: removed.name } },
    )
    return { cardId: card.card_id, name: removed.name }
  })

const standing = (db: StoreReader) =>
  db
    .selectFrom('operator')
    .innerJoin('card', 'card.card_no', 'operator.card_no')
    .where('operator.removed_at', 'is', null)
    .orderBy('operator.operator_no')

export const listOperators = async (db: StoreReader): Promise<OperatorOverview[]> => {
  const rows = await standing(db)
    .select(['operator_no', 'card.card_id', 'operator.name', 'role', 'everywhere', 'added_at', 'added_by'])
    .execute()
  const places = await db
    .selectFrom('operator_terminal')
    .innerJoin('terminal', 'terminal.terminal_no', 'operator_terminal.terminal_no')
    .select(['operator_no', 'terminal_id'])
    .orderBy('terminal_id')
    .execute()
  return rows.map((row) => ({
    cardId: row.card_id,
    name: row.name,
    role: row.role,
    terminals:
      row.everywhere === 1
        ? 'all'
        : places.filter(({ operator_no }) => operator_no === row.operator_no).map(({ terminal_id }) => terminal_id),
    addedAt: row.added_at,
    addedBy: row.added_by,
  }))
}

/** Those of one terminal whose cards are in use; with their hashes. */
const operatorsAt = async (db: StoreReader, terminalNo: number): Promise<Operator[]> => {
  const rows = await standing(db)
    .select(['card.card_id', 'operator.name', 'role', 'pin'])
    .where('card.status', '=', 'active')
    .where((eb) =>
      eb.or([
        eb('everywhere', '=', 1),
        eb(
          'operator.operator_no',
          'in',
          eb.selectFrom('operator_terminal').select('operator_no').where('terminal_no', '=', terminalNo),
        ),
      ]),
    )
    .execute()
  return rows.map((row) => ({ cardId: row.card_id, name: row.name, role: row.role, pin: row.pin }))
}

/** For its keyring. None, before the terminal's first journal: its program may be one that knows of no operators. */
export const operatorsOfKeyring = async (db: StoreReader, terminalNo: number): Promise<Operator[]> => {
  const journal = await db
    .selectFrom('journal')
    .select('journal_pk')
    .where('terminal_no', '=', terminalNo)
    .limit(1)
    .executeTakeFirst()
  return journal === undefined ? [] : operatorsAt(db, terminalNo)
}

/** Whether this card's holder was an operator of the terminal, and no technician, at a time, UNIX seconds, or is now. */
export const wasOperator = async (
  db: StoreReader,
  asked: { readonly cardId: string; readonly terminalNo: number; readonly at: number },
): Promise<boolean> => {
  const row = await db
    .selectFrom('operator')
    .innerJoin('card', 'card.card_no', 'operator.card_no')
    .select('operator_no')
    .where('card.card_id', '=', asked.cardId)
    .where('role', '=', 'operator')
    .where((eb) => eb.or([eb('removed_at', 'is', null), eb('removed_at', '>=', asked.at)]))
    .where((eb) =>
      eb.or([
        eb('everywhere', '=', 1),
        eb(
          'operator_no',
          'in',
          eb.selectFrom('operator_terminal').select('operator_no').where('terminal_no', '=', asked.terminalNo),
        ),
      ]),
    )
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Compares what a ledger's file says with what the cards say, with SQL and words of its own (PROTOCOL.md, Invariants).
 * Each answer is a sentence about something that must never be.
 */
import Database from 'better-sqlite3'
import type { ShopCard } from './shop.ts'

interface IntentRow {
  readonly terminal_seq: number
  readonly epoch: number
  readonly type: 'payment' | 'load' | 'reversal'
  readonly card_id: string
  readonly counter: number
  readonly record: Uint8Array
  readonly unit: string | null
  readonly reverses: number | null
  readonly state: 'open' | 'captured' | 'void' | 'abandoned' | 'reversed'
  readonly goods: 'none' | 'due' | 'released' | 'owed' | 'withheld'
}
interface EntryRow {
  readonly epoch: number
  readonly status: string
  readonly bytes: Uint8Array
}

export interface LedgerRows {
  readonly intents: readonly IntentRow[]
  readonly entries: readonly EntryRow[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export const readLedger = (file: string): LedgerRows => {
  const database = new Database(file, { readonly: true, fileMustExist: true })
  try {
    return {
      intents: database.prepare<[], IntentRow>('SELECT * FROM intent ORDER BY terminal_seq').all(),
      entries: database.prepare<[], EntryRow>('SELECT epoch, status, bytes FROM entry ORDER BY epoch, entry_no').all(),
    }
  } finally {
    database.close()
  }
}

/** @param terminal whose ledger it is @returns nothing when all is well */
export const examine = (
  { intents, entries }: LedgerRows,
  cards: readonly ShopCard[],
  terminal: string,
): readonly string[] => {
  const problems: string[] = []
  const onCards = new Map(cards.flatMap((card) => card.records.map((record) => [record.hex, record] as const)))
  const told = (record: string, status: string) =>
    entries.some((entry) => entry.status === status && hex(entry.bytes).startsWith(record))
  for (const intent of intents) {
    const record = hex(intent.record)
    const name = `${intent.type} ${intent.terminal_seq} (${intent.state}, ${intent.goods})`
    const captured = intent.state === 'captured' || intent.state === 'reversed'
    if (captured !== told(record, 'captured')) problems.push(`${name} and its captured entry disagree`)
    if ((intent.state === 'void') !== told(record, 'void')) problems.push(`${name} and its void entry disagree`)
    if (captured && !onCards.has(record)) problems.push(`${name} was captured, and no card made it`)
    if (intent.state === 'void' && onCards.has(record)) problems.push(`${name} is void, and a card made it`)
    if (intent.state === 'open' && intent.goods !== 'none') problems.push(`${name} gives goods for what is in doubt`)
    if ((intent.goods === 'owed') !== told(record, 'owed')) problems.push(`${name} and its owed entry disagree`)
    const undoing = intents.find(({ reverses }) => reverses === intent.terminal_seq)
    if ((intent.state === 'reversed') !== (undoing?.state === 'captured'))
      problems.push(`${name} and its reversal (${undoing?.state}) disagree`)
    if (undoing !== undefined && (intent.goods === 'due' || intent.goods === 'released'))
      problems.push(`${name} gives goods though its reversal was begun`)
  }
  const known = new Set(intents.map(({ record }) => hex(record)))
  for (const [record, { order, counter }] of onCards)
    if (order.terminalId === terminal && !known.has(record))
      problems.push(`the card's ${order.type} at ${counter} was made here, and the ledger knows nothing of it`)
  const live = intents.flatMap(({ unit, state }) =>
    unit !== null && state !== 'void' && state !== 'reversed' ? [unit] : [],
  )
  if (new Set(live).size !== live.length) problems.push('a code is held by two payments')
  return problems
}

/**
 * One-time codes and tickets that a terminal may not sell any more (PROTOCOL.md, Enrolment): those it sold, and those it
 * may have sold in a ledger that is lost. The latter are withheld until their sales arrive or a person decides.
 */
import { sql } from 'kysely'
import type { TerminalId } from '../protocol/quantities.ts'
import { itemFromStore } from './catalogue.ts'
import { unitState } from './catalogue-tables.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const publishedUnits = (db: StoreReader) =>
  db
    .selectFrom('item_version')
    .select('item_version.unit')
    .$narrowType<{ unit: string }>()
    .where('item_version.unit', 'is not', null)

/** The item's hash, at its place in a record. */
const itemHashIn = sql<Uint8Array>`substr(record, 49, 16)`.as('item_hash')

/** The units that a terminal sold, as far as settled payments tell that no reversal undid. */
export const settledUnits = (db: StoreReader, terminalNo: number) =>
  publishedUnits(db).where('item_version.item_hash', 'in', (inner) =>
    inner
      .selectFrom('settlement as payment')
      .select(itemHashIn)
      .where('payment.terminal_no', '=', terminalNo)
      .where('payment.order_type', '=', 'payment')
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('settlement as undoing')
              .select('undoing.counter')
              .whereRef('undoing.card_no', '=', 'payment.card_no')
              .where('undoing.order_type', '=', 'reversal')
              .where((eb) => eb('undoing.counter', '=', eb('payment.counter', '+', 1))),
          ),
        ),
      ),
  )

/** The units of payments of which the terminal's last word was not that they are void. */
const doubtfulUnits = (db: StoreReader, terminalNo: number) =>
  publishedUnits(db).where('item_version.item_hash', 'in', (inner) =>
    inner
      .selectFrom('note')
      .select(itemHashIn)
      .where('terminal_no', '=', terminalNo)
      .where('order_type', '=', 'payment')
      .where('voided', '=', 0),
  )

/** What is known to be sold is not sold again: it goes by claim. */
export const retireSoldUnits = async (db: StoreWriter, terminalNo: number): Promise<void> => {
  await db
    .updateTable('unit')
    .set({ retired: unitState.sold })
    .where('terminal_no', '=', terminalNo)
    .where('retired', 'in', [unitState.forSale, unitState.withheld, unitState.released])
    .where('unit', 'in', settledUnits(db, terminalNo))
    .execute()
}

/** A terminal's ledger is lost: any unit that it still had may be sold, unknown to everybody but the customer's card. */
export const withholdUnits = async (db: StoreWriter, terminalNo: number): Promise<void> => {
  await db
    .updateTable('unit')
    .set({ retired: unitState.withheld })
    .where('terminal_no', '=', terminalNo)
    .where('retired', 'in', [unitState.forSale, unitState.released])
    .execute()
}

export interface WithheldUnits {
  readonly terminalId: string
  readonly itemId: string
  readonly count: number
  /** At the article's price of today. */
  readonly amountMinor: number
}

/** What still waits: units of lost ledgers whose sale nobody has brought since. */
export const withheldIn = async (db: StoreReader): Promise<readonly WithheldUnits[]> => {
  const terminals = await db
    .selectFrom('unit')
    .innerJoin('terminal', 'terminal.terminal_no', 'unit.terminal_no')
    .select(['terminal.terminal_no', 'terminal.terminal_id'])
    .distinct()
    .where('unit.retired', '=', unitState.withheld)
    .orderBy('terminal.terminal_no')
    .execute()
  const all: WithheldUnits[] = []
  for (const { terminal_no, terminal_id } of terminals) {
    const rows = await db
      .selectFrom('unit')
      .innerJoin('article', 'article.item_id', 'unit.item_id')
      .select((eb) => ['unit.item_id', 'article.json', eb.fn.countAll<number>().as('count')])
      .where('unit.terminal_no', '=', terminal_no)
      .where('unit.retired', '=', unitState.withheld)
      .where('unit.unit', 'not in', settledUnits(db, terminal_no))
      .groupBy(['unit.item_id', 'article.json'])
      .orderBy('unit.item_id')
      .execute()
    for (const { item_id, json, count } of rows)
      all.push({
        terminalId: terminal_id,
        itemId: item_id,
        count,
        amountMinor: count * itemFromStore(json).priceMinor,
      })
  }
  return all
}

/** Lists the units of lost ledgers that wait for a person. */
export const listWithheld = (issuer: Pick<Issuer, 'store'>): Promise<readonly WithheldUnits[]> =>
  issuer.store.read(withheldIn)

/** Of one terminal; of one article of it where that is given. */
export interface WhichUnits {
  readonly terminalId: TerminalId
  readonly itemId?: string
}

const terminalNoOf = async (db: StoreReader, id: TerminalId): Promise<number> => {
  const row = await db.selectFrom('terminal').select('terminal_no').where('terminal_id', '=', id).executeTakeFirst()
  if (row !== undefined) return row.terminal_no
  throw new IssuerError('unknownTerminal', `There is no terminal ${id}: "farthing issuer report" lists them.`)
}

const decide = (
  issuer: Pick<Issuer, 'store'>,
  which: WhichUnits,
  change: { readonly from: readonly number[]; readonly to: number; readonly evenDoubtful: boolean },
): Promise<{ units: number }> =>
  issuer.store.write(async (db) => {
    const terminalNo = await terminalNoOf(db, which.terminalId)
    // What was sold meanwhile is sold, whatever the person thinks.
    await retireSoldUnits(db, terminalNo)
    const changed = await db
      .updateTable('unit')
      .set({ retired: change.to })
      .where('terminal_no', '=', terminalNo)
      .where('retired', 'in', change.from)
      .$if(!change.evenDoubtful, (update) => update.where('unit', 'not in', doubtfulUnits(db, terminalNo)))
      .$if(which.itemId !== undefined, (update) => update.where('item_id', '=', which.itemId ?? ''))
      .returning('unit_no')
      .execute()
    return { units: changed.length }
  })

/**
 * Gives withheld units back to their terminal for sale: at the risk of who decides, since one of them may be sold already.
 * One whose payment is in doubt stays where it is.
 * @throws IssuerError `unknownTerminal`
 */
export const releaseUnits = (issuer: Pick<Issuer, 'store'>, which: WhichUnits): Promise<{ units: number }> =>
  decide(issuer, which, { from: [unitState.withheld], to: unitState.released, evenDoubtful: false })

/**
 * Takes a terminal's units, withheld or for sale, out of sale for good; a claim for one is honoured all the same.
 * @throws IssuerError `unknownTerminal`
 */
export const withdrawUnits = (issuer: Pick<Issuer, 'store'>, which: WhichUnits): Promise<{ units: number }> =>
  decide(issuer, which, {
    from: [unitState.withheld, unitState.forSale, unitState.released],
    to: unitState.withdrawn,
    evenDoubtful: true,
  })

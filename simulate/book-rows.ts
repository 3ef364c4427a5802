/** The issuer's books as its file has them, read with the auditor's own SQL and none of the issuer's code. */
import Database from 'better-sqlite3'

export interface BookRows {
  readonly cards: readonly { card_no: number; card_id: string; mark: number; balance_minor: number }[]
  readonly terminals: readonly { terminal_no: number; terminal_id: string; merchant_no: number }[]
  readonly settlements: readonly {
    card_no: number
    counter: number
    record: Uint8Array
    settlement_mac: Uint8Array | null
    exception: string | null
  }[]
  readonly seams: readonly { card_no: number; after_counter: number; before_counter: number; net_minor: number }[]
  readonly loads: readonly {
    card_no: number
    counter: number
    record: Uint8Array
    terminal_no: number
    state: string
  }[]
  readonly accounts: readonly { kind: string; merchant_no: number | null; balance_minor: number }[]
  readonly exceptions: readonly {
    reason: string
    card_id: string | null
    counter: number | null
    terminal_no: number
  }[]
  readonly alarms: readonly {
    kind: string
    terminal_id: string | null
    card_id: string | null
    counter: number | null
  }[]
  readonly notes: readonly { record: Uint8Array; in_doubt: number; voided: number; abandoned: number; owed: number }[]
}

/** @param file the issuer's store */
export const readBooks = (file: string): BookRows => {
  const database = new Database(file, { readonly: true })
  const rows = <Row>(sql: string): readonly Row[] => database.prepare<[], Row>(sql).all()
  try {
    return {
      cards: rows('SELECT card_no, card_id, mark, balance_minor FROM card'),
      terminals: rows('SELECT terminal_no, terminal_id, merchant_no FROM terminal'),
      settlements: rows(
        'SELECT card_no, counter, record, settlement_mac, exception FROM settlement ORDER BY card_no, counter',
      ),
      seams: rows('SELECT card_no, after_counter, before_counter, net_minor FROM seam'),
      loads: rows('SELECT card_no, counter, record, terminal_no, state FROM load_authorisation ORDER BY load_no'),
      accounts: rows('SELECT kind, merchant_no, balance_minor FROM account'),
      exceptions: rows('SELECT reason, card_id, counter, terminal_no FROM entry_exception'),
      alarms: rows(
        'SELECT kind, terminal_id, card_id, counter FROM alarm LEFT JOIN terminal USING (terminal_no) LEFT JOIN card USING (card_no)',
      ),
      notes: rows('SELECT record, in_doubt, voided, abandoned, owed FROM note'),
    }
  } finally {
    database.close()
  }
}

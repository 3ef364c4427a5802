/** The issuer's books as its file has them, read with the auditor's own SQL and none of the issuer's code. */
import Database from 'better-sqlite3'

/** How the ids of rogues' cards and terminals begin: the auditor expects nothing honest of them. */
export const rogueIdStart = 'bad0'

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
  readonly accounts: readonly {
    account_no: number
    kind: string
    merchant_no: number | null
    balance_minor: number
  }[]
  /** What was booked on account of rogues' cards. */
  readonly rogueMoves: readonly { card_no: number; from_account: number; to_account: number; amount_minor: number }[]
  readonly exceptions: readonly {
    reason: string
    card_id: string | null
    counter: number | null
    terminal_id: string
  }[]
  readonly alarms: readonly {
    kind: string
    /** All that it says, for a person. */
    alarm_key: string
    terminal_id: string | null
    card_id: string | null
    counter: number | null
  }[]
}

/** The issuer's file, held open beside it. */
export class BookFile {
  readonly #database: Database.Database
  #seen = -1

  /** @param file the issuer's store */
  constructor(file: string) {
    this.#database = new Database(file, { readonly: true })
  }

  close(): void {
    this.#database.close()
  }

  /** Whether somebody wrote since the last question. */
  changed(): boolean {
    const version = Number(this.#database.pragma('data_version', { simple: true }))
    const isNew = version !== this.#seen
    this.#seen = version
    return isNew
  }

  read(): BookRows {
    const rows = <Row>(sql: string): readonly Row[] => this.#database.prepare<[], Row>(sql).all()
    return {
      cards: rows('SELECT card_no, card_id, mark, balance_minor FROM card'),
      terminals: rows('SELECT terminal_no, terminal_id, merchant_no FROM terminal'),
      settlements: rows(
        'SELECT card_no, counter, record, settlement_mac, exception FROM settlement ORDER BY card_no, counter',
      ),
      seams: rows('SELECT card_no, after_counter, before_counter, net_minor FROM seam'),
      loads: rows('SELECT card_no, counter, record, terminal_no, state FROM load_authorisation ORDER BY load_no'),
      accounts: rows('SELECT account_no, kind, merchant_no, balance_minor FROM account'),
      rogueMoves: rows(
        `SELECT card_no, from_account, to_account, sum(amount_minor) AS amount_minor FROM transfer
         WHERE card_no IN (SELECT card_no FROM card WHERE card_id LIKE '${rogueIdStart}%') GROUP BY 1, 2, 3`,
      ),
      exceptions: rows(
        'SELECT reason, card_id, counter, terminal_id FROM entry_exception JOIN terminal USING (terminal_no)',
      ),
      alarms: rows(
        'SELECT kind, alarm_key, terminal_id, card_id, counter FROM alarm LEFT JOIN terminal USING (terminal_no) LEFT JOIN card USING (card_no)',
      ),
    }
  }
}

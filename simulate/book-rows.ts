/** The issuer's books as its file has them, read with the auditor's own SQL and none of the issuer's code. */
import Database from 'better-sqlite3'

/** How the ids of rogues' cards and terminals begin: the auditor expects nothing honest of them. */
export const rogueIdStart = 'bad0'
/** Cards whose own keys tell lies about their balance. */
export const liarIdStart = `${rogueIdStart}1`
/** Cards that have no key but the one that terminals hold. */
export const imitationIdStart = `${rogueIdStart}2`

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
  /** The newest rows that were read. */
  #seen = { transfer: 0, settlement: 0, load: 0, exception: 0, alarm: 0 }
  #version = -1

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
    const isNew = version !== this.#version
    this.#version = version
    return isNew
  }

  /** Every batch that was taken, as it came. */
  batches(): readonly Uint8Array[] {
    return this.#database.prepare<[], Uint8Array>('SELECT bytes FROM batch').pluck().all()
  }

  /** Everything. */
  read(): BookRows {
    this.#seen = { transfer: 0, settlement: 0, load: 0, exception: 0, alarm: 0 }
    return this.news()
  }

  /** All accounts, and what concerns the cards that something was booked about since the last reading. */
  news(): BookRows {
    const seen = this.#seen
    const rows = <Row>(sql: string): readonly Row[] => this.#database.prepare<[typeof seen], Row>(sql).all(seen)
    const one = (sql: string): number =>
      Number(this.#database.prepare<[], { newest: number | null }>(sql).get()?.newest ?? 0)
    const ofCards =
      seen.transfer === 0 && seen.settlement === 0
        ? ''
        : `WHERE card_no IN (SELECT card_no FROM transfer WHERE transfer_no > @transfer
             UNION SELECT card_no FROM settlement WHERE rowid > @settlement
             UNION SELECT card_no FROM load_authorisation WHERE load_no > @load)`
    const books: BookRows = {
      cards: rows(`SELECT card_no, card_id, mark, balance_minor FROM card ${ofCards}`),
      terminals: rows('SELECT terminal_no, terminal_id, merchant_no FROM terminal'),
      settlements: rows(
        `SELECT card_no, counter, record, settlement_mac, exception FROM settlement ${ofCards} ORDER BY card_no, counter`,
      ),
      seams: rows(`SELECT card_no, after_counter, before_counter, net_minor FROM seam ${ofCards}`),
      loads: rows(
        `SELECT card_no, counter, record, terminal_no, state FROM load_authorisation ${ofCards} ORDER BY load_no`,
      ),
      accounts: rows('SELECT account_no, kind, merchant_no, balance_minor FROM account'),
      rogueMoves: rows(
        `SELECT card_no, from_account, to_account, sum(amount_minor) AS amount_minor FROM transfer
         JOIN (SELECT card_no FROM card ${ofCards}) USING (card_no) JOIN card USING (card_no)
         WHERE card_id LIKE '${rogueIdStart}%' GROUP BY 1, 2, 3`,
      ),
      exceptions: rows(
        'SELECT reason, card_id, counter, terminal_id FROM entry_exception JOIN terminal USING (terminal_no) WHERE exception_no > @exception',
      ),
      alarms: rows(
        `SELECT kind, alarm_key, terminal_id, card_id, counter FROM alarm
         LEFT JOIN terminal USING (terminal_no) LEFT JOIN card USING (card_no) WHERE alarm_no > @alarm`,
      ),
    }
    this.#seen = {
      transfer: one('SELECT max(transfer_no) AS newest FROM transfer'),
      settlement: one('SELECT max(rowid) AS newest FROM settlement'),
      load: one('SELECT max(load_no) AS newest FROM load_authorisation'),
      exception: one('SELECT max(exception_no) AS newest FROM entry_exception'),
      alarm: one('SELECT max(alarm_no) AS newest FROM alarm'),
    }
    return books
  }
}

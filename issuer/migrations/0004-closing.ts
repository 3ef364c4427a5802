/** More kinds of accounts, the trial balance as a constraint, business days, fees, merchants' bank accounts, closed days and periods. */
import type { Migration } from './migration.ts'

const kinds =
  "'float', 'payable', 'merchantCash', 'fees', 'suspense', 'holes', 'bank', 'breakage', 'vouchers', 'credits', 'losses'"

const timeZone = "coalesce((SELECT value FROM setting WHERE key = 'timeZone'), 'UTC')"

/** Rows that are written once. `name` stands in the sentence: "a closed day never changes". */
const final: readonly { readonly table: string; readonly name: string }[] = [
  { table: 'closed_day', name: 'a closed day' },
  { table: 'closed_day_posting', name: 'a closed day' },
  { table: 'closed_day_balance', name: 'a closed day' },
  { table: 'period', name: 'a closed period' },
  { table: 'payment_run', name: 'a payment run' },
  { table: 'payout', name: 'a payout' },
]

/** A store that has its accounts already gets those of the new kinds; a new one gets all of them when it is made. */
const addAccounts = (['bank', 'breakage', 'vouchers', 'credits', 'losses'] as const).map(
  (kind) =>
    `INSERT INTO account (kind, merchant_no, balance_minor) SELECT '${kind}', NULL, 0 WHERE EXISTS (SELECT 1 FROM account)`,
)

const refusedInSqlite = (name: string, when: string, sentence: string): string =>
  `CREATE TRIGGER ${name} BEFORE ${when} BEGIN SELECT raise(ABORT, '${sentence}'); END`

const refusedInPostgres = (name: string, when: string, sentence: string): string =>
  `CREATE TRIGGER ${name} BEFORE ${when} FOR EACH ROW EXECUTE FUNCTION refuse_change('${sentence}')`

export const closing: Migration = {
  version: 4,
  name: 'closing',
  statements: [
    // The day on which it is booked, of the book's time zone: never one that is closed. The default is for rows from before, and none of a new row.
    "ALTER TABLE transfer ADD COLUMN business_day TEXT NOT NULL DEFAULT '0001-01-01'",
    // What is charged, how, from a day on. basis_points: of sales less reversals. fixed_minor: for each sale that was not reversed.
    `CREATE TABLE merchant_fee (
      merchant_no {int} NOT NULL REFERENCES merchant (merchant_no),
      from_day TEXT NOT NULL CHECK (length(from_day) = 10),
      basis_points {int} NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
      fixed_minor {int} NOT NULL CHECK (fixed_minor >= 0),
      set_at {int} NOT NULL,
      PRIMARY KEY (merchant_no, from_day)
    ) {strict}`,
    // Whom to pay, and where.
    'ALTER TABLE merchant ADD COLUMN legal_name TEXT',
    'ALTER TABLE merchant ADD COLUMN street TEXT',
    'ALTER TABLE merchant ADD COLUMN postcode TEXT',
    'ALTER TABLE merchant ADD COLUMN town TEXT',
    'ALTER TABLE merchant ADD COLUMN country TEXT',
    'ALTER TABLE merchant ADD COLUMN iban TEXT',
    'ALTER TABLE merchant ADD COLUMN bic TEXT',
    // It closes all days up to it. One row for each day on which something was booked, and for each that was asked for.
    `CREATE TABLE closed_day (
      day TEXT PRIMARY KEY CHECK (length(day) = 10),
      closed_at {int} NOT NULL,
      closed_by TEXT NOT NULL
    ) {strict}`,
    // What arrived in and left an account on the day, by cause.
    `CREATE TABLE closed_day_posting (
      day TEXT NOT NULL REFERENCES closed_day (day) DEFERRABLE INITIALLY DEFERRED,
      account_no {int} NOT NULL REFERENCES account (account_no),
      cause TEXT NOT NULL,
      in_count {int} NOT NULL,
      in_minor {int} NOT NULL,
      out_count {int} NOT NULL,
      out_minor {int} NOT NULL,
      PRIMARY KEY (account_no, day, cause)
    ) {strict}`,
    // The trial balance at the end of the day, by account.
    `CREATE TABLE closed_day_balance (
      day TEXT NOT NULL REFERENCES closed_day (day) DEFERRABLE INITIALLY DEFERRED,
      account_no {int} NOT NULL REFERENCES account (account_no),
      balance_minor {int} NOT NULL,
      PRIMARY KEY (day, account_no)
    ) {strict}`,
    // A merchant's periods follow each other without a gap: from the end of the one before to until_day. statement: as it was told him, JSON.
    `CREATE TABLE period (
      period_no {int} PRIMARY KEY CHECK (period_no > 0),
      merchant_no {int} NOT NULL REFERENCES merchant (merchant_no),
      sequence {int} NOT NULL CHECK (sequence > 0),
      previous_no {int} UNIQUE REFERENCES period (period_no),
      from_day TEXT NOT NULL CHECK (length(from_day) = 10),
      until_day TEXT NOT NULL CHECK (length(until_day) = 10),
      closing_minor {int} NOT NULL,
      cash_closing_minor {int} NOT NULL,
      payout_minor {int} NOT NULL CHECK (payout_minor >= 0),
      statement TEXT NOT NULL,
      closed_at {int} NOT NULL,
      closed_by TEXT NOT NULL,
      UNIQUE (merchant_no, sequence),
      UNIQUE (merchant_no, until_day),
      CHECK (from_day <= until_day),
      CHECK ((sequence = 1) = (previous_no IS NULL))
    ) {strict}`,
    'ALTER TABLE transfer ADD COLUMN period_no {int} REFERENCES period (period_no) DEFERRABLE INITIALLY DEFERRED',
    // One payment file. debtor: the issuer as it was then, JSON.
    `CREATE TABLE payment_run (
      run_no {int} PRIMARY KEY CHECK (run_no > 0),
      execution_day TEXT NOT NULL CHECK (length(execution_day) = 10),
      debtor TEXT NOT NULL,
      made_at {int} NOT NULL,
      made_by TEXT NOT NULL
    ) {strict}`,
    `CREATE TABLE payout (
      period_no {int} PRIMARY KEY REFERENCES period (period_no),
      run_no {int} NOT NULL REFERENCES payment_run (run_no)
    ) {strict}`,
    'CREATE INDEX payout_by_run ON payout (run_no)',
    'CREATE INDEX transfer_by_day ON transfer (business_day)',
    'CREATE INDEX transfer_by_period ON transfer (period_no) WHERE period_no IS NOT NULL',
  ],
  sqliteStatements: [
    // A column goes with its own check: so the table keeps its rows, and those that refer to them.
    `ALTER TABLE account ADD COLUMN new_kind TEXT NOT NULL DEFAULT 'suspense' CHECK (new_kind IN (${kinds}))`,
    'UPDATE account SET new_kind = kind',
    'ALTER TABLE account DROP COLUMN kind',
    'ALTER TABLE account RENAME COLUMN new_kind TO kind',
    'CREATE UNIQUE INDEX account_once ON account (kind, coalesce(merchant_no, 0))',
    ...addAccounts,
    'DROP TRIGGER transfer_is_final',
    // A function of the store's: SQLite knows no time zones.
    `UPDATE transfer SET business_day = day_in_zone(booked_at, ${timeZone})`,
    refusedInSqlite('transfer_is_final', 'UPDATE ON transfer', 'a transfer never changes'),
    refusedInSqlite(
      'transfer_of_open_day',
      `INSERT ON transfer WHEN new.business_day <= coalesce((SELECT max(day) FROM closed_day), '0001-01-01')`,
      'a closed day never changes',
    ),
    refusedInSqlite(
      'transfer_of_open_period',
      'INSERT ON transfer WHEN new.period_no IN (SELECT period_no FROM period)',
      'a closed period never changes',
    ),
    ...final.flatMap(({ table, name }) => [
      refusedInSqlite(`${table}_is_final`, `UPDATE ON ${table}`, `${name} never changes`),
      refusedInSqlite(`${table}_stays`, `DELETE ON ${table}`, `${name} is never deleted`),
    ]),
    ...['posting', 'balance'].map((what) =>
      refusedInSqlite(
        `closed_day_${what}_is_complete`,
        `INSERT ON closed_day_${what} WHEN new.day <= (SELECT max(day) FROM closed_day)`,
        'a closed day never changes',
      ),
    ),
    refusedInSqlite(
      'closed_day_follows',
      'INSERT ON closed_day WHEN new.day <= (SELECT max(day) FROM closed_day)',
      'a closed day never changes',
    ),
    // Days without bookings have no row of their own.
    refusedInSqlite(
      'period_is_of_closed_days',
      "INSERT ON period WHEN new.until_day > coalesce((SELECT max(day) FROM closed_day), '')",
      'a period ends with a closed day',
    ),
    refusedInSqlite('account_stays', 'DELETE ON account', 'an account is never deleted'),
    // The sum of all accounts. It refers to the one row that says 0, and is asked at the commit.
    'CREATE TABLE balanced (total_minor INTEGER PRIMARY KEY CHECK (total_minor = 0)) STRICT',
    'INSERT INTO balanced (total_minor) VALUES (0)',
    `CREATE TABLE trial_balance (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      total_minor INTEGER NOT NULL REFERENCES balanced (total_minor) DEFERRABLE INITIALLY DEFERRED
    ) STRICT`,
    'INSERT INTO trial_balance (one, total_minor) SELECT 1, coalesce(sum(balance_minor), 0) FROM account',
    refusedInSqlite('trial_balance_stays', 'DELETE ON trial_balance', 'the trial balance is never deleted'),
    `CREATE TRIGGER account_changes_total AFTER UPDATE OF balance_minor ON account BEGIN
      UPDATE trial_balance SET total_minor = total_minor + new.balance_minor - old.balance_minor; END`,
    `CREATE TRIGGER account_adds_to_total AFTER INSERT ON account BEGIN
      UPDATE trial_balance SET total_minor = total_minor + new.balance_minor; END`,
  ],
  postgresStatements: [
    'ALTER TABLE account DROP CONSTRAINT account_kind_check',
    `ALTER TABLE account ADD CONSTRAINT account_kind_check CHECK (kind IN (${kinds}))`,
    'CREATE UNIQUE INDEX account_once ON account (kind, coalesce(merchant_no, 0))',
    ...addAccounts,
    'ALTER TABLE transfer DISABLE TRIGGER USER',
    `UPDATE transfer SET business_day = to_char(to_timestamp(booked_at) AT TIME ZONE ${timeZone}, 'YYYY-MM-DD')`,
    'ALTER TABLE transfer ENABLE TRIGGER USER',
    'ALTER TABLE transfer ALTER COLUMN business_day DROP DEFAULT',
    // Once a statement, since a batch is thousands of rows.
    `CREATE FUNCTION require_open() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT 1 FROM booked WHERE business_day <= coalesce((SELECT max(day) FROM closed_day), '0001-01-01')) THEN
          RAISE EXCEPTION 'a closed day never changes' USING ERRCODE = 'restrict_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM booked JOIN period USING (period_no)) THEN
          RAISE EXCEPTION 'a closed period never changes' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
      END $$`,
    `CREATE TRIGGER transfer_of_open_day AFTER INSERT ON transfer REFERENCING NEW TABLE AS booked
      FOR EACH STATEMENT EXECUTE FUNCTION require_open()`,
    ...final.flatMap(({ table, name }) => [
      refusedInPostgres(`${table}_is_final`, `UPDATE ON ${table}`, `${name} never changes`),
      refusedInPostgres(`${table}_stays`, `DELETE ON ${table}`, `${name} is never deleted`),
    ]),
    `CREATE FUNCTION require_open_day() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF new.day <= (SELECT max(day) FROM closed_day) THEN
          RAISE EXCEPTION 'a closed day never changes' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN new;
      END $$`,
    ...['closed_day_posting', 'closed_day_balance', 'closed_day'].map(
      (table) =>
        `CREATE TRIGGER ${table}_follows BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION require_open_day()`,
    ),
    `CREATE FUNCTION require_closed_days() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF new.until_day > coalesce((SELECT max(day) FROM closed_day), '') THEN
          RAISE EXCEPTION 'a period ends with a closed day' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN new;
      END $$`,
    `CREATE TRIGGER period_is_of_closed_days BEFORE INSERT ON period
      FOR EACH ROW EXECUTE FUNCTION require_closed_days()`,
    refusedInPostgres('account_stays', 'DELETE ON account', 'an account is never deleted'),
    // A row with the sum, as in SQLite, would be one more that all writers wait for: here the commit counts. A transaction that
    // balances does so whatever the others, which all balance, did meanwhile.
    `CREATE FUNCTION require_balance() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF (SELECT sum(balance_minor) FROM account) <> 0 THEN
          RAISE EXCEPTION 'the books do not balance' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
      END $$`,
    `CREATE CONSTRAINT TRIGGER account_balances AFTER INSERT OR UPDATE OF balance_minor ON account
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balance()`,
  ],
}

/** Who may use the console: users, their sessions, failed tries, set-up codes; and the chained log of every change. */
import type { Migration } from './migration.ts'

export const access: Migration = {
  version: 7,
  name: 'access',
  statements: [
    // password: a PHC string, so that each hash says which parameters it was made with. name: in lower case.
    `CREATE TABLE console_user (
      user_no {serial},
      name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
      role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'finance', 'admin')),
      password TEXT NOT NULL,
      must_change {int} NOT NULL DEFAULT 0,
      disabled {int} NOT NULL DEFAULT 0,
      created_at {int} NOT NULL,
      password_at {int} NOT NULL
    ) {strict}`,
    // By the token's hash alone. proved_at: when the password was last given.
    `CREATE TABLE console_session (
      session_no {serial},
      token_hash TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
      user_no {int} NOT NULL REFERENCES console_user (user_no),
      began_at {int} NOT NULL,
      seen_at {int} NOT NULL,
      proved_at {int} NOT NULL,
      address TEXT NOT NULL,
      browser TEXT NOT NULL
    ) {strict}`,
    'CREATE INDEX console_session_by_user ON console_session (user_no)',
    // subject: whose password was tried, or from which address; also of names that are no user's.
    `CREATE TABLE console_failure (
      subject TEXT PRIMARY KEY,
      failures {int} NOT NULL,
      failed_at {int} NOT NULL,
      waits_until {int} NOT NULL
    ) {strict}`,
    'CREATE INDEX console_failure_by_time ON console_failure (failed_at)',
    // Each server that starts before there is a user makes one.
    `CREATE TABLE console_setup_code (
      code_hash TEXT PRIMARY KEY,
      made_at {int} NOT NULL
    ) {strict}`,
    // hash = SHA-256(previous hash, canonical JSON of the row): what was changed afterwards shows. subject: which thing.
    `CREATE TABLE audit_log (
      audit_no {int} PRIMARY KEY CHECK (audit_no > 0),
      at {int} NOT NULL,
      name TEXT NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL,
      before_json TEXT,
      after_json TEXT,
      hash TEXT NOT NULL CHECK (length(hash) = 64)
    ) {strict}`,
    'CREATE INDEX audit_log_by_subject ON audit_log (subject, audit_no)',
    'CREATE INDEX audit_log_by_name ON audit_log (name, audit_no)',
    'CREATE INDEX audit_log_by_action ON audit_log (action, audit_no)',
  ],
  sqliteStatements: [
    "CREATE TRIGGER audit_log_is_final BEFORE UPDATE ON audit_log BEGIN SELECT raise(ABORT, 'the audit log never changes'); END",
    "CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log BEGIN SELECT raise(ABORT, 'the audit log is never deleted'); END",
  ],
  postgresStatements: [
    "CREATE TRIGGER audit_log_is_final BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change('the audit log never changes')",
    "CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change('the audit log is never deleted')",
    "CREATE TRIGGER audit_log_remains BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the audit log is never deleted')",
  ],
}

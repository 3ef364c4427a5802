/** The tables of issuer/migrations/0007-access.ts. */
import type { Generated } from 'kysely'
import type { Role } from './console-contract/roles.ts'

export interface ConsoleUserTable {
  user_no: Generated<number>
  name: string
  role: Role
  password: string
  must_change: Generated<number>
  disabled: Generated<number>
  created_at: number
  password_at: number
}
export interface ConsoleSessionTable {
  session_no: Generated<number>
  token_hash: string
  user_no: number
  began_at: number
  seen_at: number
  proved_at: number
  address: string
  browser: string
}
export interface ConsoleFailureTable {
  subject: string
  failures: number
  failed_at: number
  waits_until: number
}
export interface ConsoleSetupCodeTable {
  code_hash: string
  made_at: number
}
export interface AuditLogTable {
  audit_no: number
  at: number
  name: string
  action: string
  subject: string
  before_json: string | null
  after_json: string | null
  hash: string
}

export interface AccessTables {
  console_user: ConsoleUserTable
  console_session: ConsoleSessionTable
  console_failure: ConsoleFailureTable
  console_setup_code: ConsoleSetupCodeTable
  audit_log: AuditLogTable
}

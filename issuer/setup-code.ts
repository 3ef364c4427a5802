/** The one-time code with which the first administrator is made: who can read the server's log may have it. */
import { createHash } from 'node:crypto'
import { enrolmentCode, enrolmentCodeHash, enrolmentCodeRandomBytes } from './enrolment-code.ts'
import type { Issuer } from './issuer.ts'
import type { StoreWriter } from './store.ts'
import { hasUsers } from './users.ts'

const standsSeconds = 24 * 3600

const hashOf = (typed: string): string | undefined => {
  const code = enrolmentCodeHash(typed)
  return code === undefined ? undefined : createHash('sha256').update(`farthing set-up ${code}`).digest('hex')
}

/** @returns a new code; undefined when there is a user already */
export const makeSetupCode = async (issuer: Issuer): Promise<string | undefined> => {
  const code = enrolmentCode(issuer.randomBytes(enrolmentCodeRandomBytes))
  const codeHash = hashOf(code)
  if (codeHash === undefined) throw new Error('a code that was just made is no code')
  return issuer.store.write(async (db) => {
    if (await hasUsers(db)) return undefined
    const at = issuer.clock()
    await db
      .deleteFrom('console_setup_code')
      .where('made_at', '<', at - standsSeconds)
      .execute()
    await db.insertInto('console_setup_code').values({ code_hash: codeHash, made_at: at }).execute()
    return code
  })
}

/** Uses up all codes, if `typed` is one that stands. */
export const redeemSetupCode = async (db: StoreWriter, typed: string, at: number): Promise<boolean> => {
  const found = await db
    .selectFrom('console_setup_code')
    .select('code_hash')
    .where('code_hash', '=', hashOf(typed) ?? '')
    .where('made_at', '>=', at - standsSeconds)
    .executeTakeFirst()
  if (found === undefined) return false
  await db.deleteFrom('console_setup_code').execute()
  return true
}

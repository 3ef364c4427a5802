/**
 * Sessions of the console: a random token in a cookie, kept here as its hash. One ends after half an hour without a
 * request of its person's, after twelve hours in any case, and when the password or the user's standing changes.
 */
import { createHash, createHmac } from 'node:crypto'
import { noteChange } from './audit-log.ts'
import type { Session } from './console-api/route.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import { checkPassword, hashPassword, requireGoodPassword } from './password.ts'
import { redeemSetupCode } from './setup-code.ts'
import { countTry, forgetFailures, takeBackTry } from './sign-in-failures.ts'
import type { StoreReader, StoreWriter } from './store.ts'
import { hasUsers, insertUser } from './users.ts'

const idleSecondsMax = 30 * 60
const sessionSecondsMax = 12 * 3600
/** Decisions over money ask for the password again after so long. */
export const provedSeconds = 15 * 60
/** `seen_at` is written once in so long, not with each request. */
const seenStepSeconds = 60
const sessionsOfUserMax = 20
const tokenBytes = 32
const browserLettersMax = 200

export interface From {
  readonly address: string
  readonly browser: string
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')
const isToken = (token: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(token)
const newToken = (issuer: Issuer): string => Buffer.from(issuer.randomBytes(tokenBytes)).toString('base64url')

/** Known to whoever has the token, and to nobody who has only its hash. */
const forgeryTokenOf = (token: string): string =>
  createHmac('sha256', token).update('farthing forgery token').digest('base64url')

const wrong = () => new IssuerError('wrongPassword', 'Name or password is wrong, or the user may not sign in.')

const beginSession = async (
  db: StoreWriter,
  { token, userNo, at, address, browser }: From & { token: string; userNo: number; at: number },
): Promise<void> => {
  await db
    .deleteFrom('console_session')
    .where((eb) => eb.or([eb('seen_at', '<', at - idleSecondsMax), eb('began_at', '<', at - sessionSecondsMax)]))
    .execute()
  const own = await db
    .selectFrom('console_session')
    .select('session_no')
    .where('user_no', '=', userNo)
    .orderBy('session_no', 'desc')
    .execute()
  const tooMany = own.slice(sessionsOfUserMax - 1).map((row) => row.session_no)
  if (tooMany.length > 0) await db.deleteFrom('console_session').where('session_no', 'in', tooMany).execute()
  await db
    .insertInto('console_session')
    .values({
      token_hash: hashOf(token),
      user_no: userNo,
      began_at: at,
      seen_at: at,
      proved_at: at,
      address,
      browser: browser.slice(0, browserLettersMax),
    })
    .execute()
}

/**
 * Counts the try, checks the password (as long for a name that nobody has), and takes the try back if it was right.
 * @throws IssuerError `wrongPassword`, `tooManyTries`
 */
const provePassword = async (
  issuer: Issuer,
  { name, password, address }: { name: string; password: string; address: string },
) => {
  const guess = { name, address }
  const user = await issuer.store.write(async (db) => {
    await countTry(db, guess, issuer.clock())
    return db.selectFrom('console_user').selectAll().where('name', '=', name.trim().toLowerCase()).executeTakeFirst()
  })
  const usable = user !== undefined && user.disabled === 0 ? user : undefined
  const verdict = await checkPassword(password, usable?.password).catch(async (error: unknown) => {
    // Turned away unread, as when very many sign in at once: a right password is not to be paid for with a wait.
    await issuer.store.write((db) => takeBackTry(db, guess))
    throw error
  })
  if (verdict === 'wrong' || usable === undefined) throw wrong()
  const renewed = verdict === 'outdated' ? await hashPassword(password) : undefined
  await issuer.store.write(async (db) => {
    await forgetFailures(db, guess)
    if (renewed === undefined) return
    const same = db.updateTable('console_user').where('user_no', '=', usable.user_no)
    await same.where('password', '=', usable.password).set({ password: renewed }).execute()
  })
  return usable
}

/** @returns the new session's token @throws IssuerError `wrongPassword`, `tooManyTries` */
export const signIn = async (
  issuer: Issuer,
  given: { readonly name: string; readonly password: string } & From,
): Promise<string> => {
  const user = await provePassword(issuer, given)
  const token = newToken(issuer)
  await issuer.store.write(async (db) => {
    const at = issuer.clock()
    // The password may have been reset, or the user disabled, since it was read.
    const still = await db
      .selectFrom('console_user')
      .select(['disabled', 'password_at'])
      .where('user_no', '=', user.user_no)
      .executeTakeFirstOrThrow()
    if (still.disabled === 1 || still.password_at !== user.password_at) throw wrong()
    await beginSession(db, { token, userNo: user.user_no, at, address: given.address, browser: given.browser })
    const change = { action: 'session.begin', subject: user.name, after: { address: given.address } }
    await noteChange(db, { name: user.name, at }, change)
  })
  return token
}

/** Makes the first administrator. @returns the new session's token @throws IssuerError `userExists`, `wrongPassword`, `tooManyTries`, `weakPassword` */
export const createFirstUser = async (
  issuer: Issuer,
  given: { readonly code: string; readonly name: string; readonly password: string } & From,
): Promise<string> => {
  const { code, name, password, address, browser } = given
  const guess = { name: 'the set-up code', address }
  await issuer.store.write(async (db) => {
    if (await hasUsers(db)) throw new IssuerError('userExists', 'The first administrator was made already: sign in.')
    await countTry(db, guess, issuer.clock())
  })
  requireGoodPassword(password, [name])
  const hash = await hashPassword(password)
  const token = newToken(issuer)
  await issuer.store.write(async (db) => {
    const at = issuer.clock()
    if (await hasUsers(db)) throw new IssuerError('userExists', 'The first administrator was made already: sign in.')
    if (!(await redeemSetupCode(db, code, at)))
      throw new IssuerError(
        'wrongPassword',
        'This set-up code is wrong or older than a day: restart the server, which tells a new one in its log.',
      )
    const userNo = await insertUser(db, { name, role: 'admin', hash, mustChange: false, at }, { name: 'set-up code' })
    await forgetFailures(db, guess)
    await beginSession(db, { token, userNo, at, address, browser })
  })
  return token
}

/**
 * @param options.background a request that no person made: it does not keep the session alive
 * @returns undefined: it is none, or has ended
 */
export const sessionOf = async (
  issuer: Issuer,
  token: string | undefined,
  options: { readonly background: boolean },
): Promise<Session | undefined> => {
  if (token === undefined || !isToken(token)) return undefined
  const at = issuer.clock()
  const row = await issuer.store.read((db) =>
    db
      .selectFrom('console_session')
      .innerJoin('console_user', 'console_user.user_no', 'console_session.user_no')
      .select([
        'console_session.session_no',
        'console_session.user_no',
        'console_session.seen_at',
        'console_session.proved_at',
        'console_user.name',
        'console_user.role',
        'console_user.must_change',
      ])
      .where('console_session.token_hash', '=', hashOf(token))
      .where('console_session.seen_at', '>=', at - idleSecondsMax)
      .where('console_session.began_at', '>=', at - sessionSecondsMax)
      .where('console_user.disabled', '=', 0)
      .executeTakeFirst(),
  )
  if (row === undefined) return undefined
  if (!options.background && row.seen_at < at - seenStepSeconds)
    await issuer.store.write((db) =>
      db.updateTable('console_session').set({ seen_at: at }).where('session_no', '=', row.session_no).execute(),
    )
  return {
    sessionNo: row.session_no,
    userNo: row.user_no,
    name: row.name,
    role: row.role,
    mustChange: row.must_change === 1,
    provedAt: row.proved_at,
    forgeryToken: forgeryTokenOf(token),
  }
}

/** Proves the password again, for decisions over money. @throws IssuerError `wrongPassword`, `tooManyTries` */
export const confirmPassword = async (
  issuer: Issuer,
  session: Session,
  given: { readonly password: string; readonly address: string },
): Promise<void> => {
  await provePassword(issuer, { name: session.name, ...given })
  await issuer.store.write((db) =>
    db
      .updateTable('console_session')
      .set({ proved_at: issuer.clock() })
      .where('session_no', '=', session.sessionNo)
      .execute(),
  )
}

/**
 * Changes the own password. The session goes on under a new token, all others of the user end.
 * @returns the new token @throws IssuerError `wrongPassword`, `tooManyTries`, `weakPassword`
 */
export const changePassword = async (
  issuer: Issuer,
  session: Session,
  given: { readonly password: string; readonly newPassword: string; readonly address: string },
): Promise<string> => {
  const { password, newPassword, address } = given
  if (password === newPassword)
    throw new IssuerError('weakPassword', 'This is the password that you have: choose another.')
  requireGoodPassword(newPassword, [session.name])
  const user = await provePassword(issuer, { name: session.name, password, address })
  const hash = await hashPassword(newPassword)
  const token = newToken(issuer)
  await issuer.store.write(async (db) => {
    const at = issuer.clock()
    // Both passwords take their time: an administrator may have given another meanwhile, or ended the session.
    const still = await db
      .selectFrom('console_session')
      .innerJoin('console_user', 'console_user.user_no', 'console_session.user_no')
      .select(['console_user.password_at', 'console_user.disabled'])
      .where('session_no', '=', session.sessionNo)
      .executeTakeFirst()
    if (still === undefined || still.disabled === 1 || still.password_at !== user.password_at)
      throw new IssuerError('unknownSession', 'This session has ended already: sign in again.')
    await db
      .updateTable('console_user')
      .set({ password: hash, must_change: 0, password_at: at })
      .where('user_no', '=', session.userNo)
      .execute()
    await db
      .deleteFrom('console_session')
      .where('user_no', '=', session.userNo)
      .where('session_no', '<>', session.sessionNo)
      .execute()
    await db
      .updateTable('console_session')
      .set({ token_hash: hashOf(token), proved_at: at, seen_at: at })
      .where('session_no', '=', session.sessionNo)
      .execute()
    await noteChange(db, { name: session.name, at }, { action: 'user.password.change', subject: session.name })
  })
  return token
}

/** Ends one of the user's own sessions. @throws IssuerError `unknownSession` */
export const endSession = (issuer: Issuer, { userNo, name }: Session, sessionNo: number): Promise<void> =>
  issuer.store.write(async (db) => {
    const ended = await db
      .deleteFrom('console_session')
      .where('session_no', '=', sessionNo)
      .where('user_no', '=', userNo)
      .returning('session_no')
      .executeTakeFirst()
    if (ended === undefined) throw new IssuerError('unknownSession', 'This session has ended already.')
    await noteChange(db, { name, at: issuer.clock() }, { action: 'session.end', subject: name })
  })

/** The user's sessions that stand, the newest first. */
export const sessionsOf = (db: StoreReader, { userNo, at }: { userNo: number; at: number }) =>
  db
    .selectFrom('console_session')
    .select(['session_no', 'began_at', 'seen_at', 'address', 'browser'])
    .where('user_no', '=', userNo)
    .where('seen_at', '>=', at - idleSecondsMax)
    .where('began_at', '>=', at - sessionSecondsMax)
    .orderBy('session_no', 'desc')
    .execute()

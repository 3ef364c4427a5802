/** The console's users: who they are and what their role is. They are never deleted, since the log names them. */
import { noteChange } from './audit-log.ts'
import type { Role } from './console-contract/roles.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'
import { hashPassword, requireGoodPassword } from './password.ts'
import type { StoreReader, StoreWriter } from './store.ts'

/** Who makes the change, for the log. */
export interface By {
  readonly name: string
}

export interface NewUser {
  /** In lower case, of the form of `userNameSchema`. */
  readonly name: string
  readonly role: Role
  readonly password: string
  /** Somebody else chose the password. */
  readonly mustChange: boolean
}

export const hasUsers = async (db: StoreReader): Promise<boolean> =>
  (await db.selectFrom('console_user').select('user_no').limit(1).executeTakeFirst()) !== undefined

/** @throws IssuerError `userExists` */
export const insertUser = async (
  db: StoreWriter,
  user: Omit<NewUser, 'password'> & { readonly hash: string; readonly at: number },
  by: By,
): Promise<number> => {
  const { name, role, hash, mustChange, at } = user
  const known = await db.selectFrom('console_user').select('user_no').where('name', '=', name).executeTakeFirst()
  if (known !== undefined)
    throw new IssuerError('userExists', `There is a user "${name}" already: choose another name.`)
  const { user_no: userNo } = await db
    .insertInto('console_user')
    .values({ name, role, password: hash, must_change: mustChange ? 1 : 0, created_at: at, password_at: at })
    .returning('user_no')
    .executeTakeFirstOrThrow()
  await noteChange(db, { name: by.name, at }, { action: 'user.add', subject: name, after: { role } })
  return userNo
}

/** @throws IssuerError `userExists`, `weakPassword` */
export const addUser = async (issuer: Issuer, user: NewUser, by: By): Promise<void> => {
  requireGoodPassword(user.password, [user.name])
  const hash = await hashPassword(user.password)
  await issuer.store.write((db) => insertUser(db, { ...user, hash, at: issuer.clock() }, by))
}

const userNamed = async (db: StoreReader, name: string) => {
  const user = await db.selectFrom('console_user').selectAll().where('name', '=', name).executeTakeFirst()
  if (user === undefined) throw new IssuerError('unknownUser', `There is no user "${name}".`)
  return user
}

const requireOtherAdmin = async (db: StoreReader, userNo: number): Promise<void> => {
  const other = await db
    .selectFrom('console_user')
    .select('user_no')
    .where('role', '=', 'admin')
    .where('disabled', '=', 0)
    .where('user_no', '<>', userNo)
    .limit(1)
    .executeTakeFirst()
  if (other === undefined) throw new IssuerError('lastAdmin', 'This is the last administrator: make another one first.')
}

const endSessions = (db: StoreWriter, userNo: number) =>
  db.deleteFrom('console_session').where('user_no', '=', userNo).execute()

/** @throws IssuerError `unknownUser`, `lastAdmin` */
export const setRole = (issuer: Issuer, { name, role }: { name: string; role: Role }, by: By): Promise<void> =>
  issuer.store.write(async (db) => {
    const user = await userNamed(db, name)
    if (user.role === role) return
    if (user.role === 'admin') await requireOtherAdmin(db, user.user_no)
    await db.updateTable('console_user').set({ role }).where('user_no', '=', user.user_no).execute()
    const change = { action: 'user.role.set', subject: name, before: { role: user.role }, after: { role } }
    await noteChange(db, { name: by.name, at: issuer.clock() }, change)
  })

/** Ends the user's sessions, too. @throws IssuerError `unknownUser`, `lastAdmin` */
export const setDisabled = (
  issuer: Issuer,
  { name, disabled }: { name: string; disabled: boolean },
  by: By,
): Promise<void> =>
  issuer.store.write(async (db) => {
    const user = await userNamed(db, name)
    if ((user.disabled === 1) === disabled) return
    if (disabled && user.role === 'admin') await requireOtherAdmin(db, user.user_no)
    await db
      .updateTable('console_user')
      .set({ disabled: disabled ? 1 : 0 })
      .where('user_no', '=', user.user_no)
      .execute()
    if (disabled) await endSessions(db, user.user_no)
    const change = {
      action: disabled ? 'user.disable' : 'user.enable',
      subject: name,
      before: { disabled: !disabled },
      after: { disabled },
    }
    await noteChange(db, { name: by.name, at: issuer.clock() }, change)
  })

/**
 * An administrator gives a user a new password, which is for one sign-in. Ends all sessions of the user.
 * @throws IssuerError `unknownUser`, `weakPassword`
 */
export const resetPassword = async (
  issuer: Issuer,
  { name, password, mustChange }: { name: string; password: string; mustChange: boolean },
  by: By,
): Promise<void> => {
  requireGoodPassword(password, [name])
  const hash = await hashPassword(password)
  await issuer.store.write(async (db) => {
    const user = await userNamed(db, name)
    const at = issuer.clock()
    await db
      .updateTable('console_user')
      .set({ password: hash, must_change: mustChange ? 1 : 0, password_at: at })
      .where('user_no', '=', user.user_no)
      .execute()
    await endSessions(db, user.user_no)
    await noteChange(db, { name: by.name, at }, { action: 'user.password.reset', subject: name })
  })
}

/** Sign-in, sessions and users, as the page and the server exchange them. */
import * as v from 'valibot'
import { listQuery, pageOf } from './list.ts'
import { roles } from './roles.ts'

export const passwordLettersMin = 12
export const passwordLettersMax = 200

/** The header that every POST of the page carries: the session's `forgeryToken`. */
export const forgeryHeader = 'farthing-forgery-token'
/** A request that the page makes by itself, such as a refresh, says so with "1": it does not keep a session alive. */
export const backgroundHeader = 'farthing-background'

export const roleSchema = v.picklist(roles)
/** Kept in lower case: no two users differ by case alone. */
export const userNameSchema = v.pipe(
  v.string(),
  v.trim(),
  v.toLowerCase(),
  v.regex(/^[a-z0-9][a-z0-9._@-]{0,63}$/, 'a name is of letters, digits and . _ @ -'),
)
/** As it was typed; the rules for new ones are the server's. */
export const passwordSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(passwordLettersMax))
const time = v.string()

/** What to show to whoever is not signed in. */
export const startSchema = v.object({
  /** There is no user yet: the one who has the set-up code from the server's log becomes the first administrator. */
  firstRun: v.boolean(),
})

export const firstUserInput = v.object({
  code: v.pipe(v.string(), v.maxLength(100)),
  name: userNameSchema,
  password: passwordSchema,
})
export const signInInput = v.object({
  name: v.pipe(v.string(), v.maxLength(200)),
  password: passwordSchema,
})
export const confirmInput = v.object({ password: passwordSchema })
export const changePasswordInput = v.object({ password: passwordSchema, newPassword: passwordSchema })

export const ownSessionSchema = v.object({
  sessionNo: v.number(),
  current: v.boolean(),
  beganAt: time,
  seenAt: time,
  address: v.string(),
  browser: v.string(),
})
export const ownSessionsSchema = v.object({ sessions: v.array(ownSessionSchema) })
export const sessionNoInput = v.object({
  sessionNo: v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number))]),
})

export const userSchema = v.object({
  name: v.string(),
  role: roleSchema,
  disabled: v.boolean(),
  mustChangePassword: v.boolean(),
  createdAt: time,
  passwordAt: time,
  /** Of a session that still stands. */
  seenAt: v.optional(time),
})
export type User = v.InferOutput<typeof userSchema>
export const userListInput = listQuery(['name', 'createdAt'], {
  role: v.optional(roleSchema),
  search: v.optional(v.pipe(v.string(), v.maxLength(64))),
})
export const userPageSchema = pageOf(userSchema)
export const addUserInput = v.object({ name: userNameSchema, role: roleSchema, password: passwordSchema })
export const userRoleInput = v.object({ name: userNameSchema, role: roleSchema })
export const userDisabledInput = v.object({ name: userNameSchema, disabled: v.boolean() })
export const userPasswordInput = v.object({ name: userNameSchema, password: passwordSchema })

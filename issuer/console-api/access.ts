/** Sign-in, sign-out, the own password and sessions, and the console's users. */
import * as v from 'valibot'
import {
  addUserInput,
  changePasswordInput,
  confirmInput,
  firstUserInput,
  ownSessionsSchema,
  sessionNoInput,
  signInInput,
  startSchema,
  userDisabledInput,
  userListInput,
  userPageSchema,
  userPasswordInput,
  userRoleInput,
} from '../console-contract/access.ts'
import { type Session as ShownSession, sessionSchema } from '../console-contract/session.ts'
import { IssuerError } from '../errors.ts'
import { isoTime } from '../iso-times.ts'
import type { Issuer } from '../issuer.ts'
import {
  changePassword,
  confirmPassword,
  createFirstUser,
  endSession,
  provedSeconds,
  sessionOf,
  sessionsOf,
  signIn,
} from '../sessions.ts'
import { listUsers } from '../user-list.ts'
import { addUser, hasUsers, resetPassword, setDisabled, setRole } from '../users.ts'
import { route, type Session, type Visit } from './route.ts'

const nothing = v.object({})

const shown = (issuer: Issuer, session: Session): ShownSession => ({
  user: { name: session.name, role: session.role },
  forgeryToken: session.forgeryToken,
  mustChangePassword: session.mustChange,
  provedUntil: isoTime(session.provedAt + provedSeconds),
  book: { currency: issuer.book.currency, timeZone: issuer.book.timeZone, dev: issuer.keys.dev },
})

/** A session that has just begun. */
const begun = async (issuer: Issuer, visit: Visit, token: string): Promise<ShownSession> => {
  visit.setToken(token)
  const session = await sessionOf(issuer, token, { background: true })
  // Ended again by somebody else, in this moment.
  if (session === undefined) throw new IssuerError('unknownSession', 'This session has ended already: sign in again.')
  return shown(issuer, session)
}

const requireVisit = (visit: Visit | undefined): Visit => {
  if (visit === undefined) throw new Error('a session is about a request, and there is none')
  return visit
}

const requireSession = (visit: Visit | undefined): { readonly visit: Visit; readonly session: Session } => {
  const present = requireVisit(visit)
  if (present.session === undefined) throw new Error('the adapter let a call without a session pass')
  return { visit: present, session: present.session }
}

export const accessRoutes = [
  route({
    method: 'GET',
    path: '/session',
    permission: 'read',
    summary: 'Tells who is signed in, and the token that every change carries.',
    input: nothing,
    output: sessionSchema,
    beforePasswordChange: true,
    handle: async ({ issuer }, visit) => shown(issuer, requireSession(visit).session),
  }),
  route({
    method: 'GET',
    path: '/session/start',
    permission: 'none',
    summary: 'Tells whether there is a user already, or the first one is to be made.',
    input: nothing,
    output: startSchema,
    handle: async ({ issuer }) => ({ firstRun: !(await issuer.store.read(hasUsers)) }),
  }),
  route({
    method: 'POST',
    path: '/session/first-user',
    permission: 'none',
    summary: 'Makes the first administrator, with the set-up code of the server’s log, and signs them in.',
    input: firstUserInput,
    output: sessionSchema,
    handle: async ({ issuer, input }, visit) => {
      const { address, browser } = requireVisit(visit)
      return begun(issuer, requireVisit(visit), await createFirstUser(issuer, { ...input, address, browser }))
    },
  }),
  route({
    method: 'POST',
    path: '/session/sign-in',
    permission: 'none',
    summary: 'Begins a session, whose token is a cookie.',
    input: signInInput,
    output: sessionSchema,
    handle: async ({ issuer, input }, visit) => {
      const { address, browser } = requireVisit(visit)
      return begun(issuer, requireVisit(visit), await signIn(issuer, { ...input, address, browser }))
    },
  }),
  route({
    method: 'POST',
    path: '/session/sign-out',
    permission: 'read',
    summary: 'Ends the session.',
    input: nothing,
    output: nothing,
    beforePasswordChange: true,
    handle: async ({ issuer }, visit) => {
      const { session, visit: present } = requireSession(visit)
      await endSession(issuer, session, session.sessionNo)
      present.clearToken()
      return {}
    },
  }),
  route({
    method: 'POST',
    path: '/session/confirm',
    permission: 'read',
    summary: 'Proves the password again, for decisions over money.',
    input: confirmInput,
    output: sessionSchema,
    handle: async ({ issuer, input }, visit) => {
      const { session, visit: present } = requireSession(visit)
      await confirmPassword(issuer, session, { password: input.password, address: present.address })
      return shown(issuer, { ...session, provedAt: issuer.clock() })
    },
  }),
  route({
    method: 'POST',
    path: '/session/password',
    permission: 'read',
    summary: 'Changes the own password, and ends all other sessions of the user.',
    input: changePasswordInput,
    output: sessionSchema,
    beforePasswordChange: true,
    handle: async ({ issuer, input }, visit) => {
      const { session, visit: present } = requireSession(visit)
      return begun(issuer, present, await changePassword(issuer, session, { ...input, address: present.address }))
    },
  }),
  route({
    method: 'GET',
    path: '/sessions',
    permission: 'read',
    summary: 'Lists the own sessions that stand.',
    input: nothing,
    output: ownSessionsSchema,
    handle: async ({ issuer }, visit) => {
      const { session } = requireSession(visit)
      const rows = await issuer.store.read((db) => sessionsOf(db, { userNo: session.userNo, at: issuer.clock() }))
      return {
        sessions: rows.map((row) => ({
          sessionNo: row.session_no,
          current: row.session_no === session.sessionNo,
          beganAt: isoTime(row.began_at),
          seenAt: isoTime(row.seen_at),
          address: row.address,
          browser: row.browser,
        })),
      }
    },
  }),
  route({
    method: 'POST',
    path: '/sessions/:sessionNo/end',
    permission: 'read',
    summary: 'Ends one of the own sessions.',
    input: sessionNoInput,
    output: nothing,
    handle: async ({ issuer, input }, visit) => {
      await endSession(issuer, requireSession(visit).session, input.sessionNo)
      return {}
    },
  }),
  route({
    method: 'GET',
    path: '/users',
    permission: 'administer',
    summary: 'Lists the users.',
    input: userListInput,
    output: userPageSchema,
    handle: async ({ issuer, input }) => listUsers(issuer, input),
  }),
  route({
    method: 'POST',
    path: '/users',
    permission: 'administer',
    summary: 'Adds a user, who has to change the password at the first sign-in.',
    input: addUserInput,
    output: nothing,
    fresh: true,
    handle: async ({ issuer, caller, input }) => {
      await addUser(issuer, { ...input, mustChange: true }, caller)
      return {}
    },
  }),
  route({
    method: 'POST',
    path: '/users/:name/role',
    permission: 'administer',
    summary: 'Gives a user another role, at once.',
    input: userRoleInput,
    output: nothing,
    fresh: true,
    handle: async ({ issuer, caller, input }) => {
      await setRole(issuer, input, caller)
      return {}
    },
  }),
  route({
    method: 'POST',
    path: '/users/:name/disabled',
    permission: 'administer',
    summary: 'Keeps a user out, and ends the user’s sessions; or lets the user in again.',
    input: userDisabledInput,
    output: nothing,
    fresh: true,
    handle: async ({ issuer, caller, input }) => {
      await setDisabled(issuer, input, caller)
      return {}
    },
  }),
  route({
    method: 'POST',
    path: '/users/:name/password',
    permission: 'administer',
    summary: 'Gives a user a new password for one sign-in, and ends the user’s sessions.',
    input: userPasswordInput,
    output: nothing,
    fresh: true,
    handle: async ({ issuer, caller, input }) => {
      await resetPassword(issuer, { ...input, mustChange: true }, caller)
      return {}
    },
  }),
]

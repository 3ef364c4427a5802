/** Who is signed in, and what every page needs to know of the book. */
import * as v from 'valibot'
import { roles } from './roles.ts'

export const sessionSchema = v.object({
  user: v.object({ name: v.string(), role: v.picklist(roles) }),
  /** Goes back in the header `farthing-forgery-token` of every request that changes something. */
  forgeryToken: v.string(),
  /** Nothing is allowed but to change the password. */
  mustChangePassword: v.boolean(),
  /** ISO 8601: until then decisions over money do not ask for the password again. */
  provedUntil: v.string(),
  book: v.object({
    /** ISO 4217 letters. */
    currency: v.string(),
    /** IANA name: all days and times are shown in it. */
    timeZone: v.string(),
    /** On development keys: loudly unsafe. */
    dev: v.boolean(),
  }),
})
export type Session = v.InferOutput<typeof sessionSchema>

/** The way out. */
import * as v from 'valibot'
import { post } from '../api/client.ts'
import { renewSession } from '../api/query.ts'

export const signOut = async (): Promise<void> => {
  await post(v.unknown(), '/session/sign-out').catch(() => undefined)
  await renewSession()
}

/** Who is signed in, for all parts below the shell. */
import { createContext, useContext } from 'react'
import { mayDo, type Permission } from '../../console-contract/roles.ts'
import type { Session } from '../../console-contract/session.ts'

export const SessionContext = createContext<Session | undefined>(undefined)

/** Only below the shell: there somebody is signed in. */
export const useSession = (): Session => {
  const session = useContext(SessionContext)
  if (session === undefined) throw new Error('nobody is signed in here')
  return session
}

/** Whether to offer it; the server decides again. */
export const useMay = (permission: Permission): boolean => mayDo(useSession().user.role, permission)

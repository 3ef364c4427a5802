/** Reading and changing through the API, as hooks: what is shown is read again when the issuer says that it changed. */
import {
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import type * as v from 'valibot'
import { type Session, sessionSchema } from '../../console-contract/session.ts'
import { ApiError, get, isSignedOut, keepForgeryToken, post } from './client.ts'
import type { Topic } from './live.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

const sessionKey = ['session'] as const
const triesMax = 2

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: { readonly live?: readonly Topic[] }
  }
}

/** Whoever is signed out by the server is signed out here. */
export const noticeSignOut = (error: unknown): void => {
  if (isSignedOut(error)) queryClient.setQueryData(sessionKey, null)
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeSignOut }),
  mutationCache: new MutationCache({ onError: noticeSignOut }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // Refusals stay refusals; what was not reached may be reached.
      retry: (failures, error) => failures < triesMax && error instanceof ApiError && error.status === 0,
      refetchOnWindowFocus: true,
    },
  },
})

/**
 * Reads from the API and keeps it fresh.
 * @param options.live what the issuer may announce that makes this worth reading again; absent: everything
 * @param options.keep what was shown stays while the next is fetched, such as a list's page
 */
export const useApi = <Schema extends v.GenericSchema>(
  schema: Schema,
  path: string,
  options: {
    readonly query?: Query
    readonly live?: readonly Topic[]
    readonly keep?: boolean
    readonly enabled?: boolean
  } = {},
): UseQueryResult<v.InferOutput<Schema>> =>
  useQuery({
    queryKey: ['api', path, options.query ?? {}],
    queryFn: ({ signal }) => get(schema, path, { query: options.query ?? {}, signal }),
    ...(options.live === undefined ? {} : { meta: { live: options.live } }),
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
    enabled: options.enabled ?? true,
  })

/**
 * Changes something through the API; afterwards everything that is shown is read again.
 * `await change.mutateAsync(body)` throws ApiError, `change.error` has it too.
 */
export const useChange = <Schema extends v.GenericSchema, Body = unknown>(
  schema: Schema,
  path: string | ((body: Body) => string),
) => {
  const client = useQueryClient()
  return useMutation<v.InferOutput<Schema>, Error, Body>({
    mutationFn: (body) => post(schema, typeof path === 'string' ? path : path(body), body),
    onSuccess: () => client.invalidateQueries({ queryKey: ['api'] }),
  })
}

/** null: nobody is signed in. undefined: not known yet. */
export const useSessionQuery = (): UseQueryResult<Session | null> =>
  useQuery<Session | null>({
    queryKey: sessionKey,
    queryFn: async ({ signal }) => {
      try {
        const session = await get(sessionSchema, '/session', { signal })
        keepForgeryToken(session.forgeryToken)
        return session
      } catch (error) {
        if (isSignedOut(error)) return null
        throw error
      }
    },
    staleTime: 5 * 60_000,
  })

/** After signing in or out: asks who is signed in, and forgets what the one before saw. */
export const renewSession = async (): Promise<void> => {
  queryClient.removeQueries({ queryKey: ['api'] })
  await queryClient.invalidateQueries({ queryKey: sessionKey })
}

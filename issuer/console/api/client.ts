/** The console's API as pages call it: shapes are checked, refusals come with the server's own sentence. */
import * as v from 'valibot'
import type { Query } from './query.ts'

export const apiRoot = '/console/api'
const forgeryHeader = 'farthing-forgery-token'
/** Says that nobody asked for this: it does not keep a session alive. */
const backgroundHeader = 'farthing-background'
const attentionMs = 60_000

let attendedAt = Date.now()
for (const sign of ['pointerdown', 'keydown', 'wheel'])
  window.addEventListener(sign, () => (attendedAt = Date.now()), { passive: true, capture: true })
const isAttended = (): boolean => Date.now() - attendedAt < attentionMs

/** A refusal or a failure. `message` is a sentence for the person at the page. */
export class ApiError extends Error {
  /** 0: the server was not reached. */
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, sentence: string) {
    super(sentence)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401

const refusalSchema = v.object({ error: v.string(), sentence: v.string() })

let forgeryToken = ''
/** Kept for the requests that change something. */
export const keepForgeryToken = (token: string): void => {
  forgeryToken = token
}

const readRefusal = async (response: Response): Promise<ApiError> => {
  const body = v.safeParse(refusalSchema, await response.json().catch(() => undefined))
  if (body.success) return new ApiError(response.status, body.output.error, body.output.sentence)
  return new ApiError(response.status, 'unreadable', `The issuer answered with status ${response.status}: try again.`)
}

/** @throws ApiError */
const send = async (address: string, init: RequestInit, background: boolean): Promise<Response> => {
  let response: Response
  try {
    const headers = { ...init.headers, ...(background ? { [backgroundHeader]: '1' } : {}) }
    response = await fetch(address, { credentials: 'same-origin', ...init, headers })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'unreachable', 'The issuer cannot be reached: check your connection, then try again.')
  }
  if (!response.ok) throw await readRefusal(response)
  return response
}

const call = async (address: string, init: RequestInit = {}): Promise<unknown> => {
  const response = await send(address, init, !isAttended())
  return response.status === 204 ? undefined : response.json()
}

/** The lines of a stream of events, as they come; ends when the stream does. @throws ApiError */
export const eventLines = async function* (path: string, signal: AbortSignal): AsyncGenerator<string> {
  // Not an EventSource: that cannot say that it keeps no session alive, nor see that it was refused.
  const { body } = await send(addressOf(path), { signal, headers: { accept: 'text/event-stream' } }, true)
  if (body === null) return
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

const readAnswer = <Schema extends v.GenericSchema>(schema: Schema, answer: unknown): v.InferOutput<Schema> => {
  const read = v.safeParse(schema, answer)
  if (read.success) return read.output
  const [issue] = read.issues
  const where = issue === undefined ? '' : ` (${v.getDotPath(issue) ?? 'answer'})`
  throw new ApiError(0, 'shape', `This page and the issuer are of different versions${where}: load the page again.`)
}

/** @param path below the API's root, such as "/terminals" */
export const addressOf = (path: string, query: Query = {}): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== '') search.set(name, String(value))
  const text = search.toString()
  return `${apiRoot}${path}${text === '' ? '' : `?${text}`}`
}

/** @throws ApiError */
export const get = async <Schema extends v.GenericSchema>(
  schema: Schema,
  path: string,
  options: { readonly query?: Query; readonly signal?: AbortSignal } = {},
): Promise<v.InferOutput<Schema>> =>
  readAnswer(schema, await call(addressOf(path, options.query), options.signal ? { signal: options.signal } : {}))

let provePassword: (() => Promise<boolean>) | undefined
/** @param ask called when the server wants the password again; tells whether it was given */
export const answerPasswordNeeded = (ask: typeof provePassword): void => {
  provePassword = ask
}

/** Once more, if the password was wanted and given. */
const withPassword = async (ask: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await ask()
  } catch (error) {
    const wanted = error instanceof ApiError && error.code === 'passwordNeeded' && provePassword !== undefined
    if (wanted && (await provePassword?.())) return ask()
    throw error
  }
}

/** Asks for a change. A `Blob` or bytes go as they are, all else as JSON. @throws ApiError */
export const post = async <Schema extends v.GenericSchema>(
  schema: Schema,
  path: string,
  body: unknown = {},
): Promise<v.InferOutput<Schema>> => {
  const plain = body instanceof Blob
  const ask = () =>
    call(addressOf(path), {
      method: 'POST',
      headers: {
        [forgeryHeader]: forgeryToken,
        'content-type': plain ? 'application/octet-stream' : 'application/json',
      },
      body: plain ? body : JSON.stringify(body),
    })
  return readAnswer(schema, await withPassword(ask))
}

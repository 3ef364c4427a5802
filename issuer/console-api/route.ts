/**
 * One operation of the console, declared: its address, who may call it, and the shapes that go in and out. One adapter
 * checks session, permission, forgery token and shape for all of them; the OpenAPI description is made of the same.
 */
import type * as v from 'valibot'
import type { Permission, Role } from '../console-contract/roles.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreWriter } from '../store.ts'

export interface Caller {
  /** For the audit log: a user's name, or how else the change came. */
  readonly name: string
  /** undefined: not a user of the console. */
  readonly userNo: number | undefined
  readonly role: Role
}

export interface RouteContext<Input> {
  /** To the issuer's log; absent where there is no server, as in tests. */
  readonly warn?: (facts: object, sentence: string) => void
  readonly issuer: Issuer
  readonly caller: Caller
  readonly input: Input
}

/** The request behind a call, for what concerns the session itself. */
export interface Visit {
  readonly address: string
  readonly browser: string
  /** undefined: not signed in. */
  readonly session: Session | undefined
  /** Gives the browser the cookie of a new session. */
  setToken(token: string): void
  clearToken(): void
}

export interface Session {
  readonly sessionNo: number
  readonly userNo: number
  readonly name: string
  readonly role: Role
  /** Nothing else is allowed before the password was changed. */
  readonly mustChange: boolean
  /** UNIX seconds: when the password was last given. */
  readonly provedAt: number
  /** Goes back in the header "farthing-forgery-token" with every POST. */
  readonly forgeryToken: string
}

/** A document instead of JSON: an export, a statement, a payment file, a stream of events. */
export interface Download {
  readonly mediaType: string
  /** Absent: shown where it was asked for, not saved. */
  readonly fileName?: string
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  /** Its own content security policy, for what a page of the console shows in a frame; absent: nobody frames it. */
  readonly framePolicy?: string
}

export interface ConsoleRoute<Input extends v.GenericSchema = v.GenericSchema, Output = unknown> {
  readonly method: 'GET' | 'POST'
  /** Below /console/api, such as "/terminals/:terminalId". */
  readonly path: string
  readonly permission: Permission
  /** For the description: one sentence. */
  readonly summary: string
  /** Of path parameters, query and JSON body together: a name is in one of them. */
  readonly input: Input
  /** Of the body; absent: 64 KiB. */
  readonly bodyBytesMax?: number
  /** The body is not JSON but bytes ("application/octet-stream"), which are the member `bytes` of the input. */
  readonly takesBytes?: true
  /** A decision over money: asks for the password again when it was given more than 15 minutes ago. */
  readonly fresh?: true
  /** Allowed to a user who has to change the password first. */
  readonly beforePasswordChange?: true
  /** Of JSON answers. */
  readonly output?: v.GenericSchema<unknown, Output>
  /** @param visit absent where there is no request, as in tests @throws IssuerError: a refusal with its sentence */
  readonly handle: (context: RouteContext<v.InferOutput<Input>>, visit?: Visit) => Promise<Output | Download>
}

/** Ties the handler's types to the schemas. */
export const route = <const Input extends v.GenericSchema, Output>(
  declared: ConsoleRoute<Input, Output>,
): ConsoleRoute => declared as unknown as ConsoleRoute

/** One change, for the log. `before` and `after` are JSON without secrets. */
export interface Change {
  /** A verb and what it is about, such as "merchant.fee.set". */
  readonly action: string
  /** Which one, such as a merchant's name or a card's id. */
  readonly subject: string
  readonly before?: unknown
  readonly after?: unknown
}

/** Appends a change to the chained audit log, in the transaction that makes it. */
export type NoteChange = (
  db: StoreWriter,
  who: { readonly name: string; readonly at: number },
  change: Change,
) => Promise<void>

/** What all handlers of the HTTP interface share: refusals, limits of bodies, and who is at the other end. */
import { isIP } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { every } from 'hono/combine'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Session } from './console-api/route.ts'

export interface AppEnvironment {
  /** Absent where the app is called without a socket. */
  Bindings: Partial<HttpBindings>
  /** Of the console's routes, if somebody is signed in. */
  Variables: { session?: Session }
}
export type AppContext = Context<AppEnvironment>

export const refuse = (c: AppContext, status: ContentfulStatusCode, error: string, sentence: string): Response =>
  c.json({ error, sentence }, status)

const retryAfterSeconds = 10

/** The store cannot do it now: whoever asks again later may be answered. */
export const outage = (
  c: AppContext,
  { code, message }: { readonly code: string; readonly message: string },
): Response => {
  c.header('retry-after', String(retryAfterSeconds))
  return refuse(c, 503, code, message)
}

/**
 * Of a body whose length is not announced, bodyLimit makes a new Request; node-server's own is not fit for that, so it
 * gets one that is.
 */
const withFitRequest: MiddlewareHandler<AppEnvironment> = async (c, next) => {
  // No Request can be made of it, and node-server lets some of these pass: a host "a.3", which would be half an IP address.
  if (!URL.canParse(c.req.raw.url)) return refuse(c, 400, 'host', 'The request’s Host is not the name of one.')
  const { method, url, headers, body, signal } = c.req.raw
  if (body !== null && (!headers.has('content-length') || headers.has('transfer-encoding')))
    c.req.raw = new Request(url, { method, headers, body, signal, duplex: 'half' })
  return next()
}

export const limited = (maxSize: number) =>
  every(
    withFitRequest,
    bodyLimit({ maxSize, onError: (c) => refuse(c, 413, 'tooLarge', `At most ${maxSize} bytes are taken here.`) }),
  )

const isLoopback = (address: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(address)

const peerOf = (c: AppContext): string => c.env?.incoming?.socket.remoteAddress ?? '127.0.0.1'

/** The peer's address; behind a proxy on this machine, the one that the proxy saw. */
export const addressOf = (c: AppContext): string => {
  const peer = peerOf(c)
  const forwarded = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim()
  return isLoopback(peer) && forwarded !== undefined && forwarded !== '' ? forwarded : peer
}

/** By way of a TLS proxy on this machine. */
export const isHttps = (c: AppContext): boolean =>
  isLoopback(peerOf(c)) && c.req.header('x-forwarded-proto') === 'https'

/** Nobody between can listen: loopback alone, or by way of a TLS proxy on this machine. */
export const isConfidential = (c: AppContext): boolean =>
  isLoopback(peerOf(c)) && (isHttps(c) || isLoopback(addressOf(c)))

/** A page elsewhere whose name was made to mean this machine asks under that name (DNS rebinding). */
const namesLoopback = (c: AppContext): boolean => {
  const host = new URL(c.req.url).hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || (isIP(host) !== 0 && isLoopback(host))
}

/** From this machine itself under a name of its own, and not by way of a proxy on it. */
export const isDirect = (c: AppContext): boolean =>
  isLoopback(peerOf(c)) &&
  namesLoopback(c) &&
  ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'].every(
    (name) => c.req.header(name) === undefined,
  )

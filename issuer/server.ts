/**
 * Runs the issuer's HTTP interface on a port (PROTOCOL.md, HTTP). Plain HTTP: in front of anything but loopback stands a
 * TLS proxy on the same machine, which sets X-Forwarded-For and X-Forwarded-Proto.
 */
import { createServer, type Server as HttpServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type Logger, pino } from 'pino'
import { announceAddress, publicUrlOf } from './bulletin-publisher.ts'
import { type CaseKeeper, keepCases } from './cases/keeper.ts'
import { endLiveStreams } from './console-api/live.ts'
import { IssuerError } from './errors.ts'
import { createApp } from './http-app.ts'
import type { Issuer } from './issuer.ts'

/** A full batch over a slow mobile line takes a minute and a half. */
const requestTimeoutMsDefault = 120_000
const headersTimeoutMs = 15_000
const closeGraceMs = 5_000
const connectionsMax = 2_000

export interface ServeOptions {
  readonly issuer: Issuer
  /** 0: any that is free. */
  readonly port: number
  /** Loopback where absent. */
  readonly host?: string
  /** Where customers reach the server; where absent, what was said before, or this machine's loopback address. */
  readonly publicUrl?: string
  /** How long one request may take to arrive. */
  readonly requestTimeoutMs?: number
  /** Whoever has it may read /metrics from another machine. */
  readonly metricsToken?: string
  /** Where absent, one JSON line per failure on standard error. */
  readonly log?: Logger
}

export interface RunningServer {
  /** Such as "http://127.0.0.1:8080". */
  readonly url: string
  readonly port: number
  readonly publicUrl: string
  /** Takes no more connections, lets requests in work finish for some seconds, then ends. The store stays open. */
  close(): Promise<void>
}

const listenError = (error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): IssuerError => {
  const told = { cause: error }
  switch (error.code) {
    case 'EADDRINUSE':
      return new IssuerError(
        'portInUse',
        `Port ${port} on ${host} is in use: stop the program that holds it, or choose another --port.`,
        told,
      )
    case 'EACCES':
      return new IssuerError('address', `Port ${port} may not be opened by this user: choose one over 1023.`, told)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new IssuerError('address', `${host} is not an address of this machine: choose another --host.`, told)
    default:
      return new IssuerError('address', `Port ${port} on ${host} cannot be opened (${error.code}).`, told)
  }
}

const listen = (server: HttpServer, address: { host: string; port: number }): Promise<number> =>
  new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(listenError(error, address))
    server.once('error', fail)
    server.listen(address.port, address.host, () => {
      server.off('error', fail)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port)
    })
  })

const close = (server: HttpServer): Promise<void> =>
  new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), closeGraceMs)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })

const isLoopbackUrl = (url: string): boolean => /^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(`${url}/`)

const addressToAnnounce = async (issuer: Issuer, url: string): Promise<string> => {
  const said = await publicUrlOf(issuer)
  return isLoopbackUrl(said) ? url : said
}

const requirePort = (port: number): void => {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new IssuerError('address', `${port} is not a port: choose one from 1 to 65535.`)
}

/**
 * Listens, and tells terminals the public address in the bulletin.
 * @throws IssuerError `portInUse`, `address`, `input` (publicUrl)
 */
export const serve = async (options: ServeOptions): Promise<RunningServer> => {
  const { issuer, host = '127.0.0.1' } = options
  requirePort(options.port)
  const log = options.log ?? pino({ name: 'farthing-issuer' }, pino.destination({ dest: 2, sync: true }))
  const requestTimeoutMs = options.requestTimeoutMs ?? requestTimeoutMsDefault
  const app = createApp(issuer, {
    log,
    ...(options.metricsToken === undefined ? {} : { metricsToken: options.metricsToken }),
  })
  let keeper: CaseKeeper | undefined
  const fetchAndKeep = async (request: Request, env: Parameters<typeof app.fetch>[1]): Promise<Response> => {
    const response = await app.fetch(request, env)
    if (request.method === 'POST' && response.ok) keeper?.documentCame()
    return response
  }
  const handle = getRequestListener(fetchAndKeep, { overrideGlobalObjects: false })
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    },
    (request, response) => void handle(request, response),
  )
  server.maxConnections = connectionsMax
  const port = await listen(server, { host, port: options.port })
  keeper = keepCases(issuer, {
    onPass: (outcome) => {
      if (outcome instanceof Error) log.error({ err: outcome }, 'the cases could not be brought up to date')
    },
  })
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  const url = `http://${reached}:${port}`
  try {
    const publicUrl = await announceAddress(issuer, options.publicUrl ?? (await addressToAnnounce(issuer, url)))
    const closeAll = async () => {
      endLiveStreams(issuer.store)
      await close(server)
      await keeper?.close()
    }
    return { url, port, publicUrl, close: closeAll }
  } catch (error) {
    await close(server)
    await keeper?.close()
    throw error
  }
}

/** Closes the server, then what lies under it, at the first SIGTERM or SIGINT. @returns when all is closed */
export const closeOnSignal = (server: RunningServer, issuer: Issuer): Promise<NodeJS.Signals> =>
  new Promise((resolve, reject) => {
    const stop = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', stop)
      process.off('SIGINT', stop)
      server
        .close()
        .then(() => issuer.store.close())
        .then(() => resolve(signal), reject)
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })

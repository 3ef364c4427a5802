/**
 * The issuer's HTTP interface (PROTOCOL.md, HTTP): documents in, sealed documents out. Needs no socket to be called.
 * Refusals are JSON {error, sentence}; what a handler did not expect is one line in the log and says nothing outside.
 */
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Logger } from 'pino'
import * as v from 'valibot'
import { batchBytesMax } from '../protocol/batch.ts'
import { journalBytesMax } from '../protocol/journal.ts'
import type { DocumentRefusal } from './batch-intake.ts'
import { currentBulletin, publicUrlOf } from './bulletin-publisher.ts'
import { byteRangeOf } from './byte-range.ts'
import { goodsFolder } from './catalogue.ts'
import { collectClaim, contentByTicket } from './claim-collection.ts'
import { claimPagePolicy, readClaimPage } from './claim-page.ts'
import { apiPath, consoleApi } from './console-api/adapter.ts'
import type { ConsoleRoute } from './console-api/route.ts'
import { consoleRoutes } from './console-api/routes.ts'
import { consoleFiles } from './console-files.ts'
import { enrol } from './enrolment.ts'
import { IssuerError } from './errors.ts'
import { blobBytes, streamBlob, streamBytes } from './goods.ts'
import { hotlistPage } from './hotlist-log.ts'
import {
  type AppContext,
  type AppEnvironment,
  addressOf,
  isConfidential,
  limited,
  outage,
  refuse,
} from './http-edge.ts'
import { ingestBatch } from './ingest.ts'
import { answerInquiry } from './inquiries.ts'
import type { Issuer } from './issuer.ts'
import { takeJournal } from './journals.ts'
import { keyringFor } from './keyring-maker.ts'
import { authoriseLoad } from './loads.ts'
import { createMetrics } from './metrics.ts'
import { networkOf } from './network-of.ts'
import { operationRoutes, timed } from './operation-routes.ts'
import { rateLimit } from './rate-limit.ts'
import { decideRefunds } from './refunds.ts'
import { noteNews } from './terminal-news.ts'
import { ticketPage } from './ticket-page.ts'

const smallBodyBytesMax = 4096
const binary = 'application/octet-stream'
const guessing = { failuresMax: 20, windowSeconds: 300, addressesMax: 10_000 }

const bodyBytes = async (c: AppContext): Promise<Uint8Array> => new Uint8Array(await c.req.arrayBuffer())

const documentStatus: Readonly<Record<DocumentRefusal, ContentfulStatusCode>> = {
  layout: 400,
  forged: 403,
  unknownTerminal: 404,
}

const claimStatus = (reason: string): ContentfulStatusCode => {
  const statuses: Readonly<Record<string, ContentfulStatusCode>> = {
    layout: 400,
    forged: 403,
    unknownTerminal: 404,
    unknownCard: 404,
    expired: 410,
  }
  return statuses[reason] ?? 409
}

/** `body` must not share its memory with a pool that is written again. */
const bytesAnswer = (c: AppContext, bytes: Uint8Array): Response =>
  c.body(Uint8Array.from(bytes), 200, { 'content-type': binary, 'cache-control': 'no-store' })

const u32Schema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff))
const enrolmentRequestSchema = v.object({
  code: v.pipe(v.string(), v.maxLength(100)),
  ledger: v.optional(
    v.object({
      terminalId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
      epoch: u32Schema,
      batchNo: u32Schema,
      fork: v.optional(v.boolean()),
    }),
  ),
})

const enrolments = (app: Hono<AppEnvironment>, issuer: Issuer): void => {
  const guesses = rateLimit(guessing, issuer.clock)
  app.post('/v1/enrolments', limited(smallBodyBytesMax), async (c) => {
    if (!isConfidential(c))
      return refuse(
        c,
        403,
        'tlsNeeded',
        'Enrolment hands out a key and so goes over TLS: put a TLS proxy on the issuer’s machine, and use its address.',
      )
    const address = networkOf(addressOf(c))
    if (!guesses.allows(address))
      return refuse(c, 429, 'tooManyTries', 'Too many wrong codes came from here: wait five minutes.')
    const body: unknown = await c.req.json().catch(() => undefined)
    const request = v.safeParse(enrolmentRequestSchema, body)
    if (!request.success)
      return refuse(c, 400, 'layout', 'Send JSON {"code": "..."} with the terminal’s enrolment code.')
    const result = await enrol(issuer, request.output.code, request.output.ledger)
    if (result.outcome === 'enrolled') return c.json(result.enrolment, 200, { 'cache-control': 'no-store' })
    guesses.countFailure(address)
    return refuse(c, 403, 'wrongCode', result.sentence)
  })
}

const documents = (app: Hono<AppEnvironment>, issuer: Issuer, log: Logger): void => {
  /** What goes wrong with a refund is no fault of the document, which is taken; the next one tries again. */
  const decideWhatWaits = () =>
    decideRefunds(issuer).catch((error: Error) => log.error({ error: errorFacts(error) }, 'refunds wait'))
  app.post('/v1/batches', limited(batchBytesMax), async (c) => {
    const result = await ingestBatch(issuer, await bodyBytes(c), { direct: true })
    if (!('ack' in result)) return refuse(c, documentStatus[result.refused], result.refused, result.sentence)
    await decideWhatWaits()
    return bytesAnswer(c, result.ack)
  })
  app.post('/v1/journals', limited(journalBytesMax), async (c) => {
    const result = await takeJournal(issuer, await bodyBytes(c))
    if (!('answer' in result)) return refuse(c, documentStatus[result.refused], result.refused, result.sentence)
    await decideWhatWaits()
    return bytesAnswer(c, result.answer)
  })
  app.post('/v1/loads', limited(smallBodyBytesMax), async (c) => {
    const result = await authoriseLoad(issuer, await bodyBytes(c))
    if ('answer' in result) return bytesAnswer(c, result.answer)
    return refuse(c, documentStatus[result.refused], result.refused, result.sentence)
  })
}

/** Nothing is changed by them; a terminal that tries codes is told to wait. */
const inquiries = (app: Hono<AppEnvironment>, issuer: Issuer): void => {
  const guesses = rateLimit(guessing, issuer.clock)
  for (const [path, kind] of [
    ['/v1/vouchers', 'voucher'],
    ['/v1/credits', 'credits'],
  ] as const)
    app.post(path, limited(smallBodyBytesMax), async (c) => {
      const wait = () => refuse(c, 429, 'tooManyTries', 'Too many wrong codes came from here: wait five minutes.')
      const result = await answerInquiry(issuer, kind, await bodyBytes(c))
      if ('refused' in result) {
        // A right seal counts, whoever else sends wrong ones by the same line: a kiosk's may be its customers' Wi-Fi, too.
        const address = networkOf(addressOf(c))
        if (!guesses.allows(address)) return wait()
        guesses.countFailure(address)
        return refuse(c, documentStatus[result.refused], result.refused, result.sentence)
      }
      // By terminal: many of them may stand behind one address.
      if (kind === 'voucher' && !guesses.allows(result.terminalId)) return wait()
      if (result.isGuess) guesses.countFailure(result.terminalId)
      return bytesAnswer(c, result.answer)
    })
}

/** @returns undefined for what is no number */
const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined

const hotlist = (app: Hono<AppEnvironment>, issuer: Issuer): void => {
  app.get('/v1/hotlist', async (c) => {
    const after = numberOf(c.req.query('after') ?? '0')
    const generation = numberOf(c.req.query('generation'))
    if (after === undefined || (generation === undefined && c.req.query('generation') !== undefined))
      return refuse(c, 400, 'layout', 'Ask for /v1/hotlist?generation=G&after=N: both are whole numbers.')
    const page = await hotlistPage(issuer, { after, ...(generation === undefined ? {} : { generation }) })
    if (page === undefined)
      return refuse(c, 404, 'noEntries', 'The hotlist has no entries after that one, or there is no such log any more.')
    // Which log is meant, an address without a generation does not say for good.
    const final = page.isFull && generation !== undefined
    const headers = {
      etag: `"${page.generation}-${page.first}-${page.last}"`,
      'cache-control': final ? 'public, max-age=31536000, immutable' : 'no-cache',
    }
    if (isKnown(c, headers.etag)) return c.body(null, 304, headers)
    return c.body(page.bytes, 200, { ...headers, 'content-type': binary })
  })
}

const isKnown = (c: AppContext, etag: string): boolean =>
  c.req
    .header('if-none-match')
    ?.split(',')
    .some((tag) => tag.trim().replace(/^W\//, '') === etag) === true

const publications = (app: Hono<AppEnvironment>, issuer: Issuer): void => {
  const tagged = (c: AppContext, { serial, bytes }: { serial: number; bytes: Uint8Array }): Response => {
    const etag = `"${serial}"`
    const headers = { etag, 'cache-control': 'no-cache', 'farthing-serial': String(serial) }
    if (isKnown(c, etag)) return c.body(null, 304, headers)
    return c.body(Uint8Array.from(bytes), 200, { ...headers, 'content-type': binary })
  }
  app.get('/v1/bulletin', async (c) => {
    const bulletin = await currentBulletin(issuer)
    if (bulletin === undefined)
      return refuse(c, 404, 'notPublished', 'No catalogue was published yet: run "farthing catalogue publish".')
    return tagged(c, bulletin)
  })
  /** Whoever asks: certificates prove themselves. */
  app.get('/v1/successions', (c) => bytesAnswer(c, issuer.keys.successions))
  app.get('/v1/keyrings/:terminal', async (c) => {
    const keyring = await keyringFor(issuer, c.req.param('terminal'))
    if (keyring === undefined) return refuse(c, 404, 'unknownTerminal', 'No such terminal is enrolled here.')
    await noteNews(issuer, c.req.param('terminal'), keyring.serial)
    return tagged(c, keyring)
  })
}

/** Answers with the whole or a part of `bytes` bytes. */
const ranged = (
  c: AppContext,
  content: {
    readonly bytes: number
    readonly part: (first: number, last: number) => ReadableStream
  },
  headers: Readonly<Record<string, string>>,
): Response => {
  const { bytes } = content
  const range = byteRangeOf(c.req.header('range'), bytes)
  if (range === 'unsatisfiable') {
    c.header('content-range', `bytes */${bytes}`)
    return refuse(c, 416, 'range', `There are ${bytes} bytes.`)
  }
  const { first, last } = range === 'whole' ? { first: 0, last: bytes - 1 } : range
  const all = {
    ...headers,
    'accept-ranges': 'bytes',
    'content-length': String(last - first + 1),
    ...(range === 'whole' ? {} : { 'content-range': `bytes ${first}-${last}/${bytes}` }),
  }
  const status = range === 'whole' ? 200 : 206
  // A stream that nobody reads would keep its file open.
  return c.req.method === 'HEAD' ? c.body(null, status, all) : c.body(content.part(first, last), status, all)
}

const goods = (app: Hono<AppEnvironment>, issuer: Issuer): void => {
  const folder = goodsFolder(issuer)
  app.get('/v1/goods/:hash', async (c) => {
    const hash = c.req.param('hash')
    const bytes = await blobBytes(folder, hash)
    if (bytes === undefined) return refuse(c, 404, 'unknownGoods', 'There are no such goods here.')
    return ranged(
      c,
      { bytes, part: (first, last) => streamBlob(folder, hash, { first, last }) },
      { 'content-type': binary, etag: `"${hash}"`, 'cache-control': 'public, max-age=31536000, immutable' },
    )
  })
}

/** How a browser shows goods: text as it stands, and nothing of them runs here as ours. */
const contentHeaders = (mediaType: string, fileName: string): Readonly<Record<string, string>> => ({
  'content-type': mediaType.startsWith('text/') ? 'text/plain; charset=utf-8' : mediaType,
  'content-disposition': `inline; filename="${fileName}"`,
  'cache-control': 'no-store',
  // A sandbox would keep the browser's own PDF viewer from starting.
  'content-security-policy':
    mediaType === 'application/pdf'
      ? "frame-ancestors 'none'"
      : "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; frame-ancestors 'none'",
})

const claims = (app: Hono<AppEnvironment>, issuer: Issuer): void => {
  const { page, files } = readClaimPage()
  const headers = { 'content-security-policy': claimPagePolicy, 'cache-control': 'no-cache' }
  app.get('/c', (c) => c.body(page.text, 200, { ...headers, 'content-type': page.mediaType }))
  app.get('/c/:file', (c) => {
    const file = files.get(c.req.param('file'))
    if (file === undefined) return c.notFound()
    return c.body(file.text, 200, { ...headers, 'content-type': file.mediaType })
  })
  app.post('/v1/claims', limited(smallBodyBytesMax), async (c) => {
    const prefix = new URL(await publicUrlOf(issuer)).pathname.replace(/\/$/, '')
    const result = await collectClaim(issuer, await bodyBytes(c), `${prefix}/v1/claims/content`)
    if (result.outcome === 'collected') return c.json(result.answer, 200, { 'cache-control': 'no-store' })
    return refuse(c, claimStatus(result.reason), result.reason, result.sentence)
  })
  app.get('/v1/claims/content/:ticket', async (c) => {
    const content = await contentByTicket(issuer, c.req.param('ticket'))
    if (content === undefined)
      return refuse(c, 404, 'unknownContent', 'This address is used up after 15 minutes: open your receipt again.')
    return ranged(
      c,
      {
        bytes: content.bytes.length,
        part: (first, last) => streamBytes(content.bytes, { first, last }),
      },
      contentHeaders(content.mediaType, content.fileName),
    )
  })
}

/** What may be logged of an error: never the request, whose address may be a ticket and whose body holds proofs. */
const errorFacts = (error: Error) => ({
  name: error.name,
  message: error.message,
  ...('code' in error ? { code: error.code } : {}),
  stack: error.stack,
})

export interface AppOptions {
  readonly log: Logger
  /** Absent: all. */
  readonly consoleRoutes?: readonly ConsoleRoute[]
  /** A JSON answer that is not of its route's shape is an error: for tests. */
  readonly strict?: boolean
  /** Whoever has it may read the metrics from another machine. */
  readonly metricsToken?: string
}

/** The routes over one issuer. */
export const createApp = (issuer: Issuer, options: AppOptions): Hono<AppEnvironment> => {
  const app = new Hono<AppEnvironment>()
  const metrics = createMetrics(issuer)
  const routes = options.consoleRoutes ?? consoleRoutes
  app.use(timed(metrics))
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      xFrameOptions: 'DENY',
      // The TLS proxy's to say: it knows whether all of its host speaks TLS.
      strictTransportSecurity: false,
      overwrite: false,
    }),
  )
  // What says nothing of it may be kept: a refusal (404) by whoever sits between, until it is none any more (RFC 9111, 4.2.2).
  app.use(async (c, next) => {
    await next()
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
  })
  enrolments(app, issuer)
  documents(app, issuer, options.log)
  inquiries(app, issuer)
  publications(app, issuer)
  hotlist(app, issuer)
  goods(app, issuer)
  claims(app, issuer)
  app.route('/t', ticketPage(issuer))
  const warn = options.log.warn.bind(options.log)
  app.route(
    apiPath,
    consoleApi(issuer, routes, {
      strict: options.strict === true,
      warn,
      noteStoreError: metrics.noteStoreError,
    }),
  )
  app.get('/console', (c) => c.redirect('/console/'))
  app.route('/console', consoleFiles())
  operationRoutes(app, issuer, { metrics, metricsToken: options.metricsToken, routes })
  app.notFound((c) => refuse(c, 404, 'notFound', 'There is nothing at this address.'))
  app.onError((error, c) => {
    // The peer went away, or was too slow, in the middle of its body.
    if (c.req.raw.signal.aborted) return refuse(c, 400, 'incomplete', 'The request ended before its end.')
    options.log.error({ method: c.req.method, route: c.req.routePath, error: errorFacts(error) }, 'request failed')
    if (error instanceof IssuerError && error.code.startsWith('store')) {
      metrics.noteStoreError(error.code)
      // The store's own sentence names its address: that is for the log.
      const message = 'The issuer’s store does not answer now: its log says why. Nothing was lost; try again later.'
      return outage(c, { code: error.code, message })
    }
    return refuse(c, 500, 'internal', 'The issuer could not do this: its log says why. Nothing was lost; try again.')
  })
  return app
}

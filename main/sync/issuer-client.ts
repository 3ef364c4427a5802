/**
 * The issuer over HTTP: bytes there and back, with limits on time and size (PROTOCOL.md, HTTP).
 * It believes nothing: every document that matters is authenticated by whoever asked for it.
 */
import * as v from 'valibot'
import type { LedgerStand } from '../../db/ledger.ts'
import { acknowledgementBytesMax } from '../../protocol/acknowledgement.ts'
import { newsBytesMax } from '../../protocol/bulletin.ts'
import { hotlistPageBytesMax } from '../../protocol/hotlist.ts'
import { inquiryAnswerBytesMax } from '../../protocol/inquiry.ts'
import { journalAnswerLength } from '../../protocol/journal.ts'
import { loadAnswerLength } from '../../protocol/load.ts'
import { successionsBytesMax } from '../../protocol/succession.ts'

/** The issuer cannot be reached, or something in between answered for it. Try again later. */
export class IssuerUnreachable extends Error {
  override readonly name = 'IssuerUnreachable'
}

/** More came than was asked for: nothing that this issuer keeps has that name and size. */
export class AnswerTooLarge extends IssuerUnreachable {}

/** The issuer answered and said no; the sentence is its own. */
export class IssuerRefused extends Error {
  override readonly name = 'IssuerRefused'
  readonly status: number
  constructor(status: number, sentence: string) {
    super(sentence)
    this.status = status
  }
}

const refusalSchema = v.object({ sentence: v.pipe(v.string(), v.maxLength(500)) })
const healthSchema = v.object({ status: v.literal('ok') })
const refusalBytesMax = 64 * 1024
const enrolmentBytesMax = 64 * 1024
const healthBytesMax = 1024

export type IssuerClient = ReturnType<typeof connectIssuer>

/** How slow the line may be. */
export interface Pace {
  /** So long may nothing come at all. */
  readonly silenceMs: number
  /** Besides, what was sent and what has come so far must keep up with this. */
  readonly bytesPerSecondMin: number
}

/**
 * A limit on the whole time would shut out a slow line for ever; one on silence alone would let a drip hold the queue up
 * for days. (How much of a request has left, fetch does not tell: the system takes a whole batch at once.)
 */
const mobileLine: Pace = { silenceMs: 30_000, bytesPerSecondMin: 2000 }
const reachableMsMax = 3_000

/** Aborts what falls behind the pace. */
const watchPace = (pace: Pace, requestBytes: number) => {
  const tooSlow = new AbortController()
  const begunMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const allowUntil = (deadlineMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => tooSlow.abort(), Math.max(0, deadlineMs - performance.now()))
  }
  const keptUpMs = (bytes: number) => begunMs + pace.silenceMs + (bytes / pace.bytesPerSecondMin) * 1000
  allowUntil(keptUpMs(requestBytes))
  return {
    signal: tooSlow.signal,
    received(bytes: number): void {
      allowUntil(Math.min(keptUpMs(requestBytes + bytes), performance.now() + pace.silenceMs))
    },
    stop: () => clearTimeout(timer),
  }
}

/** @throws IssuerUnreachable when the body ends early or is larger than any document */
const readBody = async (
  response: Response,
  given: { readonly bytesMax: number; readonly onBytes: (length: number) => void },
): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > given.bytesMax) throw new AnswerTooLarge(`the answer is larger than ${given.bytesMax} bytes`)
    given.onBytes(length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

interface IssuerRequest extends RequestInit {
  readonly body?: Uint8Array<ArrayBuffer> | string
  readonly bytesMax: number
}

/** @param issuerUrl such as https://issuer.example; plain http is for loopback only */
export const connectIssuer = (
  issuerUrl: string,
  options: { readonly fetch?: typeof fetch; readonly pace?: Pace } = {},
) => {
  const base = issuerUrl.replace(/\/+$/, '')
  const send = options.fetch ?? fetch

  const exchange = async (path: string, { bytesMax, ...init }: IssuerRequest): Promise<[Response, Uint8Array]> => {
    const pace = watchPace(options.pace ?? mobileLine, init.body?.length ?? 0)
    try {
      const response = await send(`${base}${path}`, {
        ...init,
        headers: { ...init.headers, 'accept-encoding': 'identity' },
        redirect: 'error',
        signal: AbortSignal.any([pace.signal, ...(init.signal ? [init.signal] : [])]),
      })
      // Nobody asked for compression: what a few bytes unfold to is not read.
      if ((response.headers.get('content-encoding') ?? 'identity') !== 'identity') {
        await response.body?.cancel()
        throw new IssuerUnreachable(`What answers at ${base} is not an issuer.`)
      }
      const body = await readBody(response, {
        bytesMax: response.ok ? bytesMax : refusalBytesMax,
        onBytes: pace.received,
      })
      return [response, body]
    } catch (cause) {
      if (cause instanceof IssuerUnreachable) throw cause
      const why = pace.signal.aborted ? 'is too slow or silent' : 'cannot be reached'
      throw new IssuerUnreachable(`The issuer at ${base} ${why}.`, { cause })
    } finally {
      pace.stop()
    }
  }

  const request = async (path: string, init: IssuerRequest): Promise<Uint8Array> => {
    const [response, body] = await exchange(path, init)
    if (response.ok) return body
    const refusal = v.safeParse(v.pipe(v.string(), v.parseJson(), refusalSchema), Buffer.from(body).toString('utf8'))
    if (refusal.success && response.status < 500) throw new IssuerRefused(response.status, refusal.output.sentence)
    throw new IssuerUnreachable(`The issuer at ${base} answered with HTTP ${response.status}.`)
  }

  const parseJson = (body: Uint8Array): unknown => {
    try {
      return JSON.parse(Buffer.from(body).toString('utf8'))
    } catch (cause) {
      throw new IssuerUnreachable(`What answers at ${base} is not an issuer.`, { cause })
    }
  }

  const post = (path: string, document: Uint8Array, answer: { bytesMax: number; signal?: AbortSignal | undefined }) =>
    request(path, {
      method: 'POST',
      bytesMax: answer.bytesMax,
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(document),
      ...(answer.signal === undefined ? {} : { signal: answer.signal }),
    })
  const get = (path: string, answer: { bytesMax: number; signal?: AbortSignal | undefined }) =>
    request(path, { bytesMax: answer.bytesMax, ...(answer.signal === undefined ? {} : { signal: answer.signal }) })

  return {
    url: base,
    /** Whether an issuer answers now; a login page is none. */
    async reachable(): Promise<boolean> {
      try {
        const signal = AbortSignal.timeout(reachableMsMax)
        return v.is(healthSchema, parseJson(await get('/health', { bytesMax: healthBytesMax, signal })))
      } catch {
        return false
      }
    },
    /** @param ledger the one that this terminal kept @returns the answer's JSON, not yet checked */
    async enrol(code: string, ledger?: LedgerStand): Promise<unknown> {
      const body = await request('/v1/enrolments', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code, ledger }),
        bytesMax: enrolmentBytesMax,
      })
      return parseJson(body)
    },
    /** @returns an acknowledgement's bytes, not yet checked */
    sendBatch: (batch: Uint8Array, signal?: AbortSignal) =>
      post('/v1/batches', batch, { bytesMax: acknowledgementBytesMax, signal }),
    /** @returns a journal answer's bytes, not yet checked */
    sendJournal: (journal: Uint8Array, signal?: AbortSignal) =>
      post('/v1/journals', journal, { bytesMax: journalAnswerLength, signal }),
    /** @returns an inquiry answer's bytes, not yet checked: main/inquiry.ts asks and checks */
    askVoucher: (inquiry: Uint8Array) => post('/v1/vouchers', inquiry, { bytesMax: inquiryAnswerBytesMax }),
    askCredits: (inquiry: Uint8Array) => post('/v1/credits', inquiry, { bytesMax: inquiryAnswerBytesMax }),
    /** @returns a load answer's bytes, not yet checked */
    sendLoad: (load: Uint8Array) => post('/v1/loads', load, { bytesMax: loadAnswerLength }),
    /** @returns the certificates of the bulletin's signing keys, one after the other; none from an issuer that never rotated */
    successions: (signal?: AbortSignal) => get('/v1/successions', { bytesMax: successionsBytesMax, signal }),
    bulletin: (signal?: AbortSignal) => get('/v1/bulletin', { bytesMax: newsBytesMax, signal }),
    keyring: (terminalId: string, signal?: AbortSignal) =>
      get(`/v1/keyrings/${terminalId}`, { bytesMax: newsBytesMax, signal }),
    /** @returns entries of that log from the one after `after`, not yet checked */
    hotlist: (place: { readonly generation: number; readonly after: number }, signal?: AbortSignal) =>
      get(`/v1/hotlist?generation=${place.generation}&after=${place.after}`, {
        bytesMax: hotlistPageBytesMax,
        signal,
      }),
    /** @returns the encrypted blob */
    goods: (contentHash: string, bytesMax: number, signal?: AbortSignal) =>
      get(`/v1/goods/${contentHash}`, { bytesMax, signal }),
  }
}

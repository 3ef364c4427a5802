/**
 * The issuer over HTTP: bytes there and back, with limits on time and size (PROTOCOL.md, HTTP).
 * It believes nothing: every document that matters is authenticated by whoever asked for it.
 */
import * as v from 'valibot'
import type { LedgerStand } from '../../db/ledger.ts'

/** The issuer cannot be reached, or something in between answered for it. Try again later. */
export class IssuerUnreachable extends Error {
  override readonly name = 'IssuerUnreachable'
}

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
const answerBytesMax = 80 * 1024 * 1024
const refusalBytesMax = 64 * 1024

export type IssuerClient = ReturnType<typeof connectIssuer>

const requestTimeoutMs = 30_000
const reachableMsMax = 3_000

/** @throws IssuerUnreachable when the body ends early or is larger than any document */
const readBody = async (response: Response, bytesMax: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > bytesMax) throw new IssuerUnreachable(`the answer is larger than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @param issuerUrl such as https://issuer.example; plain http is for loopback only */
export const connectIssuer = (issuerUrl: string, options: { readonly fetch?: typeof fetch } = {}) => {
  const base = issuerUrl.replace(/\/+$/, '')
  const send = options.fetch ?? fetch

  const request = async (path: string, init: RequestInit & { bytesMax?: number } = {}): Promise<Uint8Array> => {
    let response: Response
    let body: Uint8Array
    try {
      response = await send(`${base}${path}`, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(requestTimeoutMs), ...(init.signal ? [init.signal] : [])]),
      })
      body = await readBody(response, response.ok ? (init.bytesMax ?? answerBytesMax) : refusalBytesMax)
    } catch (cause) {
      if (cause instanceof IssuerUnreachable) throw cause
      throw new IssuerUnreachable(`The issuer at ${base} cannot be reached.`, { cause })
    }
    if (response.ok) return body
    const refusal = v.safeParse(v.pipe(v.string(), v.parseJson(), refusalSchema), Buffer.from(body).toString('utf8'))
    if (refusal.success && response.status < 500) throw new IssuerRefused(response.status, refusal.output.sentence)
    throw new IssuerUnreachable(`The issuer at ${base} answered with HTTP ${response.status}.`)
  }

  const post = (path: string, document: Uint8Array, signal?: AbortSignal) =>
    request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(document),
      ...(signal === undefined ? {} : { signal }),
    })

  return {
    url: base,
    /** Whether an issuer answers now. */
    async reachable(): Promise<boolean> {
      try {
        await request('/health', { signal: AbortSignal.timeout(reachableMsMax) })
        return true
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
      })
      try {
        return JSON.parse(Buffer.from(body).toString('utf8'))
      } catch (cause) {
        throw new IssuerUnreachable(`What answers at ${base} is not an issuer.`, { cause })
      }
    },
    /** @returns an acknowledgement's bytes, not yet checked */
    sendBatch: (batch: Uint8Array, signal?: AbortSignal) => post('/v1/batches', batch, signal),
    /** @returns a load answer's bytes, not yet checked */
    sendLoad: (load: Uint8Array) => post('/v1/loads', load),
    bulletin: (signal?: AbortSignal) => request('/v1/bulletin', signal === undefined ? {} : { signal }),
    keyring: (terminalId: string, signal?: AbortSignal) =>
      request(`/v1/keyrings/${terminalId}`, signal === undefined ? {} : { signal }),
    /** @returns the encrypted blob */
    goods: (contentHash: string, bytesMax: number, signal?: AbortSignal) =>
      request(`/v1/goods/${contentHash}`, { bytesMax, ...(signal === undefined ? {} : { signal }) }),
  }
}

/**
 * Terminals that send what they have until it is acknowledged: in any order, to either server or to both at the same moment, with
 * connections cut in the middle, and again what was acknowledged already.
 */
import { request } from 'node:http'
import type { Chance } from '../../simulate/chance.ts'
import type { ServerProcess } from './processes.ts'
import type { Document } from './town.ts'

const routes = { batch: '/v1/batches', load: '/v1/loads', claim: '/v1/claims' } as const
const answerTimeoutMs = 20_000
const pauseMs = 10
const triesMax = 5000

export interface Answer {
  readonly status: number
  readonly bytes: Buffer
}

/** What cuts a request short: it may have been taken all the same. */
interface Cut {
  readonly at: 'body' | 'answer'
  readonly afterMs: number
}

/** @returns undefined: there was no whole answer */
const post = (url: string, { kind, bytes }: Document, cut?: Cut): Promise<Answer | undefined> =>
  new Promise((resolve) => {
    const asked = request(`${url}${routes[kind]}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'content-length': bytes.length },
      timeout: answerTimeoutMs,
    })
    const lose = () => {
      asked.destroy()
      resolve(undefined)
    }
    asked.on('error', lose)
    asked.on('timeout', lose)
    asked.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', lose)
      response.on('aborted', lose)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(parts) }))
    })
    if (cut?.at === 'body') {
      asked.write(bytes.subarray(0, bytes.length >>> 1))
      setTimeout(lose, cut.afterMs)
      return
    }
    asked.end(bytes)
    if (cut !== undefined) setTimeout(lose, cut.afterMs)
  })

export class Traffic {
  /** The first answer to each document. */
  readonly answers = new Map<Document, Answer>()
  readonly problems: string[] = []
  readonly #servers: readonly ServerProcess[]
  sent = 0
  cut = 0
  repeated = 0

  constructor(servers: readonly ServerProcess[]) {
    this.#servers = servers
  }

  /** Everything of one terminal. */
  async drain(documents: readonly Document[], chance: Chance): Promise<void> {
    const left = new Set(documents.filter((document) => !this.answers.has(document)))
    for (let tries = 0; left.size > 0; tries += 1) {
      if (tries === triesMax) throw new Error(`${[...left][0]?.name} is never acknowledged`)
      const ready = [...left].filter(({ after }) => after.every((document) => this.answers.has(document)))
      const known = documents.filter((document) => !left.has(document))
      if (ready.length === 0) await pause()
      else {
        const document = chance.pick(ready)
        await this.#try(document, chance)
        if (this.answers.has(document)) left.delete(document)
      }
      if (known.length > 0 && chance.hit(0.3)) {
        this.repeated += 1
        await this.#try(chance.pick(known), chance)
      }
    }
  }

  /**
   * All at the same moment, whoever they are from, as when the network is back in the whole town: with or without an answer. Each goes
   * to one server, so that both book different batches of the same cards, which no unique row keeps apart.
   */
  async rush(documents: readonly Document[], chance: Chance): Promise<void> {
    await Promise.all(documents.map((document) => this.#try(document, chance, [chance.pick(this.#servers)])))
  }

  /** To each server, until both have answered. */
  async confirm(document: Document): Promise<void> {
    for (const server of this.#servers)
      for (let tries = 0; ; tries += 1) {
        if (tries === triesMax) throw new Error(`${document.name} is never answered`)
        const answer = await post(server.url, document)
        if (answer !== undefined && this.#take(document, answer)) break
        await pause()
      }
  }

  async #try(
    document: Document,
    chance: Chance,
    servers = chance.hit(0.5) ? this.#servers : [chance.pick(this.#servers)],
  ): Promise<void> {
    const asked = servers.map((server) => {
      this.sent += 1
      const cut: Cut | undefined = chance.hit(0.2)
        ? { at: chance.hit(0.3) ? 'body' : 'answer', afterMs: chance.below(60) }
        : undefined
      if (cut !== undefined) this.cut += 1
      return post(server.url, document, cut)
    })
    const answers = await Promise.all(asked)
    for (const answer of answers) if (answer !== undefined) this.#take(document, answer)
    if (answers.every((answer) => answer === undefined)) await pause()
  }

  /** @returns whether it is an answer, and no trouble of the server's own */
  #take(document: Document, answer: Answer): boolean {
    if (answer.status >= 500) return false
    const first = this.answers.get(document)
    if (answer.status !== 200) this.problems.push(`${document.name}: ${answer.status} ${answer.bytes.toString()}`)
    else if (first === undefined) this.answers.set(document, answer)
    // A claim is answered with a new ticket each time.
    else if (document.kind !== 'claim' && !first.bytes.equals(answer.bytes))
      this.problems.push(`${document.name}: two answers`)
    return true
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs))

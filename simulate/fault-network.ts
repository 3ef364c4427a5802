/** The way between terminal and issuer, with its faults: what stands in for `fetch`. */
import type { Bank } from './bank.ts'
import type { NetworkFault } from './faults.ts'
import type { Life } from './mortal.ts'

/** What older requests it has seen, for replays: the newest of them. */
const rememberedMax = 20

export class Network {
  readonly #bank: Bank
  readonly #seen: { readonly url: string; readonly init: RequestInit }[] = []
  readonly #onBatch: (bytes: Uint8Array) => void

  /** @param onBatch a batch is on the wire: the auditor listens */
  constructor(bank: Bank, onBatch: (bytes: Uint8Array) => void) {
    this.#bank = bank
    this.#onBatch = onBatch
  }

  /** The `fetch` of one talk with the issuer. */
  fetchWith(given: {
    readonly fault: NetworkFault | undefined
    readonly life: Life
    readonly onFault: (what: string) => void
  }): typeof fetch {
    let requests = 0
    return async (input, init = {}) => {
      given.life.requireAlive()
      requests += 1
      const url = String(input)
      if (url.endsWith('/v1/batches') && init.body instanceof Uint8Array) this.#onBatch(init.body)
      const { signal: _own, ...request } = init
      if (given.fault?.request !== requests) return this.#deliver(url, request)
      given.onFault(given.fault.what)
      return this.#meet(given.fault.what, { url, init: request }, given.life)
    }
  }

  #deliver(url: string, init: RequestInit): Promise<Response> {
    if (init.method === 'POST' && !url.endsWith('/v1/enrolments')) {
      this.#seen.push({ url, init })
      if (this.#seen.length > rememberedMax) this.#seen.shift()
    }
    return this.#bank.answer(url, init)
  }

  async #meet(
    what: NetworkFault['what'],
    { url, init }: { readonly url: string; readonly init: RequestInit },
    life: Life,
  ): Promise<Response> {
    const page = () => new Response('<html><body>Welcome to our Wi-Fi</body></html>', { status: 200 })
    switch (what) {
      case 'down':
        throw new TypeError('fetch failed')
      case 'html':
        return page()
      case 'htmlAfter':
        await this.#deliver(url, init)
        return page()
      case 'answerLost':
        await this.#deliver(url, init)
        throw new TypeError('fetch failed')
      case 'bodyCut': {
        const answer = new Uint8Array(await (await this.#deliver(url, init)).arrayBuffer())
        return new Response(answer.slice(0, answer.length >> 1), { status: 200 })
      }
      case 'duplicate':
        await this.#deliver(url, init)
        return this.#deliver(url, init)
      case 'oldReplayed': {
        for (const old of this.#seen.slice(-3)) await this.#bank.answer(old.url, old.init)
        return this.#deliver(url, init)
      }
      case 'issuerDies': {
        this.#bank.dieInTheMiddle()
        const answer = await this.#deliver(url, init)
        await this.#bank.restart()
        return answer
      }
      case 'issuerRestarts':
        await this.#deliver(url, init)
        await this.#bank.restart()
        throw new TypeError('fetch failed')
      case 'dieBefore':
        return life.die('before a request')
      case 'dieAfter':
        await this.#deliver(url, init)
        return life.die('after a request')
    }
  }
}

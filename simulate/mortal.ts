/**
 * A process that can die: at a durable step of its ledger, at an APDU, at a request. Once dead, nothing that it still runs
 * (a `finally`, a `catch`) reaches card, disk or network any more. Its disk can fail, too.
 */
import type { Hotlist } from '../db/hotlist.ts'
import type { Ledger } from '../db/ledger.ts'
import { LedgerFault } from '../db/open.ts'
import type { Terminal } from '../main/terminal.ts'
import type { LedgerFaultAt } from './faults.ts'

export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

/** Every method of the ledger that is a durable commit of a flow. */
const durable: ReadonlySet<PropertyKey> = new Set<keyof Ledger>([
  'writeIntent',
  'capture',
  'writeVoids',
  'writeAbandoned',
  'markReleased',
  'markOwed',
  'writeWitness',
  'writeAlarm',
  'cutBatch',
  'storeAnswer',
  'storeDocument',
])

const diskFault = (): LedgerFault => new LedgerFault('storage', 'the simulated disk failed')

export class Life {
  #dead = false
  #diskGone = false
  #steps = 0
  readonly #fault: LedgerFaultAt | undefined
  readonly #onFault: (how: string) => void

  constructor(fault: LedgerFaultAt | undefined, onFault: (how: string) => void) {
    this.#fault = fault
    this.#onFault = onFault
  }

  get dead(): boolean {
    return this.#dead
  }
  /** Whether the process has to be started again, at the latest after this work. */
  get over(): boolean {
    return this.#dead || this.#diskGone
  }

  requireAlive(): void {
    if (this.#dead) throw new ProcessDied('the process is dead')
  }

  die(how: string): never {
    if (!this.#dead) this.#onFault(`dies ${how}`)
    this.#dead = true
    throw new ProcessDied(how)
  }

  /** One durable step: dies before it, after it, fails, or not. */
  step<Result>(name: string, work: () => Result): Result {
    this.requireAlive()
    if (this.#diskGone) throw diskFault()
    this.#steps += 1
    const what = this.#fault?.step === this.#steps ? this.#fault.what : undefined
    switch (what) {
      case 'dieBefore':
        return this.die(`before ${name}`)
      case 'diskFull':
        this.#onFault(`disk full at ${name}`)
        throw diskFault()
      case 'dieAfter':
        work()
        return this.die(`after ${name}`)
      case 'diskFails':
        work()
        this.#diskGone = true
        this.#onFault(`disk fails at ${name}`)
        throw diskFault()
      case undefined:
        return work()
    }
  }
}

const mortalLedger = (ledger: Ledger, life: Life, onAlarm: (detail: string) => void): Ledger =>
  new Proxy(ledger, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        if (key === 'writeAlarm') onAlarm(JSON.stringify(given))
        const call = (): unknown => Reflect.apply(value, target, given)
        if (durable.has(key)) return life.step(String(key), call)
        life.requireAlive()
        return call()
      }
    },
  })

const mortalHotlist = (hotlist: Hotlist, life: Life): Hotlist =>
  new Proxy(hotlist, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(value, target, given)
        if (key === 'append') return life.step('a page of the hotlist', call)
        life.requireAlive()
        return call()
      }
    },
  })

/** The terminal as this life sees it. @param onAlarm hears what is noted for a person */
export const mortal = (terminal: Terminal, life: Life, onAlarm: (detail: string) => void): Terminal => {
  const ledger = mortalLedger(terminal.ledger, life, onAlarm)
  const hotlist = mortalHotlist(terminal.hotlist, life)
  return new Proxy(terminal, {
    get: (target, key) => (key === 'ledger' ? ledger : key === 'hotlist' ? hotlist : Reflect.get(target, key)),
  })
}

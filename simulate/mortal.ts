/**
 * A process that can die: at a durable step of its ledger, at an APDU, at a request. Once dead, nothing that it still runs
 * (a `finally`, a `catch`) reaches card, disk or network any more.
 */
import type { Ledger } from '../db/ledger.ts'
import type { Terminal } from '../main/terminal.ts'
import type { LedgerDeath } from './faults.ts'

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

export class Life {
  #dead = false
  #steps = 0
  readonly #death: LedgerDeath | undefined
  readonly #onDeath: (how: string) => void

  constructor(death: LedgerDeath | undefined, onDeath: (how: string) => void) {
    this.#death = death
    this.#onDeath = onDeath
  }

  get dead(): boolean {
    return this.#dead
  }

  requireAlive(): void {
    if (this.#dead) throw new ProcessDied('the process is dead')
  }

  die(how: string): never {
    if (!this.#dead) this.#onDeath(how)
    this.#dead = true
    throw new ProcessDied(how)
  }

  /** One durable step: dies before it, after it, or not. */
  step<Result>(name: string, work: () => Result): Result {
    this.requireAlive()
    this.#steps += 1
    const dies = this.#death?.step === this.#steps ? this.#death.when : undefined
    if (dies === 'before') this.die(`before ${name}`)
    const result = work()
    if (dies === 'after') this.die(`after ${name}`)
    return result
  }
}

const mortalLedger = (ledger: Ledger, life: Life): Ledger =>
  new Proxy(ledger, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        const call = (): unknown => Reflect.apply(value, target, given)
        if (durable.has(key)) return life.step(String(key), call)
        life.requireAlive()
        return call()
      }
    },
  })

/** The terminal as this life sees it. */
export const mortal = (terminal: Terminal, life: Life): Terminal => {
  const ledger = mortalLedger(terminal.ledger, life)
  return new Proxy(terminal, { get: (target, key) => (key === 'ledger' ? ledger : Reflect.get(target, key)) })
}

/** A terminal of the fleet: its data folder, its clock, and the life of its process. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { ledgerPath } from '../db/open.ts'
import { enrol } from '../main/enrol.ts'
import { connectIssuer, type IssuerClient } from '../main/sync/issuer-client.ts'
import { openTerminal, type Terminal } from '../main/terminal.ts'
import type { TerminalId } from '../protocol/quantities.ts'
import { type Bank, issuerUrl } from './bank.ts'
import { type Chance, chanceOf } from './chance.ts'
import type { Network } from './fault-network.ts'
import type { NetworkFault } from './faults.ts'
import { Life, mortal } from './mortal.ts'
import type { Mishaps } from './workload.ts'

/** What one piece of work at a terminal may use. */
export interface AtWork {
  readonly terminal: Terminal
  readonly client: IssuerClient
  readonly life: Life
}

export class SimTerminal {
  readonly id: TerminalId
  readonly #dataDir: string
  readonly #bank: Bank
  readonly #network: Network
  readonly #clock: () => number
  readonly #chance: Chance
  readonly #onAlarm: (detail: string) => void
  #terminal: Terminal | undefined
  #offSeconds = 0

  constructor(made: {
    id: TerminalId
    folder: string
    bank: Bank
    network: Network
    clock: () => number
    seed: number
    /** Every sentence that the ledger notes for a person. */
    onAlarm: (detail: string) => void
  }) {
    this.id = made.id
    this.#dataDir = path.join(made.folder, made.id)
    this.#bank = made.bank
    this.#network = made.network
    this.#clock = made.clock
    this.#chance = chanceOf(made.seed, 'terminal', made.id)
    this.#onAlarm = made.onAlarm
  }

  get #image(): string {
    return `${this.#dataDir}.image`
  }

  setClock(offSeconds: number): void {
    this.#offSeconds = offSeconds
  }

  get stopped(): boolean {
    return this.#running.ledger.stoppedVerdict !== undefined
  }

  get #running(): Terminal {
    this.#terminal ??= openTerminal(this.#dataDir, {
      clock: () => Math.max(1, this.#clock() + this.#offSeconds),
      randomBytes: (length) => this.#chance.bytes(length),
    })
    return this.#terminal
  }

  /** Power off, or the process dies: nothing more is committed. */
  stop(): void {
    this.#terminal?.close()
    this.#terminal = undefined
  }

  #client(life: Life, fault: NetworkFault | undefined, onFault: (what: string) => void): IssuerClient {
    return connectIssuer(issuerUrl, { fetch: this.#network.fetchWith({ fault, life, onFault }) })
  }

  /** Works until done or dead; a dead process is gone afterwards, and starts again with the next work. */
  async work<Result>(
    mishaps: Mishaps,
    onFault: (group: string, what: string) => void,
    task: (at: AtWork) => Promise<Result>,
  ): Promise<Result | 'died'> {
    const life = new Life(mishaps.ledger, (how) => onFault('process', how))
    const terminal = mortal(this.#running, life, this.#onAlarm)
    const client = this.#client(life, mishaps.network, (what) => onFault('network', what))
    try {
      const result = await task({ terminal, client, life })
      return life.dead ? 'died' : result
    } catch (error) {
      if (life.dead) return 'died'
      throw error
    } finally {
      if (life.over) this.stop()
    }
  }

  /** A technician comes with a code. */
  async enrol(): Promise<void> {
    this.stop()
    const life = new Life(undefined, () => undefined)
    mkdirSync(this.#dataDir, { recursive: true })
    const code = await this.#bank.enrolmentCode(this.id)
    await enrol({ dataDir: this.#dataDir, client: this.#client(life, undefined, () => undefined), code })
  }

  takeImage(): void {
    this.stop()
    copyFileSync(ledgerPath(this.#dataDir), this.#image)
  }

  /** @returns false: there is none */
  restoreImage(): boolean {
    if (!existsSync(this.#image)) return false
    this.stop()
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${ledgerPath(this.#dataDir)}${suffix}`, { force: true })
    copyFileSync(this.#image, ledgerPath(this.#dataDir))
    return true
  }

  loseDisk(): void {
    this.stop()
    rmSync(this.#dataDir, { recursive: true, force: true })
    rmSync(this.#image, { force: true })
  }
}

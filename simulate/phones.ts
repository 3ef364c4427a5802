/** Customers' phones: the claims that they photographed, opened at the issuer; and somebody who alters what he finds. */
import { IssuerRefused, IssuerUnreachable } from '../main/sync/issuer-client.ts'
import type { Terminal } from '../main/terminal.ts'
import { parseClaim } from '../protocol/claim.ts'
import type { Mac } from '../protocol/quantities.ts'
import { encodeRecord } from '../protocol/record.ts'
import type { Auditor } from './auditor.ts'
import { type Bank, issuerUrl } from './bank.ts'
import { withBitFlipped } from './fault-channel.ts'
import type { Figures } from './figures.ts'
import { demand } from './violation.ts'

export const isNoAnswer = (error: unknown): error is Error =>
  error instanceof IssuerUnreachable || error instanceof IssuerRefused

export class Phones {
  readonly #bank: Bank
  readonly #auditor: Auditor
  readonly #figures: Figures
  #claims: Uint8Array[] = []

  constructor(parts: { bank: Bank; auditor: Auditor; figures: Figures }) {
    this.#bank = parts.bank
    this.#auditor = parts.auditor
    this.#figures = parts.figures
  }

  photograph(
    terminal: Terminal,
    payment: { readonly record: Uint8Array; readonly settlementMac: Mac | undefined },
  ): void {
    if (payment.settlementMac === undefined) return
    const { url } = terminal.claimUrl(payment.record, payment.settlementMac)
    this.#claims.push(new Uint8Array(Buffer.from(url.slice(url.indexOf('#') + 1), 'base64url')))
  }

  #claim(order: number): Uint8Array | undefined {
    return this.#claims[order % Math.max(1, this.#claims.length)]
  }

  async #download(address: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#bank.answer(`${issuerUrl}${address}`, {})).arrayBuffer())
  }

  async open(order: number): Promise<void> {
    const claim = this.#claim(order)
    if (claim === undefined) return
    const response = await this.#bank.post('/v1/claims', claim)
    const answer: unknown = await response.json()
    const { record } = parseClaim(claim)
    const told = Object.fromEntries(typeof answer === 'object' && answer !== null ? Object.entries(answer) : [])
    if (!response.ok) return this.#auditor.claimRefused(record, String(told.error))
    this.#auditor.handed({
      by: 'phone',
      record: encodeRecord(record),
      itemJson: await this.#bank.itemJson(record.order.itemHash),
      ...(typeof told.code === 'string' ? { code: told.code } : {}),
      ...(typeof told.contentUrl === 'string' ? { content: await this.#download(told.contentUrl) } : {}),
    })
  }

  /** Once more, all that were photographed until now. */
  async openAll(): Promise<void> {
    for (let at = 0; at < this.#claims.length; at += 1) await this.open(at)
    this.#claims = []
  }

  /** One bit of a claim is changed; the issuer must see it. */
  async forge(order: number, dice: number): Promise<void> {
    const claim = this.#claim(order)
    if (claim === undefined) return
    this.#figures.count('fault, adversary', 'a claim with one bit changed')
    const { status } = await this.#bank.post('/v1/claims', withBitFlipped(claim, dice))
    demand('I3', status >= 400 && status < 500, () => `a forged claim was answered with ${status}`)
  }

  /** A batch as the rogue merchant sends it: it is answered or refused, and never breaks anything. */
  async sendRogueBatch(bytes: Uint8Array): Promise<void> {
    this.#figures.count('fault, adversary', "a rogue merchant's batch")
    const { status } = await this.#bank.post('/v1/batches', bytes)
    demand('crash', status < 500, () => `a rogue's batch was answered with ${status}`)
  }
}

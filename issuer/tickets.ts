/**
 * Tickets that prove themselves (PROTOCOL.md, Tickets): the issuer signs each one when it is added to the catalogue, and whoever
 * has the public keys checks it at the door, with nobody on the line.
 */
import { toHex, u32Max } from '../protocol/bytes.ts'
import { unixTime } from '../protocol/quantities.ts'
import { encodeTicket, ticketEvent, ticketNumberLength } from '../protocol/ticket.ts'
import { IssuerError } from './errors.ts'
import type { Issuer } from './issuer.ts'

/** All that are added at once are one transaction, for which other writers wait. */
export const unitsAtOnceMax = 20_000

export interface NewTickets {
  readonly count: number
  /** UNIX seconds, the first in which they are good; absent: from now on. */
  readonly validFrom?: number
  /** UNIX seconds, the last in which they are good; absent: without end. */
  readonly validUntil?: number
}

/** @returns codes, one a ticket @throws IssuerError `input` */
export const makeTickets = (issuer: Issuer, itemId: string, tickets: NewTickets): readonly string[] => {
  const { count, validFrom = issuer.clock(), validUntil = u32Max } = tickets
  if (!Number.isInteger(count) || count < 1 || count > unitsAtOnceMax)
    throw new IssuerError('input', `Tickets are made 1 to ${unitsAtOnceMax} at a time.`)
  if (!(validFrom >= 0 && validUntil <= u32Max && validFrom <= validUntil))
    throw new IssuerError('input', 'Tickets end after they begin, and before the year 2106.')
  if (validUntil < issuer.clock())
    throw new IssuerError('input', 'These tickets would have ended already: give a later end.')
  const event = ticketEvent(itemId)
  const { signing } = issuer.keys
  return Array.from({ length: count }, () =>
    encodeTicket(
      {
        event,
        number: toHex(issuer.randomBytes(ticketNumberLength)),
        validFrom: unixTime(validFrom),
        validUntil: unixTime(validUntil),
      },
      signing,
    ),
  )
}

/** The public keys that a checker needs, by version: what `farthing ticket keys` exports and the ticket page fetches. */
export interface TicketKeys {
  readonly v: 1
  readonly keys: readonly { readonly version: number; readonly publicKey: string }[]
}

export const ticketKeys = (keys: ReadonlyMap<number, Uint8Array>): TicketKeys => ({
  v: 1,
  keys: [...keys].map(([version, publicKey]) => ({ version, publicKey: toHex(publicKey) })),
})

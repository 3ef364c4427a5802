/** The issuer's public keys and the tickets on sale, fetched where there is a network and kept for when there is none. */
import * as v from 'valibot'
import { fromHex } from '../../protocol/bytes.ts'
import { type TicketVerifier, ticketVerifier } from '../../protocol/ticket.ts'

const place = 'farthing-door-keys'

const keysSchema = v.object({
  keys: v.array(v.object({ version: v.number(), publicKey: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) })),
  events: v.array(v.object({ id: v.string(), title: v.record(v.string(), v.string()) })),
})
const keptSchema = v.object({ ...keysSchema.entries, fetchedAt: v.number() })
export type DoorKeys = v.InferOutput<typeof keptSchema>

/** What was fetched last; undefined: nothing yet. */
export const keptKeys = (): DoorKeys | undefined => {
  try {
    const kept = v.safeParse(keptSchema, JSON.parse(localStorage.getItem(place) ?? ''))
    return kept.success ? kept.output : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined where the issuer cannot be reached */
export const fetchKeys = async (now: number): Promise<DoorKeys | undefined> => {
  try {
    const answer = await fetch('keys.json', { cache: 'no-store' })
    const keys = v.parse(keysSchema, await answer.json())
    const kept = { ...keys, fetchedAt: now }
    localStorage.setItem(place, JSON.stringify(kept))
    return kept
  } catch {
    return undefined
  }
}

export const verifiersOf = ({ keys }: DoorKeys): ReadonlyMap<number, TicketVerifier> =>
  new Map(keys.map(({ version, publicKey }) => [version, ticketVerifier(fromHex(publicKey, 32))]))

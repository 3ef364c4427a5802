/** `farthing ticket ...`: tickets checked at a door, with nobody on the line (PROTOCOL.md, Tickets). */
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import * as v from 'valibot'
import { ticketKeys } from '../issuer/tickets.ts'
import { readIdentity } from '../main/identity.ts'
import { fromHex } from '../protocol/bytes.ts'
import { itemIdSchema } from '../protocol/item.ts'
import { judgeTicket, type TicketVerdict, type TicketVerifier, ticketNumber } from '../protocol/ticket.ts'
import { collect } from './arguments.ts'
import { withIssuer } from './issuer.ts'
import { CliError, exitStatus, line, note, shown, wantsJson } from './output.ts'
import { openUsedTickets, type UsedTickets } from './used-tickets.ts'

const keysSchema = v.object({
  v: v.literal(1),
  keys: v.pipe(
    v.array(
      v.object({
        version: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
        publicKey: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      }),
    ),
    v.minLength(1),
  ),
})

interface KeySource {
  readonly keys?: string
  readonly store?: string
  readonly data?: string
}

const keysIn = (file: string): ReadonlyMap<number, Uint8Array> => {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new CliError(exitStatus.usage, `${file} is not a readable file of keys: make it with "farthing ticket keys".`)
  }
  const shape = v.safeParse(keysSchema, value)
  if (!shape.success)
    throw new CliError(exitStatus.usage, `${file} holds no ticket keys: make it anew with "farthing ticket keys".`)
  return new Map(shape.output.keys.map(({ version, publicKey }) => [version, fromHex(publicKey, 32)]))
}

/** @throws CliError `usage` unless one place is named */
const publicKeys = async ({ keys, store, data }: KeySource): Promise<ReadonlyMap<number, Uint8Array>> => {
  if ([keys, store, data].filter((given) => given !== undefined).length !== 1)
    throw new CliError(
      exitStatus.usage,
      'Say where the public keys are: --keys FILE, --store URL or --data DIR, one of them.',
    )
  if (keys !== undefined) return keysIn(keys)
  if (store !== undefined) return withIssuer(store, async (issuer) => issuer.keys.signingPublicKeys)
  const identity = readIdentity(data ?? '')
  if (identity === undefined)
    throw new CliError(exitStatus.usage, `There is no terminal in ${data}: enrol it first, or give --keys FILE.`)
  return identity.bulletinPublicKeys
}

/** What an SPKI has before an Ed25519 key (RFC 8410). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex')

/** As `ticketVerifier`, ten times as fast. */
const nativeVerifier = (publicKey: Uint8Array): TicketVerifier => {
  const key = createPublicKey({ key: Buffer.concat([spkiHead, publicKey]), format: 'der', type: 'spki' })
  return (signature, signed) => verify(null, signed, key, signature)
}

/** What a person at the door is told. */
export interface CheckedTicket {
  readonly outcome: 'accepted' | 'used' | Exclude<TicketVerdict['outcome'], 'good'>
  readonly sentence: string
  readonly event?: string
  readonly number?: string
  /** When it was let in, now or before: ISO 8601 in UTC. */
  readonly usedAt?: string
}

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString()
const clockTime = (seconds: number): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' }).format(seconds * 1000)

const refusalOf = (verdict: Exclude<TicketVerdict, { outcome: 'good' }>): CheckedTicket => {
  const { outcome } = verdict
  const named = (sentence: string) =>
    'ticket' in verdict ? { outcome, sentence, number: ticketNumber(verdict.ticket) } : { outcome, sentence }
  switch (verdict.outcome) {
    case 'unreadable':
      return named('This is not a ticket, or not all of it: scan it again.')
    case 'unknownKey':
      return named(
        `This ticket is signed with a key (version ${verdict.keyVersion}) that is not known here: get the keys again with "farthing ticket keys". Until then it proves nothing.`,
      )
    case 'forged':
      return named('This ticket is not genuine: the issuer did not sign it.')
    case 'otherEvent':
      return named('This ticket is genuine, and for another event.')
    case 'notYetValid':
      return named(`This ticket is not valid before ${clockTime(verdict.ticket.validFrom)}.`)
    case 'expired':
      return named(`This ticket was valid until ${clockTime(verdict.ticket.validUntil)}.`)
  }
}

/** Judges tickets, and takes down those that are let in before anything is said. @param now UNIX seconds */
export const checkTickets = (
  texts: readonly string[],
  door: {
    readonly keys: ReadonlyMap<number, TicketVerifier>
    readonly eventIds: readonly string[]
    readonly used: UsedTickets
    readonly now: number
  },
): readonly CheckedTicket[] => {
  const verdicts = texts.map((text) => judgeTicket(text, door))
  const good = verdicts.filter((verdict) => verdict.outcome === 'good')
  const takenBefore =
    good.length === 0
      ? []
      : door.used.take(
          good.map(({ ticket }) => ticket),
          door.now,
        )
  const usedAtOf = new Map(good.map((verdict, index) => [verdict, takenBefore[index]]))
  return verdicts.map((verdict) => {
    if (verdict.outcome !== 'good') return refusalOf(verdict)
    const usedAt = usedAtOf.get(verdict)
    const facts = { event: verdict.eventId, number: ticketNumber(verdict.ticket) }
    return usedAt === undefined
      ? { outcome: 'accepted', sentence: 'Valid: let in.', ...facts, usedAt: isoTime(door.now) }
      : { outcome: 'used', sentence: `This ticket was used ${clockTime(usedAt)}.`, ...facts, usedAt: isoTime(usedAt) }
  })
}

/** A line longer than this is no ticket, and is not kept in memory to its end. */
const lineLettersMax = 4096

/** The lines of each piece that arrives: a scanner types one, a file brings many at once. */
const lineGroups = async function* (input: AsyncIterable<Buffer | string>): AsyncGenerator<readonly string[]> {
  let rest = ''
  for await (const piece of input) {
    const lines = (rest + String(piece)).split(/[\r\n]+/)
    rest = (lines.pop() ?? '').slice(0, lineLettersMax)
    yield lines.filter((text) => text.trim() !== '')
  }
  if (rest.trim() !== '') yield [rest]
}

const say = (options: { readonly json?: boolean }, checked: CheckedTicket): void => {
  if (wantsJson(options)) {
    line(JSON.stringify(checked))
    return
  }
  const facts = [checked.event, checked.number].filter((fact) => fact !== undefined).join(' ')
  line(
    shown(
      `${checked.outcome === 'accepted' ? 'ACCEPTED' : 'REFUSED '}  ${facts === '' ? '' : `${facts}  `}${checked.sentence}`,
    ),
  )
}

const requireEvents = (events: readonly string[]): void => {
  if (events.length === 0)
    throw new CliError(
      exitStatus.usage,
      'Say which tickets are let in: --event with the article’s id, again for each further one.',
    )
  const wrong = events.find((id) => !v.is(itemIdSchema, id))
  if (wrong !== undefined)
    throw new CliError(exitStatus.usage, `"${wrong}" is no article’s id: "farthing catalogue list" names them.`)
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

export const ticketCommands = (): Command => {
  const ticket = new Command('ticket').description('tickets, checked at a door with no network')

  ticket
    .command('check [codes...]')
    .description('let each ticket in once; without codes, one a line from standard input, as a scanner types them')
    .option('--event <id>', 'whose tickets are let in: the article’s id; again for further ones', collect, [])
    .requiredOption('--used <file>', 'the list of tickets that were let in; checkers on one machine share it')
    .option('--keys <file>', 'the public keys, from "farthing ticket keys"')
    .option('--store <url>', 'or the issuer’s store, where it is on this machine')
    .option('--data <dir>', 'or a terminal’s data folder')
    .action(
      async (
        codes: readonly string[],
        options: KeySource & { readonly event: readonly string[]; readonly used: string; readonly json?: boolean },
      ) => {
        requireEvents(options.event)
        const keys = new Map(
          [...(await publicKeys(options))].map(([version, publicKey]) => [version, nativeVerifier(publicKey)]),
        )
        const used = openUsedTickets(options.used)
        try {
          const check = (texts: readonly string[]): void => {
            for (const checked of checkTickets(texts, { keys, eventIds: options.event, used, now: nowSeconds() })) {
              say(options, checked)
              if (checked.outcome !== 'accepted') process.exitCode = exitStatus.refused
            }
          }
          if (codes.length > 0) {
            check(codes)
            return
          }
          if (process.stdin.isTTY) note('Scan a ticket. Ctrl+D ends.')
          for await (const texts of lineGroups(process.stdin)) check(texts)
        } finally {
          used.close()
        }
      },
    )

  ticket
    .command('keys')
    .description('the public keys that a checker needs, as a file for --keys')
    .option('--store <url>', 'of the issuer’s store')
    .option('--data <dir>', 'or of a terminal’s data folder')
    .action(async (options: KeySource) => line(JSON.stringify(ticketKeys(await publicKeys(options)))))

  return ticket
}

/**
 * What happens in a run, drawn from its seed beforehand: each event carries all of its own chance, so that any part of a
 * plan can be played without the rest, and a violation shrinks to a short trace.
 */
import { type Chance, chanceOf } from './chance.ts'
import {
  type LedgerFaultAt,
  ledgerFaults,
  type NetworkFault,
  networkFaults,
  type ReaderFault,
  readerFaults,
} from './faults.ts'

/** What may go wrong in one touch of the card or one talk with the issuer. */
export interface Mishaps {
  readonly reader?: ReaderFault
  readonly ledger?: LedgerFaultAt
  readonly network?: NetworkFault
}

export type Deed =
  | {
      readonly kind: 'buy'
      readonly terminal: number
      readonly card: number
      readonly item: (typeof itemIds)[number]
      /** A printer must succeed first; `fails` undoes the sale. `dies`: the process, while it prints. */
      readonly printer: 'none' | 'works' | 'fails' | 'dies'
      /** The process dies around the handing over. */
      readonly handOver: 'calm' | 'dieBefore' | 'dieAfter'
      /** After a tear the customer taps again at once. */
      readonly again: boolean
      /** The customer photographs the claim. */
      readonly phone: boolean
    }
  | { readonly kind: 'balance'; readonly terminal: number; readonly card: number }
  | { readonly kind: 'load'; readonly terminal: number; readonly card: number; readonly amountMinor: number }
  | { readonly kind: 'sync'; readonly terminal: number }
  /** Batches go by stick, in any order, and their answers are lost. */
  | { readonly kind: 'courier'; readonly terminal: number; readonly order: number }
  /** A stick is written at the terminal, answered at the issuer's desk, or read at the terminal. `dice`: what happens to it on the way. */
  | {
      readonly kind: 'stickOut' | 'stickDesk' | 'stickBack'
      readonly terminal: number
      readonly dice: number
    }
  | { readonly kind: 'phone'; readonly order: number }
  | { readonly kind: 'clock'; readonly terminal: number; readonly offSeconds: number }
  /** A copy of the ledger is put aside. */
  | { readonly kind: 'image'; readonly terminal: number }
  | { readonly kind: 'restore'; readonly terminal: number }
  | { readonly kind: 'diskLost'; readonly terminal: number }
  | { readonly kind: 'restart'; readonly terminal: number }
  | { readonly kind: 'technician'; readonly terminal: number }
  | { readonly kind: 'hotlist'; readonly card: number }
  /** A card that does not play by the rules; `dice` says which trick. */
  | {
      readonly kind: 'rogueBuy'
      readonly terminal: number
      readonly rogue: number
      readonly item: (typeof itemIds)[number]
      readonly dice: number
      readonly phone: boolean
    }
  | {
      readonly kind: 'rogueLoad'
      readonly terminal: number
      readonly rogue: number
      readonly amountMinor: number
      readonly dice: number
    }
  /** A merchant sends what he likes. */
  | { readonly kind: 'rogueBatch'; readonly dice: number }
  /** Somebody changes a bit of a claim, or of a batch on its way. */
  | { readonly kind: 'forgery'; readonly order: number; readonly dice: number }
  | { readonly kind: 'prices' }
  | { readonly kind: 'codes' }

/** `at`: virtual seconds since the beginning. */
export type Event = { readonly at: number; readonly mishaps: Mishaps } & Deed

export interface Scale {
  readonly seed: number
  readonly days: number
  readonly terminals: number
  readonly cards: number
}

export const itemIds = ['map', 'guide', 'wifi', 'ticket'] as const

/** By terminal and day, where nothing else is said. */
const rates = {
  tapsMin: 4,
  tapsMore: 10,
  offlineDay: 0.2,
  readerFault: 0.25,
  ledgerFault: 0.12,
  networkFault: 0.3,
  courier: 0.1,
  stick: 0.25,
  clock: 0.06,
  image: 0.12,
  restore: 0.02,
  diskLost: 0.015,
  restart: 0.15,
  technician: 0.5,
  rogueTaps: 2,
  /** By day. */
  rogueBatch: 0.3,
  forgery: 0.3,
  hotlist: 0.08,
  prices: 0.1,
  codes: 0.15,
} as const

export const daySeconds = 86_400
const clockErrors = [3600, -3600, 86_400 * 3, -86_400 * 3, 365 * 86_400, -365 * 86_400, 0, 0] as const

const mishapsOf = (chance: Chance): Mishaps => ({
  ...(chance.hit(rates.readerFault)
    ? { reader: { apdu: 1 + chance.below(9), what: chance.pick(readerFaults), dice: chance.below(2 ** 30) } }
    : {}),
  ...(chance.hit(rates.ledgerFault) ? { ledger: { step: 1 + chance.below(5), what: chance.pick(ledgerFaults) } } : {}),
  ...(chance.hit(rates.networkFault)
    ? { network: { request: 1 + chance.below(4), what: chance.pick(networkFaults) } }
    : {}),
})

const tap = (chance: Chance, terminal: number, cards: number): Deed => {
  const card = chance.below(cards)
  const which = chance.fraction()
  if (which < 0.12) return { kind: 'balance', terminal, card }
  if (which < 0.27) return { kind: 'load', terminal, card, amountMinor: 100 * (1 + chance.below(20)) }
  return {
    kind: 'buy',
    terminal,
    card,
    item: chance.pick(itemIds),
    printer: chance.pick(['none', 'none', 'none', 'works', 'fails', 'dies'] as const),
    handOver: chance.hit(0.1) ? chance.pick(['dieBefore', 'dieAfter'] as const) : 'calm',
    again: chance.hit(0.6),
    phone: chance.hit(0.4),
  }
}

const rogueTap = (chance: Chance, terminal: number): Deed => {
  const common = { terminal, rogue: chance.below(2 ** 10), dice: chance.below(2 ** 20) }
  return chance.hit(0.25)
    ? { kind: 'rogueLoad', ...common, amountMinor: 100 * (1 + chance.below(20)) }
    : { kind: 'rogueBuy', ...common, item: chance.pick(itemIds), phone: chance.hit(0.4) }
}

/** One day of one terminal. */
const terminalDay = (scale: Scale, day: number, terminal: number): Event[] => {
  const chance = chanceOf(scale.seed, 'day', day, terminal)
  const events: Event[] = []
  const opens = day * daySeconds + 6 * 3600
  const add = (deed: Deed, mishaps: Mishaps = mishapsOf(chance)) =>
    events.push({ at: opens + chance.below(16 * 3600), mishaps, ...deed })
  for (let taps = rates.tapsMin + chance.below(rates.tapsMore); taps > 0; taps -= 1)
    add(tap(chance, terminal, scale.cards))
  if (!chance.hit(rates.offlineDay))
    for (let syncs = 1 + chance.below(4); syncs > 0; syncs -= 1) add({ kind: 'sync', terminal })
  for (let taps = chance.below(rates.rogueTaps + 1); taps > 0; taps -= 1) add(rogueTap(chance, terminal))
  if (chance.hit(rates.courier)) add({ kind: 'courier', terminal, order: chance.below(2 ** 30) })
  for (const kind of ['stickOut', 'stickDesk', 'stickBack'] as const)
    if (chance.hit(rates.stick)) add({ kind, terminal, dice: chance.below(2 ** 30) })
  if (chance.hit(rates.clock)) add({ kind: 'clock', terminal, offSeconds: chance.pick(clockErrors) }, {})
  for (const kind of ['image', 'restore', 'diskLost', 'restart', 'technician'] as const)
    if (chance.hit(rates[kind])) add({ kind, terminal }, {})
  return events
}

const fleetDay = (scale: Scale, day: number): Event[] => {
  const chance = chanceOf(scale.seed, 'fleet', day)
  const events: Event[] = []
  const add = (deed: Deed) =>
    events.push({ at: day * daySeconds + chance.below(daySeconds), mishaps: mishapsOf(chance), ...deed })
  for (let visits = chance.below(6); visits > 0; visits -= 1) add({ kind: 'phone', order: chance.below(2 ** 30) })
  if (chance.hit(rates.hotlist)) add({ kind: 'hotlist', card: chance.below(scale.cards) })
  if (chance.hit(rates.rogueBatch)) add({ kind: 'rogueBatch', dice: chance.below(2 ** 30) })
  if (chance.hit(rates.forgery)) add({ kind: 'forgery', order: chance.below(2 ** 30), dice: chance.below(2 ** 30) })
  if (chance.hit(rates.prices)) add({ kind: 'prices' })
  if (chance.hit(rates.codes)) add({ kind: 'codes' })
  return events
}

/** Every event of a run, in order of time. */
export const planOf = (scale: Scale): readonly Event[] => {
  const events: Event[] = []
  for (let day = 0; day < scale.days; day += 1) {
    for (let terminal = 0; terminal < scale.terminals; terminal += 1) events.push(...terminalDay(scale, day, terminal))
    events.push(...fleetDay(scale, day))
  }
  return events.sort((a, b) => a.at - b.at)
}

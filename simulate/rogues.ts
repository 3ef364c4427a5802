/**
 * Who does not play by the rules: cards that were copied, opened or imitated, and a merchant with a terminal key who sends
 * what he likes. The auditor expects nothing honest of them; it demands that nobody else is the poorer (PROTOCOL.md,
 * Parties and keys).
 */
import { openPurse, type Purse } from '../card/purse.ts'
import type { CardState } from '../card/purse-state.ts'
import { encodeBatch } from '../protocol/batch.ts'
import { fromHex } from '../protocol/bytes.ts'
import { type EntryStatus, encodeEntry, entryStatuses, firstHead, nextHead, paysNothing } from '../protocol/entry.ts'
import { macKey } from '../protocol/mac.ts'
import { amountMinor, counter, mac, type TerminalId, terminalId, unixTime, zeroMac } from '../protocol/quantities.ts'
import type { CardRecord } from '../protocol/record.ts'
import type { Fact } from './auditor.ts'
import { rogueIdStart } from './book-rows.ts'
import { type Chance, chanceOf } from './chance.ts'
import { makeState, type SimCard, type SimCardSource } from './sim-card.ts'

/** `cloned`: a copy of all its memory lives on. `liar`: its own keys, and what balance it likes. `imitation`: made with MK_pay alone. */
export const rogueKinds = ['cloned', 'liar', 'imitation'] as const // a liar's place is in its id: book-rows.ts
export type RogueKind = (typeof rogueKinds)[number]

export const rogueTerminalId: TerminalId = terminalId(`${rogueIdStart}7e2300000000`)

export interface RogueCard extends SimCard {
  readonly kind: RogueKind
  /** Before a tap: which of its selves lies in the reader, what it pretends. */
  prepare(dice: number): void
}

const open = (state: CardState, chance: Chance): Purse =>
  openPurse({ state, save: () => undefined, randomBytes: (length) => chance.bytes(length) })

const stateOf = (purse: Purse): CardState => {
  if (purse.state.kind === 'blank') throw new Error('a rogue is personalised')
  return purse.state
}

/** A card with more money, and a log that says so. */
const richer = (state: CardState, dice: number): CardState => {
  const balanceMinor = amountMinor(state.balanceMinor + 100 * (1 + (dice % 9)))
  // Some lies are in the balance alone, some in the counter, too.
  return { ...state, balanceMinor, counter: counter(state.counter + (dice % 3 === 0 ? 1 + (dice % 4) : 0)) }
}

export const makeRogue = (kind: RogueKind, index: number, from: SimCardSource): RogueCard => {
  const chance = chanceOf(from.seed, 'rogue', index)
  const made = makeState(
    `${rogueIdStart}${rogueKinds.indexOf(kind)}${index.toString(16).padStart(11, '0')}`,
    from,
    chance,
  )
  const settleKey = Buffer.from(chance.bytes(32)).toString('hex')
  // An imitation has no key but the one that terminals hold; whatever is on it, nobody loaded.
  const own = kind === 'imitation' ? { ...made, settleKey, loadKey: settleKey, balanceMinor: amountMinor(9000) } : made
  const selves = [open(own, chance), open(own, chance)]
  let now = 0
  const purse = (): Purse => {
    const self = selves[now]
    if (self === undefined) throw new Error('a rogue has two selves')
    return self
  }
  return {
    kind,
    id: own.cardId,
    get state() {
      return stateOf(purse())
    },
    reset: () => purse().reset(),
    answers: (command) => purse().process(command),
    prepare(dice) {
      if (kind === 'cloned') {
        now = dice % 2
        // Now and then the copy is made anew.
        if (dice % 5 === 0) selves[1 - now] = open(stateOf(purse()), chance)
      }
      if (kind === 'liar' && dice % 3 !== 1) selves[now] = open(richer(stateOf(purse()), dice), chance)
    },
  }
}

/** A merchant with K_term of his terminal, and with whatever records he once saw. */
export class RogueMerchant {
  readonly #key: Uint8Array
  readonly #epoch: number
  #batchNo = 0
  #entries = 0
  #head: Uint8Array

  /** @param terminalKey K_term in hex */
  constructor(terminalKey: string, epoch: number) {
    this.#key = fromHex(terminalKey, 32)
    this.#epoch = epoch
    this.#head = firstHead(rogueTerminalId, epoch)
  }

  /** The next batch of lies. @param facts of honest cards */
  batch(facts: readonly Fact[], chance: Chance): Uint8Array {
    const entries = Array.from({ length: 1 + chance.below(4) }, () => lie(facts, chance)).filter(
      (entry) => entry !== undefined,
    )
    const previousHead = chance.hit(0.1) ? chance.bytes(32) : this.#head
    const head = entries.reduce<Uint8Array>(nextHead, previousHead)
    // The same number twice is a fork of his own.
    if (!chance.hit(0.15) || this.#batchNo === 0) this.#batchNo += 1
    const bytes = encodeBatch(macKey(this.#key), {
      keyVersion: 1,
      terminalId: rogueTerminalId,
      epoch: this.#epoch,
      batchNo: this.#batchNo,
      firstEntry: this.#entries + 1,
      previousHead,
      entries,
      head,
    })
    this.#head = head
    this.#entries += entries.length
    return bytes
  }
}

/** A record that some card made, changed a little or not at all, called whatever pays. */
const lie = (facts: readonly Fact[], chance: Chance): Uint8Array | undefined => {
  if (facts.length === 0) return undefined
  const fact = chance.pick(facts)
  const { record } = fact
  const { order } = record
  const mine = { ...order, terminalId: rogueTerminalId }
  const changes: readonly CardRecord[] = [
    record,
    { ...record, order: mine },
    // A block has no amount, whoever writes it.
    { ...record, order: { ...mine, amountMinor: amountMinor(order.type === 'block' ? 0 : order.amountMinor + 100) } },
    { ...record, order: mine, counter: counter(record.counter + 1 + chance.below(3)) },
    { ...record, balanceAfterMinor: amountMinor(record.balanceAfterMinor + 50) },
    { ...record, order: { ...order, time: unixTime(order.time + 1) } },
  ]
  const status = chance.pick(entryStatuses.filter((each): each is EntryStatus => each !== undefined))
  const proof = chance.hit(0.5) ? mac(new Uint8Array(Buffer.from(fact.settlementMac, 'hex'))) : mac(chance.bytes(16))
  return encodeEntry({
    record: chance.pick(changes),
    settlementMac: paysNothing(status) ? zeroMac() : proof,
    status,
    resolvedTime: unixTime(0),
  })
}

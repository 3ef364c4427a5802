/** For tests: a card that lives through power cuts, and what may become of it (PROTOCOL.md, Invariants I1 and I2). */
import assert from 'node:assert/strict'
import { fromHex } from '../protocol/bytes.ts'
import { balanceChangeMinor, type CardRecord, parseRecord, recordLength } from '../protocol/record.ts'
import { openPurse, type Purse } from './purse.ts'
import { type CardState, logLengthMax, type PurseState } from './purse-state.ts'

/** Where a save is cut: before the file is replaced, or after. */
export type Cut = 'before' | 'after'

const cut = new Error('the power went')

export const cardOf = (state: PurseState): CardState => {
  if (state.kind === 'blank') throw new Error('the card is blank')
  return state
}

export interface MortalCard {
  /** Every state that was stored, the first one too. */
  readonly history: readonly PurseState[]
  /** All that a cut leaves of it. */
  stored(): PurseState
  process(command: Uint8Array): Uint8Array
  reset(): void
  /** Runs until the cut, if `act` comes so far, and puts the card in again. */
  tear(when: Cut, act: () => unknown): void
}

/** @param seed of the card's random numbers */
export const mortalCard = (first: PurseState, seed: number): MortalCard => {
  let drawn = seed
  const randomByte = () => {
    drawn = (drawn * 75 + 74) % 65537
    return drawn & 0xff
  }
  const randomBytes = (length: number) => Uint8Array.from({ length }, randomByte)
  const history: PurseState[] = [first]
  let stored = first
  let nextCut: Cut | undefined
  const save = (state: PurseState) => {
    const now = nextCut
    nextCut = undefined
    if (now === 'before') throw cut
    stored = state
    history.push(state)
    if (now === 'after') throw cut
  }
  const open = () => openPurse({ state: stored, save, randomBytes })
  let purse: Purse = open()
  return {
    history,
    stored: () => stored,
    process: (command) => purse.process(command),
    reset: () => purse.reset(),
    tear(when, act) {
      nextCut = when
      try {
        act()
      } catch (error) {
        if (error !== cut) throw error
      }
      nextCut = undefined
      purse = open()
    },
  }
}

/** The record that a card made last. */
export const newestRecord = (state: CardState): CardRecord =>
  parseRecord(fromHex(state.log[0]?.record ?? '', recordLength))

/** What one saved state may become: a lost PIN try, or exactly one transaction. @throws AssertionError */
export const requireLawful = (before: CardState, after: CardState): void => {
  if (after.counter === before.counter) {
    assert.deepEqual(after, { ...before, pinTriesLeft: before.pinTriesLeft - 1 })
    return
  }
  const made = newestRecord(after)
  assert.equal(after.counter, before.counter + 1)
  assert.equal(made.counter, after.counter)
  assert.equal(made.balanceAfterMinor, after.balanceMinor)
  assert.equal(after.balanceMinor, before.balanceMinor + balanceChangeMinor(made.order))
  assert.equal(after.log.length, Math.min(after.counter, logLengthMax))
  assert.deepEqual(after.log.slice(1), before.log.slice(0, logLengthMax - 1))
}

/**
 * A sales stand for the reader's faults: the real pcscd (scripts/pcsc/with-pcscd.sh), the real reader with its own process, a
 * terminal with its real ledger, and customers whose cards are real purses on a line that can fail. What the customer is told
 * is held against his card at once; `faults/reader/books.ts` holds ledger and card against each other afterwards.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Purse } from '../../card/purse.ts'
import { type LoadOutcome, loadCard } from '../../main/load.ts'
import { finishOpen, type PurchaseOutcome, purchase, witnessAfterSale } from '../../main/purchase/purchase.ts'
import {
  type CardChannel,
  CardFault,
  type CardReader,
  type ReaderSnapshot,
  waitForCard,
} from '../../main/reader/card-reader.ts'
import { openPcscReader } from '../../main/reader/pcsc-reader.ts'
import type { IssuerClient } from '../../main/sync/issuer-client.ts'
import {
  type AtEnd,
  channelTo,
  makeTestCard,
  makeTestTerminal,
  mapItem,
  type TestCard,
} from '../../main/test-terminal.ts'
import { instruction } from '../../protocol/apdu.ts'
import { pcscdRig } from '../../scripts/pcsc/rig.ts'
import { balancedBooks } from './books.ts'
import { type FaultAt, type FaultyCard, plugFaultyCard } from './faulty-card.ts'

export interface Slot {
  readonly name: string
  readonly port: number
}
export const slots = [
  { name: 'Virtual PCD 00 00', port: 35963 },
  { name: 'Virtual PCD 00 01', port: 35964 },
] as const satisfies readonly Slot[]

/** How long anything at the reader may take before the terminal counts as stuck. */
const patienceMs = 10_000
const superviseMs = 20
/** A card that left and that the reader still shows may be asked in vain. */
const swapTriesMax = 5

export interface Customer {
  readonly card: TestCard
  /** What lay on the card before anything happened at this stand. */
  readonly startMinor: number
  /** What lies in the reader when the card is not its own purse: a T=0 card. */
  readonly dress?: (purse: Purse) => Purse
}

export interface Tap {
  /** `buy` unless told. */
  readonly wants?: 'buy' | 'ask' | 'load'
  readonly faults?: readonly FaultAt[]
  readonly slot?: Slot
  /** Whether the goods need a printer, and whether it works. */
  readonly printer?: 'none' | 'works' | 'fails'
  readonly itemId?: string
}

export type Told = PurchaseOutcome | Awaited<ReturnType<typeof finishOpen>> | LoadOutcome

export interface TapResult {
  readonly told: Told
  /** Whether a fault of the tap happened. */
  readonly struck: boolean
  readonly heard: FaultyCard['heard']
}

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
const readerProcesses = (): number[] =>
  childrenOf(process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pcsc-process')
    } catch {
      return false
    }
  })

const until = (reader: CardReader, what: string, holds: (snapshot: ReaderSnapshot) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = (snapshot: ReaderSnapshot) => {
      if (!holds(snapshot)) return
      stop()
      resolve()
    }
    const stop = () => {
      unsubscribe()
      clearTimeout(timer)
    }
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`the reader did not recover: ${what}: ${JSON.stringify(reader.snapshot)}`))
    }, patienceMs)
    const unsubscribe = reader.subscribe(look)
    look(reader.snapshot)
  })

/** Starts pcscd again whenever it ended, as a service manager does. */
const supervise = (pcscd: ReturnType<typeof pcscdRig>) => {
  let lastPid = pcscd.pid()
  let startCount = 0
  let starting: Promise<void> | undefined
  const keepUp = async () => {
    starting ??= pcscd.start().finally(() => {
      starting = undefined
    })
    await starting
    if (pcscd.pid() === lastPid) return
    lastPid = pcscd.pid()
    startCount += 1
  }
  const timer = setInterval(() => void keepUp().catch(() => undefined), superviseMs)
  return {
    get startCount() {
      return startCount
    },
    stop: () => clearInterval(timer),
  }
}

export const openStand = async (
  atEnd: AtEnd,
  options: {
    readonly apduTimeoutMs?: number
    /** Cards break off here while pcscd lives: then only an onlooker knows when pcscd saw them go. */
    readonly cuts?: boolean
    readonly client?: (made: ReturnType<typeof makeTestTerminal>) => IssuerClient
  } = {},
) => {
  const pcscd = pcscdRig()
  const made = makeTestTerminal(atEnd)
  const { terminal } = made
  const client = options.client?.(made)
  const books = balancedBooks(terminal)
  const others = readerProcesses().length
  await pcscd.start()
  const openReader = () => openPcscReader({ apduTimeoutMs: options.apduTimeoutMs ?? 3000 })
  let reader = openReader()
  /** Never speaks to a card, and so sees what pcscd sees: a card that comes before pcscd saw the last one go may pass for that one. */
  const onlooker = options.cuts
    ? openPcscReader({ processPath: new URL('./onlooker-process.ts', import.meta.url) })
    : undefined
  const supervisor = supervise(pcscd)
  const counts = { taps: 0, struck: 0, told: new Map<string, number>() }

  const customer = (balanceMinor = 5000): Customer => ({
    card: makeTestCard({ balanceMinor }),
    startMinor: balanceMinor,
  })

  /** This reader is there, and all are empty: a card that comes now is a new one. */
  const quiet = async (slot: Slot = slots[0]) => {
    for (const each of onlooker === undefined ? [reader] : [onlooker, reader])
      await until(
        each,
        `${slot.name} and nothing in it`,
        ({ service, slots: seen }) =>
          service === 'up' &&
          seen.some(({ name }) => name === slot.name) &&
          seen.every(({ card, mute }) => card === undefined && mute === undefined),
      )
  }

  const sell = async (channel: CardChannel, tap: Tap): Promise<PurchaseOutcome> => {
    const goods = terminal.issued?.catalogue.prepare(tap.itemId ?? mapItem.id)
    if (goods === undefined || typeof goods === 'string') throw new Error(`nothing to sell: ${goods}`)
    const { printer = 'none' } = tap
    const print = async () => {
      if (printer === 'fails') throw new Error('out of paper')
    }
    return purchase(terminal, channel, goods, printer === 'none' ? {} : { handOver: print })
  }

  /** What the machine does with a card, and what it says. Whatever is said is held against the card on the spot. */
  const serve = async (channel: CardChannel, tap: Tap, holdAgainst: (told: Told) => void): Promise<Told> => {
    switch (tap.wants ?? 'buy') {
      case 'load': {
        if (client === undefined) throw new Error('this stand has no issuer')
        const told = await loadCard(terminal, client, channel, { amountMinor: 700 })
        holdAgainst(told)
        if (told.outcome === 'paidBefore' && told.goods === 'due') {
          books.handOver(told.payment)
          terminal.ledger.markReleased(told.payment.terminalSeq)
        }
        return told
      }
      case 'ask':
      case 'buy': {
        const told = tap.wants === 'ask' ? await finishOpen(terminal, channel) : await sell(channel, tap)
        holdAgainst(told)
        if (told.outcome !== 'captured') return told
        const { payment } = told
        if (told.goods === 'due') {
          books.handOver(payment)
          terminal.ledger.markReleased(payment.terminalSeq)
        }
        await witnessAfterSale(terminal, channel, payment)
        return told
      }
    }
  }

  /** What the machine says of the card that lies in this slot now, or comes next, held against what `card` did. */
  const talk = async (card: TestCard, wish: Tap): Promise<Told> => {
    const before = card.state
    const holdAgainst = (told: Told) => {
      books.note(card)
      expectTruth(told, { before, after: card.state, openIntents: terminal.ledger.openIntents(card.id).length })
    }
    let told: Told | undefined
    try {
      const readerName = (wish.slot ?? slots[0]).name
      const present = await waitForCard(reader, { signal: AbortSignal.timeout(patienceMs), readerName })
      return await present.use((channel) =>
        serve(channel, wish, (outcome) => {
          told = outcome
          holdAgainst(outcome)
        }),
      )
    } catch (error) {
      if (!(error instanceof CardFault)) throw error
      // Once it was said it stays said; before, the machine says that it lost the card.
      if (told !== undefined) return told
      holdAgainst({ outcome: 'cardLost' })
      return { outcome: 'cardLost' }
    } finally {
      books.note(card)
    }
  }

  const plugIn = ({ card, dress }: Customer, { slot = slots[0], faults = [] }: Tap) =>
    plugFaultyCard({ purse: dress?.(card.purse) ?? card.purse, port: slot.port, faults })

  const count = (plug: FaultyCard, told: Told) => {
    counts.taps += 1
    if (plug.struck) counts.struck += 1
    counts.told.set(told.outcome, (counts.told.get(told.outcome) ?? 0) + 1)
  }

  const tap = async (who: Customer, wish: Tap = {}): Promise<TapResult> => {
    await quiet(wish.slot)
    const plug = plugIn(who, wish)
    try {
      await plug.ready
      const told = await talk(who.card, wish)
      count(plug, told)
      return { told, struck: plug.struck, heard: plug.heard }
    } finally {
      await plug.pull()
    }
  }

  /** The card is cut, and another one takes its place the same moment: pcscd may not have looked in between. */
  const tapAndSwap = async (who: Customer, next: Customer, wish: Tap & { readonly at: Omit<FaultAt, 'fault'> }) => {
    await quiet(wish.slot)
    let following: FaultyCard | undefined
    const onStruck = () => {
      // Waits at vpcd's door until the first one has left.
      following = plugIn(next, {})
    }
    const plug = plugIn(who, { ...wish, faults: [{ ...wish.at, onStruck, fault: { kind: 'cut', when: 'after' } }] })
    try {
      await plug.ready
      count(plug, await talk(who.card, wish))
      await plug.left
      for (let tries = 0; tries < swapTriesMax; tries += 1) {
        const shown = reader.snapshot.slots.find(({ name }) => name === (wish.slot ?? slots[0]).name)?.card
        const told = await talk(next.card, {})
        if (told.outcome !== 'cardLost') return told
        // As the machine does: the card that was lost has to go before another is looked for.
        await until(reader, 'the end of a lost card', () => shown === undefined || shown.removed.aborted)
      }
      throw new Error('the machine never found the second card')
    } finally {
      await plug.pull()
      await following?.pull()
    }
  }

  /** A tap without a reader: the card leaves at COMMIT, before it acted or after. */
  const leaveInDoubt = async ({ card }: Customer, when: 'before' | 'after', wish: Tap = {}) => {
    const line = channelTo(card)
    const torn: CardChannel = {
      transmit: async (command) => {
        if (command[1] !== instruction.commit) return line.transmit(command)
        if (when === 'after') await line.transmit(command)
        throw new CardFault('removed', 'the card has left the reader')
      },
    }
    const told = await sell(torn, wish)
    books.note(card)
    expect(told).toMatchObject({ outcome: 'inDoubt' })
  }

  /** Whatever was before: another card buys at once, in one tap. */
  const nextCustomer = async (wish: Tap = {}) => {
    const next = customer()
    const { told } = await tap(next, wish)
    expect(told).toMatchObject({ outcome: 'captured', recovered: false, goods: 'due', balanceMinor: 4750 })
    books.expectBalanced(next.card, next.startMinor)
  }

  /** The card comes back, in order now: one tap, and everything of it is decided. */
  const comeBack = async (who: Customer, wish: Tap = {}): Promise<Told> => {
    const { told } = await tap(who, wish)
    // A sound card always buys, or has what it bought.
    if ((wish.wants ?? 'buy') === 'buy') expect(told).toMatchObject({ outcome: 'captured' })
    books.expectBalanced(who.card, who.startMinor)
    return told
  }

  return {
    terminal,
    get reader() {
      return reader
    },
    /** Signals the reader's own process. */
    signalReader: (signal: NodeJS.Signals) => {
      for (const pid of readerProcesses()) process.kill(pid, signal)
    },
    /** A reader that has seen no fault yet: it does not wait longer and longer before it starts its process again. */
    renewReader: async () => {
      await reader.close()
      reader = openReader()
    },
    pcscd,
    books,
    counts,
    customer,
    tap,
    tapAndSwap,
    leaveInDoubt,
    nextCustomer,
    comeBack,
    quiet,
    /** How often pcscd had to be started again. */
    get pcscdStarts() {
      return supervisor.startCount
    },
    /** Closes everything; one reader process, and none afterwards. */
    close: async () => {
      await quiet()
      expect(readerProcesses()).toHaveLength(others + 1)
      supervisor.stop()
      await Promise.all([reader.close(), onlooker?.close()])
      expect(readerProcesses()).toHaveLength(others)
      await pcscd.start()
    },
  }
}

export type Stand = Awaited<ReturnType<typeof openStand>>

/** Whether what was said is true of the card, when it was said. */
export const expectTruth = (
  told: Told,
  at: { readonly before: TestCard['state']; readonly after: TestCard['state']; readonly openIntents: number },
): void => {
  const { before, after, openIntents } = at
  const moved = after.counter - before.counter
  const untouched = moved === 0 && after.balanceMinor === before.balanceMinor
  switch (told.outcome) {
    case 'notAPurse':
    case 'suspect':
    case 'cardLost':
    case 'clear':
    case 'paidBefore':
      expect({ told: told.outcome, untouched }).toEqual({ told: told.outcome, untouched: true })
      return
    case 'declined':
      if ('reversed' in told && told.reversed) {
        expect({ moved, balanceMinor: after.balanceMinor }).toEqual({ moved: 2, balanceMinor: before.balanceMinor })
        return
      }
      expect({ told, untouched }).toEqual({ told, untouched: true })
      return
    case 'inDoubt':
      // It is written down, and the card did it or did not.
      expect(openIntents).toBe(1)
      expect([0, 1]).toContain(moved)
      return
    case 'captured':
      if ('balanceAfterMinor' in told) {
        expect(told.balanceAfterMinor).toBe(after.balanceMinor)
        expect(moved).toBe(1)
        return
      }
      // After a reversal that was cut the card may have its money back: nobody can say.
      if (told.goods === 'due') expect(told.balanceMinor).toBe(after.balanceMinor)
      expect([0, 1, 2]).toContain(moved)
      if (told.goods === 'due') expect([0, 1]).toContain(moved)
  }
}

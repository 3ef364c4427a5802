/**
 * A card reader made of memory, for the tests of whoever uses `CardReader`: cards are functions, and the reader can
 * take a card away before or after any one APDU took effect.
 */
import { type CardChannel, CardFault, type CardReader, type PresentCard, type ReaderSnapshot } from './card-reader.ts'

/** The card's side of one APDU: command in, response with its two status bytes out. */
export type CardAnswers = (command: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** Takes the card away at its `apdu`-th APDU since insertion (the first is 1): `before` the card saw it, or `after` it acted. */
export interface Cut {
  readonly apdu: number
  readonly when: 'before' | 'after'
  /** What `transmit` throws; `removed` unless told. */
  readonly fault?: 'removed' | 'timeout' | 'reader'
}

export interface ReaderDouble extends CardReader {
  /** Puts a card into a reader (the first one unless named), in place of what lies there. */
  insert(answers: CardAnswers, options?: { readerName?: string; cut?: Cut }): PresentCard
  remove(readerName?: string): void
  /** A card that does not answer to reset. */
  insertMute(readerName?: string): void
  /** Takes PC/SC away, with a reason, or brings it back. Cards in the readers are gone afterwards. */
  setService(service: 'up' | 'down', detail?: string): void
}

interface Lying {
  readonly card?: PresentCard
  readonly leave?: () => void
  readonly mute?: boolean
}

export const openReaderDouble = (readerNames: readonly [string, ...string[]] = ['Double 00']): ReaderDouble => {
  const lying = new Map<string, Lying>(readerNames.map((name) => [name, {}]))
  const listeners = new Set<{ readonly call: (snapshot: ReaderSnapshot) => void }>()
  let downDetail: string | undefined
  let snapshot: ReaderSnapshot

  const look = (): ReaderSnapshot => {
    if (downDetail !== undefined) return { service: 'down', detail: downDetail, slots: [] }
    return {
      service: 'up',
      slots: [...lying].map(([name, { card, mute }]) => ({
        name,
        ...(card === undefined ? {} : { card }),
        ...(mute === undefined ? {} : { mute }),
      })),
    }
  }
  snapshot = look()

  /** As in the real reader: first the snapshot, then the departures, then the listeners. */
  const change = (apply: () => void, departed: readonly Lying[]) => {
    apply()
    snapshot = look()
    for (const { leave } of departed) leave?.()
    for (const { call } of [...listeners]) call(snapshot)
  }

  const put = (readerName: string, next: Lying) => {
    const before = lying.get(readerName)
    if (before === undefined) throw new Error(`there is no reader ${readerName}`)
    change(() => lying.set(readerName, next), [before])
  }

  const removeAll = (apply: () => void) => {
    const departed = [...lying.values()]
    change(() => {
      for (const name of lying.keys()) lying.set(name, {})
      apply()
    }, departed)
  }

  const makeCard = (readerName: string, answers: CardAnswers, cut: Cut | undefined): Required<Omit<Lying, 'mute'>> => {
    const departure = new AbortController()
    const removed = departure.signal
    let apduCount = 0
    let tail: Promise<unknown> = Promise.resolve()

    const takeAway = (): never => {
      put(readerName, {})
      throw new CardFault(cut?.fault ?? 'removed', 'the reader double took the card away')
    }
    const transmit = async (command: Uint8Array) => {
      removed.throwIfAborted()
      apduCount += 1
      const cutNow = cut?.apdu === apduCount ? cut.when : undefined
      if (cutNow === 'before') takeAway()
      const response = await answers(command)
      if (cutNow === 'after') takeAway()
      removed.throwIfAborted()
      return response
    }
    const useNow = async <Result>(work: (channel: CardChannel) => Promise<Result>) => {
      removed.throwIfAborted()
      return await work({ transmit })
    }
    const card: PresentCard = {
      readerName,
      atr: Uint8Array.of(0x3b, 0x80, 0x80, 0x01, 0x01),
      removed,
      use: (work) => {
        const result = tail.then(() => useNow(work))
        tail = result.catch(() => undefined)
        return result
      },
    }
    return { card, leave: () => departure.abort(new CardFault('removed', 'the card has left the reader')) }
  }

  return {
    get snapshot() {
      return snapshot
    },
    subscribe: (call) => {
      const entry = { call }
      listeners.add(entry)
      return () => void listeners.delete(entry)
    },
    close: async () => {
      removeAll(() => {
        downDetail = 'The card reader is closed.'
      })
      listeners.clear()
    },
    insert: (answers, { readerName = readerNames[0], cut } = {}) => {
      const made = makeCard(readerName, answers, cut)
      put(readerName, made)
      return made.card
    },
    insertMute: (readerName = readerNames[0]) => put(readerName, { mute: true }),
    remove: (readerName = readerNames[0]) => put(readerName, {}),
    setService: (service, detail = 'The smart-card service is down.') =>
      removeAll(() => {
        downDetail = service === 'down' ? detail : undefined
      }),
  }
}

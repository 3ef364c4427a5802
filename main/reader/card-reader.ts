/**
 * The one door to smart-card readers. What stands behind it is PC/SC (pcsc-reader.ts) or, in tests, a fault double.
 *
 * The state is a level, not an edge: whoever looks sees which readers exist now and which cards lie in them now.
 */

/** What lies in one reader right now. */
export interface ReaderSlot {
  /** The PC/SC name, such as "Virtual PCD 00 00". */
  readonly name: string
  /** The card in it; absent when the reader is empty. */
  readonly card?: PresentCard
  /**
   * A card is in the reader and does not answer to reset (upside down, or not a chip card), or fell silent or broke off again
   * and again without leaving.
   */
  readonly mute?: boolean
}

export interface ReaderSnapshot {
  /** `up`: PC/SC answers. `down`: there is no PC/SC service, or its helper process is being restarted. */
  readonly service: 'up' | 'down'
  /** Why the service is down and what to do, in a sentence; absent when it is up. */
  readonly detail?: string
  readonly slots: readonly ReaderSlot[]
}

/** A card from insertion to removal. The same card put in again is another PresentCard. */
export interface PresentCard {
  readonly readerName: string
  readonly atr: Uint8Array
  /** Aborted once the card has left the reader (or the reader, or PC/SC, went away). Never un-aborted. */
  readonly removed: AbortSignal
  /**
   * Connects exclusively, runs `work`, and disconnects, whatever `work` did.
   * @throws CardFault `removed` (gone before or during), `busy` (another program holds it), `mute`, `timeout`, `reader`
   */
  use<Result>(work: (channel: CardChannel) => Promise<Result>): Promise<Result>
}

export interface CardChannel {
  /**
   * Sends one command APDU and returns the response APDU, data and two status bytes.
   * @throws CardFault. After any fault it is unknown whether the card carried the command out.
   */
  transmit(command: Uint8Array): Promise<Uint8Array>
}

export interface CardReader {
  readonly snapshot: ReaderSnapshot
  /** Calls back after every change of the snapshot. Returns the function that stops it. */
  subscribe(listener: (snapshot: ReaderSnapshot) => void): () => void
  close(): Promise<void>
}

export type CardFaultCode = 'removed' | 'busy' | 'mute' | 'timeout' | 'reader'

/** A fault of the world between terminal and card; never says whether the card acted. */
export class CardFault extends Error {
  readonly code: CardFaultCode
  constructor(code: CardFaultCode, message: string) {
    super(message)
    this.name = 'CardFault'
    this.code = code
  }
}

/**
 * Waits until a card lies in a reader (in the named one, if a name is given).
 * @throws the signal's reason when it aborts first
 */
export const waitForCard = (reader: CardReader, options: { signal: AbortSignal; readerName?: string }) =>
  new Promise<PresentCard>((resolve, reject) => {
    const { signal, readerName } = options
    const look = (snapshot: ReaderSnapshot): boolean => {
      const slot = snapshot.slots.find(
        (candidate) => candidate.card !== undefined && (readerName === undefined || candidate.name === readerName),
      )
      if (slot?.card === undefined) return false
      stop()
      resolve(slot.card)
      return true
    }
    const unsubscribe = reader.subscribe(look)
    const onAbort = () => {
      stop()
      reject(signal.reason)
    }
    const stop = () => {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    }
    if (signal.aborted) onAbort()
    else {
      signal.addEventListener('abort', onAbort)
      look(reader.snapshot)
    }
  })

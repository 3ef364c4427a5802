/** The body of `farthing card simulate`: a software card in a file, put into vpcd's reader. A process of its own. */
import { randomBytes } from 'node:crypto'
import { openPurse } from './purse.ts'
import { openStateFile } from './state-file.ts'
import { type Departure, plugIntoVpcd, type Tear } from './vpcd.ts'

export interface SimulatedCard {
  /** The reader has noticed the card. Rejects with a sentence when there is no reader. */
  readonly ready: Promise<void>
  /** The card has left, and its file is free again. Rejects when its state could not be saved. */
  readonly closed: Promise<Departure>
  /** Pulls the card out of the reader. */
  close(): Promise<void>
  /** Cuts the next COMMIT, once. */
  tearNextCommit(tear: Tear): void
}

/**
 * @param options.stateFile made, as a blank card, if it is missing
 * @throws StateFileError: damaged, in use, or not writable
 */
export const simulateCard = (options: {
  readonly stateFile: string
  readonly port: number
  readonly host?: string
  readonly tear?: Tear | undefined
}): SimulatedCard => {
  const file = openStateFile(options.stateFile)
  const purse = openPurse({ ...file, randomBytes: (length) => Uint8Array.from(randomBytes(length)) })
  const plug = plugIntoVpcd({ ...options, purse })
  const closed = plug.closed.finally(() => file.close())
  closed.catch(() => undefined)
  const close = async () => {
    await plug.pull()
    await closed.catch(() => undefined)
  }
  return { ready: plug.ready, closed, close, tearNextCommit: plug.tearNextCommit }
}

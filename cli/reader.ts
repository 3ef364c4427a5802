/** The PC/SC reader, for commands: opened, waited for, closed. */
import { type CardReader, type PresentCard, waitForCard } from '../main/reader/card-reader.ts'
import { openPcscReader } from '../main/reader/pcsc-reader.ts'
import { CliError, exitStatus } from './output.ts'

/** A PC/SC service and its readers are there within this time or not at all. */
const readerMsMax = 6_000

/** Resolves when there is a reader (of that name). @throws CliError: what is missing and what to do */
const requireReader = (reader: CardReader, name: string | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop()
      const { service, detail, slots } = reader.snapshot
      const names = slots.map((slot) => `"${slot.name}"`).join(', ')
      const sentence =
        service === 'down'
          ? (detail ?? 'There is no PC/SC service: start pcscd.')
          : name === undefined || slots.length === 0
            ? 'No card reader is connected: plug one in (farthing doctor says more).'
            : `There is no reader named "${name}"; there are ${names}.`
      reject(new CliError(exitStatus.world, sentence))
    }, readerMsMax)
    const look = () => {
      const { service, slots } = reader.snapshot
      if (service !== 'up' || !slots.some((slot) => name === undefined || slot.name === name)) return
      stop()
      resolve()
    }
    const unsubscribe = reader.subscribe(look)
    const stop = () => {
      clearTimeout(timer)
      unsubscribe()
    }
    look()
  })

/** Opens the reader, does the work, closes it. */
export const withReader = async <Result>(
  name: string | undefined,
  work: (reader: CardReader) => Promise<Result>,
): Promise<Result> => {
  const reader = openPcscReader()
  try {
    await requireReader(reader, name)
    return await work(reader)
  } finally {
    await reader.close()
  }
}

/** @throws CliError `refused` when no card came in time */
export const requireCard = async (
  reader: CardReader,
  options: { readerName?: string | undefined; timeoutMs: number },
): Promise<PresentCard> => {
  const signal = AbortSignal.timeout(options.timeoutMs)
  try {
    return await waitForCard(reader, {
      signal,
      ...(options.readerName === undefined ? {} : { readerName: options.readerName }),
    })
  } catch (error) {
    if (!signal.aborted) throw error
    throw new CliError(exitStatus.refused, `No card was put on the reader within ${options.timeoutMs / 1000} s.`)
  }
}

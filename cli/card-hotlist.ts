/** `farthing card block --file` and `card renew-hotlist`: the hotlist as a whole. */
import { readFileSync } from 'node:fs'
import cliProgress from 'cli-progress'
import type { Command } from 'commander'
import { blockCards, renewHotlist } from '../issuer/hotlist.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { CliError, exitStatus, result } from './output.ts'

interface StoreOptions {
  readonly store: string
  readonly json?: boolean
}

/** Card numbers, one a line; empty lines do not count. @throws CliError naming the first line that is none */
const readCardNumbers = (file: string): string[] => {
  const numbers: string[] = []
  for (const [at, text] of readFileSync(file === '-' ? 0 : file, 'utf8')
    .split('\n')
    .entries()) {
    const number = text.trim().toLowerCase()
    if (number === '') continue
    if (!/^[0-9a-f]{16}$/.test(number))
      throw new CliError(exitStatus.usage, `Line ${at + 1} is not a card number of 16 hex digits. Nothing was changed.`)
    numbers.push(number)
  }
  return numbers
}

/** @param options.file card numbers, one a line, or - for standard input */
export const blockFile = (options: StoreOptions & { readonly file: string; readonly reason: string }): Promise<void> =>
  withIssuer(options.store, async (issuer) => {
    const numbers = readCardNumbers(options.file)
    const bar = new cliProgress.SingleBar(
      {
        format: 'hotlist {bar} {value}/{total} cards',
        stream: process.stderr,
        noTTYOutput: false,
        clearOnComplete: true,
      },
      cliProgress.Presets.shades_classic,
    )
    bar.start(numbers.length, 0)
    try {
      const blocked = await blockCards(issuer, commandCaller(), {
        cards: numbers,
        reason: options.reason,
        onProgress: (done) => bar.update(done),
      })
      bar.stop()
      result(
        options,
        blocked,
        () =>
          `${blocked.listed} of ${blocked.cards} cards are new on the hotlist${blocked.serial === undefined ? '; the first publish will carry them' : ''}. Terminals refuse them from their next sync on.`,
      )
    } finally {
      bar.stop()
    }
  })

export const addHotlist = (card: Command): void => {
  card
    .command('renew-hotlist')
    .description('begin a new log with the list as it is; every terminal fetches all of it with its next sync')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const signed = await renewHotlist(issuer, commandCaller())
        result(options, signed, () => `Hotlist ${signed.generation} begins with ${signed.count} cards.`)
      }),
    )
}

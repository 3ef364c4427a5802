/** `farthing issuer rebuild`: a book made anew from its documents, in either kind of database. */
import cliProgress from 'cli-progress'
import type { Command } from 'commander'
import { openIssuer } from '../issuer/issuer.ts'
import { rebuild } from '../issuer/rebuild.ts'
import { shownAddress } from '../issuer/store-address.ts'
import { formatAmount } from '../protocol/currency.ts'
import { issuerWorld } from './issuer.ts'
import { exitStatus, result } from './output.ts'

interface RebuildOptions {
  from: string
  to: string
  json?: boolean
}

const run = async (options: RebuildOptions): Promise<void> => {
  const from = await openIssuer({ url: options.from, ...issuerWorld })
  const bar = new cliProgress.SingleBar(
    {
      format: 'documents {bar} {value}/{total}, {eta_formatted} left',
      stream: process.stderr,
      noTTYOutput: false,
      clearOnComplete: true,
    },
    cliProgress.Presets.shades_classic,
  )
  bar.start(0, 0)
  try {
    const rebuilt = await rebuild(from, options.to, ({ documents, documentsTotal }) => {
      bar.setTotal(documentsTotal)
      bar.update(documents)
    })
    bar.stop()
    const same = rebuilt.differences.length === 0
    if (!same) process.exitCode = exitStatus.refused
    const { currency } = from.book
    result(options, { from: shownAddress(options.from), to: shownAddress(options.to), ...rebuilt }, () =>
      same
        ? [
            `Replayed ${rebuilt.documents} documents: ${rebuilt.transfers} bookings, trial balance ${formatAmount(rebuilt.trialBalanceMinor, currency)} ${currency}.`,
            'Every account, card, hole and exception is as it was, to the cent.',
            `Its keys were copied beside it. Stop the servers of ${shownAddress(options.from)}, and serve the new store from now on: what came meanwhile, terminals send again.`,
          ].join('\n')
        : [
            'THE NEW STORE DIFFERS, and cannot be opened:',
            ...rebuilt.differences.map((each) => `  ${each}`),
            'The old one is as it was. Somebody changed it by hand, or its documents are not whole: compare it with a backup.',
          ].join('\n'),
    )
  } finally {
    bar.stop()
    await from.store.close()
  }
}

/** Adds rebuild to `farthing issuer`. */
export const addRebuild = (issuer: Command): void => {
  issuer
    .command('rebuild')
    .description('make a store anew from the archived documents of another: to move it, or to prove it')
    .requiredOption(
      '--from <url>',
      'the store that is: sqlite:PATH or postgres://USER@HOST/DATABASE; nothing in it changes',
    )
    .requiredOption('--to <url>', 'where the new one is to be; there must be none')
    .action((options: RebuildOptions) => run(options))
}

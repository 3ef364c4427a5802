/** `farthing batch ...`: the documents themselves, for a USB stick or an auditor's eye. */
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { readIdentity } from '../main/identity.ts'
import { exportBatches } from '../main/sync/export.ts'
import { openTerminal } from '../main/terminal.ts'
import { parseBatch, requireBatchSeal } from '../protocol/batch.ts'
import { equalBytes, toHex } from '../protocol/bytes.ts'
import { lettersOf } from '../protocol/currency.ts'
import { nextHead, parseEntry } from '../protocol/entry.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { exitStatus, result } from './output.ts'
import { table } from './table.ts'

/** Everything in a batch, and whether its chain and, with the terminal's key at hand, its seal hold. */
const showBatch = (file: string, dataDir: string | undefined) => {
  const bytes = new Uint8Array(readFileSync(file))
  const batch = parseBatch(bytes)
  const chainHolds = equalBytes(batch.entries.reduce(nextHead, batch.previousHead), batch.head)
  const identity = dataDir === undefined ? undefined : readIdentity(dataDir)
  let seal: 'right' | 'wrong' | undefined
  if (identity !== undefined && identity.terminalId === batch.terminalId) {
    try {
      requireBatchSeal(identity.terminalMacKey, bytes)
      seal = 'right'
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      seal = 'wrong'
    }
  }
  return {
    terminalId: batch.terminalId,
    epoch: batch.epoch,
    batchNo: batch.batchNo,
    firstEntry: batch.firstEntry,
    count: batch.entries.length,
    previousHead: toHex(batch.previousHead),
    head: toHex(batch.head),
    chainHolds,
    ...(seal === undefined ? {} : { seal }),
    entries: batch.entries.map((entry, at) => {
      const entryNo = batch.firstEntry + at
      try {
        const { record, status, resolvedTime } = parseEntry(entry)
        const { order } = record
        return {
          entry: entryNo,
          status,
          type: order.type,
          cardId: record.identity.cardId,
          counter: record.counter,
          amountMinor: order.amountMinor,
          currency: lettersOf(order.currency),
          balanceAfterMinor: record.balanceAfterMinor,
          terminalSeq: order.terminalSeq,
          time: new Date(order.time * 1000).toISOString(),
          ...(resolvedTime === 0 ? {} : { resolvedTime: new Date(resolvedTime * 1000).toISOString() }),
        }
      } catch (error) {
        if (error instanceof ProtocolError) return { entry: entryNo, problem: error.message }
        throw error
      }
    }),
  }
}

export const batchCommands = (): Command => {
  const batch = new Command('batch').description("the terminal's documents as files")

  batch
    .command('export <dir>')
    .description('write everything that the issuer has not taken, as files to carry there')
    .requiredOption('--data <dir>', "the terminal's data folder")
    .action((dir: string, options: { data: string; json?: boolean }) => {
      const terminal = openTerminal(options.data)
      try {
        mkdirSync(dir, { recursive: true })
        const files = exportBatches(terminal, dir)
        result(options, { files: files.map((file) => path.join(dir, file)) }, () =>
          files.length === 0 ? 'Nothing to export: the issuer has taken everything.' : `Wrote ${files.join(', ')}.`,
        )
      } finally {
        terminal.close()
      }
    })

  batch
    .command('show <file>')
    .description('what a batch file says')
    .option('--data <dir>', "the terminal's data folder, to check the seal")
    .action((file: string, options: { data?: string; json?: boolean }) => {
      const shown = showBatch(file, options.data)
      if (!shown.chainHolds || shown.seal === 'wrong') process.exitCode = exitStatus.refused
      result(options, shown, () =>
        [
          `Batch ${shown.batchNo} of terminal ${shown.terminalId}, epoch ${shown.epoch}: ${shown.count} entries from ${shown.firstEntry}`,
          `Chain ${shown.chainHolds ? 'holds' : 'IS BROKEN'}; seal ${shown.seal ?? 'not checked (--data DIR of the terminal)'}`,
          table(
            ['entry', 'status', 'type', 'card', 'counter', 'amount', 'time'],
            shown.entries.map((row) =>
              'problem' in row
                ? [String(row.entry), row.problem ?? '', '', '', '', '', '']
                : [
                    String(row.entry),
                    row.status,
                    row.type,
                    row.cardId,
                    String(row.counter),
                    String(row.amountMinor),
                    row.time,
                  ],
            ),
          ),
        ].join('\n'),
      )
    })
  return batch
}

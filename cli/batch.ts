/** `farthing batch ...`: the documents themselves, for a USB stick or an auditor's eye (docs/OPERATIONS.md, USB). */
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { requireSafeUrl } from '../main/enrol.ts'
import { type ExportResult, exportBatches } from '../main/stick/export.ts'
import type { RefusedFile } from '../main/stick/stick.ts'
import { type TakeResult, takeFromStick } from '../main/stick/take.ts'
import { connectIssuer } from '../main/sync/issuer-client.ts'
import { openTerminal, type Terminal } from '../main/terminal.ts'
import { type BatchVerdict, isTaken } from '../protocol/acknowledgement.ts'
import type { AnsweredBatch, DeskResult } from './desk.ts'
import { CliError, exitStatus, result } from './output.ts'
import { showDocument } from './show-document.ts'

interface ImportOptions {
  readonly data?: string
  readonly store?: string
  readonly issuer?: string
  readonly json?: boolean
}

const withTerminal = <Result>(dataDir: string, work: (terminal: Terminal) => Result): Result => {
  const terminal = openTerminal(dataDir)
  try {
    return work(terminal)
  } finally {
    terminal.close()
  }
}

const stoppedText = (verdict: string): string =>
  `The issuer takes no more from this terminal (${verdict}): enrol it again with a new code. Nothing is lost.`

const refusedText = (refused: readonly RefusedFile[]): string[] =>
  refused.map(({ file, sentence }) => `Left alone: ${file}. ${sentence}`)

const exportText = (dir: string, { files, refused }: ExportResult, stopped: string | undefined): string =>
  [
    files.length === 0
      ? 'No sales to carry: the issuer has taken everything. The stick asks for news.'
      : `Wrote ${files.join(', ')}.`,
    ...refusedText(refused),
    ...(stopped === undefined
      ? [`Next, at the issuer: farthing batch import ${dir} --store sqlite:PATH.`]
      : [stoppedText(stopped)]),
  ].join('\n')

const exportTo = (dir: string, options: { readonly data: string; readonly json?: boolean }): void =>
  withTerminal(options.data, (terminal) => {
    mkdirSync(dir, { recursive: true })
    const exported = exportBatches(terminal, dir)
    const stopped = terminal.ledger.stoppedVerdict
    if (stopped !== undefined || exported.refused.length > 0) process.exitCode = exitStatus.refused
    const { files, refused } = exported
    result(
      options,
      {
        files: files.map((file) => path.join(dir, file)),
        ...(refused.length === 0 ? {} : { refused }),
        ...(stopped === undefined ? {} : { stopped }),
      },
      () => exportText(dir, exported, stopped),
    )
  })

const verdictText: Readonly<Record<BatchVerdict, string>> = {
  taken: 'taken',
  outOfOrder: 'taken; the batch before it is missing here, and comes with the next export',
  fork: 'NOT TAKEN: this number came with other sales before. The terminal must be enrolled again',
  epochEnded: 'not taken: the terminal was enrolled again since, and sends these sales anew',
  keyVersionEnded: "not taken: the terminal's key has ended. It must be enrolled again",
}

const answeredText = ({ terminalId, epoch, batchNo, verdict, accepted, exceptions }: AnsweredBatch): string =>
  `Terminal ${terminalId}, epoch ${epoch}, batch ${batchNo}: ${verdictText[verdict]}${
    isTaken(verdict) ? ` (${accepted} entries accepted, ${exceptions} exceptions)` : ''
  }.`

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const deskText = (dir: string, done: DeskResult): string => {
  const { batches, journals, keyrings, goods, bulletin, refused } = done
  const carries = [
    ...(bulletin === undefined ? [] : [`bulletin ${bulletin}`]),
    ...(keyrings.length === 0 ? [] : [`the keyring of ${keyrings.join(', ')}`]),
    ...(goods === 0 ? [] : [plural(goods, 'file of goods', 'files of goods')]),
  ]
  return [
    ...batches.map(answeredText),
    ...(journals === undefined ? [] : [`${plural(journals.count, 'journal', 'journals')} of what operators did.`]),
    ...refusedText(refused),
    ...(carries.length === 0
      ? ['There is nothing of a terminal of ours here: is this the stick? "farthing batch export" writes it.']
      : [
          `The stick carries ${carries.join(', ')}.`,
          ...(bulletin === undefined ? ['No catalogue was published yet.'] : []),
          `Next, at each terminal: farthing batch import ${dir} --data TERMINAL_DIR.`,
        ]),
  ].join('\n')
}

/** Loaded only when it is wanted: a kiosk has no use for an issuer. */
const importAtDesk = async (dir: string, options: ImportOptions): Promise<void> => {
  const { answerStick, deskOver, isAllTaken } = await import('./desk.ts')
  const { store, issuer: url } = options
  const work = async (): Promise<DeskResult> => {
    if (store === undefined) return answerStick(connectIssuer(url ?? ''), dir)
    const { withIssuer } = await import('./issuer.ts')
    return withIssuer(store, (issuer) => answerStick(deskOver(issuer), dir))
  }
  if (url !== undefined) requireSafeUrl(url)
  const done = await work()
  if (!isAllTaken(done) || done.batches.length + done.keyrings.length === 0) process.exitCode = exitStatus.refused
  result(options, done, () => deskText(dir, done))
}

const newsText = ({ bulletin, keyring, goods }: TakeResult): string => {
  const news = [
    ...(bulletin === undefined ? [] : [`bulletin ${bulletin}`]),
    ...(keyring === undefined ? [] : [`keyring ${keyring}`]),
    ...(goods === 0 ? [] : [plural(goods, 'file of goods', 'files of goods')]),
  ]
  return news.length === 0 ? 'No other news.' : `New here: ${news.join(', ')}.`
}

const takenText = (dir: string, done: TakeResult, unsyncedCount: number): string =>
  [
    done.answers === 0
      ? 'No acknowledgement for this terminal.'
      : `Took ${plural(done.answers, 'acknowledgement', 'acknowledgements')} of ${plural(done.entries, 'entry', 'entries')}, ${plural(done.exceptions, 'exception', 'exceptions')} among them.`,
    newsText(done),
    ...(done.others === 0
      ? []
      : [`For other terminals: ${plural(done.others, 'acknowledgement', 'acknowledgements')}.`]),
    ...done.older.map((file) => `${file} is older than what is here, and changes nothing.`),
    ...refusedText(done.refused),
    ...(done.hotlistMissing
      ? ['The newest hotlist is not here whole yet: the one before it stays in force, and ages.']
      : []),
    ...(done.goodsMissing === 0 ? [] : ['Some goods of the bulletin are not here yet.']),
    ...(done.stopped === undefined ? [] : [stoppedText(done.stopped)]),
    ...(done.exportAgain
      ? [`The issuer lacks an earlier batch: run "farthing batch export ${dir}" again, and carry it there.`]
      : []),
    ...(done.waiting ? ['The stick still has to go to the issuer.'] : []),
    unsyncedCount === 0
      ? 'Everything that was sold is settled.'
      : `Not settled yet: ${plural(unsyncedCount, 'entry', 'entries')}.`,
  ].join('\n')

const importAtTerminal = (dir: string, dataDir: string, options: ImportOptions): void =>
  withTerminal(dataDir, (terminal) => {
    const done = takeFromStick(terminal, dir)
    if (done.stopped !== undefined || done.refused.length > 0) process.exitCode = exitStatus.refused
    const { count } = terminal.ledger.unsynced
    result(options, { ...done, unsynced: count }, () => takenText(dir, done, count))
  })

const importFrom = async (dir: string, options: ImportOptions): Promise<void> => {
  const { data, store, issuer } = options
  if ([data, store, issuer].filter((place) => place !== undefined).length !== 1)
    throw new CliError(
      exitStatus.usage,
      'Say where you are: --store sqlite:PATH (or --issuer URL) at the issuer, --data DIR at the terminal.',
    )
  if (issuer !== undefined && !URL.canParse(issuer))
    throw new CliError(exitStatus.usage, `"${issuer}" is not an address such as https://issuer.example.`)
  if (data === undefined) await importAtDesk(dir, options)
  else importAtTerminal(dir, data, options)
}

export const batchCommands = (): Command => {
  const batch = new Command('batch').description("the terminal's documents as files, for a USB stick")

  batch
    .command('export <dir>')
    .description('at the terminal: write everything that the issuer has not taken, as files to carry there')
    .requiredOption('--data <dir>', "the terminal's data folder")
    .action(exportTo)

  batch
    .command('import <dir>')
    .description('at the issuer: take the batches in and answer them; at the terminal: take the answers and the news')
    .option('--store <url>', "at the issuer's desk: where it keeps its books, sqlite:PATH")
    .option('--issuer <url>', 'at a desk without the books: the address of the issuer')
    .option('--data <dir>', 'at the terminal: its data folder')
    .action(importFrom)

  batch
    .command('show <file>')
    .description('what a batch, acknowledgement, bulletin or keyring says')
    .option('--data <dir>', "the terminal's data folder, to check the seal")
    .action((file: string, options: { data?: string; json?: boolean }) => {
      const shown = showDocument(new Uint8Array(readFileSync(file)), options.data)
      if (!shown.holds) process.exitCode = exitStatus.refused
      result(options, shown.value, shown.text)
    })
  return batch
}

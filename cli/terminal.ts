/** `farthing terminal ...`: the kiosk and the vending machine. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import cliProgress from 'cli-progress'
import { Command } from 'commander'
import { alarmsMax, readLedgerStatus } from '../db/ledger.ts'
import { openReadable } from '../db/open.ts'
import { clockTimes } from '../issuer/business-days.ts'
import { isoTime } from '../issuer/iso-times.ts'
import { enrol } from '../main/enrol.ts'
import { readIdentity } from '../main/identity.ts'
import { type KioskSettings, readKioskSettings } from '../main/kiosk/kiosk-settings.ts'
import { openPrinter } from '../main/printer/printer.ts'
import { outOfServiceReason } from '../main/purchase/rules.ts'
import { connectIssuer, IssuerUnreachable } from '../main/sync/issuer-client.ts'
import { fetchNews, syncOnce } from '../main/sync/sync.ts'
import { openTerminal } from '../main/terminal.ts'
import { type SaleLine, sellOne } from '../main/vending.ts'
import { formatAmount } from '../protocol/currency.ts'
import { count, seconds, wholeNumber } from './arguments.ts'
import { mind } from './mind.ts'
import { CliError, exitStatus, line, note, result } from './output.ts'
import { withReader } from './reader.ts'
import { readCode } from './secret-input.ts'
import { onStop } from './stop.ts'

const dataOption = ['--data <dir>', "the terminal's data folder"] as const

interface DataOptions {
  data: string
  json?: boolean
}

const requireIdentity = (dataDir: string) => {
  const identity = readIdentity(dataDir)
  if (identity !== undefined) return identity
  throw new CliError(
    exitStatus.world,
    `${dataDir} holds no terminal: run "farthing terminal enrol --data ${dataDir} --issuer URL --code -" first, with the code that "farthing issuer terminal add" prints.`,
  )
}

/** A moment by this machine's clock. */
const here = (at: string): string =>
  clockTimes(new Intl.DateTimeFormat().resolvedOptions().timeZone)(Date.parse(at) / 1000)

/** Beside the writer: never waits for it. */
const status = async (dataDir: string) => {
  const identity = requireIdentity(dataDir)
  const { database, close } = openReadable(dataDir)
  try {
    const { unsynced, inDoubt, ledgerEntries, terminalId, epoch, stoppedVerdict, alarms } = readLedgerStatus(database)
    return {
      terminalId,
      epoch,
      merchant: identity.merchant,
      online: await connectIssuer(identity.issuerUrl).reachable(),
      unsynced: {
        count: unsynced.count,
        amountMinor: unsynced.amountMinor,
        ...(unsynced.oldestTime === undefined ? {} : { oldest: isoTime(unsynced.oldestTime) }),
      },
      inDoubt,
      ledgerEntries,
      alarms: {
        count: alarms.count,
        ...(alarms.newest === undefined ? {} : { newest: alarms.newest.detail, at: isoTime(alarms.newest.time) }),
      },
      ...(stoppedVerdict === undefined ? {} : { stopped: stoppedVerdict }),
    }
  } finally {
    close()
  }
}

const sync = async (options: DataOptions) => {
  requireIdentity(options.data)
  const terminal = openTerminal(options.data)
  const bar = new cliProgress.SingleBar(
    { format: 'sync {bar} {value}/{total} entries', stream: process.stderr, noTTYOutput: false, clearOnComplete: true },
    cliProgress.Presets.shades_classic,
  )
  try {
    const total = terminal.ledger.unsynced.count
    if (total > 0) bar.start(total, 0)
    return await syncOnce(terminal, connectIssuer(terminal.identity.issuerUrl), {
      makeSure: true,
      onBatch: ({ entries, left }) => {
        bar.setTotal(entries + left)
        bar.update(entries)
      },
    })
  } finally {
    bar.stop()
    terminal.close()
  }
}

interface SellOptions extends DataOptions {
  timeout: number
  grace: number
  count: number
  reader?: string
  age?: number
  print?: boolean
  language?: string
}

/** The printer of kiosk.json, and in which language it prints. */
const openPaper = ({ data, print, language }: SellOptions, settings: KioskSettings) => {
  if (print !== true) return undefined
  if (settings.printer === undefined)
    throw new CliError(exitStatus.usage, `--print needs a printer in ${data}/kiosk.json (docs/OPERATIONS.md, Printer).`)
  return { printer: openPrinter(settings.printer), language: language ?? settings.languages[0] ?? 'en' }
}

const outOfServiceSentences = {
  storage: 'The disk is nearly full: free some space.',
  closed: 'An operator has closed this kiosk: open it in operator mode.',
  stopped: 'The issuer takes no more from this terminal: enrol it again with a new code. Nothing is lost.',
  notEnrolled: 'Catalogue and hotlist have not come whole yet: publish at the issuer, then sync this terminal.',
  stale: 'What the issuer said last has expired: sync this terminal, or bring it news on a stick.',
} as const

const printerNotReady = (dataDir: string): string =>
  `The printer, on which the goods would come out, is not ready: "farthing doctor --data ${dataDir}" says why.`

/** One line of JSON a sale. Ends at the first that was not captured when nothing can change by waiting. */
const sell = async (itemId: string, options: SellOptions): Promise<void> => {
  requireIdentity(options.data)
  const settings = readKioskSettings(options.data)
  const readerName = options.reader ?? settings.reader
  const paper = openPaper(options, settings)
  const terminal = openTerminal(options.data)
  const stopping = new AbortController()
  void onStop().then(() => stopping.abort())
  const print = (sale: SaleLine) => {
    line(JSON.stringify(sale))
    if (sale.reason !== 'outOfService') return
    const reason = outOfServiceReason(terminal)
    note(`farthing: ${reason === undefined ? printerNotReady(options.data) : outOfServiceSentences[reason]}`)
  }
  let captured = 0
  try {
    await withReader(readerName, async (reader) => {
      for (let sold = 0; sold < options.count && !stopping.signal.aborted; sold += 1) {
        const sale = await sellOne({
          terminal,
          reader,
          itemId,
          timeoutMs: options.timeout * 1000,
          graceMs: options.grace * 1000,
          signal: stopping.signal,
          onSale: print,
          onWaiting: (what) => {
            if (process.stderr.isTTY) note(what === 'card' ? 'Waiting for a card...' : 'Put the same card back...')
          },
          onUnprinted: ({ message }) => note(`farthing: The receipt is not printed. ${message}`),
          ...(readerName === undefined ? {} : { readerName }),
          ...(options.age === undefined ? {} : { ageDeclared: options.age }),
          ...(paper === undefined ? {} : { paper }),
        })
        if (sale.outcome === 'captured') captured += 1
        else break
      }
    })
  } finally {
    await paper?.printer.close()
    terminal.close()
  }
  if (captured < options.count) process.exitCode = exitStatus.refused
}

/** Electron where its binary is, and Chromium without it elsewhere. */
const kioskCommand = (): { command: string; args: string[]; env: NodeJS.ProcessEnv } => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  if (!existsSync(`${root}/out/main/index.js`))
    throw new CliError(exitStatus.world, 'The kiosk is not built yet: run "npm run setup".')
  if (process.env.FARTHING_ELECTRON === '1') {
    const electron: unknown = createRequire(import.meta.url)('electron')
    if (typeof electron === 'string') return { command: electron, args: [root], env: process.env }
  }
  return { command: process.execPath, args: [`${root}/chromium/run.mjs`], env: process.env }
}

/** The kiosk is a process of its own; this one minds it. */
const run = async (options: DataOptions & { headless?: boolean }): Promise<void> => {
  requireIdentity(options.data)
  const { command, args, env } = kioskCommand()
  const all = [...args, ...(options.headless ? ['--headless'] : []), '--data', options.data]
  process.exitCode = await mind(() => spawn(command, all, { stdio: 'inherit', env }), exitStatus.world)
}

export const terminalCommands = (): Command => {
  const terminal = new Command('terminal').description('the kiosk, or a vending machine without a screen')

  terminal
    .command('enrol')
    .description('make this machine a terminal of an issuer, with a one-time code')
    .requiredOption(...dataOption)
    .requiredOption('--issuer <url>', "the issuer's address")
    .requiredOption('--code <code>', 'from "farthing issuer terminal add"; - for standard input')
    .action(async (options: DataOptions & { issuer: string; code: string }) => {
      if (!URL.canParse(options.issuer))
        throw new CliError(exitStatus.usage, `"${options.issuer}" is not an address such as https://issuer.example.`)
      const client = connectIssuer(options.issuer)
      const code = await readCode(options.code, 'enrolment code')
      const enrolment = await enrol({ dataDir: options.data, client, code })
      const opened = openTerminal(options.data)
      try {
        await fetchNews(opened, client)
      } catch (error) {
        if (!(error instanceof IssuerUnreachable)) throw error
        note(`Enrolled, but the catalogue has not come yet: ${error.message} The next sync fetches it.`)
      } finally {
        opened.close()
      }
      const { terminalId, epoch, merchant, currency, dev } = enrolment
      if (dev) note("WARNING: this issuer's master keys are published: play money only.")
      result(options, { terminalId, epoch, merchant, currency, dev }, () =>
        [
          `Terminal ${terminalId} of "${merchant}" in ${currency}, epoch ${epoch}.`,
          'Next: farthing terminal run --data DIR.',
        ].join('\n'),
      )
    })

  terminal
    .command('run')
    .description('the kiosk, until stopped')
    .requiredOption(...dataOption)
    .option('--headless', 'without a window, for tests')
    .action(run)

  terminal
    .command('sync')
    .description('send what was sold, fetch what is new')
    .requiredOption(...dataOption)
    .action(async (options: DataOptions) => {
      const done = await sync(options)
      if (done.stopped !== undefined) process.exitCode = exitStatus.refused
      if (done.hotlist === 'refused')
        note(
          'farthing: the issuer names a hotlist that is behind the one here, or has not got it (was it restored from a backup?). The one here stays in force and ages: run "farthing card renew-hotlist" at the issuer.',
        )
      result(options, done, () =>
        done.stopped === undefined
          ? `Sent ${done.entries} ${done.entries === 1 ? 'entry' : 'entries'} in ${done.batches} ${done.batches === 1 ? 'batch' : 'batches'}; ${done.exceptions} ${done.exceptions === 1 ? 'exception' : 'exceptions'}.`
          : `The issuer takes no more from this terminal (${done.stopped}): enrol it again with a new code. Nothing is lost.`,
      )
    })

  terminal
    .command('sell <item>')
    .description('sell one item to the card on the reader; one line of JSON a sale')
    .requiredOption(...dataOption)
    .option('--timeout <s>', 'how long to wait for a card', seconds, 60)
    .option('--grace <s>', 'how long to wait for the same card after it left too soon', seconds, 5)
    .option('--count <n>', 'how many sales', count, 1)
    .option('--reader <name>', 'the PC/SC reader; absent: that of kiosk.json, or any')
    .option('--age <years>', 'somebody sees to it that customers are at least so old', wholeNumber)
    .option('--print', 'print receipts, tickets, and goods that are a print, with the printer of kiosk.json')
    .option('--language <tag>', 'of what is printed; absent: the first of kiosk.json')
    .action(sell)

  terminal
    .command('status')
    .description('what the ledger holds and whether the issuer is there; works beside a running kiosk')
    .requiredOption(...dataOption)
    .action(async (options: DataOptions) => {
      const now = await status(options.data)
      const { currency } = requireIdentity(options.data)
      result(options, now, () =>
        [
          `Terminal ${now.terminalId} of "${now.merchant}", epoch ${now.epoch}: ${now.online ? 'online' : 'offline'}`,
          `${now.ledgerEntries} entries; ${now.unsynced.count} not yet settled, worth ${formatAmount(now.unsynced.amountMinor, currency)} ${currency}${now.unsynced.oldest === undefined ? '' : `, the oldest of ${here(now.unsynced.oldest)}`}`,
          `${now.inDoubt} in doubt: the next tap of their cards decides`,
          ...(now.alarms.at === undefined
            ? []
            : [
                `${now.alarms.count}${now.alarms.count < alarmsMax ? '' : ' or more'} times a card's answers were false or proved nothing, the newest of ${here(now.alarms.at)}: ${now.alarms.newest}`,
              ]),
          ...(now.stopped === undefined
            ? []
            : [`STOPPED (${now.stopped}): enrol this terminal again with a new code.`]),
        ].join('\n'),
      )
    })
  return terminal
}

/** Puts the till together from its parts, and takes it apart again. */
import packageJson from '../package.json' with { type: 'json' }
import { askCredits, askVoucher } from './inquiry.ts'
import { makeKiosk } from './kiosk/kiosk.ts'
import type { Kiosk } from './kiosk/kiosk-contract.ts'
import { readKioskSettings } from './kiosk/kiosk-settings.ts'
import { loadCard } from './load.ts'
import { openLogLines } from './operator/log-lines.ts'
import { openPrinter } from './printer/printer.ts'
import { openPcscReader } from './reader/pcsc-reader.ts'
import { connectIssuer } from './sync/issuer-client.ts'
import { startSync } from './sync/sync.ts'
import { openTerminal, realWorld } from './terminal.ts'

/** @throws LedgerFault, IdentityFault and others: each message says what to do */
export const openKiosk = async (options: {
  readonly dataDir: string
  readonly log: (message: string) => void
  /** Ends the process, so that whoever minds it starts it again. */
  readonly restart: () => void
}): Promise<Kiosk> => {
  const { dataDir } = options
  const said = openLogLines(() => new Date())
  const log = (message: string) => {
    said.add(message)
    options.log(message)
  }
  said.add(`Farthing ${packageJson.version} starts.`)
  const settings = readKioskSettings(dataDir)
  const terminal = openTerminal(dataDir, { ...realWorld, log })
  const reader = openPcscReader({})
  const client = connectIssuer(terminal.identity.issuerUrl)
  const kiosk = makeKiosk({
    terminal,
    reader,
    settings,
    loadDesk: {
      voucher: (code) => askVoucher(terminal, client, code),
      credits: async (cardId) =>
        (await askCredits(terminal, client, cardId)).map(({ reference, amountMinor }) => ({
          funding: reference,
          amountMinor,
        })),
      load: (channel, load) => loadCard(terminal, client, channel, load),
    },
    ...(settings.printer === undefined ? {} : { printer: openPrinter(settings.printer) }),
    restart: options.restart,
    version: packageJson.version,
    logLines: () => said.lines,
    log,
  })
  const sync = startSync(terminal, client, {
    busyTerminalSeq: kiosk.busyTerminalSeq,
    onChange: () => kiosk.attachSync(sync),
    onFault: (error) => log(error instanceof Error ? error.message : String(error)),
  })
  kiosk.attachSync(sync)
  return {
    ...kiosk,
    get state() {
      return kiosk.state
    },
    async close() {
      await kiosk.close()
      await sync.stop()
      await reader.close()
      terminal.close()
    },
  }
}

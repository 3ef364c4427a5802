/** `farthing doctor`: what this machine has and lacks, each with what to do about it. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { chromiumProgram, hasDisplay } from '../chromium/program.ts'
import { readLedgerStatus, requireChain } from '../db/ledger.ts'
import { asLedgerFault, openReadable } from '../db/open.ts'
import { readIdentity } from '../main/identity.ts'
import { readKioskSettings } from '../main/kiosk/kiosk-settings.ts'
import { openPrinter, PrinterFault } from '../main/printer/printer.ts'
import type { ReaderSnapshot } from '../main/reader/card-reader.ts'
import { openPcscReader } from '../main/reader/pcsc-reader.ts'
import { connectIssuer } from '../main/sync/issuer-client.ts'
import { exitStatus, result } from './output.ts'

interface Finding {
  readonly part: string
  readonly ok: boolean
  /** What was found; when not ok, what to do. */
  readonly detail: string
}

const diskFreeBytesMin = 200 * 1024 * 1024
/** How long the reader's process may take to say what is there. */
const readerMsMax = 4_000

const finding = (part: string, ok: boolean, detail: string): Finding => ({ part, ok, detail })

const node = (): Finding => finding('node', true, `${process.versions.node}, ABI ${process.versions.modules}`)

const readerModule = (): Finding => {
  try {
    createRequire(import.meta.url)('pcsclite')
    return finding('pcsclite', true, 'built for this Node')
  } catch {
    return finding('pcsclite', false, 'not built for this Node: run "npm run setup"')
  }
}

const readers = async (): Promise<Finding> => {
  const reader = openPcscReader()
  try {
    const snapshot = await new Promise<ReaderSnapshot>((resolve) => {
      const timer = setTimeout(() => resolve(reader.snapshot), readerMsMax)
      reader.subscribe((seen) => {
        if (seen.service !== 'up' || seen.slots.length === 0) return
        clearTimeout(timer)
        resolve(seen)
      })
    })
    if (snapshot.service === 'down') return finding('reader', false, snapshot.detail ?? 'no PC/SC service: start pcscd')
    if (snapshot.slots.length === 0) return finding('reader', false, 'no card reader is connected: plug one in')
    return finding('reader', true, snapshot.slots.map((slot) => `${slot.name}${slot.card ? ' (card)' : ''}`).join(', '))
  } finally {
    await reader.close()
  }
}

const chromium = (): Finding => {
  const path = chromiumProgram({ headless: !hasDisplay() })
  return existsSync(path)
    ? finding('chromium', true, path)
    : finding('chromium', false, `not at ${path}: install the package chromium, or set FARTHING_CHROMIUM`)
}

const app = (): Finding =>
  existsSync(fileURLToPath(new URL('../out/main/index.js', import.meta.url)))
    ? finding('app', true, 'built')
    : finding('app', false, 'not built: run "npm run setup"')

const said = (caught: unknown): string => {
  const error = asLedgerFault(caught)
  return error instanceof Error ? error.message : String(error)
}

const terminal = async (dataDir: string): Promise<Finding[]> => {
  try {
    const identity = readIdentity(dataDir)
    if (identity === undefined)
      return [finding('terminal', false, `${dataDir} is not enrolled: farthing terminal enrol --data ${dataDir} ...`)]
    const findings = [
      finding(
        'terminal',
        true,
        `${identity.terminalId} of "${identity.merchant}"${identity.dev ? ', PLAY MONEY' : ''}`,
      ),
    ]
    try {
      const { database, close } = openReadable(dataDir)
      try {
        requireChain(database)
        const { stoppedVerdict } = readLedgerStatus(database)
        findings.push(
          stoppedVerdict === undefined
            ? finding('ledger', true, 'whole, its chain holds')
            : finding('ledger', false, `stopped (${stoppedVerdict}): enrol this terminal again with a new code`),
        )
      } finally {
        close()
      }
    } catch (error) {
      findings.push(finding('ledger', false, said(error)))
    }
    accessSync(dataDir, constants.W_OK)
    const { bavail, bsize } = statfsSync(dataDir)
    const free = bavail * bsize
    findings.push(
      finding(
        'disk',
        free >= diskFreeBytesMin,
        `${Math.round(free / 1024 / 1024)} MB free${free >= diskFreeBytesMin ? '' : ': make room'}`,
      ),
    )
    const online = await connectIssuer(identity.issuerUrl).reachable()
    // Offline is a state of this product, not an illness.
    findings.push(
      finding(
        'issuer',
        true,
        `${identity.issuerUrl} ${online ? 'answers' : 'does not answer: the terminal sells offline'}`,
      ),
    )
    return findings
  } catch (error) {
    return [finding('terminal', false, said(error))]
  }
}

/** Nothing where none is set up. */
const printer = async (dataDir: string): Promise<Finding[]> => {
  try {
    const setting = readKioskSettings(dataDir).printer
    if (setting === undefined) return []
    const opened = openPrinter(setting)
    const status = await opened.status()
    await opened.close()
    const where = setting.tcp ?? setting.device ?? ''
    if (status !== 'ready') return [finding('printer', false, `${where}: ${new PrinterFault(status).message}`)]
    const detail = setting.answers ? 'is ready' : 'is there; it is not asked whether it has paper'
    return [finding('printer', true, `${where} ${detail}`)]
  } catch (error) {
    return [finding('printer', false, said(error))]
  }
}

export const doctorCommand = (): Command =>
  new Command('doctor')
    .description('what this machine has and lacks, and what to do about it')
    .option('--data <dir>', 'a terminal to look at too')
    .action(async (options: { data?: string; json?: boolean }) => {
      const findings = [
        node(),
        readerModule(),
        await readers(),
        chromium(),
        app(),
        ...(options.data === undefined ? [] : [...(await terminal(options.data)), ...(await printer(options.data))]),
      ]
      const ok = findings.every((found) => found.ok)
      if (!ok) process.exitCode = exitStatus.world
      result(options, { ok, findings }, () =>
        findings
          .map(({ part, ok: fine, detail }) => `${fine ? 'ok  ' : 'MEND'}  ${part.padEnd(9)} ${detail}`)
          .join('\n'),
      )
    })

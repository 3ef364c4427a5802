/** What an operator has printed, and copies of receipts. */
import type { PrinterState, PrintResult } from '../../preload/operator-contract.ts'
import type { PrintJob } from '../printer/print-job.ts'
import { PrinterFault } from '../printer/printer.ts'
import type { ReceiptSource } from '../receipt.ts'
import type { Terminal } from '../terminal.ts'
import type { OperatorParts } from './inside.ts'

export const makeOperatorPaper = ({ printer, log }: Pick<OperatorParts, 'printer' | 'log'>) => ({
  state: async (): Promise<PrinterState> => (printer === undefined ? 'none' : printer.status()),
  async print(job: PrintJob): Promise<PrintResult> {
    if (printer === undefined) return 'none'
    try {
      await printer.print(job)
      return 'printed'
    } catch (error) {
      if (!(error instanceof PrinterFault)) throw error
      log(`printer: ${error.message}`)
      return error.code
    }
  },
})
export type OperatorPaper = ReturnType<typeof makeOperatorPaper>

/** Whoever asks for a copy need not be who bought: it bears neither code nor claim. The card's next tap has both. */
export const copySource = ({ identity, issued, ledger }: Terminal, language: string): ReceiptSource => ({
  terminal: identity.terminalId,
  merchant: issued?.keyring.merchant ?? identity.merchant,
  currency: identity.currency,
  language,
  now: ledger.now(),
  copy: true,
})

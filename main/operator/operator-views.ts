/** What an operator sees, section by section. */
import type {
  Health,
  OperatorLook,
  OperatorSection,
  OperatorViews,
  ReceiptRow,
} from '../../preload/operator-contract.ts'
import { cardEnding } from '../card-id.ts'
import type { OperatorMode } from '../kiosk/modes.ts'
import { articleView, iso } from '../kiosk/views.ts'
import { receiptOf } from '../receipt.ts'
import { paperLanguageOf } from '../receipt-words.ts'
import { freeBytes } from '../terminal.ts'
import { dayFigures } from './day.ts'
import { findDrives } from './drives.ts'
import type { Inside } from './inside.ts'
import type { Levels } from './levels.ts'
import { copySource, type OperatorPaper } from './operator-paper.ts'

const receiptsPerPage = 20

const isoSeconds = (seconds: number): string => iso(seconds * 1000)

type Views = {
  readonly [S in OperatorSection]: (mode: OperatorMode, look: OperatorLook) => Promise<OperatorViews[S]>
}

export const makeOperatorViews = (
  { terminal, till, stick, version, logLines, write }: Inside,
  { levels, paper }: { readonly levels: Levels; readonly paper: OperatorPaper },
): Views => {
  const { ledger } = terminal

  const health = (): Health => {
    const { unsynced } = ledger
    const { issuerContactTime: contact, inDoubt } = ledger.status()
    const { inForce } = terminal.hotlist
    return {
      online: till.sync()?.online ?? false,
      ...(contact === 0 ? {} : { issuerContactAt: isoSeconds(contact) }),
      unsynced: {
        count: unsynced.count,
        amountMinor: unsynced.amountMinor,
        ...(unsynced.oldestTime === undefined ? {} : { oldestAt: isoSeconds(unsynced.oldestTime) }),
      },
      inDoubt,
      diskFreeBytes: freeBytes(terminal.dataDir),
      ...(inForce === undefined ? {} : { hotlistAsOf: isoSeconds(inForce.asOf) }),
      version,
      terminalId: terminal.identity.terminalId,
    }
  }

  const receiptRow = (terminalSeq: number, receiptNo: number): ReceiptRow => {
    const payment = ledger.intent(terminalSeq)
    const receipt = receiptOf(payment, copySource(terminal, 'en'))
    const item = JSON.parse(payment.itemJson ?? '{}') as { title: Readonly<Record<string, string>> }
    return {
      terminalSeq,
      receiptNo,
      number: receipt.number,
      at: isoSeconds(receipt.at),
      title: item.title,
      priceMinor: receipt.priceMinor,
      taxBasisPoints: receipt.taxBasisPoints,
      taxMinor: receipt.taxMinor,
      cardEnding: cardEnding(payment.cardId),
      balanceMinor: receipt.balanceMinor,
      state: payment.refunded ? 'refunded' : receipt.state,
    }
  }

  const receipts = (before: number | undefined): OperatorViews['receipts'] => {
    const lines = ledger.receipts({ countMax: receiptsPerPage + 1, ...(before === undefined ? {} : { before }) })
    return {
      rows: lines.slice(0, receiptsPerPage).map(({ terminalSeq, receiptNo }) => receiptRow(terminalSeq, receiptNo)),
      older: lines.length > receiptsPerPage,
    }
  }

  const outOfService = (): Pick<OperatorViews['device'], 'outOfService'> => {
    const reason = till.outOfService()
    return reason === undefined ? {} : { outOfService: reason }
  }

  return {
    today: async () => ({ figures: dayFigures(terminal), health: health() }),
    receipts: async (_mode, look) => receipts(look.section === 'receipts' ? look.before : undefined),
    exchange: async () => ({ health: health(), drives: findDrives(stick) }),
    device: async () => ({
      ...levels.percents(),
      ...(ledger.closedFor === undefined ? {} : { closed: ledger.closedFor }),
      ...outOfService(),
      printer: await paper.state(),
      canLoad: till.canLoad(),
      // As the page speaks those that kiosk.json names otherwise, such as "de-AT".
      languages: [...new Set(levels.languages().map(paperLanguageOf))],
    }),
    stock: async (mode) => {
      write(mode, 'stock')
      return {
        rows: (terminal.issued?.catalogue.offerings() ?? []).map(({ article, stock }) => articleView(article, stock)),
      }
    },
    logs: async (mode) => {
      write(mode, 'logs')
      return { lines: logLines() }
    },
  }
}

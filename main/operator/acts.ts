/** What an operator does at the screen, act by act: each is an entry of the journal, durable before its effect. */
import type { OperatorAct, OperatorResult } from '../../preload/operator-contract.ts'
import type { OperatorMode } from '../kiosk/modes.ts'
import { receiptOf } from '../receipt.ts'
import type { CardTasks } from './card-tasks.ts'
import { closeDay } from './day.ts'
import type { Exchange } from './exchange.ts'
import { type Inside, nameOf } from './inside.ts'
import { isSpoken, type Levels } from './levels.ts'
import { copySource, type OperatorPaper } from './operator-paper.ts'
import { dayReport, testSaleReport } from './reports.ts'

export const ignored: OperatorResult = { outcome: 'ignored' }
const done: OperatorResult = { outcome: 'done' }

/** What the acts are done with. */
interface Tools {
  readonly levels: Levels
  readonly paper: OperatorPaper
  readonly exchange: Exchange
  readonly tasks: CardTasks
}

export const makeActs = (
  { terminal, till, restart, open, write }: Inside,
  { levels, paper, exchange, tasks }: Tools,
) => {
  const { ledger } = terminal

  const testSale = async (itemId: string, language: string): Promise<OperatorResult> => {
    const goods = terminal.issued?.catalogue.prepare(itemId) ?? 'unknown'
    if (typeof goods === 'string') return { outcome: 'testSale', goods }
    return {
      outcome: 'testSale',
      goods: 'ready',
      bytes: goods.content?.length ?? 0,
      priceMinor: goods.item.priceMinor,
      print: await paper.print(testSaleReport(terminal, goods.item, language)),
    }
  }

  return async (mode: OperatorMode, asked: OperatorAct): Promise<OperatorResult> => {
    const operator = nameOf(mode)
    switch (asked.act) {
      case 'dayClose': {
        const closed = closeDay(terminal, operator)
        const report = dayReport(terminal, closed, { operator: operator.name, language: asked.language })
        const { title, lines, rows } = report
        return { outcome: 'report', title, lines, rows, print: await paper.print(report) }
      }
      case 'testSale':
        write(mode, 'testSale', { itemId: asked.itemId })
        return testSale(asked.itemId, asked.language)
      case 'reprint': {
        const payment = ledger.sale(asked.terminalSeq)
        if (payment === undefined) return ignored
        write(mode, 'reprint', { terminalSeq: asked.terminalSeq })
        const receipt = receiptOf(payment, copySource(terminal, asked.language))
        return { outcome: 'printed', print: await paper.print({ kind: 'receipt', receipt }) }
      }
      case 'refund': {
        const refund = ledger.refund(asked.terminalSeq, { operator, reason: asked.reason })
        if (refund.outcome === 'refused') return { outcome: 'refundRefused', reason: refund.reason }
        return {
          outcome: 'refunded',
          amountMinor: Number(refund.entry.details?.amountMinor),
          sent: await exchange.sendActs(),
        }
      }
      case 'export':
      case 'import':
        write(mode, asked.act, { drive: asked.drive })
        return asked.act === 'export' ? exchange.exportTo(asked.drive) : exchange.importFrom(asked.drive)
      case 'sync':
        write(mode, 'sync')
        return exchange.syncNow()
      case 'outOfService':
        write(mode, 'outOfService', { reason: asked.reason })
        return done
      case 'inService':
        write(mode, 'inService')
        return done
      case 'restart':
        if (restart === undefined) return ignored
        write(mode, 'restart')
        restart()
        return done
      case 'volume':
      case 'brightness':
        write(mode, asked.act, { percent: asked.percent })
        levels.setPercent(asked.act, asked.percent)
        return done
      case 'languages':
        if (!asked.languages.every(isSpoken)) return ignored
        write(mode, 'languages', { languages: asked.languages.join(' ') })
        levels.setLanguages(asked.languages)
        return done
      case 'printerTest':
        write(mode, 'printerTest')
        return {
          outcome: 'printed',
          print: await paper.print({
            kind: 'test',
            language: asked.language,
            merchant: terminal.issued?.keyring.merchant ?? terminal.identity.merchant,
            now: ledger.now(),
          }),
        }
      case 'readerTest':
        write(mode, 'readerTest')
        tasks.begin(mode, { kind: 'readerTest', phase: 'tap' })
        return done
      case 'load':
        if (!till.canLoad()) return ignored
        tasks.begin(mode, { kind: 'load', phase: 'tap', amountMinor: asked.amountMinor })
        return done
      case 'endTask':
        open(mode)
        return done
    }
  }
}

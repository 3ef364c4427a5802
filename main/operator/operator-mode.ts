/**
 * Operator mode: who may enter, what it shows, and what is done there (docs/OPERATIONS.md, At the kiosk: operator mode). The till's
 * table (main/kiosk/modes.ts) says when; every act is an entry of the journal, durable before its effect.
 */
import type { JournalOperator, NewJournalEntry } from '../../db/journal.ts'
import type { PinKey } from '../../preload/contract.ts'
import type {
  DeskLoadProblem,
  Health,
  LeftFile,
  OperatorAct,
  OperatorLook,
  OperatorResult,
  OperatorSection,
  OperatorTask,
  OperatorViews,
  PrinterState,
  PrintResult,
  ReceiptRow,
} from '../../preload/operator-contract.ts'
import { toHex } from '../../protocol/bytes.ts'
import { isOperatorPin, type Operator, operatorPinDigits } from '../../protocol/operator.ts'
import { type CardId, cardId } from '../../protocol/quantities.ts'
import { cardEnding } from '../card-id.ts'
import type { Statement } from '../kiosk/card-statement.ts'
import { allows, isInside, type OperatorMode, placeOf, rulesOf } from '../kiosk/modes.ts'
import { type Till, waitMs } from '../kiosk/till.ts'
import type { LoadDesk } from '../kiosk/top-up.ts'
import { articleView, iso } from '../kiosk/views.ts'
import type { PrintJob } from '../printer/print-job.ts'
import { type Printer, PrinterFault } from '../printer/printer.ts'
import { openSession } from '../purchase/purchase.ts'
import { type CardChannel, CardFault, type PresentCard } from '../reader/card-reader.ts'
import { receiptOf } from '../receipt.ts'
import { paperLanguageOf, paperLanguages } from '../receipt-words.ts'
import { exportBatches } from '../stick/export.ts'
import { StickFault } from '../stick/stick.ts'
import { takeFromStick } from '../stick/take.ts'
import { IssuerRefused, IssuerUnreachable } from '../sync/issuer-client.ts'
import { freeBytes, type Terminal } from '../terminal.ts'
import { closeDay, dayFigures } from './day.ts'
import { findDrives } from './drives.ts'
import { operatorOf } from './operator-of.ts'
import { pinRetryTime } from './pin-guard.ts'
import { dayReport, testSaleReport } from './reports.ts'

const receiptsPerPage = 20

export interface OperatorParts {
  readonly terminal: Terminal
  readonly printer?: Printer | undefined
  readonly loadDesk?: LoadDesk | undefined
  /** A folder of kiosk.json that stands for a stick. */
  readonly stick?: string | undefined
  /** Of kiosk.json: until an operator chooses. */
  readonly languages: readonly string[]
  readonly version: string
  readonly logLines: () => readonly string[]
  /** Ends the process so that it is started again; absent: nobody would. */
  readonly restart?: (() => void) | undefined
  readonly log: (message: string) => void
}

const nameOf = ({ operator }: OperatorMode): JournalOperator => ({
  cardId: cardId(operator.cardId),
  name: operator.name,
})

const isoSeconds = (seconds: number): string => iso(seconds * 1000)

export const makeOperatorMode = (parts: OperatorParts, till: Till) => {
  const { terminal, printer, loadDesk, log } = parts
  const { ledger } = terminal
  /** As far as they were typed; gone as soon as the till does something else. */
  let digits = ''
  let acting = false
  /** What was set last; the journal has it. */
  let languages = languagesSet(terminal) ?? parts.languages
  const percents = { volume: percentSet(terminal, 'volume'), brightness: percentSet(terminal, 'brightness') }

  const endsAtMs = () => Date.now() + waitMs.operator
  const write = (mode: OperatorMode, act: NewJournalEntry['act'], details?: NewJournalEntry['details']) =>
    ledger.writeJournal({ act, operator: nameOf(mode), ...(details === undefined ? {} : { details }) })

  /** Inside: with what waits for a card or was done with one, if anything. */
  const open = ({ operator }: Pick<OperatorMode, 'operator'>, task?: OperatorTask) => {
    const phase = task?.phase === 'tap' || task?.phase === 'working' ? task.phase : 'open'
    till.enter({ name: 'operator', operator, phase, ...(task === undefined ? {} : { task }), endsAtMs: endsAtMs() })
  }

  /** Where the wrong PINs so far leave this card. */
  const guarded = (operator: Operator): Pick<OperatorMode, 'phase'> & { readonly retryAtMs?: number } => {
    const wrong = ledger.wrongPins(cardId(operator.cardId))
    const retry = pinRetryTime(wrong)
    // The till's clock counts down, the ledger's decides.
    if (retry > ledger.now()) return { phase: 'waiting', retryAtMs: Date.now() + (retry - ledger.now()) * 1000 }
    return { phase: wrong.count === 0 ? 'entering' : 'wrong' }
  }

  const invite = (operator: Operator, statement?: Statement) => {
    digits = ''
    till.enter({
      name: 'operator',
      operator,
      ...(statement === undefined ? {} : { statement }),
      ...guarded(operator),
      endsAtMs: endsAtMs(),
    })
  }

  const check = async (asked: OperatorMode) => {
    const typed = digits
    digits = ''
    const { operator, statement } = asked
    if (await isOperatorPin(operator, typed)) {
      write(asked, 'enter')
      open(asked)
    } else {
      write(asked, 'wrongPin')
      invite(operator, statement)
    }
  }

  const key = (pressed: PinKey) => {
    const mode = till.mode()
    if (mode.name !== 'operator' || !allows(mode, 'operatorKey')) return
    if (pressed === 'enter') {
      if (digits.length < operatorPinDigits.min) return
      till.enter({ ...mode, phase: 'checking' })
      return till.serve(
        () => check(mode),
        () => till.leave(),
      )
    }
    if (pressed === 'back') digits = digits.slice(0, -1)
    else if (digits.length < operatorPinDigits.max) digits += pressed
    till.enter({ ...mode, phase: 'entering', endsAtMs: endsAtMs() })
  }

  const print = async (job: PrintJob): Promise<PrintResult> => {
    if (printer === undefined) return 'none'
    try {
      await printer.print(job)
      return 'printed'
    } catch (error) {
      if (!(error instanceof PrinterFault)) throw error
      log(`printer: ${error.code}`)
      return error.code
    }
  }

  const printerState = async (): Promise<PrinterState> => (printer === undefined ? 'none' : printer.status())

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
      version: parts.version,
      terminalId: terminal.identity.terminalId,
    }
  }

  const receiptRow = (terminalSeq: number, receiptNo: number): ReceiptRow => {
    const payment = ledger.intent(terminalSeq)
    const receipt = receiptOf(payment, receiptSource('en'))
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

  const receiptSource = (language: string) => ({
    terminal: terminal.identity.terminalId,
    merchant: terminal.issued?.keyring.merchant ?? terminal.identity.merchant,
    currency: terminal.identity.currency,
    language,
    now: ledger.now(),
    // Whoever asks for a copy need not be who bought: it bears neither code nor claim. The card's next tap has both.
    copy: true,
  })

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

  const views: {
    readonly [S in OperatorSection]: (mode: OperatorMode, look: OperatorLook) => Promise<OperatorViews[S]>
  } = {
    today: async () => ({ figures: dayFigures(terminal), health: health() }),
    receipts: async (_mode, look) => receipts(look.section === 'receipts' ? look.before : undefined),
    exchange: async () => ({ health: health(), drives: findDrives(parts.stick) }),
    device: async () => ({
      ...percents,
      ...(ledger.closedFor === undefined ? {} : { closed: ledger.closedFor }),
      ...outOfService(),
      printer: await printerState(),
      canLoad: till.canLoad(),
      // As the page speaks those that kiosk.json names otherwise, such as "de-AT".
      languages: [...new Set(languages.map(paperLanguageOf))],
    }),
    stock: async (mode) => {
      write(mode, 'stock')
      return {
        rows: (terminal.issued?.catalogue.offerings() ?? []).map(({ article, stock }) => articleView(article, stock)),
      }
    },
    logs: async (mode) => {
      write(mode, 'logs')
      return { lines: parts.logLines() }
    },
  }

  /** The folder if it is one of those that are there now: the page names no other. */
  const stickWork = (drive: string, work: (dir: string) => OperatorResult): OperatorResult => {
    if (!findDrives(parts.stick).some(({ path }) => path === drive)) return { outcome: 'stickFault', problem: 'gone' }
    try {
      return work(drive)
    } catch (error) {
      if (!(error instanceof StickFault)) throw error
      log(error.message)
      return { outcome: 'stickFault', problem: stickProblem(error) }
    }
  }

  const exportTo = (dir: string): OperatorResult => {
    const { files, refused } = exportBatches(terminal, dir)
    for (const { file, sentence } of refused) log(`${file}: ${sentence}`)
    return { outcome: 'exported', files: files.length, refused: refused.map(leftFile) }
  }

  const importFrom = (dir: string): OperatorResult => {
    const taken = takeFromStick(terminal, dir)
    for (const { file, sentence } of taken.refused) log(`${file}: ${sentence}`)
    return {
      outcome: 'imported',
      answers: taken.answers,
      entries: taken.entries,
      journals: taken.journals,
      documents: (taken.bulletin === undefined ? 0 : 1) + (taken.keyring === undefined ? 0 : 1),
      goods: taken.goods,
      waiting: taken.waiting,
      exportAgain: taken.exportAgain,
      stopped: taken.stopped !== undefined,
      refused: taken.refused.map(leftFile),
    }
  }

  const syncNow = async (): Promise<OperatorResult> => {
    try {
      const result = await till.sync()?.now()
      if (result === undefined) return { outcome: 'syncFailed', problem: 'unreachable' }
      if (result.stopped !== undefined) return { outcome: 'syncFailed', problem: 'stopped' }
      const { entries, exceptions, journals = 0 } = result
      return { outcome: 'synced', entries, exceptions, journals }
    } catch (error) {
      if (error instanceof IssuerUnreachable) return { outcome: 'syncFailed', problem: 'unreachable' }
      if (error instanceof IssuerRefused) return { outcome: 'syncFailed', problem: 'refused' }
      throw error
    }
  }

  const testSale = async (itemId: string, language: string): Promise<OperatorResult> => {
    const goods = terminal.issued?.catalogue.prepare(itemId) ?? 'unknown'
    if (typeof goods === 'string') return { outcome: 'testSale', goods, print: 'none' }
    return {
      outcome: 'testSale',
      goods: 'ready',
      bytes: goods.content?.length ?? 0,
      priceMinor: goods.item.priceMinor,
      print: await print(testSaleReport(terminal, goods.item, language)),
    }
  }

  const ignored: OperatorResult = { outcome: 'ignored' }
  const done: OperatorResult = { outcome: 'done' }

  const perform = async (mode: OperatorMode, asked: OperatorAct): Promise<OperatorResult> => {
    const operator = nameOf(mode)
    switch (asked.act) {
      case 'dayClose': {
        const closed = closeDay(terminal, operator)
        const report = dayReport(terminal, closed, { operator: operator.name, language: asked.language })
        const { title, lines, rows } = report
        return { outcome: 'report', title, lines, rows, print: await print(report) }
      }
      case 'testSale':
        write(mode, 'testSale', { itemId: asked.itemId })
        return testSale(asked.itemId, asked.language)
      case 'reprint': {
        const payment = ledger.sale(asked.terminalSeq)
        if (payment === undefined) return ignored
        write(mode, 'reprint', { terminalSeq: asked.terminalSeq })
        const receipt = receiptOf(payment, receiptSource(asked.language))
        return { outcome: 'printed', print: await print({ kind: 'receipt', receipt }) }
      }
      case 'refund': {
        const refund = ledger.refund(asked.terminalSeq, { operator, reason: asked.reason })
        if (refund.outcome === 'refused') return { outcome: 'refundRefused', reason: refund.reason }
        till.sync()?.nudge()
        return { outcome: 'refunded', amountMinor: Number(refund.entry.details?.amountMinor) }
      }
      case 'export':
      case 'import':
        write(mode, asked.act, { drive: asked.drive })
        return stickWork(asked.drive, asked.act === 'export' ? exportTo : importFrom)
      case 'sync':
        write(mode, 'sync')
        return syncNow()
      case 'outOfService':
        write(mode, 'outOfService', { reason: asked.reason })
        return done
      case 'inService':
        write(mode, 'inService')
        return done
      case 'restart':
        if (parts.restart === undefined) return ignored
        write(mode, 'restart')
        parts.restart()
        return done
      case 'volume':
      case 'brightness':
        write(mode, asked.act, { percent: asked.percent })
        percents[asked.act] = asked.percent
        return done
      case 'languages':
        if (!asked.languages.every(isSpoken)) return ignored
        write(mode, 'languages', { languages: asked.languages.join(' ') })
        languages = asked.languages
        return done
      case 'printerTest':
        write(mode, 'printerTest')
        return {
          outcome: 'printed',
          print: await print({
            kind: 'test',
            language: asked.language,
            merchant: terminal.issued?.keyring.merchant ?? terminal.identity.merchant,
            now: ledger.now(),
          }),
        }
      case 'readerTest':
        write(mode, 'readerTest')
        open(mode, { kind: 'readerTest', phase: 'tap' })
        till.look()
        return done
      case 'load':
        if (!till.canLoad()) return ignored
        open(mode, { kind: 'load', phase: 'tap', amountMinor: asked.amountMinor })
        till.look()
        return done
      case 'endTask':
        open(mode)
        return done
    }
  }

  const act = async (asked: OperatorAct): Promise<OperatorResult> => {
    const mode = till.mode()
    if (mode.name !== 'operator' || !allows(mode, 'operatorAct') || acting) return ignored
    // Taken back, or reported lost, while its holder is inside.
    if (operatorOf(terminal, cardId(mode.operator.cardId)) === undefined) {
      leave()
      return ignored
    }
    // A card is waited for: first that ends.
    if (mode.phase === 'tap' && asked.act !== 'endTask') return ignored
    acting = true
    try {
      const result = await perform(mode, asked)
      const now = till.mode()
      // Not touched meanwhile: the time begins anew, and what changed is told.
      if (now === mode) till.enter({ ...mode, endsAtMs: endsAtMs() })
      return result
    } finally {
      acting = false
    }
  }

  const testReader = (mode: OperatorMode, card: PresentCard) =>
    card.use(async (channel) => {
      const session = await openSession(terminal, channel)
      open(mode, {
        kind: 'readerTest',
        phase: 'done',
        reader: card.readerName,
        atr: toHex(card.atr),
        ...(session === undefined ? {} : { cardEnding: cardEnding(session.info.cardId) }),
      })
    })

  const load = async (mode: OperatorMode, channel: CardChannel, amountMinor: number) => {
    const failed = (problem: DeskLoadProblem) => open(mode, { kind: 'load', phase: 'failed', amountMinor, problem })
    const session = await openSession(terminal, channel)
    if (session === undefined || loadDesk === undefined) return failed('notAPurse')
    const { info } = session
    write(mode, 'load', { amountMinor, cardId: info.cardId })
    try {
      const outcome = await loadDesk.load(channel, { amountMinor })
      till.sync()?.nudge()
      if (outcome.outcome === 'captured') {
        const credits = await loadCredits(loadDesk, channel, info.cardId)
        return open(mode, {
          kind: 'load',
          phase: 'done',
          amountMinor,
          ...(credits.creditsMinor === 0 ? {} : { creditsMinor: credits.creditsMinor }),
          balanceMinor: credits.balanceMinor ?? outcome.balanceAfterMinor,
          cardEnding: cardEnding(info.cardId),
        })
      }
      if (outcome.outcome === 'inDoubt') return failed('inDoubt')
      switch (outcome.reason) {
        case 'notAPurse':
        case 'cardSuspect':
        case 'cardBlocked':
        case 'wrongCurrency':
        case 'overBalanceMax':
        case 'cardLost':
          return failed(outcome.reason)
        default:
          return failed('refused')
      }
    } catch (error) {
      if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused)) throw error
      log(`load: ${error.message}`)
      return failed('unanswered')
    }
  }

  /** What the card is owed comes with its next load, which this one is. Whatever stops it, the cash is loaded, and the rest waits. */
  const loadCredits = async (desk: LoadDesk, channel: CardChannel, card: CardId) => {
    let creditsMinor = 0
    let balanceMinor: number | undefined
    try {
      for (const credit of await desk.credits(card)) {
        const outcome = await desk.load(channel, credit)
        if (outcome.outcome !== 'captured') break
        creditsMinor += credit.amountMinor
        balanceMinor = outcome.balanceAfterMinor
      }
    } catch (error) {
      if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused || error instanceof CardFault))
        throw error
      log(`credits: ${error.message}`)
    }
    return { creditsMinor, balanceMinor }
  }

  /** The card that a task waits for has come. */
  const take = (mode: OperatorMode, card: PresentCard) => {
    const { task } = mode
    if (task === undefined || task.phase !== 'tap') return
    open(mode, { ...task, phase: 'working' })
    till.serve(
      () =>
        task.kind === 'readerTest'
          ? testReader(mode, card)
          : card.use((channel) => load(mode, channel, task.amountMinor)),
      () => open(mode, task.kind === 'readerTest' ? task : { ...task, phase: 'failed', problem: 'cardLost' }),
    )
  }

  const leave = (details?: { readonly untouched: true }) => {
    const mode = till.mode()
    // While a card is worked with, or the PIN is looked at, nobody leaves: what comes of it would open the desk again.
    if (mode.name !== 'operator' || !allows(mode, 'operatorLeave')) return
    // Who only saw the keys was never in.
    if (isInside(mode)) write(mode, 'leave', details)
    till.leave()
  }

  return {
    invite,
    key,
    act,
    leave,
    /** @param muteReader where a card lies that gave no answer to its reset */
    meet(mode: OperatorMode, cards: readonly PresentCard[], muteReader: string | undefined) {
      if (rulesOf[placeOf(mode)].card !== 'task') return
      const card = cards.find((candidate) => !till.seen.has(candidate))
      if (card !== undefined) {
        till.seen.add(card)
        take(mode, card)
      } else if (muteReader !== undefined && mode.task?.kind === 'readerTest')
        open(mode, { kind: 'readerTest', phase: 'done', reader: muteReader })
    },
    get digits() {
      return digits.length
    },
    forget() {
      digits = ''
    },
    async look(asked: OperatorLook): Promise<OperatorViews[OperatorSection] | undefined> {
      const mode = till.mode()
      if (mode.name !== 'operator' || !isInside(mode)) return undefined
      if (mode.phase === 'open') till.enter({ ...mode, endsAtMs: endsAtMs() })
      return views[asked.section](mode, asked)
    },
    languages: () => languages,
    /** 0 to 1. */
    levels: () => ({ volume: percents.volume / 100, brightness: percents.brightness / 100 }),
  }
}

const leftFile = ({ file, problem }: LeftFile): LeftFile => ({ file, problem })

/** What an operator chose last, as far as this program still speaks it. */
const languagesSet = ({ ledger }: Terminal): readonly string[] | undefined => {
  const chosen = ledger.newestAct(['languages'])?.details?.languages
  const known = typeof chosen === 'string' ? chosen.split(' ').filter(isSpoken) : []
  return known.length === 0 ? undefined : known
}

const isSpoken = (language: string): boolean => paperLanguages.some((known) => known === language)

const percentSet = ({ ledger }: Terminal, act: 'volume' | 'brightness'): number => {
  const percent = ledger.newestAct([act])?.details?.percent
  return typeof percent === 'number' ? percent : 100
}

const stickProblem = ({ cause }: StickFault): 'gone' | 'full' | 'readOnly' | 'broken' => {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'full'
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'readOnly'
    case 'ENOENT':
    case 'ENOTDIR':
      return 'gone'
    default:
      return 'broken'
  }
}

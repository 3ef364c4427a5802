/**
 * Holds what the kiosk said and showed against the cards and the ledger's file. Knows nothing of the kiosk's code: only its
 * files, its pushed states, and the words on the screen.
 */
import Database from 'better-sqlite3'
import { ledgerPath } from '../../db/open.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { balanceChangeMinor, type CardRecord, parseRecord, recordLength } from '../../protocol/record.ts'
import { dictionaryOf } from '../../renderer/language/language.ts'
import type { Seen } from './watched-page.ts'

interface Intent {
  readonly type: string
  readonly state: string
  readonly goods: string
  readonly record: string
  readonly receipt: number | null
  readonly epoch: number
  readonly itemId: string | null
}

/** What must be said where something was decided; undefined: nothing was. */
const wordsDue = ({ screen, phase, text, language }: Extract<Seen, { from: 'page' }>): readonly string[] => {
  const words = dictionaryOf(language)
  switch (screen) {
    case 'declined':
      return [words.declined.notCharged]
    case 'recover':
      return phase === 'working' || text.includes(words.recover.working)
        ? []
        : [phase === 'wrongCard' ? words.recover.wrongCardWhy : words.recover.waitingWhy]
    case 'pin':
      return phase === 'wrong' ? [words.pin.wrong] : phase === 'wrongCard' ? [words.recover.wrongCard] : []
    case 'top-up': {
      if (phase !== 'failed') return []
      const { problem, failed, unsure } = words.topUp
      const nobodyKnows = [problem.inDoubt, problem.unanswered].some((sentence) => text.includes(sentence))
      return [nobodyKnows ? unsure : failed]
    }
    case 'out-of-service':
      return [words.outOfService.notCharged]
    default:
      return []
  }
}

const euros = (amountMinor: number, language: string): string =>
  new Intl.NumberFormat(dictionaryOf(language).locale, { style: 'currency', currency: 'EUR' }).format(amountMinor / 100)

export const openAuditor = (kiosk: {
  readonly dataDir: string
  readonly terminalId: string
  /** Goods of it are a print. */
  readonly isPrint: (itemId: string) => boolean
  /** Whether the printer cut off a page that has this word on it; a page that is a picture may have it. */
  readonly printed: (word: string) => boolean
}) => {
  /** Every record that a card ever showed: its log keeps the last ten only. */
  const records = new Map<string, Map<number, CardRecord>>()
  /** By receipt number: which item, and which code was shown with it. */
  const receipts = new Map<string, { readonly itemId: string; readonly code: string | undefined }>()
  const itemsShown = new Set<string>()
  /** Codes that were said to have come out of the printer. */
  const printsDue = new Set<string>()
  /** Receipts of prints that failed while the card left: nobody knows whether their reversal took effect. */
  const printsFailed = new Set<string>()
  const counts = new Map<string, number>()
  const complaints: string[] = []
  let approvedMinor: number | undefined
  let screenOfMain = 'browse'
  let screenOfPage = ''
  /** The goods that main shows are nowhere, and the customer is to hear what to do. */
  let toldToComeBack = false

  const complain = (what: string) => complaints.push(what)
  const intentsOf = (cardId: string): Intent[] => {
    const ledger = new Database(ledgerPath(kiosk.dataDir), { readonly: true })
    try {
      return ledger
        .prepare(
          `SELECT type, state, goods, lower(hex(record)) AS record, receipt_no AS receipt, epoch, item_json ->> 'id' AS itemId
           FROM intent WHERE card_id = ? ORDER BY terminal_seq`,
        )
        .all(cardId) as Intent[]
    } finally {
      ledger.close()
    }
  }

  const note = (card: TestCard) => {
    const known = records.get(card.id) ?? new Map<number, CardRecord>()
    records.set(card.id, known)
    for (const { record } of card.state.log) {
      const told = parseRecord(fromHex(record, recordLength))
      known.set(told.counter, told)
    }
    return known
  }

  const hearMain = ({ screen }: Extract<Seen, { from: 'main' }>) => {
    screenOfMain = screen.name
    if (screen.name !== 'approved' && screen.name !== 'goods') return
    const { goods } = screen
    const { item, contentUrl, code, claimUrl } = goods
    toldToComeBack = contentUrl === undefined && code === undefined && claimUrl === undefined
    if (toldToComeBack && !kiosk.isPrint(item.id))
      complain(`${screen.name}: ${item.id} was paid, and there is nothing to take along`)
    itemsShown.add(item.id)
    if (screen.name !== 'approved') return
    approvedMinor = screen.amountMinor
    if (screen.receipt === undefined) return complain('approved without a receipt')
    const known = receipts.get(screen.receipt.number)
    if (known !== undefined && known.itemId !== item.id)
      complain(`receipt ${screen.receipt.number} stands for two sales`)
    const given = [...receipts].find(
      ([number, sale]) => code !== undefined && sale.code === code && number !== screen.receipt?.number,
    )
    if (given !== undefined)
      complain(`${code} was given out twice: with receipts ${given[0]} and ${screen.receipt.number}`)
    receipts.set(screen.receipt.number, { itemId: item.id, code })
    if (screen.printed === true) printsDue.add(code ?? `a print of ${item.id} without a code`)
    if (toldToComeBack) printsFailed.add(screen.receipt.number)
  }

  const hearPage = (seen: Extract<Seen, { from: 'page' }>) => {
    const { screen, phase, text, language } = seen
    if (screen !== screenOfPage) counts.set(screen, (counts.get(screen) ?? 0) + 1)
    screenOfPage = screen
    const due = [...wordsDue(seen)]
    if (screen === 'approved' && approvedMinor !== undefined)
      due.push(dictionaryOf(language).approved.paid(euros(approvedMinor, language)))
    if (screen === 'goods' && toldToComeBack) due.push(dictionaryOf(language).goods.owedTodo)
    for (const words of due)
      if (!text.includes(words)) complain(`${screen} ${phase} (${language}) does not say "${words}": ${text}`)
  }

  /** The card against itself, and what it did here against the ledger. */
  const holdCard = (card: TestCard, intents: readonly Intent[]) => {
    const all = [...note(card).values()]
    if (all.length !== card.state.counter) complain(`${card.id}: ${card.state.counter} movements, ${all.length} seen`)
    const sum = all.reduce((before, { order }) => before + balanceChangeMinor(order), 0)
    if (sum !== card.state.balanceMinor)
      complain(`${card.id} holds ${card.state.balanceMinor}, its movements say ${sum}`)
    for (const { record } of card.state.log) {
      const here = parseRecord(fromHex(record, recordLength)).order.terminalId === kiosk.terminalId
      const known = intents.some((intent) => intent.record === record && intent.state !== 'void')
      if (here && !known) complain(`${card.id} was moved, and the ledger does not know: ${record}`)
    }
  }

  /** What the ledger captured was done by the card, was said on a screen, and its goods were handed over or stand as a claim. */
  const holdCapture = (card: TestCard, intent: Intent) => {
    const { counter } = parseRecord(fromHex(intent.record, recordLength))
    if (!records.get(card.id)?.has(counter))
      complain(`the ledger captured what ${card.id} did not do: ${intent.record}`)
    if (intent.type !== 'payment' || intent.state !== 'captured') return
    const number = `${intent.epoch}-${intent.receipt}`
    const sale = `${card.id} paid for ${intent.itemId} (${number})`
    if (!receipts.has(number)) complain(`${sale}, and no screen said so`)
    if (intent.goods !== 'released' && intent.goods !== 'owed') complain(`${sale}, and its goods are ${intent.goods}`)
    if (printsFailed.has(number) && intent.goods !== 'owed') complain(`${sale}, and its print that failed is no debt`)
  }

  return {
    complaints,
    counts,
    note,
    hear(seen: readonly Seen[]) {
      for (const one of seen)
        if (one.from === 'main') hearMain(one)
        else if (one.from === 'page') hearPage(one)
        else complain(one.what)
    },
    /** Nothing is under way: the page shows what main wants. */
    expectOneScreen() {
      const browsing = ['attract', 'catalogue', 'item'].includes(screenOfPage)
      if (screenOfMain === 'browse' ? !browsing : screenOfMain !== screenOfPage)
        complain(`main shows ${screenOfMain}, its page ${screenOfPage}`)
    },
    /** A customer went: his cards against the ledger. @returns those of which a payment is still in doubt */
    settle(cards: readonly TestCard[]): TestCard[] {
      const bought = new Set<string>()
      const doubtful = new Set<TestCard>()
      for (const card of cards) {
        const intents = intentsOf(card.id)
        holdCard(card, intents)
        for (const intent of intents) {
          if (intent.state === 'open') doubtful.add(card)
          if (intent.state !== 'captured' && intent.state !== 'reversed') continue
          holdCapture(card, intent)
          if (intent.itemId !== null && intent.state === 'captured') bought.add(intent.itemId)
        }
      }
      for (const itemId of itemsShown)
        if (!bought.has(itemId)) complain(`${itemId} was shown, and none of his cards paid for it`)
      itemsShown.clear()
      for (const code of printsDue) if (!kiosk.printed(code)) complain(`the print of ${code} never came`)
      printsDue.clear()
      return [...doubtful]
    },
  }
}
export type Auditor = ReturnType<typeof openAuditor>

/**
 * What must be true after a crash, whenever it came: the terminal starts, the card's next tap tells the truth, goods are
 * handed over once or owed, every code is sold or for sale, and card, ledger and books agree to the cent.
 */
import { existsSync } from 'node:fs'
import { ledgerPath } from '../../db/open.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { report } from '../../issuer/report.ts'
import { enrol } from '../../main/enrol.ts'
import { identityPath } from '../../main/identity.ts'
import { loadCard } from '../../main/load.ts'
import { itemOf } from '../../main/payment.ts'
import { finishOpen } from '../../main/purchase/purchase.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import type { Terminal } from '../../main/terminal.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { CardRecord } from '../../protocol/record.ts'
import { examine, readLedger } from './examine.ts'
import { buy } from './flows.ts'
import { type Shop, type ShopCard, shopTerminalId, terminalFolder } from './shop.ts'

/** By record, in hex: what was handed over for it, each time. */
export type Handed = Map<string, string[]>

export const noteHanded = (handed: Handed, record: string, goods: string): void => {
  handed.set(record, [...(handed.get(record) ?? []), goods])
}

/** The children's marks "handed RECORD GOODS". */
export const handedIn = (marks: readonly string[]): Handed => {
  const handed: Handed = new Map()
  for (const mark of marks) {
    const [, record, goods] = /^handed (\S+) (.*)$/.exec(mark) ?? []
    if (record !== undefined && goods !== undefined) noteHanded(handed, record, goods)
  }
  return handed
}

type Told = CardRecord & { readonly hex: string }

/** Payments on the card that no reversal follows, oldest first. */
export const paidOn = (card: ShopCard): readonly Told[] => {
  const records = [...card.records].reverse()
  const undone = new Set(records.flatMap(({ order }) => (order.type === 'reversal' ? [order.reference] : [])))
  return records.filter(({ order, counter }) => order.type === 'payment' && !undone.has(counter))
}

/** What of a shop is there without the issuer. */
export type Offline = Pick<Shop, 'folder' | 'cards'>

/** @returns the sentences of what is wrong now, between the restart and the next tap too */
export const ledgerProblems = (shop: Offline): readonly string[] =>
  examine(readLedger(ledgerPath(terminalFolder(shop.folder))), shop.cards, shopTerminalId)

const handOver = (
  terminal: Terminal,
  payment: { record: Uint8Array; itemJson: string | undefined },
  handed: Handed,
) => {
  const goods = terminal.issued?.catalogue.goodsOf(itemOf(payment))
  if (goods === undefined) throw new Error('the goods are not here')
  noteHanded(handed, toHex(payment.record), goods.code ?? Buffer.from(goods.content ?? []).toString('utf8'))
}

/** The customer comes back and buys nothing. */
export const tapAgain = async (terminal: Terminal, card: ShopCard, handed: Handed): Promise<readonly string[]> => {
  const balanceMinor = card.balanceMinor
  const outcome = await finishOpen(terminal, card.channel())
  const problems = card.balanceMinor === balanceMinor ? [] : ['a tap that buys nothing moved money']
  switch (outcome.outcome) {
    case 'captured': {
      const record = toHex(outcome.payment.record)
      if (!paidOn(card).some((paid) => paid.hex === record))
        problems.push('told that it was paid, and the card did not pay')
      if (outcome.goods === 'due') {
        handOver(terminal, outcome.payment, handed)
        terminal.ledger.markReleased(outcome.payment.terminalSeq)
      }
      return problems
    }
    case 'clear':
      return problems
    case 'notAPurse':
      // Before the first news a terminal knows no card, sells nothing, and says so.
      return terminal.issued === undefined ? problems : [...problems, 'an honest card is taken for a stranger']
    default:
      return [...problems, `an honest card is told: ${outcome.outcome}`]
  }
}

export const sellTo = async (terminal: Terminal, card: ShopCard, itemId: string, handed: Handed): Promise<boolean> => {
  const goods = terminal.issued?.catalogue.prepare(itemId)
  if (goods === 'outOfStock') return false
  const outcome = await buy(terminal, card.channel(), itemId)
  if (outcome.outcome !== 'captured' || outcome.recovered) throw new Error(`not sold: ${JSON.stringify(outcome)}`)
  handOver(terminal, outcome.payment, handed)
  terminal.ledger.markReleased(outcome.payment.terminalSeq)
  return true
}

/** Every payment has its goods or they are owed; a reversed one never had any; each code went to one payment. */
export const goodsProblems = (shop: Offline, handed: Handed): readonly string[] => {
  const { intents } = readLedger(ledgerPath(terminalFolder(shop.folder)))
  const problems: string[] = []
  const paid = new Set(shop.cards.flatMap(paidOn).map(({ hex }) => hex))
  const owed = new Set(intents.flatMap(({ goods, record }) => (goods === 'owed' ? [toHex(record)] : [])))
  const before = new Set(intents.flatMap(({ goods, record }) => (goods === 'released' ? [toHex(record)] : [])))
  for (const record of paid)
    if (!handed.has(record) && !owed.has(record) && !before.has(record)) problems.push(`paid, and no goods: ${record}`)
  for (const [record, goods] of handed) {
    if (!paid.has(record)) problems.push(`goods for what was not paid: ${record}`)
    if (owed.has(record)) problems.push(`goods that are owed were handed over: ${record}`)
    if (new Set(goods).size !== 1) problems.push(`other goods the second time: ${goods.join()}`)
  }
  const buyers = new Map<string, string>()
  for (const [record, [goods = '']] of handed)
    if (/^[A-Z]+-\d$/.test(goods)) {
      if (buyers.has(goods)) problems.push(`the code ${goods} went to two buyers`)
      buyers.set(goods, record)
    }
  return problems
}

/** Books, cards and ledger, to the cent. */
export const bookProblems = async (shop: Shop, terminal: Terminal): Promise<readonly string[]> => {
  const told = await report(shop.issuer)
  const problems = [...(await auditBooks(shop.issuer))]
  const expect = (what: string, is: number, should: number) => {
    if (is !== should) problems.push(`${what} is ${is}, and should be ${should}`)
  }
  for (const card of shop.cards) {
    const booked = told.cards.find(({ cardId }) => cardId === card.id)
    expect(`the booked balance of ${card.id}`, booked?.balanceMinor ?? 0, card.balanceMinor)
    expect(`the booked counter of ${card.id}`, booked?.counter ?? 0, card.state.counter)
    expect(`holes of ${card.id}`, booked?.holes.length ?? 0, 0)
    expect(`alarms of ${card.id}`, booked?.alarms.length ?? 0, 0)
  }
  const paidMinor = shop.cards.flatMap(paidOn).reduce((sum, { order }) => sum + order.amountMinor, 0)
  expect('payable', told.totals.payableMinor, paidMinor)
  expect('exceptions', told.totals.exceptions, 0)
  expect('alarms', told.terminals.flatMap(({ alarms }) => alarms).length, 0)
  expect('entries that wait', terminal.ledger.unsynced.count, 0)
  return problems
}

/** Enrolled as far as the crash allowed, otherwise anew. */
const startAgain = async (shop: Shop): Promise<Terminal> => {
  const dataDir = terminalFolder(shop.folder)
  if (!existsSync(identityPath(dataDir)))
    await enrol({ dataDir, client: shop.client, code: await shop.enrolmentCode() })
  return shop.openTerminal(50)
}

/** Syncs; the issuer may have begun an epoch of which the terminal never heard, and then a technician enrols it again. */
export const bringInStep = async (shop: Shop, terminal: Terminal): Promise<Terminal> => {
  await syncOnce(terminal, shop.client)
  if (terminal.ledger.stoppedVerdict === undefined) return terminal
  terminal.close()
  await enrol({ dataDir: terminal.dataDir, client: shop.client, code: await shop.enrolmentCode() })
  const enrolled = shop.openTerminal(51)
  await syncOnce(enrolled, shop.client)
  return enrolled
}

/** Goes on selling: a load that never came has its counter used, and every code finds its buyer. */
const sellOut = async (shop: Shop, terminal: Terminal, handed: Handed): Promise<void> => {
  const [first, second] = shop.cards
  for (const card of shop.cards)
    if (card.balanceMinor === 0) await loadCard(terminal, shop.client, card.channel(), { amountMinor: 2000 })
  await sellTo(terminal, first, 'map', handed)
  while (await sellTo(terminal, second, 'wifi', handed));
}

/**
 * Restarts and goes on as a shop would.
 * @param handed by the process, before it died
 * @returns sentences; none: all is well
 */
export const aftermath = async (shop: Shop, handed: Handed): Promise<readonly string[]> => {
  const problems: string[] = []
  let terminal = await startAgain(shop)
  try {
    problems.push(...ledgerProblems(shop))
    for (const card of shop.cards) problems.push(...(await tapAgain(terminal, card, handed)))
    problems.push(...ledgerProblems(shop))
    terminal = await bringInStep(shop, terminal)
    await sellOut(shop, terminal, handed)
    problems.push(...ledgerProblems(shop), ...goodsProblems(shop, handed))
    await syncOnce(terminal, shop.client)
    problems.push(...(await bookProblems(shop, terminal)))
  } finally {
    terminal.close()
  }
  // Quick check, chain and copies once more, as every start does.
  shop.openTerminal(60).close()
  return problems
}

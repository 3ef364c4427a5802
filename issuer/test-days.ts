/**
 * For tests: some days of sales at some kiosks, with the troubles that operators meet: a kiosk that went silent, a wrong
 * price, a batch that is missing, a copied card, a doubt.
 */
import { businessDayAt, dayAfter, dayBegins } from './console-api/days.ts'
import { type Bench, newCard, newTerminal, publish, type TestCard, type TestTerminal } from './test-support.ts'

const merchants = ['Harbour Museum', 'Old Town Books', 'Café Central', 'City Transit'] as const
const prices = [50, 80, 120, 250, 400] as const
/** How many of a day's sales fall into each hour, from 8 to 20. */
const hours = [2, 4, 6, 8, 9, 7, 6, 7, 9, 8, 5, 3] as const

/** A small generator with a seed (mulberry32), so that the same days come again. */
const chanceOf = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export interface Days {
  readonly terminals: readonly TestTerminal[]
  readonly cards: readonly TestCard[]
  /** Silent for the last two days. */
  readonly silent: TestTerminal
}

/** Fills a bench up to its clock. `days` before today, `sales` a kiosk and day. */
export const makeDays = async (
  bench: Bench,
  size: { readonly kiosks: number; readonly days: number; readonly sales: number; readonly cards: number },
): Promise<Days> => {
  const { issuer, clock } = bench
  const chance = chanceOf(7)
  const pick = <Each>(from: readonly Each[]): Each => {
    const picked = from[Math.floor(chance() * from.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }
  const end = clock.seconds
  const today = businessDayAt(end, issuer.book.timeZone).day
  clock.seconds = dayBegins(dayAfter(today, -size.days - 1), issuer.book.timeZone)
  const items = await Promise.all(prices.map((price, at) => publish(issuer, `item-${at + 1}`, price)))
  const terminals: TestTerminal[] = []
  for (let at = 0; at < size.kiosks; at += 1) terminals.push(await newTerminal(issuer, pick(merchants)))
  const [first, second] = terminals
  const silent = terminals.at(-1)
  if (first === undefined || second === undefined || silent === undefined) throw new Error('two kiosks at least')
  const cards: TestCard[] = []
  for (let at = 0; at < size.cards; at += 1) {
    const card = await newCard(issuer)
    const made = await first.load(card, 5000 + Math.floor(chance() * 10) * 1000)
    await first.sync(first.entry(made))
    cards.push(card)
  }
  for (let ago = size.days; ago >= 0; ago -= 1) {
    const begins = dayBegins(dayAfter(today, -ago), issuer.book.timeZone)
    for (const terminal of terminals) {
      const entries: Uint8Array[] = []
      const busy = 0.4 + chance()
      for (const [hour, weight] of hours.entries()) {
        const sales = Math.round((weight / 74) * size.sales * busy)
        for (let sale = 0; sale < sales; sale += 1) {
          const at = begins + (8 + hour) * 3600 + Math.floor((sale / Math.max(sales, 1)) * 3600)
          if (at >= end) continue
          clock.seconds = at
          const item = pick(items)
          const card = pick(cards)
          if (card.balanceMinor < item.priceMinor) continue
          const made = card.pay(terminal, item, chance() < 0.004 ? item.priceMinor + 30 : item.priceMinor)
          // Not every record comes: a hole.
          if (chance() < 0.003) continue
          entries.push(terminal.entry(made))
          if (chance() < 0.01) entries.push(terminal.entry(card.reverse(made)))
        }
      }
      if (entries.length === 0 || (terminal === silent && ago < 2)) continue
      const bytes = terminal.batch(...entries)
      // One that never came.
      if (terminal === second && ago === 2) continue
      clock.seconds = Math.min(begins + 21 * 3600, end)
      await terminal.send(bytes)
    }
  }
  clock.seconds = end
  // A copy of a card, which buys what its original bought otherwise.
  const [card] = cards
  const [item] = items
  if (card !== undefined && item !== undefined) {
    card.balanceMinor = Math.max(card.balanceMinor, 1000)
    const copy = card.copy()
    await first.sync(first.entry(card.pay(first, item)))
    await second.sync(second.entry(copy.pay(second, item)))
    await second.sync(second.entry(card.pay(second, item), 'inDoubt'))
    // A proof of another record.
    const forged = { ...copy.pay(second, item), settlementMac: card.pay(second, item).settlementMac }
    await second.sync(second.entry(forged))
  }
  return { terminals, cards, silent }
}

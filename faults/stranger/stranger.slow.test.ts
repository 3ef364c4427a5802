/**
 * Strangers at the real kiosk, one after the other: the built page in Chromium, the real reader, an issuer that comes and goes.
 * After each of them cards, ledger, goods and words are held against each other; when all have gone, issuer and cards are.
 * FARTHING_FAULT_SEED chooses other strangers, FARTHING_SOAK_MINUTES=N more of them.
 * Run it inside `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run faults/stranger`; `npm test` does.
 */
import { expect, test } from 'vitest'
import { plugIntoVpcd } from '../../card/vpcd.ts'
import { launchKiosk } from '../../e2e/launch.ts'
import { virtualReaders } from '../../e2e/system.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { report } from '../../issuer/report.ts'
import { startTestPrinter } from '../../main/printer/test-printer.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal } from '../../main/terminal.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import { seededNumbers } from '../reader/fault-list.ts'
import { soakMinutes } from '../reader/soak-minutes.ts'
import { openAuditor } from './auditor.ts'
import { openShop, type Shop, type ShopItem } from './shop.ts'
import { customer, type Street, touchesAgain } from './stranger.ts'
import { watchPage } from './watched-page.ts'

const seed = Number(process.env.FARTHING_FAULT_SEED ?? 1)
const customersMin = 6
const stepsMax = 30
/** Customers in one soaking process: its kiosk is then begun anew, as every night. */
const customersADay = 400

const items: readonly ShopItem[] = [
  {
    file: { name: 'map.md', bytes: Buffer.from('# The harbour\n\nTwelve sights.') },
    id: 'map',
    priceMinor: 250,
    title: { en: 'Walking map', de: 'Stadtplan' },
  },
  {
    file: { name: 'codes.txt', bytes: Buffer.from(Array.from({ length: 500 }, (_, at) => `WIFI-${at}`).join('\n')) },
    id: 'wifi',
    kind: 'code',
    priceMinor: 100,
    title: { en: 'Wi-Fi for a day' },
  },
  {
    file: { name: 'print.txt', bytes: Buffer.from(Array.from({ length: 500 }, (_, at) => `COUPON-${at}`).join('\n')) },
    id: 'print',
    kind: 'code',
    priceMinor: 75,
    title: { en: 'A coupon' },
    display: { printed: true },
  },
  {
    file: { name: 'dear.md', bytes: Buffer.from('Dear.') },
    id: 'dear',
    priceMinor: 9900,
    title: { en: 'A dear thing' },
  },
]

/** In good order, at the start screen: what is in doubt is decided by this tap. */
const comeBack = async (street: Street, card: TestCard) => {
  card.reset()
  const plug = plugIntoVpcd({ port: virtualReaders[0].port, purse: card.purse })
  await street.page.until(['balance', 'approved', 'declined'], 20_000)
  await plug.pull()
  await street.page.passTime(300_000)
  await street.page.until(['attract'], 5000)
  street.auditor.hear(await street.page.drain())
}

const day = async (seed: number, endsAtMs: number) => {
  const printer = await startTestPrinter()
  const shop = await openShop({ items, settings: { printer: { tcp: `127.0.0.1:${printer.port}` } } })
  const kiosk = await launchKiosk({ dataDir: shop.dataDir })
  const printed = (word: string) =>
    printer.jobs.some(
      ({ cut, printed }) =>
        cut &&
        printed.some((one) => (one.kind === 'text' ? one.text.split(/\s+/).includes(word) : one.kind === 'picture')),
    )
  const isPrint = (itemId: string) => items.some(({ id, display }) => id === itemId && display?.printed === true)
  const auditor = openAuditor({ dataDir: shop.dataDir, terminalId: shop.terminalId, isPrint, printed })
  const trace: string[] = []
  const street: Street = {
    shop,
    page: await watchPage(kiosk.page),
    auditor,
    printer,
    random: seededNumbers(seed),
    regulars: new Set(),
    log: (what) => trace.push(what),
    answers: [],
  }
  const all = new Set<TestCard>()
  let count = 0
  try {
    while (count < customersMin || (count < customersADay && performance.now() < endsAtMs)) {
      count += 1
      trace.push(`customer ${count}`)
      for (const card of await customer(street, { steps: 4 + street.random(stepsMax) })) all.add(card)
      expect(auditor.complaints).toEqual([])
    }
    await shop.startIssuer()
    for (const card of street.regulars) await comeBack(street, card)
    expect(auditor.settle([...all])).toEqual([])
    expect(auditor.complaints).toEqual([])
    expect(await kiosk.close()).toBe(0)
    expect(kiosk.errorOutput()).not.toMatch(/the page is/)
    await expectSettled(shop, [...all])
  } catch (error) {
    throw new Error(
      `seed ${seed}, customer ${count}:\n${trace.slice(-40).join('\n')}\n${kiosk.errorOutput().slice(-500)}`,
      {
        cause: error,
      },
    )
  } finally {
    await kiosk.close()
    await shop.close()
    await printer.close()
  }
  const answers = street.answers.toSorted((a, b) => a.ms - b.ms)
  const again = trace.flatMap((what, at) => (what === touchesAgain ? [trace.slice(Math.max(0, at - 4), at)] : []))
  return { count, screens: Object.fromEntries(auditor.counts), slowest: answers.at(-1), again }
}

/**
 * By card, loads that the issuer has authorised and the card never took: a terminal's word alone takes no money back, the
 * card's next counter does (PROTOCOL.md, Loads).
 */
const loadsAhead = async ({ issuer }: Shop, cards: readonly TestCard[]): Promise<ReadonlyMap<string, number>> => {
  const loads = await issuer.store.read((db) =>
    db
      .selectFrom('load_authorisation')
      .innerJoin('card', 'card.card_no', 'load_authorisation.card_no')
      .select(['card_id', 'counter', 'amount_minor'])
      .where('state', '=', 'standing')
      .execute(),
  )
  const aheadOf = ({ id, state }: TestCard): number =>
    loads
      .filter(({ card_id, counter }) => card_id === id && counter > state.counter)
      .reduce((sum, { amount_minor }) => sum + amount_minor, 0)
  return new Map(cards.map((card) => [card.id, aheadOf(card)]))
}

/** The issuer hears everything, and says of every card what the card says. */
const expectSettled = async (shop: Shop, cards: readonly TestCard[]) => {
  const terminal = openTerminal(shop.dataDir)
  try {
    await syncOnce(terminal, connectIssuer(terminal.identity.issuerUrl))
  } finally {
    terminal.close()
  }
  const books = await report(shop.issuer)
  const told = new Map(books.cards.map(({ cardId, balanceMinor }) => [cardId, balanceMinor]))
  const ahead = await loadsAhead(shop, cards)
  for (const { id, state } of cards)
    if (told.has(id))
      expect({ id, balanceMinor: told.get(id) }).toEqual({
        id,
        balanceMinor: state.balanceMinor + (ahead.get(id) ?? 0),
      })
  // A card that came here blocked was blocked by a terminal of nobody's; no money is in that.
  const exceptions = books.terminals.flatMap((terminal) => terminal.exceptions)
  expect(exceptions.filter(({ reason, amountMinor }) => reason !== 'terminal' || amountMinor !== 0)).toEqual([])
  expect(books.terminals.map(({ inDoubt }) => inDoubt)).toEqual(books.terminals.map(() => 0))
  expect(await auditBooks(shop.issuer)).toEqual([])
}

test(
  'whatever strangers do: nobody is charged without goods, nothing goes unpaid, every screen can be left',
  async () => {
    const endsAtMs = performance.now() + soakMinutes * 60_000
    for (let next = seed; next === seed || performance.now() < endsAtMs; next += 1) {
      const { count, screens, slowest, again } = await day(next, endsAtMs)
      console.log(`seed ${next}: ${count} strangers:`, screens, 'slowest answer:', slowest)
      console.log('touched twice, and what came before:', again)
    }
  },
  120_000 + soakMinutes * 2 * 60_000,
)

/**
 * For tests: a month of some kiosks of three merchants with planted faults, played through the issuer's HTTP interface, and what
 * truly happened in it. The same seed gives the same month.
 */
import type { Acknowledgement } from '../protocol/acknowledgement.ts'
import { openAcknowledgement } from '../protocol/acknowledgement.ts'
import type { Item } from '../protocol/item.ts'
import { type LoadAnswer, openLoadAnswer } from '../protocol/load.ts'
import { terminalId, zeroMac } from '../protocol/quantities.ts'
import { publish } from './bulletin-publisher.ts'
import { addItem } from './catalogue.ts'
import { setFee, setMerchant } from './closing/payees.ts'
import { businessDayAt, dayAfter, dayBegins } from './console-api/days.ts'
import { addVoucherLot, makeVoucherCodes } from './funding.ts'
import type { Issuer } from './issuer.ts'
import { addMerchant, addTerminal, startEpoch } from './parties.ts'
import type { Falsehood, Happening, MonthFacts, Rate, UnreachedLoad } from './test-month-oracle.ts'
import { type Bench, type Made, newCard, type TestCard, TestTerminal } from './test-support.ts'

/** With the end of summer time in it. */
export const firstDay = '2026-10-01'
export const lastDay = '2026-10-31'
const days = 31
const cardsOfAllDays = 16
const salesADay = 3
const voucherMinor = 4000
const by = { name: 'test' }

const merchants = ['Harbour Museum', 'Old Town Books', 'Café Central'] as const
type Merchant = (typeof merchants)[number]
const ibans: Readonly<Record<Merchant, string>> = {
  'Harbour Museum': 'AT611904300234573201',
  'Old Town Books': 'DE89370400440532013000',
  'Café Central': 'NO9386011117947',
}
const rates: Readonly<Record<Merchant, readonly Rate[]>> = {
  'Harbour Museum': [{ fromDay: firstDay, basisPoints: 250, fixedMinor: 3 }],
  'Old Town Books': [
    { fromDay: firstDay, basisPoints: 185, fixedMinor: 0 },
    { fromDay: '2026-10-16', basisPoints: 220, fixedMinor: 5 },
  ],
  'Café Central': [{ fromDay: firstDay, basisPoints: 0, fixedMinor: 10 }],
}

/** A small generator with a seed (mulberry32). */
const chanceOf = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Speaks to the issuer over HTTP. */
class Kiosk extends TestTerminal {
  readonly merchant: Merchant
  readonly #url: string
  /** Until the evening. */
  pending: Uint8Array[] = []

  constructor(about: { issuer: Issuer; id: string; epoch: number; merchant: Merchant; url: string }) {
    super(about.issuer, terminalId(about.id), about.epoch)
    this.merchant = about.merchant
    this.#url = about.url
  }

  async post(path: string, bytes: Uint8Array): Promise<Uint8Array> {
    const answer = await fetch(`${this.#url}${path}`, { method: 'POST', body: Uint8Array.from(bytes) })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return new Uint8Array(await answer.arrayBuffer())
  }

  override async send(bytes: Uint8Array): Promise<Acknowledgement> {
    return openAcknowledgement(this.key(), await this.post('/v1/batches', bytes))
  }

  override async askLoad(request: Uint8Array): Promise<LoadAnswer> {
    return openLoadAnswer(this.key(), await this.post('/v1/loads', request))
  }
}

export interface Month {
  readonly facts: MonthFacts
  readonly clonedCard: string
  /** The refused answer to a voucher whose time was over. */
  readonly voucherVerdict: string
  /** The batch that was left behind. */
  deliver(): Promise<Acknowledgement>
}

interface Player {
  readonly issuer: Issuer
  readonly clock: { seconds: number }
  readonly chance: () => number
  readonly kiosks: readonly Kiosk[]
  readonly items: readonly Item[]
  readonly happenings: Happening[]
  readonly vouchers: string[]
}

const within = (chance: () => number, from: number, until: number): number =>
  from + Math.floor(chance() * (until - from + 1))

const pick = <Each>(chance: () => number, from: readonly Each[]): Each => {
  const picked = from[Math.floor(chance() * from.length)]
  if (picked === undefined) throw new Error('nothing to pick from')
  return picked
}

type Fate = Partial<Pick<Happening, 'heardOn' | 'byCourier' | 'wrongPrice' | 'cash'>>

const note = (player: Player, made: Made, kiosk: Kiosk, fate: Fate): void => {
  const { order, identity, counter, balanceAfterMinor } = made.record
  const { type } = order
  if (type !== 'load' && type !== 'payment' && type !== 'reversal') throw new Error(`a month has no ${type}`)
  player.happenings.push({
    cardId: identity.cardId,
    counter,
    kind: type,
    amountMinor: order.amountMinor,
    balanceAfterMinor,
    terminalId: kiosk.id,
    merchant: kiosk.merchant,
    ...fate,
  })
}

const offer = async (issuer: Issuer, title: string, priceMinor: number): Promise<Item> => {
  const id = title.toLowerCase().replaceAll(' ', '-')
  const file = { name: `${id}.txt`, bytes: new TextEncoder().encode(title) }
  return (await addItem(issuer, { id, file, priceMinor, title: { en: title } })).item
}

/** Some minutes go by. */
const wait = ({ clock, chance }: Player): void => {
  clock.seconds += within(chance, 60, 420)
}

const today = ({ issuer, clock }: Player): string => businessDayAt(clock.seconds, issuer.book.timeZone).day

const load = async (player: Player, card: TestCard, kiosk: Kiosk, amount: number, voucher?: string): Promise<void> => {
  wait(player)
  const made = await kiosk.load(card, amount, voucher)
  kiosk.pending.push(kiosk.entry(made))
  note(player, made, kiosk, { heardOn: today(player), cash: voucher === undefined })
}

/** A sale that its kiosk brings in the evening. */
const sell = (player: Player, card: TestCard, kiosk: Kiosk, item: Item = pick(player.chance, player.items)): Made => {
  wait(player)
  const made = card.pay(kiosk, item)
  kiosk.pending.push(kiosk.entry(made))
  note(player, made, kiosk, { heardOn: today(player) })
  return made
}

/** One of which nobody hears, or by another way. */
const sellUnheard = (player: Player, card: TestCard, kiosk: Kiosk, fate: Fate = {}): Made => {
  wait(player)
  const made = card.pay(kiosk, pick(player.chance, player.items))
  note(player, made, kiosk, fate)
  return made
}

const playOrdinary = async (player: Player, cards: readonly TestCard[], open: readonly Kiosk[]): Promise<void> => {
  const { chance } = player
  for (const kiosk of open)
    for (let sale = 0; sale < salesADay; sale += 1) {
      const card = pick(chance, cards)
      if (card.balanceMinor < 3000)
        await (chance() < 0.3
          ? load(player, card, kiosk, within(chance, 4, 12) * 500)
          : load(player, card, kiosk, voucherMinor, player.vouchers.pop()))
      const made = sell(player, card, kiosk)
      if (chance() >= 0.06) continue
      const reversal = card.reverse(made)
      kiosk.pending.push(kiosk.entry(reversal))
      note(player, reversal, kiosk, { heardOn: today(player) })
    }
}

const syncAll = async ({ clock }: Player, kiosks: readonly Kiosk[]): Promise<void> => {
  for (const kiosk of kiosks) {
    clock.seconds += 30
    await kiosk.sync(...kiosk.pending)
    kiosk.pending = []
  }
}

/**
 * Plays the month up to the evening of its last day.
 * @param bench with an empty store; its clock is moved
 * @param url of the issuer's server
 */
export const playMonth = async (
  bench: Bench,
  { url, seed }: { readonly url: string; readonly seed: number },
): Promise<Month> => {
  const { issuer, clock } = bench
  const chance = chanceOf(seed)
  const zone = issuer.book.timeZone
  clock.seconds = dayBegins(firstDay, zone) + 6 * 3600
  const kiosks: Kiosk[] = []
  for (const merchant of merchants) {
    await addMerchant(issuer, merchant)
    await setMerchant(issuer, { merchant, details: { iban: ibans[merchant], town: 'Graz', country: 'AT' }, by })
    for (const rate of rates[merchant]) await setFee(issuer, { merchant, rate, by })
    for (let at = 0; at < 2; at += 1) {
      const { terminalId: id } = await addTerminal(issuer, { merchant })
      const { epoch } = await startEpoch(issuer, id)
      kiosks.push(new Kiosk({ issuer, id, epoch, merchant, url }))
    }
  }
  const items: Item[] = []
  for (let at = 1; at <= 6; at += 1)
    items.push(await offer(issuer, `Map of walk ${at}`, within(chance, 5, 96) * 10 + 9))
  const tour = await offer(issuer, 'Guided tour', within(chance, 64, 79) * 100)
  await publish(issuer)
  const vouchers = makeVoucherCodes(issuer, 250)
  const ample = { codes: vouchers, amountMinor: voucherMinor, expiresAt: clock.seconds + 365 * 86_400 }
  await addVoucherLot(issuer, by, { ...ample, paidReference: 'sold at the tourist office' })
  const player: Player = { issuer, clock, chance, kiosks, items, happenings: [], vouchers }

  // Who is who, and on which day what happens.
  const shuffled = kiosks.map((kiosk) => ({ kiosk, order: chance() })).toSorted((a, b) => a.order - b.order)
  const [lost, late, ...others] = shuffled.map(({ kiosk }) => kiosk)
  if (lost === undefined || late === undefined) throw new Error('two kiosks at least')
  const other = () => pick(chance, others)
  const lostFrom = within(chance, 14, 20)
  const lateOn = within(chance, 7, 12)
  const wrongOn = within(chance, 5, 26)
  const cloneOn = within(chance, 5, 26)
  const forgedOn = within(chance, 5, 26)
  const unreachedOn = within(chance, 5, 26)
  const voucherOn = within(chance, 20, 28)

  const cards: TestCard[] = []
  for (let at = 0; at < cardsOfAllDays; at += 1) cards.push(await newCard(issuer))
  const freshCard = async (kiosk: Kiosk): Promise<TestCard> => {
    const card = await newCard(issuer)
    for (let at = 0; at < 3; at += 1) await load(player, card, kiosk, voucherMinor, player.vouchers.pop())
    return card
  }
  const codes = makeVoucherCodes(issuer, 2)
  const lot = { codes, amountMinor: voucherMinor, paidReference: 'sold to a school' }
  await addVoucherLot(issuer, by, { ...lot, expiresAt: dayBegins(dayAfter(firstDay, 17), zone) })

  const falsehoods: Falsehood[] = []
  const unreached: UnreachedLoad[] = []
  let clonedCard = ''
  let voucherVerdict = ''
  let lateBatch: Uint8Array = new Uint8Array()
  let lateEntries = 0
  /** Cards that go on somewhere else on a later day: only then the gap shows. */
  const goOn: { readonly day: number; readonly card: TestCard }[] = []
  /** Its customers who are seen later: one record, two records, shown by a tap, by a claim; and never again. */
  const lostWays = ['one', 'two', 'tap', 'claim', 'never', ...(chance() < 0.5 ? ['one'] : ['two'])] as const

  for (let day = 0; day < days; day += 1) {
    const begins = dayBegins(dayAfter(firstDay, day), zone)
    clock.seconds = begins + 9 * 3600
    const open = kiosks.filter((kiosk) => kiosk !== lost || day < lostFrom)
    const mayBeLate = open.filter((kiosk) => kiosk !== late || day !== lateOn)
    await playOrdinary(player, cards, mayBeLate)
    if (day === 3) await load(player, await freshCard(other()), other(), voucherMinor, codes[0])

    if (day === lostFrom) {
      for (const way of lostWays) {
        const card = await freshCard(other())
        // What is right before the gap is held: on some cards it is a payment.
        if (chance() < 0.6) sell(player, card, other())
        const brought = way === 'tap' || way === 'claim' ? { heardOn: today(player), byCourier: true } : {}
        const made = sellUnheard(player, card, lost, brought)
        if (way === 'two') sellUnheard(player, card, lost)
        if (way === 'tap') {
          const kiosk = other()
          kiosk.pending.push(kiosk.entry(made, 'witness'))
        }
        if (way === 'claim') {
          const claim = lost.claim(made, issuer.clock())
          await lost.post('/v1/claims', claim)
        }
        if (way !== 'never') goOn.push({ day: day + within(chance, 1, 9), card })
      }
    }
    if (day === lateOn) {
      const heardOn = dayAfter(lastDay, 20)
      const entries: Uint8Array[] = []
      for (const way of ['one', 'one', 'two', 'never'] as const) {
        const card = await freshCard(other())
        if (chance() < 0.6) sell(player, card, other())
        const sales = way === 'two' ? 2 : 1
        for (let sale = 0; sale < sales; sale += 1)
          entries.push(late.entry(sellUnheard(player, card, late, { heardOn })))
        if (way !== 'never') goOn.push({ day: day + within(chance, 1, 9), card })
      }
      lateBatch = late.batch(...entries)
      lateEntries = entries.length
    }
    for (const { card } of goOn.filter((each) => each.day === day)) sell(player, card, other())
    if (day === wrongOn) {
      const kiosk = other()
      // Over the limit of four eyes, and never what it costs.
      const large = await freshCard(kiosk)
      wait(player)
      const made = large.pay(kiosk, tour, tour.priceMinor - within(chance, 1, 9) * 100 - 1)
      kiosk.pending.push(kiosk.entry(made))
      note(player, made, kiosk, { heardOn: today(player), wrongPrice: true })
      const small = await freshCard(kiosk)
      const item = pick(chance, items)
      const cheap = small.pay(kiosk, item, item.priceMinor + 1)
      kiosk.pending.push(kiosk.entry(cheap))
      note(player, cheap, kiosk, { heardOn: today(player), wrongPrice: true })
      sell(player, small, kiosk)
    }
    let clone: { kiosk: Kiosk; made: Made } | undefined
    if (day === cloneOn) {
      const card = await freshCard(other())
      const copy = card.copy()
      clonedCard = card.id
      sell(player, card, other())
      const kiosk = other()
      wait(player)
      clone = { kiosk, made: copy.pay(kiosk, pick(chance, items)) }
      goOn.push({ day: day + 1, card })
    }
    if (day === forgedOn) {
      const card = await freshCard(other())
      const kiosk = other()
      wait(player)
      const made = card.copy().pay(kiosk, pick(chance, items))
      kiosk.pending.push(kiosk.entry({ ...made, settlementMac: zeroMac() }))
      falsehoods.push(falsehood('settlementMac', made, kiosk, today(player)))
      goOn.push({ day: day + 1, card })
    }
    if (day === unreachedOn) {
      const card = await freshCard(other())
      const kiosk = other()
      wait(player)
      const amountMinor = within(chance, 2, 9) * 500
      await kiosk.askLoad(kiosk.loadRequest(card, kiosk.loadOrder(amountMinor)))
      unreached.push({
        cardId: card.id,
        counter: card.counter + 1,
        amountMinor,
        terminalId: kiosk.id,
        merchant: kiosk.merchant,
      })
      goOn.push({ day: day + 2, card })
    }
    if (day === voucherOn) {
      const kiosk = other()
      const card = await freshCard(kiosk)
      const answer = await kiosk.askLoad(kiosk.loadRequest(card, kiosk.loadOrder(voucherMinor, codes[1])))
      voucherVerdict = answer.verdict
    }
    clock.seconds = begins + 20 * 3600
    await syncAll(player, mayBeLate)
    if (clone !== undefined) {
      const { kiosk, made } = clone
      await kiosk.sync(kiosk.entry(made))
      falsehoods.push(falsehood('clone', made, kiosk, today(player)))
    }
  }
  const facts: MonthFacts = {
    happenings: player.happenings,
    falsehoods,
    unreached,
    rates,
    lost: { terminalId: lost.id, merchant: lost.merchant },
    late: { terminalId: late.id, merchant: late.merchant, entries: lateEntries },
    lastDay,
  }
  return { facts, clonedCard, voucherVerdict, deliver: () => late.send(lateBatch) }
}

const falsehood = (reason: Falsehood['reason'], made: Made, kiosk: Kiosk, heardOn: string): Falsehood => ({
  reason,
  cardId: made.record.identity.cardId,
  counter: made.record.counter,
  amountMinor: made.record.order.amountMinor,
  terminalId: kiosk.id,
  merchant: kiosk.merchant,
  heardOn,
})

/**
 * Lives of cards at random: loads of every kind that are committed, cut or retried, payments that come late or never,
 * reversals, money back, replacements and refunds. Whatever happens, the books balance, no funding pays twice, and value is conserved.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditBooks } from './audit.ts'
import { closeCard, runBreakage } from './card-closure.ts'
import { cardOverview } from './card-history.ts'
import { registerCard } from './cards.ts'
import { IssuerError } from './errors.ts'
import { addVoucherLot, fundingReport, makeVoucherCodes, payVoucherLot } from './funding.ts'
import { giveMoneyBack } from './money-back.ts'
import { report } from './report.ts'
import { type Bench, type Made, newCard, newTerminal, openBench, publish, type TestCard } from './test-support.ts'

const by = { name: 'cli:test' }
const voucherMinor = 1000

type Act =
  | {
      readonly kind: 'voucher' | 'cash' | 'credit'
      readonly card: number
      readonly code: number
      readonly fate: 'committed' | 'lost' | 'retried'
    }
  | { readonly kind: 'pay' | 'reverse' | 'moneyBack'; readonly card: number }
  | { readonly kind: 'sync'; readonly count: number }
  | { readonly kind: 'replace' | 'refund'; readonly card: number; readonly risk: boolean }
  | { readonly kind: 'payLot' | 'wait' }

const card = fc.nat(2)
const fate = fc.constantFrom('committed', 'committed', 'lost', 'retried')
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('voucher', 'cash', 'credit'), card, code: fc.nat(4), fate }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('pay', 'pay', 'reverse', 'moneyBack'), card }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sync' as const), count: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('replace', 'refund'), card, risk: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('payLot', 'wait') }) },
)

/** What was put on chips and taken from the issuer, counted apart from its books. */
class World {
  readonly bench: Bench
  readonly cards: TestCard[] = []
  /** Entries that terminals hold, in the order in which cards made them. */
  readonly held: Made[] = []
  readonly codes: readonly string[]
  readonly spent = new Map<string, number>()
  readonly lastPayment = new Map<TestCard, Made>()

  constructor(bench: Bench, codes: readonly string[]) {
    this.bench = bench
    this.codes = codes
  }

  tapped(no: number): TestCard {
    const found = this.cards[no % this.cards.length]
    if (found === undefined) throw new Error('no card')
    return found
  }
}

const play = async (world: World, acts: readonly Act[]): Promise<void> => {
  const { bench } = world
  const { issuer } = bench
  const map = await publish(issuer, 'map', 150)
  const kiosk = await newTerminal(issuer, 'Town')
  const credits = () =>
    issuer.store.read((db) =>
      db.selectFrom('funding').select(['reference', 'amount_minor']).where('kind', '=', 'credit').execute(),
    )
  const commit = (made: Made) => world.held.push(made)
  const load = async (on: TestCard, how: { amountMinor: number; funding?: string; fate: string }) => {
    const order = kiosk.loadOrder(how.amountMinor, how.funding)
    const ask = async () => (await kiosk.askLoad(kiosk.loadRequest(on, order))).verdict
    if ((await ask()) !== 'authorised') return
    if (how.fate === 'retried') expect(await ask()).toBe('authorised')
    if (how.fate === 'lost') return
    commit(on.commit(order))
    if (how.funding !== undefined) world.spent.set(how.funding, (world.spent.get(how.funding) ?? 0) + 1)
  }
  const refusable = async (work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof IssuerError)) throw error
    }
  }
  const perform = async (each: Act): Promise<void> => {
    switch (each.kind) {
      case 'cash':
        return load(world.tapped(each.card), { amountMinor: 700, fate: each.fate })
      case 'voucher': {
        const funding = world.codes[each.code % world.codes.length]
        if (funding === undefined) throw new Error('no code')
        return load(world.tapped(each.card), { amountMinor: voucherMinor, funding, fate: each.fate })
      }
      case 'credit': {
        const found = (await credits())[each.code]
        if (found?.reference == null) return
        const { reference: funding, amount_minor: amountMinor } = found
        return load(world.tapped(each.card), { amountMinor, funding, fate: each.fate })
      }
      case 'pay': {
        const on = world.tapped(each.card)
        if (on.balanceMinor < map.priceMinor) return
        const paid = on.pay(kiosk, map)
        world.lastPayment.set(on, paid)
        commit(paid)
        return
      }
      case 'reverse': {
        const on = world.tapped(each.card)
        const paid = world.lastPayment.get(on)
        if (paid?.record.counter === on.counter) commit(on.reverse(paid))
        return
      }
      case 'moneyBack': {
        const on = world.tapped(each.card)
        const paid = world.lastPayment.get(on)
        if (paid === undefined) return
        const { counter } = paid.record
        await kiosk.sync(kiosk.entry(paid, 'owed', 1))
        return refusable(() => giveMoneyBack(issuer, by, { cardId: on.id, counter, reason: 'torn' }))
      }
      case 'sync': {
        const some = world.held.splice(0, each.count)
        if (some.length > 0) await kiosk.sync(...some.map((made) => kiosk.entry(made)))
        return
      }
      case 'replace':
      case 'refund': {
        const { id: cardId } = world.tapped(each.card)
        const replacement = world.tapped(each.card + 1).id
        const into = each.kind === 'replace' ? { kind: each.kind, replacement } : { kind: each.kind }
        await refusable(async () => {
          const closed = await closeCard(issuer, by, { cardId, ...into, reason: 'lost', atIssuersRisk: each.risk })
          const { balanceMinor, withdrawnMinor } = await issuer.store.read((db) => cardOverview(db, cardId))
          // Closing takes what is there, and no more: below zero it goes by late facts alone.
          if (closed.outcome === 'done' && closed.amountMinor > 0)
            expect(withdrawnMinor).toBeLessThanOrEqual(balanceMinor)
        })
        return
      }
      case 'payLot':
        return refusable(() => payLot(world))
      case 'wait':
        bench.clock.seconds += 20 * 86_400
        return
    }
  }
  for (const each of acts) {
    await perform(each)
    expect(await auditBooks(issuer)).toEqual([])
  }
  // In the end everything that a card made is here.
  while (world.held.length > 0) {
    await kiosk.sync(...world.held.splice(0, 5).map((made) => kiosk.entry(made)))
    expect(await auditBooks(issuer)).toEqual([])
  }
}

const payLot = async ({ bench }: World): Promise<void> => {
  await payVoucherLot(bench.issuer, by, { lotNo: 1, paidReference: 'transfer 1' })
}

test('no life of a card makes or loses money, or uses a voucher or credit twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), async (acts) => {
      const bench = await openBench()
      try {
        const codes = makeVoucherCodes(bench.issuer, 3)
        const expiresAt = bench.clock.seconds + 400 * 86_400
        await addVoucherLot(bench.issuer, by, { codes, amountMinor: voucherMinor, expiresAt })
        const world = new World(bench, codes)
        for (let no = 0; no < 3; no += 1) {
          const made = await newCard(bench.issuer)
          await registerCard(bench.issuer, by, made.id, { expiresAt, balanceMaxMinor: 50_000, pinFreeMaxMinor: 0 })
          world.cards.push(made)
        }
        await play(world, acts)
        for (const times of world.spent.values()) expect(times).toBe(1)
        const told = await report(bench.issuer)
        // Every chip's balance is known, and all that the float lacks of it left by closures.
        const onChipsMinor = world.cards.reduce((sum, each) => sum + each.balanceMinor, 0)
        const loads = await bench.issuer.store.read((db) =>
          db.selectFrom('load_authorisation').select(['state', 'amount_minor']).execute(),
        )
        const sumOf = (state: string) =>
          loads.reduce((sum, each) => (each.state === state ? sum + each.amount_minor : sum), 0)
        const { withdrawnMinor } = told.funding.closedCards
        expect(told.accounts.float).toBe(onChipsMinor + sumOf('standing') - withdrawnMinor)
        expect(told.accounts.suspense).toBe(sumOf('contested'))
        expect(told.accounts.holes).toBe(0)
        // What came in from outside is where it went: on cards, with merchants, owed as credits, or out again through the bank.
        const { float, suspense, payable, credits, vouchers, bank, merchantCash, losses } = told.accounts
        expect(float + suspense + payable + credits + vouchers + bank + merchantCash + losses).toBe(0)
        bench.clock.seconds = expiresAt + 400 * 86_400
        await runBreakage(bench.issuer, by, { book: true })
        expect(await runBreakage(bench.issuer, by, { book: true })).toMatchObject({ sumMinor: 0 })
        expect(await auditBooks(bench.issuer)).toEqual([])
        const funding = await bench.issuer.store.read(fundingReport)
        expect(funding.vouchers.openPaidMinor + funding.vouchers.openUnpaidMinor).toBe(0)
      } finally {
        await bench.close()
      }
    }),
    { numRuns: process.env.FARTHING_TEST_POSTGRES === undefined ? 12 : 2 },
  )
}, 60_000)

/**
 * Couriers (PROTOCOL.md, Documents): a kiosk's disk is destroyed in the middle of the day, and its takings come back by
 * the next taps of its customers and by their phones. The test keeps its own account of who knows which record, after
 * what the protocol promises: a card shows its last ten records, and a tap passes on the newest one that the kiosk lacks.
 */
import { expect, test } from 'vitest'
import { explain } from '../../issuer/explain/explain.ts'
import { report } from '../../issuer/report.ts'
import { chanceOf } from '../../simulate/chance.ts'
import { type Card, foundTown, Kiosk, openClaim, type Sale, saleOf } from './town.ts'

const seed = 1
const startTime = 1_790_000_000
const hourSeconds = 3600
const daySeconds = 24 * hourSeconds
const cardsMany = 40
const salesMany = 200
const logLength = 10
/** Of the first kiosk's sales: synced before this one, and the disk gone after that one. */
const syncedBefore = 50
const lostAfter = 150

const keyOf = ({ cardId, counter }: Pick<Sale, 'cardId' | 'counter'>): string => `${cardId}/${counter}`
const sumOf = (sales: readonly Sale[]): number => sales.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
const euros = (sales: readonly Sale[]): string => `${(sumOf(sales) / 100).toFixed(2)} EUR`
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

/** Which records of a card the kiosk in the park must know, by the promise alone. */
class Promised {
  readonly known = new Set<string>()
  readonly #counters = new Map<string, number>()

  /** The card's own counter, whoever moved it. */
  moved(card: Card, counter: number, here: boolean): void {
    this.#counters.set(card.id, counter)
    if (here) this.known.add(keyOf({ cardId: card.id, counter }))
  }

  log(card: Card): readonly string[] {
    const newest = this.#counters.get(card.id) ?? 0
    return Array.from({ length: Math.min(logLength, newest) }, (_, back) =>
      keyOf({ cardId: card.id, counter: newest - back }),
    )
  }

  /** One tap passes on the newest record that is not known. */
  tap(card: Card): void {
    const next = this.log(card).find((key) => !this.known.has(key))
    if (next !== undefined) this.known.add(next)
  }
}

test('the takings of a kiosk whose disk is lost come back by taps and phones; the rest are named holes', async () => {
  const town = await foundTown({ seed, cards: cardsMany, startTime })
  const chance = chanceOf(seed, 'customers')
  const pier = await Kiosk.open(town, 'Kiosk at the pier', seed)
  const park = await Kiosk.open(town, 'Kiosk in the park', seed)
  const promised = new Promised()
  const photographed: string[] = []
  const figures: string[] = []
  const synced: Sale[] = []
  const lost: Sale[] = []
  let newest: Sale[] = []

  const sellAtPark = async (card: Card): Promise<void> => {
    const sale = await park.sell(card, chance.pick(['map', 'guide']))
    promised.moved(card, sale.counter, true)
    promised.tap(card)
  }
  const sellAtPier = async (card: Card): Promise<void> => {
    const sale = await pier.sell(card, chance.pick(['map', 'guide']))
    promised.moved(card, sale.counter, false)
    newest.push(sale)
    // Some customers keep the claim's QR code on their phone.
    if (chance.hit(0.2)) photographed.push(sale.claimUrl)
  }
  try {
    for (const card of town.cards) {
      await park.load(card, 10_000)
      promised.moved(card, 1, true)
    }
    // Few customers buy often, most buy seldom.
    const customer = () => town.cards[Math.floor(cardsMany * chance.fraction() ** 2)] ?? expect.fail('no such card')
    for (let sale = 1; sale <= salesMany; sale += 1) {
      town.clock.seconds += 120
      if (sale <= lostAfter && chance.hit(0.9)) await sellAtPier(customer())
      else await sellAtPark(customer())
      if (sale === syncedBefore) {
        await pier.sync()
        synced.push(...newest)
        newest = []
      }
      if (sale === lostAfter) {
        lost.push(...newest)
        pier.loseDisk()
      }
    }

    const lostByKey = new Map(lost.map((sale) => [keyOf(sale), sale]))
    const firstDay = new Date(startTime * 1000).toISOString().slice(0, 10)
    const back = async (round: string): Promise<readonly Sale[]> => {
      const { terminals } = await report(town.issuer)
      const told = terminals.find((row) => row.terminalId === pier.id) ?? expect.fail('no such terminal')
      const { open } = await explain(town.issuer)
      const couriers = open.filter((each) => each.cause === 'courier' && each.terminalId === pier.id)
      const sales = couriers.flatMap((each) => lostByKey.get(`${each.cardId}/${each.counter}`) ?? [])
      // Nothing is lost that was synced, nothing is booked twice, and the report shows exactly what couriers brought.
      expect(couriers).toHaveLength(sales.length)
      expect(told.taken).toEqual({ count: synced.length + sales.length, amountMinor: sumOf(synced) + sumOf(sales) })
      expect(told.couriers.witness.count + told.couriers.claim.count).toBe(sales.length)
      expect(told.couriers.witness.amountMinor + told.couriers.claim.amountMinor).toBe(sumOf(sales))
      const { witness, claim } = told.couriers
      figures.push(
        [
          round.padEnd(34),
          `${sales.length} of ${lost.length} sales (${percent(sales.length, lost.length)}),`,
          `${euros(sales)} of ${euros(lost)} (${percent(sumOf(sales), sumOf(lost))}),`,
          `${witness.count} by witness, ${claim.count} by claim`,
        ].join(' '),
      )
      return sales
    }
    /** Exactly what was promised, no more and no less. */
    const requirePromise = (sales: readonly Sale[], claimed: ReadonlySet<string>): void => {
      const expected = lost.filter((sale) => promised.known.has(keyOf(sale)) || claimed.has(keyOf(sale)))
      expect(sales.map(keyOf).toSorted()).toEqual(expected.map(keyOf).toSorted())
    }

    figures.push(
      `seed ${seed}: ${salesMany} sales, of the pier's ${synced.length} were synced, and ${lost.length} went with its disk`,
    )
    await park.sync()
    requirePromise(await back('the same day, in the park'), new Set())

    for (const claim of photographed) expect(await openClaim(town, claim)).toBe(200)
    const claimed = new Set(photographed.map((url) => keyOf(saleOf(url))))
    requirePromise(await back('that evening: claims on phones'), claimed)

    // A new disk, a new epoch; the customers do not come back to the pier.
    await pier.enrol()
    for (const day of [1, 2]) {
      town.clock.seconds = startTime + day * daySeconds
      const before = promised.known.size
      for (const card of town.cards)
        if (day === 1 || chance.hit(0.6)) {
          town.clock.seconds += 60
          await sellAtPark(card)
        }
      expect(promised.known.size).toBeGreaterThan(before)
      await park.sync()
      requirePromise(await back(`day ${day}: one purchase in the park`), claimed)
    }

    town.clock.seconds = startTime + 3 * daySeconds
    for (const card of town.cards) {
      await park.look(card)
      promised.tap(card)
    }
    await park.sync()
    requirePromise(await back('day 3: one look at the balance'), claimed)

    // The card shows its last ten purchases; the park's kiosk seals a claim for each that the customer wants.
    for (const card of town.cards) {
      const ours = (await park.look(card)).filter((claim) => saleOf(claim).terminalId === pier.id)
      for (const claim of ours) expect(await openClaim(town, claim)).toBe(200)
      promised.tap(card)
      for (const key of promised.log(card)) claimed.add(key)
    }
    const recovered = await back('day 3: claims that the park seals')
    requirePromise(recovered, claimed)

    const remaining = lost.filter((sale) => !recovered.includes(sale))
    const told = await explain(town.issuer)
    const holes = told.open.filter(({ cause }) => cause === 'hole')
    const missing = holes.flatMap(({ cardId, counter = 0, lastCounter = counter }) =>
      Array.from({ length: lastCounter - counter + 1 }, (_, at) => `${cardId}/${counter + at}`),
    )
    figures.push(`what remains: ${remaining.length} sales, ${euros(remaining)}, in ${holes.length} named holes`)
    console.log(figures.join('\n'))
    expect(missing.toSorted()).toEqual(remaining.map(keyOf).toSorted())
    expect(holes.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(sumOf(remaining))
    expect(told.suspense.balanceMinor + told.holes.balanceMinor).toBe(sumOf(remaining))
    expect(told).toMatchObject({ unexplainedMinor: 0, unexplainedCount: 0 })
    for (const { hole, day } of holes) {
      expect(hole?.suspects.map(({ terminalId, evidence }) => ({ terminalId, evidence }))).toEqual([
        { terminalId: pier.id, evidence: 'lostLedger' },
      ])
      expect(day >= firstDay).toBe(true)
    }
    // Something is lost for good, and most is not: else the test would show nothing.
    expect(remaining.length).toBeGreaterThan(0)
    expect(recovered.length / lost.length).toBeGreaterThan(0.8)
  } finally {
    park.loseDisk()
    pier.loseDisk()
    await town.close()
  }
}, 90_000)

/** For tests: two business days with one of every trouble that an issuer meets. */
import { unixTime, zeroMac } from '../../protocol/quantities.ts'
import { settleClaim } from '../claims.ts'
import { startEpoch } from '../parties.ts'
import { type Bench, type Made, newCard, newTerminal, publish, type TestCard, TestTerminal } from '../test-support.ts'

export const troubleDay = '2025-11-13'
export const dayAfter = '2025-11-14'
const hour = 3600

export interface Trouble {
  readonly town: TestTerminal
  readonly station: TestTerminal
  /** Its disk is lost. */
  readonly hill: TestTerminal
  /** Its second batch never came. */
  readonly lake: TestTerminal
  /** By what happened to each. */
  readonly cards: ReadonlyMap<string, TestCard>
  readonly lost: ReadonlyMap<string, Made>
}

/** @param bench at the start of `troubleDay` */
export const makeTrouble = async (bench: Bench): Promise<Trouble> => {
  const { issuer, clock } = bench
  const map = await publish(issuer, 'map', 250)
  const [town, station] = [await newTerminal(issuer, 'Town'), await newTerminal(issuer, 'Station')]
  const [hill, lake] = [await newTerminal(issuer, 'Hill'), await newTerminal(issuer, 'Lake')]
  const cards = new Map<string, TestCard>()
  const lost = new Map<string, Made>()
  const loaded = async (name: string): Promise<TestCard> => {
    const card = await newCard(issuer)
    cards.set(name, card)
    await town.sync(town.entry(await town.load(card, 5000)))
    clock.seconds += 60
    return card
  }
  const pay = (card: TestCard, terminal: TestTerminal, amountMinor = 250): Made => {
    clock.seconds += 60
    return card.pay(terminal, map, amountMinor)
  }
  const tell = (terminal: TestTerminal, ...made: readonly Made[]) =>
    terminal.sync(...made.map((each) => terminal.entry(each)))

  // The hill's kiosk reports once, then never again.
  const early = await loaded('early')
  await tell(hill, pay(early, hill))

  const one = await loaded('one debit')
  lost.set('one debit', pay(one, hill))
  await tell(town, pay(one, town))

  const doubt = await loaded('doubt')
  const torn = pay(doubt, station)
  await station.sync(station.entry(torn, 'inDoubt'))
  await tell(town, pay(doubt, town))

  const long = await loaded('long')
  pay(long, hill)
  const given = pay(long, station)
  pay(long, hill)
  await station.sync(station.entry(given, 'inDoubt'), station.entry(given, 'abandoned', clock.seconds))
  await tell(town, pay(long, town))

  const undone = await loaded('presumed reversal')
  const payment = pay(undone, town)
  undone.reverse(payment)
  await tell(town, payment, pay(undone, town))

  const credit = await loaded('one credit')
  credit.commit(hill.loadOrder(700))
  await tell(town, pay(credit, town))

  const blocked = await loaded('nothing')
  blocked.commit(hill.order({ type: 'block' }))
  await tell(town, pay(blocked, town))

  const liar = await loaded('liar')
  liar.balanceMinor += 900
  await tell(town, pay(liar, town))

  const cheap = await loaded('wrong price')
  await tell(station, pay(cheap, station, 100))

  const early2 = await loaded('reversal waits')
  const unseen = pay(early2, hill)
  await station.sync(station.entry(early2.reverse(unseen), 'witness'))

  const standing = await newCard(issuer)
  cards.set('standing load', standing)
  await town.load(standing, 1500)

  const contested = await newCard(issuer)
  cards.set('contested load', contested)
  await town.askLoad(town.loadRequest(contested, town.loadOrder(800)))
  await town.askLoad(town.loadRequest(contested, town.loadOrder(600)))

  const owedBack = await loaded('load owed back')
  await station.askLoad(station.loadRequest(owedBack, station.loadOrder(400)))
  await tell(town, pay(owedBack, town))

  const beside = await loaded('beside a load')
  await station.load(beside, 300)
  beside.balanceMinor -= 50
  await tell(town, pay(beside, town))

  const clone = await loaded('clone')
  const copy = clone.copy()
  await tell(town, pay(clone, town))
  await tell(station, pay(copy, station))

  const denied = await loaded('called void')
  const paid = pay(denied, station)
  await station.sync(station.entry(paid, 'void', clock.seconds))
  await town.sync(town.entry(paid, 'witness'))

  const owed = await loaded('owed goods')
  const unprinted = pay(owed, town)
  await town.sync(town.entry(unprinted), town.entry(unprinted, 'owed', clock.seconds))

  const held = await loaded('reversal in doubt')
  const maybe = pay(held, town)
  await town.sync(town.entry(maybe), town.entry(held.reverse(maybe), 'inDoubt'))

  const really = await loaded('void')
  const cut = really.copy().pay(town, map)
  await town.sync(town.entry(cut, 'inDoubt'), town.entry(cut, 'void', clock.seconds))

  const courier = await loaded('couriers')
  const [seen, shown] = [pay(courier, hill), pay(courier, hill)]
  await town.sync(town.entry(seen, 'witness'))
  await settleClaim(issuer, hill.claim(shown, unixTime(clock.seconds + hour)), unixTime(clock.seconds))

  const unproven = await loaded('wrong proof')
  await station.sync(station.entry({ ...pay(unproven, station), settlementMac: zeroMac() }))

  const chain = await loaded('missing batch')
  await tell(lake, pay(chain, lake))
  lake.batch(lake.entry(pay(chain, lake)), lake.entry(pay(chain, lake)))
  await tell(lake, pay(chain, lake))

  const twin = new TestTerminal(issuer, station.id, station.epoch)
  await twin.sync(twin.entry(pay(await loaded('fork'), station)))

  // A hole of this day that is closed on the next.
  const late = await loaded('late')
  const missing = pay(late, station)
  await tell(town, pay(late, town))
  clock.seconds += 24 * hour
  await station.sync(station.entry(missing))
  await tell(town, pay(late, town))
  await startEpoch(issuer, hill.id)
  return { town, station, hill, lake, cards, lost }
}

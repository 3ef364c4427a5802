/**
 * Whatever people decide about what is missing, and in whatever order it comes after all: the books balance and are explained at every
 * step, and in the end every account holds what it holds in a book of which nobody decided anything, but for what still stands.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unixTime } from '../../protocol/quantities.ts'
import { type DecisionKind, decisionKinds } from '../case-tables.ts'
import { settleClaim } from '../claims.ts'
import { explain } from '../explain/explain.ts'
import { ingestBatch } from '../ingest.ts'
import { createStore, type Issuer } from '../issuer.ts'
import { authoriseLoad } from '../loads.ts'
import { addCard, addMerchant, addTerminal, startEpoch } from '../parties.ts'
import { type Bench, newCard, newTerminal, openBench, publish, type TestTerminal } from '../test-support.ts'
import { approveCase, decideCase } from './actions.ts'
import { fitsSum } from './decision-money.ts'
import { reconcileCases } from './round.ts'
import { balances, casesOf, total } from './test-cases.ts'

const seed = 20_251_125
const merchants = ['Town', 'Station'] as const

type Chance = () => number
const pick = <Value>(values: readonly Value[], chance: number): Value => {
  const value = values[chance % values.length]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}

interface History {
  /** Loads first, in their order. */
  readonly loads: readonly Uint8Array[]
  /** Batches and claims; together they tell of everything. */
  readonly documents: Uint8Array[]
  readonly terminals: readonly TestTerminal[]
  readonly cards: readonly string[]
}

const play = async ({ issuer, clock }: Bench, chance: Chance): Promise<History> => {
  const map = await publish(issuer, 'map', 250)
  const terminals = [await newTerminal(issuer, 'Town'), await newTerminal(issuer, 'Station')]
  const cards = [await newCard(issuer), await newCard(issuer)]
  const loads: Uint8Array[] = []
  const told = new Map<TestTerminal, Uint8Array[]>(terminals.map((terminal) => [terminal, []]))
  const claims: Uint8Array[] = []
  const tell = (terminal: TestTerminal, entry: Uint8Array) => told.get(terminal)?.push(entry)
  for (const card of cards) {
    const terminal = pick(terminals, 0)
    const order = terminal.loadOrder(9000)
    const request = terminal.loadRequest(card, order)
    loads.push(request)
    await terminal.askLoad(request)
    tell(terminal, terminal.entry(card.commit(order)))
  }
  for (let step = 0; step < 8; step += 1) {
    clock.seconds += chance() % 3600
    const [card, terminal] = [pick(cards, chance()), pick(terminals, chance())]
    // One in six is at a price that was never published: that stays a case for good.
    const made = card.pay(terminal, map, chance() % 6 === 0 ? 100 : 250)
    tell(terminal, terminal.entry(made))
    if (chance() % 4 === 0) claims.push(terminal.claim(made, unixTime(clock.seconds + 10_000_000)))
    if (chance() % 5 === 0) tell(terminal, terminal.entry(card.reverse(made)))
  }
  const documents = [...claims]
  for (const [terminal, entries] of told)
    while (entries.length > 0) documents.push(terminal.batch(...entries.splice(0, 1 + (chance() % 3))))
  return { loads, documents, terminals, cards: cards.map(({ id }) => id) }
}

const take = async (issuer: Issuer, document: Uint8Array): Promise<void> => {
  if (document.length === 132) await settleClaim(issuer, document, issuer.clock())
  else await ingestBatch(issuer, document)
}

/** Another book with the same keys, to which the same documents come. */
const openTwin = async (bench: Bench, history: History): Promise<Bench> => {
  const masters = bench.issuer.keys.masters(1)
  if (masters === undefined) throw new Error('no masters')
  const folder = mkdtempSync(join(tmpdir(), 'farthing-issuer-'))
  const { clock, randomBytes } = bench.issuer
  const issuer = await createStore({
    url: `sqlite:${join(folder, 'b.db')}`,
    currency: 'EUR',
    masters,
    clock,
    randomBytes,
  })
  await publish(issuer, 'map', 250)
  for (const [index, terminal] of history.terminals.entries()) {
    const merchant = merchants[index] ?? ''
    await addMerchant(issuer, merchant)
    await addTerminal(issuer, { merchant, terminalId: terminal.id })
    await startEpoch(issuer, terminal.id)
  }
  for (const id of history.cards) await addCard(issuer, { cardId: id })
  for (const load of history.loads) await authoriseLoad(issuer, load)
  const close = async () => {
    await issuer.store.close()
    rmSync(folder, { recursive: true })
  }
  return { issuer, folder, clock: bench.clock, close }
}

/** Decides something about some case that holds money, or approves what is proposed. @returns which kind */
const decideSome = async (bench: Bench, chance: Chance): Promise<DecisionKind | undefined> => {
  const cases = await casesOf(bench)
  const proposed = cases.find(({ state }) => state === 'proposed')
  if (proposed !== undefined) {
    await approveCase(bench.issuer, { caseNo: proposed.caseNo, by: 'gus' })
    return undefined
  }
  const open = cases.filter(
    ({ state, suspenseMinor, holesMinor }) => state !== 'closed' && (suspenseMinor !== 0 || holesMinor !== 0),
  )
  if (open.length === 0) return undefined
  const chosen = pick(open, chance())
  const kind = pick(
    decisionKinds.filter((each) => fitsSum(each, chosen)),
    chance(),
  )
  await decideCase(bench.issuer, {
    caseNo: chosen.caseNo,
    by: 'fay',
    kind,
    merchant: pick(merchants, chance()),
    ...(chosen.cardId === undefined ? {} : { cardId: chosen.cardId }),
    reason: 'So be it.',
  })
  return kind
}

/** What decisions that stand have moved, by account. */
const standing = async ({ issuer }: Bench): Promise<Record<string, number>> => {
  const rows = await issuer.store.read((db) =>
    db
      .selectFrom('case_decision')
      .leftJoin('merchant', 'merchant.merchant_no', 'case_decision.merchant_no')
      .selectAll('case_decision')
      .select('name')
      .where('state', '=', 'booked')
      .execute(),
  )
  const moved: Record<string, number> = {}
  const add = (account: string, minor: number) => {
    moved[account] = (moved[account] ?? 0) + minor
  }
  for (const { kind, suspense_minor, holes_minor, name } of rows) {
    add('suspense', -suspense_minor)
    add('holes', -holes_minor)
    const other = kind === 'writeOff' ? 'losses' : kind === 'creditCard' ? 'credits' : `payable ${name}`
    add(other, suspense_minor + holes_minor)
  }
  return moved
}

test('decisions are taken back once by what comes, and leave nothing behind', async () => {
  const met = { decided: new Set<string>(), takenBack: 0, equal: 0 }
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat()), async (stream) => {
      const chance: Chance = () => stream.next().value ?? 0
      const bench = await openBench()
      const history = await play(bench, chance)
      const twin = await openTwin(bench, history)
      try {
        await bench.issuer.store.write((db) =>
          db.insertInto('setting').values({ key: 'fourEyesMinor', value: '2000' }).execute(),
        )
        const left = [...history.documents]
        while (left.length > 0) {
          const [document] = left.splice(chance() % left.length, 1)
          if (document === undefined) throw new Error('no document')
          bench.clock.seconds += chance() % 7200
          await take(bench.issuer, document)
          await take(twin.issuer, document)
          const next = pick(['decide', 'decide', 'reconcile', 'wait'] as const, chance())
          if (next === 'decide') met.decided.add((await decideSome(bench, chance)) ?? 'none')
          if (next === 'reconcile') met.takenBack += (await reconcileCases(bench.issuer)).takenBack
          expect(total(await balances(bench))).toBe(0)
          expect(await explain(bench.issuer)).toMatchObject({ unexplainedMinor: 0, unexplainedCount: 0 })
        }
        await reconcileCases(bench.issuer)
        expect((await reconcileCases(bench.issuer)).takenBack).toBe(0)
        const moved = await standing(bench)
        const [ours, untouched] = [await balances(bench), await balances(twin)]
        const accounts = Object.keys({ ...ours, ...untouched, ...moved })
        const less = Object.fromEntries(accounts.map((name) => [name, (ours[name] ?? 0) - (moved[name] ?? 0)]))
        expect(less).toEqual(untouched)
        if (Object.keys(moved).length === 0) met.equal += 1
      } finally {
        await bench.close()
        await twin.close()
      }
    }),
    { numRuns: 6, seed },
  )
  // The histories are worth something.
  expect([...met.decided].toSorted()).toEqual(expect.arrayContaining([...decisionKinds].toSorted()))
  expect(met.takenBack).toBeGreaterThan(1)
  expect(met.equal).toBeGreaterThan(0)
}, 180_000)

/**
 * The auditor. It knows what the cards' own states say, what was really handed out, and what went over the wire, and
 * keeps its own books from that. It shares nothing with ledger or issuer but protocol's types (PROTOCOL.md, Invariants).
 */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { parseBatch } from '../protocol/batch.ts'
import { toHex } from '../protocol/bytes.ts'
import { type EntryStatus, parseEntry } from '../protocol/entry.ts'
import type { TerminalId } from '../protocol/quantities.ts'
import { balanceChangeMinor, type CardRecord, encodeRecord, parseRecord } from '../protocol/record.ts'
import { type ArchivedEntry, type OwnWords, ownWordsOf, readArchivedEntries } from './archived-entries.ts'
import { BookAudit } from './audit-books.ts'
import { type BookRows, imitationIdStart, rogueIdStart } from './book-rows.ts'
import type { Figures } from './figures.ts'
import type { Secrets } from './secrets.ts'
import { demand } from './violation.ts'

/** One transaction that a card made, as the card told it. */
export interface Fact {
  readonly hex: string
  readonly record: CardRecord
  readonly settlementMac: string
  /** Numbers all cards' facts in the order in which they were seen. */
  readonly serial: number
}

export interface CardTold {
  readonly cardId: string
  readonly counter: number
  readonly balanceMinor: number
  /** Newest first, in hex. */
  readonly log: readonly { readonly record: string; readonly settlementMac: string; readonly acceptanceMac: string }[]
}

export interface HandedOver {
  readonly by: 'terminal' | 'phone'
  /** Who sold, as the record says it. */
  readonly record: Uint8Array
  /** What was handed over: the item's canonical JSON. */
  readonly itemJson: string
  readonly code?: string
  readonly content?: Uint8Array
}

/** Who has a one-time code. */
interface CodeSale {
  readonly hex: string
  /** Of the fact, or of the moment. */
  readonly serial: number
}

/** A ledger went back to an image, and was enrolled anew: facts `from` to `at` are forgotten; it knows `until`. By serials. */
interface Lapse {
  readonly from: number
  readonly at: number
  until: number
}

/** What of an item says which goods it is. */
const goodsSchema = v.object({ unit: v.optional(v.string()), contentHash: v.string() })

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const cardLogLength = 10

/** Nothing that such a card says is a fact. */
const isRogue = (card: string): boolean => card.startsWith(rogueIdStart)

const isImitation = (card: string): boolean => card.startsWith(imitationIdStart)

const nameOf = ({ record }: Pick<Fact, 'record'>): string =>
  `${record.order.type} ${record.identity.cardId}#${record.counter} of ${record.order.amountMinor} at ${record.order.terminalId}`

export class Auditor {
  readonly #figures: Figures
  readonly #secrets: Secrets
  readonly #books = new BookAudit()
  /** Terminals at which a rogue's card was tapped. */
  readonly #metRogue = new Set<string>()
  /** By card, by counter - 1. */
  readonly #cards = new Map<string, Fact[]>()
  readonly #handed = new Set<string>()
  /** By terminal and record: its ledger holds that they were handed over. */
  readonly #noted = new Set<string>()
  readonly #codes = new Map<string, readonly CodeSale[]>()
  readonly #lapses = new Map<string, Lapse[]>()
  /** What terminals said of a record, in hex. */
  readonly #said = new Map<string, Set<EntryStatus>>()
  readonly #wire = new Map<string, string>()
  /** Records whose goods the selling terminal itself handed over. */
  readonly #handedBySeller = new Set<string>()
  /** Settlement MACs that rogues' cards made, by record in hex. */
  readonly #rogueMacs = new Map<string, string>()
  readonly #capturedOnWire = new Set<string>()
  /** Ledgers that went back: their chain may fork. */
  readonly #wentBack = new Set<string>()
  readonly #imageSerial = new Map<string, number>()
  /** Facts that a terminal forgot with its disk. */
  readonly #forgotten = new Set<string>()
  /** By record in hex: when a rogue's card first showed it. */
  readonly #rogueSerials = new Map<string, number>()
  #serial = 0

  constructor(figures: Figures, secrets: Secrets) {
    this.#figures = figures
    this.#secrets = secrets
  }

  factsOf(card: string): readonly Fact[] {
    return this.#cards.get(card) ?? []
  }

  allFacts(): readonly Fact[] {
    return [...this.#cards.values()].flat()
  }

  hasGoods(hex: string): boolean {
    return this.#handed.has(hex)
  }

  wentBack(terminal: string): boolean {
    return this.#wentBack.has(terminal)
  }

  /** Called after everything that a card may have done: its log reaches back ten transactions. */
  sawCard(told: CardTold): void {
    if (isRogue(told.cardId)) {
      this.#sawRogue(told)
      return
    }
    const facts = this.#cards.get(told.cardId) ?? []
    this.#cards.set(told.cardId, facts)
    const fresh = told.counter - facts.length
    demand(
      'I4',
      fresh >= 0 && fresh <= cardLogLength,
      () => `card ${told.cardId} went from ${facts.length} to ${told.counter}`,
    )
    for (let back = fresh - 1; back >= 0; back -= 1) {
      const line = told.log[back]
      if (line === undefined) throw new Error('a card without its log')
      this.#addFact(facts, line)
    }
    const balance = facts.at(-1)?.record.balanceAfterMinor ?? 0
    demand(
      'I1',
      balance === told.balanceMinor,
      () => `card ${told.cardId} holds ${told.balanceMinor}, its records say ${balance}`,
    )
  }

  /** Its word is no fact; when it paid is one. */
  #sawRogue({ log }: CardTold): void {
    for (const { record, settlementMac } of log) {
      this.#rogueMacs.set(record, settlementMac)
      if (!this.#rogueSerials.has(record)) this.#rogueSerials.set(record, this.#serial)
    }
  }

  #addFact(facts: Fact[], line: CardTold['log'][number]): void {
    const record = parseRecord(new Uint8Array(Buffer.from(line.record, 'hex')))
    this.#serial += 1
    const fact: Fact = { hex: line.record, record, settlementMac: line.settlementMac, serial: this.#serial }
    const before = facts.at(-1)
    const expected = (before?.record.balanceAfterMinor ?? 0) + balanceChangeMinor(record.order)
    demand(
      'I1',
      record.balanceAfterMinor === expected && record.counter === facts.length + 1,
      () => `${nameOf(fact)} does not follow`,
    )
    demand('I2', !this.#said.get(fact.hex)?.has('void'), () => `${nameOf(fact)} was called void, and then was made`)
    if (record.order.type === 'reversal')
      demand(
        'I3',
        before === undefined || !this.#handed.has(before.hex),
        () => `${nameOf(fact)}: money back after the goods`,
      )
    facts.push(fact)
    this.#secrets.learn(line.settlementMac, line.acceptanceMac)
    this.#figures.count('card', record.order.type)
  }

  #factAt(record: CardRecord): Fact | undefined {
    return this.factsOf(record.identity.cardId)[record.counter - 1]
  }

  /** Goods leave a terminal, or come to a phone. */
  handed(goods: HandedOver): void {
    const record = parseRecord(goods.record)
    const hex = toHex(goods.record)
    const fact = this.#factAt(record)
    demand(
      'I3',
      (fact?.hex === hex || isRogue(record.identity.cardId)) && record.order.type === 'payment',
      () => `goods without a captured payment: ${nameOf({ record })}`,
    )
    const next = this.factsOf(record.identity.cardId)[record.counter]
    demand('I3', next?.record.order.type !== 'reversal', () => `goods after money back: ${nameOf({ record })}`)
    const { unit, contentHash } = v.parse(v.pipe(v.string(), v.parseJson(), goodsSchema), goods.itemJson)
    const isPaidFor =
      sha256(goods.itemJson).startsWith(toHex(record.order.itemHash)) &&
      (unit === undefined ? contentHash === sha256(goods.content ?? '') : unit === sha256(goods.code ?? ''))
    demand('I3', isPaidFor, () => `other goods than were paid: ${nameOf({ record })}`)
    if (goods.by === 'terminal')
      demand(
        'I3',
        !this.#noted.has(`${record.order.terminalId} ${hex}`),
        () => `handed over again though it was noted: ${nameOf({ record })}`,
      )
    if (goods.code !== undefined) this.#codeGiven(goods.code, hex, record)
    this.#handed.add(hex)
    if (goods.by === 'terminal') this.#handedBySeller.add(hex)
    demand(
      'I3',
      goods.by !== 'phone' || !isImitation(record.identity.cardId),
      () => `a phone got goods for an imitation: ${nameOf({ record })}`,
    )
    this.#figures.count('goods', `by ${goods.by}`)
  }

  #codeGiven(code: string, hex: string, record: CardRecord): void {
    const { terminalId } = record.order
    const sale = { hex, serial: this.#factAt(record)?.serial ?? this.#rogueSerials.get(hex) ?? this.#serial }
    const others = (this.#codes.get(code) ?? []).filter((other) => other.hex !== hex)
    for (const other of others) {
      const isGap = this.#isSoldAgain(terminalId, other.serial, sale.serial)
      if (isGap) this.#figures.count('known gap', 'code sold again by a ledger that went back')
      demand('I3', isGap, () => `the code ${code} went to two buyers: ${other.hex} and ${hex}`)
    }
    this.#codes.set(code, [...others, sale])
  }

  /** docs/SECURITY.md: an old image forgets sales, and sells their codes again until it is found out and enrolled anew. */
  #isSoldAgain(terminal: string, one: number, other: number): boolean {
    const [first, second] = [Math.min(one, other), Math.max(one, other)]
    return (this.#lapses.get(terminal) ?? []).some(
      ({ from, at, until }) => from <= first && first <= at && at <= second && second <= until,
    )
  }

  /** The terminal's ledger now holds that the goods were handed over. */
  notedHandedOver(record: Uint8Array): void {
    this.#noted.add(`${parseRecord(record).order.terminalId} ${toHex(record)}`)
  }

  /** What the customer was told when the tap was over. @param before facts of the card when it began */
  told(card: string, outcome: string, before: number): void {
    if (isRogue(card) || (outcome !== 'declined' && outcome !== 'cardLost')) return
    const fresh = this.factsOf(card).slice(before)
    const stands = fresh.filter(
      ({ record }, at) => record.order.type === 'payment' && fresh[at + 1]?.record.order.type !== 'reversal',
    )
    demand('I3', stands.length === 0, () => `told "${outcome}", and paid: ${stands.map(nameOf).join()}`)
  }

  claimRefused(record: CardRecord, reason: string): void {
    if (isRogue(record.identity.cardId)) return
    const next = this.factsOf(record.identity.cardId)[record.counter]
    demand('I3', next?.record.order.type === 'reversal', () => `a claim was refused (${reason}): ${nameOf({ record })}`)
  }

  /** A rogue's card is tapped there. */
  rogueAt(terminal: TerminalId): void {
    this.#metRogue.add(terminal)
  }

  imageTaken(terminal: TerminalId): void {
    this.#imageSerial.set(terminal, this.#serial)
  }

  /** The ledger is the image again. */
  imageRestored(terminal: TerminalId): void {
    this.#wentBack.add(terminal)
    const from = this.#imageSerial.get(terminal) ?? 0
    const lapses = this.#lapses.get(terminal) ?? []
    this.#lapses.set(terminal, [...lapses, { from, at: this.#serial, until: Number.POSITIVE_INFINITY }])
    this.#forget(terminal, from)
  }

  /** A new epoch of a ledger that is lost or was found out: what the old one may have sold is withheld from now on. */
  enrolled(terminal: TerminalId): void {
    for (const lapse of this.#lapses.get(terminal) ?? []) lapse.until = Math.min(lapse.until, this.#serial)
  }

  diskLost(terminal: TerminalId): void {
    this.#imageSerial.delete(terminal)
    this.#forget(terminal, 0)
  }

  #forget(terminal: TerminalId, sinceSerial: number): void {
    for (const facts of this.#cards.values())
      for (const fact of facts)
        if (fact.record.order.terminalId === terminal && fact.serial > sinceSerial) this.#forgotten.add(fact.hex)
    for (const note of [...this.#noted]) if (note.startsWith(terminal)) this.#noted.delete(note)
  }

  /** A batch that a terminal sends, as it is on the wire. */
  sawBatch(bytes: Uint8Array): void {
    const batch = parseBatch(bytes)
    for (const [at, entryBytes] of batch.entries.entries()) {
      const place = `${batch.terminalId}/${batch.epoch}/${batch.firstEntry + at}`
      const hex = toHex(entryBytes)
      const before = this.#wire.get(place)
      if (before === hex) continue
      demand('I5', before === undefined || this.#wentBack.has(batch.terminalId), () => `entry ${place} changed`)
      this.#wire.set(place, hex)
      this.#judgeEntry(batch, entryBytes, place)
    }
    const { firstEntry } = batch
    const follows = firstEntry === 1 || this.#wire.has(`${batch.terminalId}/${batch.epoch}/${firstEntry - 1}`)
    demand(
      'I5',
      follows || this.#wentBack.has(batch.terminalId),
      () => `entries before ${firstEntry} of ${batch.terminalId} were left out`,
    )
  }

  #judgeEntry(batch: { terminalId: string; epoch: number }, bytes: Uint8Array, place: string): void {
    const { record, status, settlementMac } = parseEntry(bytes)
    const hex = toHex(encodeRecord(record))
    const fact = this.#factAt(record)
    const isMade = fact?.hex === hex
    const said = this.#said.get(hex) ?? new Set()
    this.#said.set(hex, said.add(status))
    this.#figures.count('entries', status)
    demand(
      'I5',
      status === 'witness' || record.order.terminalId === batch.terminalId,
      () => `entry ${place} is of another terminal`,
    )
    if (isRogue(record.identity.cardId)) return
    if (status === 'abandoned')
      demand(
        'I3',
        this.factsOf(record.identity.cardId).length - record.counter >= cardLogLength,
        () => `given up while its card still knew: ${nameOf({ record })}`,
      )
    if (status === 'void') demand('I2', !isMade, () => `entry ${place} calls void what was made: ${nameOf({ record })}`)
    if (status !== 'captured' && status !== 'witness' && status !== 'owed') return
    demand(
      'I2',
      isMade && fact.settlementMac === toHex(settlementMac),
      () => `entry ${place} says ${status} of what no card made: ${nameOf({ record })}`,
    )
    if (status !== 'captured') return
    const once = `${batch.terminalId}/${batch.epoch}/${hex}`
    demand(
      'I2',
      !this.#capturedOnWire.has(once) || this.#wentBack.has(batch.terminalId),
      () => `captured twice: ${nameOf({ record })}`,
    )
    this.#capturedOnWire.add(once)
  }

  /** The whole books, against what the cards say. */
  checkBooks(books: BookRows): void {
    this.#figures.count('audit', 'books checked')
    for (const { alarm_key } of books.alarms) this.#secrets.look(alarm_key)
    this.#books.check(books, {
      factsOf: (card) => this.factsOf(card),
      wentBack: (terminal) => this.#wentBack.has(terminal),
      metRogue: (terminal) => this.#metRogue.has(terminal),
    })
  }

  /**
   * Everything was tapped once more and synced: nothing is left that has no explanation.
   * @param batches that the issuer took, as they came
   */
  close(books: BookRows, batches: readonly Uint8Array[]): void {
    this.checkBooks(books)
    const entries = readArchivedEntries(batches)
    const words = ownWordsOf(entries)
    const numbers = new Map(books.cards.map((card) => [card.card_no, card.card_id]))
    const settled = new Set(
      books.settlements
        .filter((row) => row.settlement_mac !== null)
        .map((row) => `${numbers.get(row.card_no)} ${row.counter}`),
    )
    for (const [card, facts] of this.#cards)
      for (const fact of facts) {
        this.#closeOwnWord(fact, words)
        this.#closeFact(fact, { isSettled: settled.has(`${card} ${fact.record.counter}`), count: facts.length })
        if (fact.record.order.type === 'payment') this.#closePayment(fact, facts, words)
      }
    this.#closeRogues(entries, books.alarms)
    for (const load of books.loads)
      if (load.state === 'standing' || load.state === 'contested') this.#closeLoad(load, numbers)
  }

  /** What was wrong with rogues was told to a person: worthless records, and two records at one counter. */
  #closeRogues(entries: readonly ArchivedEntry[], alarms: BookRows['alarms']): void {
    const rivals = new Map<string, Set<string>>()
    for (const { terminal, status, record, hex, settlementMac } of entries) {
      const { cardId } = record.identity
      if (!isRogue(cardId) || (status !== 'captured' && status !== 'owed' && status !== 'witness')) continue
      if (isImitation(cardId) && status !== 'witness')
        demand(
          'I4',
          alarms.some((alarm) => alarm.kind === 'settlementMac' && alarm.terminal_id === terminal),
          () => `worthless records of ${terminal}, and no alarm`,
        )
      if (isImitation(cardId) || this.#rogueMacs.get(hex) !== settlementMac) continue
      const place = `${cardId}/${record.counter}`
      rivals.set(place, (rivals.get(place) ?? new Set<string>()).add(hex))
    }
    for (const [place, records] of rivals)
      demand(
        'I4',
        records.size < 2 ||
          alarms.some(({ kind, card_id, counter }) => `${kind} ${card_id}/${counter}` === `clone ${place}`),
        () => `two records at ${place}, and no clone alarm`,
      )
  }

  /** Whoever else brought it: the terminal that made an order says what became of it, unless its disk forgot. */
  #closeOwnWord({ hex, record }: Fact, words: OwnWords): void {
    if (record.order.type === 'block' || this.#forgotten.has(hex)) return
    const own = words.get(hex)
    demand(
      'I5',
      own?.has('captured') === true || own?.has('abandoned') === true,
      () => `of its own terminal nothing was taken about ${nameOf({ record })} (${[...(own ?? [])].join()})`,
    )
  }

  #closeFact(fact: Fact, of: { readonly isSettled: boolean; readonly count: number }): void {
    if (of.isSettled) return
    demand(
      'I4',
      of.count - fact.record.counter >= cardLogLength || fact.record.order.type === 'block',
      () => `nobody brought what the card still shows: ${nameOf(fact)}`,
    )
    const said = this.#said.get(fact.hex)
    const why = this.#forgotten.has(fact.hex)
      ? 'forgotten with a disk'
      : said?.has('abandoned')
        ? 'abandoned'
        : fact.record.order.type === 'block'
          ? 'block that was cut'
          : undefined
    demand(
      'I4',
      why !== undefined,
      () => `the issuer never heard of ${nameOf(fact)} (${[...(said ?? ['nothing was said'])].join()})`,
    )
    this.#figures.count('holes at the end', why ?? '')
  }

  #closePayment(fact: Fact, facts: readonly Fact[], words: OwnWords): void {
    const isReversed = facts[fact.record.counter]?.record.order.type === 'reversal'
    const handed = this.#handed.has(fact.hex)
    const own = words.get(fact.hex)
    if (!isReversed && !this.#handedBySeller.has(fact.hex) && !this.#forgotten.has(fact.hex))
      demand(
        'I3',
        own?.has('owed') === true || own?.has('abandoned') === true,
        () => `not handed over, not undone, and not called owed: ${nameOf(fact)} (${[...(own ?? [])].join()})`,
      )
    if (isReversed || handed) {
      this.#figures.count('payments at the end', isReversed ? 'reversed' : 'with goods')
      return
    }
    const said = this.#said.get(fact.hex)
    const outOfSight = facts.length - fact.record.counter >= cardLogLength
    const named = said?.has('owed') || said?.has('abandoned') || this.#forgotten.has(fact.hex)
    demand(
      'I3',
      outOfSight && named === true,
      () => `paid, no goods, no claim: ${nameOf(fact)} (${[...(said ?? ['nothing was said'])].join()})`,
    )
    this.#figures.count('payments at the end', 'owed, left to a person')
  }

  #closeLoad(load: BookRows['loads'][number], numbers: ReadonlyMap<number, string>): void {
    const facts = this.factsOf(numbers.get(load.card_no) ?? '')
    const fact = facts[load.counter - 1]
    if (fact?.hex === toHex(load.record)) return
    // Not on the card, and no record stands at its counter that could say so.
    const decided = fact !== undefined && !this.#forgotten.has(fact.hex) && !this.#said.get(fact.hex)?.has('abandoned')
    demand('I1', !decided, () => `a load of ${numbers.get(load.card_no)}#${load.counter} never came, and stands`)
    this.#figures.count('loads at the end', fact === undefined ? 'authorised, not yet on the card' : 'beside a hole')
  }
}

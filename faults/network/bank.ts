/**
 * An issuer with real books for the network's faults: its store, one merchant, one terminal to enrol, the map on sale,
 * and cards that are real software purses under the sample masters, which it knows.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { pino } from 'pino'
import { sampleMasters } from '../../card/purse-driver.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import { addCard, addMerchant, addTerminal } from '../../issuer/parties.ts'
import { report } from '../../issuer/report.ts'
import { type RunningServer, serve } from '../../issuer/server.ts'
import { type AtEnd, makeTestCard, type TestCard, testFolder } from '../../main/test-terminal.ts'
import { batchHeaderLength } from '../../protocol/batch.ts'
import { toHex } from '../../protocol/bytes.ts'
import { entryLength } from '../../protocol/entry.ts'
import { type TerminalId, unixTime } from '../../protocol/quantities.ts'

export const mapPriceMinor = 250
const merchant = 'Kiosk at the pier'
/** The terminal's master is the bank's own affair. */
const terminalMaster = Uint8Array.from({ length: 32 }, (_, i) => 0x60 + i)
/** What the demo's people call wall clock: 2026-09-22. */
export const bankStartTime = 1_790_000_000

export interface Bank {
  readonly issuer: Issuer
  readonly folder: string
  readonly terminalId: TerminalId
  readonly clock: { seconds: number }
  /** A new one-time code of the terminal. */
  code(): Promise<string>
  /** A card that the bank knows, with nothing on it. @param made.expiry UNIX seconds; absent: long from now */
  card(made?: { readonly expiry: number }): Promise<TestCard>
  /** Serves on loopback, on the same port after the first time. */
  serve(): Promise<RunningServer>
  /** Every entry that the archived batches hold, in the order of their numbers, in hex: what the bank was told. */
  entries(): Promise<string[]>
  /** Disagreements of the books with themselves, exceptions and alarms; nothing when all is well. */
  complaints(): Promise<string[]>
  /** What the merchant is owed, held payments included, and how many sales. */
  taken(): Promise<{ readonly count: number; readonly amountMinor: number }>
}

const silent = pino({ level: 'silent' })

export const openBank = async (atEnd: AtEnd): Promise<Bank> => {
  const folder = path.join(testFolder(atEnd), 'bank')
  mkdirSync(folder)
  const clock = { seconds: bankStartTime }
  const issuer = await createStore({
    url: `sqlite:${path.join(folder, 'issuer.sqlite')}`,
    currency: 'EUR',
    clock: () => unixTime(clock.seconds),
    randomBytes: (count) => Uint8Array.from(randomBytes(count)),
    masters: {
      pay: toHex(sampleMasters.pay),
      settle: toHex(sampleMasters.settle),
      load: toHex(sampleMasters.load),
      terminal: toHex(terminalMaster),
    },
  })
  atEnd(() => void issuer.store.close())
  await addMerchant(issuer, merchant)
  const { terminalId } = await addTerminal(issuer, { merchant })
  await addItem(issuer, {
    file: { name: 'map.pdf', bytes: new TextEncoder().encode(`%PDF-1.7 ${'a walking map '.repeat(1000)}`) },
    id: 'map',
    priceMinor: mapPriceMinor,
    title: { en: 'Walking map' },
  })
  await publish(issuer)
  let port = 0
  return {
    issuer,
    folder,
    terminalId,
    clock,
    code: async () => (await createEnrolmentCode(issuer, terminalId)).code,
    async card(made) {
      const personalisation = made === undefined ? {} : { expiry: unixTime(made.expiry) }
      const card = makeTestCard({ balanceMinor: 0, personalisation })
      await addCard(issuer, { cardId: card.id })
      return card
    },
    async serve() {
      const server = await serve({ issuer, port, log: silent, publicUrl: 'https://pay.example' })
      port = server.port
      return server
    },
    async entries() {
      const rows = await issuer.store.read((db) =>
        db.selectFrom('batch').selectAll().orderBy('epoch').orderBy('batch_no').execute(),
      )
      return rows.flatMap(({ bytes, entry_count: count }) =>
        Array.from({ length: count }, (_, at) => {
          const from = batchHeaderLength + at * entryLength
          return toHex(Uint8Array.from(bytes.subarray(from, from + entryLength)))
        }),
      )
    },
    async complaints() {
      const told = await report(issuer)
      return [
        ...(await auditBooks(issuer)),
        ...told.terminals.flatMap((each) => [
          ...each.exceptions.map(({ entry, reason }) => `entry ${entry}: ${reason}`),
          ...each.alarms.map(({ kind }) => `terminal alarm: ${kind}`),
        ]),
        ...told.cards.flatMap((each) => [
          ...each.alarms.map(({ kind }) => `card alarm: ${kind}`),
          ...each.holes.map((hole) => `card ${each.cardId} has a hole at ${hole.counter}: ${hole.explanation}`),
        ]),
      ]
    },
    async taken() {
      const { totals } = await report(issuer)
      return totals.taken
    },
  }
}

/**
 * A hotlist of a million cards, from the issuer's list to the kiosk's refusal: how long it takes to list and to sign, to arrive
 * with one sync, to follow a delta, to look a card up, and what memory and disk it takes. Issuer and terminal are processes of
 * their own. Fails above the limits (docs/PROTOCOL.md, Hotlist).
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { pino } from 'pino'
import { ledgerPath } from '../../db/open.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { blockCards } from '../../issuer/hotlist.ts'
import { createStore } from '../../issuer/issuer.ts'
import { addMerchant, addTerminal } from '../../issuer/parties.ts'
import { serve } from '../../issuer/server.ts'
import { enrol } from '../../main/enrol.ts'
import { refusalOf } from '../../main/purchase/rules.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal, realWorld } from '../../main/terminal.ts'
import { cardId, terminalId, unixTime } from '../../protocol/quantities.ts'

const million = 1_000_000
const deltaCount = 1000
const lookups = 100_000
const lookupP99UsMax = 1000
/** In processor time, of one page: no sale waits longer. */
const stallCpuMsMax = 150
const rssMbMax = 200

interface Figures {
  readonly openMs: number
  readonly syncMs: number
  readonly stallCpuMsMax: number
  readonly rssMbMax: number
  readonly diskMb: number
  readonly medianUs: number
  readonly p99Us: number
  readonly refused: string | undefined
}

/** Spread over all ids, as random ones are; the same every time. */
const cardOf = (number: number): string =>
  ((BigInt(number) * 0x9e37_79b9_7f4a_7c15n) & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, '0')

/** Of this process alone: what getrusage says, a child has from its parent. */
const peakRssMb = (): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024

const by = { name: 'bench' }
const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

/** The terminal's part, in its own process. @param probe a card that is listed by now */
const terminalPart = async (dataDir: string, probe: string): Promise<Figures> => {
  const beganOpening = performance.now()
  const terminal = openTerminal(dataDir)
  const openMs = performance.now() - beganOpening
  let stallCpuMsMax = 0
  const { append } = terminal.hotlist
  terminal.hotlist.append = (terms, page) => {
    const before = process.cpuUsage()
    const outcome = append(terms, page)
    const { user, system } = process.cpuUsage(before)
    stallCpuMsMax = Math.max(stallCpuMsMax, (user + system) / 1000)
    return outcome
  }
  const began = performance.now()
  await syncOnce(terminal, connectIssuer(terminal.identity.issuerUrl))
  const syncMs = performance.now() - began
  const rssMbMax = peakRssMb()
  const times: number[] = []
  for (let at = 0; at < lookups; at += 1) {
    const card = cardId(cardOf((at * 7919) % (2 * million)))
    const begin = process.hrtime.bigint()
    terminal.hotlist.find(card)
    times.push(Number(process.hrtime.bigint() - begin) / 1000)
  }
  times.sort((a, b) => a - b)
  const card = {
    cardId: cardId(probe),
    keyVersion: 1,
    status: 'active' as const,
    pinTriesLeft: 3,
    currency: 978,
    expiry: unixTime(0xffff_ffff),
    counter: 1,
    balanceMinor: 1000,
    balanceMaxMinor: 50_000,
    pinFreeLeftMinor: 50_000,
    challenge: new Uint8Array(8),
  }
  const refused = refusalOf(terminal, {
    card: card as unknown as Parameters<typeof refusalOf>[1]['card'],
    item: { priceMinor: 100, currency: 'EUR' },
  })?.reason
  terminal.close()
  return {
    openMs,
    syncMs,
    stallCpuMsMax,
    rssMbMax,
    diskMb: statSync(ledgerPath(dataDir)).size / 1024 / 1024,
    medianUs: percentile(times, 0.5),
    p99Us: percentile(times, 0.99),
    refused,
  }
}

const inChild = (dataDir: string, probe: string): Promise<Figures> =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ['terminal', dataDir, probe])
    child.once('message', (figures) => resolve(figures as Figures))
    child.once('exit', (code) => reject(new Error(`the terminal ended with ${code}`)))
  })

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const bench = async (): Promise<string[]> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-bench-'))
  const faults: string[] = []
  const issuer = await createStore({
    url: `sqlite:${path.join(folder, 'bank.db')}`,
    currency: 'EUR',
    clock: () => unixTime(realWorld.clock()),
    randomBytes: (count) => new Uint8Array(randomBytes(count)),
  })
  const server = await serve({ issuer, port: 0, log: pino({ level: 'silent' }) })
  try {
    await addMerchant(issuer, 'Town')
    const { terminalId: id } = await addTerminal(issuer, { merchant: 'Town' })
    const { code } = await createEnrolmentCode(issuer, terminalId(id))
    const dataDir = path.join(folder, 'kiosk')
    await enrol({ dataDir, client: connectIssuer(server.url), code })
    await publish(issuer)
    const cards = Array.from({ length: million }, (_, number) => cardOf(number))
    // All of them issued here, so that each has a block token.
    await issuer.store.write(async (db) => {
      for (let at = 0; at < million; at += 10_000)
        await sql`INSERT INTO card (card_id, key_version, created_at) VALUES ${sql.join(
          cards.slice(at, at + 10_000).map((card) => sql`(${card}, 1, 0)`),
        )}`.execute(db)
    })

    const began = performance.now()
    const blocked = await blockCards(issuer, by, { cards: cards, reason: 'lost' })
    const blockMs = performance.now() - began
    const first = await inChild(dataDir, cards[4711] ?? '')
    console.log(
      `${blocked.listed} cards listed, with block tokens, and signed in ${seconds(blockMs)}; at the kiosk with one sync of ` +
        `${seconds(first.syncMs)}, which held it up for ${first.stallCpuMsMax.toFixed(0)} ms of processor time at most; a listed card is then ${first.refused}`,
    )
    console.log(
      `lookup: median ${first.medianUs.toFixed(1)} us, p99 ${first.p99Us.toFixed(1)} us; ` +
        `${first.rssMbMax.toFixed(0)} MB of memory at most, ledger ${first.diskMb.toFixed(0)} MB`,
    )
    const delta = Array.from({ length: deltaCount }, (_, at) => cardOf(million + at))
    const deltaBegan = performance.now()
    await blockCards(issuer, by, { cards: delta, reason: 'lost' })
    const deltaMs = performance.now() - deltaBegan
    const second = await inChild(dataDir, delta[17] ?? '')
    console.log(
      `a delta of ${deltaCount}: listed and signed in ${deltaMs.toFixed(0)} ms, at the kiosk in ${second.syncMs.toFixed(0)} ms; ` +
        `the kiosk starts in ${second.openMs.toFixed(0)} ms; a listed card is then ${second.refused}`,
    )
    for (const figures of [first, second]) {
      if (figures.refused !== 'hotlisted') faults.push(`A listed card is ${figures.refused}.`)
      if (figures.p99Us > lookupP99UsMax)
        faults.push(`A lookup takes ${figures.p99Us} us: the limit is ${lookupP99UsMax}.`)
      if (figures.stallCpuMsMax > stallCpuMsMax)
        faults.push(`The kiosk was held up for ${figures.stallCpuMsMax} ms: the limit is ${stallCpuMsMax}.`)
      if (figures.rssMbMax > rssMbMax) faults.push(`The kiosk took ${figures.rssMbMax} MB: the limit is ${rssMbMax}.`)
    }
  } finally {
    await server.close()
    await issuer.store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return faults
}

const [part, dataDir, probe] = process.argv.slice(2)
if (part === 'terminal') process.send?.(await terminalPart(dataDir ?? '', probe ?? ''))
else {
  const faults = await bench()
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length === 0 ? 0 : 1
}

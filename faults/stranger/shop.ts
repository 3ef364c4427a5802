/**
 * A shop in this process, up in a second: an issuer that can be cut off, a kiosk's data folder enrolled with it, and a desk
 * where cards are made and loaded. The kiosk itself is launched on the folder (e2e/launch.ts); its cards lie in the real reader.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pino } from 'pino'
import { sampleMasters } from '../../card/purse-driver.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import type { NewItem } from '../../issuer/catalogue.ts'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { addVoucherLot, makeVoucherCodes } from '../../issuer/funding.ts'
import { createStore, type Issuer } from '../../issuer/issuer.ts'
import { addCard, addMerchant, addTerminal } from '../../issuer/parties.ts'
import { type RunningServer, serve } from '../../issuer/server.ts'
import { addArticle } from '../../issuer/shelf/add-article.ts'
import type { DisplayChange } from '../../issuer/shelf/shelf.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal } from '../../main/terminal.ts'
import { channelTo, makeTestCard, type TestCard } from '../../main/test-terminal.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { Personalisation } from '../../protocol/personalise.ts'
import { cardId, unixTime } from '../../protocol/quantities.ts'

const fresh = (count: number): Uint8Array => Uint8Array.from(randomBytes(count))
/** Play money, loudly: a driver may attach to the page only where it is. */
const masters = {
  pay: toHex(sampleMasters.pay),
  settle: toHex(sampleMasters.settle),
  load: toHex(sampleMasters.load),
  terminal: '5a'.repeat(32),
}

export type ShopItem = NewItem & { readonly display?: DisplayChange }

export interface Shop {
  readonly issuer: Issuer
  readonly terminalId: string
  readonly dataDir: string
  startIssuer(): Promise<void>
  stopIssuer(): Promise<void>
  /** A card of this issuer with that much on it, loaded at the desk. */
  makeCard(balanceMinor: number, personalisation?: Partial<Personalisation>): Promise<TestCard>
  makeVouchers(count: number, amountMinor: number): Promise<readonly string[]>
  close(): Promise<void>
}

export const openShop = async (options: {
  readonly items: readonly ShopItem[]
  /** What stands in kiosk.json. */
  readonly settings?: object
  /** The issuer's and the desk's. */
  readonly nowMs?: () => number
}): Promise<Shop> => {
  const { nowMs = Date.now } = options
  const world = { clock: () => unixTime(Math.floor(nowMs() / 1000)), randomBytes: fresh }
  const dir = mkdtempSync(path.join(tmpdir(), 'farthing-shop-'))
  const issuer = await createStore({ url: `sqlite:${path.join(dir, 'issuer.db')}`, currency: 'EUR', masters, ...world })
  for (const { display = {}, ...item } of options.items) await addArticle(issuer, item, display)
  await publish(issuer)
  const open = (port: number) => serve({ issuer, port, log: pino({ level: 'silent' }) })
  /** The desk's line is never cut. */
  const inner = await open(0)
  let server: RunningServer | undefined = await open(0)
  const { port } = server
  const clientAt = (to: number) => connectIssuer(`http://127.0.0.1:${to}`)
  const client = clientAt(inner.port)
  await addMerchant(issuer, 'Old Town Station')
  const enrolTerminal = async (line = client) => {
    const { terminalId } = await addTerminal(issuer, { merchant: 'Old Town Station' })
    const { code } = await createEnrolmentCode(issuer, terminalId)
    const dataDir = path.join(dir, terminalId)
    await enrol({ dataDir, client: line, code })
    return { terminalId, dataDir }
  }
  const kiosk = await enrolTerminal(clientAt(port))
  writeFileSync(path.join(kiosk.dataDir, 'kiosk.json'), JSON.stringify(options.settings ?? {}))
  const desk = openTerminal((await enrolTerminal()).dataDir, world)
  await syncOnce(desk, client)

  return {
    issuer,
    ...kiosk,
    async startIssuer() {
      server ??= await open(port)
    },
    async stopIssuer() {
      await server?.close()
      server = undefined
    },
    async makeCard(balanceMinor, personalisation = {}) {
      const id = cardId(toHex(fresh(8)))
      await addCard(issuer, { cardId: id })
      const card = makeTestCard({ balanceMinor: 0, personalisation: { ...personalisation, cardId: id } })
      if (balanceMinor === 0) return card
      const loaded = await loadCard(desk, client, channelTo(card), { amountMinor: balanceMinor })
      if (loaded.outcome !== 'captured') throw new Error(`the desk did not load: ${JSON.stringify(loaded)}`)
      return card
    },
    async makeVouchers(count, amountMinor) {
      const codes = makeVoucherCodes(issuer, count)
      const lot = { codes, amountMinor, expiresAt: world.clock() + 86_400, paidReference: `transfer ${codes[0]}` }
      await addVoucherLot(issuer, { name: 'cli:test' }, lot)
      return codes
    },
    async close() {
      await syncOnce(desk, client).catch(() => undefined)
      desk.close()
      await server?.close()
      await inner.close()
      await issuer.store.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

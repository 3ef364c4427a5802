/**
 * A day of a shop, for the recorder: an issuer is founded, a terminal enrolled; news, loads, sales, a reversal, batches on a
 * stick and over HTTP, their acknowledgements, a checkpoint, a second epoch. What returned is marked as durable, on the watched side.
 *
 *     node day-process.ts FOLDER terminal|issuer
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { createEnrolmentCode } from '../../issuer/enrolment.ts'
import { storePath } from '../../issuer/store.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { exportBatches } from '../../main/stick/export.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { cutBatch, syncOnce } from '../../main/sync/sync.ts'
import { openTerminal, type Terminal } from '../../main/terminal.ts'
import { buy, sellAndRelease } from '../crash/flows.ts'
import { foundIssuer, ShopCard, serveShop, shopTerminalId, storeUrl, terminalFolder } from '../crash/shop.ts'
import { world } from '../crash/world.ts'
import { watchLedger, watchStore } from './durable-marks.ts'
import { type Mark, openMarks } from './marks.ts'

const [folder = '', side = ''] = process.argv.slice(2)
const dataDir = terminalFolder(folder)
const quiet: Mark = () => {}
const mark = openMarks(path.join(folder, side))
const ofTerminal = side === 'terminal' ? mark : quiet
const ofIssuer = side === 'issuer' ? mark : quiet

const founded = await foundIssuer(folder, (issuer) => watchStore(issuer, storePath(storeUrl(folder)), ofIssuer))
const { issuer } = founded
const cards = [new ShopCard(founded.cards[0]), new ShopCard(founded.cards[1], 31)] as const
const server = await serveShop(issuer)
const client = connectIssuer(server.url)

const enrolAs = async (epoch: number): Promise<void> => {
  const { code } = await createEnrolmentCode(issuer, shopTerminalId)
  await enrol({ dataDir, client, code })
  ofTerminal(`enrolled ${epoch}`)
}
const openWatched = (seed: number): Terminal => watchLedger(openTerminal(dataDir, world(seed)), ofTerminal)

/** A stick that is part of the watched disk. */
const exportTo = (terminal: Terminal): void => {
  const stick = path.join(dataDir, 'stick')
  mkdirSync(stick)
  ofTerminal(`exported ${exportBatches(terminal, stick).files.join(' ')}`)
}

/** Its printer fails, and so it is reversed. */
const sellInVain = async (terminal: Terminal): Promise<void> => {
  const outOfPaper = async () => {
    throw new Error('out of paper')
  }
  const outcome = await buy(terminal, cards[0].channel(), 'wifi', { handOver: outOfPaper })
  if (outcome.outcome !== 'declined') throw new Error(`not reversed: ${outcome.outcome}`)
}

await enrolAs(1)
let terminal = openWatched(1)
await syncOnce(terminal, client)
for (const card of cards) await loadCard(terminal, client, card.channel(), { amountMinor: 5000 })
await sellAndRelease(terminal, cards[0], 'map')
cutBatch(terminal)
await sellAndRelease(terminal, cards[1], 'wifi')
await sellInVain(terminal)
exportTo(terminal)
await syncOnce(terminal, client)
await sellAndRelease(terminal, cards[1], 'map')
cutBatch(terminal)
terminal.close()
terminal = openWatched(2)
await buy(terminal, cards[0].channel(), 'map')
terminal.close()
await enrolAs(2)
terminal = openWatched(3)
await syncOnce(terminal, client)
terminal.close()
await server.close()
await issuer.store.close()
process.exit(0)

/**
 * Two servers on one PostgreSQL, twenty terminals that send, send again and overlap; one server after the other is killed, and in the
 * long run the database too. FARTHING_SEED repeats a run’s documents, FARTHING_SOAK=1 takes ten times as many of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Cluster, createDatabase, startCluster } from '../../issuer/test-postgres.ts'
import { type Chance, chanceOf } from '../../simulate/chance.ts'
import { soak } from '../disk/disk-faults.ts'
import { ServerProcess } from './processes.ts'
import { type Document, makeTown } from './town.ts'
import { Traffic } from './traffic.ts'
import { judge } from './verdict.ts'

const seed = Number(process.env.FARTHING_SEED ?? 20_261_125)
const size = soak ? { cards: 60, taps: 4000, kills: 40 } : { cards: 12, taps: 400, kills: 3 }
/** Into the work, after both servers are up. */
const killAfterMsMax = 900
/** Batches that come at the same moment. */
const rushSize = 24

interface Chaos {
  readonly servers: readonly ServerProcess[]
  readonly cluster: Cluster
  readonly chance: Chance
  readonly isOver: () => boolean
}

/** One server is dead while the other works on; now and then the database is, and both wait for it. */
const killAgainAndAgain = async ({ servers, cluster, chance, isOver }: Chaos): Promise<number> => {
  let databaseKills = 0
  for (let kills = 0; kills < size.kills && !isOver(); kills += 1) {
    await Promise.all(servers.map((server) => server.up()))
    await new Promise((resolve) => setTimeout(resolve, chance.below(killAfterMsMax)))
    if (isOver()) break
    if (soak && kills % 4 === 3) {
      await cluster.crash()
      databaseKills += 1
    } else chance.pick(servers).kill()
  }
  await Promise.all(servers.map((server) => server.up()))
  return databaseKills
}

test('two servers, one of them killed again and again: nothing is lost, and nothing is booked twice', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-servers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const cluster = await startCluster({ durable: soak })
  onTestFinished(() => cluster.stop())
  const url = await createDatabase(cluster.url)
  const env = { ...process.env, FARTHING_HOME: folder }
  process.env.FARTHING_HOME = folder
  const town = await makeTown({ url, seed, ...size })
  onTestFinished(() => town.issuer.store.close())
  const servers = [new ServerProcess(url, env), new ServerProcess(url, env)]
  onTestFinished(async () => {
    for (const server of servers) await server.stop()
  })
  await Promise.all(servers.map((server) => server.up()))
  const traffic = new Traffic(servers)
  let isOver = false
  const chaos = killAgainAndAgain({ servers, cluster, chance: chanceOf('kills', seed), isOver: () => isOver })
  const order = chanceOf('order', seed)
  const kept = town.documents.filter(({ kind }) => kind === 'batch' && order.hit(0.6))
  const drain = async (documents: readonly Document[]): Promise<void> => {
    const byTerminal = Map.groupBy(documents, ({ terminal }) => terminal.id)
    await Promise.all([...byTerminal].map(([id, some]) => traffic.drain(some, chanceOf('traffic', seed, id))))
  }
  await drain(town.documents.filter((document) => !kept.includes(document)))
  const shuffled = kept.toSorted(() => order.fraction() - 0.5)
  for (let at = 0; at < shuffled.length; at += rushSize) await traffic.rush(shuffled.slice(at, at + rushSize), order)
  await drain(town.documents)
  isOver = true
  const databaseKills = await chaos
  await Promise.all(town.documents.map((document) => traffic.confirm(document)))
  const kills = servers.reduce((sum, server) => sum + server.kills, 0)
  console.log(
    `servers: seed ${seed}, ${town.documents.length} documents (${town.batches} batches), sent ${traffic.sent} times, cut ${traffic.cut} times, ${traffic.repeated} repeated, ${kills} servers and ${databaseKills} databases killed`,
  )
  expect(servers.flatMap((server) => server.crashes)).toEqual([])
  expect(await judge(town, traffic)).toEqual([])
  expect(kills).toBeGreaterThan(0)
}, 900_000)

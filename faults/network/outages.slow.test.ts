/** Faults that take several requests: reordered batches, an old answer to a restored disk, an issuer that is killed, a slow line. */
import { copyFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { ledgerPath } from '../../db/open.ts'
import { start } from '../../e2e/system.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { fetchNews, startSync, syncOnce } from '../../main/sync/sync.ts'
import { channelTo } from '../../main/test-terminal.ts'
import { mapPriceMinor, openBank } from './bank.ts'
import { openFaultProxy } from './fault-proxy.ts'
import { openTill } from './till.ts'

const open = async () => {
  const bank = await openBank(onTestFinished)
  const server = await bank.serve()
  onTestFinished(() => void server.close())
  const proxy = await openFaultProxy(server.url)
  onTestFinished(() => void proxy.close())
  const client = connectIssuer(proxy.url)
  await enrol({ dataDir: `${bank.folder}/terminal`, client, code: await bank.code() })
  const till = openTill(bank, onTestFinished)
  await fetchNews(till.terminal, client)
  const card = await bank.card()
  await loadCard(till.terminal, client, channelTo(card), { amountMinor: 100_000 })
  const agree = async (sales: number) => {
    expect(till.terminal.ledger.unsynced.count).toBe(0)
    expect(await bank.entries()).toEqual(till.entries())
    expect(await bank.taken()).toEqual({ count: sales, amountMinor: sales * mapPriceMinor })
    expect(await bank.complaints()).toEqual([])
  }
  return { bank, server, proxy, client, till, card, agree }
}

test('batches that arrive last to first, each twice, are booked once and in their order', async () => {
  const { till, card, client, agree } = await open()
  for (let batch = 0; batch < 5; batch += 1) await till.sellBatch(card, 2)
  const cut = till.terminal.ledger.unanswered()
  expect(cut).toHaveLength(5)
  for (const { bytes } of [...cut.toReversed(), ...cut]) await client.sendBatch(bytes)
  await syncOnce(till.terminal, client)
  await agree(10)
})

test('a late copy of an old batch and of an old bulletin changes nothing', async () => {
  const { bank, till, card, client, proxy, agree } = await open()
  let met = 0
  proxy.plan(({ path }) => {
    met += path === '/v1/batches' ? 1 : 0
    return path === '/v1/batches' && met === 1 ? 'delivered long after' : 'none'
  })
  await till.sellBatch(card, 2)
  await expect(syncOnce(till.terminal, client)).rejects.toThrow(IssuerUnreachable)
  await till.sellBatch(card, 2)
  await syncOnce(till.terminal, client)
  expect(await proxy.deliverHeld()).toBe(1)
  // A day later there is a new bulletin; the old one comes in its place.
  bank.clock.seconds += 2 * 86_400
  await fetchNews(till.terminal, client)
  const { bulletin } = till.terminal.issued ?? {}
  proxy.plan(() => 'an old answer instead of the new one')
  await fetchNews(till.terminal, client)
  proxy.heal()
  expect(till.terminal.issued?.bulletin.serial).toBe(bulletin?.serial)
  await agree(4)
})

test('an old acknowledgement does not settle what a restored disk sold anew under the same number', async () => {
  const { bank, till, card, client, proxy } = await open()
  await syncOnce(till.terminal, client)
  // Copied while the terminal is down, as an image is.
  till.terminal.close()
  const image = `${bank.folder}/image.sqlite`
  copyFileSync(ledgerPath(till.dataDir), image)
  till.restart()
  await till.sellBatch(card, 2)
  proxy.plan(() => 'none')
  await syncOnce(till.terminal, client)

  till.terminal.close()
  copyFileSync(image, ledgerPath(till.dataDir))
  till.restart()
  const other = await bank.card()
  await loadCard(till.terminal, client, channelTo(other), { amountMinor: 100_000 })
  await till.sellBatch(other, 1)
  const { terminal } = till
  // Batch 2 again, with as many entries as the other batch 2 had. Its acknowledgement is right in all but the head.
  expect(terminal.ledger.unanswered().map(({ batchNo, count }) => [batchNo, count])).toEqual([[2, 2]])
  proxy.plan(({ path }) => (path === '/v1/batches' ? 'the newest answer of its kind' : 'none'))
  await expect(syncOnce(terminal, client)).rejects.toThrow(IssuerUnreachable)
  expect(terminal.ledger.unsynced.count).toBe(2)
  // The issuer itself names the fork, and the entries go with the next epoch.
  proxy.heal()
  expect(await syncOnce(terminal, client)).toMatchObject({ stopped: 'fork' })
  terminal.close()
  await enrol({ dataDir: till.dataDir, client, code: await bank.code() })
  const reborn = till.restart()
  await syncOnce(reborn, client)
  expect(reborn.ledger.unsynced.count).toBe(0)
  const there = new Set(await bank.entries())
  expect(till.entries().filter((entry) => !there.has(entry))).toEqual([])
  expect((await bank.taken()).count).toBe(3)
})

test('an issuer killed in the middle of batches, five times, has each whole or not, and in the end all', async () => {
  const { bank, server, proxy, client, till, card, agree } = await open()
  // More than five kills leave over, however fast the machine is.
  const batches = 30
  for (let batch = 0; batch < batches; batch += 1) await till.sellBatch(card, 3)
  await server.close()
  let kills = 0
  while (till.terminal.ledger.unsynced.count > 0) {
    const serving = await start('issuer', 'serve', '--store', bank.issuer.store.url, '--port', '0')
    proxy.lead(String(serving.ready.url))
    const sent = proxy.arrivals.length
    // The kill comes while the next batch is on its way, in its middle or right after it.
    proxy.plan(({ path }) => {
      if (path === '/v1/batches' && kills < 5 && proxy.arrivals.length > sent + 1) {
        kills += 1
        setTimeout(() => serving.process.kill('SIGKILL'), kills * 3)
      }
      return 'none'
    })
    await syncOnce(till.terminal, client).catch((error: unknown) => expect(error).toBeInstanceOf(IssuerUnreachable))
    await serving.stop('SIGKILL')
    const there = new Set(await bank.entries())
    expect(
      till
        .entries()
        .slice(0, till.settled())
        .filter((entry) => !there.has(entry)),
    ).toEqual([])
    expect(await bank.complaints()).toEqual([])
  }
  expect(kills).toBe(5)
  await agree(batches * 3)
}, 90_000)

test('while nobody listens tries are few and far between; then the loop finds the issuer by itself', async () => {
  const { till, card, proxy, client, agree } = await open()
  await till.sellBatch(card, 2)
  await proxy.refuse()
  const told: boolean[] = []
  let tell: () => void = () => {}
  const loop = startSync(till.terminal, client, {
    random: () => 0,
    onChange: (online) => {
      told.push(online)
      tell()
    },
  })
  onTestFinished(() => loop.stop())
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      tell = () => {
        if (told.length >= count) resolve()
      }
      tell()
    })
  await until(1)
  // A customer at every moment does not make it knock more often.
  for (let sale = 0; sale < 50; sale += 1) loop.nudge()
  const begun = performance.now()
  await until(2)
  expect(performance.now() - begun).toBeGreaterThan(400)
  await proxy.open()
  await until(3)
  expect(told).toEqual([false, false, true])
  await agree(2)
})

test('a bulletin without end is cut off before it fills the memory, and what was known stays in force', async () => {
  const { till, card, proxy, client, agree } = await open()
  const before = process.memoryUsage().rss
  proxy.plan(({ path }) => (path === '/v1/bulletin' ? 'endless body' : 'none'))
  for (let attempt = 0; attempt < 3; attempt += 1)
    await expect(fetchNews(till.terminal, client)).rejects.toThrow('larger than')
  // The proxy that pours is in this process too.
  expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(150)
  proxy.heal()
  expect(await till.sell(card)).toBe('captured')
  await syncOnce(till.terminal, client)
  await agree(1)
})

/** A line of so many bytes a second, each way. */
const openSlowLine = async (port: number, bytesPerSecond: number): Promise<string> => {
  const tickMs = 20
  const perTick = Math.ceil((bytesPerSecond * tickMs) / 1000)
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const timers = [
      [near, far],
      [far, near],
    ].map(([from, to]) =>
      setInterval(() => {
        const chunk: unknown = from?.read(Math.min(perTick, from.readableLength))
        if (chunk instanceof Uint8Array) to?.write(chunk)
      }, tickMs),
    )
    const end = () => {
      for (const timer of timers) clearInterval(timer)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

test('over a slow line a sync takes much longer than silence may, and ends well; slower than the pace it is given up', async () => {
  const { server, till, card, agree } = await open()
  await till.sellBatch(card, 100)
  const url = await openSlowLine(server.port, 8000)
  // The batch alone is over 10 kB: 1.3 seconds.
  const begun = performance.now()
  await expect(
    syncOnce(till.terminal, connectIssuer(url, { pace: { silenceMs: 500, bytesPerSecondMin: 100_000 } })),
  ).rejects.toThrow('too slow or silent')
  await syncOnce(till.terminal, connectIssuer(url, { pace: { silenceMs: 500, bytesPerSecondMin: 2000 } }))
  expect(performance.now() - begun).toBeGreaterThan(1300)
  await agree(100)
})

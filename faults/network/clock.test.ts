/** Clocks that are wrong, the terminal's and the issuer's, an hour and a year back and forth. Signed time never goes back. */
import { expect, onTestFinished, test } from 'vitest'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { outOfServiceReason } from '../../main/purchase/rules.ts'
import { connectIssuer, IssuerRefused } from '../../main/sync/issuer-client.ts'
import { fetchNews, syncOnce } from '../../main/sync/sync.ts'
import { channelTo } from '../../main/test-terminal.ts'
import { parseEntry } from '../../protocol/entry.ts'
import { bankStartTime, mapPriceMinor, openBank } from './bank.ts'
import { openTill } from './till.ts'

const hour = 3600
const day = 86_400
const year = 365 * day

const open = async () => {
  const bank = await openBank(onTestFinished)
  const server = await bank.serve()
  onTestFinished(() => void server.close())
  const client = connectIssuer(server.url)
  const dataDir = `${bank.folder}/terminal`
  await enrol({ dataDir, client, code: await bank.code() })
  const till = openTill(bank, onTestFinished)
  await fetchNews(till.terminal, client)
  const card = await bank.card()
  await loadCard(till.terminal, client, channelTo(card), { amountMinor: 10_000 })
  const agree = async (sales: number) => {
    await syncOnce(till.terminal, client)
    expect(till.terminal.ledger.unsynced.count).toBe(0)
    expect(await bank.entries()).toEqual(till.entries())
    expect(await bank.taken()).toEqual({ count: sales, amountMinor: sales * mapPriceMinor })
    expect(await bank.complaints()).toEqual([])
  }
  const orderTimes = () =>
    till.entries().map((hex) => parseEntry(Uint8Array.from(Buffer.from(hex, 'hex'))).record.order.time)
  return { bank, client, dataDir, till, card, agree, orderTimes }
}

test.each([
  ['an hour back', -hour],
  ['a year back', -year],
  ['to 1970', -bankStartTime],
])('a terminal whose clock goes %s sells on at the newest signed time', async (_name, seconds) => {
  const { till, card, agree, orderTimes } = await open()
  till.clock.seconds += seconds
  expect(await till.sell(card)).toBe('captured')
  till.restart()
  expect(await till.sell(card)).toBe('captured')
  expect(orderTimes().slice(-2)).toEqual([bankStartTime, bankStartTime])
  await agree(2)
  till.clock.seconds = bankStartTime + hour
  expect(await till.sell(card)).toBe('captured')
  expect(orderTimes().at(-1)).toBe(bankStartTime + hour)
  await agree(3)
})

test('a terminal whose clock is an hour fast sells, and the clock set right sells on; all of it is booked', async () => {
  const { till, card, agree, orderTimes } = await open()
  till.clock.seconds += hour
  expect(await till.sell(card)).toBe('captured')
  till.clock.seconds -= hour
  expect(await till.sell(card)).toBe('captured')
  expect(orderTimes().slice(-2)).toEqual([bankStartTime + hour, bankStartTime])
  await agree(2)
})

test('a terminal whose clock is a year fast sells nothing on an expired bulletin, debits nothing, and loses nothing', async () => {
  const { till, card, agree, client } = await open()
  expect(await till.sell(card)).toBe('captured')
  const { balanceMinor } = card.state
  till.clock.seconds += year
  expect(outOfServiceReason(till.terminal)).toBe('stale')
  expect(await till.sell(card)).toBe('outOfService')
  expect(card.state.balanceMinor).toBe(balanceMinor)
  // What it took is sent all the same; a bulletin of today is still a year old to it.
  await syncOnce(till.terminal, client)
  expect(outOfServiceReason(till.terminal)).toBe('stale')
  till.clock.seconds -= year
  till.restart()
  expect(outOfServiceReason(till.terminal)).toBeUndefined()
  expect(await till.sell(card)).toBe('captured')
  await agree(2)
})

test('a clock that runs back cannot make a stale bulletin fresh again once a newer one was seen', async () => {
  const { bank, till, card, client } = await open()
  bank.clock.seconds += 10 * day
  till.clock.seconds += 10 * day
  await fetchNews(till.terminal, client)
  const { bulletin } = till.terminal.issued ?? {}
  expect(bulletin?.serial).toBeGreaterThan(1)
  till.clock.seconds -= year
  till.restart()
  expect(till.terminal.ledger.now()).toBe(Date.parse(bulletin?.issuedAt ?? '') / 1000)
  expect(await till.sell(card)).toBe('captured')
})

test('age limits count by the signed time and by the oldest entry, whatever the clock did in between', async () => {
  const { till, card } = await open()
  const { limits } = till.terminal.issued?.bulletin ?? {}
  expect(await till.sell(card)).toBe('captured')
  // The clock jumps ahead for one sale and back: the first sale stays the oldest.
  till.clock.seconds += 10 * day
  expect(await till.sell(card)).toBe('captured')
  till.clock.seconds = bankStartTime
  expect(till.terminal.ledger.unsynced.oldestTime).toBe(bankStartTime)
  till.restart()
  till.clock.seconds = bankStartTime + (limits?.unsyncedSecondsMax ?? 0) + 1
  expect(await till.sell(card)).toBe('limit')
  till.clock.seconds -= 2
  expect(await till.sell(card)).toBe('captured')
})

test('a card that has expired by the signed time stays expired when the clock goes back', async () => {
  const { bank, till, client } = await open()
  const expired = await bank.card({ expiry: bankStartTime + day })
  await loadCard(till.terminal, client, channelTo(expired), { amountMinor: 1000 })
  expect(await till.sell(expired)).toBe('captured')
  bank.clock.seconds += 2 * day
  await fetchNews(till.terminal, client)
  till.clock.seconds -= year
  expect(await till.sell(expired)).toBe('cardExpired')
})

test.each([
  ['an hour', hour],
  ['a year', year],
])(
  'an issuer whose clock goes %s back takes batches, and signs no bulletin behind its last',
  async (_name, seconds) => {
    const { bank, till, card, client, agree } = await open()
    bank.clock.seconds += 2 * day
    till.clock.seconds += 2 * day
    await fetchNews(till.terminal, client)
    const signed = till.terminal.ledger.now()
    bank.clock.seconds -= seconds
    expect(await till.sell(card)).toBe('captured')
    await agree(1)
    await fetchNews(till.terminal, client)
    const { bulletin } = till.terminal.issued ?? {}
    expect(Date.parse(bulletin?.issuedAt ?? '') / 1000).toBe(signed)
    expect(outOfServiceReason(till.terminal)).toBeUndefined()
    expect(await till.sell(card)).toBe('captured')
    await agree(2)
  },
)

test('an issuer whose clock was a year ahead for a day signs no bulletin by it: terminals send all the same, and sell on', async () => {
  const { bank, till, card, client } = await open()
  expect(await till.sell(card)).toBe('captured')
  const { serial } = till.terminal.issued?.bulletin ?? {}
  bank.clock.seconds += year
  await syncOnce(till.terminal, client)
  expect(till.terminal.ledger.unsynced.count).toBe(0)
  expect(till.terminal.issued?.bulletin.serial).toBe(serial)
  bank.clock.seconds -= year
  till.restart()
  expect(outOfServiceReason(till.terminal)).toBeUndefined()
  expect(await till.sell(card)).toBe('captured')
  await syncOnce(till.terminal, client)
  expect(till.terminal.ledger.unsynced.count).toBe(0)
  expect(await bank.taken()).toEqual({ count: 2, amountMinor: 2 * mapPriceMinor })
  expect(await bank.complaints()).toEqual([])
})

test('an issuer whose clock was a quarter ahead for a day leaves terminals in service when it is right again', async () => {
  const { bank, till, card, client, agree } = await open()
  bank.clock.seconds += year / 4
  await syncOnce(till.terminal, client)
  expect(till.terminal.ledger.now()).toBe(bankStartTime + year / 4)
  expect(await till.sell(card)).toBe('captured')
  bank.clock.seconds -= year / 4
  await fetchNews(till.terminal, client)
  till.restart()
  expect(outOfServiceReason(till.terminal)).toBeUndefined()
  expect(await till.sell(card)).toBe('captured')
  await agree(2)
})

test('a code is good for its quarter of an hour by the issuer’s clock alone', async () => {
  const { bank, client, till } = await open()
  const again = { dataDir: `${bank.folder}/again`, client }
  const late = await bank.code()
  bank.clock.seconds += 16 * 60
  await expect(enrol({ ...again, code: late })).rejects.toThrow(IssuerRefused)
  // The issuer's clock goes back an hour: the code just made is good for longer, and still only once.
  const code = await bank.code()
  bank.clock.seconds -= hour
  till.clock.seconds += year
  await enrol({ ...again, code })
  await expect(enrol({ ...again, code })).rejects.toThrow(IssuerRefused)
})

/** Bulletin, keyring and enrolment as terminals come to see them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBulletin } from '../protocol/bulletin.ts'
import { toHex } from '../protocol/bytes.ts'
import { firstHotlistHead } from '../protocol/hotlist.ts'
import { type Item, unitItem } from '../protocol/item.ts'
import { openKeyring } from '../protocol/keyring.ts'
import { terminalId, unixTime } from '../protocol/quantities.ts'
import { announceAddress, currentBulletin, publish, setTerms } from './bulletin-publisher.ts'
import { addItem } from './catalogue.ts'
import { createEnrolmentCode, enrol, type KeptLedger } from './enrolment.ts'
import type { Issuer } from './issuer.ts'
import { keyringFor } from './keyring-maker.ts'
import { addMerchant, addTerminal } from './parties.ts'
import { report } from './report.ts'
import { type Bench, newCard, newTerminal, now, openBench } from './test-support.ts'
import { listWithheld, releaseUnits, withdrawUnits } from './withheld-units.ts'

let bench: Bench
let issuer: Issuer
let time: number

beforeEach(async () => {
  bench = await openBench()
  time = now
  issuer = { ...bench.issuer, clock: () => unixTime(time) }
})
afterEach(() => bench.close())

const day = 86_400
const addCodes = async (lines: string): Promise<Item> =>
  (
    await addItem(issuer, {
      file: { name: 'codes.txt', bytes: new TextEncoder().encode(lines) },
      id: 'wifi',
      kind: 'code',
      priceMinor: 100,
      title: { en: 'Wi-Fi' },
    })
  ).item
const opened = async (id: string) => {
  const made = await keyringFor(issuer, id)
  const key = issuer.keys.terminalKey(1, terminalId(id))
  if (made === undefined || key === undefined) throw new Error('no keyring')
  return openKeyring(made.bytes, key)
}
const enrolled = async (id: string, ledger?: KeptLedger) => {
  const { code } = await createEnrolmentCode(issuer, terminalId(id))
  const result = await enrol(issuer, code, ledger)
  if (result.outcome === 'refused') throw new Error(result.sentence)
  return result.enrolment
}

describe('the bulletin', () => {
  it('is signed and archived under a serial that only grows, and lasts 30 days', async () => {
    expect(await currentBulletin(issuer)).toBeUndefined()
    const first = await publish(issuer)
    const second = await publish(issuer, { limits: { saleMinorMax: 500 }, claimSeconds: 60 })
    const third = await publish(issuer)
    const { serial } = first
    expect([second.serial, third.serial]).toEqual([serial + 1, serial + 2])
    expect(openBulletin(first.bytes, issuer.keys.signing.publicKey)).toEqual(first.bulletin)
    expect(first.bulletin).toMatchObject({
      issuedAt: new Date(now * 1000).toISOString(),
      expiresAt: new Date((now + 60 * day) * 1000).toISOString(),
      payKeyVersions: [1],
      hotlist: { generation: 1, count: 0, head: toHex(firstHotlistHead()) },
    })
    expect(third.bulletin).toMatchObject({ limits: { saleMinorMax: 500 }, claimSeconds: 60 })
    await expect(issuer.store.write((db) => db.deleteFrom('bulletin').execute())).rejects.toThrow(/never deleted/)
  })

  it('never goes back in time, whatever the clock does', async () => {
    const { bulletin: first } = await publish(issuer)
    time -= day
    const { bulletin: second } = await publish(issuer)
    expect(second.issuedAt).toBe(first.issuedAt)
  })

  it('refuses limits and terms out of range', async () => {
    await expect(publish(issuer, { limits: { saleMinorMax: -1 } })).rejects.toMatchObject({ code: 'input' })
    await expect(publish(issuer, { claimSeconds: 0 })).rejects.toMatchObject({ code: 'input' })
    await expect(publish(issuer, { validSeconds: 0.5 })).rejects.toMatchObject({ code: 'input' })
    expect(await currentBulletin(issuer)).toBeUndefined()
  })

  it('bears a serial by the clock: an issuer that went back to a backup signs nothing below what terminals have seen', async () => {
    await publish(issuer)
    time += 10
    expect((await publish(issuer)).serial).toBe(time)
  })

  it('does not follow a clock that jumped ahead, unless a person insists', async () => {
    const { serial } = await publish(issuer)
    time += 180 * day + 1
    await expect(publish(issuer)).rejects.toMatchObject({ code: 'serialJump', message: /180 days after.*--jump/ })
    await expect(setTerms(issuer, { claimSeconds: day })).rejects.toMatchObject({ code: 'serialJump' })
    expect((await currentBulletin(issuer))?.serial).toBe(serial)
    await announceAddress(issuer, 'https://pay.example.org')
    expect((await currentBulletin(issuer))?.serial).toBe(serial)
    time -= 1
    expect((await publish(issuer)).serial).toBe(time)
    time += 400 * day
    expect((await publish(issuer, { jump: true })).serial).toBe(time)
    await expect(publish(issuer, { aboveSerial: time + 180 * day })).rejects.toMatchObject({ code: 'serialJump' })
  })

  it('is signed anew when it is a day old, without what was not published', async () => {
    const { serial } = await publish(issuer)
    await addCodes('LARK-1')
    time += day - 1
    expect((await currentBulletin(issuer))?.serial).toBe(serial)
    time += 1
    const renewed = await currentBulletin(issuer)
    expect(renewed).toMatchObject({
      serial: time,
      bulletin: { items: [], issuedAt: new Date(time * 1000).toISOString() },
    })
    expect((await currentBulletin(issuer))?.serial).toBe(time)
  })
})

describe('the keyring', () => {
  it('is made for enrolled terminals alone', async () => {
    await addMerchant(issuer, 'Town')
    const { terminalId: id } = await addTerminal(issuer, { merchant: 'Town' })
    expect(await keyringFor(issuer, id)).toBeUndefined()
    expect(await keyringFor(issuer, 'nonsense')).toBeUndefined()
    await enrolled(id)
    expect((await opened(id)).body).toMatchObject({ merchant: 'Town', contentKeys: [], units: [] })
  })

  it('changes its serial only with its content', async () => {
    const kiosk = await newTerminal(issuer, 'Town')
    const first = await keyringFor(issuer, kiosk.id)
    time += 1000
    expect(await keyringFor(issuer, kiosk.id)).toEqual(first)
    await addCodes('LARK-1\nWREN-2')
    expect((await opened(kiosk.id)).serial).toBe(first?.serial)
    await publish(issuer)
    const { serial, body, epoch } = await opened(kiosk.id)
    expect([serial, epoch, body.units.map(({ code }) => code)]).toEqual([time, 1, ['LARK-1', 'WREN-2']])
    expect(body.payKeys).toEqual([{ version: 1, key: issuer.keys.masters(1)?.pay }])
    await enrolled(kiosk.id)
    expect(await opened(kiosk.id)).toMatchObject({ serial: time + 1, epoch: 2 })
  })

  it('gives each code to one terminal', async () => {
    const kiosks = [await newTerminal(issuer, 'Town'), await newTerminal(issuer, 'Port')]
    await addCodes('a\nb\nc\nd\ne')
    await publish(issuer)
    const given = await Promise.all(kiosks.map(async ({ id }) => (await opened(id)).body.units.map(({ code }) => code)))
    expect(given.map(({ length }) => length)).toEqual([3, 2])
    expect(new Set(given.flat()).size).toBe(5)
  })
})

describe('enrolment', () => {
  it('gives every enrolment an epoch of its own, and says what arrived before', async () => {
    const kiosk = await newTerminal(issuer, 'Town')
    const card = await newCard(issuer)
    const made = await kiosk.load(card, 500)
    await kiosk.sync(kiosk.entry(made))
    const second = await enrolled(kiosk.id)
    expect(second).toMatchObject({ epoch: 2, lastBatch: { epoch: 1, batchNo: 1, lastEntry: 1 } })
    expect((await enrolled(kiosk.id)).epoch).toBe(3)
  })

  it('hands a code to one of two who try it at once', async () => {
    const kiosk = await newTerminal(issuer, 'Town')
    const { code } = await createEnrolmentCode(issuer, kiosk.id)
    const results = await Promise.all([enrol(issuer, code), enrol(issuer, code)])
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(['enrolled', 'refused'])
  })

  it('keeps no enrolment code, and makes none for a terminal that is not there', async () => {
    const kiosk = await newTerminal(issuer, 'Town')
    const { code } = await createEnrolmentCode(issuer, kiosk.id)
    const rows = await issuer.store.read((db) => db.selectFrom('enrolment_code').selectAll().execute())
    expect(JSON.stringify(rows)).not.toContain(code)
    await expect(createEnrolmentCode(issuer, terminalId('00'.repeat(8)))).rejects.toMatchObject({
      code: 'unknownTerminal',
    })
  })

  const codesOf = async (id: string) => (await opened(id)).body.units.map(({ code }) => code)
  /** Three codes at a kiosk of epoch 1, which told of two sales, one of them in doubt. */
  const soldTwo = async () => {
    const wifi = await addCodes('sold\ndoubtful\nfree')
    const kiosk = await newTerminal(issuer, 'Town')
    await publish(issuer)
    const card = await newCard(issuer)
    await kiosk.load(card, 500)
    const sold = card.pay(kiosk, unitItem(wifi, 'sold'))
    const doubtful = card.pay(kiosk, unitItem(wifi, 'doubtful'))
    await kiosk.sync(kiosk.entry(sold), kiosk.entry(doubtful, 'inDoubt'))
    expect(await codesOf(kiosk.id)).toHaveLength(3)
    return { kiosk, card, wifi }
  }

  it('gives a new epoch no code that the old one sold; what is in doubt the ledger holds, as long as it is whole', async () => {
    const { kiosk } = await soldTwo()
    await enrolled(kiosk.id, { terminalId: kiosk.id, epoch: 1, batchNo: 1 })
    expect(await codesOf(kiosk.id)).toEqual(['doubtful', 'free'])
    expect(await listWithheld(issuer)).toEqual([])
  })

  it.each([
    ['none', () => undefined],
    ['a fork', (id: string) => ({ terminalId: id, epoch: 1, batchNo: 1, fork: true })],
    ['one of an earlier epoch', (id: string) => ({ terminalId: id, epoch: 0, batchNo: 1 })],
    ['one that lacks a batch of its own', (id: string) => ({ terminalId: id, epoch: 1, batchNo: 0 })],
  ])('withholds every code from a terminal that kept %s of its ledgers', async (_name, ledger) => {
    const { kiosk } = await soldTwo()
    await enrolled(kiosk.id, ledger(kiosk.id))
    expect(await codesOf(kiosk.id)).toEqual([])
    const withheld = { count: 2, amountMinor: 200 }
    expect(await listWithheld(issuer)).toEqual([{ terminalId: kiosk.id, itemId: 'wifi', ...withheld }])
    expect((await report(issuer)).terminals[0]?.withheldUnits).toEqual(withheld)
  })

  it("spends no code on another terminal's data folder, and changes nothing", async () => {
    const { kiosk } = await soldTwo()
    const { code } = await createEnrolmentCode(issuer, terminalId(kiosk.id))
    const wrong = await enrol(issuer, code, { terminalId: 'ff'.repeat(8), epoch: 1, batchNo: 1 })
    expect(wrong).toMatchObject({ outcome: 'refused', sentence: expect.stringContaining('another terminal') })
    expect(await codesOf(kiosk.id)).toHaveLength(3)
    const right = await enrol(issuer, code, { terminalId: kiosk.id, epoch: 1, batchNo: 1 })
    expect(right).toMatchObject({ outcome: 'enrolled', enrolment: { epoch: 2 } })
  })

  it('never gives an epoch that the terminal used, though the issuer went back and has forgotten it', async () => {
    const { kiosk } = await soldTwo()
    expect(await enrolled(kiosk.id, { terminalId: kiosk.id, epoch: 7, batchNo: 3 })).toMatchObject({ epoch: 8 })
    expect(await listWithheld(issuer)).toEqual([])
    // A number that no terminal can have come to is not believed whole.
    expect(await enrolled(kiosk.id, { terminalId: kiosk.id, epoch: 0xffffffff, batchNo: 0 })).toMatchObject({
      epoch: 1009,
    })
  })

  it('has nothing to withhold at the first enrolment, nor from codes that come later', async () => {
    await addCodes('one')
    await addMerchant(issuer, 'Town')
    const { terminalId: id } = await addTerminal(issuer, { merchant: 'Town' })
    await enrolled(id)
    await addCodes('two')
    await publish(issuer)
    expect(await codesOf(id)).toEqual(['one', 'two'])
    await enrolled(id)
    await addCodes('three')
    await publish(issuer)
    expect(await codesOf(id)).toEqual(['three'])
  })

  it('releases withheld codes to their terminal when a person says so, but none whose sale came meanwhile', async () => {
    const { kiosk, card, wifi } = await soldTwo()
    await addCodes('free\nunknown\nother')
    await publish(issuer)
    const unknown = card.pay(kiosk, unitItem(wifi, 'unknown'))
    await enrolled(kiosk.id)
    expect(await listWithheld(issuer)).toMatchObject([{ count: 4 }])
    const elsewhere = await newTerminal(issuer, 'Port')
    await elsewhere.sync(elsewhere.entry(unknown, 'witness'))
    expect(await listWithheld(issuer)).toMatchObject([{ count: 3 }])
    expect(await releaseUnits(issuer, { terminalId: kiosk.id, itemId: 'map' })).toEqual({ units: 0 })
    expect(await releaseUnits(issuer, { terminalId: kiosk.id, itemId: 'wifi' })).toEqual({ units: 2 })
    expect(await codesOf(kiosk.id)).toEqual(['free', 'other'])
    // The one in doubt waits on.
    expect(await listWithheld(issuer)).toMatchObject([{ count: 1 }])
    const late = card.pay(kiosk, unitItem(wifi, 'other'))
    await elsewhere.sync(elsewhere.entry(late, 'witness'))
    expect(await codesOf(kiosk.id)).toEqual(['free'])
  })

  it('withdraws the codes of a terminal for good, withheld or for sale', async () => {
    const { kiosk } = await soldTwo()
    expect(await withdrawUnits(issuer, { terminalId: kiosk.id })).toEqual({ units: 2 })
    expect(await codesOf(kiosk.id)).toEqual([])
    expect(await releaseUnits(issuer, { terminalId: kiosk.id })).toEqual({ units: 0 })
    await expect(withdrawUnits(issuer, { terminalId: terminalId('00'.repeat(8)) })).rejects.toMatchObject({
      code: 'unknownTerminal',
    })
  })
})

/**
 * A data folder after a disaster: a WAL that is lost, a ledger that is gone or went back in time, damaged and missing files.
 * Real terminal, cards and issuer. What is noticed is named; what comes back is printed.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { LedgerFault, ledgerPath } from '../../db/open.ts'
import { auditBooks } from '../../issuer/audit.ts'
import { report } from '../../issuer/report.ts'
import { enrol } from '../../main/enrol.ts'
import { IdentityFault, identityPath } from '../../main/identity.ts'
import { finishOpen, witnessAfterSale } from '../../main/purchase/purchase.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import type { Terminal } from '../../main/terminal.ts'
import { bookProblems, paidOn } from '../crash/aftermath.ts'
import { buy, sellAndRelease } from '../crash/flows.ts'
import {
  copyTemplate,
  makeTemplate,
  openShop,
  type Shop,
  type ShopCard,
  type Template,
  terminalFolder,
} from '../crash/shop.ts'
import { faultFolder } from './disk-faults.ts'

const cleanUps: (() => void)[] = []
let template: Template
beforeAll(async () => {
  template = await makeTemplate(
    path.join(
      faultFolder((cleanUp) => cleanUps.push(cleanUp)),
      'template',
    ),
  )
})
afterAll(() => {
  for (const cleanUp of cleanUps) cleanUp()
})

const freshShop = async (): Promise<{ shop: Shop; dataDir: string }> => {
  const folder = path.join(faultFolder(onTestFinished), 'shop')
  copyTemplate(template, folder)
  const shop = await openShop(folder, template.cards)
  onTestFinished(() => shop.close())
  return { shop, dataDir: terminalFolder(folder) }
}

/** The files as they lie there while the terminal runs: what a crash leaves. */
const crashImage = (dataDir: string): string => {
  const image = path.join(faultFolder(onTestFinished), 'image')
  cpSync(dataDir, image, { recursive: true })
  return image
}

const ledgerFiles = (dataDir: string): readonly string[] =>
  ['', '-wal', '-shm'].map((end) => `${ledgerPath(dataDir)}${end}`)

const putBack = (image: string, dataDir: string): void => {
  for (const file of ledgerFiles(dataDir)) rmSync(file, { force: true })
  for (const file of ledgerFiles(image)) if (existsSync(file)) cpSync(file, path.join(dataDir, path.basename(file)))
}

const enrolAgain = async (shop: Shop): Promise<Terminal> => {
  await enrol({ dataDir: terminalFolder(shop.folder), client: shop.client, code: await shop.enrolmentCode() })
  return shop.openTerminal(70)
}

const payableMinor = async (shop: Shop): Promise<number> => (await report(shop.issuer)).totals.payableMinor
const takenMinor = (cards: readonly ShopCard[]): number =>
  cards.flatMap(paidOn).reduce((sum, { order }) => sum + order.amountMinor, 0)

/** Each card is tapped until nothing of it is new here: its records come back as witnesses. */
const tapUntilKnown = async (terminal: Terminal, card: ShopCard): Promise<void> => {
  let before = -1
  while (before !== terminal.ledger.unsynced.count) {
    before = terminal.ledger.unsynced.count
    await witnessAfterSale(terminal, card.channel(), { cardId: card.id })
  }
}

describe('a ledger that went back in time', () => {
  test('without its WAL after a crash: nothing is said at the start, the issuer names the fork, and every sale comes back from the cards', async () => {
    const { shop, dataDir } = await freshShop()
    const [first, second] = shop.cards
    let terminal = shop.openTerminal(1)
    await sellAndRelease(terminal, first, 'map')
    await syncOnce(terminal, shop.client)
    await sellAndRelease(terminal, first, 'wifi')
    await sellAndRelease(terminal, second, 'map')
    await syncOnce(terminal, shop.client)
    await sellAndRelease(terminal, second, 'map')
    const image = crashImage(dataDir)
    terminal.close()
    rmSync(`${ledgerPath(image)}-wal`)
    rmSync(`${ledgerPath(image)}-shm`, { force: true })
    putBack(image, dataDir)

    // The terminal itself starts without a word: what is left is a whole ledger, of an earlier hour.
    terminal = shop.openTerminal(2)
    expect(terminal.ledger.stoppedVerdict).toBeUndefined()
    expect(terminal.ledger.counterMax(first.id)).toBeLessThan(first.state.counter)
    await sellAndRelease(terminal, first, 'map')
    expect((await syncOnce(terminal, shop.client)).stopped).toBe('fork')
    expect((await buy(terminal, first.channel(), 'map')).outcome).toBe('declined')
    terminal.close()

    terminal = await enrolAgain(shop)
    await syncOnce(terminal, shop.client)
    const before = await payableMinor(shop)
    for (const card of shop.cards) await tapUntilKnown(terminal, card)
    await syncOnce(terminal, shop.client)
    const after = await payableMinor(shop)
    console.log(
      `lost WAL: of ${takenMinor(shop.cards)} taken, the issuer knew ${before} at once and ${after} after the cards' taps`,
    )
    expect(after).toBe(takenMinor(shop.cards))
    expect(await auditBooks(shop.issuer)).toEqual([])
    const { terminals } = await report(shop.issuer)
    expect(terminals.flatMap(({ alarms }) => alarms.map(({ kind }) => kind))).toContain('fork')
    terminal.close()
  })

  test('without sales that no batch had taken along: no fork, but a hole that is named, and closed by the card’s record', async () => {
    const { shop, dataDir } = await freshShop()
    const [first] = shop.cards
    const old = crashImage(dataDir)
    let terminal = shop.openTerminal(1)
    await sellAndRelease(terminal, first, 'map')
    terminal.close()
    putBack(old, dataDir)
    terminal = shop.openTerminal(2)
    await sellAndRelease(terminal, first, 'map')
    expect((await syncOnce(terminal, shop.client)).stopped).toBeUndefined()
    const holes = async () => (await report(shop.issuer)).cards.flatMap((card) => card.holes)
    expect(await holes()).toMatchObject([{ counter: first.state.counter - 1, amountMinor: 250, direction: 'debit' }])
    await tapUntilKnown(terminal, first)
    await syncOnce(terminal, shop.client)
    expect(await holes()).toEqual([])
    expect(await bookProblems(shop, terminal)).toEqual([])
    terminal.close()
  })

  test('from a backup: named a fork, stopped until enrolled again; what the cards’ logs still hold comes back, the rest is a named hole', async () => {
    const { shop, dataDir } = await freshShop()
    const [first, second] = shop.cards
    const old = crashImage(dataDir)
    let terminal = shop.openTerminal(1)
    await sellAndRelease(terminal, first, 'map')
    await syncOnce(terminal, shop.client)
    // More than a card's log holds: the two oldest of these are lost with the disk.
    for (let sale = 0; sale < 12; sale += 1) await sellAndRelease(terminal, first, 'map')
    for (let sale = 0; sale < 3; sale += 1) await sellAndRelease(terminal, second, 'map')
    terminal.close()
    putBack(old, dataDir)

    terminal = shop.openTerminal(2)
    await sellAndRelease(terminal, second, 'wifi')
    expect((await syncOnce(terminal, shop.client)).stopped).toBe('fork')
    terminal.close()
    terminal = await enrolAgain(shop)
    await syncOnce(terminal, shop.client)
    for (const card of shop.cards) await tapUntilKnown(terminal, card)
    await syncOnce(terminal, shop.client)
    const told = await report(shop.issuer)
    const lostMinor = 250 * 2
    const totalMinor = 250 * (1 + 12 + 3) + 100
    console.log(
      `old image: of ${totalMinor} taken, ${told.totals.payableMinor + told.totals.heldMinor} came back; ${lostMinor} had left the cards' logs`,
    )
    expect(told.cards.flatMap(({ cardId, holes }) => holes.map((hole) => ({ cardId, ...hole })))).toEqual([
      {
        cardId: first.id,
        counter: 3,
        lastCounter: 4,
        amountMinor: lostMinor,
        direction: 'debit',
        explanation: expect.any(String),
      },
    ])
    for (const card of shop.cards) {
      const booked = told.cards.find(({ cardId }) => cardId === card.id)
      expect(booked?.balanceMinor).toBe(card.balanceMinor)
    }
    expect(told.totals.payableMinor + told.totals.heldMinor).toBe(totalMinor - lostMinor)
    expect(await auditBooks(shop.issuer)).toEqual([])
    terminal.close()
  })

  test('deleted: nothing is sold before a new enrolment, and all sales come back from the cards', async () => {
    const { shop, dataDir } = await freshShop()
    let terminal = shop.openTerminal(1)
    for (const card of shop.cards) await sellAndRelease(terminal, card, 'map')
    terminal.close()
    for (const file of ledgerFiles(dataDir)) rmSync(file, { force: true })
    expect(() => shop.openTerminal(2)).toThrow(/gone or empty/)
    terminal = await enrolAgain(shop)
    await syncOnce(terminal, shop.client)
    for (const card of shop.cards) await tapUntilKnown(terminal, card)
    await syncOnce(terminal, shop.client)
    expect(await payableMinor(shop)).toBe(takenMinor(shop.cards))
    expect(await auditBooks(shop.issuer)).toEqual([])
    terminal.close()
  })
})

describe('damaged and missing files', () => {
  test('a page that is torn anywhere in the ledger is named, or harms nothing that was sold', async () => {
    const { shop, dataDir } = await freshShop()
    let terminal = shop.openTerminal(1)
    await sellAndRelease(terminal, shop.cards[0], 'map')
    await sellAndRelease(terminal, shop.cards[1], 'wifi')
    terminal.close()
    const whole = readFileSync(ledgerPath(dataDir))
    const pageBytes = 4096
    let named = 0
    const pages = whole.length / pageBytes
    for (let page = 0; page < pages; page += 1) {
      const torn = Buffer.from(whole)
      // The second half of the page is of another time.
      torn.fill(page % 2 === 0 ? 0x00 : 0xa5, page * pageBytes + pageBytes / 2, (page + 1) * pageBytes)
      writeFileSync(ledgerPath(dataDir), torn)
      try {
        terminal = shop.openTerminal(2)
        expect(terminal.ledger.unsynced).toMatchObject({ count: 2, amountMinor: 350 })
        terminal.close()
      } catch (error) {
        expect(error, `page ${page + 1}`).toBeInstanceOf(LedgerFault)
        expect(error).toMatchObject({ code: 'damaged' })
        named += 1
      }
      for (const end of ['-wal', '-shm']) rmSync(`${ledgerPath(dataDir)}${end}`, { force: true })
    }
    console.log(`torn pages: ${pages}, named ${named}, harmless ${pages - named}`)
    expect(named).toBeGreaterThan(0)
  })

  test.each([
    ['lost', (file: string) => rmSync(file), LedgerFault],
    ['empty', (file: string) => writeFileSync(file, ''), IdentityFault],
    ['garbage', (file: string) => writeFileSync(file, Buffer.alloc(400, 0xa5)), IdentityFault],
    ['cut off', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100)), IdentityFault],
  ])(
    'terminal.json that is %s: a sentence, and after another enrolment nothing unsynced is lost',
    async (_, harm, fault) => {
      const { shop, dataDir } = await freshShop()
      let terminal = shop.openTerminal(1)
      await sellAndRelease(terminal, shop.cards[0], 'map')
      terminal.close()
      harm(identityPath(dataDir))
      expect(() => shop.openTerminal(2)).toThrow(fault)
      expect(() => shop.openTerminal(2)).toThrow(/enrol/)
      terminal = await enrolAgain(shop)
      await syncOnce(terminal, shop.client)
      expect(await bookProblems(shop, terminal)).toEqual([])
      terminal.close()
    },
  )

  test('terminal.json that the disk refuses to read sends nobody to enrol again', async () => {
    const { shop, dataDir } = await freshShop()
    rmSync(identityPath(dataDir))
    mkdirSync(identityPath(dataDir))
    expect(() => shop.openTerminal(2)).toThrow(/cannot be read \(EISDIR\)/)
  })

  test('goods that are damaged are not sold, and the next sync brings them anew', async () => {
    const { shop, dataDir } = await freshShop()
    const terminal = shop.openTerminal(1)
    const goods = path.join(dataDir, 'goods')
    const [name = ''] = readdirSync(goods)
    const whole = readFileSync(path.join(goods, name))
    writeFileSync(path.join(goods, name), whole.subarray(0, whole.length - 5))
    expect(terminal.issued?.catalogue.prepare('map')).toBe('outOfStock')
    await syncOnce(terminal, shop.client)
    await sellAndRelease(terminal, shop.cards[0], 'map')
    terminal.close()
  })

  test('a sale whose goods were damaged before they were handed over is owed, and not lost', async () => {
    const { shop, dataDir } = await freshShop()
    let terminal = shop.openTerminal(1)
    await buy(terminal, shop.cards[0].channel(), 'map')
    terminal.close()
    for (const name of readdirSync(path.join(dataDir, 'goods'))) writeFileSync(path.join(dataDir, 'goods', name), 'x')
    terminal = shop.openTerminal(2)
    const again = await finishOpen(terminal, shop.cards[0].channel())
    expect(again).toMatchObject({ outcome: 'captured', claimable: true })
    await syncOnce(terminal, shop.client)
    expect(await bookProblems(shop, terminal)).toEqual([])
    terminal.close()
  })
})

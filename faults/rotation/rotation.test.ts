/** Keys, prices and assortments change while kiosks are away: nothing is lost, and nobody has to come. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { answerStick, deskOver } from '../../cli/desk.ts'
import { giveAssortment, setAssortment } from '../../issuer/assortments.ts'
import { publish } from '../../issuer/bulletin-publisher.ts'
import { addItem, changeItem, withdrawArticle } from '../../issuer/catalogue.ts'
import { collectClaim } from '../../issuer/claim-collection.ts'
import {
  endTerminalVersion,
  keyState,
  retirePayVersion,
  rotateMasters,
  rotateSigningKey,
} from '../../issuer/key-rotation.ts'
import { keyringFor } from '../../issuer/keyring-maker.ts'
import { addCard } from '../../issuer/parties.ts'
import { identityPath } from '../../main/identity.ts'
import { exportBatches } from '../../main/stick/export.ts'
import { takeFromStick } from '../../main/stick/take.ts'
import { takeSuccessions } from '../../main/sync/intake.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { cutBatch, fetchNews } from '../../main/sync/sync.ts'
import { makeTestCard } from '../../main/test-terminal.ts'
import { parseBatch } from '../../protocol/batch.ts'
import { encodeBulletin, openBulletin } from '../../protocol/bulletin.ts'
import { fromHex } from '../../protocol/bytes.ts'
import { parseKeyringHead } from '../../protocol/keyring.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../../protocol/keys.ts'
import { cardId } from '../../protocol/quantities.ts'
import { encodeSuccession } from '../../protocol/succession.ts'
import { type Kiosk, openScene, type Scene } from '../adversary/scene.ts'

const day = 86_400

const setUp = async (options: { codes?: readonly string[] } = {}) => {
  const scene = await openScene(onTestFinished)
  const kiosk = await scene.kiosk('Town')
  if (options.codes !== undefined) await scene.addCodes(options.codes)
  const card = await scene.card({ at: kiosk, balanceMinor: 10_000 })
  await kiosk.sync()
  return { scene, kiosk, card }
}

const rotateAll = async ({ issuer }: Scene) => {
  await rotateMasters(issuer)
  await rotateSigningKey(issuer)
}

/** A card of a later key version. */
const cardOf = async ({ issuer }: Scene, keyVersion: number, at: Kiosk) => {
  const masters = issuer.keys.masters(keyVersion)
  if (masters === undefined) throw new Error('no such version')
  const id = cardId(`ad7f${keyVersion.toString(16).padStart(12, '0')}`)
  await addCard(issuer, { cardId: id })
  const card = makeTestCard({
    balanceMinor: 0,
    personalisation: {
      cardId: id,
      keyVersion,
      payKey: derivePayKey(fromHex(masters.pay, 32), keyVersion, id),
      settleKey: deriveSettleKey(fromHex(masters.settle, 32), keyVersion, id),
      loadKey: deriveLoadKey(fromHex(masters.load, 32), keyVersion, id),
    },
  })
  expect(await at.load(card, 1000)).toMatchObject({ outcome: 'captured' })
  return card
}

const claimOf = (kiosk: Kiosk, outcome: Awaited<ReturnType<Kiosk['sell']>>): Uint8Array => {
  if (outcome.outcome !== 'captured' || outcome.payment.settlementMac === undefined) throw new Error(outcome.outcome)
  const { url } = kiosk.terminal.claimUrl(outcome.payment.record, outcome.payment.settlementMac)
  return new Uint8Array(Buffer.from(url.split('#')[1] ?? '', 'base64url'))
}

test('a kiosk that is away for weeks while all keys change twice loses no sale, and comes back by itself', async () => {
  const { scene, kiosk, card } = await setUp({ codes: ['ALPHA', 'BRAVO', 'CHARLIE'] })
  const { issuer, clock } = scene
  const paid: string[] = []
  let claim: Uint8Array | undefined
  for (const round of [1, 2, 3]) {
    const sold = await kiosk.sell(card)
    const code = await kiosk.sell(card, 'wifi')
    paid.push(sold.outcome, code.outcome)
    claim ??= claimOf(kiosk, code)
    cutBatch(kiosk.terminal)
    if (round < 3) await rotateAll(scene)
    clock.seconds += 10 * day
  }
  expect(paid).toEqual(Array(6).fill('captured'))
  expect(await kiosk.sync()).toMatchObject({ entries: 6, exceptions: 0 })
  expect(kiosk.terminal.identity).toMatchObject({ keyVersion: 3, bulletinKeyVersion: 3 })
  expect(await scene.payableMinor(kiosk)).toBe(3 * 250 + 3 * 100)
  // A claim that was sealed under the first K_term gives its code.
  if (claim === undefined) throw new Error('no claim')
  expect(await collectClaim(issuer, claim, '/x')).toMatchObject({ outcome: 'collected', answer: { code: 'ALPHA' } })

  // From here on everything is new, and cards of both versions pay.
  expect(await kiosk.sell(await cardOf(scene, 3, kiosk))).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  cutBatch(kiosk.terminal)
  expect(parseBatch(kiosk.terminal.ledger.nextUnanswered()?.bytes ?? new Uint8Array()).keyVersion).toBe(3)
  expect(await kiosk.sync()).toMatchObject({ exceptions: 0 })
  const keyring = await keyringFor(issuer, kiosk.id)
  expect(parseKeyringHead(keyring?.bytes ?? new Uint8Array()).keyVersion).toBe(3)
  expect(await endTerminalVersion(issuer, 2)).toEqual({ terminals: 0 })
  await expect(retirePayVersion(issuer, 1)).rejects.toThrow('1 active card has keys of version 1')
  expect(await retirePayVersion(issuer, 1, { force: true })).toMatchObject({ cards: 1 })
  await kiosk.sync()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'declined', reason: 'notAPurse' })
  kiosk.close()
  kiosk.open()
  expect(kiosk.terminal.identity).toMatchObject({ keyVersion: 3, bulletinKeyVersion: 3 })
  expect(kiosk.terminal.issued).toBeDefined()
  expect((await keyState(issuer)).versions).toMatchObject([
    { version: 1, cardsRetired: true, terminalsEnded: true },
    { version: 2, terminalsEnded: true },
    { version: 3, newest: true, terminals: 1, activeCards: 1 },
  ])
})

test('the same by stick', async () => {
  const { scene, kiosk, card } = await setUp()
  const stick = path.join(scene.folder, 'stick')
  mkdirSync(stick)
  for (const _ of [1, 2]) {
    expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
    cutBatch(kiosk.terminal)
    await rotateAll(scene)
    scene.clock.seconds += 10 * day
  }
  exportBatches(kiosk.terminal, stick)
  expect(await answerStick(deskOver(scene.issuer), stick)).toMatchObject({ refused: [] })
  expect(takeFromStick(kiosk.terminal, stick)).toMatchObject({ entries: 2, exceptions: 0, refused: [] })
  expect(kiosk.terminal.identity).toMatchObject({ keyVersion: 3, bulletinKeyVersion: 3 })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  exportBatches(kiosk.terminal, stick)
  await answerStick(deskOver(scene.issuer), stick)
  expect(takeFromStick(kiosk.terminal, stick)).toMatchObject({ entries: 1, exceptions: 0, refused: [] })
})

test('a batch that was cut before keeps its seal; after a person ended that version it is not taken, and nothing is lost', async () => {
  const { scene, kiosk, card } = await setUp()
  await kiosk.sell(card)
  cutBatch(kiosk.terminal)
  const cut = kiosk.terminal.ledger.nextUnanswered()?.bytes
  await rotateMasters(scene.issuer)
  await fetchNews(kiosk.terminal, kiosk.client)
  expect(kiosk.terminal.identity.keyVersion).toBe(2)
  expect(kiosk.terminal.ledger.nextUnanswered()?.bytes).toEqual(cut)
  await expect(endTerminalVersion(scene.issuer, 1)).rejects.toThrow('1 terminal has not shown a later version')
  await expect(endTerminalVersion(scene.issuer, 2, { force: true })).rejects.toThrow('newest')
  await endTerminalVersion(scene.issuer, 1, { force: true })
  expect(await kiosk.sync()).toMatchObject({ stopped: 'keyVersionEnded' })
  await kiosk.enrolAgain()
  await kiosk.sync()
  expect(await scene.payableMinor(kiosk)).toBe(250)
})

test('killed between keyring and terminal.json, in either order, a kiosk goes on', async () => {
  const { scene, kiosk, card } = await setUp()
  const saved = path.join(scene.folder, 'terminal.json.before')
  copyFileSync(identityPath(kiosk.dataDir), saved)
  await rotateMasters(scene.issuer)
  await fetchNews(kiosk.terminal, kiosk.client)
  // The keyring is here and terminal.json is the old one.
  kiosk.close()
  copyFileSync(saved, identityPath(kiosk.dataDir))
  kiosk.open()
  expect(kiosk.terminal.identity.keyVersion).toBe(2)
  expect(JSON.parse(readFileSync(identityPath(kiosk.dataDir), 'utf8')).laterTerminalKeys).toHaveLength(1)
  await kiosk.sell(card)
  expect(await kiosk.sync()).toMatchObject({ entries: 1, exceptions: 0 })

  // terminal.json is new and the keyring the old one.
  await rotateMasters(scene.issuer)
  const key = scene.issuer.keys.terminalKey(3, kiosk.id)
  kiosk.terminal.takeUpKeys({ terminalKey: { version: 3, key: Buffer.from(key ?? []).toString('hex') } })
  kiosk.close()
  kiosk.open()
  expect(kiosk.terminal.issued?.keyring.payKeys).toHaveLength(2)
  await kiosk.sell(card)
  expect(await kiosk.sync()).toMatchObject({ entries: 1, exceptions: 0 })
  expect(kiosk.terminal.identity.keyVersion).toBe(3)
  expect(await scene.payableMinor(kiosk)).toBe(500)
})

test('killed between the successions and the bulletin, in either order, a kiosk goes on', async () => {
  const { scene, kiosk, card } = await setUp()
  const saved = path.join(scene.folder, 'terminal.json.before')
  copyFileSync(identityPath(kiosk.dataDir), saved)
  await rotateSigningKey(scene.issuer)
  takeSuccessions(kiosk.terminal, scene.issuer.keys.successions)
  kiosk.close()
  kiosk.open()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  await kiosk.sync()
  expect(kiosk.terminal.issued?.bulletin.serial).toBe(kiosk.terminal.ledger.document('bulletin')?.serial)
  // No crash leaves this: the file came back older. One sync mends it.
  kiosk.close()
  copyFileSync(saved, identityPath(kiosk.dataDir))
  kiosk.open()
  expect(kiosk.terminal.issued).toBeUndefined()
  await kiosk.sync()
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
})

/** An issuer whose bulletin, or anything else, is somebody's own. */
const instead = (url: string, answers: Readonly<Record<string, Uint8Array>>) =>
  connectIssuer(url, {
    fetch: async (input, init) => {
      const answer = answers[new URL(String(input)).pathname]
      return answer === undefined ? fetch(input, init) : new Response(Uint8Array.from(answer))
    },
  })

test('a stolen old signing key changes nothing once its successor is known', async () => {
  const { scene, kiosk } = await setUp()
  const { issuer, url } = scene
  const { keptAs } = await rotateSigningKey(issuer)
  await kiosk.sync()
  const old = fromHex(JSON.parse(readFileSync(keptAs, 'utf8')).signing.seed, 32)
  const standing = kiosk.terminal.ledger.document('bulletin')
  if (standing === undefined) throw new Error('no bulletin')
  const bulletin = { ...openBulletin(standing.bytes, issuer.keys.signing.publicKey), serial: standing.serial + 1 }
  const forged = encodeBulletin({ ...bulletin, items: [] }, { privateKey: old, keyVersion: 1 })
  await expect(fetchNews(kiosk.terminal, instead(url, { '/v1/bulletin': forged }))).rejects.toThrow()
  // A fork of the succession: another version 2, and a version 3 behind it.
  const own = Uint8Array.from({ length: 32 }, (_, at) => at)
  const { ed25519 } = await import('@noble/curves/ed25519.js')
  const publicKey = ed25519.getPublicKey(own)
  const fork = Buffer.concat([
    encodeSuccession({ keyVersion: 2, publicKey }, old),
    encodeSuccession({ keyVersion: 3, publicKey }, own),
  ])
  const third = encodeBulletin({ ...bulletin, items: [] }, { privateKey: own, keyVersion: 3 })
  const client = instead(url, { '/v1/bulletin': third, '/v1/successions': fork })
  await expect(fetchNews(kiosk.terminal, client)).rejects.toThrow()
  expect(kiosk.terminal.ledger.document('bulletin')).toEqual(standing)
  expect(kiosk.terminal.identity.bulletinKeyVersion).toBe(2)
})

test('the price of a date comes by itself; who is away longer sells at the old one, and all of it settles', async () => {
  const { scene, kiosk, card } = await setUp()
  const { issuer, clock } = scene
  const away = await scene.kiosk('Port')
  clock.seconds += day
  await addItem(issuer, {
    file: { name: 'guide.txt', bytes: Buffer.from('The new guide') },
    id: 'guide',
    priceMinor: 400,
    title: { en: 'Guide' },
    from: clock.seconds + 5 * day,
  })
  await changeItem(issuer, 'map', { priceMinor: 300, from: clock.seconds + 5 * day })
  await publish(issuer)
  await kiosk.sync()
  const prices = () =>
    kiosk.terminal.issued?.catalogue.offerings().map(({ article }) => [article.id, article.priceMinor])
  expect(prices()).toEqual([['map', 250]])
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  clock.seconds += 5 * day
  expect(prices()).toEqual([
    ['map', 300],
    ['guide', 400],
  ])
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.sell(card, 'guide')).toMatchObject({ outcome: 'captured' })
  // The bulletin of this one knows of no other price.
  expect(await away.sell(card)).toMatchObject({ outcome: 'captured' })
  await withdrawArticle(issuer, 'map')
  await publish(issuer)
  clock.seconds += 30 * day
  expect(await away.sell(card)).toMatchObject({ outcome: 'captured' })
  for (const each of [kiosk, away]) expect(await each.sync()).toMatchObject({ exceptions: 0 })
  expect(await scene.payableMinor(kiosk)).toBe(250 + 300 + 400)
  expect(await scene.payableMinor(away)).toBe(500)
  expect(prices()).toEqual([['guide', 400]])
})

test('a terminal shows, sells and is dealt what its assortment has', async () => {
  const { scene, kiosk, card } = await setUp()
  const { issuer } = scene
  const port = await scene.kiosk('Port')
  await setAssortment(issuer, { name: 'maps', items: ['map'] })
  await giveAssortment(issuer, { terminalId: port.id, assortment: 'maps' })
  await scene.addCodes(['ALPHA', 'BRAVO', 'CHARLIE', 'DELTA'])
  for (const each of [kiosk, port]) await each.sync()
  const stock = (each: Kiosk) => each.terminal.issued?.catalogue.offerings().map(({ article }) => article.id)
  expect([stock(kiosk), stock(port)]).toEqual([['map', 'wifi'], ['map']])
  expect(port.terminal.issued?.keyring.units).toEqual([])
  expect(kiosk.terminal.issued?.keyring.units).toHaveLength(4)
  expect(port.terminal.issued?.catalogue.prepare('wifi')).toBe('unknown')
  expect(await port.sell(card)).toMatchObject({ outcome: 'captured' })
  await giveAssortment(issuer, { terminalId: port.id })
  await port.sync()
  expect(stock(port)).toEqual(['map'])
  await publish(issuer)
  await port.sync()
  expect(stock(port)).toEqual(['map', 'wifi'])
})

test('a keyring is not kept beside a bulletin that is older than it', async () => {
  const { scene, kiosk } = await setUp()
  const before = kiosk.terminal.ledger.document('bulletin')
  if (before === undefined) throw new Error('no bulletin')
  const keyring = kiosk.terminal.ledger.document('keyring')?.serial
  scene.clock.seconds += day
  await setAssortment(scene.issuer, { name: 'none', items: [] })
  await giveAssortment(scene.issuer, { terminalId: kiosk.id, assortment: 'none' })
  await publish(scene.issuer)
  await fetchNews(kiosk.terminal, instead(scene.url, { '/v1/bulletin': before.bytes }))
  expect(kiosk.terminal.ledger.document('keyring')?.serial).toBe(keyring)
  expect(kiosk.terminal.issued?.catalogue.offerings()).toHaveLength(1)
  await kiosk.sync()
  expect(kiosk.terminal.issued?.catalogue.offerings()).toEqual([])
})

test('documents dated far ahead are refused, though their signature is right, and the next one is taken', async () => {
  const { scene, kiosk } = await setUp()
  const { issuer, url, clock } = scene
  const standing = kiosk.terminal.ledger.document('bulletin')
  if (standing === undefined) throw new Error('no bulletin')
  const bulletin = openBulletin(standing.bytes, issuer.keys.signing.publicKey)
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
  for (const ahead of [
    { serial: 0xffff_ffff },
    { serial: clock.seconds + 181 * day },
    {
      serial: standing.serial + 1,
      issuedAt: iso(clock.seconds + 181 * day),
      expiresAt: iso(clock.seconds + 300 * day),
    },
  ]) {
    const forged = encodeBulletin({ ...bulletin, ...ahead }, issuer.keys.signing)
    await expect(fetchNews(kiosk.terminal, instead(url, { '/v1/bulletin': forged }))).rejects.toThrow()
  }
  expect(kiosk.terminal.ledger.document('bulletin')).toEqual(standing)
  clock.seconds += 60
  const { serial } = await publish(issuer)
  await kiosk.sync()
  expect(kiosk.terminal.issued?.bulletin.serial).toBe(serial)
  // One within the bound is taken, and the issuer goes above it.
  const forged = encodeBulletin({ ...bulletin, serial: clock.seconds + 100 * day }, issuer.keys.signing)
  await fetchNews(kiosk.terminal, instead(url, { '/v1/bulletin': forged }))
  const healed = await publish(issuer, { aboveSerial: clock.seconds + 100 * day })
  await kiosk.sync()
  expect(kiosk.terminal.issued?.bulletin.serial).toBe(healed.serial)
})

test('a server that runs notices that keys were rotated beside it', async () => {
  const { scene, kiosk, card } = await setUp()
  const { openIssuer } = await import('../../issuer/issuer.ts')
  const beside = await openIssuer({
    url: scene.issuer.store.url,
    clock: scene.issuer.clock,
    randomBytes: scene.issuer.randomBytes,
  })
  onTestFinished(() => beside.store.close())
  await rotateMasters(beside)
  await rotateSigningKey(beside)
  const waits = performance.now() + 5000
  while (kiosk.terminal.identity.keyVersion === 1 && performance.now() < waits)
    await kiosk.sync().catch(() => undefined)
  expect(kiosk.terminal.identity).toMatchObject({ keyVersion: 2, bulletinKeyVersion: 2 })
  expect(await kiosk.sell(card)).toMatchObject({ outcome: 'captured' })
  expect(await kiosk.sync()).toMatchObject({ exceptions: 0 })
})

test('a change of keys that was cut off says what to do, and a damaged succession is found', async () => {
  const { scene } = await setUp()
  const { keys } = scene.issuer
  writeFileSync(`${keys.path}.new`, '')
  await expect(rotateMasters(scene.issuer)).rejects.toThrow(`delete ${keys.path}.new`)
  expect(keys.keyVersion).toBe(1)
})

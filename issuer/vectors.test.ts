/** Documents that a separate program made (protocol/vectors.json) are taken, and answered byte for byte as it answers them. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAcknowledgement } from '../protocol/acknowledgement.ts'
import { macKey } from '../protocol/mac.ts'
import { terminalId, unixTime } from '../protocol/quantities.ts'
import vectors from '../protocol/vectors.json' with { type: 'json' }
import { auditBooks } from './audit.ts'
import { ingestBatch } from './ingest.ts'
import { createStore, type Issuer, openIssuer } from './issuer.ts'
import { keysPath } from './issuer-keys.ts'
import { authoriseLoad } from './loads.ts'
import { addCard, addMerchant, addTerminal } from './parties.ts'

const world = {
  clock: () => unixTime(1_700_000_000),
  randomBytes: (count: number) => new Uint8Array(randomBytes(count)),
}
const kiosk = terminalId('7465726d30303031')
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
let folder: string
let issuer: Issuer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'farthing-vectors-'))
  const url = `sqlite:${join(folder, 'issuer.db')}`
  const made = await createStore({ url, currency: 'EUR', masters: vectors.masters, ...world })
  await made.store.close()
  // The vectors' documents are sealed under version 2 of the same masters.
  const file = readFileSync(keysPath(url), 'utf8')
  const keys: { masters: Record<string, unknown> } = JSON.parse(file)
  writeFileSync(keysPath(url), JSON.stringify({ ...keys, masters: { 1: vectors.masters, 2: vectors.masters } }))
  issuer = await openIssuer({ url, ...world })
  await addMerchant(issuer, 'Town')
  await addTerminal(issuer, { merchant: 'Town', terminalId: kiosk })
  await issuer.store.write((db) => db.updateTable('terminal').set({ epoch: 3, key_version: 2 }).execute())
  for (const cardId of ['0011223344556677', 'c0ffee0000000001']) await addCard(issuer, { cardId, keyVersion: 1 })
})
afterEach(async () => {
  expect(await auditBooks(issuer)).toEqual([])
  await issuer.store.close()
  rmSync(folder, { recursive: true })
})

test('a load in cash is authorised with the very answer of the vectors', async () => {
  const [load] = vectors.loads
  if (load === undefined) throw new Error('no load')
  const result = await authoriseLoad(issuer, bytesOf(load.request))
  if ('refused' in result) throw new Error(result.sentence)
  expect(Buffer.from(result.answer).toString('hex')).toBe(load.answer)
})

test('the batches are taken; no seal, chain or settlement MAC of theirs is found wrong', async () => {
  const key = issuer.keys.terminalKey(2, kiosk)
  if (key === undefined) throw new Error('no key')
  for (const batch of vectors.batches.filter((each) => each.terminalId === kiosk)) {
    const result = await ingestBatch(issuer, bytesOf(batch.batch))
    if ('refused' in result) throw new Error(result.sentence)
    const ack = openAcknowledgement(macKey(key), result.ack)
    expect(ack).toMatchObject({ verdict: 'taken', batchNo: batch.batchNo, head: bytesOf(batch.head) })
    expect(ack.exceptions.filter(({ reason }) => reason === 'settlementMac' || reason === 'layout')).toEqual([])
    const again = await ingestBatch(issuer, bytesOf(batch.batch))
    expect(again).toEqual(result)
  }
})

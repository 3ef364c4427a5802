import { expect, test } from 'vitest'
import type { Bulletin } from '../protocol/bulletin.ts'
import { emptyContentHash, type Item, unitOf } from '../protocol/item.ts'
import { unixTime } from '../protocol/quantities.ts'
import { encodeTicket, ticketEvent } from '../protocol/ticket.ts'
import { openCatalogue } from './catalogue.ts'

const concert: Item = {
  v: 1,
  id: 'concert',
  version: 1,
  kind: 'ticket',
  title: { en: 'Concert' },
  summary: { en: '' },
  priceMinor: 500,
  currency: 'EUR',
  taxBasisPoints: 0,
  mediaType: 'text/plain',
  bytes: 0,
  contentHash: emptyContentHash,
}
const bulletin: Bulletin = {
  v: 1,
  serial: 1,
  issuedAt: '2026-11-23T08:00:00Z',
  expiresAt: '2026-12-23T08:00:00Z',
  currency: 'EUR',
  publicUrl: 'https://farthing.example',
  claimSeconds: 86_400,
  items: [concert],
  hotlist: { generation: 1, count: 0, head: '00'.repeat(32) },
  limits: {
    saleMinorMax: 2000,
    cardUnsyncedMinorMax: 5000,
    unsyncedCountMax: 10_000,
    unsyncedMinorMax: 1_000_000,
    unsyncedSecondsMax: 604_800,
    staleAfterSeconds: 86_400,
    staleSaleMinorMax: 500,
  },
  payKeyVersions: [1],
}

test('sells no ticket whose time is over, and still hands out one that was paid before', () => {
  const times = { validFrom: unixTime(1000), validUntil: unixTime(2000) }
  const signed = encodeTicket(
    { event: ticketEvent('concert'), number: '0123456789abcdef', ...times },
    { privateKey: new Uint8Array(32).fill(9), keyVersion: 1 },
  )
  const clock = { seconds: 0 }
  const units = ['A plain code', signed].map((code) => ({ itemId: 'concert', code }))
  const catalogue = openCatalogue({
    dataDir: '',
    bulletin,
    keyring: { v: 1, issuedAt: bulletin.issuedAt, merchant: 'Town', payKeys: [], contentKeys: [], units },
    held: () => new Set(),
    now: () => clock.seconds,
  })
  const stock = () => catalogue.offerings().map((offering) => offering.stock)
  expect(stock()).toEqual([2])
  clock.seconds = 2000
  expect(stock()).toEqual([2])
  clock.seconds = 2001
  expect(stock()).toEqual([1])
  expect(catalogue.prepare('concert')).toMatchObject({ code: 'A plain code' })
  expect(catalogue.goodsOf({ ...concert, unit: unitOf(signed) })).toMatchObject({ code: signed })
})

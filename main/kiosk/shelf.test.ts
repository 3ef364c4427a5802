/** What the shelf shows, and to whom and when it offers: bulletin to page. */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Bulletin } from '../../protocol/bulletin.ts'
import { goodsPath } from '../catalogue.ts'
import { openReaderDouble } from '../reader/reader-double.ts'
import { makeTestTerminal, mapItem, type Publication, shownFile, testStartTime } from '../test-terminal.ts'
import { makeKiosk } from './kiosk.ts'
import { settings } from './test-kiosk.ts'

const picture = shownFile('<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml')
const preview = shownFile('%PDF-1.7 its first page', 'application/pdf')
const logo = shownFile('<svg xmlns="http://www.w3.org/2000/svg"><path/></svg>', 'image/svg+xml')
const all = [picture, preview, logo]
const iso = (seconds: number) => new Date(seconds * 1000).toISOString()

const publication = (bulletin: Partial<Bulletin>, serial = 1): Publication => ({
  serial,
  bulletin: { categories: [{ id: 'maps', title: { en: 'Maps', de: 'Karten' } }], ...bulletin },
  keyring: { contentKeys: [{ contentHash: mapItem.contentHash, key: picture.key.key }, ...all.map(({ key }) => key)] },
})

const open = (bulletin: Partial<Bulletin>, files: typeof all = all) => {
  const made = makeTestTerminal(onTestFinished, { publication: publication(bulletin) })
  mkdirSync(path.join(made.dataDir, 'goods'), { recursive: true })
  for (const { file, blob } of files) writeFileSync(goodsPath(made.dataDir, file.contentHash), blob)
  const reader = openReaderDouble(['Double 00'])
  const kiosk = makeKiosk({
    terminal: made.terminal,
    reader,
    settings,
    log: () => {},
  })
  onTestFinished(() => kiosk.close())
  const map = () => kiosk.state.status.catalogue.find(({ id }) => id === 'map')
  return { ...made, kiosk, map }
}

const neverSynced = () => Promise.reject(new Error('no test asks for it'))

test('an article comes with all that the bulletin says of it, and its files under their hashes', () => {
  const soldUntil = iso(testStartTime + 3600)
  const { kiosk, map } = open({
    display: [
      {
        itemId: 'map',
        category: 'maps',
        picture: picture.file,
        preview: preview.file,
        ageMin: 16,
        soldUntil,
        printed: true,
      },
    ],
    brands: [
      { merchant: 'Somebody else', accent: '#000000' },
      { merchant: 'Kiosk at the pier', accent: '#1f6f5c', logo: logo.file },
    ],
  })
  expect(map()).toMatchObject({
    category: 'maps',
    pictureUrl: `/shelf/${picture.file.contentHash}`,
    preview: { url: `/shelf/${preview.file.contentHash}`, mediaType: 'application/pdf' },
    ageMin: 16,
    soldUntil,
    printed: true,
  })
  expect(kiosk.state.status).toMatchObject({
    categories: [{ id: 'maps', title: { en: 'Maps', de: 'Karten' } }],
    branding: { accent: '#1f6f5c', logoUrl: `/shelf/${logo.file.contentHash}` },
  })
  for (const { file, content } of all) {
    const shown = kiosk.shelfContent(file.contentHash)
    expect(shown).toMatchObject({ mediaType: file.mediaType })
    expect(Buffer.from(shown?.bytes ?? [])).toEqual(Buffer.from(content))
  }
  // What is sold is no part of the shelf, though it lies in the same folder.
  expect(kiosk.shelfContent(mapItem.contentHash)).toBeUndefined()
})

test.each([
  ['that has not come', { picture: picture.file }, [preview]],
  ['that is too large', { picture: { ...picture.file, bytes: 512 * 1024 + 1 } }, all],
  ['of a kind that nobody shows', { picture: { ...picture.file, mediaType: 'text/html' } }, all],
  ['that is the very goods', { picture: { ...picture.file, contentHash: mapItem.contentHash } }, all],
  ['without a key', { picture: { ...picture.file, contentHash: 'ab'.repeat(32) } }, all],
] as const)('an article is sold without a picture %s', (_, display, files) => {
  const { kiosk, map } = open({ display: [{ itemId: 'map', ...display }] }, [...files])
  expect(map()).toBeDefined()
  expect(map()).not.toHaveProperty('pictureUrl')
  expect(kiosk.shelfContent(display.picture.contentHash)).toBeUndefined()
})

test('a picture that is damaged on the disk is not shown, and fetched anew', () => {
  const { kiosk, map, dataDir } = open({ display: [{ itemId: 'map', picture: picture.file }] })
  writeFileSync(goodsPath(dataDir, picture.file.contentHash), new Uint8Array(80))
  expect(kiosk.shelfContent(picture.file.contentHash)).toBeUndefined()
  kiosk.attachSync({ online: false, nudge: () => {}, now: neverSynced, stop: async () => {} })
  expect(map()).not.toHaveProperty('pictureUrl')
})

test('an article is offered until its time is over, by the time that this terminal trusts', async () => {
  const { kiosk, map, clock } = open({ display: [{ itemId: 'map', soldUntil: iso(testStartTime + 600) }] })
  clock.seconds = testStartTime + 599
  kiosk.attachSync({ online: false, nudge: () => {}, now: neverSynced, stop: async () => {} })
  expect(map()).toBeDefined()
  clock.seconds = testStartTime + 600
  // The page still shows it: the wish comes to nothing, and the page is told.
  await kiosk.buy('map')
  expect(kiosk.state.screen.name).not.toBe('pay')
  expect(map()).toBeUndefined()
})

test('an article with an age is sold only to whoever says that he is old enough', async () => {
  const { kiosk } = open({ display: [{ itemId: 'map', ageMin: 16 }] })
  for (const age of [undefined, 0, 15]) {
    await kiosk.buy('map', age)
    expect(kiosk.state.screen.name).toBe('browse')
  }
  await kiosk.buy('map', 16)
  expect(kiosk.state.screen.name).toBe('pay')
})

test('the list stays the same as long as the shelf does, and is another one when a file, a code or the time changes it', () => {
  const { terminal, kiosk, clock, dataDir } = open({
    display: [{ itemId: 'map', picture: picture.file, soldUntil: iso(testStartTime + 600) }],
  })
  // Files that came long ago: what has just come is looked for again and again.
  const goods = path.join(dataDir, 'goods')
  const touch = (ageMs: number) => utimesSync(goods, new Date(Date.now() - ageMs), new Date(Date.now() - ageMs))
  touch(10_000)
  const list = () => {
    kiosk.attachSync({ online: true, nudge: () => {}, now: neverSynced, stop: async () => {} })
    return kiosk.state.status.catalogue
  }
  const first = list()
  expect(list()).toBe(first)
  clock.seconds += 5
  expect(list()).toBe(first)

  rmSync(goodsPath(dataDir, picture.file.contentHash))
  touch(5_000)
  const without = list()
  expect(without).not.toBe(first)
  expect(without[0]).not.toHaveProperty('pictureUrl')

  clock.seconds = testStartTime + 600
  expect(list().map(({ id }) => id)).toEqual(['wifi'])
  expect(terminal.issued?.catalogue.offerings()).toBe(terminal.issued?.catalogue.offerings())
})

/** The catalogue, the bulletin and the keys through the console's API. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { PDFDocument } from 'pdf-lib'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseTicket } from '../../protocol/ticket.ts'
import { goodsFolder } from '../catalogue.ts'
import { forgeryHeader } from '../console-contract/access.ts'
import { uploaded } from '../console-contract/catalogue.ts'
import { codeOpener } from '../content-keys.ts'
import { type ConsoleClient, consoleApp, newUser } from '../test-console.ts'
import { type Bench, newCard, newTerminal, openBench } from '../test-support.ts'

let bench: Bench
let app: ReturnType<typeof consoleApp>
let admin: ConsoleClient

beforeEach(async () => {
  bench = await openBench()
  app = consoleApp(bench.issuer)
  admin = await newUser(app, bench.issuer, 'admin')
})
afterEach(() => bench.close())

const upload = async (fileName: string, content: string | Uint8Array<ArrayBuffer>) => {
  const answer = await app.request(`/console/api/catalogue/uploads?fileName=${encodeURIComponent(fileName)}`, {
    method: 'POST',
    headers: {
      cookie: admin.cookie,
      [forgeryHeader]: admin.forgeryToken,
      'content-type': 'application/octet-stream',
    },
    body: content,
  })
  expect(answer.status).toBe(200)
  return v.parse(uploaded, await answer.json())
}
const posted = async (address: string, body: unknown = {}, status = 200): Promise<unknown> => {
  const answer = await admin.post(address, body)
  const json: unknown = await answer.json()
  expect([address, answer.status, json]).toEqual([address, status, json])
  return json
}
const read = async (address: string): Promise<unknown> => {
  const answer = await admin.get(address)
  expect([address, answer.status]).toEqual([address, 200])
  return answer.json()
}
const addCodes = async () => {
  const { contentHash } = await upload('codes.txt', 'LARK\nWREN\n')
  const given = {
    contentHash,
    fileName: 'codes.txt',
    itemId: 'wifi',
    kind: 'code',
    title: { en: 'Wi-Fi' },
    priceMinor: 100,
  }
  expect(await posted('/catalogue/items', given)).toMatchObject({ outcome: 'added', unitsAdded: 2 })
  return given
}
const addMap = async () => {
  const { contentHash } = await upload('map.txt', 'A map <script>alert(1)</script>')
  await posted('/catalogue/items', {
    contentHash,
    fileName: 'map.txt',
    itemId: 'map',
    title: { en: 'Map', de: 'Karte' },
    priceMinor: 250,
  })
  return contentHash
}

test('goods of which no preview could be made are sold all the same, and that is said', async () => {
  const whole = await PDFDocument.create()
  for (let page = 0; page < 6; page += 1) whole.addPage().drawText(`page ${page}`)
  const bytes = Buffer.from(await whole.save({ useObjectStreams: false }))
  const cutOff = bytes.subarray(0, bytes.length / 2)
  const damaged = Buffer.from(bytes)
  damaged.fill('x', 100, bytes.length - 100)
  const add = async (itemId: string, content: Uint8Array) => {
    const { contentHash } = await upload(`${itemId}.pdf`, Uint8Array.from(content))
    return posted('/catalogue/items', {
      contentHash,
      fileName: `${itemId}.pdf`,
      itemId,
      title: { en: itemId },
      priceMinor: 250,
    })
  }
  for (const [itemId, content, says] of [
    ['torn', cutOff, /^The file ends too early/],
    ['damaged', damaged, /^The file is damaged/],
  ] as const) {
    const said = expect.stringMatching(says)
    expect(await upload(`${itemId}.pdf`, Uint8Array.from(content))).toMatchObject({ problem: said })
    expect(await add(itemId, content)).toMatchObject({ outcome: 'added', preview: 'none', previewProblem: said })
  }
  // A browser would show an empty frame.
  const { contentHash } = await upload('torn.pdf', Uint8Array.from(cutOff))
  const shown = await admin.get(`/catalogue/contents/${contentHash}/preview?mediaType=application/pdf`)
  expect(shown.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(await shown.text()).toContain('The file ends too early')
  const sound = await add('sound', bytes)
  expect(sound).toMatchObject({ preview: 'made' })
  expect(sound).not.toHaveProperty('previewProblem')
  expect(await upload('sound.pdf', Uint8Array.from(bytes))).not.toHaveProperty('problem')
  expect(await upload('sound.docx', Uint8Array.from(bytes))).toMatchObject({
    problem: expect.stringContaining('What sound.docx is cannot be told by its name'),
  })
})

test('a file is uploaded, looked at, sold, changed, published and withdrawn', async () => {
  const contentHash = await addMap()
  const shown = await admin.get(`/catalogue/contents/${contentHash}/preview?mediaType=text/markdown`)
  expect(await shown.text()).toBe('A map <script>alert(1)</script>')
  expect(shown.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(shown.headers.get('content-security-policy')).toContain("sandbox; default-src 'none'")
  expect(shown.headers.get('x-frame-options')).toBe('SAMEORIGIN')
  expect((await admin.get(`/catalogue/contents/${contentHash}/preview?mediaType=text/html`)).status).toBe(400)

  expect(await read('/catalogue/items')).toMatchObject({
    rows: [{ itemId: 'map', state: 'unpublished', languages: ['de', 'en'] }],
    total: 1,
  })
  expect(await read('/catalogue/changes')).toMatchObject({ added: [{ id: 'map' }], nothing: false })
  await posted('/bulletin/publish')
  expect(await read('/catalogue/items?state=offered')).toMatchObject({ total: 1 })
  await posted('/catalogue/items/map/change', { priceMinor: 300, from: '2031-01-01T08:00' })
  expect(await read('/catalogue/items/map')).toMatchObject({
    published: { priceMinor: 250 },
    coming: [{ from: '2031-01-01T08:00:00.000Z', item: { priceMinor: 300 } }],
    versions: [{ version: 2 }, { version: 1 }],
  })
  await posted('/catalogue/items/map/cancel')
  await posted('/catalogue/items/map/withdraw')
  expect(await read('/catalogue/changes')).toMatchObject({ withdrawn: [{ id: 'map' }] })
  await posted('/catalogue/items/map/offer')
  expect(await read('/catalogue/changes')).toMatchObject({ nothing: true })
  await posted('/catalogue/items/ghost/offer', {}, 404)
  const log = await bench.issuer.store.read((db) => db.selectFrom('audit_log').select('action').execute())
  expect(log.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['catalogue.add', 'bulletin.publish', 'catalogue.change', 'catalogue.withdraw']),
  )
})

test('an article gets its shelf, picture, age and end, and the next publication says so', async () => {
  await addMap()
  await posted('/bulletin/publish')
  await posted('/catalogue/categories', { id: 'maps', title: { en: 'Maps' } })
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"></svg>'
  const { contentHash } = await upload('map.svg', svg)
  const shown = { category: 'maps', ageMin: 16, until: '2031-01-01 08:00' }
  await posted('/catalogue/items/map/display', { ...shown, picture: { contentHash, fileName: 'map.svg' } })
  const display = { category: 'maps', ageMin: 16, printed: false, picture: { contentHash, mediaType: 'image/svg+xml' } }
  expect(await read('/catalogue/items/map')).toMatchObject({ display })
  expect(await read('/catalogue/categories')).toMatchObject({ categories: [{ id: 'maps', items: 1 }] })
  expect(await read('/catalogue/changes')).toMatchObject({ shown: ['map'], categories: true, nothing: false })
  await posted('/catalogue/items/map/display', { category: null, ageMin: null, until: null, printed: false })
  expect(await read('/catalogue/items/map')).toMatchObject({ display: { picture: { contentHash }, printed: false } })

  const hostile = await upload('map.svg', '<svg viewBox="0 0 4 3"><script>1</script></svg>')
  const refused = { picture: { contentHash: hostile.contentHash, fileName: 'map.svg' } }
  await posted('/catalogue/items/map/display', refused, 400)
  await posted('/catalogue/items/map/display', { printed: true }, 400)
  await addCodes()
  await posted('/catalogue/items/wifi/display', { printed: true })
  expect(await read('/catalogue/items/wifi')).toMatchObject({ display: { printed: true } })
  await posted('/catalogue/categories/maps/remove')
})

test('tickets are made and signed here, and more of them on top', async () => {
  const concert = {
    itemId: 'concert',
    title: { en: 'Concert' },
    priceMinor: 1250,
    validFrom: '2031-01-01T19:00',
    validUntil: '2031-01-02',
  }
  await posted('/catalogue/tickets', { ...concert, count: 3 })
  expect(await posted('/catalogue/tickets', { ...concert, count: 2 })).toMatchObject({
    outcome: 'unchanged',
    unitsAdded: 2,
  })
  expect(await read('/catalogue/items/concert')).toMatchObject({ item: { kind: 'ticket' }, units: [{ forSale: 5 }] })
  await posted('/catalogue/tickets', { ...concert, count: 0 }, 400)
  await posted('/catalogue/tickets', { ...concert, count: 1, validUntil: '2030-12-31' }, 400)
  const [row] = await bench.issuer.store.read((db) => db.selectFrom('unit').selectAll().execute())
  const ticket = parseTicket(
    codeOpener(bench.issuer)({ unit: row?.unit ?? '', sealed: row?.sealed_code ?? new Uint8Array() }),
  )
  expect([ticket.validFrom, ticket.validUntil].map((seconds) => new Date(seconds * 1000).toISOString())).toEqual([
    '2031-01-01T19:00:00.000Z',
    '2031-01-02T23:59:59.000Z',
  ])
})

test('a merchant gets an accent and a logo, and the next publication says so', async () => {
  await newTerminal(bench.issuer, 'Town')
  await addMap()
  await posted('/bulletin/publish')
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"></svg>'
  const { contentHash } = await upload('logo.svg', svg)
  await posted('/merchants/1/brand', { accent: '#1F6F5C', logo: { contentHash, fileName: 'logo.svg' } })
  expect(await read('/merchants/1')).toMatchObject({
    brand: { accent: '#1f6f5c', logo: { contentHash, mediaType: 'image/svg+xml' } },
  })
  expect(await read('/catalogue/changes')).toMatchObject({ brands: ['Town'], nothing: false })
  await posted('/merchants/1/brand', { accent: 'green' }, 400)
  await posted('/merchants/1/brand', { logo: null })
  expect(await read('/merchants/1')).toMatchObject({ brand: { accent: '#1f6f5c' } })
  await posted('/merchants/99/brand', { accent: null }, 404)
})

test('a list of codes is kept code by code, and not as goods', async () => {
  await newTerminal(bench.issuer, 'Town')
  const given = await addCodes()
  expect(existsSync(path.join(goodsFolder(bench.issuer), given.contentHash))).toBe(false)
  expect(await posted('/catalogue/items', given, 404)).toMatchObject({ error: 'unknownItem' })
  expect(await read('/catalogue/changes')).toMatchObject({ unitsToDeal: 2 })
  await posted('/bulletin/publish')
  expect(await read('/catalogue/items/wifi')).toMatchObject({ units: [{ merchant: 'Town', forSale: 2, sold: 0 }] })
})

test('assortments are made, given and removed, and the list of terminals says who was given which bulletin', async () => {
  await addMap()
  const kiosk = await newTerminal(bench.issuer, 'Town')
  await posted('/catalogue/assortments', { name: 'maps', items: ['map'] })
  await posted(`/terminals/${kiosk.id}/assortment`, { assortment: 'maps' })
  expect(await read('/catalogue/assortments')).toMatchObject({
    assortments: [{ name: 'maps', items: ['map'], terminals: 1 }],
    terminals: [{ terminalId: kiosk.id, assortment: 'maps' }],
  })
  await posted('/bulletin/publish')
  expect(await read('/bulletin/terminals')).toMatchObject({ rows: [{ state: 'never', assortment: 'maps' }] })
  expect((await app.request(`/v1/keyrings/${kiosk.id}`)).status).toBe(200)
  expect(await read('/bulletin/terminals?state=current')).toMatchObject({ rows: [{ terminalId: kiosk.id }] })
  await posted('/bulletin/publish')
  expect(await read('/bulletin/terminals?state=behind')).toMatchObject({ rows: [{ terminalId: kiosk.id }] })
  await posted('/catalogue/assortments/maps/remove', {}, 400)
  await posted(`/terminals/${kiosk.id}/assortment`)
  await posted('/bulletin/publish')
  await posted('/catalogue/assortments/maps/remove')
})

test('limits change at once, keys rotate, and a version that cards have is not retired unasked', async () => {
  await posted('/bulletin/terms', { limits: { saleMinorMax: 2000 } }, 409)
  await posted('/bulletin/publish')
  await posted('/bulletin/terms', { limits: { saleMinorMax: 2000 } })
  expect(await read('/bulletin')).toMatchObject({
    bulletin: { limits: { saleMinorMax: 2000, staleSaleMinorMax: 5000 } },
  })
  await newCard(bench.issuer)
  expect(await posted('/keys/rotate', { what: 'masters' })).toMatchObject({ keyVersion: 2 })
  expect(await posted('/keys/rotate', { what: 'signing' })).toMatchObject({ keyVersion: 2 })
  expect(await posted('/keys/1/retire', {}, 400)).toMatchObject({ sentence: expect.stringContaining('1 active card') })
  expect(await posted('/keys/1/retire', { force: true })).toEqual({ cards: 1 })
  expect(await posted('/keys/1/end')).toEqual({ terminals: 0 })
  expect(await read('/keys')).toMatchObject({
    signingKeyVersion: 2,
    versions: [
      { version: 1, cardsRetired: true, terminalsEnded: true },
      { version: 2, newest: true },
    ],
  })
  expect(await read('/bulletin')).toMatchObject({ bulletin: { payKeyVersions: [2], signingKeyVersion: 2 } })
})

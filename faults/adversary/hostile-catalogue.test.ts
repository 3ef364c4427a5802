/** A hostile supplier at the issuer's desk, and a hostile issuer or network at the terminal. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { sha256 } from '@noble/hashes/sha2.js'
import { expect, onTestFinished, test } from 'vitest'
import { addItem, goodsFolder, listItems } from '../../issuer/catalogue.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { fetchNews } from '../../main/sync/sync.ts'
import { makeTestTerminal, mapBlob, mapItem, type Publication, publish } from '../../main/test-terminal.ts'
import { toHex } from '../../protocol/bytes.ts'
import { encryptContent } from '../../protocol/keyring.ts'
import { openScene } from './scene.ts'

test('file names, ids and texts of a hostile supplier stay what they are: no path, no header, no page', async () => {
  const { issuer, url, folder } = await openScene(onTestFinished)
  const supplied = path.join(folder, 'supplied')
  mkdirSync(supplied)
  const name = `"; rm -rf $HOME\r\nset-cookie: a=b <script>alert(1)<script>.md`
  const file = path.join(supplied, name)
  writeFileSync(file, '# Hello')
  const added = await addItem(issuer, {
    file: { path: file },
    id: 'a',
    priceMinor: 1,
    title: { en: '<script>1</script>' },
  })
  // Goods are named by their hash alone: what the supplier called them is nowhere.
  expect(readdirSync(goodsFolder(issuer)).every((blob) => /^[0-9a-f]{64}$/.test(blob))).toBe(true)
  expect(JSON.stringify(await listItems(issuer))).not.toContain('set-cookie')
  const served = await fetch(`${url}/v1/goods/${added.item.contentHash}`)
  expect([served.status, served.headers.get('content-type'), served.headers.get('set-cookie')]).toEqual([
    200,
    'application/octet-stream',
    null,
  ])
  for (const id of ['../../etc/passwd', 'a/b', '.a', 'a\0b', 'A', '%2e%2e', 'a'.repeat(65), 'a\r\nb'])
    await expect(
      addItem(issuer, { file: { name: 'a.md', bytes: Buffer.from('x') }, id, priceMinor: 1, title: { en: 'x' } }),
    ).rejects.toMatchObject({ code: 'input' })
  for (const mediaType of [
    'text/html\r\nset-cookie: a=b',
    'text/html; charset=x',
    '../../x',
    'a/b/c',
    `a/${'b'.repeat(99)}`,
  ])
    await expect(
      addItem(issuer, {
        file: { name: 'a.md', bytes: Buffer.from('x') },
        id: 'b',
        priceMinor: 1,
        title: { en: 'x' },
        mediaType,
      }),
    ).rejects.toMatchObject({ code: 'input' })
  expect((await listItems(issuer)).map(({ item }) => item.id)).toEqual(['a', 'map'])
})

test('texts that would turn the screen around, and lists of codes without end, are refused with a sentence', async () => {
  const { issuer } = await openScene(onTestFinished)
  const article = { file: { name: 'a.md', bytes: Buffer.from('x') }, id: 'b', priceMinor: 1 }
  for (const text of ['Map \u202e05.2', 'Map \u2066x', 'Map\u0000', 'Map\u001b[2J', 'Map\u0085'])
    for (const texts of [{ title: { en: text } }, { title: { en: 'Map' }, summary: { en: text } }])
      await expect(addItem(issuer, { ...article, ...texts })).rejects.toThrow(/direction of writing/)
  await expect(addItem(issuer, { ...article, title: { en: 'x'.repeat(2001) } })).rejects.toThrow(/2000/)
  const codes = (count: number) => Buffer.from(Array.from({ length: count }, (_, at) => `C${at}`).join('\n'))
  const list = { id: 'w', kind: 'code' as const, priceMinor: 1, title: { en: 'Wi-Fi' } }
  await expect(addItem(issuer, { ...list, file: { name: 'w.txt', bytes: codes(20_001) } })).rejects.toThrow(/split/)
  const binary = gzipSync(codes(1000))
  await expect(addItem(issuer, { ...list, file: { name: 'w.txt.gz', bytes: binary } })).rejects.toThrow(/UTF-8/)
  expect((await listItems(issuer)).map(({ item }) => item.id)).toEqual(['map'])
})

test('a device, a folder or a loop in place of the file is no article, and nothing waits for it', async () => {
  const { issuer, folder } = await openScene(onTestFinished)
  const loop = path.join(folder, 'loop.md')
  symlinkSync(loop, loop)
  for (const file of ['/dev/zero', '/proc/self', loop])
    await expect(
      addItem(issuer, { file: { path: file }, id: 'b', priceMinor: 1, title: { en: 'x' }, mediaType: 'text/plain' }),
    ).rejects.toMatchObject({ code: 'input' })
})

/** A terminal whose issuer signs and serves what it likes. */
const underHostileIssuer = (
  publication: Publication,
  goods: (hash: string) => Response = () => new Response(new Uint8Array(mapBlob())),
) => {
  const made = makeTestTerminal(onTestFinished, { publication: 'none', goods: false })
  const asked: string[] = []
  const documents = publish(publication)
  const client = connectIssuer('http://127.0.0.1:1', {
    fetch: async (input) => {
      const { pathname } = new URL(String(input))
      asked.push(pathname)
      if (pathname === '/v1/bulletin') return new Response(new Uint8Array(documents.bulletin))
      if (pathname.startsWith('/v1/keyrings')) return new Response(new Uint8Array(documents.keyring))
      return goods(pathname.slice('/v1/goods/'.length))
    },
  })
  return { ...made, client, asked }
}

test.each<[string, Partial<typeof mapItem>]>([
  ['a path for a hash', { contentHash: '../../../../etc/passwd' }],
  ['a hash that climbs', { contentHash: `../${'a'.repeat(61)}` }],
  ['a hash in capitals', { contentHash: 'A'.repeat(64) }],
  ['a path for an id', { id: '../map' }],
  ['more bytes than there are', { bytes: 2 ** 41 }],
  ['bytes below nothing', { bytes: -1 }],
  ['a media type with a header in it', { mediaType: 'text/html\r\nx: y' }],
  ['a title of a million letters', { title: { en: 'x'.repeat(1_000_000) } }],
  ['no title', { title: {} }],
  ['a price of nothing', { priceMinor: 0 }],
  ['half a cent', { priceMinor: 0.5 }],
])('a signed bulletin with %s is refused whole, and nothing is asked for or written', async (_name, changes) => {
  // The signature is right: what is refused here is refused whoever signed it.
  const { terminal, client, asked, dataDir } = underHostileIssuer({ bulletin: { items: [{ ...mapItem, ...changes }] } })
  await expect(fetchNews(terminal, client)).rejects.toThrow(IssuerUnreachable)
  expect(asked).toEqual(['/v1/bulletin'])
  expect(terminal.issued).toBeUndefined()
  expect(existsSync(path.join(dataDir, 'goods'))).toBe(false)
})

test('goods of a wrong hash are not kept, though the hostile issuer encrypted them with the right key', async () => {
  const other = new TextEncoder().encode('%PDF-1.7 another map!!!'.slice(0, mapItem.bytes))
  const key = new Uint8Array(32).fill(7)
  const contentHash = mapItem.contentHash
  const { terminal, client, dataDir } = underHostileIssuer(
    { keyring: { contentKeys: [{ contentHash, key: toHex(key) }] } },
    () => new Response(new Uint8Array(encryptContent(other, { key, contentHash }))),
  )
  expect(toHex(sha256(other))).not.toBe(contentHash)
  await expect(fetchNews(terminal, client)).rejects.toThrow(IssuerUnreachable)
  expect(existsSync(path.join(dataDir, 'goods', contentHash))).toBe(false)
  expect(terminal.issued?.catalogue.prepare('map')).toBe('outOfStock')
})

/** A body of zeros without end, and a count of what was taken of it. */
const endless = () => {
  let taken = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 65_536
      controller.enqueue(new Uint8Array(65_536))
    },
  })
  return {
    body,
    get taken() {
      return taken
    },
  }
}

test.each(['/v1/bulletin', '/v1/keyrings', '/v1/goods'])(
  'a body without end at %s is cut off at its limit',
  async (route) => {
    const stream = endless()
    const documents = publish()
    const { terminal } = makeTestTerminal(onTestFinished, { publication: 'none', goods: false })
    const client = connectIssuer('http://127.0.0.1:1', {
      fetch: async (input) => {
        const { pathname } = new URL(String(input))
        if (pathname.startsWith(route)) return new Response(stream.body)
        return new Response(new Uint8Array(pathname === '/v1/bulletin' ? documents.bulletin : documents.keyring))
      },
    })
    await expect(fetchNews(terminal, client)).rejects.toThrow(/larger than/)
    expect(stream.taken).toBeLessThan(route === '/v1/goods' ? 1_000_000 : 90_000_000)
  },
)

/** Something that answers in the issuer's place. @returns its address */
const impostor = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

test('a compressed bomb on the way is refused unread', async () => {
  const bomb = gzipSync(new Uint8Array(200 * 1024 * 1024))
  expect(bomb.length).toBeLessThan(300_000)
  const url = await impostor((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
  })
  const { terminal } = makeTestTerminal(onTestFinished, { publication: 'none', goods: false })
  const before = process.memoryUsage().rss
  await expect(fetchNews(terminal, connectIssuer(url))).rejects.toThrow(/is not an issuer/)
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
})

test('a redirect to another place is not followed', async () => {
  const asked: string[] = []
  const url = await impostor((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(302, { location: '/elsewhere' }).end()
  })
  const { terminal } = makeTestTerminal(onTestFinished, { publication: 'none', goods: false })
  await expect(fetchNews(terminal, connectIssuer(url))).rejects.toThrow(IssuerUnreachable)
  expect(asked).toEqual(['/v1/bulletin'])
})

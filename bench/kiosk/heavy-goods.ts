/** Goods that ask much of a screen: a book of 600 pages, one of many chapters, a picture as large as a large screen. */
import { crc32, deflateSync } from 'node:zlib'
import type { ShopItem } from '../../faults/stranger/shop.ts'
import { bookOf, pdfOfPages } from '../../renderer/dev/test-goods.ts'

const chunk = (name: string, data: Uint8Array): Buffer => {
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  const named = Buffer.concat([Buffer.from(name, 'ascii'), data])
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, checksum])
}

/** A PNG of soft colours, 8 bits each. */
const pictureOf = (width: number, height: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const rows = Buffer.alloc((1 + width * 3) * height)
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) rows.set([x & 255, y & 255, (x ^ y) & 255], y * (1 + width * 3) + 1 + x * 3)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

export const heavyGoods = async (): Promise<readonly ShopItem[]> =>
  [
    { id: 'a-pdf-of-600-pages', name: 'heavy.pdf', bytes: await pdfOfPages(600) },
    { id: 'a-book-of-400-chapters', name: 'heavy.epub', bytes: bookOf({ chapters: 400 }) },
    { id: 'a-picture-of-4k', name: 'heavy.png', bytes: pictureOf(3840, 2160) },
  ].map(({ id, name, bytes }) => ({ id, priceMinor: 50, title: { en: id }, file: { name, bytes: Buffer.from(bytes) } }))

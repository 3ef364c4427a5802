/** How articles are shown, from what a person gives to what terminals are told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openBulletin, shownLimits } from '../../protocol/bulletin.ts'
import { decryptContent, openKeyring } from '../../protocol/keyring.ts'
import { terminalId } from '../../protocol/quantities.ts'
import { publish, setTerms } from '../bulletin-publisher.ts'
import { goodsFolder, type NewItem, withdrawArticle } from '../catalogue.ts'
import { contentKey } from '../content-keys.ts'
import { createEnrolmentCode, enrol } from '../enrolment.ts'
import { readBlob } from '../goods.ts'
import type { Issuer } from '../issuer.ts'
import { keyringFor } from '../keyring-maker.ts'
import { addMerchant } from '../parties.ts'
import { isNothing, publicationChanges } from '../publication-changes.ts'
import { type Bench, newTerminal, openBench } from '../test-support.ts'
import { addArticle } from './add-article.ts'
import { setBrand } from './brand.ts'
import {
  type DisplayChange,
  displayOf,
  listCategories,
  removeCategory,
  setCategory,
  setDisplay,
  setMadePreview,
} from './shelf.ts'

let bench: Bench
let issuer: Issuer
beforeEach(async () => {
  bench = await openBench()
  issuer = bench.issuer
})
afterEach(() => bench.close())

const bytes = (text: string) => new TextEncoder().encode(text)
const paragraphs = Array.from({ length: 9 }, (_, index) => `${index} ${'word '.repeat(30)}`).join('\n\n')
const story: NewItem = {
  file: { name: 'story.md', bytes: bytes(paragraphs) },
  id: 'story',
  priceMinor: 90,
  title: { en: 'S' },
}
const svg = (colour = 'red') =>
  bytes(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"><path fill="${colour}" d="M0 0h400v300z"/></svg>`,
  )
const picture = { name: 'story.svg', bytes: svg() }
const next = async () => (await publish(issuer)).bulletin

describe('an article', () => {
  test('is shown as a person says, with the next bulletin, and its files come as goods do', async () => {
    const { id } = await newTerminal(issuer, 'Old Town Station')
    const { code } = await createEnrolmentCode(issuer, terminalId(id))
    await enrol(issuer, code)
    await setCategory(issuer, { id: 'stories', title: { en: 'Stories', de: 'Geschichten' } })
    const { preview } = await addArticle(
      issuer,
      story,
      { category: 'stories', picture, ageMin: 16, soldUntil: 2_000_000_000 },
      'ada',
    )
    expect(preview).toBe('made')
    const { bytes: document } = await publish(issuer)
    const { categories, display } = openBulletin(document, issuer.keys.signing.publicKey)
    expect(categories).toEqual([{ id: 'stories', title: { de: 'Geschichten', en: 'Stories' } }])
    expect(display).toMatchObject([
      {
        itemId: 'story',
        category: 'stories',
        ageMin: 16,
        soldUntil: '2033-05-18T03:33:20.000Z',
        picture: { mediaType: 'image/svg+xml', bytes: picture.bytes.length },
        preview: { mediaType: 'text/markdown' },
      },
    ])
    const made = await keyringFor(issuer, id)
    const key = issuer.keys.terminalKey(1, terminalId(id))
    const { body } = openKeyring(made?.bytes ?? new Uint8Array(), key ?? new Uint8Array())
    const keys = body.contentKeys.map(({ contentHash }) => contentHash)
    for (const file of [display?.[0]?.picture, display?.[0]?.preview]) expect(keys).toContain(file?.contentHash)
    const contentHash = display?.[0]?.preview?.contentHash ?? ''
    const shown = decryptContent(Uint8Array.from(await readBlob(goodsFolder(issuer), contentHash)), {
      key: contentKey(issuer, contentHash),
      contentHash,
    })
    expect(paragraphs).toContain(Buffer.from(shown).toString().trimEnd())
  })

  test('that nobody said anything of leaves the bulletin what it was', async () => {
    await addArticle(issuer, { ...story, file: { name: 'story.md', bytes: bytes('short') } }, {})
    const bulletin = await next()
    for (const field of ['categories', 'display', 'brands']) expect(bulletin).not.toHaveProperty(field)
  })

  test('keeps what is not changed, and loses what is taken away', async () => {
    await addArticle(issuer, story, { picture, ageMin: 18 })
    await setDisplay(issuer, 'story', { ageMin: null })
    expect((await next()).display?.[0]).toMatchObject({ picture: { mediaType: 'image/svg+xml' } })
    expect((await next()).display?.[0]).not.toHaveProperty('ageMin')
    expect(await setDisplay(issuer, 'story', { picture })).toMatchObject({ changed: false })
  })

  test('gets a new preview with new goods, unless a person gave one', async () => {
    await addArticle(issuer, story, {})
    const first = (await next()).display?.[0]?.preview
    const rewritten = { ...story, file: { name: 'story.md', bytes: bytes(paragraphs.replaceAll('word', 'term')) } }
    await addArticle(issuer, rewritten, {})
    const second = (await next()).display?.[0]?.preview
    expect(second?.contentHash).not.toBe(first?.contentHash)
    expect(
      await addArticle(issuer, rewritten, { preview: { name: 'part.md', bytes: bytes('A part.') } }),
    ).toMatchObject({
      preview: 'given',
    })
    await addArticle(issuer, story, {})
    expect((await next()).display?.[0]?.preview?.bytes).toBe(7)
  })

  test('keeps the preview that a person gives while one is made', async () => {
    const { item } = await addArticle(issuer, { ...story, file: { name: 'story.md', bytes: bytes('short') } }, {})
    const making = setMadePreview(issuer, { itemId: item.id, contentHash: item.contentHash }, async () => {
      await setDisplay(issuer, item.id, { preview: { name: 'part.md', bytes: bytes('A part.') } })
      return { mediaType: 'text/markdown', bytes: bytes('made by itself') }
    })
    expect(await making).toBe('given')
    expect((await next()).display?.[0]?.preview?.bytes).toBe(7)
  })

  test('loses the preview of goods that it does not sell any more', async () => {
    await addArticle(issuer, story, {})
    await addArticle(issuer, { ...story, file: { name: 'story.md', bytes: bytes('short now') } }, {})
    expect(await next()).not.toHaveProperty('display')
  })

  test.each([
    ['<svg viewBox="0 0 4 3"><script>1</script></svg>', 'take out scripts'],
    [`<svg viewBox="0 0 4 3">${'<g filter="url(#f)"/>'.repeat(100)}</svg>`, 'too long to draw'],
    ['no drawing', 'is no PNG, JPEG, WebP or SVG'],
  ])('is no drawing that would stop the page of who bought it: %#', async (drawing, sentence) => {
    const file = { name: 'poster.svg', bytes: bytes(drawing) }
    await expect(addArticle(issuer, { ...story, file, id: 'poster' }, {})).rejects.toThrow(sentence)
    const hidden = { name: 'poster.bin', bytes: bytes(drawing) }
    const named = { ...story, file: hidden, id: 'poster', mediaType: 'image/svg+xml' }
    await expect(addArticle(issuer, named, {})).rejects.toThrow(sentence)
  })

  test('is not shown by what it sells', async () => {
    const file = { name: 'poster.svg', bytes: svg('blue') }
    await expect(addArticle(issuer, { ...story, file, id: 'poster' }, { picture: file })).rejects.toThrow(
      'This file is what "poster" sells',
    )
    await expect(setDisplay(issuer, 'poster', { preview: file })).rejects.toThrow('what "poster" sells')
  })

  const wrong: readonly (readonly [DisplayChange, string])[] = [
    [{ picture: { name: 'a.png', bytes: bytes('GIF89a') } }, 'is no PNG, JPEG, WebP or SVG'],
    [
      { picture: { name: 'a.svg', bytes: bytes('<svg viewBox="0 0 4 3"><script>1</script></svg>') } },
      'more than a picture',
    ],
    [
      { picture: { name: 'a.svg', bytes: bytes('<!DOCTYPE svg [<!ENTITY a "b">]><svg viewBox="0 0 4 3"></svg>') } },
      'PNG, JPEG, WebP or SVG|more than',
    ],
    [
      { picture: { name: 'a.svg', bytes: bytes('<svg viewBox="0 0 4 3"><image href="https://x/"/></svg>') } },
      'more than a picture',
    ],
    [{ picture: { name: 'a.png', bytes: new Uint8Array(shownLimits.picture.bytesMax + 1) } }, 'up to 512 KiB'],
    [{ preview: { name: 'a.html', bytes: bytes('<html>') } }, 'of no kind that kiosks show'],
    [{ preview: { name: 'a.pdf', bytes: bytes('<html>') } }, 'not what its name says'],
    [{ ageMin: 100 }, '1 to 99'],
    [{ category: 'nowhere' }, 'no category "nowhere"'],
  ]
  test('refuses what kiosks could not show, and says what is wrong', async () => {
    await addArticle(issuer, story, {})
    for (const [change, sentence] of wrong)
      await expect(setDisplay(issuer, 'story', change)).rejects.toThrow(new RegExp(sentence))
  })

  test('too many pixels are refused, by what the file itself says', async () => {
    const png = Buffer.alloc(33)
    png.write('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 0, 'latin1')
    png.writeUInt32BE(40_000, 16)
    png.writeUInt32BE(30, 20)
    await addArticle(issuer, story, {})
    await expect(setDisplay(issuer, 'story', { picture: { name: 'a.png', bytes: png } })).rejects.toThrow('40000 × 30')
  })

  test('that is torn is named as such, also where a person gave its preview', async () => {
    const file = { name: 'story.pdf', bytes: bytes('%PDF-1.7 the rest never came') }
    for (const display of [{}, { preview: picture }] as const satisfies DisplayChange[])
      expect(await addArticle(issuer, { ...story, file }, display)).toMatchObject({
        preview: display.preview === undefined ? 'none' : 'given',
        previewProblem: expect.stringMatching(/^The file ends too early/),
      })
    const whole = await addArticle(issuer, story, { preview: picture })
    expect(whole).not.toHaveProperty('previewProblem')
  })

  test('becomes a print if it is of codes or tickets, and never another', async () => {
    const codes = { ...story, id: 'wifi', kind: 'code', file: { name: 'wifi.txt', bytes: bytes('A-1') } } as const
    const tickets = { ...story, id: 'gate', kind: 'ticket', file: { tickets: { count: 1 } } } as const
    await addArticle(issuer, codes, {})
    await setDisplay(issuer, 'wifi', { printed: true })
    await addArticle(issuer, tickets, { printed: true })
    expect((await next()).display).toEqual([
      { itemId: 'gate', printed: true },
      { itemId: 'wifi', printed: true },
    ])
    const sentence = 'kind code or ticket are sold as a print: of "story" no more than a receipt would come out'
    await expect(addArticle(issuer, story, { printed: true })).rejects.toThrow(sentence)
    // Nothing of it was added.
    await expect(setDisplay(issuer, 'story', {})).rejects.toThrow('There is no article "story"')
    await addArticle(issuer, story, {})
    await expect(setDisplay(issuer, 'story', { printed: true })).rejects.toThrow(sentence)
    // Nor do other goods take the place of those that are a print.
    const others = { ...story, id: 'wifi' }
    await expect(addArticle(issuer, others, {})).rejects.toThrow('"wifi" is sold as a code')
    await withdrawArticle(issuer, 'wifi')
    await expect(addArticle(issuer, others, {})).rejects.toThrow('"wifi" is sold as a code')
  })

  test('that an earlier version made a print of is shown otherwise all the same, and stays one until somebody ends it', async () => {
    await addArticle(issuer, story, { ageMin: 16 })
    const { display } = await displayOf(issuer, 'story')
    const json = JSON.stringify({ ...display, printed: true })
    await issuer.store.write((db) => db.updateTable('item_display').set({ json }).execute())
    await setDisplay(issuer, 'story', { ageMin: 18 })
    expect((await next()).display).toMatchObject([{ ageMin: 18, printed: true }])
    await setDisplay(issuer, 'story', { printed: false })
    expect((await next()).display?.[0]).not.toHaveProperty('printed')
  })

  test('that is withdrawn is not in the bulletin, nor how it was shown', async () => {
    await addArticle(issuer, story, { picture })
    await withdrawArticle(issuer, 'story')
    expect(await next()).not.toHaveProperty('display')
  })
})

describe('categories', () => {
  const ids = async () => (await listCategories(issuer)).map(({ id }) => id)
  test('stand in the order that a person gives them', async () => {
    for (const id of ['a', 'b', 'c']) await setCategory(issuer, { id, title: { en: id } })
    await setCategory(issuer, { id: 'c', title: { en: 'C' }, place: 1 })
    expect(await ids()).toEqual(['c', 'a', 'b'])
    await setCategory(issuer, { id: 'a', title: { en: 'A' } })
    expect(await ids()).toEqual(['c', 'a', 'b'])
  })

  test('go, and their articles stay', async () => {
    await setCategory(issuer, { id: 'a', title: { en: 'A' } })
    await addArticle(issuer, story, { category: 'a', picture })
    await removeCategory(issuer, 'a')
    const bulletin = await next()
    expect(bulletin).not.toHaveProperty('categories')
    expect(bulletin.display?.[0]).not.toHaveProperty('category')
    expect(bulletin.display?.[0]?.picture).toBeDefined()
  })
})

test('a merchant is recognised by logo and accent, which stay when only terms change', async () => {
  await addMerchant(issuer, 'Old Town Station')
  await setBrand(issuer, 'Old Town Station', { accent: '#1F6F5C', logo: { name: 'logo.svg', bytes: svg() } })
  const { brands } = await next()
  expect(brands).toMatchObject([
    { merchant: 'Old Town Station', accent: '#1f6f5c', logo: { mediaType: 'image/svg+xml' } },
  ])
  expect((await setTerms(issuer, { claimSeconds: 60 })).bulletin.brands).toEqual(brands)
  await setBrand(issuer, 'Old Town Station', { logo: null })
  expect((await next()).brands).toEqual([{ merchant: 'Old Town Station', accent: '#1f6f5c' }])
  await expect(setBrand(issuer, 'Old Town Station', { accent: 'green' })).rejects.toThrow('#1f6f5c')
  await expect(setBrand(issuer, 'Nobody', {})).rejects.toThrow('no merchant')
})

test('what the next publication changes says so', async () => {
  await addMerchant(issuer, 'Old Town Station')
  await addArticle(issuer, story, {})
  await next()
  expect(isNothing(await publicationChanges(issuer))).toBe(true)
  await setDisplay(issuer, 'story', { ageMin: 12 })
  await setCategory(issuer, { id: 'a', title: { en: 'A' } })
  await setBrand(issuer, 'Old Town Station', { accent: '#112233' })
  const changes = await publicationChanges(issuer)
  expect(changes).toMatchObject({ shown: ['story'], categories: true, brands: ['Old Town Station'], changed: [] })
  expect(isNothing(changes)).toBe(false)
  await next()
  expect(isNothing(await publicationChanges(issuer))).toBe(true)
})

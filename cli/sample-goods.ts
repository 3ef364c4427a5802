/** The sample goods of resources/, put on the shelf of a book: for the demonstration, and for whoever looks at a full kiosk. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { publish } from '../issuer/bulletin-publisher.ts'
import { momentIn } from '../issuer/moment.ts'
import { addArticle } from '../issuer/shelf/add-article.ts'
import { setBrand } from '../issuer/shelf/brand.ts'
import { setCategory, setDisplay } from '../issuer/shelf/shelf.ts'
import { parseAmount } from '../protocol/currency.ts'
import { itemKinds } from '../protocol/item.ts'
import { withIssuer } from './issuer.ts'

const resources = path.join(import.meta.dirname, '../resources')

const texts = v.record(v.string(), v.string())
const sampleSchema = v.strictObject({
  merchant: v.strictObject({ accent: v.string(), logo: v.string() }),
  categories: v.array(v.strictObject({ id: v.string(), title: texts })),
  /** Articles that are there already. */
  standing: v.array(v.strictObject({ id: v.string(), category: v.string(), preview: v.optional(v.string()) })),
  items: v.array(
    v.strictObject({
      id: v.string(),
      category: v.string(),
      file: v.string(),
      price: v.string(),
      title: texts,
      summary: texts,
      kind: v.optional(v.picklist(itemKinds)),
      age: v.optional(v.number()),
      until: v.optional(v.string()),
    }),
  ),
})

const fileOf = (folder: 'goods' | 'pictures') => async (name: string) => ({
  name,
  bytes: await readFile(path.join(resources, folder, name)),
})
const pictureOf = fileOf('pictures')
const previewOf = fileOf('goods')

/** Adds and publishes them all. @param store of a book that has the three articles of the smallest demonstration */
export const stockShelf = async (store: string, merchant: string): Promise<void> => {
  const sample = v.parse(sampleSchema, JSON.parse(await readFile(path.join(resources, 'catalogue.json'), 'utf8')))
  await withIssuer(store, async (issuer) => {
    const { currency, timeZone } = issuer.book
    const { accent, logo } = sample.merchant
    await setBrand(issuer, merchant, { accent, logo: await pictureOf(logo) })
    for (const category of sample.categories) await setCategory(issuer, category)
    for (const { id, category, preview } of sample.standing)
      await setDisplay(issuer, id, {
        category,
        picture: await pictureOf(`${id}.svg`),
        ...(preview === undefined ? {} : { preview: await previewOf(preview) }),
      })
    for (const { id, category, file, price, title, summary, kind, age, until } of sample.items)
      await addArticle(
        issuer,
        {
          file: { path: path.join(resources, 'goods', file) },
          id,
          priceMinor: parseAmount(price, currency),
          title,
          summary,
          ...(kind === undefined ? {} : { kind }),
        },
        {
          category,
          picture: await pictureOf(`${id}.svg`),
          ...(age === undefined ? {} : { ageMin: age }),
          ...(until === undefined ? {} : { soldUntil: momentIn(until, timeZone) }),
        },
      )
    await publish(issuer)
  })
}

/** How a merchant wants to be recognised: an accent colour and a logo (PROTOCOL.md, The shelf). */
import * as v from 'valibot'
import { accentSchema, type Brand, brandSchema, shownLimits } from '../../protocol/bulletin.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreReader } from '../store.ts'
import { noteFor, type Who } from '../who.ts'
import { pictureOf } from './pictures.ts'
import { keepShown, listShown, type NamedFile } from './shown-files.ts'

/** Absent: as it is. null: none any more. */
export interface BrandChange {
  readonly accent?: string | null
  readonly logo?: NamedFile | null
}

/** By merchant. @param merchant this one's alone @throws when the store was changed by hand */
export const brandsIn = async (db: StoreReader, merchant?: string): Promise<readonly Brand[]> => {
  const rows = await db
    .selectFrom('merchant_brand')
    .innerJoin('merchant', 'merchant.merchant_no', 'merchant_brand.merchant_no')
    .select(['merchant.name', 'merchant_brand.json'])
    .$if(merchant !== undefined, (query) => query.where('merchant.name', '=', merchant ?? ''))
    .orderBy('merchant.merchant_no')
    .execute()
  return rows
    .map(({ name, json }) => v.parse(brandSchema, { ...JSON.parse(json), merchant: name }))
    .filter((brand) => Object.keys(brand).length > 1)
}

export const brandIn = async (db: StoreReader, merchant: string): Promise<Brand | undefined> =>
  (await brandsIn(db, merchant))[0]

/** Terminals learn of it with the next `publish`. @throws IssuerError `unknownMerchant`, `input` */
export const setBrand = async (issuer: Issuer, merchant: string, change: BrandChange, who?: Who): Promise<Brand> => {
  const accent = change.accent?.toLowerCase()
  if (accent !== undefined && !v.is(accentSchema, accent))
    throw new IssuerError('input', 'An accent is a colour such as "#1f6f5c".')
  const { logo } = change
  const shown =
    logo &&
    (await keepShown(issuer, {
      mediaType: pictureOf({ ...logo, bytesMax: shownLimits.logo.bytesMax }).mediaType,
      bytes: logo.bytes,
    }))
  return issuer.store.write(async (db) => {
    const row = await db
      .selectFrom('merchant')
      .select('merchant_no')
      .where('name', '=', merchant.trim())
      .executeTakeFirst()
    if (row === undefined)
      throw new IssuerError(
        'unknownMerchant',
        `There is no merchant "${merchant}": "farthing issuer merchant list" names them.`,
      )
    const before = await brandIn(db, merchant.trim())
    if (shown != null) await listShown(issuer, db, shown)
    const { merchant: _, ...standing } = before ?? { merchant }
    const brand = Object.fromEntries(
      Object.entries({
        ...standing,
        ...(change.accent === undefined ? {} : { accent: accent ?? null }),
        ...(shown === undefined ? {} : { logo: shown }),
      }).filter(([, value]) => value !== null),
    )
    const kept = { merchant_no: row.merchant_no, json: JSON.stringify(brand), changed_at: issuer.clock() }
    await db
      .insertInto('merchant_brand')
      .values(kept)
      .onConflict((conflict) => conflict.column('merchant_no').doUpdateSet(kept))
      .execute()
    const after = { ...brand, merchant: merchant.trim() }
    await noteFor(issuer, db, who, { action: 'merchant.brand', subject: merchant.trim(), before, after })
    return after
  })
}

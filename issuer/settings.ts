/** What the store knows by name: one value a name, for the few things that are not rows. */
import type { StoreReader, StoreWriter } from './store.ts'

export const setting = async (db: StoreReader, key: string): Promise<string | undefined> =>
  (await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst())?.value

export const setSetting = async (db: StoreWriter, key: string, value: string): Promise<void> => {
  await db
    .insertInto('setting')
    .values({ key, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}

/** What was handed out to whoever asked in a terminal's name, for people to look at. It proves nothing. */
import type { Issuer } from './issuer.ts'

/** A terminal asks every minute; that it still does is worth one row an hour. */
const noteAgainSeconds = 3600

/** @param id of a terminal that has a keyring @param keyringSerial which it got, and with it the newest bulletin */
export const noteNews = async (issuer: Issuer, id: string, keyringSerial: number): Promise<void> => {
  const now = issuer.clock()
  const found = await issuer.store.read(async (db) => {
    const newest = await db
      .selectFrom('bulletin')
      .select((eb) => eb.fn.max('serial').as('serial'))
      .executeTakeFirst()
    const row = await db
      .selectFrom('terminal')
      .leftJoin('terminal_news', 'terminal_news.terminal_no', 'terminal.terminal_no')
      .select(['terminal.terminal_no', 'bulletin_serial', 'keyring_serial', 'asked_at'])
      .where('terminal.terminal_id', '=', id)
      .executeTakeFirst()
    return row && { ...row, bulletinSerial: newest?.serial ?? 0 }
  })
  if (found === undefined) return
  const { terminal_no, bulletinSerial } = found
  const isNoted =
    found.bulletin_serial === bulletinSerial &&
    found.keyring_serial === keyringSerial &&
    Math.abs(now - (found.asked_at ?? 0)) < noteAgainSeconds
  if (isNoted) return
  const row = { terminal_no, bulletin_serial: bulletinSerial, keyring_serial: keyringSerial, asked_at: now }
  await issuer.store.write((db) =>
    db
      .insertInto('terminal_news')
      .values(row)
      .onConflict((conflict) => conflict.column('terminal_no').doUpdateSet(row))
      .execute(),
  )
}

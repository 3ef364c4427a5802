/**
 * Slows the guessing of passwords down: by name at one address, by name from everywhere, and by address. Kept in the
 * store, so that all servers count together, and for names that nobody has alike, so that they tell nothing.
 */
import { createHash } from 'node:crypto'
import { IssuerError } from './errors.ts'
import { networkOf } from './network-of.ts'
import type { StoreWriter } from './store.ts'

export interface Guess {
  /** As it was typed. */
  readonly name: string
  readonly address: string
}

const forgottenSeconds = 3600
const waitFirstSeconds = 15
const waitSecondsMax = 900

interface Subject {
  readonly subject: string
  /** The failure of this number is the first that is followed by a wait. */
  readonly waitsFrom: number
}

// A person may have typed the password where the name belongs.
const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

const subjectsOf = ({ name, address }: Guess): readonly Subject[] => {
  const typed = name.trim().toLowerCase()
  const network = networkOf(address)
  return [
    { subject: `name here ${hashed(`${typed}\n${network}`)}`, waitsFrom: 5 },
    { subject: `name ${hashed(typed)}`, waitsFrom: 30 },
    { subject: `address ${network.slice(0, 100)}`, waitsFrom: 30 },
  ]
}

const waitSeconds = (failures: number, waitsFrom: number): number =>
  failures < waitsFrom ? 0 : Math.min(waitSecondsMax, waitFirstSeconds * 2 ** Math.min(10, failures - waitsFrom))

/**
 * Counts a try as failed before it is made, so that many at once gain nothing; `forgetFailures` takes it back.
 * @throws IssuerError `tooManyTries`
 */
export const countTry = async (db: StoreWriter, guess: Guess, at: number): Promise<void> => {
  await db
    .deleteFrom('console_failure')
    .where('failed_at', '<', at - forgottenSeconds)
    .execute()
  for (const { subject, waitsFrom } of subjectsOf(guess)) {
    const found = await db.selectFrom('console_failure').selectAll().where('subject', '=', subject).executeTakeFirst()
    if (found !== undefined && found.waits_until > at)
      throw new IssuerError('tooManyTries', `Too many wrong tries: try again in ${found.waits_until - at} seconds.`)
    const failures = (found?.failures ?? 0) + 1
    const row = { subject, failures, failed_at: at, waits_until: at + waitSeconds(failures, waitsFrom) }
    await db
      .insertInto('console_failure')
      .values(row)
      .onConflict((conflict) => conflict.column('subject').doUpdateSet(row))
      .execute()
  }
}

/** Nobody looked at the password: the try counts for nothing. */
export const takeBackTry = async (db: StoreWriter, guess: Guess): Promise<void> => {
  await takeBack(
    db,
    subjectsOf(guess).map(({ subject }) => subject),
  )
}

const takeBack = async (db: StoreWriter, subjects: readonly string[]): Promise<void> => {
  await db
    .updateTable('console_failure')
    .set((eb) => ({ failures: eb('failures', '-', 1), waits_until: 0 }))
    .where('subject', 'in', subjects)
    .where('failures', '>', 0)
    .execute()
}

/** The try was right. The address keeps its other failures: whoever has an account there could guess at others for ever. */
export const forgetFailures = async (db: StoreWriter, guess: Guess): Promise<void> => {
  const [here, name, address] = subjectsOf(guess).map(({ subject }) => subject)
  await db
    .deleteFrom('console_failure')
    .where('subject', 'in', [here ?? '', name ?? ''])
    .execute()
  await takeBack(db, [address ?? ''])
}

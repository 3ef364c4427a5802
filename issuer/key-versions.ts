/**
 * Which versions of keys are still in use (PROTOCOL.md, Rotation). The keys file says which there are; that one is over is a
 * person's decision and stands in the store, since what it once made must settle all the same.
 */
import type { Issuer } from './issuer.ts'
import { setSetting, setting } from './settings.ts'
import type { StoreReader, StoreWriter } from './store.ts'

const retiredName = 'payKeyVersionsRetired'
const endedName = 'terminalKeyVersionEnded'

/** Versions of MK_pay whose cards are refused. */
export const retiredPayVersions = async (db: StoreReader): Promise<readonly number[]> =>
  ((await setting(db, retiredName)) ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map(Number)

export const setRetiredPayVersions = (db: StoreWriter, versions: readonly number[]): Promise<void> =>
  setSetting(db, retiredName, [...new Set(versions)].sort((a, b) => a - b).join(','))

/** Up to this version of K_term nothing that is sealed with it is taken; -1: none has ended. */
export const endedTerminalVersion = async (db: StoreReader): Promise<number> =>
  Number((await setting(db, endedName)) ?? -1)

export const setEndedTerminalVersion = (db: StoreWriter, version: number): Promise<void> =>
  setSetting(db, endedName, String(version))

/**
 * Whether what is sealed with this version of K_term is still taken. An offline terminal may be versions behind: each is good
 * until a person ends it. The newest never ends.
 */
export const isTerminalVersionOver = async (issuer: Issuer, db: StoreReader, keyVersion: number): Promise<boolean> =>
  keyVersion < issuer.keys.keyVersion && keyVersion <= (await endedTerminalVersion(db))

/** A terminal that seals with a version holds it: from now on its keyrings may be sealed with that, too. */
export const noteTerminalVersion = async (
  db: StoreWriter,
  terminal: { readonly terminalNo: number; readonly keyVersion: number },
  shown: number,
): Promise<void> => {
  if (shown > terminal.keyVersion)
    await db
      .updateTable('terminal')
      .set({ key_version: shown })
      .where('terminal_no', '=', terminal.terminalNo)
      .execute()
}

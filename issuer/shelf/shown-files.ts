/** Pictures, previews and logos at rest: kept and fetched as goods are, so that they travel every way that goods do. */
import { createHash } from 'node:crypto'
import type { ShownFile } from '../../protocol/bulletin.ts'
import { encryptContent } from '../../protocol/keyring.ts'
import { goodsFolder } from '../catalogue.ts'
import { contentKey } from '../content-keys.ts'
import { storeBlob } from '../goods.ts'
import type { Issuer } from '../issuer.ts'
import type { StoreWriter } from '../store.ts'

export interface NamedFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Keeps a file as goods are kept, and says how a bulletin names it. */
export const keepShown = async (
  issuer: Issuer,
  { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Uint8Array },
): Promise<ShownFile> => {
  const contentHash = createHash('sha256').update(bytes).digest('hex')
  await storeBlob(goodsFolder(issuer), {
    contentHash,
    bytes: encryptContent(bytes, { key: contentKey(issuer, contentHash), contentHash }),
  })
  return { contentHash, mediaType, bytes: bytes.length }
}

/** Terminals get its key from now on. */
export const listShown = async (issuer: Issuer, db: StoreWriter, file: ShownFile): Promise<void> => {
  await db
    .insertInto('content')
    .values({ content_hash: file.contentHash, bytes: file.bytes, added_at: issuer.clock() })
    .onConflict((conflict) => conflict.column('content_hash').doNothing())
    .execute()
}

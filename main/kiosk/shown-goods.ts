/** Goods on the screen now, by the token in their address: it says nothing of the sale, and is worth nothing after it. */
import type { CatalogueItem, GoodsView } from '../../preload/contract.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { Item } from '../../protocol/item.ts'
import type { ReadyGoods } from '../catalogue.ts'
import type { Terminal } from '../terminal.ts'
import { articleView, iso } from './views.ts'

export interface Content {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

export interface ShownGoods {
  /** @param goods absent: they are had by the claim alone */
  viewOf(
    goods: ReadyGoods | undefined,
    item: Item | CatalogueItem,
    claim?: { readonly url: string; readonly expiresTime: number },
  ): GoodsView
  contentOf(token: string): Content | undefined
  clear(): void
}

export const makeShownGoods = (terminal: Terminal): ShownGoods => {
  const shown = new Map<string, Content>()
  return {
    viewOf(goods, item, claim) {
      let contentUrl: string | undefined
      if (goods?.content !== undefined) {
        const token = toHex(terminal.randomBytes(16))
        shown.set(token, { mediaType: item.mediaType, bytes: goods.content })
        contentUrl = `/goods/${token}`
      }
      return {
        item: articleView(item),
        ...(contentUrl === undefined ? {} : { contentUrl }),
        ...(goods?.code === undefined ? {} : { code: goods.code }),
        ...(claim === undefined ? {} : { claimUrl: claim.url, claimExpiresAt: iso(claim.expiresTime * 1000) }),
      }
    },
    contentOf: (token) => shown.get(token),
    clear: () => shown.clear(),
  }
}

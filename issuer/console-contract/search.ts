/** One box for everything that has a name. */
import * as v from 'valibot'

export const searchQuery = v.object({ q: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100)) })

export const searchKinds = ['terminal', 'card', 'batch', 'merchant', 'item'] as const

export const searchResult = v.object({
  found: v.array(
    v.object({
      kind: v.picklist(searchKinds),
      /** By which its page is addressed: an id, "terminal/epoch/number" of a batch, a merchant's number. */
      key: v.string(),
      title: v.string(),
      note: v.string(),
    }),
  ),
  /** More of a kind were found than are shown. */
  more: v.boolean(),
})
export type SearchResult = v.InferOutput<typeof searchResult>

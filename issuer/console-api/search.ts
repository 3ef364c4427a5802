/** One box for everything that has a name: ids by their beginning, batches and documents by theirs, merchants and articles by a part. */
import type * as v from 'valibot'
import { itemFromStore, titleOf } from '../catalogue.ts'
import { type SearchResult, searchQuery, searchResult } from '../console-contract/search.ts'
import { isoTime } from '../iso-times.ts'
import type { StoreReader } from '../store.ts'
import { route } from './route.ts'

const shownOfKind = 8

type Found = SearchResult['found'][number]

/** All ids that begin so stand in one run of the index: "g" comes after every hex digit. */
const idsFrom = (q: string): readonly [string, string] => [q, `${q}g`]

const terminals = async (db: StoreReader, q: string, isHex: boolean): Promise<Found[]> => {
  const [from, until] = idsFrom(q)
  const rows = await db
    .selectFrom('terminal')
    .innerJoin('merchant', 'merchant.merchant_no', 'terminal.merchant_no')
    .select(['terminal_id', 'merchant.name', 'terminal.name as terminal_name'])
    .where((eb) =>
      eb.or([
        eb(eb.fn('lower', ['terminal.name']), 'like', `%${q.replaceAll(/[%_]/g, '')}%`),
        ...(isHex ? [eb.and([eb('terminal_id', '>=', from), eb('terminal_id', '<', until)])] : []),
      ]),
    )
    .orderBy('terminal_id')
    .limit(shownOfKind + 1)
    .execute()
  return rows.map((row) => ({
    kind: 'terminal',
    key: row.terminal_id,
    title: row.terminal_name ?? row.terminal_id,
    note: row.name,
  }))
}

const cards = async (db: StoreReader, q: string): Promise<Found[]> => {
  const [from, until] = idsFrom(q)
  const rows = await db
    .selectFrom('card')
    .select(['card_id', 'status', 'mark'])
    .where('card_id', '>=', from)
    .where('card_id', '<', until)
    .orderBy('card_id')
    .limit(shownOfKind + 1)
    .execute()
  return rows.map((row) => ({
    kind: 'card',
    key: row.card_id,
    title: row.card_id,
    note: `${row.status}, counter ${row.mark}`,
  }))
}

/** "0123456789abcdef/1/7", as such or as the books name it: "batch 0123456789abcdef/1/7". */
const batches = async (db: StoreReader, q: string): Promise<Found[]> => {
  const named = /^(?:batch\s+)?([0-9a-f]{16})\/(\d{1,9})(?:\/(\d{1,9}))?$/.exec(q)
  if (named === null) return []
  const [, id = '', epoch, batchNo] = named
  const rows = await db
    .selectFrom('batch')
    .innerJoin('terminal', 'terminal.terminal_no', 'batch.terminal_no')
    .select(['terminal_id', 'batch.epoch', 'batch_no', 'entry_count', 'received_at'])
    .where('terminal_id', '=', id)
    .where('batch.epoch', '=', Number(epoch))
    .$if(batchNo !== undefined, (query) => query.where('batch_no', '=', Number(batchNo)))
    .orderBy('batch_no', 'desc')
    .limit(shownOfKind + 1)
    .execute()
  return rows.map((row) => {
    const key = `${row.terminal_id}/${row.epoch}/${row.batch_no}`
    return { kind: 'batch', key, title: key, note: `${row.entry_count} entries, came ${isoTime(row.received_at)}` }
  })
}

const merchants = async (db: StoreReader, q: string): Promise<Found[]> => {
  const rows = await db
    .selectFrom('merchant')
    .select(['merchant_no', 'name'])
    .where((eb) => eb(eb.fn('lower', ['name']), 'like', `%${q.replaceAll(/[%_]/g, '')}%`))
    .orderBy('name')
    .limit(shownOfKind + 1)
    .execute()
  return rows.map((row) => ({ kind: 'merchant', key: String(row.merchant_no), title: row.name, note: 'Merchant' }))
}

/** By a part of an id, or of a title in any language. */
const items = async (db: StoreReader, q: string): Promise<Found[]> => {
  const rows = await db.selectFrom('article').select('json').orderBy('item_id').execute()
  return rows
    .map(({ json }) => itemFromStore(json))
    .filter(({ id, title }) => [id, ...Object.values(title)].some((text) => text.toLowerCase().includes(q)))
    .slice(0, shownOfKind + 1)
    .map((item) => ({ kind: 'item', key: item.id, title: item.id, note: titleOf(item) }))
}

const find = async (db: StoreReader, q: string): Promise<v.InferOutput<typeof searchResult>> => {
  const isHex = /^[0-9a-f]{1,16}$/.test(q)
  const kinds = [
    await terminals(db, q, isHex),
    isHex ? await cards(db, q) : [],
    await batches(db, q),
    await merchants(db, q),
    await items(db, q),
  ]
  return {
    found: kinds.flatMap((found) => found.slice(0, shownOfKind)),
    more: kinds.some((found) => found.length > shownOfKind),
  }
}

const search = route({
  method: 'GET',
  path: '/search',
  permission: 'read',
  summary: 'Finds cards, terminals, batches, merchants and items by their names.',
  input: searchQuery,
  output: searchResult,
  handle: ({ issuer, input }) => issuer.store.read((db) => find(db, input.q.toLowerCase())),
})

export const searchRoutes = [search]

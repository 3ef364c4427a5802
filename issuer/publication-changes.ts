/** What the next `publish` would change, against what terminals are told now. */
import type { Bulletin } from '../protocol/bulletin.ts'
import { articlesAt, secondsOf } from '../protocol/bulletin.ts'
import { toHex } from '../protocol/bytes.ts'
import { canonicalBytes } from '../protocol/canonical-json.ts'
import { type Item, itemHash } from '../protocol/item.ts'
import { contentIn, newestBulletin } from './bulletin-publisher.ts'
import { sharesIn } from './catalogue.ts'
import type { Issuer } from './issuer.ts'

export interface PublicationChanges {
  /** Of the newest bulletin; absent: nothing was published yet. */
  readonly serial?: number
  readonly added: readonly Item[]
  readonly changed: readonly { readonly before: Item; readonly after: Item }[]
  readonly withdrawn: readonly Item[]
  /** Announced with the next bulletin and not by the newest. */
  readonly announced: readonly { readonly from: string; readonly item: Item }[]
  /** Announced by the newest bulletin, and taken back by the next. */
  readonly cancelled: readonly { readonly from: string; readonly item: Item }[]
  readonly assortments: readonly {
    readonly name: string
    readonly outcome: 'added' | 'changed' | 'removed'
    readonly added: readonly string[]
    readonly removed: readonly string[]
  }[]
  /** Articles that are shown or offered otherwise. */
  readonly shown: readonly string[]
  /** Whether there are other categories, or in another order. */
  readonly categories: boolean
  /** Merchants who are to be recognised by something else. */
  readonly brands: readonly string[]
  /** Terminals that get another assortment. */
  readonly terminals: readonly string[]
  /** Codes and tickets that are dealt to terminals, for good. */
  readonly unitsToDeal: number
}

const nameOf = ({ from, item }: { readonly from: string; readonly item: Item }): string =>
  `${secondsOf(from)}/${toHex(itemHash(item))}`

const compareAssortments = (
  before: Bulletin['assortments'] = [],
  after: Bulletin['assortments'] = [],
): PublicationChanges['assortments'] => {
  const old = new Map(before.map(({ name, items }) => [name, items]))
  const next = new Map(after.map(({ name, items }) => [name, items]))
  return [...new Set([...old.keys(), ...next.keys()])].sort().flatMap((name) => {
    const was = old.get(name)
    const is = next.get(name)
    const added = (is ?? []).filter((id) => !was?.includes(id))
    const removed = (was ?? []).filter((id) => !is?.includes(id))
    const outcome = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
    return outcome === 'changed' && added.length + removed.length === 0 ? [] : [{ name, outcome, added, removed }]
  })
}

/** Names of what one list says and the other does not, or says otherwise. */
const differing = <Entry>(
  before: readonly Entry[] = [],
  after: readonly Entry[] = [],
  nameOf: (entry: Entry) => string,
): string[] => {
  const texts = (entries: readonly Entry[]) =>
    new Map(entries.map((entry) => [nameOf(entry), Buffer.from(canonicalBytes(entry)).toString()]))
  const [was, is] = [texts(before), texts(after)]
  return [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name)).sort()
}

export const publicationChanges = async (issuer: Issuer): Promise<PublicationChanges> => {
  const newest = await issuer.store.read((db) => newestBulletin(issuer, db))
  const now = issuer.clock()
  const { next, terminals, units } = await issuer.store.read(async (db) => ({
    next: await contentIn(db, now),
    terminals: await db
      .selectFrom('terminal_assortment')
      .innerJoin('terminal', 'terminal.terminal_no', 'terminal_assortment.terminal_no')
      .select(['terminal.terminal_id', 'terminal_assortment.name', 'published_name'])
      .orderBy('terminal.terminal_no')
      .execute(),
    units: (await sharesIn(db, 'name')).length,
  }))
  const before = new Map((newest === undefined ? [] : articlesAt(newest.bulletin, now)).map((item) => [item.id, item]))
  const after = new Map(next.items.map((item) => [item.id, item]))
  const told = newest?.bulletin.coming?.filter(({ from }) => secondsOf(from) > now) ?? []
  const tells = next.coming ?? []
  const toldNames = new Set(told.map(nameOf))
  const tellsNames = new Set(tells.map(nameOf))
  return {
    ...(newest === undefined ? {} : { serial: newest.serial }),
    added: next.items.filter(({ id }) => !before.has(id)),
    changed: next.items.flatMap((item) => {
      const was = before.get(item.id)
      return was === undefined || toHex(itemHash(was)) === toHex(itemHash(item)) ? [] : [{ before: was, after: item }]
    }),
    withdrawn: [...before.values()].filter(({ id }) => !after.has(id)),
    announced: tells.filter((change) => !toldNames.has(nameOf(change))),
    cancelled: told.filter((change) => !tellsNames.has(nameOf(change))),
    assortments: compareAssortments(newest?.bulletin.assortments, next.assortments),
    shown: differing(newest?.bulletin.display, next.display, ({ itemId }) => itemId),
    categories:
      Buffer.compare(canonicalBytes(newest?.bulletin.categories ?? []), canonicalBytes(next.categories ?? [])) !== 0,
    brands: differing(newest?.bulletin.brands, next.brands, ({ merchant }) => merchant),
    terminals: terminals.filter((row) => row.name !== row.published_name).map((row) => row.terminal_id),
    unitsToDeal: units,
  }
}

/** Whether `publish` would say anything that terminals do not know. */
export const isNothing = (changes: PublicationChanges): boolean =>
  changes.serial !== undefined &&
  [
    changes.added,
    changes.changed,
    changes.withdrawn,
    changes.announced,
    changes.cancelled,
    changes.assortments,
    changes.shown,
    changes.brands,
    changes.terminals,
  ].every((some) => some.length === 0) &&
  !changes.categories &&
  changes.unitsToDeal === 0

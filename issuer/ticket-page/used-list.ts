/** The tickets that this phone let in, in its IndexedDB: a ticket is stored before anybody is told "let in". */
import type { Ticket } from '../../protocol/ticket.ts'

type Name = Pick<Ticket, 'event' | 'number'>
export interface UsedTicket extends Name {
  /** UNIX seconds. */
  readonly usedAt: number
}

const storeName = 'used'

const done = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const finished = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })

export interface UsedList {
  /** @returns undefined where it is new and now on the disk, else when it was used */
  take(ticket: Name, now: number): Promise<number | undefined>
  count(): Promise<number>
  all(): Promise<readonly UsedTicket[]>
  /** Adds another phone's; of a ticket that both let in, the earlier time stays. @returns how many were new */
  merge(others: readonly UsedTicket[]): Promise<number>
}

/** @throws DOMException where the browser stores nothing (a private window of some) */
export const openUsedList = async (): Promise<UsedList> => {
  const opening = indexedDB.open('farthing-tickets', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(storeName, { keyPath: ['event', 'number'] })
  const database = await done(opening)
  const write = () => database.transaction(storeName, 'readwrite', { durability: 'strict' })
  const read = () => database.transaction(storeName).objectStore(storeName)
  const find = (store: IDBObjectStore, { event, number }: Name): Promise<UsedTicket | undefined> =>
    done(store.get([event, number]))
  return {
    async take({ event, number }, now) {
      const transaction = write()
      const ended = finished(transaction)
      const store = transaction.objectStore(storeName)
      const before = await find(store, { event, number })
      if (before === undefined) store.add({ event, number, usedAt: now })
      await ended
      return before?.usedAt
    },
    count: () => done(read().count()),
    all: () => done<UsedTicket[]>(read().getAll()),
    async merge(others) {
      const transaction = write()
      const ended = finished(transaction)
      const store = transaction.objectStore(storeName)
      let added = 0
      for (const { event, number, usedAt } of others) {
        const before = await find(store, { event, number })
        if (before === undefined) added += 1
        if (before === undefined || usedAt < before.usedAt) store.put({ event, number, usedAt })
      }
      await ended
      return added
    },
  }
}

const listCountMax = 1_000_000

/** @returns undefined: that is no list */
export const listFrom = (text: string): readonly UsedTicket[] | undefined => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('used' in value) || !Array.isArray(value.used)) return undefined
  const used: readonly unknown[] = value.used
  const isId = (id: unknown): id is string => typeof id === 'string' && /^[0-9a-f]{16}$/.test(id)
  const isUsed = (one: unknown): one is UsedTicket =>
    typeof one === 'object' &&
    one !== null &&
    'event' in one &&
    isId(one.event) &&
    'number' in one &&
    isId(one.number) &&
    'usedAt' in one &&
    Number.isSafeInteger(one.usedAt)
  return used.length <= listCountMax && used.every(isUsed) ? used : undefined
}

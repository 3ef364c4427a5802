/**
 * What pages are told while they are open (Server-Sent Events): the topics whose newest number moved. One look at the
 * store serves all pages of this process, and only while there are any; what another process booked is seen the same way.
 */
import { sql } from 'kysely'
import * as v from 'valibot'
import { type Topic, topics } from '../console-contract/live.ts'
import { IssuerError } from '../errors.ts'
import type { Issuer } from '../issuer.ts'
import type { Store, StoreReader } from '../store.ts'
import { route } from './route.ts'

const lookMs = 2_000
const heartbeatLooks = 8
/** Then the page comes again, and is asked anew who it is. */
const streamLooksMax = 300
/** Announcements that wait for a page to read them. */
const unreadMax = 64
/** Each holds a connection of the server, which has some for terminals, too. */
const streamsOfUserMax = 30

/** The newest number of each topic's tables: each is the end of an index. */
const newestOf: Readonly<Partial<Record<Topic, readonly (readonly [table: string, key: string])[]>>> = {
  batches: [
    ['batch', 'batch_pk'],
    ['entry_exception', 'exception_no'],
    ['alarm', 'alarm_no'],
  ],
  books: [['transfer', 'transfer_no']],
  cards: [
    ['card', 'card_no'],
    ['load_authorisation', 'load_no'],
  ],
  terminals: [['terminal', 'terminal_no']],
  publications: [['bulletin', 'serial']],
  audit: [['audit_log', 'audit_no']],
}

type Marks = ReadonlyMap<Topic, string>

const readMarks = async (db: StoreReader): Promise<Marks> => {
  const marks = new Map<Topic, string>()
  for (const topic of topics) {
    const newest: string[] = []
    for (const [table, key] of newestOf[topic] ?? []) {
      const { rows } = await sql<{
        newest: number | string | null
      }>`SELECT max(${sql.ref(key)}) AS newest FROM ${sql.table(table)}`.execute(db)
      newest.push(String(rows[0]?.newest ?? 0))
    }
    marks.set(topic, newest.join('/'))
  }
  return marks
}

interface Listener {
  tell(message: string): void
  /** The page comes again by itself. */
  end(): void
}

interface Lookout {
  /** With the user who listens. */
  readonly listeners: Map<Listener, number | undefined>
  timer: ReturnType<typeof setInterval> | undefined
}

const lookouts = new WeakMap<Store, Lookout>()

/** Looks while somebody listens. */
const startLooking = (store: Store, lookout: Lookout): void => {
  let before: Marks | undefined
  let looks = 0
  let busy = false
  const look = async () => {
    if (busy) return
    busy = true
    try {
      const marks = await store.read(readMarks)
      const moved = topics.filter((topic) => before !== undefined && marks.get(topic) !== before.get(topic))
      before = marks
      looks += 1
      const beat = looks % heartbeatLooks === 0 ? ': still here\n\n' : ''
      const message = moved.map((topic) => `event: ${topic}\ndata: {}\n\n`).join('') || beat
      if (message !== '') for (const listener of lookout.listeners.keys()) listener.tell(message)
    } catch {
      // A store that cannot be read now may be read at the next look; requests say what is wrong with it.
    } finally {
      busy = false
    }
  }
  void look()
  lookout.timer = setInterval(() => void look(), lookMs)
  lookout.timer.unref()
}

const listenTo = (store: Store, listener: Listener, userNo: number | undefined): (() => void) => {
  const lookout = lookouts.get(store) ?? { listeners: new Map(), timer: undefined }
  lookouts.set(store, lookout)
  lookout.listeners.set(listener, userNo)
  if (lookout.timer === undefined) startLooking(store, lookout)
  return () => {
    lookout.listeners.delete(listener)
    if (lookout.listeners.size > 0) return
    clearInterval(lookout.timer)
    lookout.timer = undefined
  }
}

/** Ends all streams of a store: before its server closes, which would wait for them. */
export const endLiveStreams = (store: Store): void => {
  for (const listener of lookouts.get(store)?.listeners.keys() ?? []) listener.end()
}

/** @throws IssuerError `tooManyStreams` */
const requireFew = (store: Store, userNo: number | undefined): void => {
  const users = [...(lookouts.get(store)?.listeners.values() ?? [])]
  if (users.filter((each) => each === userNo).length >= streamsOfUserMax)
    throw new IssuerError('tooManyStreams', 'You have this open in too many places: close some.')
}

/** A stream of announcements; it ends by itself after some minutes. @param userNo who listens */
export const liveStream = (
  { store }: Pick<Issuer, 'store'>,
  userNo: number | undefined,
): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  let forget = () => {}
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          forget()
          controller.close()
        }
        const timer = setTimeout(end, lookMs * streamLooksMax)
        timer.unref()
        const listener: Listener = {
          // Who reads too slowly would miss something: that page comes again, and reads everything anew.
          tell: (message) => ((controller.desiredSize ?? 0) > 0 ? controller.enqueue(encoder.encode(message)) : end()),
          end,
        }
        const stop = listenTo(store, listener, userNo)
        forget = () => {
          clearTimeout(timer)
          stop()
        }
        controller.enqueue(encoder.encode('retry: 2000\n\n'))
      },
      cancel: () => forget(),
    },
    { highWaterMark: unreadMax },
  )
}

const live = route({
  method: 'GET',
  path: '/live',
  permission: 'read',
  summary: 'Announces what changed, as Server-Sent Events named by topic.',
  input: v.object({}),
  handle: async ({ issuer, caller }) => {
    requireFew(issuer.store, caller.userNo)
    return { mediaType: 'text/event-stream', body: liveStream(issuer, caller.userNo) }
  },
})

export const liveRoutes = [live]

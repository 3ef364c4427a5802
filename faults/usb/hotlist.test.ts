/** The hotlist by stick: whole, a part at a time, damaged, and of an earlier journey (docs/OPERATIONS.md, USB). */
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { answerStick } from '../../cli/desk.ts'
import { blockCards, renewHotlist, unblockCard } from '../../issuer/hotlist.ts'
import { stickHotlistEntriesMax } from '../../main/stick/stick.ts'
import { cardId } from '../../protocol/quantities.ts'
import { makeStickWorld } from './stick-world.ts'

const by = { name: 'test' }
const numbered = (count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, at) => (first + at).toString(16).padStart(16, '0'))

test('it goes by stick, only what is new is written again, and what is damaged or missing puts nothing into force', async () => {
  const world = await makeStickWorld(onTestFinished)
  const kiosk = world.kiosk(0)
  const stick = world.stick()
  const lists = () => readdirSync(stick).filter((name) => name.endsWith('.fhot'))
  const isListed = (number: string) =>
    kiosk.work(async (terminal) => terminal.hotlist.find(cardId(number)) !== undefined)
  const cards = numbered(stickHotlistEntriesMax + 5)
  const [first = '', last = ''] = [cards[0], cards.at(-1)]
  await blockCards(world.issuer, by, { cards: cards, reason: 'lost' })
  await kiosk.export(stick)
  expect(await world.desk(stick)).toMatchObject({ hotlist: cards.length, refused: [] })
  expect(lists()).toEqual(['hotlist-1-000.fhot', 'hotlist-1-001.fhot'])
  const [whole = '', rest = ''] = lists().map((name) => path.join(stick, name))

  // The second part was lost on the way.
  rmSync(rest)
  expect(await kiosk.take(stick)).toMatchObject({ hotlistMissing: true, refused: [] })
  expect(await isListed(first)).toBe(false)
  // It comes, and somebody has changed it.
  await world.desk(stick)
  const right = readFileSync(rest)
  writeFileSync(rest, Buffer.from(right).fill(7, 3, 5))
  expect(await kiosk.take(stick)).toMatchObject({ hotlistMissing: true, refused: [{ file: 'hotlist-1-001.fhot' }] })
  expect(await isListed(first)).toBe(false)
  // The desk notices, and lays it right.
  expect(await world.desk(stick)).toMatchObject({ hotlist: cards.length, refused: [] })
  expect(readFileSync(rest)).toEqual(right)
  expect(await kiosk.take(stick)).toMatchObject({ hotlistMissing: false, refused: [] })
  expect([await isListed(first), await isListed(last)]).toEqual([true, true])

  // A delta: the full part stays as it lies there.
  utimesSync(whole, 1, 1)
  await unblockCard(world.issuer, first)
  await answerStick(await world.client(), stick)
  expect(statSync(whole).mtimeMs).toBe(1000)
  expect(await kiosk.take(stick)).toMatchObject({ hotlistMissing: false })
  expect([await isListed(first), await isListed(last)]).toEqual([false, true])
  // A new log clears the old one away.
  expect(await renewHotlist(world.issuer, by)).toMatchObject({ generation: 2 })
  await world.desk(stick)
  expect(lists()).toEqual(['hotlist-2-000.fhot', 'hotlist-2-001.fhot'])
  expect(await kiosk.take(stick)).toMatchObject({ hotlistMissing: false })
  expect([await isListed(first), await isListed(last)]).toEqual([false, true])
}, 60_000)

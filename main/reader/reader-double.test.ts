import { expect, test } from 'vitest'
import { type CardReader, waitForCard } from './card-reader.ts'
import { openReaderDouble } from './reader-double.ts'

const command = Uint8Array.of(0x80, 0x10, 0, 0)
const ok = Uint8Array.of(0x90, 0x00)

/** A card that remembers what it was asked. */
const recordingCard = () => {
  const seen: Uint8Array[] = []
  return {
    seen,
    answers: (apdu: Uint8Array) => {
      seen.push(apdu)
      return ok
    },
  }
}

const firstCard = (reader: CardReader) => waitForCard(reader, { signal: new AbortController().signal })

test('a card that is put in is seen, answers, and is gone when taken away', async () => {
  const reader = openReaderDouble()
  const waiting = firstCard(reader)
  const inserted = reader.insert(recordingCard().answers)
  const card = await waiting
  expect(card).toBe(inserted)
  expect(await card.use((channel) => channel.transmit(command))).toEqual(ok)

  reader.remove()
  expect(card.removed.aborted).toBe(true)
  expect(reader.snapshot.slots).toEqual([{ name: 'Double 00' }])
  await expect(card.use((channel) => channel.transmit(command))).rejects.toMatchObject({ code: 'removed' })
})

test.each([
  { when: 'before' as const, actedOn: 1 },
  { when: 'after' as const, actedOn: 2 },
])('a cut $when the second APDU leaves the card with $actedOn of them', async ({ when, actedOn }) => {
  const reader = openReaderDouble()
  const { seen, answers } = recordingCard()
  const card = reader.insert(answers, { cut: { apdu: 2, when } })
  await card.use(async (channel) => {
    await channel.transmit(command)
    await expect(channel.transmit(command)).rejects.toMatchObject({ code: 'removed' })
  })
  expect(seen).toHaveLength(actedOn)
  expect(card.removed.aborted).toBe(true)
})

test('uses of one card wait for each other', async () => {
  const reader = openReaderDouble()
  const order: string[] = []
  const card = reader.insert(recordingCard().answers)
  const use = (name: string) =>
    card.use(async (channel) => {
      order.push(`${name} begins`)
      await channel.transmit(command)
      order.push(`${name} ends`)
    })
  await Promise.all([use('first'), use('second')])
  expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
})

test('without the service there are no slots, and the cards are gone', () => {
  const reader = openReaderDouble()
  const card = reader.insert(recordingCard().answers)
  reader.setService('down', 'Start pcscd.')
  expect(reader.snapshot).toEqual({ service: 'down', detail: 'Start pcscd.', slots: [] })
  expect(card.removed.aborted).toBe(true)
  reader.setService('up')
  expect(reader.snapshot).toEqual({ service: 'up', slots: [{ name: 'Double 00' }] })
})

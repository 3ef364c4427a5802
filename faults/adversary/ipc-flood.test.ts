/** A page that was taken over calls every method of the bridge, ten thousand times, while a card pays. */
import { expect, onTestFinished, test } from 'vitest'
import { connectIpc, type Sender } from '../../main/ipc.ts'
import { makeKiosk } from '../../main/kiosk/kiosk.ts'
import { openReaderDouble } from '../../main/reader/reader-double.ts'
import { makeTestCard, makeTestTerminal } from '../../main/test-terminal.ts'
import { channels } from '../../preload/contract.ts'

const ours: Sender = { sender: { id: 1 }, senderFrame: { url: 'farthing://kiosk/', parent: null } }

test('one debit, one handing over, and a till that still sells afterwards', async () => {
  const { terminal } = makeTestTerminal(onTestFinished)
  const reader = openReaderDouble(['Double 00'])
  const kiosk = makeKiosk({
    terminal,
    reader,
    settings: { languages: ['en'], readerPosition: 'below', diagonalMm: 546, topUp: false },
    log: () => undefined,
  })
  onTestFinished(() => kiosk.close())
  const handlers = new Map<string, (event: Sender, ...given: unknown[]) => Promise<unknown>>()
  let pushed = 0
  const disconnect = connectIpc({
    onAlive: () => undefined,
    speaker: { say: async () => false, hush: () => undefined },
    ipcMain: { handle: (channel, listener) => handlers.set(channel, listener) },
    webContents: {
      id: 1,
      isDestroyed: () => false,
      send: () => {
        pushed += 1
      },
    },
    kiosk,
  })
  onTestFinished(disconnect)
  const say = (channel: string, ...given: unknown[]) => handlers.get(channel)?.(ours, ...given)
  const approved = () =>
    new Promise<void>((resolve) => {
      const stop = kiosk.subscribe(({ screen }) => {
        if (screen.name !== 'approved') return
        stop()
        resolve()
      })
    })
  const calls: [string, ...unknown[]][] = [
    [channels.buy, 'map', 0, 'en'],
    [channels.buy, 'no-such-item'],
    [channels.buy, { id: 'map' }],
    [channels.collect, 1],
    [channels.collect, 4_294_967_295],
    [channels.showGoods],
    [channels.cancel],
    [channels.finish],
    [channels.state],
  ]

  const card = makeTestCard({ balanceMinor: 1000 })
  await say(channels.buy, 'map', 0, 'en')
  const paid = approved()
  card.reset()
  reader.insert(card.answers)
  const flood = Array.from({ length: 10_000 }, (_, at) => {
    const [channel, ...given] = calls[at % calls.length] ?? [channels.state]
    // While the card is at work, the page may not leave; afterwards it may do as it likes.
    return channel === channels.cancel || channel === channels.finish ? undefined : say(channel, ...given)
  })
  await Promise.allSettled([paid, ...flood])
  expect(card.state.balanceMinor).toBe(750)
  expect(terminal.ledger.unsynced).toMatchObject({ count: 1, amountMinor: 250 })
  expect(pushed).toBeLessThan(20_000)

  reader.remove()
  await say(channels.finish)
  await say(channels.buy, 'map', 0, 'en')
  const again = approved()
  card.reset()
  reader.insert(card.answers)
  await again
  expect(card.state.balanceMinor).toBe(500)
})

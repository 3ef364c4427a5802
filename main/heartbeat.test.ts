import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import {
  firstBeatMsMax,
  heapBytesHigh,
  heapBytesMax,
  type PageTrouble,
  silenceMsMax,
  watchHeartbeat,
} from './heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const watch = (idle: () => boolean = () => false) => {
  const troubles: PageTrouble[] = []
  const heartbeat = watchHeartbeat({ idle, onTrouble: (trouble) => troubles.push(trouble) })
  onTestFinished(() => heartbeat.stop())
  return { heartbeat, troubles }
}

test('a page that beats is left alone', () => {
  const { heartbeat, troubles } = watch()
  for (let beat = 0; beat < 100; beat += 1) {
    heartbeat.beat(50_000_000)
    vi.advanceTimersByTime(silenceMsMax - 1)
  }
  expect(troubles).toEqual([])
})

test('a silent page is told once, and the next one has time to start', () => {
  const { heartbeat, troubles } = watch()
  heartbeat.beat(0)
  vi.advanceTimersByTime(silenceMsMax)
  expect(troubles).toEqual(['silent'])
  // What the dying page still says brings no second trouble.
  heartbeat.beat(heapBytesMax + 1)
  vi.advanceTimersByTime(10 * firstBeatMsMax)
  expect(troubles).toEqual(['silent'])
  heartbeat.restarted()
  vi.advanceTimersByTime(firstBeatMsMax - 1)
  expect(troubles).toEqual(['silent'])
  vi.advanceTimersByTime(1)
  expect(troubles).toEqual(['silent', 'silent'])
})

test('a beat that was under way when the window closed is no page', () => {
  const { heartbeat, troubles } = watch()
  heartbeat.beat(0)
  heartbeat.stop()
  heartbeat.beat(heapBytesMax + 1)
  vi.advanceTimersByTime(10 * firstBeatMsMax)
  expect(troubles).toEqual([])
})

test('a page that never says a word has not started', () => {
  const { troubles } = watch()
  vi.advanceTimersByTime(firstBeatMsMax)
  expect(troubles).toEqual(['silent'])
})

test('a page that grew is begun anew once nobody is there; a huge one at once', () => {
  let idle = false
  const { heartbeat, troubles } = watch(() => idle)
  heartbeat.beat(heapBytesHigh + 1)
  expect(troubles).toEqual([])
  idle = true
  heartbeat.beat(heapBytesHigh)
  expect(troubles).toEqual([])
  heartbeat.beat(heapBytesHigh + 1)
  expect(troubles).toEqual(['grown'])
  heartbeat.restarted()
  idle = false
  heartbeat.beat(heapBytesMax + 1)
  expect(troubles).toEqual(['grown', 'grown'])
})

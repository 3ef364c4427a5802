import { describe, expect, test } from 'vitest'
import { afterCrash, appUrl, isAppUrl, navigationAllowed, requestAllowed } from './navigation.ts'

const foreign = [
  'https://example.com/',
  'http://kiosk/',
  'farthing://other/',
  'farthing://kiosk.example/',
  'farthing://kiosk@example.com/',
  'farthing://user@kiosk/',
  'farthing:kiosk',
  'file:///etc/passwd',
  'about:blank',
  'data:text/html,hello',
  'javascript:alert(1)',
  'chrome://settings',
  '',
]

describe('the address', () => {
  test('of the app is its own', () => {
    for (const url of [appUrl, 'farthing://kiosk/index.html', 'farthing://kiosk/assets/a.js?x#y'])
      expect(isAppUrl(url)).toBe(true)
  })
  test('of anything else is not', () => {
    for (const url of foreign) expect(isAppUrl(url), url).toBe(false)
  })
})

describe('navigation', () => {
  test('goes to the page, in the main frame', () => {
    expect(navigationAllowed({ url: appUrl, isMainFrame: true })).toBe(true)
    expect(navigationAllowed({ url: 'farthing://kiosk/index.html#catalogue', isMainFrame: true })).toBe(true)
  })
  test('goes nowhere else', () => {
    for (const url of [...foreign, 'farthing://kiosk/assets/a.js', 'farthing://kiosk/goods/0a1b'])
      expect(navigationAllowed({ url, isMainFrame: true }), url).toBe(false)
  })
  test('of a frame inside the page goes to the book reader and its chapters, and the page itself never does', () => {
    const reader = ['farthing://book/book.html', 'farthing://book/book.html#x', 'blob:farthing://book/1-2-3']
    for (const url of reader) {
      expect(navigationAllowed({ url, isMainFrame: false }), url).toBe(true)
      expect(navigationAllowed({ url, isMainFrame: true }), url).toBe(false)
    }
    const others = ['farthing://book/', 'farthing://book/index.html', 'farthing://book/assets/a.js']
    for (const url of [...foreign, ...others, appUrl, 'farthing://kiosk/book.html', 'blob:farthing://kiosk/1-2-3'])
      expect(navigationAllowed({ url, isMainFrame: false }), url).toBe(false)
  })
})

describe('a request', () => {
  test('reaches the app, and what the page made itself', () => {
    for (const url of [
      'farthing://kiosk/goods/0a1b',
      'farthing://book/assets/a.js',
      'blob:farthing://kiosk/1-2-3',
      'blob:farthing://book/1-2-3',
      'data:image/png;base64,AA==',
    ])
      expect(requestAllowed(url)).toBe(true)
  })
  test('reaches nothing else', () => {
    for (const url of ['https://example.com/a.js', 'ws://127.0.0.1:1/', 'blob:https://example.com/1', 'file:///a'])
      expect(requestAllowed(url), url).toBe(false)
  })
})

describe('after a crash', () => {
  test('the page is loaded again at once, then later each time, at most every 30 seconds', () => {
    let history: Parameters<typeof afterCrash>[0]
    const delays = Array.from({ length: 10 }, (_, i) => {
      const next = afterCrash(history, i * 1000)
      history = next.history
      return next.delayMs
    })
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })
  test('a page that lived for a minute starts afresh', () => {
    expect(afterCrash({ inARow: 9, lastMs: 0 }, 60_001).delayMs).toBe(250)
    expect(afterCrash({ inARow: 1, lastMs: 0 }, 60_000).delayMs).toBe(500)
  })
})

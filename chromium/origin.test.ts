import { expect, test } from 'vitest'
import { inward, outward, outwardPolicy } from './origin.ts'

test('an address of the app becomes one on a reserved name, and back', () => {
  const pairs = [
    ['farthing://kiosk/', 'http://kiosk.farthing.localhost/'],
    ['farthing://kiosk/goods/0a1b?part=1#page', 'http://kiosk.farthing.localhost/goods/0a1b?part=1#page'],
  ] as const
  for (const [app, chromium] of pairs) {
    expect(outward(app)).toBe(chromium)
    expect(inward(chromium)).toBe(app)
  }
  expect(inward('blob:http://kiosk.farthing.localhost/1-2')).toBe('blob:farthing://kiosk/1-2')
})

test('any other address stays as it is', () => {
  for (const address of [
    'https://kiosk.farthing.localhost/',
    'http://kiosk.farthing.localhost.example/',
    'http://a.kiosk.farthing.localhost/',
    'http://kiosk.farthing.localhost:8080/',
    'http://localhost/',
    'about:blank',
    '',
  ])
    expect(inward(address)).toBe(address)
})

test('a policy that names the app by its scheme names it by its reserved name', () => {
  expect(outwardPolicy("frame-src farthing://book; img-src blob: data:; frame-ancestors farthing://kiosk 'self'")).toBe(
    "frame-src http://book.farthing.localhost; img-src blob: data:; frame-ancestors http://kiosk.farthing.localhost 'self'",
  )
})

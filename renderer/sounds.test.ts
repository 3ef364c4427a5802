import { expect, it } from 'vitest'
import type { KioskScreen } from '../preload/contract.ts'
import { fakeBridge, screens, status } from './dev/fixtures.ts'
import { type SoundName, soundOf } from './sounds.ts'
import { createEngine } from './store.ts'

/** What is heard while main shows these screens, one after the other. */
async function heard(names: readonly string[]): Promise<readonly (SoundName | undefined)[]> {
  const bridge = fakeBridge({ status, screen: { name: 'browse' } })
  const engine = createEngine({ bridge, now: () => Date.now() })
  await engine.follow()
  const sounds: (SoundName | undefined)[] = []
  engine.store.subscribe((after, before) => sounds.push(soundOf(after, before)))
  for (const name of names) bridge.push({ screen: screens[name]?.() as KioskScreen })
  return sounds
}

it('gives each outcome its own sound, once', async () => {
  expect(await heard(['pay', 'pay-late', 'pay-late', 'pay-working', 'approved', 'approved', 'goods-code'])).toEqual([
    undefined,
    'timeIsShort',
    undefined,
    'holdStill',
    'approved',
    undefined,
    undefined,
  ])
  expect(await heard(['pay-working', 'recover', 'recover-wrong', 'recover-working', 'approved-recovered'])).toEqual([
    'holdStill',
    'tooSoon',
    undefined,
    'holdStill',
    'approved',
  ])
  expect(await heard(['pin', 'pin-wrong', 'pin', 'declined-pinBlocked'])).toEqual([
    undefined,
    'declined',
    undefined,
    'declined',
  ])
  expect(await heard(['top-up', 'top-up-unknown', 'top-up-tap', 'top-up-done', 'top-up-failed'])).toEqual([
    undefined,
    'declined',
    undefined,
    'approved',
    'declined',
  ])
})

it('lets an operator hear a test sale and the volume, each time', async () => {
  const bridge = fakeBridge({ status, screen: screens['operator-open']?.() as KioskScreen })
  const engine = createEngine({ bridge, now: () => Date.now() })
  await engine.follow()
  const sounds: (SoundName | undefined)[] = []
  engine.store.subscribe((after, before) => sounds.push(soundOf(after, before)))
  const testSale = () => engine.operatorAct({ act: 'testSale', itemId: 'map', language: 'en' })
  await testSale()
  await testSale()
  await engine.operatorAct({ act: 'volume', percent: 50 })
  await engine.operatorAct({ act: 'brightness', percent: 50 })
  expect(sounds.filter((name) => name !== undefined)).toEqual(['approved', 'approved', 'approved'])
})

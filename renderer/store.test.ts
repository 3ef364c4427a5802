import { describe, expect, it } from 'vitest'
import type { KioskScreen } from '../preload/contract.ts'
import { fakeBridge, items, screens, status } from './dev/fixtures.ts'
import {
  affordable,
  askedForTime,
  comfortOfNobody,
  createEngine,
  idleNow,
  insteadOf,
  languageOf,
  screenOf,
} from './store.ts'

/** An engine over the fake bridge, with a clock that the test moves. */
async function kiosk(first: KioskScreen = { name: 'browse' }) {
  const clock = { ms: 1_000_000 }
  const bridge = fakeBridge({ status, screen: first })
  const engine = createEngine({ bridge, now: () => clock.ms })
  const stop = await engine.follow()
  const seen = () => screenOf(engine.store.getState())
  /** Lets time pass as the page does: in ticks. */
  const wait = (seconds: number) => {
    for (let i = 0; i < seconds * 4; i += 1) {
      clock.ms += 250
      engine.tick()
    }
  }
  return { bridge, engine, seen, stop, wait }
}

function screen(name: string): KioskScreen {
  const make = screens[name]
  if (make === undefined) throw new Error(`no fixture ${name}`)
  return make()
}

describe('following main', () => {
  it('shows nothing before main has spoken', () => {
    const engine = createEngine({ bridge: fakeBridge({ status, screen: { name: 'browse' } }), now: () => 0 })
    expect(screenOf(engine.store.getState())).toBeUndefined()
    expect(idleNow(engine.store.getState())).toEqual({ name: 'patient' })
  })

  it('shows every screen that main names', async () => {
    const { bridge, seen } = await kiosk()
    for (const name of ['pay', 'approved', 'goods-code', 'declined-timeout', 'recover', 'balance', 'out-of-service']) {
      bridge.push({ screen: screen(name) })
      expect(seen()).toBe(screen(name).name)
    }
  })

  it('keeps a push that overtook the first answer', async () => {
    const bridge = fakeBridge({ status, screen: { name: 'browse' } })
    const engine = createEngine({
      bridge: {
        ...bridge,
        async state() {
          bridge.push({ screen: screen('balance') })
          return { status, screen: { name: 'browse' } }
        },
      },
      now: () => 0,
    })
    await engine.follow()
    expect(screenOf(engine.store.getState())).toBe('balance')
  })

  it('hears nothing more once stopped', async () => {
    const { bridge, seen, stop } = await kiosk()
    stop()
    bridge.push({ screen: screen('balance') })
    expect(seen()).toBe('attract')
  })

  it('goes to the catalogue when the item on the screen is no longer sold', async () => {
    const { bridge, engine, seen } = await kiosk()
    engine.open({ name: 'item', itemId: items.map.id })
    expect(seen()).toBe('item')
    bridge.push({ status: { ...status, catalogue: [items.article] } })
    expect(seen()).toBe('catalogue')
  })

  it('takes a purchase back that main has not begun, when its customer leaves', async () => {
    const { bridge } = await kiosk()
    const asked: string[] = []
    let begin: (() => void) | undefined
    const slow = createEngine({
      bridge: {
        ...bridge,
        buy: () =>
          new Promise((resolve) => {
            begin = resolve
          }),
        cancel: async () => void asked.push('cancel'),
      },
      now: () => 0,
    })
    await slow.follow()
    const wish = slow.buy('walking-map')
    slow.open({ name: 'catalogue' })
    expect(asked).toEqual(['cancel'])
    begin?.()
    await wish
    slow.open({ name: 'attract' })
    expect(asked).toEqual(['cancel'])
  })

  it('says calmly that a wish could not be taken, and forgets it with the next', async () => {
    const { bridge, engine } = await kiosk()
    const broken = createEngine({
      bridge: { ...bridge, buy: async () => Promise.reject(new Error('no main')) },
      now: () => 0,
    })
    await broken.buy('walking-map')
    expect(broken.store.getState().failed).toBe(true)
    await broken.finish()
    expect(broken.store.getState().failed).toBe(false)
    expect(engine.store.getState().failed).toBe(false)
  })
})

describe('the next customer', () => {
  it('finds nothing of the last one', async () => {
    const { bridge, engine, seen } = await kiosk()
    engine.setLanguage('de')
    for (const comfort of ['highContrast', 'largeType', 'inReach', 'lessMotion', 'spoken'] as const)
      engine.toggle(comfort)
    engine.changeSpeechRate(1)
    engine.open({ name: 'item', itemId: items.map.id })
    bridge.push({ screen: screen('pay') })
    bridge.push({ screen: screen('approved') })
    bridge.push({ screen: screen('goods-pdf') })
    await engine.finish()
    bridge.push({ screen: { name: 'browse' } })
    expect(seen()).toBe('attract')
    expect(languageOf(engine.store.getState())).toBe('en')
    expect(engine.store.getState().comfort).toEqual(comfortOfNobody)
  })

  it('finds the first screen as it was, when the last one only tried its comforts', async () => {
    const { engine, wait } = await kiosk()
    engine.toggle('highContrast')
    wait(59)
    expect(engine.store.getState().comfort.highContrast).toBe(true)
    wait(1)
    expect(engine.store.getState().comfort).toBe(comfortOfNobody)
  })

  it('finds a closed kiosk as it was, too, when the last one only asked it in his language', async () => {
    const { engine, wait } = await kiosk(screen('out-of-service'))
    engine.setLanguage('ar')
    wait(60)
    expect(languageOf(engine.store.getState())).toBe('en')
  })

  it('finds the start even when main ended the sale by itself', async () => {
    const { bridge, engine, seen } = await kiosk(screen('declined-timeout'))
    engine.setLanguage('de')
    bridge.push({ screen: { name: 'browse' } })
    expect(seen()).toBe('attract')
    expect(languageOf(engine.store.getState())).toBe('en')
  })
})

describe('going on', () => {
  it('keeps the place on the shelf while one item is looked at, and forgets it with the customer', async () => {
    const { engine } = await kiosk()
    const shelf = () => engine.store.getState().shelf
    engine.open({ name: 'catalogue' })
    engine.browse({ categoryId: 'maps' })
    engine.browse({ topPx: 400 })
    engine.open({ name: 'item', itemId: 'walking-map' })
    engine.open({ name: 'catalogue' })
    expect(shelf()).toEqual({ categoryId: 'maps', query: undefined, topPx: 400 })
    engine.browse({ categoryId: undefined })
    expect(shelf().topPx).toBe(0)
    engine.browse({ query: 'map' })
    engine.open({ name: 'attract' })
    expect(shelf()).toEqual({ categoryId: undefined, query: undefined, topPx: 0 })
  })

  it('offers for what is sold out first what stands beside it, and never itself', async () => {
    const { engine } = await kiosk()
    const shelved = (id: string, category: string, priceMinor: number) => ({ ...items.map, id, category, priceMinor })
    const gone = { ...shelved('gone', 'maps', 100), stock: 0 }
    const catalogue = [
      ...[gone, shelved('dear', 'maps', 900), shelved('near', 'maps', 150), shelved('other', 'wifi', 100)],
      { ...shelved('gone-too', 'maps', 100), stock: 0 },
    ]
    const state = engine.store.getState()
    const full = { ...state, kiosk: { status: { ...status, catalogue }, screen: { name: 'browse' } } } as const
    expect(insteadOf(full, gone).map(({ id }) => id)).toEqual(['near', 'dear', 'other'])
  })

  it('never says that nothing was charged when the card was quicker than the way out', async () => {
    const { bridge, engine } = await kiosk(screen('pay'))
    await engine.cancel()
    bridge.push({ screen: screen('approved') })
    bridge.push({ screen: { name: 'browse' } })
    expect(engine.store.getState().notCharged).toBe(false)
  })

  it('returns to the item when paying is cancelled', async () => {
    const { bridge, engine, seen } = await kiosk()
    engine.open({ name: 'item', itemId: items.map.id })
    await engine.buy(items.map.id)
    bridge.push({ screen: screen('pay') })
    await engine.cancel()
    bridge.push({ screen: { name: 'browse' } })
    expect(seen()).toBe('item')
    expect(bridge.asked).toEqual(['buy walking-map', 'cancel'])
    expect(engine.store.getState().notCharged).toBe(true)
    engine.open({ name: 'catalogue' })
    expect(engine.store.getState().notCharged).toBe(false)
  })

  it('says to nobody else that nothing was charged', async () => {
    const { bridge, engine, seen, wait } = await kiosk(screen('pay'))
    engine.open({ name: 'item', itemId: items.map.id })
    await engine.cancel()
    bridge.push({ screen: { name: 'browse' } })
    expect(engine.store.getState().notCharged).toBe(true)
    wait(120)
    expect(seen()).toBe('attract')
    expect(engine.store.getState().notCharged).toBe(false)
  })

  it('goes on in the catalogue, in the same language, after a refusal', async () => {
    const { bridge, engine, seen } = await kiosk(screen('declined-limit'))
    engine.setLanguage('de')
    await engine.browseOn()
    bridge.push({ screen: { name: 'browse' } })
    expect(seen()).toBe('catalogue')
    expect(languageOf(engine.store.getState())).toBe('de')
  })

  it('offers what the balance buys, the dearest first, and nothing sold out', async () => {
    const { bridge, engine } = await kiosk()
    const soldOut = { ...items.ticket, priceMinor: 100 }
    bridge.push({ status: { ...status, catalogue: [items.article, items.map, soldOut, items.code] } })
    expect(affordable(engine.store.getState(), 165)).toEqual([items.code, items.article])
    expect(affordable(engine.store.getState(), 0)).toEqual([])
  })

  it('speaks the first language when the chosen one is not spoken here', async () => {
    const { bridge, engine } = await kiosk()
    engine.setLanguage('fr')
    expect(languageOf(engine.store.getState())).toBe('en')
    bridge.push({ status: { ...status, languages: ['de'] } })
    expect(languageOf(engine.store.getState())).toBe('de')
  })
})

describe('an untouched screen', () => {
  it('warns, counts down, and goes back to the start', async () => {
    const { engine, seen, wait } = await kiosk()
    engine.open({ name: 'catalogue' })
    wait(44)
    expect(idleNow(engine.store.getState())).toEqual({ name: 'patient' })
    wait(2)
    expect(idleNow(engine.store.getState())).toEqual({ name: 'warning', secondsLeft: 19 })
    wait(20)
    expect(seen()).toBe('attract')
  })

  it('stays with any touch', async () => {
    const { engine, seen, wait } = await kiosk()
    engine.open({ name: 'catalogue' })
    wait(60)
    engine.touch()
    wait(60)
    expect(seen()).toBe('catalogue')
  })

  it('is asked in the last twenty seconds of a screen that main ends, and gets more time by one wish', async () => {
    const { bridge, engine } = await kiosk()
    const asked = () => askedForTime(engine.store.getState())
    const endsAt = (seconds: number) => new Date(1_000_000 + seconds * 1000).toISOString()
    for (const name of ['pay', 'pin', 'pin-wrong', 'top-up', 'top-up-done', 'recover'])
      for (const [seconds, wanted] of [
        [21, false],
        [20, true],
      ] as const) {
        bridge.push({ screen: { ...screen(name), endsAt: endsAt(seconds) } as KioskScreen })
        expect(asked(), `${name}, ${seconds}`).toBe(wanted)
      }
    bridge.push({ screen: { ...screen('pay-working'), endsAt: endsAt(1) } as KioskScreen })
    expect(asked()).toBe(false)
    bridge.push({ screen: screen('balance') })
    expect(asked()).toBe(false)
    await engine.stay()
    expect(bridge.asked).toEqual(['stay'])
  })

  it.each(['pay', 'pay-working', 'recover', 'recover-working'])('never cuts a payment: %s', async (name) => {
    const { bridge, seen, wait } = await kiosk(screen(name))
    const before = seen()
    wait(3_600)
    expect(seen()).toBe(before)
    expect(bridge.asked).toEqual([])
  })

  it.each(['approved', 'goods-pdf', 'declined-balanceTooLow', 'balance'])(
    'asks main to end an abandoned %s',
    async (name) => {
      const { bridge, wait } = await kiosk(screen(name))
      wait(141)
      expect(bridge.asked[0]).toBe('finish')
    },
  )

  it('starts its patience anew with every screen', async () => {
    const { bridge, engine, wait } = await kiosk(screen('approved'))
    wait(59)
    bridge.push({ screen: screen('goods-pdf') })
    wait(100)
    expect(idleNow(engine.store.getState())).toEqual({ name: 'patient' })
    expect(bridge.asked).toEqual([])
  })
})

/**
 * A stranger at the kiosk, by a seed: touches what he sees and what he does not, types, switches, comes with the wrong card at
 * the wrong moment, and at last wants to go. Meanwhile the network, the printer and the card's contact fail.
 */
import { randomBytes } from 'node:crypto'
import { openPurse } from '../../card/purse.ts'
import { blankState } from '../../card/purse-state.ts'
import { plugIntoVpcd, type VpcdPlug } from '../../card/vpcd.ts'
import { virtualReaders } from '../../e2e/system.ts'
import type { startTestPrinter } from '../../main/printer/test-printer.ts'
import { makeTestCard, type TestCard } from '../../main/test-terminal.ts'
import { amountMinor, currencyCode, unixTime } from '../../protocol/quantities.ts'
import type { Random } from '../reader/fault-list.ts'
import type { Auditor } from './auditor.ts'
import type { Shop } from './shop.ts'
import type { Look, Point, Touchable, WatchedPage } from './watched-page.ts'

/** What leaves a screen, in the order in which one who wants to go takes it. */
const waysOut = [
  'close-languages',
  'close-preview',
  'cancel',
  'finish',
  'back',
  'start-over',
  'leave',
  'show-goods',
  'browse',
]
const leaveTouchesMax = 12
/** A card that is worked with, the issuer that is asked, a print: they end by themselves. */
const workMsMax = 20_000
/** Who gets no answer touches once more. */
const againMs = 3_000
export const touchesAgain = 'touches again'
/** Longer than any screen's patience. */
const patienceMs = 300_000
const keys = ['Enter', 'Escape', 'Tab', 'Backspace', ' ', 'ArrowDown', '7', 'a', 'F5', 'Control+r', 'Alt+ArrowLeft']

export interface Street {
  readonly shop: Shop
  readonly page: WatchedPage
  readonly auditor: Auditor
  readonly random: Random
  readonly printer: Awaited<ReturnType<typeof startTestPrinter>>
  /** Cards whose payment is in doubt: their holders come again. */
  readonly regulars: Set<TestCard>
  readonly log: (what: string) => void
  /** How long the screen took to answer a touch that leaves it. */
  readonly answers: { readonly what: string; readonly ms: number }[]
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A card that knows no purse, as a bank's or a transit card. */
const strangeCard = () =>
  openPurse({ state: blankState, save: () => {}, randomBytes: (length) => Uint8Array.from(randomBytes(length)) })

const makeCard = async ({ shop, random }: Street): Promise<TestCard | undefined> => {
  switch (random(12)) {
    case 0:
      return shop.makeCard(60)
    case 1:
      return shop.makeCard(0, { expiry: unixTime(1_600_000_000) })
    case 2: {
      const blocked = await shop.makeCard(0)
      blocked.block()
      return blocked
    }
    case 3:
      return shop.makeCard(0, { currency: currencyCode(840) })
    case 4:
      // Of another issuer.
      return makeTestCard({ balanceMinor: 0, personalisation: { payKey: Uint8Array.from(randomBytes(32)) } })
    case 5:
      return undefined
    case 6:
    case 7:
    case 8:
      return shop.makeCard(3000, { pinFreeMaxMinor: amountMinor(random(2) * 100), pin: '1234' })
    default:
      return shop.makeCard(3000)
  }
}

/** One customer, from his first touch to the start screen that he leaves behind. */
export const customer = async (street: Street, options: { readonly steps: number }): Promise<readonly TestCard[]> => {
  const { shop, page, auditor, random, printer, regulars, log, answers } = street
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[random(items.length)]
  const cards: (TestCard | undefined)[] = [await makeCard(street)]
  if (random(3) === 0) cards.push(await makeCard(street))
  const [regular] = regulars
  if (regular !== undefined && random(2) === 0) {
    regulars.delete(regular)
    cards.push(regular)
  }
  const mine = cards.filter((card) => card !== undefined)
  for (const card of mine) auditor.note(card)
  const plugged = new Map<number, { plug: VpcdPlug; card: TestCard | undefined }>()

  const listen = async () => {
    for (const card of mine) auditor.note(card)
    auditor.hear(await page.drain())
  }
  const insert = async () => {
    const slot = random(4) === 0 ? 1 : 0
    const free = cards.filter((card) => ![...plugged.values()].some((other) => other.card === card))
    if (plugged.has(slot) || free.length === 0) return
    const card = pick(free)
    const tear = random(6) === 0 ? (['before', 'after'] as const)[random(2)] : undefined
    log(`inserts ${card?.id ?? 'a strange card'} into ${slot}${tear === undefined ? '' : `, torn ${tear}`}`)
    card?.reset()
    const plug = plugIntoVpcd({ port: virtualReaders[slot].port, purse: card?.purse ?? strangeCard(), tear })
    plugged.set(slot, { plug, card })
    void plug.closed.then(() => plugged.get(slot)?.plug === plug && plugged.delete(slot))
    await pause(random(3) * random(120))
  }
  const pull = async () => {
    const [one] = plugged.values()
    log('pulls his card')
    await one?.plug.pull()
  }
  const touchSomething = async (seen: Look) => {
    const button = pick(seen.touchables)
    if (button === undefined) return
    log(`touches ${button.action} ${button.itemId ?? button.key ?? ''}`)
    await page.touch(button)
    if (random(5) === 0) await page.touch(button)
  }
  const anywhere = ({ width, height }: Look): Point => ({ x: random(width), y: random(height) })
  const typePin = async (seen: Look) => {
    const digits = random(3) === 0 ? String(random(9000) + 1000) : '1234'
    log(`types the PIN ${digits}`)
    for (const key of [...digits, 'enter']) {
      const before = key === 'enter' ? await page.look() : seen
      const button = before.touchables.find((one) => one.key === key)
      if (button !== undefined) await page.touch(button)
    }
  }
  const typeVoucher = async () => {
    const code = random(3) === 0 ? '0000000000000000' : ((await shop.makeVouchers(1, 500))[0] ?? '')
    log(`types the voucher ${code}`)
    for (const letter of code) await page.press(letter)
    const enter = (await page.look()).touchables.find(({ action }) => action === 'code-enter')
    if (enter !== undefined) await page.touch(enter)
  }
  const wish = async () => {
    const wishes = [
      ['buy', 'map', 0, 'en'],
      ['buy', 'wifi', 0, 'de'],
      ['buy', 'print', 0, 'en'],
      ['buy', 'nothing', 0, 'en'],
      ['topUp'],
      ['topUp'],
      ['topUp'],
      ['cancel'],
      ['stay'],
      ['finish'],
      ['showGoods'],
      ['printReceipt', 'en'],
      ['collect', 2],
      ['pinKey', '1'],
    ] as const
    const [method, ...given] = wishes[random(wishes.length)] ?? (['stay'] as const)
    log(`wishes ${method} ${given.join(' ')}`)
    await page.wish(method, ...given)
  }
  const worldFails = async () => {
    switch (random(5)) {
      case 0:
        log('the network goes')
        return shop.stopIssuer()
      case 1:
        log('the network comes')
        return shop.startIssuer()
      case 2:
        log('the printer has no paper')
        return printer.setState({ paper: false })
      case 3:
        log('the printer is gone')
        return printer.setState({ gone: true })
      default:
        log('the printer is in order')
        return printer.setState({ gone: false, paper: true })
    }
  }
  /** Towards goods, as most do. */
  const goOn = async (seen: Look) => {
    const button = ['start', 'open', 'buy', 'show-goods', 'collect']
      .map((action) => pick(seen.touchables.filter((one) => one.action === action)))
      .find((one): one is Touchable => one !== undefined)
    if (button === undefined) return
    log(`goes on: ${button.action} ${button.itemId ?? ''}`)
    await page.touch(button)
  }

  const step = async () => {
    const seen = await page.look()
    await listen()
    const tapping = ['pay', 'recover', 'top-up', 'pin'].includes(seen.screen) && seen.phase !== 'entering'
    const chance = random(100)
    if (seen.screen === 'pin' && seen.phase !== 'tap' && chance < 60) return typePin(seen)
    if (seen.screen === 'top-up' && seen.phase === 'code' && chance < 40) return typeVoucher()
    if (tapping && chance < 70) return plugged.size === 0 || random(4) === 0 ? insert() : pull()
    if (chance < 45) return goOn(seen)
    if (chance < 62) return touchSomething(seen)
    if (chance < 67) return insert()
    if (chance < 73) return pull()
    if (chance < 78) {
      log('touches anywhere')
      return page.touch(anywhere(seen))
    }
    if (chance < 83) {
      log('swipes')
      return page.swipe(anywhere(seen), anywhere(seen))
    }
    if (chance < 88) {
      const key = pick(keys) ?? 'Tab'
      log(`presses ${key}`)
      return page.press(key)
    }
    if (chance < 94) return wish()
    if (chance < 96) return worldFails()
    return pause(random(400))
  }

  /** Until something else is on the screen. */
  const change = async (seen: Look, timeoutMs: number): Promise<boolean> => {
    const before = JSON.stringify(seen)
    const endsAtMs = performance.now() + timeoutMs
    while (JSON.stringify(await page.look()) === before) {
      if (performance.now() > endsAtMs) return false
      await pause(20)
    }
    return true
  }

  /** He has had enough: whatever is on the screen, it can be left. */
  const leave = async () => {
    for (const { plug } of [...plugged.values()]) await plug.pull()
    if (random(3) === 0) {
      log('walks away')
      await page.passTime(patienceMs)
    }
    for (let touches = 0; touches < leaveTouchesMax; touches += 1) {
      await page.until(
        ['attract', 'catalogue', 'item', 'pay', 'pin', 'top-up', 'approved', 'goods', 'declined', 'recover', 'balance'],
        workMsMax,
      )
      const seen = await page.look()
      if (seen.screen === 'attract' && !seen.dialog) return
      const out = waysOut
        .map((action) => seen.touchables.find((one) => one.action === action))
        .find((one) => one !== undefined)
      // Without a way out something is under way, or comes this very moment: it ends by itself.
      const what = `${out?.action ?? 'waiting'} of ${seen.screen}`
      log(`leaves by ${what}`)
      const startMs = performance.now()
      if (out !== undefined) {
        await page.touch(out)
        // It may have come in the very moment in which a card was met.
        if (!(await change(seen, againMs))) {
          log(touchesAgain)
          await page.touch(out)
        }
      }
      if (!(await change(seen, workMsMax))) throw new Error(`no way out by ${what}: ${JSON.stringify(seen)}`)
      if (out !== undefined) answers.push({ what, ms: performance.now() - startMs })
    }
    throw new Error(`still not gone after ${leaveTouchesMax} touches`)
  }

  for (let steps = 0; steps < options.steps; steps += 1) await step()
  await leave()
  // What he switched on goes with him, at the latest when nobody has touched anything for a while.
  await page.passTime(patienceMs)
  await pause(600)
  const { language, contrast, pressed, screen, dialog } = await page.look()
  const rest = { screen, dialog, language, contrast, pressed: pressed.filter((action) => action !== 'language') }
  const wanted = { screen: 'attract', dialog: false, language: 'en', contrast: 'normal', pressed: [] }
  if (JSON.stringify(rest) !== JSON.stringify(wanted)) auditor.complaints.push(`he left behind ${JSON.stringify(rest)}`)
  await listen()
  auditor.expectOneScreen()
  for (const card of auditor.settle(mine)) regulars.add(card)
  return mine
}

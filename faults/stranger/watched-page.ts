/**
 * The kiosk's page as the stranger has it: what can be touched, the touching itself (real input, through Chromium), and a
 * record of all that main said and all that stood on the screen meanwhile (page-side.js).
 */
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright'
import type { FarthingBridge, KioskScreen } from '../../preload/contract.ts'

/** One thing that happened on the screen. */
export type Seen =
  | { readonly from: 'main'; readonly screen: KioskScreen }
  | {
      readonly from: 'page'
      readonly screen: string
      readonly phase: string
      readonly text: string
      readonly language: string
    }
  /** The page showed no screen at all, or its script failed. */
  | { readonly from: 'fault'; readonly what: string }

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Touchable extends Point {
  readonly action: string
  readonly itemId?: string
  readonly key?: string
}

export interface Look {
  readonly screen: string
  readonly phase: string
  /** Over the screen: a question, a list of languages. */
  readonly dialog: boolean
  readonly touchables: readonly Touchable[]
  readonly language: string
  readonly contrast: string
  /** Actions that are switched on. */
  readonly pressed: readonly string[]
  readonly width: number
  readonly height: number
}

const pageSide = readFileSync(new URL('./page-side.js', import.meta.url), 'utf8')

export const watchPage = async (page: Page) => {
  const session = await page.context().newCDPSession(page)
  await page.evaluate(pageSide)
  const finger = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: Point[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints })
  return {
    session,
    evaluate: <Answer>(expression: string) => page.evaluate<Answer>(expression),
    look: () => page.evaluate<Look>('window.stranger.look()'),
    /** What happened since it was asked last. */
    drain: () => page.evaluate<Seen[]>('window.stranger.drain()'),
    async touch({ x, y }: Point) {
      await finger('touchStart', [{ x, y }])
      await finger('touchEnd', [])
    },
    async swipe(from: Point, to: Point) {
      await finger('touchStart', [from])
      for (const part of [0.3, 0.7, 1])
        await finger('touchMove', [{ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }])
      await finger('touchEnd', [])
    },
    press: (key: string) => page.keyboard.press(key),
    /** A wish straight to main, as a page that went mad might have it. */
    wish: (method: keyof FarthingBridge, ...given: readonly (string | number)[]) =>
      page.evaluate(`window.farthing.${method}(...${JSON.stringify(given)}).then(() => {}, () => {})`),
    /** The page's clock jumps: so long has nobody touched anything. */
    passTime: (ms: number) => page.evaluate(`window.stranger.passTime(${ms})`),
    /** Resolves when the screen is one of these. */
    until: (screens: readonly string[], timeoutMs: number) =>
      page
        .locator(screens.map((screen) => `[data-screen="${screen}"]`).join(','))
        .first()
        .waitFor({ timeout: timeoutMs }),
  }
}
export type WatchedPage = Awaited<ReturnType<typeof watchPage>>

/** A customer who knows what he wants: from the start screen to his goods and back, by touch and card, as fast as the machine. */
import { plugIntoVpcd } from '../../card/vpcd.ts'
import { virtualReaders } from '../../e2e/system.ts'
import type { TestCard } from '../../main/test-terminal.ts'
import type { WatchedPage } from './watched-page.ts'

const waitMsMax = 20_000
const lookAgainMs = 5

/** Touches the button as soon as it can be touched. @throws Error when that never comes */
export const touchWhenThere = async (page: WatchedPage, action: string, itemId?: string) => {
  const endsAtMs = performance.now() + waitMsMax
  for (;;) {
    const { touchables, screen } = await page.look()
    const button = touchables.find((one) => one.action === action && (itemId === undefined || one.itemId === itemId))
    if (button !== undefined) return page.touch(button)
    if (performance.now() > endsAtMs) throw new Error(`no ${action} ${itemId ?? ''} on ${screen}`)
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
}

export const runErrand = async (
  page: WatchedPage,
  errand: { readonly card: TestCard; readonly itemId: string },
  /** What he does with his goods. */
  use: () => Promise<void> = async () => {},
) => {
  await touchWhenThere(page, 'start')
  await touchWhenThere(page, 'open', errand.itemId)
  await touchWhenThere(page, 'buy')
  await page.until(['pay'], waitMsMax)
  errand.card.reset()
  const plug = plugIntoVpcd({ port: virtualReaders[0].port, purse: errand.card.purse })
  await touchWhenThere(page, 'show-goods')
  await page.until(['goods'], waitMsMax)
  await use()
  await plug.pull()
  await touchWhenThere(page, 'finish')
  await page.until(['attract'], waitMsMax)
  await page.drain()
}

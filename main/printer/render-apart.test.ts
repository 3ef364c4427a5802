import { setImmediate as nextTurn } from 'node:timers/promises'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { printerSettingSchema } from './printer-settings.ts'
import { render } from './render.ts'
import { type Page, renderApart } from './render-apart.ts'

const setting = v.parse(printerSettingSchema, { tcp: 'printer:9100' })
const never = new AbortController().signal
const pageOf = (text: string): Page => ({
  document: { language: 'zh-Hant', lines: [{ kind: 'text', text, times: 2 }] },
  setting,
})
const chinese = pageOf('舊城步行地圖與港口導覽')

test('main turns on while a page is drawn in fonts that are not open yet, and gets the same bytes', async () => {
  let turns = 0
  let drawing = true
  const drawn = renderApart(chinese, never).finally(() => {
    drawing = false
  })
  while (drawing) {
    await nextTurn()
    turns += 1
  }
  // Drawn here, it would be done within one or two.
  expect(turns).toBeGreaterThan(50)
  expect(await drawn).toEqual(render(chinese.document, chinese.setting))
})

test('pages that are asked for at once are not taken for each other', async () => {
  const pages = ['一', '二', 'three'].map(pageOf)
  expect(await Promise.all(pages.map((page) => renderApart(page, never)))).toEqual(
    pages.map(({ document }) => render(document, setting)),
  )
})

test('a page that breaks the thread is told, and so is one whose time is over; the next one is drawn all the same', async () => {
  const noPage = pageOf(7 as unknown as string)
  const [broken, next] = await Promise.allSettled([renderApart(noPage, never), renderApart(chinese, never)])
  expect(broken).toMatchObject({ status: 'rejected', reason: { name: 'TypeError' } })
  expect(next.status).toBe('fulfilled')
  const over = new AbortController()
  const late = renderApart(chinese, over.signal)
  over.abort()
  await expect(late).rejects.toMatchObject({ name: 'AbortError' })
  expect(await renderApart(chinese, never)).toEqual(render(chinese.document, setting))
})

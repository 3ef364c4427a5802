/** The operators' console in a real browser: sign in, the morning's page, and from a kiosk down to one entry. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'

const serverFile = path.join(import.meta.dirname, '../issuer/test-days-server.ts')

let server: ChildProcessByStdio<Writable, Readable, null>
let said: AsyncIterator<string>
let ready: Readonly<Record<string, string>>

const nextLine = async (): Promise<Readonly<Record<string, string>>> => {
  const { value } = await said.next()
  return JSON.parse(value ?? '{}')
}
const tell = async (line: 'sync' | 'end'): Promise<void> => {
  server.stdin.write(`${line}\n`)
  await nextLine()
}

test.beforeAll(async () => {
  server = spawn(process.execPath, [serverFile], { stdio: ['pipe', 'pipe', 'inherit'] })
  said = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  ready = await nextLine()
})
test.afterAll(async () => {
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.stdin.end()
  await ended
})
// A page that listens would be waited for.
test.afterEach(({ context }) => context.close())

const isAccessible = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
}

const signIn = async (page: Page): Promise<void> => {
  await page.getByLabel('Name').fill('ines')
  await page.getByLabel('Password').fill(ready.password ?? '')
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const title = (page: Page) => page.getByRole('heading', { level: 1 })

test('an operator goes from the morning’s page to what a number is made of', async ({ page }) => {
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))

  await page.goto(`${ready.url}/console/terminals?state=silent`)
  await signIn(page)
  await expect(title(page)).toHaveText('Terminals')
  await expect(page.getByRole('table', { name: 'Terminals' }).locator('tbody tr')).toHaveCount(1)

  await page.keyboard.press('g')
  await page.keyboard.press('o')
  await expect(title(page)).toHaveText('Overview')
  await expect(page.getByText('The books balance')).toBeVisible()
  await expect(page.getByText('1 kiosk silent for more than a day')).toBeVisible()
  await expect(page.locator('.chart-plot canvas')).toBeVisible()
  await expect(page.getByText('By the time of each sale')).toBeVisible()
  await isAccessible(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await isAccessible(page)
  await page.emulateMedia({ colorScheme: 'light' })

  await page.getByRole('table', { name: 'Kiosks that have not reported' }).getByRole('link').first().click()
  await expect(title(page)).toHaveText(ready.silent ?? '')
  await isAccessible(page)
  // By keys alone: into the list, one row down, open.
  const batches = page.getByRole('table', { name: 'Batches of this terminal' })
  await expect(batches.getByText('Taken').first()).toBeVisible()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(title(page)).toHaveText(new RegExp(`^${ready.silent}/1/\\d+$`))
  await page.getByRole('table', { name: 'Entries of this batch' }).locator('tbody a').first().click()
  await expect(title(page)).toHaveText(/^Entry \d+$/)
  await expect(page.getByText('The card itself made this record')).toBeVisible()
  await expect(page.getByRole('table', { name: 'Transfers for this counter of the card' })).toBeVisible()
  await isAccessible(page)
  expect(problems).toEqual([])
})

test('an operator makes a category, tickets and a merchant’s accent, which the next publication brings', async ({
  page,
}) => {
  await page.goto(`${ready.url}/console/catalogue?tab=categories`)
  await signIn(page)
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
  const fill = (label: string, text: string) => page.getByLabel(label, { exact: true }).fill(text)
  await press('Make one')
  await fill('Id', 'walks')
  await fill('Title', 'Walks')
  await press('Keep the category')
  await expect(page.getByRole('table', { name: 'Categories' }).getByText('Walks (en)')).toBeVisible()
  await isAccessible(page)
  await press('Add article')
  const torn = { name: 'map.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 the rest never came') }
  await page.getByLabel('File').setInputFiles(torn)
  await press('Upload and look at it')
  await expect(page.getByRole('alert')).toContainText('The file ends too early')
  await expect(page.getByRole('button', { name: 'Add it all the same' })).toBeVisible()
  await isAccessible(page)
  await press('Choose another file')
  await press('Make tickets')
  await fill('Id', 'boat-tour')
  await fill('Tickets', '20')
  await fill('Title', 'Boat tour')
  await fill('Price in EUR', '8.00')
  await isAccessible(page)
  await press('Make them')
  await expect(title(page)).toHaveText(/boat-tour/)
  await page.goto(`${ready.url}/console/merchants/1`)
  await press('Change')
  await fill('Accent', '#1f6f5c')
  await press('Keep the change')
  await expect(page.getByText('#1f6f5c', { exact: true })).toBeVisible()
  await page.goto(`${ready.url}/console/catalogue?tab=changes`)
  const changes = page.locator('.changes')
  for (const text of ['boat-tour', 'Categories', 'Logo or accent']) await expect(changes.getByText(text)).toBeVisible()
})

test('a page that is open shows a new batch by itself, and the way in when its session has ended', async ({ page }) => {
  await page.goto(`${ready.url}/console/batches?terminal=${ready.selling}`)
  await signIn(page)
  const rows = page.getByRole('table', { name: 'Batches' }).locator('tbody tr')
  await expect(rows.getByText('Taken').first()).toBeVisible()
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
  const before = await rows.count()
  await tell('sync')
  await expect(rows).toHaveCount(before + 1)
  await tell('end')
  await page.getByRole('link', { name: 'Terminals' }).click()
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
})

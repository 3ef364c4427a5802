/** Who may use the console, through its pages: the first administrator, sign-in, roles, passwords, and the log of changes. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import AxeBuilder from '@axe-core/playwright'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'

const serverFile = path.join(import.meta.dirname, '../issuer/test-console-server.ts')
const password = 'gravel tuba ninety cloud'
const ownPassword = 'marble kite ostrich run'

let server: ChildProcessByStdio<Writable, Readable, null>
let said: AsyncIterator<string>
let url: string
let code: string
let problems: string[]

const nextLine = async (): Promise<Readonly<Record<string, string>>> => {
  const { value } = await said.next()
  return JSON.parse(value ?? '{}')
}
const pass = async (minutes: number): Promise<void> => {
  server.stdin.write(`${minutes * 60}\n`)
  await nextLine()
}

const open = async (context: BrowserContext): Promise<Page> => {
  const page = await context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // A refusal is an answer like another; the browser calls it an error.
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) problems.push(message.text())
  })
  return page
}

const audit = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([])
}

const signIn = async (page: Page, name: string, word: string): Promise<void> => {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(word)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

test.beforeEach(async () => {
  problems = []
  server = spawn(process.execPath, [serverFile], { stdio: ['pipe', 'pipe', 'inherit'] })
  said = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const ready = await nextLine()
  url = ready.url ?? ''
  code = ready.code ?? ''
})
test.afterEach(async ({ context }) => {
  // A page that listens would be waited for.
  await context.close()
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.stdin.end()
  await ended
  expect(problems).toEqual([])
})

test('from the set-up code to a second user, whose role is the limit', async ({ context }) => {
  const page = await open(context)
  await page.goto(`${url}/console`)
  await expect(page.getByRole('heading', { name: 'First administrator' })).toBeVisible()
  await audit(page)
  await page.getByLabel('Your name').fill('Ann')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('The same again').fill(`${password}!`)
  await page.getByLabel('Set-up code').fill('0000-0000-0000-0000')
  const make = page.getByRole('button', { name: 'Make the administrator' })
  await make.click()
  await expect(page.getByRole('alert')).toHaveText('These are two passwords.')
  await page.getByLabel('The same again').fill(password)
  await make.click()
  await expect(page.getByRole('alert')).toContainText('This set-up code is wrong')
  await page.getByLabel('Set-up code').fill(code)
  // By the keyboard alone.
  await page.getByLabel('Set-up code').press('Enter')
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible()

  await page.getByRole('link', { name: 'Users' }).click()
  await page.getByRole('button', { name: 'Add user' }).click()
  await page.getByLabel('Name', { exact: true }).last().fill('bob')
  await page.getByLabel('Role').last().selectOption('operator')
  await page.getByLabel('Password for the first sign-in').fill(password)
  await page.getByLabel('The same again').fill(password)
  await page.getByRole('button', { name: 'Add the user' }).click()
  await expect(page.getByRole('row', { name: /bob/ })).toContainText('Has to choose a password')
  await audit(page)

  const browser = context.browser()
  if (browser === null) throw new Error('no browser')
  const others = await browser.newContext()
  const his = await open(others)
  await his.goto(`${url}/console/terminals?state=silent`)
  await expect(his.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await audit(his)
  await signIn(his, 'bob', 'not his password')
  await expect(his.getByRole('alert')).toHaveText('Name or password is wrong, or the user may not sign in.')
  await signIn(his, 'bob', password)
  await expect(his.getByRole('heading', { name: 'Choose your password' })).toBeVisible()
  await his.getByLabel('Password as it is').fill(password)
  await his.getByLabel('New password').fill(ownPassword)
  await his.getByLabel('The same again').fill(ownPassword)
  await his.getByRole('button', { name: 'Change the password' }).click()
  await expect(his.getByRole('heading', { name: 'Terminals', level: 1 })).toBeVisible()
  expect(new URL(his.url()).search).toBe('?state=silent')
  await expect(his.getByRole('link', { name: 'Users' })).toHaveCount(0)
  await his.goto(`${url}/console/users`)
  await expect(his.getByText('A user whose role is "operator" may not do this.')).toBeVisible()

  // Kept out, at once.
  await page.getByRole('link', { name: 'bob' }).click()
  await page.getByRole('button', { name: 'Keep out' }).click()
  await page.getByRole('dialog').last().getByRole('button', { name: 'Keep out' }).click()
  await expect(page.getByRole('row', { name: /bob/, includeHidden: true })).toContainText('Kept out')
  await his.goto(`${url}/console/terminals`)
  await expect(his.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await others.close()

  await page.getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('link', { name: 'Audit log' }).click()
  await page.getByRole('button', { name: 'Check the chain' }).click()
  await expect(page.getByText(/^The log is whole/)).toBeVisible()
  const change = page.getByRole('row', { name: /user\.disable/ })
  await expect(change).toContainText('disabled: false → true')
  await change.getByRole('link').click()
  await expect(page.getByRole('dialog')).toContainText('Before')
  await audit(page)
})

test('asks for the password again for what is old, and goes on with what was asked', async ({ context }) => {
  const page = await open(context)
  await page.goto(`${url}/console`)
  await page.getByLabel('Set-up code').fill(code)
  await page.getByLabel('Your name').fill('ann')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('The same again').fill(password)
  await page.getByRole('button', { name: 'Make the administrator' }).click()
  await page.getByRole('link', { name: 'Users' }).click()
  await pass(16)
  await page.getByRole('button', { name: 'Add user' }).click()
  await page.getByLabel('Name', { exact: true }).last().fill('bob')
  await page.getByLabel('Password for the first sign-in').fill(password)
  await page.getByLabel('The same again').fill(password)
  await page.getByRole('button', { name: 'Add the user' }).click()
  const again = page.getByRole('dialog', { name: 'Your password again' })
  await expect(again).toBeVisible()
  await again.getByLabel('Password').fill(password)
  await again.getByRole('button', { name: 'Go on' }).click()
  await expect(page.getByRole('row', { name: /bob/ })).toBeVisible()

  await page.goto(`${url}/console/account`)
  await expect(page.getByRole('row', { name: /This one/ })).toBeVisible()
  await audit(page)
  await page.getByLabel('Password as it is').fill(password)
  await page.getByLabel('New password').fill(ownPassword)
  await page.getByLabel('The same again').fill(ownPassword)
  await page.getByRole('button', { name: 'Change the password' }).click()
  await expect(page.getByText(/^Your password is changed/)).toBeVisible()
  // The session goes on, under its new token.
  await page.getByRole('button', { name: /ann, admin/ }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await signIn(page, 'ann', ownPassword)
  await expect(page.getByRole('navigation', { name: 'Main' })).toBeVisible()
})

/**
 * A month of kiosks with planted faults, reconciled through the console's pages alone and compared to the cent with what truly
 * happened (issuer/test-month-oracle.ts), on SQLite; FARTHING_SOAK=1 does it on PostgreSQL too, where the issuer's own suites run
 * every time. FARTHING_MONTH_SEED plays another month, FARTHING_PICTURES names a folder for pictures of the pages.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Browser, expect, type Locator, type Page, test } from '@playwright/test'
import { validateXML } from 'xmllint-wasm'
import {
  type ExpectedCase,
  expectedCases,
  expectedStatement,
  lateSales,
  type MonthFacts,
} from '../issuer/test-month-oracle.ts'
import { type Cluster, startCluster } from '../issuer/test-postgres.ts'

const serverFile = path.join(import.meta.dirname, '../issuer/test-month-server.ts')
const seed = process.env.FARTHING_MONTH_SEED ?? '10'
const pictures = process.env.FARTHING_PICTURES
const password = 'gravel tuba ninety cloud'
const ownPassword = 'marble kite ostrich run'
const schemaFile = path.join(
  process.env.FARTHING_ISO20022 ?? path.join(import.meta.dirname, '../../shared/iso20022'),
  'pain.001.001.09.xsd',
)

interface Ready {
  readonly url: string
  readonly code: string
  readonly facts: MonthFacts
  readonly clonedCard: string
  readonly voucherVerdict: string
}

interface Server {
  readonly ready: Ready
  /** A number of seconds, or "late". @returns when it is done */
  tell(line: string): Promise<void>
  end(): Promise<void>
}

const startServer = async (cluster: Cluster | undefined): Promise<Server> => {
  const server: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [serverFile, seed], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(cluster === undefined ? {} : { FARTHING_TEST_POSTGRES: cluster.url }) },
  })
  const said = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const ready: Ready = JSON.parse((await said.next()).value ?? '{}')
  return {
    ready,
    tell: async (line) => {
      server.stdin.write(`${line}\n`)
      await said.next()
    },
    end: async () => {
      server.stdin.end()
      await ended
    },
  }
}

const euros = (minor: number): string => {
  const text = (Math.abs(minor) / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ',')
  return `${minor < 0 ? '\u2212' : ''}€${text}`
}

let problems: string[] = []
let pictureNo = 0

const picture = async (page: Page, name: string): Promise<void> => {
  if (pictures === undefined) return
  pictureNo += 1
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({
      path: path.join(pictures, `${String(pictureNo).padStart(2, '0')}-${name}-${colorScheme}.png`),
    })
  }
}

const open = async (browser: Browser): Promise<Page> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) problems.push(message.text())
  })
  return page
}

const title = (page: Page): Locator => page.getByRole('heading', { level: 1 })
const goTo = async (page: Page, area: string): Promise<void> => {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: area }).click()
  await expect(title(page)).toHaveText(area)
}
const stat = (page: Page, label: string): Locator =>
  page.locator('.stat').filter({ has: page.getByText(label, { exact: true }) })

const signIn = async (page: Page, name: string, word: string): Promise<void> => {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(word)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** A button that asks first. */
const confirm = async (page: Page, button: string, { says, reason }: { says: string; reason?: string }) => {
  await page.getByRole('button', { name: button, exact: true }).click()
  const dialog = page.getByRole('dialog').filter({ visible: true })
  if (reason !== undefined) await dialog.getByRole('textbox').last().fill(reason)
  await picture(page, `ask-${says.toLowerCase().replaceAll(' ', '-')}`)
  await dialog.getByRole('button', { name: says, exact: true }).click()
  await expect(dialog).toHaveCount(0)
}

const firstRun = async (page: Page, { url, code }: Ready): Promise<void> => {
  await page.goto(`${url}/console`)
  await page.getByLabel('Set-up code').fill(code)
  await page.getByLabel('Your name').fill('ann')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('The same again').fill(password)
  await picture(page, 'first-run')
  await page.getByRole('button', { name: 'Make the administrator' }).click()
  await expect(title(page)).toHaveText('Overview')
}

const addUser = async (page: Page, name: string, role: string): Promise<void> => {
  await page.getByRole('button', { name: 'Add user' }).click()
  const dialog = page.getByRole('dialog').filter({ visible: true })
  await dialog.getByLabel('Name', { exact: true }).fill(name)
  await dialog.getByLabel('Role').selectOption(role)
  await dialog.getByLabel('Password for the first sign-in').fill(password)
  await dialog.getByLabel('The same again').fill(password)
  await dialog.getByRole('button', { name: 'Add the user' }).click()
  await expect(page.getByRole('row', { name: name })).toBeVisible()
}

const firstSignIn = async (browser: Browser, { url }: Ready, name: string): Promise<Page> => {
  const page = await open(browser)
  await page.goto(`${url}/console`)
  await signIn(page, name, password)
  await page.getByLabel('Password as it is').fill(password)
  await page.getByLabel('New password').fill(ownPassword)
  await page.getByLabel('The same again').fill(ownPassword)
  await page.getByRole('button', { name: 'Change the password' }).click()
  await expect(title(page)).toHaveText('Overview')
  return page
}

const causeTitles: Readonly<Record<string, string>> = {
  hole: 'Missing counters',
  exception: 'Exception',
  alarm: 'Alarm',
  loadOwedBack: 'Load that never reached its card',
  held: 'Held back',
  missingBatches: 'Missing batches',
  notReported: 'Silent terminal',
}
const reasonTitles: Readonly<Record<string, string>> = {
  clone: 'Copied card',
  settlementMac: 'Not proven',
  itemOrPrice: 'Item or price',
}

const rowsOf = (page: Page, caption: string): Locator => page.getByRole('table', { name: caption }).locator('tbody tr')

const rowOf = (page: Page, of: ExpectedCase): Locator => {
  const { cause, reason, cardId, counter, lastCounter, terminalId } = of
  const last = lastCounter === undefined ? '' : `–${lastCounter}`
  const texts = [
    causeTitles[cause] ?? cause,
    ...(reason === undefined ? [] : [reasonTitles[reason] ?? reason]),
    ...(cardId === undefined ? [] : [cardId]),
    ...(counter === undefined ? [] : [`#${counter}${last}`]),
    ...(terminalId === undefined ? [] : [terminalId]),
  ]
  return texts.reduce((rows, hasText) => rows.filter({ hasText }), rowsOf(page, 'Exceptions'))
}

const openCase = async (page: Page, of: ExpectedCase): Promise<void> => {
  await goTo(page, 'Exceptions')
  await rowOf(page, of).getByRole('link').first().click()
  await expect(title(page)).toContainText(causeTitles[of.cause] ?? of.cause)
}

/** Each fault is in the list, by its name and to the cent, and nothing else is. */
const findFaults = async (page: Page, expected: readonly ExpectedCase[]): Promise<void> => {
  await goTo(page, 'Exceptions')
  await expect(rowsOf(page, 'Exceptions')).toHaveCount(expected.length)
  await picture(page, 'exceptions')
  for (const each of expected) {
    await expect(rowOf(page, each), `${each.cause} of ${each.cardId ?? each.terminalId}`).toHaveCount(1)
    // What a silent terminal may hold is an estimate: nobody can count it, but it is never nothing.
    await expect(rowOf(page, each)).toContainText(
      each.cause === 'notReported' ? /€[\d,]*[1-9][\d,]*\.\d\d/ : euros(each.amountMinor),
    )
  }
  const shown = new Set<string>()
  for (const each of expected) {
    // One of each kind is looked at.
    const kind = `${each.cause}/${each.reason}/${each.lastCounter === undefined}`
    if (shown.has(kind)) continue
    shown.add(kind)
    await openCase(page, each)
    await expect(stat(page, 'In suspense')).toContainText(euros(each.suspenseMinor))
    await expect(stat(page, 'In holes')).toContainText(euros(each.holesMinor))
    await picture(page, `case-${each.cause}-${each.reason ?? ''}`)
  }
}

const caseOf = (facts: MonthFacts, is: (each: ExpectedCase) => boolean): ExpectedCase => {
  const found = expectedCases(facts).find(is)
  if (found === undefined) throw new Error('no such fault was planted')
  return found
}

const closeWithNote = async (page: Page, of: ExpectedCase, reason: string): Promise<void> => {
  await openCase(page, of)
  await confirm(page, 'Close it', { says: 'Close it', reason })
  await expect(page.getByText('Closed', { exact: true }).first()).toBeVisible()
}

const download = async (page: Page, link: Locator): Promise<string> => {
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()])
  return readFileSync(await file.path(), 'latin1')
}

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8')

const validate = async (xml: string): Promise<void> => {
  if (!existsSync(schemaFile)) return
  const { errors } = await validateXML({
    xml: [{ fileName: 'payments.xml', contents: xml }],
    schema: [{ fileName: 'pain.001.001.09.xsd', contents: readFileSync(schemaFile, 'utf8') }],
  })
  expect(errors.map(({ message }) => message)).toEqual([])
}

const valuesOf = (xml: string, element: string): string[] =>
  [...xml.matchAll(new RegExp(`<${element}(?: [^>]*)?>([^<]*)</${element}>`, 'g'))].map(([, value]) => value ?? '')

const plain = (minor: number): string => (minor / 100).toFixed(2)

/** The figures of a statement in its CSV, by section and label. */
const figuresIn = (csv: string): ReadonlyMap<string, string> =>
  new Map(
    utf8(csv)
      .split('\r\n')
      .map((line) => line.replaceAll(/"[^"]*"/g, (quoted) => quoted.slice(1, -1).replaceAll(',', ';')).split(','))
      .filter(([section]) => section === 'account' || section === 'cash')
      .map((cells) => [`${cells[0]} ${cells[1]}`, cells.at(-2) ?? '']),
  )

const stores = process.env.FARTHING_SOAK === '1' ? (['SQLite', 'PostgreSQL'] as const) : (['SQLite'] as const)

for (const store of stores)
  test(`a month with planted faults is reconciled through the page alone, on ${store}`, async ({ browser }) => {
    test.setTimeout(180_000)
    problems = []
    const cluster = store === 'PostgreSQL' ? await startCluster() : undefined
    const server = await startServer(cluster)
    const { ready } = server
    const { facts } = ready
    const pages: Page[] = []
    console.log(`month ${seed}: FARTHING_MONTH_SEED=${seed}`)
    try {
      expect(ready.voucherVerdict).toBe('notFunded')
      const admin = await open(browser)
      pages.push(admin)
      await firstRun(admin, ready)
      await goTo(admin, 'Users')
      await addUser(admin, 'olga', 'operator')
      await addUser(admin, 'fritz', 'finance')
      await addUser(admin, 'frida', 'finance')
      await picture(admin, 'users')
      const operator = await firstSignIn(browser, ready, 'olga')
      const finance = await firstSignIn(browser, ready, 'fritz')
      const second = await firstSignIn(browser, ready, 'frida')
      pages.push(operator, finance, second)

      const expected = expectedCases(facts)
      await expect(operator.getByText('The books balance')).toBeVisible()
      await picture(operator, 'overview')
      await findFaults(operator, expected)

      // The operator works what is hers.
      const clone = caseOf(facts, ({ cause, reason }) => cause === 'exception' && reason === 'clone')
      await openCase(operator, clone)
      await operator.getByRole('button', { name: 'Assign', exact: true }).click()
      await operator.getByRole('dialog').filter({ visible: true }).getByRole('button', { name: 'Assign' }).click()
      await expect(stat(operator, 'Owner')).toContainText('olga')
      await operator
        .getByLabel('A new note')
        .fill('The customer has the original; the copy was used at the other kiosk.')
      await operator.getByRole('button', { name: 'Add the note' }).click()
      await expect(operator.getByText('The customer has the original')).toBeVisible()
      await operator
        .getByRole('link', { name: clone.cardId ?? '' })
        .first()
        .click()
      await confirm(operator, 'Block', { says: 'Block', reason: 'copied' })
      await expect(operator.getByRole('button', { name: 'Unblock' })).toBeVisible()
      await picture(operator, 'card-blocked')
      const isAlarm = (wanted: string) => (each: ExpectedCase) => each.cause === 'alarm' && each.reason === wanted
      await closeWithNote(operator, caseOf(facts, isAlarm('clone')), 'The card is blocked.')
      await closeWithNote(operator, caseOf(facts, isAlarm('settlementMac')), 'The kiosk was looked at.')
      const forged = caseOf(facts, ({ cause, reason }) => cause === 'exception' && reason === 'settlementMac')
      await closeWithNote(finance, forged, 'Nobody is paid for what no card made.')
      await closeWithNote(operator, clone, 'Nobody is paid for the copy.')
      await closeWithNote(
        operator,
        caseOf(facts, ({ cause }) => cause === 'loadOwedBack'),
        'The merchant gave the cash back.',
      )

      // Over the limit one of finance proposes and the other approves; under it one decides.
      const prices = expected
        .filter(({ reason }) => reason === 'itemOrPrice')
        .toSorted((a, b) => b.amountMinor - a.amountMinor)
      const [large, small] = prices
      if (large === undefined || small === undefined) throw new Error('two prices at least')
      const sale = facts.happenings.find(({ cardId, counter }) => cardId === large.cardId && counter === large.counter)
      await openCase(finance, large)
      await confirm(finance, 'Pay the merchant', {
        says: 'Propose',
        reason: 'Sold in good faith at last week’s price.',
      })
      await expect(finance.getByText('You proposed it')).toBeVisible()
      await picture(finance, 'proposed')
      await openCase(second, large)
      await confirm(second, 'Approve', { says: 'Approve and book' })
      await expect(second.getByText('approved by frida')).toBeVisible()
      await picture(second, 'approved')
      await openCase(finance, small)
      await confirm(finance, 'Credit the customer', { says: 'Credit the customer', reason: 'The kiosk took too much.' })
      await expect(finance.getByText('Credited to the card')).toBeVisible()

      // The next morning the month is over.
      await server.tell(String(12 * 3600))
      await finance.reload()
      await signIn(finance, 'fritz', ownPassword)
      await goTo(finance, 'Settlement')
      await expect(finance.getByLabel('Close until')).toHaveValue(facts.lastDay)
      await picture(finance, 'settlement')
      await rowsOf(finance, 'Merchants to close').first().getByRole('button', { name: 'Preview' }).click()
      await expect(finance.getByText('Preview: nothing is booked')).toBeVisible()
      await picture(finance, 'preview')
      await finance.getByRole('button', { name: 'All merchants' }).click()
      await confirm(finance, 'Close all (3)', { says: 'Close the periods' })
      await expect(stat(finance, 'To close')).toContainText('0')

      // Every statement says what happened.
      const statements: string[] = []
      let payouts = 0
      for (const merchant of Object.keys(facts.rates)) {
        const decided = sale?.merchant === merchant ? large.amountMinor : 0
        const due = expectedStatement(facts, merchant, decided)
        await goTo(finance, 'Settlement')
        await finance.getByRole('tab', { name: 'Statements' }).click()
        await rowsOf(finance, 'Closed periods').filter({ hasText: merchant }).getByRole('link').first().click()
        await expect(title(finance)).toHaveText(/^Statement \d+$/)
        await expect(finance.locator('main')).toContainText(euros(due.payoutMinor))
        await picture(finance, 'statement')
        expect(await download(finance, finance.getByRole('link', { name: 'PDF' }))).toMatch(/^%PDF-/)
        const csv = await download(finance, finance.getByRole('link', { name: 'CSV' }))
        statements.push(csv)
        const figures = figuresIn(csv)
        expect(figures.get('account Sales'), merchant).toBe(plain(due.sales.amountMinor))
        expect(figures.get('account Reversed sales') ?? '0.00', merchant).toBe(plain(-due.reversals.amountMinor))
        expect(figures.get('cash Loads paid in cash') ?? '0.00', merchant).toBe(plain(due.loads.amountMinor))
        expect(figures.get('account Paid out') ?? '0.00', merchant).toBe(plain(-due.payoutMinor))
        expect(figures.get('account Carried over to the next statement'), merchant).toBe(plain(due.closingMinor))
        expect(figures.get('cash Still owed') ?? '0.00', merchant).toBe(plain(due.cashClosingMinor))
        const fees = [...figures].filter(([label]) => label.startsWith('account Fee')).map(([, value]) => Number(value))
        expect(Math.round(fees.reduce((sum, fee) => sum - fee * 100, 0)), merchant).toBe(due.feeMinor)
        payouts += due.payoutMinor
      }

      // The bank is told, twice the same.
      await goTo(finance, 'Settlement')
      await finance.getByRole('tab', { name: 'Payments' }).click()
      await finance.getByRole('button', { name: 'Set', exact: true }).click()
      const bank = finance.getByRole('dialog').filter({ visible: true })
      await bank.getByLabel('Name').fill('Farthing Kiosks')
      await bank.getByLabel('IBAN').fill('AT61 1904 3002 3457 3201')
      await bank.getByLabel('Town').fill('Graz')
      await bank.getByLabel('Country').fill('AT')
      await bank.getByRole('button', { name: 'Save' }).click()
      await expect(bank).toHaveCount(0)
      await confirm(finance, 'Make a file (3)', { says: 'Make it' })
      const file = rowsOf(finance, 'Payment files').getByRole('link').first()
      await expect(rowsOf(finance, 'Payment files')).toContainText(euros(payouts))
      await picture(finance, 'payments')
      const [once, twice] = [utf8(await download(finance, file)), utf8(await download(finance, file))]
      expect(valuesOf(once, 'EndToEndId')).toHaveLength(3)
      expect(valuesOf(twice, 'EndToEndId')).toEqual(valuesOf(once, 'EndToEndId'))
      expect(twice).toBe(once)
      expect(valuesOf(once, 'CtrlSum')[0]).toBe(plain(payouts))
      await validate(once)
      await goTo(finance, 'Ledger')
      await expect(finance.getByText('The books balance.')).toBeVisible()
      await expect(finance.getByRole('table', { name: 'Trial balance' }).locator('tfoot')).toContainText(euros(0))
      await picture(finance, 'ledger')

      // Weeks later a stick is found: its case closes itself, and so do the holes of its customers.
      await server.tell(String(20 * 86_400))
      await server.tell('late')
      await operator.goto(`${ready.url}/console/exceptions`)
      await signIn(operator, 'olga', ownPassword)
      await expect(title(operator)).toHaveText('Exceptions')
      await expect(rowsOf(operator, 'Exceptions').first()).toBeVisible()
      const late = lateSales(facts)
      for (const each of expected.filter(({ terminalId }) => terminalId === facts.late.terminalId))
        if (each.cause === 'hole' || each.cause === 'missingBatches') await expect(rowOf(operator, each)).toHaveCount(0)
      await picture(operator, 'exceptions-late')
      await server.tell(String(86_400))
      await finance.goto(`${ready.url}/console/settlement`)
      await signIn(finance, 'fritz', ownPassword)
      await finance.getByRole('row', { name: facts.late.merchant }).getByRole('button', { name: 'Preview' }).click()
      const account = finance.getByRole('table', { name: 'Account' })
      await expect(account.getByRole('row', { name: 'Sales' }).first()).toContainText(euros(late.amountMinor))
      await picture(finance, 'next-preview')
      // What was closed is as it was, to the byte.
      for (const [at, merchant] of Object.keys(facts.rates).entries()) {
        await goTo(finance, 'Settlement')
        await finance.getByRole('tab', { name: 'Statements' }).click()
        await rowsOf(finance, 'Closed periods').filter({ hasText: merchant }).getByRole('link').first().click()
        expect(await download(finance, finance.getByRole('link', { name: 'CSV' }))).toBe(statements[at])
      }
      await goTo(finance, 'Overview')
      await expect(finance.getByText('The books balance')).toBeVisible()
      await picture(finance, 'overview-end')
      expect(problems).toEqual([])
    } finally {
      for (const page of pages) await page.context().close()
      await server.end()
      await cluster?.stop()
    }
  })

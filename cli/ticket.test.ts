import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from '../issuer/test-support.ts'
import { makeTickets, ticketKeys } from '../issuer/tickets.ts'
import { writeIdentity } from '../main/identity.ts'
import { toHex } from '../protocol/bytes.ts'
import { ticketVerifier } from '../protocol/ticket.ts'
import { statusOf } from './output.ts'
import { type CheckedTicket, checkTickets, ticketCommands } from './ticket.ts'
import { openUsedTickets } from './used-tickets.ts'

let bench: Bench
let keysFile: string
let now: number
beforeAll(async () => {
  bench = await openBench()
  now = Math.floor(Date.now() / 1000)
  bench.clock.seconds = now
  keysFile = path.join(bench.folder, 'keys.json')
  writeFileSync(keysFile, JSON.stringify(ticketKeys(bench.issuer.keys.signingPublicKeys)))
})
afterAll(() => bench.close())

const makeOne = (itemId = 'concert', times: { validFrom?: number; validUntil?: number } = {}): string =>
  makeTickets(bench.issuer, itemId, { count: 1, ...times })[0] ?? expect.fail('no ticket')

const list = (name: string): string => path.join(bench.folder, name)

/** Checks in this process. */
const check = (name: string, ...texts: readonly string[]): readonly CheckedTicket[] => {
  const { signing } = bench.issuer.keys
  const used = openUsedTickets(list(name))
  try {
    const keys = new Map([[signing.keyVersion, ticketVerifier(signing.publicKey)]])
    return checkTickets(texts, { keys, eventIds: ['concert', 'fair'], used, now })
  } finally {
    used.close()
  }
}

test('lets a ticket in once, over runs, and says of each other what it is', () => {
  const good = makeOne()
  const [first, same] = check('door.db', good, good)
  expect(first).toMatchObject({ outcome: 'accepted', event: 'concert' })
  expect(first?.number).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  expect(same).toMatchObject({ outcome: 'used', usedAt: first?.usedAt })
  bench.clock.seconds = now - 10_000
  const old = makeOne('concert', { validFrom: now - 9000, validUntil: now - 8000 })
  bench.clock.seconds = now
  const answers = check(
    'door.db',
    good.toLowerCase(),
    makeOne('other-concert'),
    makeOne('concert', { validFrom: now + 3600 }),
    old,
    good.replace(/.(?=.{9}$)/, (letter) => (letter === '0' ? '1' : '0')),
    'https://example.com/',
  )
  const outcomes = ['used', 'otherEvent', 'notYetValid', 'expired', 'forged', 'unreadable']
  expect(answers.map(({ outcome }) => outcome)).toEqual(outcomes)
  expect(new Set(answers.map(({ sentence }) => sentence)).size).toBe(outcomes.length)
})

test('a copy is refused by the list that has it, whatever the clock says; a list apart, or a clock set back, cannot know better', () => {
  const copied = makeOne('concert', { validFrom: now - 100, validUntil: now })
  const later = now
  expect(check('one.db', copied)).toMatchObject([{ outcome: 'accepted' }])
  // Both as docs/SECURITY.md says: one list a door, and a clock that somebody minds.
  expect(check('other.db', copied)).toMatchObject([{ outcome: 'accepted' }])
  now = later + 1
  expect(check('third.db', copied)).toMatchObject([{ outcome: 'expired' }])
  now = later - 50
  expect(check('one.db', copied)).toMatchObject([{ outcome: 'used' }])
  expect(check('third.db', copied)).toMatchObject([{ outcome: 'accepted' }])
  now = later
})

test('says what is missing or broken, each with its status', async () => {
  const statusFor = async (...words: readonly string[]) => {
    const command = ticketCommands().exitOverride()
    return command.parseAsync(words, { from: 'user' }).catch(statusOf)
  }
  const right = ['check', makeOne(), '--event', 'concert', '--used', list('a.db'), '--keys', keysFile]
  const changed = (from: string, to: string) => right.map((word) => (word === from ? to : word))
  expect(await statusFor(...right.filter((word) => word !== '--event' && word !== 'concert'))).toBe(2)
  expect(await statusFor(...changed('concert', 'No Such Id'))).toBe(2)
  expect(await statusFor(...right, '--store', bench.issuer.store.url)).toBe(2)
  expect(await statusFor(...changed(keysFile, list('none')))).toBe(2)
  expect(await statusFor(...changed(list('a.db'), list('none/door.db')))).toBe(3)
  writeFileSync(list('text.db'), 'Not a list of tickets at all, and longer than one might think.\n'.repeat(20))
  expect(await statusFor(...changed(list('a.db'), list('text.db')))).toBe(3)
})

/** Runs the command; what it prints is one line of JSON a ticket. */
const farthing = (words: readonly string[], input = ''): Promise<{ status: number; answers: CheckedTicket[] }> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, ['cli/farthing.mjs', 'ticket', ...words], (error, stdout) => {
      const lines = stdout.split('\n').filter((text) => text !== '')
      resolve({ status: Number(error?.code ?? 0), answers: lines.map((text) => JSON.parse(text)) })
    })
    child.stdin?.end(input)
  })
const door = (name: string) => ['check', '--event', 'concert', '--used', list(name), '--keys', keysFile]

test('two checkers with one list let each ticket in once between them, whatever else is scanned', async () => {
  const tickets = makeTickets(bench.issuer, 'concert', { count: 60 })
  const { publicKey, keyVersion } = bench.issuer.keys.signing
  writeIdentity(bench.folder, {
    terminalId: '7465726d30303031',
    epoch: 1,
    keyVersion: 1,
    terminalKey: '07'.repeat(32),
    bulletinPublicKey: toHex(publicKey),
    bulletinKeyVersion: keyVersion,
    publicUrl: 'https://farthing.example',
    issuerUrl: 'https://farthing.example',
    currency: 'EUR',
    merchant: 'Town',
  })
  const input = `${tickets.join('\r\n')}\r\n\r\n${'x'.repeat(100_000)}`
  const runs = await Promise.all([
    farthing(door('shared.db'), input),
    farthing(door('shared.db'), input),
    farthing(['keys', '--store', bench.issuer.store.url]),
    farthing(['keys', '--data', bench.folder]),
  ])
  const all = runs.slice(0, 2).flatMap(({ answers }) => answers)
  const countOf = (wanted: string) => all.filter(({ outcome }) => outcome === wanted).length
  expect([countOf('accepted'), countOf('used'), countOf('unreadable'), all.length]).toEqual([60, 60, 2, 122])
  expect(runs.map(({ status }) => status)).toEqual([1, 1, 0, 0])
  const keys = [ticketKeys(bench.issuer.keys.signingPublicKeys)]
  expect(runs.slice(2).map(({ answers }) => answers)).toEqual([keys, keys])
}, 60_000)

test('what was said to be let in is still used after a kill', async () => {
  const code = makeOne()
  const child = spawn(process.execPath, ['cli/farthing.mjs', 'ticket', ...door('killed.db')])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.stdin.write(`${code}\n`)
  expect(JSON.parse((await lines.next()).value ?? '')).toMatchObject({ outcome: 'accepted' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(check('killed.db', code)).toMatchObject([{ outcome: 'used' }])
}, 60_000)

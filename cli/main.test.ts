/** What the command's exit status says before anything is done. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { IssuerError, type IssuerErrorCode } from '../issuer/errors.ts'
import { shownAddress } from '../issuer/store-address.ts'
import { shownWords } from './main.ts'
import { exitStatus, statusOf } from './output.ts'

const farthing = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(import.meta.dirname, 'farthing.mjs'), ...words],
    {
      encoding: 'utf8',
    },
  )
  return { status, stdout, stderr }
}

test.each([
  ['nonsense', '--help'],
  ['issuer', 'nonsense', '--help'],
  ['issuer', 'card', 'nonsense', '-h'],
])('help about a command that there is not (%s %s) is a wrong use, and says what there is', (...words) => {
  const { status, stdout, stderr } = farthing(...words)
  expect({ status, stdout }).toEqual({ status: exitStatus.usage, stdout: '' })
  expect(stderr).toMatch(/^error: unknown command 'nonsense'\s+Usage: farthing/)
})

test('help about one that there is, is done', () => {
  expect(farthing('issuer', 'card', '--help')).toMatchObject({ status: exitStatus.done, stderr: '' })
})

test('what stands against it is a refusal, and what was typed wrongly a wrong use', () => {
  const status = (code: IssuerErrorCode) => statusOf(new IssuerError(code, 'x'))
  expect(['refused', 'fourEyes', 'caseState', 'serialJump'].map((code) => status(code as IssuerErrorCode))).toEqual([
    1, 1, 1, 1,
  ])
  expect([status('input'), status('unknownCard'), status('storeMissing')]).toEqual([2, 2, 3])
})

test.each([
  ['postgres://ann:open sesame@db/x', 'postgres://ann:***@db/x'],
  ['postgresql://ann:se/sa@me@db:5432/x', 'postgresql://ann:***@db:5432/x'],
  ['--store=postgres://ann:sesame@db/x', '--store=postgres://ann:***@db/x'],
  ['postgres://ann@db/x?password=sesame&ssl=true', 'postgres://ann@db/x?password=***&ssl=true'],
  ['postgres://ann@db:5432/x', 'postgres://ann@db:5432/x'],
  ['sqlite:/srv/a:b@c.db', 'sqlite:/srv/a:b@c.db'],
])('of the address %s is shown %s', (address, shown) => {
  expect(shownAddress(address)).toBe(shown)
})

test.each([
  ['card load 20 --paid-by voucher:7KQ2-0F9M', 'card load 20 --paid-by voucher:***'],
  ['card load 20 --paid-by=credit:7KQ2-0F9M', 'card load 20 --paid-by=credit:***'],
  ['card load 20 --paid-by cash', 'card load 20 --paid-by cash'],
  ['terminal enrol --code 7KQ2-0F9M --data x', 'terminal enrol --code *** --data x'],
  ['terminal enrol --code=7KQ2-0F9M', 'terminal enrol --code=***'],
  ['terminal enrol --code -', 'terminal enrol --code -'],
  ['card load 20 --paid-by voucher:-', 'card load 20 --paid-by voucher:-'],
])('of %s the list of processes keeps %s', (typed, shown) => {
  expect(shownWords(typed.split(' ')).join(' ')).toBe(shown)
})

/** In the database's place: asks for the password in the clear (PostgreSQL's protocol, 55.2.1), refuses it, and says what it was. */
const askedForPassword = async (address: (port: number) => string, env: Record<string, string>) => {
  const passwords: string[] = []
  const atGreeting = Promise.withResolvers<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      if (bytes[0] !== 0x70) return atGreeting.resolve(socket)
      passwords.push(bytes.toString('utf8', 5, bytes.length - 1))
      socket.end(Buffer.from('E\0\0\0\x15SFATAL\0C28P01\0MX\0\0', 'latin1'))
    })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no address')
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'farthing.mjs'), 'issuer', 'report', '--store', address(bound.port)],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH, ...env } },
  )
  const said = text(child.stderr)
  const exit = once(child, 'exit')
  const socket = await atGreeting.promise
  const words = process.platform === 'linux' ? readFileSync(`/proc/${child.pid}/cmdline`, 'utf8') : ''
  socket.write(Buffer.from('R\0\0\0\x08\0\0\0\x03', 'latin1'))
  const [status] = await exit
  return { passwords, words, said: await said, status }
}

test('a password in --store is taken, warned of, and no longer to be read in the list of processes or in what is said', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-pass-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const passFile = path.join(folder, 'pass')
  writeFileSync(passFile, '127.0.0.1:*:books:ann:sesame\n', { mode: 0o600 })
  const [given, inFile] = await Promise.all([
    askedForPassword((port) => `postgres://ann:sesame@127.0.0.1:${port}/books`, {}),
    askedForPassword((port) => `postgres://ann@127.0.0.1:${port}/books`, { PGPASSFILE: passFile }),
  ])
  for (const each of [given, inFile]) {
    expect(each).toMatchObject({ passwords: ['sesame'], status: exitStatus.world })
    expect(each.words + each.said).not.toContain('sesame')
    expect(each.said).toContain('PGPASSWORD or ~/.pgpass')
  }
  expect(given.said).toContain('WARNING')
  expect(inFile.said).not.toContain('WARNING')
}, 60_000)

/** Runs the command with this on its standard input, which is then closed. */
const farthingGiven = async (input: string, ...words: string[]) => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'farthing.mjs'), ...words])
  child.stdin.end(input)
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  return { said, status }
}

test('an enrolment code from standard input is what the issuer is asked with', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-code-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const asked: string[] = []
  const issuer = createHttpServer((request, response) => {
    void text(request).then((body) => {
      asked.push(body)
      response.writeHead(403).end()
    })
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void issuer.close())
  await once(issuer, 'listening')
  const bound = issuer.address()
  if (bound === null || typeof bound === 'string') throw new Error('no address')
  const url = `http://127.0.0.1:${bound.port}`
  await farthingGiven(
    ' 7KQ2-0F9M-XW3T-H5RA \r\nmore\n',
    ...['terminal', 'enrol', '--data', folder, '--issuer', url, '--code', '-'],
  )
  expect(asked.map((body) => JSON.parse(body).code)).toEqual(['7KQ2-0F9M-XW3T-H5RA'])
}, 60_000)

test("a voucher's code from standard input is read before the terminal and its card are looked for", async () => {
  const loaded = await farthingGiven(
    '7KQ2-0F9M-XW3T-H5RA\n',
    ...['card', 'load', '20', '--data', '/nowhere', '--paid-by', 'voucher:-'],
  )
  expect(loaded).toMatchObject({ status: exitStatus.world, said: expect.stringContaining('not enrolled') })
}, 60_000)

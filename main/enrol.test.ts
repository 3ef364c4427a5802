/** A one-time code is spent only when this terminal can keep what it brings. */
import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { ledgerPath, openWritable } from '../db/open.ts'
import { enrol } from './enrol.ts'
import { IdentityFault, identityPath, readIdentity } from './identity.ts'
import { connectIssuer } from './sync/issuer-client.ts'
import { openTerminal } from './terminal.ts'
import { testFolder, testIdentity, testTerminalId } from './test-terminal.ts'

const folder = () => testFolder(onTestFinished)

/** An issuer that answers every code, and counts them. */
const makeIssuer = (changes: Parameters<typeof testIdentity>[0] = {}) => {
  const codes: string[] = []
  const client = connectIssuer('http://127.0.0.1:1', {
    fetch: async (_url, init) => {
      codes.push(String(init?.body))
      return Response.json(testIdentity(changes))
    },
  })
  return { client, codes }
}

test('writes the identity down', async () => {
  const dataDir = folder()
  const { client, codes } = makeIssuer()
  await enrol({ dataDir, client, code: 'ABCD' })
  expect(readIdentity(dataDir)).toMatchObject({ epoch: testIdentity().epoch, issuerUrl: 'http://127.0.0.1:1' })
  expect(codes).toHaveLength(1)
})

test('while another process holds the folder, the code is not spent', async () => {
  const dataDir = folder()
  const { close } = openWritable(dataDir, { create: true })
  onTestFinished(close)
  const { client, codes } = makeIssuer()
  await expect(enrol({ dataDir, client, code: 'ABCD' })).rejects.toMatchObject({ code: 'locked' })
  expect(codes).toEqual([])
  expect(existsSync(identityPath(dataDir))).toBe(false)
})

test('plain HTTP to another machine is refused before anything is said', async () => {
  const client = connectIssuer('http://issuer.example', { fetch: () => Promise.reject(new Error('never called')) })
  await expect(enrol({ dataDir: folder(), client, code: 'ABCD' })).rejects.toThrow(/https/)
})

test('what ledger was kept is said with the code, and whether it is a fork', async () => {
  const dataDir = folder()
  const { client, codes } = makeIssuer()
  await enrol({ dataDir, client, code: 'ABCD' })
  openTerminal(dataDir).close()
  await enrol({ dataDir, client, code: 'EFGH' })
  const { database, close } = openWritable(dataDir, { create: false })
  database.prepare("UPDATE terminal SET stopped_verdict = 'fork'").run()
  close()
  await enrol({ dataDir, client, code: 'JKMN' })
  expect(codes.map((body) => JSON.parse(body))).toEqual([
    { code: 'ABCD' },
    { code: 'EFGH', ledger: { terminalId: testTerminalId, epoch: 1, batchNo: 0 } },
    { code: 'JKMN', ledger: { terminalId: testTerminalId, epoch: 1, batchNo: 0, fork: true } },
  ])
})

test('an identity of a currency that is not known is a fault with a sentence, like any other damage', () => {
  const dataDir = folder()
  for (const damage of [
    '',
    '{}',
    JSON.stringify({ ...testIdentity(), issuerUrl: 'http://127.0.0.1:1', currency: 'XXX' }),
  ]) {
    writeFileSync(identityPath(dataDir), damage)
    expect(() => readIdentity(dataDir)).toThrow(IdentityFault)
  }
})

test.each([
  ['deleted', (file: string) => rmSync(file)],
  ['empty', (file: string) => truncateSync(file)],
])('a ledger that is %s does not begin again by itself: its codes would be sold twice', async (_name, lose) => {
  const dataDir = folder()
  const { client, codes } = makeIssuer()
  await enrol({ dataDir, client, code: 'ABCD' })
  openTerminal(dataDir).close()
  for (const suffix of ['-wal', '-shm']) rmSync(`${ledgerPath(dataDir)}${suffix}`, { force: true })
  lose(ledgerPath(dataDir))
  expect(() => openTerminal(dataDir)).toThrow(/gone or empty: enrol the terminal again/)
  await enrol({ dataDir, client, code: 'EFGH' })
  expect(codes.map((body) => JSON.parse(body))).toEqual([{ code: 'ABCD' }, { code: 'EFGH' }])
  openTerminal(dataDir).close()
})

/** TLS that is wrong: the terminal says nothing to it and believes nothing of it; TLS that is right carries everything. */

import { existsSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { enrol } from '../../main/enrol.ts'
import { identityPath } from '../../main/identity.ts'
import { loadCard } from '../../main/load.ts'
import { connectIssuer, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { fetchNews, syncOnce } from '../../main/sync/sync.ts'
import { channelTo } from '../../main/test-terminal.ts'
import { openBank } from './bank.ts'
import { makeAuthority, makeCertificate } from './certificates.ts'
import { openTill } from './till.ts'

const authority = makeAuthority('Farthing test authority')
const trustedBefore = getCACertificates('default')
setDefaultCACertificates([...trustedBefore, authority.certificate])
afterAll(() => setDefaultCACertificates(trustedBefore))

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** What stands before an issuer: ends TLS and passes the bytes on. @returns its port, and what it passed */
const openTls = async (options: TlsOptions, issuerPort: number) => {
  let passed = 0
  const server = createTlsServer(options, (socket) => {
    const inner = connect(issuerPort, '127.0.0.1')
    socket.on('data', (chunk) => {
      passed += chunk.length
    })
    socket.on('error', () => inner.destroy())
    inner.on('error', () => socket.destroy())
    socket.pipe(inner).pipe(socket)
  })
  server.on('tlsClientError', () => {})
  const port = await listen(server)
  return {
    port,
    get passed() {
      return passed
    },
  }
}

const openSystem = async () => {
  const bank = await openBank(onTestFinished)
  const server = await bank.serve()
  onTestFinished(() => void server.close())
  return { bank, issuerPort: server.port, dataDir: `${bank.folder}/terminal` }
}

/** Enrols over plain loopback, then sells: what waits must wait. */
const openSelling = async () => {
  const system = await openSystem()
  const { bank, dataDir, issuerPort } = system
  const plain = connectIssuer(`http://127.0.0.1:${issuerPort}`)
  await enrol({ dataDir, client: plain, code: await bank.code() })
  const till = openTill(bank, onTestFinished)
  await fetchNews(till.terminal, plain)
  const card = await bank.card()
  await loadCard(till.terminal, plain, channelTo(card), { amountMinor: 5000 })
  await till.sellBatch(card, 3)
  return { ...system, till, plain }
}

test('right TLS carries an enrolment, the news, a load and the batches', async () => {
  const { bank, issuerPort, dataDir } = await openSystem()
  const tls = await openTls(makeCertificate({ by: authority, host: '127.0.0.1' }), issuerPort)
  const client = connectIssuer(`https://127.0.0.1:${tls.port}`)
  await enrol({ dataDir, client, code: await bank.code() })
  const till = openTill(bank, onTestFinished)
  await fetchNews(till.terminal, client)
  const card = await bank.card()
  expect(await loadCard(till.terminal, client, channelTo(card), { amountMinor: 5000 })).toMatchObject({
    outcome: 'captured',
  })
  await till.sellBatch(card, 3)
  await syncOnce(till.terminal, client)
  expect(await bank.entries()).toEqual(till.entries())
  expect(await bank.complaints()).toEqual([])
})

const wrong: readonly [string, () => TlsOptions, string][] = [
  ['signed by itself', () => makeCertificate({ host: '127.0.0.1' }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [
    'of an unknown authority',
    () => makeCertificate({ by: makeAuthority('Nobody'), host: '127.0.0.1' }),
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ],
  [
    'of an authority of the same name with another key',
    () => makeCertificate({ by: makeAuthority(authority.name), host: '127.0.0.1' }),
    'CERT_SIGNATURE_FAILURE',
  ],
  ['expired', () => makeCertificate({ by: authority, host: '127.0.0.1', days: [-30, -1] }), 'CERT_HAS_EXPIRED'],
  ['not yet valid', () => makeCertificate({ by: authority, host: '127.0.0.1', days: [1, 30] }), 'CERT_NOT_YET_VALID'],
  [
    'for another host',
    () => makeCertificate({ by: authority, host: 'issuer.example' }),
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  [
    'of an old protocol',
    () => ({ ...makeCertificate({ by: authority, host: '127.0.0.1' }), maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }),
    '',
  ],
]

const codeOf = (error: unknown): unknown => {
  if (!(error instanceof Error)) return undefined
  const { cause } = error
  if (cause instanceof Error && 'code' in cause) return cause.code
  return cause === undefined ? undefined : codeOf(cause)
}

test.each(wrong)(
  'a certificate %s: not a byte is said, nothing is settled, no code is spent',
  async (_name, options, code) => {
    const { bank, issuerPort, till, plain } = await openSelling()
    const tls = await openTls(options(), issuerPort)
    const client = connectIssuer(`https://127.0.0.1:${tls.port}`)
    const caught = await syncOnce(till.terminal, client).catch((error: unknown) => error)
    expect(caught).toBeInstanceOf(IssuerUnreachable)
    if (code !== '') expect(codeOf(caught)).toBe(code)
    expect(till.terminal.ledger.unsynced.count).toBe(4)

    const elsewhere = `${bank.folder}/other`
    const enrolmentCode = await bank.code()
    await expect(enrol({ dataDir: elsewhere, client, code: enrolmentCode })).rejects.toThrow(IssuerUnreachable)
    expect(existsSync(identityPath(elsewhere))).toBe(false)
    expect(tls.passed).toBe(0)

    await syncOnce(till.terminal, plain)
    expect(await bank.entries()).toEqual(till.entries())
    await enrol({ dataDir: elsewhere, client: plain, code: enrolmentCode })
  },
)

test('plain HTTP to a TLS port, and TLS to a plain port, end at once and settle nothing', async () => {
  const { bank, issuerPort, till, plain } = await openSelling()
  const tls = await openTls(makeCertificate({ by: authority, host: '127.0.0.1' }), issuerPort)
  for (const url of [`http://127.0.0.1:${tls.port}`, `https://127.0.0.1:${issuerPort}`]) {
    const begun = performance.now()
    await expect(syncOnce(till.terminal, connectIssuer(url))).rejects.toThrow(IssuerUnreachable)
    expect(performance.now() - begun).toBeLessThan(10_000)
  }
  expect(till.terminal.ledger.unsynced.count).toBe(4)
  await syncOnce(till.terminal, plain)
  expect(await bank.entries()).toEqual(till.entries())
})

test('a TLS port that accepts and never shakes hands is given up', async () => {
  const { till } = await openSelling()
  const port = await listen(createServer((socket) => socket.on('error', () => {})))
  const client = connectIssuer(`https://127.0.0.1:${port}`, { pace: { silenceMs: 200, bytesPerSecondMin: 20_000 } })
  await expect(syncOnce(till.terminal, client)).rejects.toThrow('too slow or silent')
})

test('to another machine a terminal is enrolled over TLS only', async () => {
  const { bank, dataDir } = await openSystem()
  const client = connectIssuer('http://issuer.example:8080')
  await expect(enrol({ dataDir, client, code: await bank.code() })).rejects.toThrow('https')
})

/** A data folder of a terminal that is enrolled, on play money, with an issuer that nobody can reach. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { enrolAs } from '../main/test-terminal.ts'

const key = '0f'.repeat(32)

export const enrolledData = (options: { dev: boolean } = { dev: true }): { dataDir: string; remove: () => void } => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'farthing-e2e-'))
  enrolAs(dataDir, {
    terminalId: '00000000000000e2',
    epoch: 1,
    keyVersion: 1,
    terminalKey: key,
    bulletinPublicKey: key,
    // The discard port: nothing answers there.
    publicUrl: 'http://127.0.0.1:9',
    issuerUrl: 'http://127.0.0.1:9',
    currency: 'EUR',
    merchant: 'Harbour Museum',
    dev: options.dev,
  })
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true }) }
}

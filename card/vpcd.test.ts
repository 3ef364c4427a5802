/**
 * The plug against the real pcscd with vpcd. Run it inside
 * `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run card`; `npm test` does.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CardReader, waitForCard } from '../main/reader/card-reader.ts'
import { openPcscReader } from '../main/reader/pcsc-reader.ts'
import { parseResponse, personaliseCommand, selectCommand, statusWord } from '../protocol/apdu.ts'
import { simulateCard } from './simulate.ts'
import { vpcdPorts } from './vpcd.ts'

let folder = ''
let reader: CardReader
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farthing-vpcd-'))
  reader = openPcscReader()
})
afterEach(async () => {
  await reader.close()
  rmSync(folder, { recursive: true })
})

test('a blank card appears in the reader, answers, and leaves', async () => {
  const card = simulateCard({ stateFile: path.join(folder, 'card.json'), port: vpcdPorts[0] })
  await card.ready
  const present = await waitForCard(reader, { signal: AbortSignal.timeout(5000) })
  const answer = await present.use((channel) => channel.transmit(selectCommand()))
  expect(parseResponse(answer)).toEqual({ data: new Uint8Array(0), status: statusWord.ok })
  const refused = await present.use((channel) => channel.transmit(personaliseCommand(new Uint8Array(140))))
  expect(parseResponse(refused).status).toBe(statusWord.wrongData)
  await card.close()
  expect(await card.closed).toBe('pulled')
})

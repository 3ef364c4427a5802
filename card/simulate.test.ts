/**
 * The simulated card, file and plug together, in the real pcscd. Run it inside
 * `scripts/pcsc/with-pcscd.sh node_modules/.bin/vitest run card`; `npm test` does.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CardReader, type PresentCard, type ReaderSnapshot, waitForCard } from '../main/reader/card-reader.ts'
import { openPcscReader } from '../main/reader/pcsc-reader.ts'
import {
  commitCommand,
  initiateCommand,
  parseInitiateAnswer,
  parseResponse,
  personaliseCommand,
  selectCommand,
  statusWord,
} from '../protocol/apdu.ts'
import { toHex } from '../protocol/bytes.ts'
import { commitMac, macKey } from '../protocol/mac.ts'
import { encodeOrder } from '../protocol/order.ts'
import { encodePersonalisation } from '../protocol/personalise.ts'
import { amountMinor, counter } from '../protocol/quantities.ts'
import { openPurse } from './purse.ts'
import { drivePurse, sampleOrder, samplePersonalisation } from './purse-driver.ts'
import { newCardState, type PurseState } from './purse-state.ts'
import { type SimulatedCard, simulateCard } from './simulate.ts'
import { readStateFile, writeStateFile } from './state-file.ts'
import { type Tear, vpcdPorts } from './vpcd.ts'

const freshBytes = (length: number) => Uint8Array.from(randomBytes(length))

/** With 50.00 that came by a load, so that the log agrees. */
const loadedState = (): PurseState => {
  let state: PurseState = newCardState(samplePersonalisation())
  const save = (next: PurseState) => {
    state = next
  }
  const driver = drivePurse(openPurse({ state, save, randomBytes: freshBytes }).process)
  driver.select()
  driver.transact(sampleOrder('load', { amountMinor: amountMinor(5000) }))
  expect(state).toMatchObject({ counter: counter(1) })
  return state
}

let folder = ''
let stateFile = ''
let reader: CardReader
const cards: SimulatedCard[] = []
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farthing-vpcd-'))
  stateFile = path.join(folder, 'card.json')
  reader = openPcscReader()
})
/** pcscd looks for a card now and then only: the next test must not see the ghost of this one's. */
const emptied = () =>
  new Promise<void>((resolve) => {
    const look = ({ service, slots }: ReaderSnapshot) => {
      if (service === 'down' || slots.some(({ card }) => card !== undefined)) return
      stop()
      resolve()
    }
    const stop = reader.subscribe(look)
    look(reader.snapshot)
  })
afterEach(async () => {
  for (const card of cards.splice(0)) await card.close()
  await emptied()
  await reader.close()
  rmSync(folder, { recursive: true })
})

const insert = async (options: { tear?: Tear; port?: number } = {}) => {
  const card = simulateCard({ stateFile, port: vpcdPorts[0], ...options })
  cards.push(card)
  await card.ready
  return { card, present: await waitForCard(reader, { signal: AbortSignal.timeout(5000) }) }
}
const ask = (present: PresentCard, command: Uint8Array) => present.use((channel) => channel.transmit(command))

/** SELECT, INITIATE and COMMIT of a sample payment; the answer to the last. */
const pay = (present: PresentCard) =>
  present.use(async (channel) => {
    const { cardId, payKey } = samplePersonalisation()
    const order = encodeOrder(sampleOrder('payment'))
    await channel.transmit(selectCommand())
    const offer = parseInitiateAnswer(parseResponse(await channel.transmit(initiateCommand(order))).data)
    const commit = commitMac(macKey(payKey), { ...offer, cardId, order })
    return parseResponse(await channel.transmit(commitCommand(commit)))
  })

test('a blank card is personalised, and is that card after it was put in again', async () => {
  const { card, present } = await insert()
  expect(parseResponse(await ask(present, selectCommand())).status).toBe(statusWord.ok)
  const personalise = personaliseCommand(encodePersonalisation(samplePersonalisation()))
  const statuses = await present.use(async (channel) => {
    await channel.transmit(selectCommand())
    return parseResponse(await channel.transmit(personalise)).status
  })
  expect(statuses).toBe(statusWord.ok)
  await card.close()
  expect(await card.closed).toBe('pulled')
  expect(readStateFile(stateFile)).toEqual(newCardState(samplePersonalisation()))

  const again = await insert()
  const { data } = parseResponse(await ask(again.present, selectCommand()))
  expect(toHex(data)).toContain('c0ffee0000000001')
})

test.each([
  ['before', 0],
  ['after', 1],
] as const)('a payment torn %s its effect is a removal, and the file knows what happened', async (tear, commits) => {
  writeStateFile(stateFile, loadedState())
  const { card, present } = await insert({ tear })
  await expect(pay(present)).rejects.toMatchObject({ name: 'CardFault', code: 'removed' })
  expect(await card.closed).toBe('torn')
  expect(readStateFile(stateFile)).toMatchObject({ counter: 1 + commits, balanceMinor: 5000 - 250 * commits })

  const again = await insert()
  expect((await pay(again.present)).status).toBe(statusWord.ok)
  await again.card.close()
  expect(readStateFile(stateFile)).toMatchObject({ counter: 2 + commits, balanceMinor: 4750 - 250 * commits })
})

test('a card lies in the second reader, too', async () => {
  const { present } = await insert({ port: vpcdPorts[1] })
  expect(present.readerName).toMatch(/00 01$/)
  expect(parseResponse(await ask(present, selectCommand())).status).toBe(statusWord.ok)
})

test('a second card waits until the first one has left the reader', async () => {
  const first = await insert()
  const waiting = simulateCard({ stateFile: path.join(folder, 'second.json'), port: vpcdPorts[0] })
  cards.push(waiting)
  expect(() => simulateCard({ stateFile, port: vpcdPorts[1] })).toThrow('is in use')
  await first.card.close()
  await waiting.ready
  await first.card.closed
})

test('a card whose process is killed is out of the reader, and its file is free', async () => {
  const program = `
    import { simulateCard } from ${JSON.stringify(path.join(import.meta.dirname, 'simulate.ts'))}
    simulateCard({ stateFile: ${JSON.stringify(stateFile)}, port: ${vpcdPorts[0]} })
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
  const present = await waitForCard(reader, { signal: AbortSignal.timeout(5000) })
  const removed = once(present.removed, 'abort')
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await Promise.all([exited, removed])
  const again = await insert()
  expect(parseResponse(await ask(again.present, selectCommand())).status).toBe(statusWord.ok)
})

/**
 * A terminal as a process of its own, to be killed: the production code does one flow, with the card and the issuer in the
 * parent. Every APDU and every request is a mark before and after, and so a step like any file call (disk-faults.c).
 *
 *     node terminal-process.ts FOLDER FLOW ISSUER_URL [CODE]
 */

import type { Intent } from '../../db/ledger.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { itemOf } from '../../main/payment.ts'
import { finishOpen, purchase, witnessAfterSale } from '../../main/purchase/purchase.ts'
import type { CardChannel } from '../../main/reader/card-reader.ts'
import { connectIssuer } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import type { Terminal } from '../../main/terminal.ts'
import { openTerminal } from '../../main/terminal.ts'
import { toHex } from '../../protocol/bytes.ts'
import { watchLedger } from '../disk/durable-marks.ts'
import { type Mark, openMarks } from '../disk/marks.ts'
import { type Flow, isFlow } from './flow-names.ts'
import { world } from './world.ts'

const [dataDir = '', flow = '', issuerUrl = '', code = ''] = process.argv.slice(2)

let waiting: ((answer: Uint8Array) => void) | undefined
process.on('message', (answer: string) => waiting?.(new Uint8Array(Buffer.from(answer, 'hex'))))

const ask = (command: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve) => {
    waiting = resolve
    process.send?.(toHex(command))
  })

const cardIn = (mark: Mark): CardChannel => ({
  async transmit(command) {
    mark('apdu')
    const answer = await ask(command)
    mark('answer')
    return answer
  },
})

const markedFetch =
  (mark: Mark): typeof fetch =>
  async (...request) => {
    mark('request')
    const response = await fetch(...request)
    mark('response')
    return response
  }

/** What the customer has in the hand from then on. */
const handOver = (terminal: Terminal, payment: Intent, mark: Mark): void => {
  const goods = terminal.issued?.catalogue.goodsOf(itemOf(payment))
  if (goods === undefined) throw new Error('the goods are not here')
  mark(`handed ${toHex(payment.record)} ${goods.code ?? Buffer.from(goods.content ?? []).toString('utf8')}`)
}

type Printer = 'none' | 'works' | 'fails'

const sell = async (terminal: Terminal, mark: Mark, itemId: string, printer: Printer): Promise<void> => {
  const wanted = terminal.issued?.catalogue.prepare(itemId)
  if (wanted === undefined || typeof wanted === 'string') throw new Error(`nothing to sell: ${wanted}`)
  const channel = cardIn(mark)
  const print = async (payment: Intent): Promise<void> => {
    if (printer === 'fails') throw new Error('out of paper')
    handOver(terminal, payment, mark)
  }
  const outcome = await purchase(terminal, channel, wanted, printer === 'none' ? {} : { handOver: print })
  if (outcome.outcome !== 'captured' || outcome.goods !== 'due') return
  if (printer === 'none') handOver(terminal, outcome.payment, mark)
  terminal.ledger.markReleased(outcome.payment.terminalSeq)
  await witnessAfterSale(terminal, channel, outcome.payment)
}

const tap = async (terminal: Terminal, mark: Mark): Promise<void> => {
  const outcome = await finishOpen(terminal, cardIn(mark))
  if (outcome.outcome !== 'captured' || outcome.goods !== 'due') return
  handOver(terminal, outcome.payment, mark)
  terminal.ledger.markReleased(outcome.payment.terminalSeq)
}

const play = async (played: Flow, terminal: Terminal, mark: Mark): Promise<void> => {
  const client = connectIssuer(issuerUrl, { fetch: markedFetch(mark) })
  switch (played) {
    case 'document':
      return sell(terminal, mark, 'map', 'none')
    case 'code':
      return sell(terminal, mark, 'wifi', 'none')
    case 'printed':
      return sell(terminal, mark, 'wifi', 'works')
    case 'reversal':
      return sell(terminal, mark, 'wifi', 'fails')
    case 'load':
      await loadCard(terminal, client, cardIn(mark), { amountMinor: 700 })
      return
    case 'delivery':
    case 'recovery':
    case 'recoveryVoid':
      return tap(terminal, mark)
    case 'sync':
    case 'enrolment':
      await syncOnce(terminal, client)
      return
  }
}

if (!isFlow(flow)) throw new Error(`no such flow: ${flow}`)
const mark = openMarks(dataDir)
if (flow === 'enrolment') {
  await enrol({ dataDir, client: connectIssuer(issuerUrl, { fetch: markedFetch(mark) }), code })
  mark('enrolled')
}
const terminal = openTerminal(dataDir, world(1))
await play(flow, watchLedger(terminal, mark), mark)
mark('played')
terminal.close()
mark('closed')
process.exit(0)

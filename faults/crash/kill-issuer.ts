/** Kills an issuer at one file call after the other while it publishes, takes batches in, loads and enrols. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import * as v from 'valibot'
import { ledgerPath } from '../../db/open.ts'
import { storePath } from '../../issuer/store.ts'
import { enrol } from '../../main/enrol.ts'
import { loadCard } from '../../main/load.ts'
import { connectIssuer, IssuerRefused, IssuerUnreachable } from '../../main/sync/issuer-client.ts'
import { syncOnce } from '../../main/sync/sync.ts'
import { openTerminal } from '../../main/terminal.ts'
import { startOnFaultyDisk, untilEnd } from '../disk/disk-faults.ts'
import { parseRecording } from '../disk/recording.ts'
import { aftermath, type Handed, noteHanded } from './aftermath.ts'
import { buy } from './flows.ts'
import { copyTemplate, openShop, ShopCard, storeUrl, type Template, terminalFolder } from './shop.ts'
import { world } from './world.ts'

const program = path.join(import.meta.dirname, 'issuer-process.ts')
const readySchema = v.object({ url: v.string(), code: v.string() })

export interface IssuerBench {
  readonly template: Template
  readonly library: string
  readonly folder: string
}

/** What the terminal, which lives on, does with the issuer; stops where the issuer is gone. */
const trade = async (
  folder: string,
  cards: readonly [ShopCard, ShopCard],
  ready: v.InferOutput<typeof readySchema>,
  handed: Handed,
): Promise<void> => {
  const dataDir = terminalFolder(folder)
  const client = connectIssuer(ready.url)
  let terminal = openTerminal(dataDir, world(1))
  try {
    await syncOnce(terminal, client)
    await loadCard(terminal, client, cards[1].channel(), { amountMinor: 700 })
    const sold = await buy(terminal, cards[0].channel(), 'wifi')
    if (sold.outcome !== 'captured') throw new Error('not sold')
    noteHanded(
      handed,
      Buffer.from(sold.payment.record).toString('hex'),
      terminal.issued?.catalogue.goodsOf(JSON.parse(sold.payment.itemJson ?? ''))?.code ?? '',
    )
    terminal.ledger.markReleased(sold.payment.terminalSeq)
    terminal.close()
    await enrol({ dataDir, client, code: ready.code })
    terminal = openTerminal(dataDir, world(2))
    await syncOnce(terminal, client)
  } catch (error) {
    if (!(error instanceof IssuerUnreachable || error instanceof IssuerRefused)) throw error
  } finally {
    terminal.close()
  }
}

const waitUntilReady = async (child: ChildProcess): Promise<v.InferOutput<typeof readySchema> | undefined> => {
  const [message]: unknown[] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])])
  return message === undefined ? undefined : v.parse(readySchema, message)
}

/** @returns sentences: answers that the terminal holds and the issuer does not */
const forgotten = (folder: string): readonly string[] => {
  const ledger = new Database(ledgerPath(terminalFolder(folder)), { readonly: true })
  const store = new Database(storePath(storeUrl(folder)), { readonly: true })
  try {
    const known = new Set(
      store
        .prepare<[], Uint8Array>('SELECT ack FROM batch')
        .pluck()
        .all()
        .map((ack) => Buffer.from(ack).toString('hex')),
    )
    return ledger
      .prepare<[], Uint8Array>(`SELECT ack FROM batch WHERE verdict = 'taken'`)
      .pluck()
      .all()
      .flatMap((ack) => (known.has(Buffer.from(ack).toString('hex')) ? [] : ['the issuer forgot what it acknowledged']))
  } finally {
    ledger.close()
    store.close()
  }
}

/** @param step undefined: to the end @returns what is wrong, and whether it was killed */
export const killIssuerAt = async (
  bench: IssuerBench,
  step: number | undefined,
  record?: string,
): Promise<{ readonly killed: boolean; readonly problems: readonly string[] }> => {
  const folder = path.join(bench.folder, `issuer-${step ?? 'reference'}`)
  copyTemplate(bench.template, folder)
  const cards = [new ShopCard(bench.template.cards[0]), new ShopCard(bench.template.cards[1], 31)] as const
  const handed: Handed = new Map()
  const child = startOnFaultyDisk({
    library: bench.library,
    program,
    argv: [folder],
    folder: path.join(folder, 'issuer'),
    ...(step === undefined ? {} : { plan: { mode: 'killBefore', at: step } }),
    ...(record === undefined ? {} : { record }),
  })
  const end = untilEnd(child)
  const ready = await waitUntilReady(child)
  if (ready !== undefined) await trade(folder, cards, ready, handed)
  if (child.connected) child.send('stop', () => {})
  const ended = await end
  if (ended.signal !== 'SIGKILL' && ended.status !== 0) throw new Error(`the issuer failed: ${ended.stderr}`)
  const shop = await openShop(folder, [cards[0].state, cards[1].state])
  try {
    const problems = [...forgotten(folder), ...(await aftermath(shop, handed))]
    return {
      killed: ended.signal === 'SIGKILL',
      problems: problems.map((problem) => `issuer killed before step ${step}: ${problem}`),
    }
  } finally {
    await shop.close()
    rmSync(folder, { recursive: true })
  }
}

/** @returns how many file calls a whole run has */
export const issuerSteps = async (bench: IssuerBench): Promise<number> => {
  const log = path.join(bench.folder, 'issuer.log')
  const { killed, problems } = await killIssuerAt(bench, undefined, log)
  if (killed || problems.length > 0) throw new Error(`not killed, and yet: ${problems.join('; ')}`)
  return parseRecording(readFileSync(log), path.join(bench.folder, 'issuer-reference', 'issuer')).length
}

/**
 * A terminal on a disk that fails at the Nth call, N rising until a run completes, for each way to fail: runs with
 * disk-faults.c preloaded, and sets its plan itself, so that the disk is mended in the same process.
 *
 *     node failing-disk-process.ts FOLDER      FOLDER/try/terminal is on the failing disk; one line of JSON for each flow and mode
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { LedgerFault } from '../../db/open.ts'
import { enrol } from '../../main/enrol.ts'
import { IdentityFault } from '../../main/identity.ts'
import { loadCard } from '../../main/load.ts'
import { cutBatch, syncOnce } from '../../main/sync/sync.ts'
import type { Terminal } from '../../main/terminal.ts'
import { toHex } from '../../protocol/bytes.ts'
import {
  bookProblems,
  bringInStep,
  goodsProblems,
  type Handed,
  ledgerProblems,
  noteHanded,
  sellTo,
  tapAgain,
} from '../crash/aftermath.ts'
import { buy, templateOf } from '../crash/flows.ts'
import { copyTemplate, openShop, type Shop, type Template, terminalFolder } from '../crash/shop.ts'
import { type FaultPlan, planText, soak } from './disk-faults.ts'

const [folder = ''] = process.argv.slice(2)
const own = path.join(folder, 'try')

const modes: readonly Omit<FaultPlan, 'at'>[] = [
  { mode: 'full', lasting: true },
  { mode: 'io' },
  { mode: 'readOnly', lasting: true },
  { mode: 'short' },
  { mode: 'shortFull', lasting: true },
  { mode: 'sync' },
  { mode: 'dead' },
]

/** What happened to one try, and what of it must not be. */
interface Try {
  readonly shop: Shop
  readonly handed: Handed
}

interface Trial {
  readonly template: 'delivery' | 'sync' | 'enrolment' | 'recovery'
  /** Whether the terminal runs when the disk begins to fail. */
  readonly running: boolean
  /** The test command fails every so many calls; FARTHING_SOAK=1 all. Absent: `strideElsewhere`. */
  readonly stride?: number
  /** @throws what the disk's failing makes of it */
  run(at: Try, terminal: Terminal | undefined): Promise<void>
}

const strideElsewhere = 3

const trials: Readonly<Record<string, Trial>> = {
  sale: {
    template: 'sync',
    running: true,
    async run({ shop, handed }, terminal) {
      if (terminal === undefined) return
      const outcome = await buy(terminal, shop.cards[0].channel(), 'wifi')
      if (outcome.outcome !== 'captured') throw new Error(`not sold: ${outcome.outcome}`)
      const goods = terminal.issued?.catalogue.goodsOf(JSON.parse(outcome.payment.itemJson ?? ''))
      noteHanded(handed, toHex(outcome.payment.record), goods?.code ?? '')
      terminal.ledger.markReleased(outcome.payment.terminalSeq)
    },
  },
  recovery: {
    template: 'recovery',
    running: true,
    async run({ shop, handed }, terminal) {
      if (terminal === undefined) return
      const problems = await tapAgain(terminal, shop.cards[0], handed)
      if (problems.length > 0) throw new Error(problems.join('; '))
    },
  },
  cut: {
    template: 'sync',
    running: true,
    async run(_, terminal) {
      if (terminal !== undefined) while (cutBatch(terminal));
    },
  },
  acknowledgement: {
    template: 'sync',
    running: true,
    async run({ shop }, terminal) {
      if (terminal !== undefined) await syncOnce(terminal, shop.client)
    },
  },
  start: {
    template: 'sync',
    running: false,
    async run({ shop }) {
      shop.openTerminal(1).close()
    },
  },
  firstStart: {
    template: 'enrolment',
    running: false,
    stride: 18,
    async run({ shop }) {
      const dataDir = terminalFolder(shop.folder)
      await enrol({ dataDir, client: shop.client, code: await shop.enrolmentCode() })
      const terminal = shop.openTerminal(1)
      try {
        await syncOnce(terminal, shop.client)
      } finally {
        terminal.close()
      }
    },
  },
}

const setPlan = (plan: FaultPlan | undefined): void => {
  delete process.env.FARTHING_DISK_FIRED
  process.env.FARTHING_DISK_PLAN = plan === undefined ? '' : planText(plan)
}

/** A fault of the world, told as one: never a bug's assertion, never a bare SQLite error. */
const nameOf = (error: unknown): string | undefined => {
  if (error instanceof LedgerFault) return error.code === 'storage' ? 'LedgerFault storage' : undefined
  if (error instanceof IdentityFault) return /cannot be read/.test(error.message) ? 'IdentityFault' : undefined
  if (error instanceof Error && 'syscall' in error && 'code' in error) return `${error.code}`
  return undefined
}

/** Files that a failing disk must not leave by half under their name. */
const halves = (shop: Shop, template: Template): readonly string[] => {
  const goods = path.join(terminalFolder(shop.folder), 'goods')
  const real = path.join(template.folder, 'issuer', 'issuer.db.goods')
  return (existsSync(goods) ? readdirSync(goods) : []).flatMap((name) =>
    name.endsWith('.part') || readFileSync(path.join(goods, name)).equals(readFileSync(path.join(real, name)))
      ? []
      : [`the goods ${name} are there by half`],
  )
}

/** The disk is mended, the process goes on: the next tap tells the truth, and the terminal sells. */
const goOn = async (at: Try, terminal: Terminal): Promise<readonly string[]> => {
  const { shop, handed } = at
  const problems = [...(await tapAgain(terminal, shop.cards[0], handed)), ...ledgerProblems(shop)]
  const [card] = shop.cards
  if (card.balanceMinor === 0) await loadCard(terminal, shop.client, card.channel(), { amountMinor: 2000 })
  await sellTo(terminal, card, 'map', handed)
  return [...problems, ...ledgerProblems(shop), ...goodsProblems(shop, handed)]
}

/** The same after a restart; and where it is asked for, the issuer's books. */
const startAgain = async (at: Try, withBooks: boolean): Promise<readonly string[]> => {
  const { shop } = at
  const dataDir = terminalFolder(shop.folder)
  if (!existsSync(path.join(dataDir, 'terminal.json')))
    await enrol({ dataDir, client: shop.client, code: await shop.enrolmentCode() })
  let terminal = shop.openTerminal(3)
  try {
    const problems = terminal.issued === undefined ? [] : [...(await goOn(at, terminal))]
    if (withBooks) {
      terminal = await bringInStep(shop, terminal)
      problems.push(...(await bookProblems(shop, terminal)))
    }
    return problems
  } finally {
    terminal.close()
  }
}

/** How often the books are settled too: it takes an issuer's time. */
const booksEvery = 7

const tryOnce = async (trial: Trial, template: Template, plan: FaultPlan) => {
  copyTemplate(template, own)
  const shop = await openShop(own, template.cards)
  const at: Try = { shop, handed: new Map() }
  const terminal = trial.running ? shop.openTerminal(1) : undefined
  const problems: string[] = []
  let told = 'nothing'
  setPlan(plan)
  try {
    await trial.run(at, terminal)
  } catch (error) {
    const name = nameOf(error)
    told = name ?? 'other'
    if (name === undefined) problems.push(`told as ${String(error)}`)
  }
  const fired = process.env.FARTHING_DISK_FIRED
  setPlan(undefined)
  try {
    problems.push(...halves(shop, template))
    if (terminal !== undefined) problems.push(...ledgerProblems(shop), ...(await goOn(at, terminal)))
    terminal?.close()
    problems.push(...(await startAgain(at, plan.at % booksEvery === 0)))
  } catch (error) {
    problems.push(`after the disk was mended: ${error instanceof Error ? error.stack : String(error)}`)
    terminal?.close()
  }
  await shop.close()
  rmSync(own, { recursive: true })
  return { fired, told, problems: problems.map((problem) => `${planText(plan)} (${fired}): ${problem}`) }
}

const tryAll = async (name: string, trial: Trial, template: Template): Promise<void> => {
  for (const [nth, mode] of modes.entries()) {
    const told: Record<string, number> = {}
    const problems: string[] = []
    const stride = soak ? 1 : (trial.stride ?? strideElsewhere)
    let tries = 0
    // A disk that is read-only or dead may be so from the beginning. Each way to fail begins at another call.
    const first = 1 + (nth % stride)
    let at = mode.mode === 'readOnly' || mode.mode === 'dead' ? 0 : first
    for (;;) {
      const done = await tryOnce(trial, template, { ...mode, at })
      if (done.fired === undefined) {
        problems.push(...done.problems)
        break
      }
      told[done.told] = (told[done.told] ?? 0) + 1
      problems.push(...done.problems)
      tries += 1
      at += at === 0 ? first : stride
    }
    const how = `${mode.mode}${mode.lasting ? ', lasting' : ''}`
    console.log(JSON.stringify({ flow: name, mode: how, tries, told, problems }))
  }
}

const templates = new Map<string, Template>()
for (const [name, trial] of Object.entries(trials)) {
  const at = path.join(folder, trial.template)
  const template = templates.get(trial.template) ?? (await templateOf(trial.template, at))
  templates.set(trial.template, template)
  await tryAll(name, trial, template)
}
process.exit(0)

/** `farthing issuer keys ...` and `farthing issuer limits ...`: what a person decides for all terminals. */
import { Command } from 'commander'
import { newestBulletin, setTerms, type Terms, validSecondsOf } from '../issuer/bulletin-publisher.ts'
import {
  endTerminalVersion,
  keyState,
  retirePayVersion,
  rotateMasters,
  rotateSigningKey,
} from '../issuer/key-rotation.ts'
import type { Limits } from '../protocol/bulletin.ts'
import { formatAmount, parseAmount } from '../protocol/currency.ts'
import { count, days, version } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { CliError, exitStatus, result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

const daySeconds = 86_400

export const keysCommands = (): Command => {
  const keys = new Command('keys').description('versions of the keys of cards, terminals and bulletins')

  keys
    .command('list')
    .description('which versions there are, and who depends on each')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const state = await keyState(issuer)
        result(options, state, () =>
          [
            table(
              ['version', 'active cards', 'cards', 'terminals', 'their seals'],
              state.versions.map((row) => [
                `${row.version}${row.newest ? ' (newest)' : ''}`,
                String(row.activeCards),
                row.cardsRetired ? 'refused' : 'taken',
                String(row.terminals),
                row.terminalsEnded ? 'ended' : 'taken',
              ]),
            ),
            `Bulletins are signed with key version ${state.signingKeyVersion}.`,
          ].join('\n'),
        )
      }),
    )

  for (const [name, description, rotate, afterwards] of [
    [
      'rotate',
      'add a version of the master keys, for new cards and for the seals of all terminals',
      rotateMasters,
      'Terminals take it up with their next sync. Wait for them before you give out new cards: one that is still offline does not know these.',
    ],
    [
      'rotate-signing',
      'sign bulletins with a new key, which the old one names',
      rotateSigningKey,
      'Terminals follow with their next sync, however long they were away.',
    ],
  ] as const)
    keys
      .command(name)
      .description(description)
      .requiredOption(...storeOption)
      .action((options: StoreOptions) =>
        withIssuer(options.store, async (issuer) => {
          const rotated = await rotate(issuer, commandCaller().name)
          result(options, rotated, () =>
            [
              `Key version ${rotated.keyVersion} is in use${rotated.serial === undefined ? '' : `, and bulletin ${rotated.serial} says so`}.`,
              `Back the new keys up. Those of before are kept in ${rotated.keptAs}: move them to your backup, or destroy them.`,
              afterwards,
            ].join('\n'),
          )
        }),
      )

  keys
    .command('retire <version>')
    .description('refuse cards that have keys of this version, at every terminal that gets the bulletin')
    .requiredOption(...storeOption)
    .option('--force', 'although active cards have it')
    .action((text: string, options: StoreOptions & { force?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const done = await retirePayVersion(
          issuer,
          version(text),
          { force: options.force === true },
          commandCaller().name,
        )
        result(options, done, () => `Cards of version ${text} are refused from now on: ${done.cards} active ones.`)
      }),
    )

  keys
    .command('end-terminal-version <version>')
    .description('take nothing more that is sealed with terminal keys up to this version')
    .requiredOption(...storeOption)
    .option('--force', 'although terminals have shown no later one: they have to be enrolled again')
    .action((text: string, options: StoreOptions & { force?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const done = await endTerminalVersion(
          issuer,
          version(text),
          { force: options.force === true },
          commandCaller().name,
        )
        result(
          options,
          done,
          () => `Terminal keys up to version ${text} have ended. ${done.terminals} terminals had shown no later one.`,
        )
      }),
    )
  return keys
}

const amounts = {
  sale: ['saleMinorMax', 'the most that one sale costs'],
  staleSale: ['staleSaleMinorMax', 'the same with a bulletin older than --stale-days'],
  cardUnsynced: ['cardUnsyncedMinorMax', 'the most that one card spends at a terminal before it syncs again'],
  unsynced: ['unsyncedMinorMax', 'the most that a terminal takes before it syncs again'],
} as const
const periods = {
  staleDays: ['staleAfterSeconds', 'when a bulletin counts as old'],
  unsyncedDays: ['unsyncedSecondsMax', 'how long a terminal sells on without an acknowledgement'],
} as const
type AmountName = keyof typeof amounts
type PeriodName = keyof typeof periods

const flag = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const termsText = (terms: { limits: Limits; validSeconds: number; claimSeconds: number }, currency: string): string =>
  table(
    ['', '', ''],
    [
      ...Object.entries(amounts).map(([name, [field, what]]) => [
        flag(name),
        formatAmount(terms.limits[field], currency),
        what,
      ]),
      ['--unsynced-sales', String(terms.limits.unsyncedCountMax), 'how many entries wait before a terminal stops'],
      ...Object.entries(periods).map(([name, [field, what]]) => [
        flag(name),
        String(terms.limits[field] / daySeconds),
        what,
      ]),
      ['--days', String(terms.validSeconds / daySeconds), 'how long a bulletin is good for'],
      ['--claim-days', String(terms.claimSeconds / daySeconds), 'how long a claim stands'],
    ],
  )

export const limitsCommands = (): Command => {
  const limits = new Command('limits').description('what terminals may do while nobody sees them')

  limits
    .command('show')
    .description('the limits and terms of the newest bulletin')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const newest = await issuer.store.read((db) => newestBulletin(issuer, db))
        if (newest === undefined) throw new CliError(exitStatus.refused, 'Nothing is published yet.')
        const { limits: set, claimSeconds } = newest.bulletin
        const terms = { limits: set, claimSeconds, validSeconds: validSecondsOf(newest.bulletin) }
        result(options, terms, () => termsText(terms, issuer.book.currency))
      }),
    )

  const set = limits
    .command('set')
    .description('change some of them, in a new bulletin at once')
    .requiredOption(...storeOption)
    .option('--unsynced-sales <n>', 'how many entries wait before a terminal stops', count)
    .option('--days <n>', 'how long a bulletin is good for', days)
    .option('--claim-days <n>', 'how long a claim stands', days)
  for (const [name, [, what]] of Object.entries(amounts)) set.option(`${flag(name)} <amount>`, what)
  for (const [name, [, what]] of Object.entries(periods)) set.option(`${flag(name)} <n>`, what, days)
  set.action(
    (
      options: StoreOptions &
        Partial<Record<AmountName, string>> &
        Partial<Record<PeriodName, number>> & { unsyncedSales?: number; days?: number; claimDays?: number },
    ) =>
      withIssuer(options.store, async (issuer) => {
        const { currency } = issuer.book
        const changed: { -readonly [Field in keyof Limits]?: Limits[Field] } = {}
        for (const name of Object.keys(amounts) as AmountName[]) {
          const amount = options[name]
          if (amount !== undefined) changed[amounts[name][0]] = parseAmount(amount, currency)
        }
        for (const name of Object.keys(periods) as PeriodName[]) {
          const period = options[name]
          if (period !== undefined) changed[periods[name][0]] = period * daySeconds
        }
        if (options.unsyncedSales !== undefined) changed.unsyncedCountMax = options.unsyncedSales
        const terms: Terms = {
          limits: changed,
          ...(options.days === undefined ? {} : { validSeconds: options.days * daySeconds }),
          ...(options.claimDays === undefined ? {} : { claimSeconds: options.claimDays * daySeconds }),
        }
        if (Object.keys(changed).length === 0 && Object.keys(terms).length === 1)
          throw new CliError(exitStatus.usage, 'Say what to change: --sale 20.00, for example.')
        const { serial, bulletin } = await setTerms(issuer, terms, commandCaller().name)
        const now = {
          limits: bulletin.limits,
          claimSeconds: bulletin.claimSeconds,
          validSeconds: validSecondsOf(bulletin),
        }
        result(options, { serial, ...now }, () => `${termsText(now, currency)}\nBulletin ${serial} says so.`)
      }),
  )
  return limits
}

/** `farthing issuer ...`: the bank's side. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import * as v from 'valibot'
import { clockTimes } from '../issuer/business-days.ts'
import { createEnrolmentCode } from '../issuer/enrolment.ts'
import { explain } from '../issuer/explain/explain.ts'
import { plural } from '../issuer/explain/terminals.ts'
import { isoTime } from '../issuer/iso-times.ts'
import { createStore, type Issuer, openIssuer } from '../issuer/issuer.ts'
import { mastersSchema } from '../issuer/issuer-keys.ts'
import {
  addCard,
  addMerchant,
  addTerminal,
  listMerchants,
  listTerminals,
  nameTerminal,
  retireTerminal,
} from '../issuer/parties.ts'
import { type CountAndAmount, type CourierFigures, report } from '../issuer/report.ts'
import { serve } from '../issuer/server.ts'
import { makeSetupCode } from '../issuer/setup-code.ts'
import { setBrand } from '../issuer/shelf/brand.ts'
import { shownAddress } from '../issuer/store-address.ts'
import { unreportedSince } from '../issuer/unreported.ts'
import { formatAmount } from '../protocol/currency.ts'
import { cardId, terminalId, unixTime } from '../protocol/quantities.ts'
import { day, id8, port } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { addIssuerCardLife } from './card-life.ts'
import { caseCommands } from './cases.ts'
import { auditCommands, userCommands } from './console-users.ts'
import { explanationText, terminalText } from './explain-text.ts'
import { fundingCommands, fundingText } from './funding.ts'
import { addClosingCommands, unreportedLines } from './issuer-closing.ts'
import { keysCommands, limitsCommands } from './issuer-keys.ts'
import { operatorCommands } from './operators.ts'
import { CliError, exitStatus, line, note, result } from './output.ts'
import { addRebuild } from './rebuild.ts'
import { readShown } from './shown-file.ts'
import { onStop } from './stop.ts'
import { table } from './table.ts'

export const issuerWorld = {
  clock: () => unixTime(Math.floor(Date.now() / 1000)),
  randomBytes: (count: number) => Uint8Array.from(randomBytes(count)),
}

/** Opens the store, does the work, closes it. */
export const withIssuer = async <Result>(url: string, work: (issuer: Issuer) => Promise<Result>): Promise<Result> => {
  const issuer = await openIssuer({ url, ...issuerWorld })
  try {
    return await work(issuer)
  } finally {
    await issuer.store.close()
  }
}

export const storeOption = [
  '--store <url>',
  'where the issuer keeps its books: sqlite:PATH or postgres://USER@HOST/DATABASE',
] as const

const readMasters = (file: string): v.InferOutput<typeof mastersSchema> => {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new CliError(exitStatus.usage, `${file} is not a readable JSON file of master keys.`)
  }
  const parsed = v.safeParse(v.object(mastersSchema.entries), value)
  if (!parsed.success)
    throw new CliError(
      exitStatus.usage,
      `${file} must hold {"pay", "settle", "load", "terminal"}, each 64 lower-case hex digits.`,
    )
  return parsed.output
}

const metricsTokenLettersMin = 16

const metricsTokenOf = (token: string | undefined): { metricsToken?: string } => {
  if (token === undefined || token === '') return {}
  if (token.length < metricsTokenLettersMin)
    throw new CliError(
      exitStatus.usage,
      `FARTHING_METRICS_TOKEN has ${metricsTokenLettersMin} letters or more: choose a longer one.`,
    )
  return { metricsToken: token }
}

interface StoreOptions {
  store: string
  json?: boolean
}

export const issuerCommands = (): Command => {
  const issuer = new Command('issuer').description('the bank: keys, books, settlement')

  issuer
    .command('init')
    .description('make a new store and its keys')
    .requiredOption(...storeOption)
    .requiredOption('--currency <letters>', 'the one currency of the book, such as EUR')
    .option('--time-zone <name>', 'whose days are business days', 'UTC')
    .option('--dev <file>', 'take published master keys from this JSON file: play money only')
    .action(async (options: StoreOptions & { currency: string; timeZone: string; dev?: string }) => {
      const masters = options.dev === undefined ? undefined : readMasters(options.dev)
      const made = await createStore({
        url: options.store,
        currency: options.currency,
        timeZone: options.timeZone,
        ...(masters === undefined ? {} : { masters }),
        ...issuerWorld,
      })
      await made.store.close()
      if (masters !== undefined)
        note('WARNING: these master keys are published. Anybody can make money with them: for development only.')
      const store = shownAddress(options.store)
      result(options, { store, currency: options.currency, dev: masters !== undefined }, () =>
        [
          `Made ${store} in ${options.currency}.`,
          `Its keys are in ${made.store.files.keys}: back them up apart from the store, and show them to nobody.`,
          'Next: farthing issuer merchant add NAME, then farthing issuer terminal add --merchant NAME.',
        ].join('\n'),
      )
    })

  issuer
    .command('serve')
    .description('answer terminals and phones over HTTP')
    .requiredOption(...storeOption)
    .requiredOption('--port <n>', 'on this machine; 0 takes a free one', port)
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--public-url <url>', "where customers' phones reach it; the claims' QR codes lead there")
    .action(async (options: StoreOptions & { port: number; host: string; publicUrl?: string }) => {
      const opened = await openIssuer({ url: options.store, ...issuerWorld })
      try {
        const server = await serve({
          issuer: opened,
          port: options.port,
          host: options.host,
          ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
          ...metricsTokenOf(process.env.FARTHING_METRICS_TOKEN),
        })
        const setupCode = await makeSetupCode(opened)
        if (setupCode !== undefined)
          note(
            `The console has no user yet: open ${server.url}/console and give the set-up code ${setupCode} (24 hours).`,
          )
        line(JSON.stringify({ ready: true, url: server.url, pid: process.pid }))
        await onStop()
        await server.close()
      } finally {
        await opened.store.close()
      }
    })

  const merchant = issuer.command('merchant').description('who sells')
  merchant
    .command('add <name>')
    .description('add a merchant')
    .requiredOption(...storeOption)
    .action((name: string, options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const added = await addMerchant(opened, name, commandCaller())
        result(options, added, () => `${added.added ? 'Added' : 'Already there:'} merchant "${added.merchant}".`)
      }),
    )

  merchant
    .command('brand <name>')
    .description('by what his kiosks are recognised, from the next publish on')
    .requiredOption(...storeOption)
    .option('--logo <file>', 'PNG, JPEG, WebP or SVG of up to 128 KiB; "none": no longer')
    .option('--accent <colour>', 'such as "#1f6f5c"; "none": no longer')
    .action((name: string, options: StoreOptions & { logo?: string; accent?: string }) =>
      withIssuer(options.store, async (opened) => {
        const { logo, accent } = options
        const brand = await setBrand(
          opened,
          name,
          {
            ...(logo === undefined ? {} : { logo: logo === 'none' ? null : await readShown(logo) }),
            ...(accent === undefined ? {} : { accent: accent === 'none' ? null : accent }),
          },
          commandCaller().name,
        )
        result(options, brand, () => `"${brand.merchant}" is recognised by that. Next: farthing catalogue publish.`)
      }),
    )

  merchant
    .command('list')
    .description('all merchants, and how many terminals each has')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const merchants = await listMerchants(opened)
        result(options, { merchants }, () =>
          table(
            ['merchant', 'terminals'],
            merchants.map((row) => [row.merchant, String(row.terminals)]),
          ),
        )
      }),
    )

  addClosingCommands({ issuer, merchant }, { storeOption, withIssuer })

  const terminal = issuer.command('terminal').description('where it is sold')
  terminal
    .command('add')
    .description('add a terminal, or give one that is known a new enrolment code')
    .requiredOption(...storeOption)
    .option('--merchant <name>', 'whose terminal it is')
    .option('--id <hex>', 'a terminal that is known: 16 hex digits', id8)
    .option('--name <text>', 'what people call it, such as "Pier 3"')
    .action((options: StoreOptions & { merchant?: string; id?: string; name?: string }) =>
      withIssuer(options.store, async (opened) => {
        if (options.merchant === undefined && options.id === undefined)
          throw new CliError(exitStatus.usage, 'Say whose terminal it is: --merchant NAME.')
        if (options.merchant === undefined && options.name !== undefined)
          throw new CliError(exitStatus.usage, 'Name a known terminal with "farthing issuer terminal name ID NAME".')
        const added =
          options.merchant === undefined
            ? { terminalId: terminalId(options.id ?? '') }
            : await addTerminal(
                opened,
                {
                  merchant: options.merchant,
                  ...(options.id === undefined ? {} : { terminalId: terminalId(options.id) }),
                  ...(options.name === undefined ? {} : { name: options.name }),
                },
                commandCaller(),
              )
        const made = await createEnrolmentCode(opened, added.terminalId, commandCaller())
        const code = { code: made.code, expiresAt: isoTime(made.expiresAt) }
        result(options, { terminalId: added.terminalId, ...code }, () =>
          [
            `Terminal ${added.terminalId}`,
            `Enrolment code ${code.code} (until ${clockTimes(opened.book.timeZone)(made.expiresAt)}, once)`,
            'Next, on the terminal: farthing terminal enrol --data DIR --issuer URL --code -   (it asks for the code)',
          ].join('\n'),
        )
      }),
    )

  terminal
    .command('name <id> <name>')
    .description('what people call it, such as "Pier 3"; "" takes the name away')
    .requiredOption(...storeOption)
    .action((id: string, name: string, options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const named = await nameTerminal(opened, {
          terminalId: terminalId(id8(id)),
          ...(name.trim() === '' ? {} : { name }),
          by: commandCaller().name,
        })
        result(options, named, () =>
          named.name === undefined
            ? `Terminal ${named.terminalId} has no name.`
            : `Terminal ${named.terminalId} is "${named.name}".`,
        )
      }),
    )

  terminal
    .command('list')
    .description('all terminals, and when each last reported')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const terminals = await listTerminals(opened)
        const clock = clockTimes(opened.book.timeZone)
        const shown = terminals.map(({ reportedAt, ...row }) => ({
          ...row,
          ...(reportedAt === undefined ? {} : { reportedAt: isoTime(reportedAt) }),
        }))
        result(options, { terminals: shown }, () =>
          table(
            ['id', 'name', 'merchant', 'epoch', 'last report'],
            terminals.map((row) => [
              row.terminalId,
              row.name ?? '',
              row.merchant,
              row.epoch === 0 ? 'not enrolled' : String(row.epoch),
              `${row.reportedAt === undefined ? 'never' : clock(row.reportedAt)}${row.retired ? ', out of use' : ''}`,
            ]),
          ),
        )
      }),
    )

  terminal
    .command('retire <id>')
    .description('take a terminal out of use: nobody waits for its reports any more')
    .requiredOption(...storeOption)
    .option('--undo', 'it is in use again')
    .action((id: string, options: StoreOptions & { undo?: boolean }) =>
      withIssuer(options.store, async (opened) => {
        const retired = options.undo !== true
        const change = { terminalId: terminalId(id8(id)), retired, by: commandCaller().name }
        const done = await retireTerminal(opened, change)
        result(
          options,
          done,
          () =>
            `Terminal ${done.terminalId} is ${retired ? 'out of use: what it sends is taken all the same' : 'in use'}.`,
        )
      }),
    )

  const card = issuer.command('card').description('who pays')
  card
    .command('add')
    .description('register a card that was personalised elsewhere, with a balance of 0')
    .requiredOption(...storeOption)
    .requiredOption('--id <hex>', 'the card: 16 hex digits', id8)
    .action((options: StoreOptions & { id: string }) =>
      withIssuer(options.store, async (opened) => {
        await addCard(opened, { cardId: cardId(options.id) }, commandCaller())
        result(options, { cardId: options.id }, () => `Card ${options.id} is registered.`)
      }),
    )

  addIssuerCardLife(card)
  for (const command of fundingCommands()) issuer.addCommand(command)

  issuer
    .command('report')
    .description('what was taken, by terminal and merchant, and whether it adds up')
    .requiredOption(...storeOption)
    .option('--day <day>', 'one business day; absent: all', day)
    .action((options: StoreOptions & { day?: string }) =>
      withIssuer(options.store, async (opened) => {
        const { currency } = opened.book
        const reported = await report(opened, options.day === undefined ? {} : { day: options.day })
        const missed = await unreportedSince(opened, options.day)
        result(options, { ...reported, unreported: missed }, () =>
          [reportText(reported, currency), ...unreportedLines(missed, currency)].join('\n\n'),
        )
      }),
    )

  issuer
    .command('explain')
    .description('every discrepancy of a day: card, counter, terminal, amount, cause, and what to do')
    .requiredOption(...storeOption)
    .option('--day <day>', 'one business day; absent: all', day)
    .action((options: StoreOptions & { day?: string }) =>
      withIssuer(options.store, async (opened) => {
        const explained = await explain(opened, options.day === undefined ? {} : { day: options.day })
        result(options, explained, () => explanationText(explained))
      }),
    )
  issuer.addCommand(userCommands())
  issuer.addCommand(auditCommands())
  issuer.addCommand(keysCommands())
  issuer.addCommand(limitsCommands())
  issuer.addCommand(operatorCommands())
  addRebuild(issuer)
  issuer.addCommand(caseCommands(withIssuer, storeOption))
  return issuer
}

type Hole = Awaited<ReturnType<typeof report>>['cards'][number]['holes'][number]

const holeText = (hole: Hole, money: (minor: number) => string): string => {
  const { counter, lastCounter, amountMinor, direction } = hole
  const which = lastCounter === undefined ? `#${counter} is missing` : `#${counter} to #${lastCounter} are missing`
  const sum = money(amountMinor)
  switch (hole.explanation) {
    case 'nothing':
      return `${which}, nothing was moved`
    case 'debit':
      return `${which}, a payment of ${sum}: in suspense`
    case 'reversal':
      return `${which}, taken for the reversal of ${sum} just before`
    case 'unexplained':
    case 'discrepancy':
      return `${which}, ${sum} ${direction === 'credit' ? 'came onto' : 'left'} the card: in holes`
  }
}

const courierText = ({ witness, claim }: CourierFigures, sales: (figure: CountAndAmount) => string): string[] => {
  const by = [
    ...(witness.count === 0 ? [] : [`${sales(witness)} by witnesses`]),
    ...(claim.count === 0 ? [] : [`${sales(claim)} by claims`]),
  ]
  return by.length === 0 ? [] : [`brought by couriers alone are ${by.join(' and ')}`]
}

/** The report as a page of text. */
export const reportText = (reported: Awaited<ReturnType<typeof report>>, currency: string): string => {
  const money = (minor: number) => formatAmount(minor, currency)
  const sales = ({ count, amountMinor }: CountAndAmount) => `${plural(count, 'sale')} for ${money(amountMinor)}`
  const terminals = table(
    [
      'terminal',
      'merchant',
      'sales',
      `taken ${currency}`,
      'by couriers',
      'reversed',
      'given back',
      'in doubt',
      'exceptions',
      'held',
      'earned',
    ],
    reported.terminals.map((row) => [
      terminalText(row),
      row.merchant,
      String(row.taken.count),
      money(row.taken.amountMinor),
      money(row.couriers.witness.amountMinor + row.couriers.claim.amountMinor),
      money(row.reversed.amountMinor),
      money(row.moneyBack.amountMinor),
      String(row.inDoubt),
      String(row.exceptions.length),
      money(row.heldMinor),
      money(row.earnedMinor),
    ]),
  )
  const articles = table(
    ['article', 'title', 'sales', `taken ${currency}`],
    (reported.articles ?? []).map((row) => [row.itemId, row.title, String(row.count), money(row.amountMinor)]),
  )
  const cards = table(
    ['card', `loaded ${currency}`, 'spent', 'balance', 'counter', 'holes', 'alarms'],
    reported.cards.map((row) => [
      row.cardId,
      money(row.loadedMinor),
      money(row.spentMinor),
      money(row.balanceMinor),
      String(row.counter),
      String(row.holes.length),
      String(row.alarms.length),
    ]),
  )
  const merchants = table(
    [
      'merchant',
      'sales',
      `taken ${currency}`,
      'reversed',
      'in doubt',
      'exceptions',
      'owed now',
      'of it held',
      'cash owed for loads',
    ],
    reported.merchants.map((row) => [
      row.merchant,
      String(row.taken.count),
      money(row.taken.amountMinor),
      money(row.reversed.amountMinor),
      String(row.inDoubt),
      String(row.exceptions),
      money(row.owedMinor),
      money(row.heldMinor),
      money(row.cashOwedMinor),
    ]),
  )
  const open = [
    ...reported.terminals.flatMap((row) => [
      ...row.exceptions.map(
        ({ entry, reason, cardId: card, counter, amountMinor }) =>
          `terminal ${terminalText(row)}, entry ${entry}: ${reason}${card === undefined ? '' : `, card ${card} #${counter}`}${amountMinor === undefined ? '' : `, ${money(amountMinor)}`}`,
      ),
      ...courierText(row.couriers, sales).map((each) => `terminal ${terminalText(row)}: ${each}`),
      ...(row.heldMinor === 0
        ? []
        : [`terminal ${terminalText(row)}: ${money(row.heldMinor)} held until what follows on the card is known`]),
      ...(row.owedGoods.count === 0
        ? []
        : [`terminal ${terminalText(row)}: ${sales(row.owedGoods)}, whose goods are owed by claim`]),
      ...(row.withheldUnits.count === 0
        ? []
        : [
            `terminal ${terminalText(row)}: ${row.withheldUnits.count} codes worth ${money(row.withheldUnits.amountMinor)} withheld, since its lost ledger may have sold them: farthing catalogue withheld`,
          ]),
      ...(row.owedBack.count === 0
        ? []
        : [
            `terminal ${terminalText(row)}: ${money(row.owedBack.amountMinor)} of loads that never reached a card, to be given back`,
          ]),
      ...row.alarms.map(({ kind }) => `terminal ${terminalText(row)}: ALARM ${kind}`),
    ]),
    ...reported.cards.flatMap((row) => [
      ...row.holes.map((hole) => `card ${row.cardId}: ${holeText(hole, money)}`),
      ...row.alarms.map(
        ({ kind, counter }) => `card ${row.cardId}: ALARM ${kind}${counter === undefined ? '' : ` at #${counter}`}`,
      ),
    ]),
  ]
  const hint = 'By cause, with the likely terminal and what to do: farthing issuer explain.'
  const work = open.length === 0 ? 'Nothing is open.' : `Open:\n${open.map((each) => `  ${each}`).join('\n')}\n${hint}`
  const balance =
    reported.trialBalanceMinor === 0
      ? 'The books balance.'
      : `THE BOOKS DO NOT BALANCE: ${money(reported.trialBalanceMinor)} ${currency}. Stop, and call whoever runs the issuer.`
  const sold = reported.articles === undefined || reported.articles.length === 0 ? [] : [articles]
  return [terminals, ...sold, merchants, cards, fundingText(reported.funding, currency), work, balance].join('\n\n')
}

/** `farthing catalogue assortment ...`: which terminal sells what. */
import { Command } from 'commander'
import {
  giveAssortment,
  listAssortments,
  removeAssortment,
  setAssortment,
  terminalAssortments,
} from '../issuer/assortments.ts'
import { terminalId } from '../protocol/quantities.ts'
import { id8 } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

const next = 'Next: farthing catalogue publish.'

export const assortmentCommands = (): Command => {
  const assortment = new Command('assortment').description(
    'which terminal sells what; one without an assortment sells everything',
  )

  assortment
    .command('list')
    .description('the assortments, and which terminal has which')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const assortments = await listAssortments(issuer)
        const terminals = await terminalAssortments(issuer)
        result(options, { assortments, terminals }, () =>
          [
            table(
              ['assortment', 'terminals', 'articles'],
              assortments.map(({ name, terminals: count, items }) => [name, String(count), items.join(' ')]),
            ),
            table(
              ['terminal', 'merchant', 'assortment', 'until the next publish'],
              terminals.map((row) => [
                row.terminalId,
                row.merchant,
                row.assortment ?? 'everything',
                row.assortment === row.published ? '' : (row.published ?? 'everything'),
              ]),
            ),
          ].join('\n\n'),
        )
      }),
    )

  assortment
    .command('set <name> [items...]')
    .description('make an assortment of these articles, or change it to them')
    .requiredOption(...storeOption)
    .action((name: string, items: string[], options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const { outcome } = await setAssortment(issuer, { name, items }, commandCaller().name)
        result(
          options,
          { name, items, outcome },
          () => `Assortment ${name}: ${outcome}, ${items.length} articles. ${next}`,
        )
      }),
    )

  assortment
    .command('remove <name>')
    .description('remove an assortment that no terminal has')
    .requiredOption(...storeOption)
    .action((name: string, options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        await removeAssortment(issuer, name, commandCaller().name)
        result(options, { name }, () => `Assortment ${name} is removed. ${next}`)
      }),
    )

  assortment
    .command('give [name]')
    .description('give a terminal an assortment; without a name: everything')
    .requiredOption(...storeOption)
    .requiredOption('--terminal <hex>', '16 hex digits', id8)
    .action((name: string | undefined, options: StoreOptions & { terminal: string }) =>
      withIssuer(options.store, async (issuer) => {
        await giveAssortment(
          issuer,
          { terminalId: terminalId(options.terminal), assortment: name },
          commandCaller().name,
        )
        result(
          options,
          { terminalId: options.terminal, assortment: name },
          () => `Terminal ${options.terminal} is to sell ${name ?? 'everything'}. ${next}`,
        )
      }),
    )
  return assortment
}

/** `farthing catalogue ...`: what is sold, on the issuer's store. */
import { Command, Option } from 'commander'
import { publish } from '../issuer/bulletin-publisher.ts'
import { addItem, listItems } from '../issuer/catalogue.ts'
import { listWithheld, releaseUnits, withdrawUnits } from '../issuer/withheld-units.ts'
import { formatAmount, parseAmount } from '../protocol/currency.ts'
import { type ItemKind, itemKinds } from '../protocol/item.ts'
import { terminalId } from '../protocol/quantities.ts'
import { collect, id8, texts } from './arguments.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { result } from './output.ts'
import { table } from './table.ts'

/** A summary may be left out; an item says something in each language all the same. */
const silent = (title: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.keys(title).map((language) => [language, '']))

export const catalogueCommands = (): Command => {
  const catalogue = new Command('catalogue').description('what is sold')

  catalogue
    .command('add <file>')
    .description('add an article, or a new version of it; for codes and tickets, one a line')
    .requiredOption(...storeOption)
    .requiredOption('--id <id>', 'its short name, such as town-map')
    .requiredOption('--price <amount>', 'decimal, such as 2.50')
    .requiredOption('--title <text>', 'what customers read; again with "de=..." for another language', collect, [])
    .option('--summary <text>', 'one sentence; languages as in --title', collect, [])
    .addOption(new Option('--kind <kind>', 'how it is sold').choices([...itemKinds]))
    .option('--media-type <type>', "by the file's extension unless given")
    .option('--tax <percent>', 'tax contained in the price, such as 19', '0')
    .action(
      (
        file: string,
        options: {
          store: string
          id: string
          price: string
          title: string[]
          summary: string[]
          kind?: ItemKind
          mediaType?: string
          tax: string
          json?: boolean
        },
      ) =>
        withIssuer(options.store, async (issuer) => {
          const { currency } = issuer.book
          const title = texts(options.title)
          const added = await addItem(issuer, {
            file: { path: file },
            id: options.id,
            priceMinor: parseAmount(options.price, currency),
            title,
            summary: { ...silent(title), ...texts(options.summary) },
            taxBasisPoints: parseAmount(options.tax, 'EUR'),
            ...(options.kind === undefined ? {} : { kind: options.kind }),
            ...(options.mediaType === undefined ? {} : { mediaType: options.mediaType }),
          })
          result(options, { ...added.item, outcome: added.outcome, unitsAdded: added.unitsAdded }, () =>
            [
              `${options.id}: ${added.outcome}, version ${added.item.version}, ${formatAmount(added.item.priceMinor, currency)} ${currency}.`,
              ...(added.unitsAdded > 0 ? [`${added.unitsAdded} new codes.`] : []),
              'Next: farthing catalogue publish.',
            ].join('\n'),
          )
        }),
    )

  catalogue
    .command('list')
    .description('what there is')
    .requiredOption(...storeOption)
    .action((options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const items = await listItems(issuer)
        result(options, { items }, () =>
          items.length === 0
            ? 'The catalogue is empty: farthing catalogue add FILE --id ID --price 2.50 --title TEXT.'
            : table(
                ['id', 'kind', `price ${issuer.book.currency}`, 'version', 'title'],
                items.map(({ item }) => [
                  item.id,
                  item.kind,
                  formatAmount(item.priceMinor, issuer.book.currency),
                  String(item.version),
                  item.title.en ?? Object.values(item.title)[0] ?? '',
                ]),
              ),
        )
      }),
    )

  catalogue
    .command('publish')
    .description('sign a new bulletin; terminals take it with their next sync')
    .requiredOption(...storeOption)
    .action((options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const { serial, bulletin } = await publish(issuer)
        const published = { serial, items: bulletin.items.length, expiresAt: bulletin.expiresAt }
        result(options, published, () => `Bulletin ${serial}: ${published.items} items, until ${published.expiresAt}.`)
      }),
    )

  catalogue
    .command('withheld')
    .description('codes that a lost ledger may have sold, and that wait for a decision')
    .requiredOption(...storeOption)
    .action((options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const withheld = await listWithheld(issuer)
        result(options, { withheld }, () =>
          withheld.length === 0
            ? 'No codes are withheld.'
            : table(
                ['terminal', 'id', 'codes', `worth ${issuer.book.currency}`],
                withheld.map((row) => [
                  row.terminalId,
                  row.itemId,
                  String(row.count),
                  formatAmount(row.amountMinor, issuer.book.currency),
                ]),
              ),
        )
      }),
    )

  for (const [name, description, change] of [
    ['release', "give a terminal's withheld codes back for sale: one of them may be sold already", releaseUnits],
    ['withdraw', "take a terminal's unsold codes out of sale for good; claims for them stand", withdrawUnits],
  ] as const)
    catalogue
      .command(name)
      .description(description)
      .requiredOption(...storeOption)
      .requiredOption('--terminal <hex>', 'whose codes: 16 hex digits', id8)
      .option('--id <id>', 'of this article alone')
      .action((options: { store: string; terminal: string; id?: string; json?: boolean }) =>
        withIssuer(options.store, async (issuer) => {
          const which = {
            terminalId: terminalId(options.terminal),
            ...(options.id === undefined ? {} : { itemId: options.id }),
          }
          const changed = await change(issuer, which)
          result(options, changed, () => `${changed.units} codes. The terminal learns of it with its next sync.`)
        }),
      )
  return catalogue
}

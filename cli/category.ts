/** `farthing catalogue category ...`: the shelves on which articles stand. */
import { Command } from 'commander'
import { listCategories, removeCategory, setCategory } from '../issuer/shelf/shelf.ts'
import { collect, texts, wholeNumber } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { result } from './output.ts'
import { table } from './table.ts'

interface StoreOptions {
  readonly store: string
  readonly json?: boolean
}

export const categoryCommands = (): Command => {
  const category = new Command('category').description('the shelves on which articles stand')

  category
    .command('list')
    .description('all of them, in their order')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        const categories = await listCategories(issuer)
        result(options, { categories }, () =>
          categories.length === 0
            ? 'There are no categories: the catalogue is one list.'
            : table(
                ['id', 'title', 'articles'],
                categories.map(({ id, title, items }) => [
                  id,
                  title.en ?? Object.values(title)[0] ?? '',
                  String(items),
                ]),
              ),
        )
      }),
    )

  category
    .command('set <id>')
    .description('make a category, or give it other titles or another place')
    .requiredOption(...storeOption)
    .requiredOption('--title <text>', 'what customers read; again with "de=..." for another language', collect, [])
    .option('--place <n>', '1 is first; a new one is last', wholeNumber)
    .action((id: string, options: StoreOptions & { title: string[]; place?: number }) =>
      withIssuer(options.store, async (issuer) => {
        const { outcome } = await setCategory(
          issuer,
          { id, title: texts(options.title), ...(options.place === undefined ? {} : { place: options.place }) },
          commandCaller().name,
        )
        result(options, { id, outcome }, () => `Category ${id}: ${outcome}. Next: farthing catalogue publish.`)
      }),
    )

  category
    .command('remove <id>')
    .description('remove a category; its articles stay, on no shelf')
    .requiredOption(...storeOption)
    .action((id: string, options: StoreOptions) =>
      withIssuer(options.store, async (issuer) => {
        await removeCategory(issuer, id, commandCaller().name)
        result(options, { id }, () => `Category ${id} is removed. Next: farthing catalogue publish.`)
      }),
    )
  return category
}

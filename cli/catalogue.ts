/** `farthing catalogue ...`: what is sold, on the issuer's store. */
import { Command, Option } from 'commander'
import { publish, sizeWarnings } from '../issuer/bulletin-publisher.ts'
import { clockTimes } from '../issuer/business-days.ts'
import {
  cancelComing,
  changeItem,
  type ListedItem,
  listItems,
  type NewItem,
  offerArticle,
  withdrawArticle,
} from '../issuer/catalogue.ts'
import { isoTime } from '../issuer/iso-times.ts'
import { endIn, momentIn } from '../issuer/moment.ts'
import { isNothing, type PublicationChanges, publicationChanges } from '../issuer/publication-changes.ts'
import { addArticle } from '../issuer/shelf/add-article.ts'
import { type DisplayChange, displayOf, setDisplay } from '../issuer/shelf/shelf.ts'
import { listWithheld, releaseUnits, withdrawUnits } from '../issuer/withheld-units.ts'
import type { Display } from '../protocol/bulletin.ts'
import { formatAmount, parseAmount } from '../protocol/currency.ts'
import { type ItemKind, isSoldByUnit, itemKinds } from '../protocol/item.ts'
import { terminalId } from '../protocol/quantities.ts'
import { collect, count, days, id8, serial, texts } from './arguments.ts'
import { assortmentCommands } from './assortment.ts'
import { commandCaller } from './caller.ts'
import { categoryCommands } from './category.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { CliError, exitStatus, note, result } from './output.ts'
import { readShown } from './shown-file.ts'
import { table } from './table.ts'

const daySeconds = 86_400

const comingText = ({ coming, offered }: ListedItem, currency: string): string =>
  [
    ...(offered || coming.length > 0 ? [] : ['withdrawn']),
    ...coming.map(({ from, item }) => `${formatAmount(item.priceMinor, currency)} from ${isoTime(from)}`),
  ].join(', ')

/** Of codes and tickets: how many there were, and how many wait for a terminal. */
const unitsText = ({ units }: ListedItem): string =>
  units === undefined ? '' : `${units.total}${units.unassigned === 0 ? '' : `, ${units.unassigned} at no terminal`}`

const shownText = ({ category, picture, preview, ageMin, soldUntil, printed }: Display): string =>
  [
    ...(category === undefined ? [] : [category]),
    ...(picture === undefined ? [] : ['picture']),
    ...(preview === undefined ? [] : ['preview']),
    ...(ageMin === undefined ? [] : [`from ${ageMin}`]),
    ...(soldUntil === undefined ? [] : [`until ${soldUntil}`]),
    ...(printed ? ['a print'] : []),
  ].join(', ')

const changesText = (changes: PublicationChanges, currency: string): string => {
  const price = (item: { priceMinor: number }) => formatAmount(item.priceMinor, currency)
  const lines = [
    ...changes.added.map((item) => `+ ${item.id}  ${price(item)}`),
    ...changes.changed.map(({ before, after }) =>
      before.priceMinor === after.priceMinor
        ? `~ ${after.id}  version ${before.version} becomes ${after.version}`
        : `~ ${after.id}  ${price(before)} becomes ${price(after)}`,
    ),
    ...changes.withdrawn.map((item) => `- ${item.id}`),
    ...changes.announced.map(({ from, item }) => `> ${item.id}  ${price(item)} from ${from}`),
    ...changes.cancelled.map(({ from, item }) => `< ${item.id}  not ${price(item)} from ${from}`),
    ...changes.assortments.map(
      ({ name, outcome, added, removed }) =>
        `assortment ${name} ${outcome}${added.map((id) => ` +${id}`).join('')}${removed.map((id) => ` -${id}`).join('')}`,
    ),
    ...changes.shown.map((id) => `* ${id}  is shown or offered otherwise`),
    ...(changes.categories ? ['other categories, or in another order'] : []),
    ...changes.brands.map((merchant) => `merchant ${merchant} has another logo or accent`),
    ...changes.terminals.map((terminal) => `terminal ${terminal} gets another assortment`),
    ...(changes.unitsToDeal === 0 ? [] : [`${changes.unitsToDeal} codes are dealt to terminals`]),
  ]
  return lines.length === 0
    ? isNothing(changes)
      ? 'Nothing: terminals are told what the catalogue says.'
      : 'Nothing was published yet, and the catalogue is empty.'
    : [...lines, 'Next: farthing catalogue publish.'].join('\n')
}

const whichUnits = (terminal: string, id: string | undefined) => ({
  terminalId: terminalId(terminal),
  ...(id === undefined ? {} : { itemId: id }),
})

interface DisplayOptions {
  readonly category?: string
  readonly picture?: string
  readonly preview?: string
  readonly age?: string
  readonly until?: string
  readonly printed?: boolean
}

/** The options by which an article gets its place on the shelf. */
const withDisplay = (command: Command, none: string): Command =>
  command
    .option('--category <id>', `on which shelf it stands${none}`)
    .option('--picture <file>', `PNG, JPEG, WebP or SVG of up to 512 KiB, best 4 to 3${none}`)
    .option('--preview <file>', `a part to look at before buying, of up to 4 MiB${none}`)
    .option('--age <years>', `the customer must say that he is at least so old${none}`)
    .option('--until <moment>', `offered until then, such as "2026-12-24 18:00"${none}`)

/** "none" takes a thing away. */
const displayChange = async (options: DisplayOptions, timeZone: string): Promise<DisplayChange> => {
  const given = async <Value>(text: string | undefined, read: (text: string) => Value | Promise<Value>) =>
    text === undefined ? undefined : text === 'none' ? null : await read(text)
  const change = {
    category: await given(options.category, (id) => id),
    picture: await given(options.picture, readShown),
    preview: await given(options.preview, readShown),
    ageMin: await given(options.age, Number),
    soldUntil: await given(options.until, (moment) => momentIn(moment, timeZone)),
    printed: options.printed,
  }
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}

const previewSays = {
  given: [],
  made: ['A preview was made of its first part.'],
  none: ['It has no preview: none is made of such goods, or they are too short. Give one with --preview.'],
} as const

/** What is added: a file, or tickets to be made. @throws CliError `usage` */
const goodsOf = (
  file: string | undefined,
  made: { readonly tickets?: number; readonly validFrom?: string; readonly validUntil?: string },
  timeZone: string,
): NewItem['file'] => {
  const { tickets, validFrom, validUntil } = made
  if (tickets === undefined && (validFrom !== undefined || validUntil !== undefined))
    throw new CliError(
      exitStatus.usage,
      '--valid-from and --valid-until are signed into tickets: give --tickets N, too.',
    )
  if (file !== undefined && tickets === undefined) return { path: file }
  if (file !== undefined || tickets === undefined)
    throw new CliError(
      exitStatus.usage,
      'Give the file of what is sold, or --tickets N for tickets that are made here.',
    )
  return {
    tickets: {
      count: tickets,
      ...(validFrom === undefined ? {} : { validFrom: momentIn(validFrom, timeZone) }),
      ...(validUntil === undefined ? {} : { validUntil: endIn(validUntil, timeZone) }),
    },
  }
}

export const catalogueCommands = (): Command => {
  const catalogue = new Command('catalogue').description('what is sold')

  withDisplay(catalogue.command('add [file]'), '')
    .option('--printed', 'of codes and tickets: the goods are a print')
    .description('add an article, or a new version of it; for codes one a line; for tickets --tickets N and no file')
    .requiredOption(...storeOption)
    .requiredOption('--id <id>', 'its short name, such as town-map')
    .requiredOption('--price <amount>', 'decimal, such as 2.50')
    .requiredOption('--title <text>', 'what customers read; again with "de=..." for another language', collect, [])
    .option('--summary <text>', 'one sentence; languages as in --title', collect, [])
    .addOption(new Option('--kind <kind>', 'how it is sold').choices([...itemKinds]))
    .option('--media-type <type>', "by the file's extension unless given")
    .option('--tax <percent>', 'tax contained in the price, such as 19', '0')
    .option('--from <moment>', 'not before, such as 2026-12-01 or "2026-12-01 08:00", in the book\'s time zone')
    .option('--tickets <n>', 'of kind ticket: make so many, signed', count)
    .option('--valid-from <moment>', 'of --tickets: good from then on, written as --from; from now on unless given')
    .option('--valid-until <moment>', 'of --tickets: good up to then, of a day up to its end; without end unless given')
    .action(
      (
        file: string | undefined,
        options: {
          tickets?: number
          validFrom?: string
          validUntil?: string
          from?: string
          store: string
          id: string
          price: string
          title: string[]
          summary: string[]
          kind?: ItemKind
          mediaType?: string
          tax: string
          json?: boolean
        } & DisplayOptions,
      ) =>
        withIssuer(options.store, async (issuer) => {
          const { currency } = issuer.book
          const kind = options.kind ?? (options.tickets === undefined ? undefined : 'ticket')
          const added = await addArticle(
            issuer,
            {
              file: goodsOf(file, options, issuer.book.timeZone),
              id: options.id,
              priceMinor: parseAmount(options.price, currency),
              title: texts(options.title),
              summary: texts(options.summary),
              taxBasisPoints: parseAmount(options.tax, 'EUR'),
              ...(kind === undefined ? {} : { kind }),
              ...(options.mediaType === undefined ? {} : { mediaType: options.mediaType }),
              ...(options.from === undefined ? {} : { from: momentIn(options.from, issuer.book.timeZone) }),
            },
            await displayChange(options, issuer.book.timeZone),
            commandCaller().name,
          )
          if (added.previewProblem !== undefined)
            note(
              `WARNING: ${added.previewProblem} Look at it before you publish; "farthing catalogue withdraw ${options.id}" takes it out.`,
            )
          result(
            options,
            { ...added.item, outcome: added.outcome, unitsAdded: added.unitsAdded, preview: added.preview },
            () =>
              [
                `${options.id}: ${added.outcome}, version ${added.item.version}, ${formatAmount(added.item.priceMinor, currency)} ${currency}.`,
                ...(added.unitsAdded > 0 ? [`${added.unitsAdded} new ${added.item.kind}s.`] : []),
                ...(isSoldByUnit(added.item) || added.previewProblem !== undefined ? [] : previewSays[added.preview]),
                'Next: farthing catalogue publish.',
              ].join('\n'),
          )
        }),
    )

  catalogue
    .command('list')
    .description('what there is, how it is shown, and how many codes are left to deal')
    .requiredOption(...storeOption)
    .action((options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const items: (ListedItem & { readonly display: Display })[] = []
        for (const listed of await listItems(issuer))
          items.push({ ...listed, display: (await displayOf(issuer, listed.item.id)).display })
        result(options, { items }, () =>
          items.length === 0
            ? 'The catalogue is empty: farthing catalogue add FILE --id ID --price 2.50 --title TEXT.'
            : table(
                [
                  'id',
                  'kind',
                  `price ${issuer.book.currency}`,
                  'version',
                  'title',
                  'languages',
                  'codes',
                  'shown',
                  'to come',
                ],
                items.map((listed) => [
                  listed.item.id,
                  listed.item.kind,
                  formatAmount(listed.item.priceMinor, issuer.book.currency),
                  String(listed.item.version),
                  listed.item.title.en ?? Object.values(listed.item.title)[0] ?? '',
                  Object.keys(listed.item.title).join(' '),
                  unitsText(listed),
                  shownText(listed.display),
                  comingText(listed, issuer.book.currency),
                ]),
              ),
        )
      }),
    )

  catalogue
    .command('change <id>')
    .description('change what an article costs or says, now or from a moment on; its goods stay')
    .requiredOption(...storeOption)
    .option('--price <amount>', 'decimal, such as 2.50')
    .option('--title <text>', 'in the place of all titles; again with "de=..." for another language', collect, [])
    .option('--summary <text>', 'in the place of all summaries', collect, [])
    .option('--tax <percent>', 'tax contained in the price, such as 19')
    .option('--from <moment>', 'not before, such as 2026-12-01 or "2026-12-01 08:00", in the book\'s time zone')
    .action(
      (
        id: string,
        options: {
          store: string
          price?: string
          title: string[]
          summary: string[]
          tax?: string
          from?: string
          json?: boolean
        },
      ) =>
        withIssuer(options.store, async (issuer) => {
          const { currency, timeZone } = issuer.book
          const from = options.from === undefined ? undefined : momentIn(options.from, timeZone)
          const { item, outcome } = await changeItem(
            issuer,
            id,
            {
              ...(options.price === undefined ? {} : { priceMinor: parseAmount(options.price, currency) }),
              ...(options.title.length === 0 ? {} : { title: texts(options.title) }),
              ...(options.summary.length === 0 ? {} : { summary: texts(options.summary) }),
              ...(options.tax === undefined ? {} : { taxBasisPoints: parseAmount(options.tax, 'EUR') }),
              ...(from === undefined ? {} : { from }),
            },
            commandCaller().name,
          )
          result(options, { ...item, outcome, ...(from === undefined ? {} : { from: isoTime(from) }) }, () =>
            [
              `${id}: ${outcome}, version ${item.version}, ${formatAmount(item.priceMinor, currency)} ${currency}${from === undefined ? '' : ` from ${isoTime(from)}`}.`,
              'Next: farthing catalogue publish.',
            ].join('\n'),
          )
        }),
    )

  withDisplay(catalogue.command('display <id>'), '; "none": no longer')
    .option('--printed', 'of codes and tickets: the goods are a print')
    .option('--no-printed', 'they are not')
    .description('change how an article is shown, to whom and until when; what it is stays')
    .requiredOption(...storeOption)
    .action((id: string, options: DisplayOptions & { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const change = await displayChange(options, issuer.book.timeZone)
        const { display, changed } = await setDisplay(issuer, id, change, commandCaller().name)
        result(options, { ...display, changed }, () =>
          changed ? `${id} is shown otherwise. Next: farthing catalogue publish.` : `${id} is shown like that already.`,
        )
      }),
    )

  catalogue
    .command('cancel <id>')
    .description('forget what was to come of an article')
    .requiredOption(...storeOption)
    .action((id: string, options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const { cancelled } = await cancelComing(issuer, id, commandCaller().name)
        result(options, { cancelled }, () => `${id}: ${cancelled} changes cancelled. Next: farthing catalogue publish.`)
      }),
    )

  catalogue
    .command('offer <id>')
    .description('offer a withdrawn article again, as it was')
    .requiredOption(...storeOption)
    .action((id: string, options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const { offered } = await offerArticle(issuer, id, commandCaller().name)
        result(options, { offered }, () =>
          offered ? `${id} is offered again. Next: farthing catalogue publish.` : `${id} is offered already.`,
        )
      }),
    )

  catalogue
    .command('changes')
    .description('what the next publish would change')
    .requiredOption(...storeOption)
    .action((options: { store: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const changes = await publicationChanges(issuer)
        result(options, changes, () => changesText(changes, issuer.book.currency))
      }),
    )

  catalogue
    .command('publish')
    .description('sign a new bulletin; terminals take it with their next sync')
    .requiredOption(...storeOption)
    .option('--days <n>', 'how long it is good for; terminals offline for longer stop', days)
    .option('--claim-days <n>', 'how long a claim stands', days)
    .option(
      '--above-serial <n>',
      'after a theft of the signing key: above the serial that terminals were given',
      serial,
    )
    .option('--jump', 'although the last bulletin is half a year old: the clock was looked at, and is right')
    .action(
      (options: {
        store: string
        days?: number
        claimDays?: number
        aboveSerial?: number
        jump?: boolean
        json?: boolean
      }) =>
        withIssuer(options.store, async (issuer) => {
          const signed = await publish(
            issuer,
            {
              ...(options.days === undefined ? {} : { validSeconds: options.days * daySeconds }),
              ...(options.claimDays === undefined ? {} : { claimSeconds: options.claimDays * daySeconds }),
              ...(options.aboveSerial === undefined ? {} : { aboveSerial: options.aboveSerial }),
              ...(options.jump === undefined ? {} : { jump: options.jump }),
            },
            commandCaller().name,
          )
          const { serial, bulletin } = signed
          const warnings = await sizeWarnings(issuer, signed)
          for (const warning of warnings) note(`farthing: ${warning}`)
          const published = { serial, items: bulletin.items.length, expiresAt: bulletin.expiresAt, warnings }
          result(
            options,
            published,
            () =>
              `Bulletin ${serial}: ${published.items} ${published.items === 1 ? 'article' : 'articles'}, good until ${clockTimes(issuer.book.timeZone)(Date.parse(published.expiresAt) / 1000)}.`,
          )
        }),
    )

  catalogue.addCommand(assortmentCommands())
  catalogue.addCommand(categoryCommands())

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

  catalogue
    .command('release')
    .description("give a terminal's withheld codes back for sale: one of them may be sold already")
    .requiredOption(...storeOption)
    .requiredOption('--terminal <hex>', 'whose codes: 16 hex digits', id8)
    .option('--id <id>', 'of this article alone')
    .action((options: { store: string; terminal: string; id?: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const changed = await releaseUnits(issuer, whichUnits(options.terminal, options.id))
        result(options, changed, () => `${changed.units} codes. The terminal learns of it with its next sync.`)
      }),
    )

  catalogue
    .command('withdraw [id]')
    .description(
      "offer an article no longer, or (--terminal) take a terminal's unsold codes out of sale for good; claims stand",
    )
    .requiredOption(...storeOption)
    .option('--terminal <hex>', 'the codes of this terminal: 16 hex digits', id8)
    .option('--id <id>', 'of this article alone')
    .action((given: string | undefined, options: { store: string; terminal?: string; id?: string; json?: boolean }) =>
      withIssuer(options.store, async (issuer) => {
        const id = given ?? options.id
        if (options.terminal !== undefined) {
          const changed = await withdrawUnits(issuer, whichUnits(options.terminal, id))
          result(options, changed, () => `${changed.units} codes. The terminal learns of it with its next sync.`)
          return
        }
        if (id === undefined) throw new CliError(exitStatus.usage, 'Say which article, or with --terminal whose codes.')
        const { withdrawn } = await withdrawArticle(issuer, id, commandCaller().name)
        result(options, { withdrawn }, () =>
          withdrawn
            ? `${id} is in the next bulletin no more: farthing catalogue publish. Kiosks that have the old one may sell it until that expires.`
            : `${id} was withdrawn already.`,
        )
      }),
    )
  return catalogue
}

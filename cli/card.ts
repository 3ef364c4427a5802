/** `farthing card ...`: cards, through any PC/SC reader. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { simulateCard } from '../card/simulate.ts'
import type { Tear } from '../card/vpcd.ts'
import { confirmPersonalised, registerCard } from '../issuer/cards.ts'
import { isoTime, withIsoTimes } from '../issuer/iso-times.ts'
import { selectPurse } from '../main/purse-session.ts'
import { connectIssuer } from '../main/sync/issuer-client.ts'
import { fetchNews } from '../main/sync/sync.ts'
import { openTerminal } from '../main/terminal.ts'
import { parseResponse, personaliseCommand, selectCommand, statusWord } from '../protocol/apdu.ts'
import { fromHex, toHex, u32Max } from '../protocol/bytes.ts'
import { currencyOf, formatAmount, lettersOf, parseAmount } from '../protocol/currency.ts'
import { parsed } from '../protocol/errors.ts'
import { fundingReference } from '../protocol/funding-reference.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey } from '../protocol/keys.ts'
import { encodePersonalisation } from '../protocol/personalise.ts'
import { amountMinor, cardId, unixTime } from '../protocol/quantities.ts'
import { dayEnd, id8, pin, port, seconds } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { addHotlist } from './card-hotlist.ts'
import { addCardLife } from './card-life.ts'
import { loadTelling } from './card-load.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { CliError, exitStatus, line, note, result } from './output.ts'
import { requireCard, withReader } from './reader.ts'
import { readCode, readNewPassword } from './secret-input.ts'
import { onStop } from './stop.ts'

const readerOption = ['--reader <name>', 'the PC/SC reader; absent: the first with a card'] as const
const timeoutOption = ['--timeout <s>', 'how long to wait for a card', seconds, 30] as const

interface ReaderOptions {
  reader?: string
  timeout: number
  json?: boolean
}

const withCard = <Result>(
  options: ReaderOptions,
  work: (card: Awaited<ReturnType<typeof requireCard>>) => Promise<Result>,
): Promise<Result> =>
  withReader(options.reader, async (reader) =>
    work(await requireCard(reader, { readerName: options.reader, timeoutMs: options.timeout * 1000 })),
  )

/** What `card inspect` prints: the card's own word, not yet proved by a MAC. */
const inspectCard = (options: ReaderOptions) =>
  withCard(options, (card) =>
    card.use(async (channel) => {
      const info = await selectPurse(channel)
      if (info === undefined)
        throw new CliError(exitStatus.refused, 'This card is not a Farthing purse, or it is still blank.')
      return {
        cardId: info.cardId,
        keyVersion: info.keyVersion,
        status: info.status,
        currency: lettersOf(info.currency),
        expiry: isoTime(info.expiry),
        counter: info.counter,
        balanceMinor: info.balanceMinor,
        pinTriesLeft: info.pinTriesLeft,
        pinFreeLeftMinor: info.pinFreeLeftMinor,
        balanceMaxMinor: info.balanceMaxMinor,
      }
    }),
  )

const fiveYearsSeconds = 5 * 366 * 86_400

interface PersonaliseOptions extends ReaderOptions {
  store: string
  id?: string
  expiry?: number
  balanceMax: string
  pinFree?: string
  pin?: string
}

/**
 * Writes keys and limits on a blank card, and registers it with a balance of 0. Cut short, it is begun again: a card that was
 * written after all says who it is, and one that was not gets a new number; none is ever given to two cards.
 */
const personalise = (options: PersonaliseOptions) =>
  withIssuer(options.store, (issuer) =>
    withCard(options, (card) =>
      card.use(async (channel) => {
        const { currency } = issuer.book
        const info = await selectPurse(channel)
        if (info !== undefined) {
          if (options.id !== undefined && options.id !== info.cardId)
            throw new CliError(
              exitStatus.refused,
              `This is card ${info.cardId} already: only a blank card can be personalised.`,
            )
          const known = await confirmPersonalised(issuer, commandCaller(), info.cardId).catch(() => undefined)
          if (known === undefined)
            throw new CliError(
              exitStatus.refused,
              `This is card ${info.cardId} of another issuer: only a blank card can be personalised.`,
            )
          return {
            made: false,
            ...known,
            currency,
            expiry: isoTime(info.expiry),
            keyVersion: info.keyVersion,
          }
        }
        const id = cardId(options.id ?? toHex(Uint8Array.from(randomBytes(8))))
        const { keyVersion } = issuer.keys
        const masters = issuer.keys.masters(keyVersion)
        if (masters === undefined) throw new CliError(exitStatus.world, 'The store has no master keys.')
        const terms = {
          expiresAt: unixTime(options.expiry ?? issuer.clock() + fiveYearsSeconds),
          balanceMaxMinor: parseAmount(options.balanceMax, currency),
          pinFreeMaxMinor: options.pinFree === undefined ? amountMinor(u32Max) : parseAmount(options.pinFree, currency),
        }
        if (terms.expiresAt <= issuer.clock())
          throw new CliError(exitStatus.usage, 'The card would have expired already: choose a later --expiry.')
        const data = encodePersonalisation({
          keyVersion,
          cardId: id,
          currency: currencyOf(currency).code,
          expiry: terms.expiresAt,
          balanceMaxMinor: terms.balanceMaxMinor,
          pinFreeMaxMinor: terms.pinFreeMaxMinor,
          pinTriesMax: 3,
          pin: options.pin ?? '',
          payKey: derivePayKey(fromHex(masters.pay, 32), keyVersion, id),
          settleKey: deriveSettleKey(fromHex(masters.settle, 32), keyVersion, id),
          loadKey: deriveLoadKey(fromHex(masters.load, 32), keyVersion, id),
        })
        // Registered first: a card that is out there and unknown here would be refused money that it holds.
        await registerCard(issuer, commandCaller(), id, terms)
        await channel.transmit(selectCommand())
        const { status } = parseResponse(await channel.transmit(personaliseCommand(data)))
        if (status !== statusWord.ok)
          throw new CliError(
            exitStatus.refused,
            `The card refused to be personalised (${status.toString(16)}): only a blank card can be.`,
          )
        // Its own word, after the fact: what the stock counts is in the drawer.
        const written = await selectPurse(channel)
        if (written?.cardId !== id)
          throw new CliError(exitStatus.refused, 'The card does not say who it is: put it in again, or throw it away.')
        const known = await confirmPersonalised(issuer, commandCaller(), id)
        return { made: true, ...known, currency, expiry: isoTime(terms.expiresAt), keyVersion }
      }),
    ),
  )

/** @returns undefined for cash */
const fundingOf = async (paidBy: string): Promise<string | undefined> => {
  if (paidBy === 'cash') return undefined
  const [, kind, given] = /^(voucher|credit):(.+)$/s.exec(paidBy) ?? []
  if (kind === undefined || given === undefined)
    throw new CliError(
      exitStatus.usage,
      '--paid-by must be cash, voucher:CODE or credit:REFERENCE, such as voucher:7KQ2-0F9M-XW3T-H5RA; voucher:- reads the code from standard input.',
    )
  const code = await readCode(given, kind)
  const reference = parsed(() => fundingReference(code))
  if (reference === undefined)
    throw new CliError(
      exitStatus.usage,
      `That is no ${kind}: one has letters and digits in groups, such as 7KQ2-0F9M-XW3T-H5RA.`,
    )
  return reference
}

/** Loads at a terminal: the issuer authorises, the card takes it. */
const load = async (amount: string, options: ReaderOptions & { data: string; paidBy: string }) => {
  const funding = await fundingOf(options.paidBy)
  const terminal = openTerminal(options.data)
  try {
    const { currency, issuerUrl } = terminal.identity
    const minor = parseAmount(amount, currency)
    if (minor === 0) throw new CliError(exitStatus.usage, 'The amount must be more than nothing.')
    const client = connectIssuer(issuerUrl)
    if (terminal.issued === undefined) await fetchNews(terminal, client)
    const outcome = await withCard(options, (card) =>
      card.use((channel) =>
        loadTelling(
          { terminal, client, channel },
          { amountMinor: minor, ...(funding === undefined ? {} : { funding }) },
          note,
        ),
      ),
    )
    return { ...outcome, amountMinor: minor, currency }
  } finally {
    terminal.close()
  }
}

const notFundedText =
  'Nothing was loaded: the voucher or credit is unknown, used or expired, is for another card, or has another amount (it is loaded whole).'

const personalisedText = (made: Awaited<ReturnType<typeof personalise>>): string => {
  const money = (minor: number) => formatAmount(minor, made.currency)
  if (!made.made)
    return `This is card ${made.cardId} already, registered here${made.first ? ': its personalisation was cut short, and is complete now' : ''}. Nothing was changed.`
  const free =
    made.pinFreeMaxMinor === u32Max ? 'never asks for a PIN' : `${money(made.pinFreeMaxMinor ?? 0)} without a PIN`
  return `Card ${made.cardId} in ${made.currency}, until ${made.expiry.slice(0, 10)}, balance 0, holds up to ${money(made.balanceMaxMinor ?? 0)}, ${free}.`
}

/** The card does not say whether it has a PIN, but until which sum it asks for none. */
export const pinText = ({
  pinFreeLeftMinor,
  balanceMaxMinor,
  pinTriesLeft,
  currency,
}: Pick<
  Awaited<ReturnType<typeof inspectCard>>,
  'pinFreeLeftMinor' | 'balanceMaxMinor' | 'pinTriesLeft' | 'currency'
>) =>
  pinFreeLeftMinor > balanceMaxMinor
    ? 'asks for no PIN'
    : `${formatAmount(pinFreeLeftMinor, currency)} before it asks for its PIN, ${pinTriesLeft} ${pinTriesLeft === 1 ? 'try' : 'tries'} left`

export const cardCommands = (): Command => {
  const card = new Command('card').description('cards, through any PC/SC reader')

  card
    .command('personalise')
    .description("make a blank card one of this issuer's, with a balance of 0")
    .requiredOption(...storeOption)
    .option(...readerOption)
    .option(...timeoutOption)
    .option('--id <hex>', 'its number: 16 hex digits; absent: random', id8)
    .option('--expiry <day>', 'its last day; absent: in five years', dayEnd)
    .option('--balance-max <amount>', 'the most that it holds', '500.00')
    .option('--pin-file <file>', 'a file with its PIN, or - for standard input; absent: none')
    .option('--pin-free <amount>', 'what is spent without a PIN; absent: everything')
    .action(async ({ pinFile, ...options }: PersonaliseOptions & { pinFile?: string }) => {
      // Never as an argument: whoever is on the machine can read those.
      const made = await personalise(
        pinFile === undefined
          ? options
          : {
              ...options,
              pin: pin((pinFile === '-' ? await readNewPassword('PIN') : readFileSync(pinFile, 'utf8')).trim()),
            },
      )
      result(options, withIsoTimes(made), () => personalisedText(made))
    })

  card
    .command('inspect')
    .description('what the card says of itself')
    .option(...readerOption)
    .option(...timeoutOption)
    .action(async (options: ReaderOptions) => {
      const info = await inspectCard(options)
      result(options, info, () =>
        [
          `Card ${info.cardId}: ${info.status}, ${formatAmount(info.balanceMinor, info.currency)} ${info.currency}`,
          `${info.counter} transactions, expires ${info.expiry.slice(0, 10)}, key version ${info.keyVersion}, ${pinText(info)}`,
        ].join('\n'),
      )
    })

  card
    .command('load <amount>')
    .description('put money on the card in the reader, authorised by the issuer')
    .requiredOption('--data <dir>', "the enrolled terminal's data folder")
    .requiredOption(
      '--paid-by <how>',
      'cash, voucher:CODE or credit:REFERENCE; - for CODE or REFERENCE: standard input',
    )
    .option(...readerOption)
    .option(...timeoutOption)
    .action(async (amount: string, options: ReaderOptions & { data: string; paidBy: string }) => {
      const outcome = await load(amount, options)
      if (outcome.outcome !== 'captured') process.exitCode = exitStatus.refused
      result(options, outcome, () => {
        switch (outcome.outcome) {
          case 'captured':
            return `Loaded ${amount} ${outcome.currency}; the card now holds ${formatAmount(outcome.balanceAfterMinor, outcome.currency)}.`
          case 'declined':
            return outcome.reason === 'notFunded' ? notFundedText : `Nothing was loaded: ${outcome.reason}.`
          case 'inDoubt':
            return 'The card left too soon: put it on the same reader again, and it will say whether the load arrived.'
        }
      })
    })

  addCardLife(card)
  addHotlist(card)

  card
    .command('simulate')
    .description("put a software card into vpcd's virtual reader until stopped")
    .requiredOption('--state <file>', 'the card; a blank one is made if missing')
    .requiredOption('--port <n>', "vpcd's port: 35963 or 35964", port)
    .addOption(new Option('--tear <when>', 'pull the card at the next COMMIT').choices(['before', 'after']))
    .action(async (options: { state: string; port: number; tear?: Tear }) => {
      const simulated = simulateCard({
        stateFile: options.state,
        port: options.port,
        ...(options.tear === undefined ? {} : { tear: options.tear }),
      })
      await simulated.ready
      line(JSON.stringify({ ready: true, reader: `vpcd port ${options.port}`, pid: process.pid }))
      const left = await Promise.race([onStop().then(() => undefined), simulated.closed])
      if (left !== undefined) note(`farthing: the card has left the reader (${left}).`)
      await simulated.close()
    })
  return card
}

/** `farthing issuer operator ...`: who may enter the operator mode of which terminals, and how much they give back there. */
import { Command, InvalidArgumentError } from 'commander'
import { addOperator, listOperators, removeOperator } from '../issuer/operators.ts'
import { refundMinorMax, setRefundMinorMax } from '../issuer/refunds.ts'
import { formatAmount, parseAmount } from '../protocol/currency.ts'
import { type OperatorRole, operatorRoles } from '../protocol/operator.ts'
import { collect, id8 } from './arguments.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { CliError, exitStatus, result } from './output.ts'
import { readNewPassword } from './secret-input.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

const role = (text: string): OperatorRole => {
  const found = operatorRoles.find((each) => each === text)
  if (found === undefined) throw new InvalidArgumentError('Roles are operator and technician.')
  return found
}

const placesText = (terminals: 'all' | readonly string[]): string =>
  terminals === 'all' ? 'all terminals' : terminals.join(', ')

export const operatorCommands = (): Command => {
  const operator = new Command('operator').description("who may operate terminals, by a card and a PIN of the issuer's")

  operator
    .command('add')
    .description(
      'let a card operate terminals; again: change its name, role, PIN and terminals. The PIN comes from standard input',
    )
    .requiredOption(...storeOption)
    .requiredOption('--card <hex>', "the operator's card: 16 hex digits", id8)
    .requiredOption('--name <text>', 'who it is: the journal names them')
    .option('--role <role>', 'operator: everything; technician: the machine, and no money', role, 'operator')
    .option('--terminal <id>', 'where (again for each), or "all"', collect, [])
    .action((options: StoreOptions & { card: string; name: string; role: OperatorRole; terminal: readonly string[] }) =>
      withIssuer(options.store, async (opened) => {
        const { card, name, terminal } = options
        if (terminal.length === 0)
          throw new CliError(exitStatus.usage, 'Say where: --terminal ID for each, or --terminal all.')
        const terminals = terminal.includes('all') ? 'all' : terminal.map(id8)
        const pin = await readNewPassword('PIN')
        await addOperator(opened, commandCaller(), { cardId: card, name, role: options.role, pin, terminals })
        result(options, { cardId: card, name, role: options.role, terminals }, () =>
          [
            `${name} operates ${placesText(terminals)} with card ${card}.`,
            'Each terminal learns of it with its next sync; one of an older version after its update and one sync more.',
          ].join('\n'),
        )
      }),
    )

  operator
    .command('remove')
    .description('take it back; each terminal learns of it with its next sync')
    .requiredOption(...storeOption)
    .requiredOption('--card <hex>', "the operator's card: 16 hex digits", id8)
    .action((options: StoreOptions & { card: string }) =>
      withIssuer(options.store, async (opened) => {
        const removed = await removeOperator(opened, commandCaller(), options.card)
        result(options, removed, () => `${removed.name} operates no terminal any more.`)
      }),
    )

  operator
    .command('list')
    .description('all operators, and how much each may give back for a sale')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const { operators, refundMax } = await opened.store.read(async (db) => ({
          operators: await listOperators(db),
          refundMax: await refundMinorMax(opened, db),
        }))
        result(options, { operators, refundMinorMax: refundMax }, () =>
          [
            operators.length === 0
              ? 'There are no operators: farthing issuer operator add --card ID --name NAME --terminal all.'
              : table(
                  ['card', 'name', 'role', 'where'],
                  operators.map((each) => [each.cardId, each.name, each.role, placesText(each.terminals)]),
                ),
            `A refund at a terminal: up to ${formatAmount(refundMax, opened.book.currency)}; over it a person here decides.`,
          ].join('\n'),
        )
      }),
    )

  operator
    .command('refund-max <amount>')
    .description('up to what an operator at a terminal gives the money of a sale back; 0: a person here decides each')
    .requiredOption(...storeOption)
    .action((amount: string, options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const refundMax = parseAmount(amount, opened.book.currency)
        await setRefundMinorMax(opened, commandCaller(), refundMax)
        result(options, { refundMinorMax: refundMax }, () => `Up to ${formatAmount(refundMax, opened.book.currency)}.`)
      }),
    )
  return operator
}

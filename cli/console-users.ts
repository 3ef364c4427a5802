/** `farthing issuer user ...` and `farthing issuer audit ...`: who may use the console, and whether its log is whole. */
import { Command, InvalidArgumentError } from 'commander'
import * as v from 'valibot'
import { verifyChain } from '../issuer/audit-log.ts'
import { roleSchema, userListInput, userNameSchema } from '../issuer/console-contract/access.ts'
import type { Role } from '../issuer/console-contract/roles.ts'
import { listUsers } from '../issuer/user-list.ts'
import { addUser, resetPassword, setDisabled, setRole } from '../issuer/users.ts'
import { commandCaller } from './caller.ts'
import { storeOption, withIssuer } from './issuer.ts'
import { CliError, exitStatus, result } from './output.ts'
import { readNewPassword } from './secret-input.ts'
import { table } from './table.ts'

interface StoreOptions {
  store: string
  json?: boolean
}

const role = (text: string): Role => {
  const parsed = v.safeParse(roleSchema, text)
  if (!parsed.success) throw new InvalidArgumentError('Roles are viewer, operator, finance and admin.')
  return parsed.output
}
const userName = (text: string): string => {
  const parsed = v.safeParse(userNameSchema, text)
  if (!parsed.success) throw new InvalidArgumentError('A name is of letters, digits and . _ @ - (64 at the most).')
  return parsed.output
}

export const userCommands = (): Command => {
  const user = new Command('user').description('who may use the console; passwords come from standard input')

  user
    .command('add')
    .argument('<name>', 'kept in lower case', userName)
    .description('add a user')
    .requiredOption(...storeOption)
    .requiredOption('--role <role>', 'viewer, operator, finance or admin', role)
    .option('--must-change', 'the password is for the first sign-in alone')
    .action((name: string, options: StoreOptions & { role: Role; mustChange?: boolean }) =>
      withIssuer(options.store, async (opened) => {
        const password = await readNewPassword()
        const mustChange = options.mustChange === true
        await addUser(opened, { name, role: options.role, password, mustChange }, commandCaller())
        result(options, { name, role: options.role }, () => `${name} may sign in at /console as ${options.role}.`)
      }),
    )

  user
    .command('password')
    .argument('<name>', 'whose', userName)
    .description('give a user another password, and end their sessions')
    .requiredOption(...storeOption)
    .option('--must-change', 'the password is for the next sign-in alone')
    .action((name: string, options: StoreOptions & { mustChange?: boolean }) =>
      withIssuer(options.store, async (opened) => {
        const password = await readNewPassword()
        await resetPassword(opened, { name, password, mustChange: options.mustChange === true }, commandCaller())
        result(options, { name }, () => `${name} has another password.`)
      }),
    )

  user
    .command('role')
    .argument('<name>', 'whose', userName)
    .argument('<role>', 'viewer, operator, finance or admin', role)
    .description('give a user another role, at once')
    .requiredOption(...storeOption)
    .action((name: string, to: Role, options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        await setRole(opened, { name, role: to }, commandCaller())
        result(options, { name, role: to }, () => `${name} is ${to} now.`)
      }),
    )

  for (const [command, disabled, said] of [
    ['disable', true, 'may sign in no more'],
    ['enable', false, 'may sign in again'],
  ] as const)
    user
      .command(command)
      .argument('<name>', 'whom', userName)
      .description(disabled ? 'keep a user out, at once' : 'let a user in again')
      .requiredOption(...storeOption)
      .action((name: string, options: StoreOptions) =>
        withIssuer(options.store, async (opened) => {
          await setDisabled(opened, { name, disabled }, commandCaller())
          result(options, { name, disabled }, () => `${name} ${said}.`)
        }),
      )

  user
    .command('list')
    .description('all users')
    .requiredOption(...storeOption)
    .action((options: StoreOptions) =>
      withIssuer(options.store, async (opened) => {
        const query = v.parse(userListInput, { direction: 'ascending', limit: '200' })
        const { rows } = await listUsers(opened, query)
        result(options, { users: rows }, () =>
          table(
            ['name', 'role', 'may sign in', 'since'],
            rows.map((row) => [row.name, row.role, row.disabled ? 'no' : 'yes', row.createdAt]),
          ),
        )
      }),
    )
  return user
}

export const auditCommands = (): Command => {
  const audit = new Command('audit').description('the log of every change')
  audit
    .command('verify')
    .description('walk the whole chain, and name the first row that does not follow')
    .requiredOption(...storeOption)
    .option('--seen <hash>', 'a hash that an earlier verify told: it must still be in the chain')
    .action((options: StoreOptions & { seen?: string }) =>
      withIssuer(options.store, async (opened) => {
        const { seen } = options
        if (seen !== undefined && !/^[0-9a-f]{64}$/.test(seen))
          throw new CliError(exitStatus.usage, 'A hash of the log is 64 lower-case hex digits.')
        const chain = await opened.store.read((db) => verifyChain(db, seen))
        if (chain.state !== 'whole') throw new CliError(exitStatus.refused, chain.sentence)
        result(options, chain, () =>
          [`The audit log is whole: ${chain.rows} rows.`, `Its last hash is ${chain.hash}: keep it elsewhere.`].join(
            '\n',
          ),
        )
      }),
    )
  return audit
}

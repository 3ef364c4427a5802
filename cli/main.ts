/** The command `farthing`: what it understands. Each group of subcommands is a file beside this one. */
import { Command } from 'commander'
import { shownAddress } from '../issuer/store-address.ts'
import { fail, note } from './output.ts'

/** Each is loaded only when it is wanted: a vending machine has no use for a server. */
const groups: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand(),
  issuer: async () => (await import('./issuer.ts')).issuerCommands(),
  catalogue: async () => (await import('./catalogue.ts')).catalogueCommands(),
  terminal: async () => (await import('./terminal.ts')).terminalCommands(),
  card: async () => (await import('./card.ts')).cardCommands(),
  batch: async () => (await import('./batch.ts')).batchCommands(),
  ticket: async () => (await import('./ticket.ts')).ticketCommands(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
}

const allCommands = (command: Command): Command[] => [command, ...command.commands.flatMap(allCommands)]

/** @param wanted the group that the command line names; all of them for a help text */
const makeProgram = async (wanted: string | undefined): Promise<Command> => {
  const named = wanted === undefined ? undefined : groups[wanted]
  const commands = named === undefined ? Object.values(groups) : [named]
  const program = new Command('farthing')
    .description('An offline smart-card micropayment kiosk: issuer, terminal and cards in one command.')
    .addHelpText(
      'after',
      `
Amounts are decimal in the currency; in JSON they are minor units. JSON is printed with --json and into pipes.
Exit status: 0 done; 1 refused, in doubt or timed out; 2 usage; 3 the world (reader, disk, network).`,
    )
  for (const make of commands) program.addCommand(await make())
  for (const command of allCommands(program)) {
    command.exitOverride()
    if (command.commands.length === 0) command.option('--json', 'print one line of JSON')
  }
  return program
}

/** A help text answers no command that there is not. @throws CommanderError */
const requireKnown = (command: Command, words: readonly string[]): void => {
  const [word] = words
  if (word === undefined || word.startsWith('-') || word === 'help' || command.commands.length === 0) return
  const named = command.commands.find((each) => each.name() === word || each.aliases().includes(word))
  if (named === undefined) command.error(`error: unknown command '${word}'\n\n${command.helpInformation()}`.trimEnd())
  else requireKnown(named, words.slice(1))
}

/** A command's words without what is worth money or keys: a voucher, an enrolment's code, a database's password. */
export const shownWords = (argv: readonly string[]): readonly string[] =>
  argv.map((word, at) =>
    argv[at - 1] === '--code' && word !== '-'
      ? '***'
      : shownAddress(word).replace(/(?<=^--code=|^(?:--paid-by=)?(?:voucher|credit):)(?!-$).+/, '***'),
  )

/** Everybody on the machine reads what a command was started with: a secret there is overwritten, and was seen until then. */
const hideSecrets = (argv: readonly string[]): void => {
  const words = shownWords(argv)
  if (words.some((word, at) => word !== argv[at])) process.title = words.join(' ')
  if (argv.some((word) => shownAddress(word) !== word))
    note(
      "WARNING: a command's words can be read by everybody on this machine. Give the database's password in PGPASSWORD or ~/.pgpass (PGPASSFILE).",
    )
}

/** Runs one command line; sets the exit status. */
export const main = async (argv: readonly string[]): Promise<void> => {
  hideSecrets(argv)
  // Ledgers, books, keys and claims are their owner's alone.
  process.umask(0o077)
  try {
    const program = await makeProgram(argv[2])
    requireKnown(program, argv.slice(2))
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = fail(error)
  }
}

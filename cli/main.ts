/** The command `farthing`: what it understands. Each group of subcommands is a file beside this one. */
import { Command } from 'commander'
import { batchCommands } from './batch.ts'
import { cardCommands } from './card.ts'
import { catalogueCommands } from './catalogue.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { issuerCommands } from './issuer.ts'
import { fail } from './output.ts'
import { terminalCommands } from './terminal.ts'

const allCommands = (command: Command): Command[] => [command, ...command.commands.flatMap(allCommands)]

export const makeProgram = (): Command => {
  const program = new Command('farthing')
    .description('An offline smart-card micropayment kiosk: issuer, terminal and cards in one command.')
    .addCommand(demoCommand())
    .addCommand(issuerCommands())
    .addCommand(catalogueCommands())
    .addCommand(terminalCommands())
    .addCommand(cardCommands())
    .addCommand(batchCommands())
    .addCommand(doctorCommand())
    .addHelpText(
      'after',
      `
Amounts are decimal in the currency; in JSON they are minor units. JSON is printed with --json and into pipes.
Exit status: 0 done; 1 refused, in doubt or timed out; 2 usage; 3 the world (reader, disk, network).`,
    )
  for (const command of allCommands(program)) {
    command.exitOverride()
    if (command.commands.length === 0) command.option('--json', 'print one line of JSON')
  }
  return program
}

/** Runs one command line; sets the exit status. */
export const main = async (argv: readonly string[]): Promise<void> => {
  try {
    await makeProgram().parseAsync([...argv])
  } catch (error) {
    process.exitCode = fail(error)
  }
}

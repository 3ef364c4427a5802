/** `farthing demo`: see demo-day.ts, which is loaded only when it is played. */
import { Command } from 'commander'

export const demoCommand = (): Command =>
  new Command('demo')
    .description('the whole system on one machine: a scripted day, its figures, its pictures')
    .option('--pictures <dir>', 'where the pictures of the screens go', 'demo')
    .option('--keep <dir>', 'keep the books, ledger and cards in this new folder')
    .action(async (options: { pictures: string; keep?: string }) => {
      const { runDemo } = await import('./demo-day.ts')
      await runDemo(options)
    })

/** A secret from a person or a pipe: never from the command line, which every user of the machine can read. */
import { stderr, stdin } from 'node:process'
import { CliError, exitStatus } from './output.ts'

const bytesMax = 4096

const firstLine = (text: string): string => text.split(/\r?\n/)[0] ?? ''

const readPipe = async (): Promise<string> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of stdin) {
    const read = Buffer.from(part)
    bytes += read.length
    if (bytes > bytesMax) throw new CliError(exitStatus.usage, 'Standard input holds more than a password.')
    parts.push(read)
  }
  return firstLine(Buffer.concat(parts).toString('utf8'))
}

const readKeys = (): Promise<string> =>
  new Promise((resolve, reject) => {
    let typed = ''
    const finish = (settle: () => void) => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const take = (keys: string) => {
      for (const key of keys) {
        if (key === '\r' || key === '\n' || key === '\u0004') return finish(() => resolve(typed))
        if (key === '\u0003') return finish(() => reject(new CliError(exitStatus.usage, 'Nothing was changed.')))
        typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key
      }
    }
    stdin.setEncoding('utf8')
    stdin.setRawMode(true)
    stdin.resume()
    stdin.on('data', take)
  })

/** Asks on a terminal, without showing what is typed, twice; otherwise takes the first line of standard input. */
export const readNewPassword = async (what: 'password' | 'PIN' = 'password'): Promise<string> => {
  if (!stdin.isTTY) return readPipe()
  stderr.write(`New ${what}: `)
  const once = await readKeys()
  stderr.write('Again: ')
  if ((await readKeys()) !== once) throw new CliError(exitStatus.usage, `These are two ${what}s: nothing was changed.`)
  return once
}

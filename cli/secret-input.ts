/** A secret from a person or a pipe: never from the command line, which every user of the machine can read. */
import { stderr, stdin } from 'node:process'
import type { Readable } from 'node:stream'
import { CliError, exitStatus } from './output.ts'

const bytesMax = 4096

/** Reads no further than it must: at a terminal, and from a pipe that stays open, nothing follows. */
const readLine = async (input: Readable): Promise<string> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of input) {
    const read = Buffer.from(part)
    const end = read.indexOf('\n')
    parts.push(end < 0 ? read : read.subarray(0, end))
    bytes += parts.at(-1)?.length ?? 0
    if (bytes > bytesMax)
      throw new CliError(exitStatus.usage, `The first line of standard input has more than ${bytesMax} bytes.`)
    if (end >= 0) break
  }
  return Buffer.concat(parts).toString('utf8').replace(/\r$/, '')
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
  if (!stdin.isTTY) return readLine(stdin)
  stderr.write(`New ${what}: `)
  const once = await readKeys()
  stderr.write('Again: ')
  if ((await readKeys()) !== once) throw new CliError(exitStatus.usage, `These are two ${what}s: nothing was changed.`)
  return once
}

/**
 * What an option gives, or where that is `-` the first line of standard input, asked for at a terminal. It is shown as
 * it is typed: such a code works once, and has too many letters to be typed blindly.
 * @param what such as "enrolment code"
 */
export const readCode = async (
  given: string,
  what: string,
  input: Readable & { readonly isTTY?: boolean } = stdin,
): Promise<string> => {
  if (given !== '-') return given
  if (input.isTTY === true) stderr.write(`The ${what}: `)
  const typed = (await readLine(input)).trim()
  if (typed === '')
    throw new CliError(
      exitStatus.usage,
      `Standard input is empty: type the ${what}, or pipe it in with a line of its own.`,
    )
  return typed
}

/**
 * Passwords of the console's users: Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet
 * names first for small memory (19 MiB, 2 passes, 1 lane), kept as a PHC string, so that a later release can ask for more.
 */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { passwordLettersMax, passwordLettersMin } from './console-contract/access.ts'
import { IssuerError } from './errors.ts'

const derive = promisify(argon2)

interface Cost {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}
const cost: Cost = { memoryKib: 19_456, passes: 2, parallelism: 1 }
const saltBytes = 16
const tagBytes = 32

/** Each takes 19 MiB and a thread: more at once would let a flood of sign-ins starve the store. */
const derivationsAtOnce = 2
const derivationsWaitingMax = 60
let running = 0
const waiting: (() => void)[] = []

const inTurn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  if (running >= derivationsAtOnce) {
    if (waiting.length >= derivationsWaitingMax)
      throw new IssuerError('tooManyTries', 'Too many people sign in at this moment: try again in a few seconds.')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running += 1
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

const tagOf = (password: string, salt: Uint8Array, { memoryKib, passes, parallelism }: Cost): Promise<Uint8Array> => {
  const parameters: Argon2Parameters = {
    // What looks the same is the same, however the keyboard composes it.
    message: Buffer.from(password.normalize('NFKC'), 'utf8'),
    nonce: salt,
    parallelism,
    tagLength: tagBytes,
    memory: memoryKib,
    passes,
  }
  return inTurn(() => derive('argon2id', parameters))
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** @returns such as "$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG" */
export const hashPassword = async (password: string): Promise<string> => {
  const salt = randomBytes(saltBytes)
  const tag = await tagOf(password, salt, cost)
  return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(tag)}`
}

const phc = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,})\$([A-Za-z0-9+/]{43})$/

/** Nobody's: trying it takes as long as trying a user's. */
const nobodys = `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`

/**
 * @param hash undefined: there is no such user, which takes the same time to refuse
 * @returns `outdated`: right, but its hash was made with other parameters than today's
 */
export const checkPassword = async (
  password: string,
  hash: string | undefined,
): Promise<'right' | 'outdated' | 'wrong'> => {
  const found = phc.exec(hash ?? nobodys)
  if (found === null) throw new Error('a password hash of the store is none')
  const [, memory = '', passes = '', lanes = '', salt = '', tag = ''] = found
  const its: Cost = { memoryKib: Number(memory), passes: Number(passes), parallelism: Number(lanes) }
  const made = await tagOf(password, Buffer.from(salt, 'base64'), its)
  if (!timingSafeEqual(made, Buffer.from(tag, 'base64')) || hash === undefined) return 'wrong'
  const same = its.memoryKib === cost.memoryKib && its.passes === cost.passes && its.parallelism === cost.parallelism
  return same ? 'right' : 'outdated'
}

/** What people choose when twelve letters are asked for; compared without what is not a letter, and with 0 as o and so on. */
const commonParts = [
  'password',
  'passwort',
  'kennwort',
  'qwerty',
  'qwertz',
  'azerty',
  'letmein',
  'welcome',
  'willkommen',
  'administrator',
  'admin',
  'iloveyou',
  'changeme',
  'farthing',
  'sunshine',
  'princess',
  'football',
  'baseball',
  'superman',
  'batman',
  'dragon',
  'monkey',
  'master',
  'trustno',
  'abcdef',
  'secret',
  'geheim',
  'sommer',
  'winter',
  'summer',
]
const digitsAsLetters: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't' }
const remainderLettersMin = 8
const differentLettersMin = 5

const withoutParts = (text: string, parts: readonly string[]): string =>
  parts.reduce((rest, part) => rest.replaceAll(part, ''), text)

/** Runs such as "abcd" and "4321" count as one letter. */
const withoutRuns = (text: string): string =>
  [...text]
    .filter((letter, at, all) => {
      const before = all[at - 1]
      return before === undefined || Math.abs((letter.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0)) > 1
    })
    .join('')

/** @param about names that may not carry the password: the user's @throws IssuerError `weakPassword` */
export const requireGoodPassword = (password: string, about: readonly string[]): void => {
  const weak = (sentence: string) => new IssuerError('weakPassword', sentence)
  const text = password.normalize('NFKC')
  if ([...text].length < passwordLettersMin)
    throw weak(`A password has ${passwordLettersMin} letters or more: four words that do not belong together are good.`)
  if (text.length > passwordLettersMax) throw weak(`A password has ${passwordLettersMax} letters at the most.`)
  if (new Set(text).size < differentLettersMin) throw weak('This password repeats a few letters: choose another.')
  const plain = text.toLowerCase()
  const spelled = plain.replace(/[013457]/g, (digit) => digitsAsLetters[digit] ?? digit)
  const names = about.filter((name) => name.length > 2).map((name) => name.toLowerCase())
  // What is left once everything that is guessed first is taken away.
  const rest = Math.min(
    ...[plain, spelled].map((each) => withoutRuns(withoutParts(each, [...commonParts, ...names])).length),
  )
  if (rest < remainderLettersMin)
    throw weak('This password is among those that are guessed first: choose words that do not belong together.')
}

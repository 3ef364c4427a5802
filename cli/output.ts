/** What the command says, to whom, and with which exit status (docs/OPERATIONS.md, The command). */
import { writeSync } from 'node:fs'
import { CommanderError } from 'commander'
import { StateFileError } from '../card/state-file.ts'
import { NoVirtualReader } from '../card/vpcd.ts'
import { asLedgerFault, LedgerFault } from '../db/open.ts'
import { IssuerError } from '../issuer/errors.ts'
import { IdentityFault } from '../main/identity.ts'
import { CardFault } from '../main/reader/card-reader.ts'
import { StickFault } from '../main/stick/stick.ts'
import { IssuerRefused, IssuerUnreachable } from '../main/sync/issuer-client.ts'
import { VendingMisuse } from '../main/vending.ts'
import { ProtocolError } from '../protocol/errors.ts'

export const exitStatus = { done: 0, refused: 1, usage: 2, world: 3 } as const
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

/** An error whose sentence is for the person at the keyboard. */
export class CliError extends Error {
  readonly status: ExitStatus
  constructor(status: ExitStatus, sentence: string) {
    super(sentence)
    this.name = 'CliError'
    this.status = status
  }
}

const codeOf = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' ? error.code : undefined

const pipeRetryMs = 10
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** One line to stdout, on its way when this returns. A pipe takes 64 KiB at once: for the rest its reader is waited for. */
export const line = (text: string): void => {
  const bytes = Buffer.from(`${text}\n`)
  for (let at = 0; at < bytes.length; )
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if (!(error instanceof Error && codeOf(error) === 'EAGAIN')) throw error
      Atomics.wait(sleeper, 0, 0, pipeRetryMs)
    }
}

/** Names, reasons and sentences come from elsewhere: none of them moves the cursor, turns a line around or speaks to the terminal. */
export const shown = (text: string): string => text.replace(/[\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/gu, '\ufffd')

/** For people, beside the result. */
export const note = (text: string): void => {
  process.stderr.write(`${shown(text)}\n`)
}

/** JSON on request, and wherever no person reads it. */
export const wantsJson = (options: { json?: boolean }): boolean => options.json === true || !process.stdout.isTTY

/** The result of a command: one line of JSON, or text for people. */
export const result = (options: { json?: boolean }, value: object, text: () => string): void => {
  line(wantsJson(options) ? JSON.stringify(value) : shown(text()))
}

const refusedCodes: readonly string[] = [
  'refused',
  'storeExists',
  'storeBusy',
  'userExists',
  'lastAdmin',
  'caseState',
  'fourEyes',
  'serialJump',
]
const inputCodes: readonly string[] = [
  'input',
  'storeUrl',
  'unknownMerchant',
  'unknownTerminal',
  'unknownCard',
  'unknownItem',
  'unknownUser',
  'weakPassword',
  'unknownCase',
]

/** Where each error of the parts below ends: one sentence, one status. Anything else is a bug and keeps its stack. */
export const statusOf = (error: unknown): ExitStatus | undefined => {
  if (error instanceof CliError) return error.status
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage
  if (error instanceof VendingMisuse) return exitStatus.usage
  if (error instanceof ProtocolError) return error.code === 'forged' ? exitStatus.refused : exitStatus.usage
  if (error instanceof IssuerError)
    return inputCodes.includes(error.code)
      ? exitStatus.usage
      : refusedCodes.includes(error.code)
        ? exitStatus.refused
        : exitStatus.world
  if (error instanceof IssuerRefused) return exitStatus.refused
  if (error instanceof LedgerFault) return error.code === 'locked' ? exitStatus.refused : exitStatus.world
  if (
    error instanceof IssuerUnreachable ||
    error instanceof IdentityFault ||
    error instanceof CardFault ||
    error instanceof StickFault ||
    error instanceof NoVirtualReader ||
    error instanceof StateFileError
  )
    return exitStatus.world
  // The operating system's own errors (a missing file, a port in use) carry a code in capitals.
  if (error instanceof Error && /^(E[A-Z]+|portInUse)$/.test(codeOf(error) ?? '')) return exitStatus.world
  return undefined
}

/** The operating system's own words are for programmers. */
const systemSentence = (error: Error): string => {
  switch (codeOf(error)) {
    case 'ENOSPC':
      return 'The disk is full: free some space, then try again.'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `Not allowed: ${error.message}. Check who owns the folder and whether the disk is writable.`
    case 'ENOENT':
      return `There is no such file or folder: ${error.message}.`
    default:
      return error.message
  }
}

/** Prints the sentence of an expected error, or the stack of a bug to report. */
export const fail = (caught: unknown): ExitStatus => {
  const error = asLedgerFault(caught)
  const status = statusOf(error)
  if (status === undefined) {
    note(`farthing: this is a bug, please report it:\n${error instanceof Error ? error.stack : String(error)}`)
    return exitStatus.world
  }
  // Commander has said its own already.
  if (!(error instanceof CommanderError))
    note(`farthing: ${error instanceof Error ? systemSentence(error) : String(error)}`)
  return status
}

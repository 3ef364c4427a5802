/** Enrolment: a one-time code becomes this terminal's identity, or its next epoch (PROTOCOL.md, Enrolment). */
import { mkdirSync } from 'node:fs'
import * as v from 'valibot'
import { initialiseLedger, ledgerOwner, ledgerStand } from '../db/ledger.ts'
import { openWritable } from '../db/open.ts'
import { terminalId } from '../protocol/quantities.ts'
import { enrolmentSchema, IdentityFault, writeIdentity } from './identity.ts'
import { type IssuerClient, IssuerUnreachable } from './sync/issuer-client.ts'

/** Plain HTTP would show the terminal's key to the network. @throws IdentityFault */
export const requireSafeUrl = (url: string): void => {
  const { protocol, hostname } = new URL(url)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback))
    throw new IdentityFault(`The issuer's address must be https (plain http only on this machine): ${url}`)
}

/**
 * A new ledger begins here and nowhere else: one that is gone later must not begin again unnoticed.
 * @returns what was written to terminal.json; an older ledger follows into the new epoch when the terminal is opened
 * @throws IssuerRefused (wrong or used code), IssuerUnreachable, IdentityFault, LedgerFault (before the code is spent)
 */
export const enrol = async (options: { dataDir: string; client: IssuerClient; code: string }) => {
  requireSafeUrl(options.client.url)
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  // The code works once: before it is spent, the folder must be ours, writable, and its ledger sound.
  const { database, close } = openWritable(options.dataDir, { create: true })
  try {
    const parsed = v.safeParse(enrolmentSchema, await options.client.enrol(options.code, ledgerStand(database)))
    if (!parsed.success)
      throw new IssuerUnreachable(`What answers at ${options.client.url} is not an issuer of this version.`)
    const enrolment = parsed.output
    const owner = ledgerOwner(database)
    if (owner !== undefined && owner.terminalId !== enrolment.terminalId)
      throw new IdentityFault(
        `This data folder belongs to terminal ${owner.terminalId}, and the code was for ${enrolment.terminalId}: use another folder, or a code for this terminal. Codes work once: ask the issuer for a new one.`,
      )
    if (owner === undefined)
      initialiseLedger(database, { terminalId: terminalId(enrolment.terminalId), epoch: enrolment.epoch })
    writeIdentity(options.dataDir, { ...enrolment, issuerUrl: options.client.url })
    return enrolment
  } finally {
    close()
  }
}

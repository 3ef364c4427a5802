/** From the terminal onto the stick: the same batches and journals, byte for byte, as files (docs/OPERATIONS.md, USB). */

import { cutBatch, cutJournal } from '../sync/sync.ts'
import type { Terminal } from '../terminal.ts'
import { type LeftAlone, openStick, stickName } from './stick.ts'
import type { StickDisk } from './stick-disk.ts'

/** Of what the issuer lost, one journey brings back at most this many batches; the next one brings those before. */
export const againMax = 1000

export interface ExportResult {
  /** Names of what lies on the stick now, whole. */
  readonly files: readonly string[]
  readonly refused: readonly LeftAlone[]
}

/**
 * Cuts what is due; writes every batch and journal that has no answer yet, and those that the issuer lost; and leaves a keyring's name
 * where there is none, so that the issuer's desk knows who asks for news though nothing was sold.
 * @throws StickFault, LedgerFault
 */
export const exportBatches = (terminal: Terminal, dir: string, disk?: StickDisk): ExportResult => {
  const { ledger, identity } = terminal
  while (cutBatch(terminal));
  while (cutJournal(terminal));
  const stick = openStick(dir, disk)
  const files: string[] = []
  const refused: LeftAlone[] = []
  const write = (name: string, bytes: Uint8Array): void => {
    const written = stick.write(name, bytes)
    if (written.outcome === 'refused')
      refused.push({ file: name, problem: written.problem, sentence: written.sentence })
    else files.push(name)
  }
  for (const place of ledger.batchesToCarry(againMax)) {
    const batch = ledger.batchAt(place)
    if (batch !== undefined) write(stickName.batch(identity.terminalId, place), batch.bytes)
  }
  for (const place of ledger.journalsToCarry()) {
    const journal = ledger.journalAt(place)
    if (journal !== undefined) write(stickName.journal(identity.terminalId, place), journal.bytes)
  }
  const keyring = stickName.keyring(identity.terminalId)
  if (!stick.has(keyring)) stick.write(keyring, new Uint8Array())
  stick.flush()
  return { files, refused }
}

/** Sync by stick: the same batches, byte for byte, as files (docs/OPERATIONS.md, USB). */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Terminal } from '../terminal.ts'
import { cutBatch } from './sync.ts'

/**
 * Cuts what is due and writes every batch that has no answer yet.
 * @returns the files' names; a file is whole or not there
 */
export const exportBatches = (terminal: Terminal, dir: string): string[] => {
  while (cutBatch(terminal));
  return terminal.ledger.unanswered().map((batch) => {
    const name = `${terminal.identity.terminalId}-${batch.epoch}-${String(batch.batchNo).padStart(6, '0')}.fbat`
    const part = path.join(dir, `${name}.part`)
    const handle = openSync(part, 'w')
    try {
      writeFileSync(handle, batch.bytes)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(part, path.join(dir, name))
    return name
  })
}

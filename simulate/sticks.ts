/** One stick a terminal, carried to the issuer's desk and back: lost, copied back from an older journey, or damaged on the way. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { answerStick, deskOver } from '../cli/desk.ts'
import type { Issuer } from '../issuer/issuer.ts'
import { exportBatches } from '../main/stick/export.ts'
import { takeFromStick } from '../main/stick/take.ts'
import type { Terminal } from '../main/terminal.ts'
import type { TerminalId } from '../protocol/quantities.ts'
import type { Auditor } from './auditor.ts'
import { withBitFlipped } from './fault-channel.ts'
import type { Figures } from './figures.ts'

export class Sticks {
  readonly #folder: string
  readonly #auditor: Auditor
  readonly #figures: Figures

  constructor(parts: { folder: string; auditor: Auditor; figures: Figures }) {
    this.#folder = parts.folder
    this.#auditor = parts.auditor
    this.#figures = parts.figures
  }

  #of(terminal: TerminalId): string {
    const dir = path.join(this.#folder, `${terminal}.stick`)
    mkdirSync(dir, { recursive: true })
    return dir
  }

  write(terminal: Terminal): void {
    if (terminal.ledger.stoppedVerdict !== undefined) return
    const dir = this.#of(terminal.identity.terminalId)
    for (const file of exportBatches(terminal, dir).files)
      if (file.endsWith('.fbat')) this.#auditor.sawBatch(readFileSync(path.join(dir, file)))
  }

  async answer(terminal: TerminalId, issuer: Issuer): Promise<void> {
    const { batches, refused } = await answerStick(deskOver(issuer), this.#of(terminal))
    this.#figures.count('sticks', 'batches answered', batches.length)
    this.#figures.count('sticks', 'files refused', refused.length)
  }

  read(terminal: Terminal): void {
    const taken = takeFromStick(terminal, this.#of(terminal.identity.terminalId))
    terminal.refresh()
    this.#figures.count('sticks', 'answers taken', taken.answers)
    this.#figures.count('sticks', 'files refused', taken.refused.length)
  }

  /** What happens to it on the way. */
  suffer(terminal: TerminalId, dice: number): void {
    const dir = this.#of(terminal)
    const copy = `${dir}.copy`
    const fate = dice % 10
    if (fate === 0) {
      this.#figures.count('fault, stick', 'lost')
      rmSync(dir, { recursive: true })
    } else if (fate === 1) cpSync(dir, copy, { recursive: true })
    else if (fate === 2 && existsSync(copy)) {
      this.#figures.count('fault, stick', 'an older one is taken for it')
      rmSync(dir, { recursive: true })
      cpSync(copy, dir, { recursive: true })
    } else if (fate === 3) this.#damage(dir, dice)
  }

  #damage(dir: string, dice: number): void {
    const names = readdirSync(dir).sort()
    const name = names[dice % Math.max(1, names.length)]
    if (name === undefined) return
    this.#figures.count('fault, stick', 'damaged')
    const bytes = readFileSync(path.join(dir, name))
    writeFileSync(path.join(dir, name), bytes.length === 0 ? bytes : withBitFlipped(bytes, dice))
  }
}

/** What a document's file says, for `farthing batch show`: never a key, and never more than its seals allow to believe. */
import { isoTime } from '../issuer/iso-times.ts'
import { type HeldTerminalKey, readIdentity, type TerminalIdentity } from '../main/identity.ts'
import { openKnownBulletin, openKnownKeyring } from '../main/terminal.ts'
import { openAcknowledgement, parseAcknowledgement } from '../protocol/acknowledgement.ts'
import { parseBatch, requireBatchSeal } from '../protocol/batch.ts'
import { bulletinKeyVersion } from '../protocol/bulletin.ts'
import { equalBytes, toHex } from '../protocol/bytes.ts'
import { lettersOf } from '../protocol/currency.ts'
import { nextHead, parseEntry } from '../protocol/entry.ts'
import { ProtocolError, parsed } from '../protocol/errors.ts'
import {
  isChained,
  openJournalAnswer,
  parseJournal,
  parseJournalAnswer,
  parseJournalEntry,
  requireJournalSeal,
} from '../protocol/journal.ts'
import { parseKeyringHead } from '../protocol/keyring.ts'
import type { TerminalId } from '../protocol/quantities.ts'
import { CliError, exitStatus } from './output.ts'
import { table } from './table.ts'

type Seal = 'right' | 'wrong'

export interface Shown {
  readonly value: object
  /** Whether all that could be checked is right. */
  readonly holds: boolean
  readonly text: () => string
}

/** @throws ProtocolError: a version that this terminal was never given */
const keyOf = ({ terminalKeys }: TerminalIdentity, keyVersion: number): HeldTerminalKey => {
  const key = terminalKeys.get(keyVersion)
  if (key === undefined) throw new ProtocolError('forged', 'keyVersion')
  return key
}

const sealOf = (check: () => unknown): Seal => {
  try {
    check()
    return 'right'
  } catch (error) {
    if (error instanceof ProtocolError) return 'wrong'
    throw error
  }
}

/** Only the terminal's own key says anything about its documents. */
const sealFor = (
  identity: TerminalIdentity | undefined,
  terminalId: TerminalId,
  check: (identity: TerminalIdentity) => unknown,
): { seal?: Seal } =>
  identity === undefined || identity.terminalId !== terminalId ? {} : { seal: sealOf(() => check(identity)) }

const sealText = (seal: Seal | undefined): string => `seal ${seal ?? 'not checked (--data DIR of the terminal)'}`

const entryRow = (bytes: Uint8Array, entryNo: number) => {
  try {
    const { record, status, resolvedTime } = parseEntry(bytes)
    const { order } = record
    return {
      entry: entryNo,
      status,
      type: order.type,
      cardId: record.identity.cardId,
      counter: record.counter,
      amountMinor: order.amountMinor,
      currency: lettersOf(order.currency),
      balanceAfterMinor: record.balanceAfterMinor,
      terminalSeq: order.terminalSeq,
      time: isoTime(order.time),
      ...(resolvedTime === 0 ? {} : { resolvedTime: isoTime(resolvedTime) }),
    }
  } catch (error) {
    if (error instanceof ProtocolError) return { entry: entryNo, problem: error.message }
    throw error
  }
}

/** Everything in a batch, and whether its chain and, with the terminal's key at hand, its seal hold. */
const showBatch = (bytes: Uint8Array, identity: TerminalIdentity | undefined): Shown => {
  const batch = parseBatch(bytes)
  const value = {
    terminalId: batch.terminalId,
    epoch: batch.epoch,
    batchNo: batch.batchNo,
    firstEntry: batch.firstEntry,
    count: batch.entries.length,
    previousHead: toHex(batch.previousHead),
    head: toHex(batch.head),
    chainHolds: equalBytes(batch.entries.reduce(nextHead, batch.previousHead), batch.head),
    ...sealFor(identity, batch.terminalId, (held) => requireBatchSeal(keyOf(held, batch.keyVersion).macKey, bytes)),
    entries: batch.entries.map((entry, at) => entryRow(entry, batch.firstEntry + at)),
  }
  return {
    value,
    holds: value.chainHolds && value.seal !== 'wrong',
    text: () =>
      [
        `Batch ${value.batchNo} of terminal ${value.terminalId}, epoch ${value.epoch}: ${value.count} entries from ${value.firstEntry}`,
        `Chain ${value.chainHolds ? 'holds' : 'IS BROKEN'}; ${sealText(value.seal)}`,
        table(
          ['entry', 'status', 'type', 'card', 'counter', 'amount', 'time'],
          value.entries.map((row) =>
            'problem' in row
              ? [String(row.entry), row.problem ?? '', '', '', '', '', '']
              : [
                  String(row.entry),
                  row.status,
                  row.type,
                  row.cardId,
                  String(row.counter),
                  String(row.amountMinor),
                  row.time,
                ],
          ),
        ),
      ].join('\n'),
  }
}

const showAcknowledgement = (bytes: Uint8Array, identity: TerminalIdentity | undefined): Shown => {
  const { head, keyVersion, ...ack } = parseAcknowledgement(bytes)
  const value = {
    ...ack,
    head: toHex(head),
    ...sealFor(identity, ack.terminalId, (held) => openAcknowledgement(keyOf(held, keyVersion).macKey, bytes)),
  }
  return {
    value,
    holds: value.seal !== 'wrong',
    text: () =>
      [
        `Acknowledgement for terminal ${ack.terminalId}, epoch ${ack.epoch}, batch ${ack.batchNo}: ${ack.verdict}`,
        `${ack.accepted} entries accepted, ${ack.exceptions.length} exceptions; ${sealText(value.seal)}`,
        ...ack.exceptions.map(({ entry, reason }) => `  entry ${entry}: ${reason}`),
      ].join('\n'),
  }
}

const showBulletin = (bytes: Uint8Array, identity: TerminalIdentity | undefined): Shown => {
  const keyVersion = bulletinKeyVersion(bytes)
  if (identity === undefined)
    return {
      value: { bulletin: true, keyVersion },
      holds: true,
      text: () => `A bulletin, signed with key version ${keyVersion}; ${sealText(undefined)}`,
    }
  const { serial, issuedAt, expiresAt, currency, items, hotlist } = openKnownBulletin(identity, bytes)
  const value = { serial, issuedAt, expiresAt, currency, items: items.map(({ id }) => id), hotlist }
  return {
    value: { bulletin: true, keyVersion, ...value, seal: 'right' },
    holds: true,
    text: () =>
      [
        `Bulletin ${serial} of ${issuedAt}, good until ${expiresAt}; signature right`,
        `${items.length} items (${value.items.join(', ')}), hotlist ${hotlist.generation} of ${hotlist.count} entries, head ${hotlist.head}`,
      ].join('\n'),
  }
}

const showKeyring = (bytes: Uint8Array, identity: TerminalIdentity | undefined): Shown => {
  const head = parseKeyringHead(bytes)
  const value = {
    keyring: true,
    ...head,
    ...sealFor(identity, head.terminalId, (held) => openKnownKeyring(held, bytes)),
  }
  return {
    value,
    holds: value.seal !== 'wrong',
    text: () =>
      `Keyring ${head.serial} for terminal ${head.terminalId}, epoch ${head.epoch}; ${sealText(value.seal)}. Its keys are shown to nobody.`,
  }
}

const journalRow = (bytes: Uint8Array, no: number) => {
  const entry = parsed(() => parseJournalEntry(bytes))
  return entry ?? { no, act: 'unreadable', at: '', operator: undefined, details: undefined }
}

const showJournal = (bytes: Uint8Array, identity: TerminalIdentity | undefined): Shown => {
  const journal = parseJournal(bytes)
  const { terminalId, epoch, journalNo, firstEntry } = journal
  const value = {
    journal: true,
    terminalId,
    epoch,
    journalNo,
    firstEntry,
    chainHolds: isChained(journal),
    ...sealFor(identity, terminalId, (held) => requireJournalSeal(keyOf(held, journal.keyVersion).bytes, bytes)),
    entries: journal.entries.map((entry, index) => journalRow(entry, firstEntry + index)),
  }
  return {
    value,
    holds: value.chainHolds && value.seal !== 'wrong',
    text: () =>
      [
        `Journal ${journalNo} of terminal ${terminalId}, epoch ${epoch}: ${value.entries.length} entries from ${firstEntry}`,
        `Chain ${value.chainHolds ? 'holds' : 'IS BROKEN'}; ${sealText(value.seal)}`,
        table(
          ['entry', 'at', 'act', 'operator', 'details'],
          value.entries.map(({ no, at, act, operator, details }) => [
            String(no),
            at,
            act,
            operator?.name ?? '',
            details === undefined ? '' : JSON.stringify(details),
          ]),
        ),
      ].join('\n'),
  }
}

const showJournalAnswer = (bytes: Uint8Array, identity: TerminalIdentity | undefined): Shown => {
  const { head, keyVersion, ...answer } = parseJournalAnswer(bytes)
  const value = {
    journalAnswer: true,
    ...answer,
    head: toHex(head),
    ...sealFor(identity, answer.terminalId, (held) => openJournalAnswer(keyOf(held, keyVersion).bytes, bytes)),
  }
  return {
    value,
    holds: value.seal !== 'wrong',
    text: () =>
      `Answer to journal ${answer.journalNo} of terminal ${answer.terminalId}, epoch ${answer.epoch}: ${answer.verdict}; ${sealText(value.seal)}`,
  }
}

const shows = {
  FBAT: showBatch,
  FACK: showAcknowledgement,
  FBUL: showBulletin,
  FKEY: showKeyring,
  FJRN: showJournal,
  FJRA: showJournalAnswer,
} as const

/** @param dataDir of the terminal whose keys check the seals @throws CliError, ProtocolError for what is no such document */
export const showDocument = (bytes: Uint8Array, dataDir: string | undefined): Shown => {
  const magic = Buffer.from(bytes.subarray(0, 4)).toString('latin1')
  const show = Object.entries(shows).find(([letters]) => letters === magic)?.[1]
  if (show === undefined)
    throw new CliError(
      exitStatus.usage,
      'This is no batch, journal, answer to one, bulletin or keyring: it begins otherwise.',
    )
  return show(bytes, dataDir === undefined ? undefined : readIdentity(dataDir))
}

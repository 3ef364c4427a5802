/** The card's commands, answers and status words (ISO 7816-4; PROTOCOL.md, The card). */
import { ByteReader, ByteWriter, concat, requireInteger, requireLength } from './bytes.ts'
import { aid } from './card-info.ts'
import { ProtocolError } from './errors.ts'
import { orderLength } from './order.ts'
import { type AmountMinor, amountMinor, type Counter, counter, type Mac, mac, macLength } from './quantities.ts'
import { recordLength } from './record.ts'

export const instruction = {
  select: 0xa4,
  initiate: 0x10,
  verifyPin: 0x12,
  commit: 0x14,
  readRecord: 0xb2,
  personalise: 0xe0,
  getResponse: 0xc0,
} as const

export const statusWord = {
  ok: 0x9000,
  wrongLength: 0x6700,
  securityNotSatisfied: 0x6982,
  pinBlocked: 0x6983,
  conditionsNotSatisfied: 0x6985,
  wrongData: 0x6a80,
  notFound: 0x6a82,
  recordNotFound: 0x6a83,
  wrongParameters: 0x6a86,
  unknownInstruction: 0x6d00,
  unknownClass: 0x6e00,
  /** 61xx, of T=0: GET RESPONSE fetches xx bytes (0 for 256) of the answer. */
  bytesAvailable: 0x6100,
  /** 6Cxx, of T=0: nothing was done; xx is the Le to ask for. */
  wrongLe: 0x6c00,
  /** 63Cx: x tries are left. */
  pinWrong: 0x63c0,
  balanceTooLow: 0x9401,
  cardBlocked: 0x9402,
  cardExpired: 0x9403,
  wrongCurrency: 0x9404,
  pinRequired: 0x9405,
  overBalanceMax: 0x9406,
} as const

const command = (cla: number, ins: number, p1: number, p2: number, data: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(cla, ins, p1, p2, data.length), data)

export const selectCommand = (): Uint8Array => command(0x00, instruction.select, 0x04, 0x00, aid)
/** @param order 60 bytes */
export const initiateCommand = (order: Uint8Array): Uint8Array =>
  command(0x90, instruction.initiate, 0, 0, requireLength(order, orderLength, 'order'))
export const verifyPinCommand = (pin: Mac): Uint8Array => command(0x90, instruction.verifyPin, 0, 0, mac(pin))
export const commitCommand = (commit: Mac): Uint8Array => command(0x90, instruction.commit, 0, 0, mac(commit))
/** @param recordNumber 1 (newest) to 10 @throws ProtocolError `range` */
export const readRecordCommand = (recordNumber: number, read: Mac): Uint8Array =>
  command(
    0x00,
    instruction.readRecord,
    requireInteger(recordNumber, { min: 1, max: 0xff, field: 'record number' }),
    0x04,
    mac(read),
  )
/** @param le how many bytes, 0 for 256 */
export const getResponseCommand = (le: number): Uint8Array => Uint8Array.of(0x00, instruction.getResponse, 0, 0, le)
export const personaliseCommand = (data: Uint8Array): Uint8Array => command(0x90, instruction.personalise, 0, 0, data)

export interface ResponseApdu {
  readonly data: Uint8Array
  /** SW1 || SW2 */
  readonly status: number
}

/** @throws ProtocolError `length` below two bytes: the card is gone */
export const parseResponse = (bytes: Uint8Array): ResponseApdu => {
  if (bytes.length < 2) throw new ProtocolError('length', 'response APDU')
  const at = bytes.length - 2
  return { data: bytes.slice(0, at), status: ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0) }
}

export const encodeResponse = (response: ResponseApdu): Uint8Array =>
  concat(response.data, Uint8Array.of(response.status >> 8, response.status & 0xff))

/** The tries that are left when `status` is 63Cx. */
export const pinTriesOf = (status: number): number | undefined =>
  (status & 0xfff0) === statusWord.pinWrong ? status & 0x0f : undefined

export interface InitiateAnswer {
  /** The number that this transaction will bear. */
  readonly counter: Counter
  /** Before it. */
  readonly balanceMinor: AmountMinor
  readonly cardNonce: Uint8Array
  readonly offerMac: Mac
}

/** @param data exactly 32 bytes @throws ProtocolError */
export const parseInitiateAnswer = (data: Uint8Array): InitiateAnswer => {
  const reader = new ByteReader(data, 32, 'INITIATE answer')
  return {
    counter: counter(reader.u32()),
    balanceMinor: amountMinor(reader.u32()),
    cardNonce: reader.bytes(8),
    offerMac: mac(reader.bytes(macLength)),
  }
}

export const encodeInitiateAnswer = (answer: InitiateAnswer): Uint8Array =>
  new ByteWriter(32)
    .u32(answer.counter)
    .u32(answer.balanceMinor)
    .bytes(answer.cardNonce, 8, 'cardNonce')
    .bytes(answer.offerMac, macLength, 'offer MAC')
    .done()

export interface CommitAnswer {
  readonly balanceAfterMinor: AmountMinor
  readonly settlementMac: Mac
  readonly acceptanceMac: Mac
}

/** @param data exactly 36 bytes @throws ProtocolError */
export const parseCommitAnswer = (data: Uint8Array): CommitAnswer => {
  const reader = new ByteReader(data, 36, 'COMMIT answer')
  return {
    balanceAfterMinor: amountMinor(reader.u32()),
    settlementMac: mac(reader.bytes(macLength)),
    acceptanceMac: mac(reader.bytes(macLength)),
  }
}

export const encodeCommitAnswer = (answer: CommitAnswer): Uint8Array =>
  new ByteWriter(36)
    .u32(answer.balanceAfterMinor)
    .bytes(answer.settlementMac, macLength, 'settlement MAC')
    .bytes(answer.acceptanceMac, macLength, 'acceptance MAC')
    .done()

export interface ReadRecordAnswer {
  /** record (80), not yet parsed: the acceptance MAC is over these bytes. */
  readonly record: Uint8Array
  readonly settlementMac: Mac
  readonly acceptanceMac: Mac
}

/** @param data exactly 112 bytes @throws ProtocolError */
export const parseReadRecordAnswer = (data: Uint8Array): ReadRecordAnswer => {
  const reader = new ByteReader(data, recordLength + 2 * macLength, 'READ RECORD answer')
  return {
    record: reader.bytes(recordLength),
    settlementMac: mac(reader.bytes(macLength)),
    acceptanceMac: mac(reader.bytes(macLength)),
  }
}

export const encodeReadRecordAnswer = (answer: ReadRecordAnswer): Uint8Array =>
  concat(requireLength(answer.record, recordLength, 'record'), answer.settlementMac, answer.acceptanceMac)

/** The claim (132 bytes): a customer's own proof of payment, in a QR code (PROTOCOL.md, Documents). */
import { ascii, ByteReader, ByteWriter, concat, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { type MacKey, macTag, requireMac } from './mac.ts'
import {
  idBytes,
  idLength,
  type Mac,
  mac,
  macLength,
  type TerminalId,
  terminalId,
  type UnixTime,
  unixTime,
} from './quantities.ts'
import { type CardRecord, encodeRecord, parseRecord, recordLength } from './record.ts'

export const claimLength = 132

export interface Claim {
  /** The sealer's key version. */
  readonly keyVersion: number
  /** Who sealed it: who sold, or any terminal that read the record from the card. */
  readonly sealer: TerminalId
  readonly record: CardRecord
  readonly settlementMac: Mac
  readonly expiry: UnixTime
}

/** Reads the layout; `requireClaimSeal` is the next check. @param bytes exactly 132 @throws ProtocolError */
export const parseClaim = (bytes: Uint8Array): Claim => {
  const reader = new ByteReader(bytes, claimLength, 'claim')
  reader.magic('FCLM')
  reader.version('claim')
  const keyVersion = reader.u8()
  reader.reserved(2, 'claim')
  const sealer = terminalId(toHex(reader.bytes(idLength)))
  const record = parseRecord(reader.bytes(recordLength))
  if (record.order.type !== 'payment') throw new ProtocolError('range', 'claim.record', 'only a payment is claimed')
  return { keyVersion, sealer, record, settlementMac: mac(reader.bytes(macLength)), expiry: unixTime(reader.u32()) }
}

const claimSeal = (terminalKey: MacKey, body: Uint8Array): Uint8Array =>
  terminalKey(macTag.claim, body).subarray(0, macLength)

/** @throws ProtocolError `forged` */
export const requireClaimSeal = (terminalKey: MacKey, bytes: Uint8Array): void =>
  requireMac(claimSeal(terminalKey, bytes.subarray(0, -macLength)), bytes.subarray(-macLength), 'claim seal')

/** @returns 132 bytes @throws ProtocolError */
export const encodeClaim = (terminalKey: MacKey, claim: Claim): Uint8Array => {
  const body = new ByteWriter(claimLength - macLength)
    .bytes(ascii('FCLM'), 4, 'magic')
    .u8(1)
    .u8(claim.keyVersion, 'claim.keyVersion')
    .zeros(2)
    .bytes(idBytes(claim.sealer), idLength, 'claim.sealer')
    .bytes(encodeRecord(claim.record), recordLength, 'claim.record')
    .bytes(claim.settlementMac, macLength, 'claim.settlementMac')
    .u32(claim.expiry, 'claim.expiry')
    .done()
  return concat(body, claimSeal(terminalKey, body))
}

/** Load request (144 bytes) and load answer (72 bytes): value comes onto a card online (PROTOCOL.md, Documents). */
import { ascii, ByteReader, ByteWriter, isZero, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { type MacKey, macTag, requireSeal, seal, sealLength } from './mac.ts'
import { encodeOrder, type Order, orderLength, parseOrder } from './order.ts'
import {
  type AmountMinor,
  amountMinor,
  type Counter,
  counter,
  idBytes,
  idLength,
  type Mac,
  mac,
  macLength,
  type TerminalId,
  terminalId,
} from './quantities.ts'
import { encodeIdentity, type Identity, identityLength, parseIdentity } from './record.ts'

export const loadRequestLength = 144
export const loadAnswerLength = 72

export interface LoadRequest {
  /** Of K_term. The sealer is the order's terminal. */
  readonly keyVersion: number
  readonly identity: Identity
  readonly counter: Counter
  /** Before the load. */
  readonly balanceMinor: AmountMinor
  readonly order: Order
  readonly cardNonce: Uint8Array
  /** Under K_load: only the issuer can check it. */
  readonly offerMac: Mac
}

/** Reads the layout; `requireLoadRequestSeal` is the next check. @throws ProtocolError */
export const parseLoadRequest = (bytes: Uint8Array): LoadRequest => {
  const reader = new ByteReader(bytes, loadRequestLength, 'load request')
  reader.magic('FLRQ')
  reader.version('load request')
  const keyVersion = reader.u8()
  reader.reserved(2, 'load request')
  const request: LoadRequest = {
    keyVersion,
    identity: parseIdentity(reader.bytes(identityLength)),
    counter: counter(reader.u32()),
    balanceMinor: amountMinor(reader.u32()),
    order: parseOrder(reader.bytes(orderLength)),
    cardNonce: reader.bytes(8),
    offerMac: mac(reader.bytes(macLength)),
  }
  if (request.order.type !== 'load') throw new ProtocolError('range', 'load request.order.type', request.order.type)
  if (request.order.amountMinor === 0) throw new ProtocolError('range', 'load request.order.amount', '0')
  return request
}

/** @throws ProtocolError `forged` */
export const requireLoadRequestSeal = (terminalKey: MacKey, bytes: Uint8Array): void =>
  requireSeal(terminalKey, macTag.loadRequest, bytes)

/** @returns 144 bytes @throws ProtocolError */
export const encodeLoadRequest = (terminalKey: MacKey, request: LoadRequest): Uint8Array =>
  seal(
    terminalKey,
    macTag.loadRequest,
    new ByteWriter(loadRequestLength - sealLength)
      .bytes(ascii('FLRQ'), 4, 'magic')
      .u8(1)
      .u8(request.keyVersion, 'load request.keyVersion')
      .zeros(2)
      .bytes(encodeIdentity(request.identity), identityLength, 'identity')
      .u32(request.counter, 'load request.counter')
      .u32(request.balanceMinor, 'load request.balance')
      .bytes(encodeOrder(request.order), orderLength, 'order')
      .bytes(request.cardNonce, 8, 'cardNonce')
      .bytes(request.offerMac, macLength, 'offer MAC')
      .done(),
  )

/** The wire's numbers are these positions. */
export const loadVerdicts = ['authorised', 'refused', 'notFunded', 'unknownCard', 'limit', 'otherCounter'] as const
export type LoadVerdict = (typeof loadVerdicts)[number]

export interface LoadAnswer {
  readonly keyVersion: number
  readonly verdict: LoadVerdict
  readonly terminalId: TerminalId
  readonly terminalSeq: number
  readonly counter: Counter
  /** Zeros unless authorised. */
  readonly commitMac: Mac
}

/** Reads and verifies. @throws ProtocolError; `forged` when the seal is wrong */
export const openLoadAnswer = (terminalKey: MacKey, bytes: Uint8Array): LoadAnswer => {
  const reader = new ByteReader(bytes, loadAnswerLength, 'load answer')
  reader.magic('FLAN')
  reader.version('load answer')
  const keyVersion = reader.u8()
  const verdict = loadVerdicts[reader.u8()]
  if (verdict === undefined) throw new ProtocolError('range', 'load answer.verdict')
  reader.reserved(1, 'load answer')
  const answer: LoadAnswer = {
    keyVersion,
    verdict,
    terminalId: terminalId(toHex(reader.bytes(idLength))),
    terminalSeq: reader.u32(),
    counter: counter(reader.u32()),
    commitMac: mac(reader.bytes(macLength)),
  }
  if (verdict !== 'authorised' && !isZero(answer.commitMac))
    throw new ProtocolError('reserved', 'load answer.commitMac')
  requireSeal(terminalKey, macTag.loadAnswer, bytes)
  return answer
}

/** @returns 72 bytes @throws ProtocolError */
export const encodeLoadAnswer = (terminalKey: MacKey, answer: LoadAnswer): Uint8Array =>
  seal(
    terminalKey,
    macTag.loadAnswer,
    new ByteWriter(loadAnswerLength - sealLength)
      .bytes(ascii('FLAN'), 4, 'magic')
      .u8(1)
      .u8(answer.keyVersion, 'load answer.keyVersion')
      .u8(loadVerdicts.indexOf(answer.verdict))
      .zeros(1)
      .bytes(idBytes(answer.terminalId), idLength, 'load answer.terminalId')
      .u32(answer.terminalSeq, 'load answer.terminalSeq')
      .u32(answer.counter, 'load answer.counter')
      .bytes(answer.commitMac, macLength, 'load answer.commitMac')
      .done(),
  )

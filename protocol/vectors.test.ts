/** Every value of vectors.json, which another program in another language computed from PROTOCOL.md. */
import { readFileSync } from 'node:fs'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, test } from 'vitest'
import { encodeAcknowledgement, exceptionReasons, openAcknowledgement } from './acknowledgement.ts'
import {
  commitCommand,
  encodeCommitAnswer,
  encodeInitiateAnswer,
  initiateCommand,
  parseCommitAnswer,
  parseInitiateAnswer,
  readRecordCommand,
} from './apdu.ts'
import { encodeBatch, parseBatch, requireBatchSeal } from './batch.ts'
import { fromHex, toHex } from './bytes.ts'
import { encodeSelectAnswer, parseSelectAnswer } from './card-info.ts'
import { encodeClaim, parseClaim, requireClaimSeal } from './claim.ts'
import { encodeEntry, firstHead, nextHead, parseEntry } from './entry.ts'
import { deriveLoadKey, derivePayKey, deriveSettleKey, deriveTerminalKey } from './keys.ts'
import {
  encodeLoadAnswer,
  encodeLoadRequest,
  openLoadAnswer,
  parseLoadRequest,
  requireLoadRequestSeal,
} from './load.ts'
import {
  acceptanceMac,
  commitBlockMac,
  commitLoadMac,
  commitMac,
  macKey,
  offerMac,
  pinMac,
  readMac,
  settlementMac,
  shortHashOf,
} from './mac.ts'
import { encodeOrder, orderTypes, parseOrder } from './order.ts'
import {
  amountMinor,
  cardId,
  counter,
  currencyCode,
  mac,
  shortHash,
  terminalId,
  unixTime,
  zeroMac,
} from './quantities.ts'
import { encodeIdentity, encodeRecord, parseRecord } from './record.ts'

const vectors = JSON.parse(readFileSync(new URL('./vectors.json', import.meta.url), 'utf8'))
const hex = (text: string): Uint8Array => fromHex(text, text.length / 2)
const master = (name: string): Uint8Array => hex(vectors.masters[name])
const terminalKeyOf = (keyVersion: number, id: string) =>
  macKey(deriveTerminalKey(master('terminal'), keyVersion, terminalId(id)))

describe('keys', () => {
  for (const row of vectors.keys)
    test(`derives version ${row.keyVersion} of ${row.cardId ?? row.terminalId}`, () => {
      if (row.cardId !== undefined) {
        const card = cardId(row.cardId)
        expect(toHex(derivePayKey(master('pay'), row.keyVersion, card))).toBe(row.k_pay)
        expect(toHex(deriveSettleKey(master('settle'), row.keyVersion, card))).toBe(row.k_settle)
        expect(toHex(deriveLoadKey(master('load'), row.keyVersion, card))).toBe(row.k_load)
      } else {
        const key = deriveTerminalKey(master('terminal'), row.keyVersion, terminalId(row.terminalId))
        expect(toHex(key)).toBe(row.k_terminal)
      }
    })
})

describe('transactions', () => {
  for (const row of vectors.transactions)
    test(row.name, () => {
      const card = cardId(row.cardId)
      const payKey = macKey(derivePayKey(master('pay'), row.keyVersion, card))
      const settleKey = macKey(deriveSettleKey(master('settle'), row.keyVersion, card))
      const loadKey = macKey(deriveLoadKey(master('load'), row.keyVersion, card))
      const type = orderTypes[row.type as number]
      if (type === undefined) throw new Error('type')
      const order = {
        type,
        currency: currencyCode(row.currency),
        amountMinor: amountMinor(row.amount),
        reference: counter(row.reference),
        terminalId: terminalId(row.terminalId),
        terminalSeq: row.terminalSeq,
        time: unixTime(row.time),
        itemHash: shortHash(hex(row.itemHash)),
        lock: hex(row.lock),
      }
      const orderBytes = encodeOrder(order)
      expect(toHex(orderBytes)).toBe(row.order)
      expect(parseOrder(orderBytes)).toEqual(order)
      if (row.secret !== undefined && type !== 'reversal' && type !== 'block')
        expect(toHex(shortHashOf(hex(row.secret)))).toBe(row.lock)
      expect(toHex(initiateCommand(orderBytes))).toBe(row.initiateApdu)

      const identity = { keyVersion: row.keyVersion, cardId: card }
      const cardNonce = hex(row.cardNonce)
      const offered = {
        identity: encodeIdentity(identity),
        counter: counter(row.counter),
        balanceMinor: row.balanceBefore,
        order: orderBytes,
        cardNonce,
      }
      const offer = offerMac(type === 'load' ? loadKey : payKey, offered)
      expect(toHex(offer)).toBe(row.macOffer)
      const answer = {
        counter: offered.counter,
        balanceMinor: amountMinor(row.balanceBefore),
        cardNonce,
        offerMac: offer,
      }
      expect(toHex(encodeInitiateAnswer(answer))).toBe(row.initiateAnswer)
      expect(parseInitiateAnswer(hex(row.initiateAnswer))).toEqual(answer)

      const committed = { cardId: card, counter: offered.counter, order: orderBytes, cardNonce }
      const commit =
        type === 'load'
          ? commitLoadMac(loadKey, committed)
          : type === 'block'
            ? commitBlockMac(loadKey, card)
            : commitMac(payKey, committed)
      expect(toHex(commit)).toBe(row.macCommit)
      expect(toHex(commitCommand(commit))).toBe(row.commitApdu)

      const record = { identity, counter: offered.counter, balanceAfterMinor: amountMinor(row.balanceAfter), order }
      const recordBytes = encodeRecord(record)
      expect(toHex(recordBytes)).toBe(row.record)
      expect(parseRecord(recordBytes)).toEqual(record)
      const settlement = settlementMac(settleKey, recordBytes)
      const acceptance = acceptanceMac(payKey, recordBytes, settlement)
      expect(toHex(settlement)).toBe(row.macSettlement)
      expect(toHex(acceptance)).toBe(row.macAcceptance)
      const commitAnswer = {
        balanceAfterMinor: record.balanceAfterMinor,
        settlementMac: settlement,
        acceptanceMac: acceptance,
      }
      expect(toHex(encodeCommitAnswer(commitAnswer))).toBe(row.commitAnswer)
      expect(parseCommitAnswer(hex(row.commitAnswer))).toEqual(commitAnswer)

      if (row.pin !== undefined)
        expect(toHex(pinMac(payKey, { cardId: card, cardNonce, digits: row.pin }))).toBe(row.macPin)
      const recordNumber = Number.parseInt(row.readApdu.slice(4, 6), 16)
      const read = readMac(payKey, { cardId: card, challenge: hex(row.challenge), recordNumber })
      expect(toHex(readRecordCommand(recordNumber, read))).toBe(row.readApdu)
    })
})

describe('batches', () => {
  for (const row of vectors.batches)
    test(`batch ${row.batchNo} of epoch ${row.epoch}`, () => {
      const key = terminalKeyOf(row.keyVersion, row.terminalId)
      const id = terminalId(row.terminalId)
      const entries: Uint8Array[] = row.entries.map(hex)
      if (row.batchNo === 1) expect(toHex(firstHead(id, row.epoch))).toBe(row.previousHead)
      expect(toHex(entries.reduce(nextHead, hex(row.previousHead)))).toBe(row.head)
      for (const entry of entries) expect(toHex(encodeEntry(parseEntry(entry)))).toBe(toHex(entry))
      const batch = {
        keyVersion: row.keyVersion,
        terminalId: id,
        epoch: row.epoch,
        batchNo: row.batchNo,
        firstEntry: row.firstEntry,
        previousHead: hex(row.previousHead),
        entries,
        head: hex(row.head),
      }
      expect(toHex(encodeBatch(key, batch))).toBe(row.batch)
      expect(parseBatch(hex(row.batch))).toEqual(batch)
      requireBatchSeal(key, hex(row.batch))

      const exceptions = row.ackExceptions.map((exception: { entry: number; reason: number }) => {
        const reason = exceptionReasons[exception.reason - 1]
        if (reason === undefined) throw new Error('reason')
        return { entry: exception.entry, reason }
      })
      const ack = {
        keyVersion: row.keyVersion,
        verdict: 'taken' as const,
        terminalId: id,
        epoch: row.epoch,
        batchNo: row.batchNo,
        head: hex(row.head),
        accepted: entries.length - exceptions.length,
        exceptions,
      }
      const acknowledgement = openAcknowledgement(key, hex(row.ack))
      // A vector may answer `taken` or `outOfOrder`; everything else of it follows from the row.
      expect(acknowledgement).toEqual({ ...ack, verdict: acknowledgement.verdict })
      expect(toHex(encodeAcknowledgement(key, acknowledgement))).toBe(row.ack)
      if (row.forkAck !== undefined) {
        const fork = openAcknowledgement(key, hex(row.forkAck))
        expect(fork).toEqual({ ...ack, verdict: 'fork', accepted: 0, exceptions: [] })
        expect(toHex(encodeAcknowledgement(key, fork))).toBe(row.forkAck)
      }
    })
})

describe('claims', () => {
  for (const row of vectors.claims)
    test(`claim sealed by ${row.sealer}, paid ${row.record.slice(32, 40)}`, () => {
      const key = terminalKeyOf(row.keyVersion, row.sealer)
      const claim = {
        keyVersion: row.keyVersion,
        sealer: terminalId(row.sealer),
        record: parseRecord(hex(row.record)),
        settlementMac: mac(hex(row.macSettlement)),
        expiry: unixTime(row.expiry),
      }
      expect(toHex(encodeClaim(key, claim))).toBe(row.claim)
      expect(parseClaim(hex(row.claim))).toEqual(claim)
      requireClaimSeal(key, hex(row.claim))
    })
})

describe('loads', () => {
  for (const row of vectors.loads)
    test(row.transaction, () => {
      const transaction = vectors.transactions.find((candidate: { name: string }) => candidate.name === row.transaction)
      const key = terminalKeyOf(row.keyVersion, transaction.terminalId)
      const request = {
        keyVersion: row.keyVersion,
        identity: { keyVersion: transaction.keyVersion, cardId: cardId(transaction.cardId) },
        counter: counter(transaction.counter),
        balanceMinor: amountMinor(transaction.balanceBefore),
        order: parseOrder(hex(transaction.order)),
        cardNonce: hex(transaction.cardNonce),
        offerMac: mac(hex(transaction.macOffer)),
      }
      expect(toHex(encodeLoadRequest(key, request))).toBe(row.request)
      expect(parseLoadRequest(hex(row.request))).toEqual(request)
      requireLoadRequestSeal(key, hex(row.request))
      const answer = {
        keyVersion: row.keyVersion,
        verdict: 'authorised' as const,
        terminalId: terminalId(transaction.terminalId),
        terminalSeq: transaction.terminalSeq,
        counter: request.counter,
        commitMac: mac(hex(transaction.macCommit)),
      }
      expect(toHex(encodeLoadAnswer(key, answer))).toBe(row.answer)
      expect(openLoadAnswer(key, hex(row.answer))).toEqual(answer)
      const refusal = { ...answer, verdict: 'notFunded' as const, commitMac: zeroMac() }
      expect(openLoadAnswer(key, hex(row.refusal))).toEqual(refusal)
      expect(toHex(encodeLoadAnswer(key, refusal))).toBe(row.refusal)
    })
})

test('probe', () => {
  const row = vectors.probe
  const payKey = macKey(derivePayKey(master('pay'), row.keyVersion, cardId(row.cardId)))
  expect(toHex(encodeOrder(parseOrder(hex(row.order))))).toBe(row.order)
  expect(toHex(initiateCommand(hex(row.order)))).toBe(row.initiateApdu)
  const answer = parseInitiateAnswer(hex(row.initiateAnswer))
  expect(answer.counter).toBe(row.counter)
  const offer = offerMac(payKey, {
    identity: encodeIdentity({ keyVersion: row.keyVersion, cardId: cardId(row.cardId) }),
    counter: counter(row.counter),
    balanceMinor: row.balance,
    order: hex(row.order),
    cardNonce: hex(row.cardNonce),
  })
  expect(toHex(offer)).toBe(toHex(answer.offerMac))
})

test('select', () => {
  const info = parseSelectAnswer(hex(vectors.select.answer))
  expect(info).toMatchObject({ keyVersion: 1, status: 'active', pinTriesLeft: 3, counter: 41, balanceMinor: 5000 })
  expect(info).toMatchObject({ balanceMaxMinor: 20000, pinFreeLeftMinor: 2500, expiry: 4102444800, currency: 978 })
  expect(toHex(info.challenge)).toBe('0001020304050607')
  expect(toHex(encodeSelectAnswer(info))).toBe(vectors.select.answer)
})

test('the vectors are the published ones', () => {
  const text = readFileSync(new URL('./vectors.json', import.meta.url))
  expect(toHex(sha256(text))).toMatchInlineSnapshot(
    `"f99ecca30b1d65a59bd53288e7fbf60515f6a2d45b640462343a66cded22e00e"`,
  )
})

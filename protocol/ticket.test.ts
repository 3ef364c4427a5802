import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeBase32, encodeBase32 } from './base32.ts'
import { toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { unixTime } from './quantities.ts'
import {
  encodeTicket,
  judgeTicket,
  parseTicket,
  type Ticket,
  ticketEvent,
  ticketLetters,
  ticketNumber,
  ticketVerifier,
} from './ticket.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const seed = new Uint8Array(32).fill(9)
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
const publicKey = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32))

/** Base32 by arithmetic on one great number, and the layout by Buffer: nothing of the code under test. */
const madeElsewhere = (fields: { event: string; number: string; from: number; until: number }, magic = 'FTKT') => {
  const head = Buffer.alloc(32)
  head.write(magic, 0, 'latin1')
  head[4] = 1
  head[5] = 3
  head.write(fields.event, 8, 'hex')
  head.write(fields.number, 16, 'hex')
  head.writeUInt32BE(fields.from, 24)
  head.writeUInt32BE(fields.until, 28)
  const signature = sign(null, Buffer.concat([Buffer.from('farthing ticket'), head]), privateKey)
  let great = BigInt(`0x${Buffer.concat([head, signature]).toString('hex')}`) << 2n
  let text = ''
  for (let i = 0; i < 154; i += 1, great >>= 5n) text = `${alphabet[Number(great & 31n)]}${text}`
  return text
}

const signing = { privateKey: seed, keyVersion: 3 }
const ticket: Omit<Ticket, 'keyVersion'> = {
  event: ticketEvent('town-concert'),
  number: '0123456789abcdef',
  validFrom: unixTime(1000),
  validUntil: unixTime(2000),
}
const door = {
  keys: new Map([[3, ticketVerifier(publicKey)]]),
  eventIds: ['harbour-fair', 'town-concert'],
  now: 1500,
}
const code = encodeTicket(ticket, signing)
const outcomeOf = (text: string, changes: Partial<typeof door> = {}) =>
  judgeTicket(text, { ...door, ...changes }).outcome

test('is what another program makes of the same fields, to the letter', () => {
  const event = createHash('sha256').update('farthing eventtown-concert').digest('hex').slice(0, 16)
  expect(ticket.event).toBe(event)
  expect(code).toBe(madeElsewhere({ event, number: ticket.number, from: 1000, until: 2000 }))
  expect(code).toHaveLength(ticketLetters)
  expect(ticketNumber(ticket)).toBe('04HM-ASW9')
})

test('judges in the order of precedence', () => {
  expect(judgeTicket(code, door)).toMatchObject({ outcome: 'good', eventId: 'town-concert', ticket })
  expect(outcomeOf(code.slice(1))).toBe('unreadable')
  expect(outcomeOf(code, { keys: new Map(), eventIds: [], now: 0 })).toBe('unknownKey')
  const forged = encodeTicket(ticket, { ...signing, privateKey: new Uint8Array(32).fill(8) })
  expect(outcomeOf(forged, { eventIds: [], now: 0 })).toBe('forged')
  expect(outcomeOf(code, { eventIds: ['town-concert-2'], now: 0 })).toBe('otherEvent')
  expect(outcomeOf(code, { now: 999 })).toBe('notYetValid')
  expect(outcomeOf(code, { now: 1000 })).toBe('good')
  expect(outcomeOf(code, { now: 2000 })).toBe('good')
  expect(outcomeOf(code, { now: 2001 })).toBe('expired')
})

test('is read as people type it', () => {
  const typed = code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replace(/.{4}/g, '$& - ')
  expect(outcomeOf(typed)).toBe('good')
  expect(outcomeOf(typed + ' '.repeat(2 * ticketLetters))).toBe('unreadable')
})

test('any letter changed is refused, whatever it is changed to', () => {
  fc.assert(
    fc.property(fc.nat(ticketLetters - 1), fc.constantFrom(...alphabet), (at, letter) => {
      const changed = code.slice(0, at) + letter + code.slice(at + 1)
      return changed === code || outcomeOf(changed) !== 'good'
    }),
    { numRuns: 150 },
  )
})

test('a signature over another document is none of a ticket', () => {
  const head = Buffer.from(decodeBase32(code, 96, 'ticket')).subarray(0, 32)
  for (const prefix of ['', 'farthing bulletin', 'farthing succession']) {
    const other = sign(null, Buffer.concat([Buffer.from(prefix), head]), privateKey)
    expect(outcomeOf(encodeBase32(Buffer.concat([head, other])))).toBe('forged')
  }
})

test('refuses wrong layouts by name, and any text without another error', () => {
  const bytes = decodeBase32(code, 96, 'ticket')
  const wrong = (at: number, byte: number) => {
    const changed = Uint8Array.from(bytes)
    changed[at] = byte
    return () => parseTicket(encodeBase32(changed))
  }
  expect(wrong(0, 0)).toThrow(expect.objectContaining({ code: 'magic' }))
  expect(wrong(4, 2)).toThrow(expect.objectContaining({ code: 'version' }))
  expect(wrong(6, 1)).toThrow(expect.objectContaining({ code: 'reserved' }))
  expect(wrong(24, 1)).toThrow(expect.objectContaining({ code: 'range', field: 'ticket.validUntil' }))
  // The two bits that no byte needs.
  const loose = code.slice(0, -1) + alphabet[alphabet.indexOf(code.at(-1) ?? '') | 1]
  expect(() => parseTicket(loose)).toThrow(expect.objectContaining({ code: 'reserved' }))
  expect(() => encodeTicket({ ...ticket, validUntil: unixTime(1) }, signing)).toThrow(ProtocolError)
  expect(outcomeOf('A'.repeat(1e6))).toBe('unreadable')
  const letters = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 150, maxLength: 158 })
  fc.assert(
    fc.property(fc.oneof(fc.string(), letters), (text) => {
      try {
        return encodeTicket(parseTicket(text), signing).length === ticketLetters
      } catch (error) {
        return error instanceof ProtocolError
      }
    }),
  )
})

test('what is encoded is read again, whatever it says', () => {
  const hex8 = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex)
  const time = fc.nat(0xffffffff)
  fc.assert(
    fc.property(hex8, hex8, time, time, (event, number, a, b) => {
      const fields = { event, number, validFrom: unixTime(Math.min(a, b)), validUntil: unixTime(Math.max(a, b)) }
      const { signature: _, signed: __, ...read } = parseTicket(encodeTicket(fields, signing))
      expect(read).toEqual({ ...fields, keyVersion: 3 })
    }),
    { numRuns: 50 },
  )
})

test('base32 gives back any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(decodeBase32(encodeBase32(bytes), bytes.length, 'bytes')).toEqual(bytes)
    }),
  )
})

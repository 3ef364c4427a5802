import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ProtocolError } from './errors.ts'
import {
  encodeHotlistEntry,
  firstHotlistHead,
  hotlistPageBytesMax,
  nextHotlistHead,
  parseHotlistPage,
} from './hotlist.ts'
import { cardId, mac } from './quantities.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

const listed = { op: 'list', cardId: cardId('c0ffee0000000001'), blockMac: mac(new Uint8Array(16).fill(0x5a)) } as const
const unknown = { op: 'list', cardId: cardId('c0ffee0000000002'), blockMac: undefined } as const
const takenOff = { op: 'takeOff', cardId: cardId('c0ffee0000000001'), blockMac: undefined } as const

/** Written out by hand, from the layout in PROTOCOL.md. */
const written = [
  `01c0ffee0000000001${'5a'.repeat(16)}`,
  `01c0ffee0000000002${'00'.repeat(16)}`,
  `00c0ffee0000000001${'00'.repeat(16)}`,
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))
const page = Uint8Array.from(Buffer.concat(written))

test('entries are laid out as the protocol says, and read back', () => {
  expect([listed, unknown, takenOff].map(encodeHotlistEntry)).toEqual(written)
  expect(parseHotlistPage(page)).toEqual([listed, unknown, takenOff])
})

test('the chain is that of plain SHA-256, however the log is cut', () => {
  const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const heads = [sha(Buffer.from('farthing hotlist'))]
  for (const entry of written) heads.push(sha(heads.at(-1) ?? new Uint8Array(), entry))
  expect(Buffer.from(firstHotlistHead())).toEqual(heads[0])
  for (const cut of [0, 25, 50, 75]) {
    const middle = nextHotlistHead(firstHotlistHead(), page.subarray(0, cut))
    expect(Buffer.from(middle)).toEqual(heads[cut / 25])
    expect(Buffer.from(nextHotlistHead(middle, page.subarray(cut)))).toEqual(heads[3])
  }
})

test.each([
  ['nothing at all', new Uint8Array(0), 'length'],
  ['a torn entry', page.slice(0, 74), 'length'],
  ['more than a page', new Uint8Array(hotlistPageBytesMax + 25), 'length'],
  ['an unknown operation', page.with(25, 2), 'range'],
  ['a take-off with a block MAC', page.with(74, 1), 'reserved'],
])('%s is refused', (_name, bytes, code) => {
  expect(codeOf(() => parseHotlistPage(bytes))).toBe(code)
})

test('no entry is written that could not be read', () => {
  expect(codeOf(() => encodeHotlistEntry({ ...takenOff, blockMac: listed.blockMac }))).toBe('reserved')
})

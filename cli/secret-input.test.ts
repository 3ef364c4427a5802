import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readCode } from './secret-input.ts'

const code = '7KQ2-0F9M-XW3T-H5RA'

test.each([
  ['a line', [`${code}\n`]],
  ['a line of Windows, with blanks', [` ${code} \r\n`]],
  ['no end of line', [code]],
  ['a line in pieces', ['7KQ2-0F9M', '-XW3T-H5R', 'A\nmore']],
  ['a line before much else', [`${code}\n${'x'.repeat(100_000)}`]],
])('for a dash the code comes from standard input: %s', async (_name, pieces) => {
  expect(await readCode('-', 'voucher', Readable.from(pieces.map((each) => Buffer.from(each))))).toBe(code)
})

test('what is given is taken as it is, and standard input left alone', async () => {
  const input = new PassThrough()
  expect(await readCode(code, 'voucher', input)).toBe(code)
  expect(input.readableFlowing).toBeNull()
})

test('does not wait for the end of a pipe that stays open', async () => {
  const input = new PassThrough()
  input.write(`${code}\n`)
  expect(await readCode('-', 'voucher', input)).toBe(code)
})

test.each([
  ['nothing', '', 'Standard input is empty: type the voucher'],
  ['an empty line', ' \n', 'Standard input is empty: type the voucher'],
  ['an endless line', 'x'.repeat(5000), 'more than 4096 bytes'],
])('says what is wrong with %s', async (_name, piece, sentence) => {
  await expect(readCode('-', 'voucher', Readable.from([Buffer.from(piece)]))).rejects.toThrow(sentence)
})

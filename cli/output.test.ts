/** What goes into a pipe arrives whole, however slow its reader is. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { shown } from './output.ts'

const length = 400_000
const program = `
  import { note, result } from ${JSON.stringify(new URL('./output.ts', import.meta.url).href)}
  note('beside it')
  result({}, { text: 'x'.repeat(${length}) }, () => '')
`

test('a result of many times what a pipe holds, beside a note on the same pipe, to a reader that takes its time', async () => {
  const child = spawn('sh', ['-c', '"$0" --input-type=module -e "$1" 2>&1', process.execPath, program])
  child.stdout.pause()
  // Longer than the pipe is full: only then the reader begins.
  const full = setTimeout(() => child.stdout.resume(), 700)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stdout.pause()
  const [status] = await once(child, 'close')
  clearTimeout(full)
  const [first, second] = Buffer.concat(chunks).toString('utf8').split('\n')
  expect([status, first]).toEqual([0, 'beside it'])
  expect(JSON.parse(second ?? '')).toEqual({ text: 'x'.repeat(length) })
})

test('what others wrote is text on the screen: it moves no cursor, hides nothing and turns nothing around', () => {
  expect(shown('Ada\u001b]0;owned\u0007\u009b2J\r \u202eadmin\u2066')).toBe(
    'Ada\ufffd]0;owned\ufffd\ufffd2J\ufffd \ufffdadmin\ufffd',
  )
  expect(shown('أدا\t1\n二 €')).toBe('أدا\t1\n二 €')
})

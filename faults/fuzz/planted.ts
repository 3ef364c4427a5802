/** Parsers with a defect each, so that the fuzzer itself is tested: every one must be found, and by its own name. */
import { ByteReader } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { FindingKind } from './engine.ts'
import { bytesOf, refusing, requireSameBytes, type Target, textOf } from './target.ts'

const planted = (name: string, kind: Target['kind'], seed: string, run: (input: Uint8Array) => void): Target => ({
  name,
  kind,
  inputs: 800_000,
  lengthMax: 24 * 1024,
  open: () => ({ seeds: [bytesOf(seed)], run }),
})

const steadyMs = 10

const announcedLength = (input: Uint8Array): number =>
  input.length < 4 ? 0 : new DataView(input.buffer, input.byteOffset).getUint32(0)

/** The defect, and what it must be found as. */
export const plantedDefects: readonly { readonly found: FindingKind; readonly target: Target }[] = [
  {
    found: 'threw',
    target: planted('no-length-check', 'bytes', '\u0000\u0000\u0000\u0002ab', (input) => {
      new DataView(input.buffer, input.byteOffset, input.byteLength).getUint32(0)
    }),
  },
  {
    found: 'memory',
    target: planted('announced-length', 'bytes', '\u0000\u0000\u0000\u0002ab', (input) => {
      const length = announcedLength(input)
      // Below what a machine would refuse by itself.
      const room = new Uint8Array(Math.min(length, 512 * 1024 * 1024))
      if (room.length === input.length) room.set(input)
    }),
  },
  {
    found: 'slow',
    target: planted('quadratic', 'text', '# heading', (input) => {
      textOf(input).replace(/\s+$/, '')
    }),
  },
  {
    found: 'hang',
    target: planted('catastrophic', 'text', 'aaa!', (input) => {
      ;/^(\w+\s?)*$/.test(textOf(input))
    }),
  },
  {
    found: 'hang',
    target: planted('no-end', 'bytes', '\u0001a\u0002bc', (input) => {
      for (let at = 0; at < input.length; at += input[at] ?? 1);
    }),
  },
  {
    found: 'threw',
    target: planted('no-try', 'json', '{"a":1}', (input) => {
      JSON.parse(textOf(input))
    }),
  },
  {
    found: 'threw',
    target: planted('deep', 'json', '[1]', (input) => {
      const depthOf = (value: unknown): number => (Array.isArray(value) ? 1 + depthOf(value[0]) : 0)
      try {
        depthOf(JSON.parse(textOf(input)))
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
      }
    }),
  },
  {
    found: 'threw',
    target: planted('two-encodings', 'bytes', '\u0000\u0001', (input) => {
      const value = refusing(ProtocolError, () => new ByteReader(input, 2, 'number').u8())
      if (value !== undefined) requireSameBytes(Uint8Array.of(value, 1), input)
    }),
  },
  {
    // Each step has to be found by what the one before reached: by chance alone it takes millions of inputs.
    found: 'threw',
    target: planted('behind-a-word', 'bytes', 'xyz', (input) => {
      if (input[0] !== 0x46) return
      if (input[1] !== 0x54) return
      if (input[2] !== 0x47) return
      throw new RangeError('behind the word')
    }),
  },
]

/** No defect: below every limit, though a batch of it that is run again takes longer than one input may. */
export const steady: Target = {
  ...planted('steady', 'bytes', 'abc', (input) => {
    // Something new to reach, so that it is run again.
    const last = input.length > 3 ? input.length : 0
    const before = process.threadCpuUsage().user
    while (process.threadCpuUsage().user - before < steadyMs * 1000 + last);
  }),
  inputs: 25,
}

export const plantedTargets: readonly Target[] = [...plantedDefects.map(({ target }) => target), steady]

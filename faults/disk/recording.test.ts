/** The recorded disk itself: what a kill leaves, and what a power cut may leave. */
import { expect, test } from 'vitest'
import { type CallKind, type RecordedCall, RecordedDisk, type Survivors } from './recording.ts'

const call = (
  kind: CallKind,
  file: string,
  more: { to?: string; offset?: number; text?: string } = {},
): RecordedCall => ({
  kind,
  file,
  to: more.to ?? '',
  offset: more.offset ?? 0,
  bytes: Buffer.from(more.text ?? ''),
})
const played = (...calls: readonly RecordedCall[]): RecordedDisk => {
  const disk = new RecordedDisk()
  for (const each of calls) disk.play(each)
  return disk
}
const nothing: Survivors = { write: () => 'lost', names: () => 0 }
const namesAlone: Survivors = { write: () => 'lost', names: (many) => many }
const texts = (image: ReadonlyMap<string, Buffer | undefined>) =>
  Object.fromEntries([...image].map(([name, bytes]) => [name, bytes?.toString('latin1')]))

const written = [
  call('made', 'a'),
  call('written', 'a', { text: 'abcd' }),
  call('synced', 'a'),
  call('synced', ''),
  call('written', 'a', { offset: 2, text: 'XYZW' }),
]

test('a kill leaves everything, a power cut what was synced', () => {
  const disk = played(...written)
  expect(texts(disk.image())).toEqual({ a: 'abXYZW' })
  expect(texts(disk.imageAfterPowerLoss(nothing))).toEqual({ a: 'abcd' })
  expect(texts(disk.imageAfterPowerLoss({ ...nothing, write: () => 'torn' }))).toEqual({ a: 'abXY' })
})

test('a name is certain once its folder was synced, and its content once the file was', () => {
  const disk = played(call('made', 'a'), call('written', 'a', { text: 'abcd' }), call('synced', 'a'))
  expect(texts(disk.imageAfterPowerLoss(nothing))).toEqual({})
  expect(texts(disk.imageAfterPowerLoss(namesAlone))).toEqual({ a: 'abcd' })
})

test('a rename happens whole or not at all', () => {
  const disk = played(
    ...written,
    call('made', 'b'),
    call('written', 'b', { text: 'new' }),
    call('synced', 'b'),
    call('synced', ''),
    call('renamed', 'b', { to: 'a' }),
  )
  expect(texts(disk.imageAfterPowerLoss(nothing))).toEqual({ a: 'abcd', b: 'new' })
  expect(texts(disk.imageAfterPowerLoss(namesAlone))).toEqual({ a: 'new' })
})

test('what was cut off and is written over again was zeros in between', () => {
  const disk = played(...written, call('truncated', 'a', { offset: 1 }), call('written', 'a', { offset: 3, text: 'e' }))
  expect(texts(disk.image())).toEqual({ a: 'a\0\0e' })
})

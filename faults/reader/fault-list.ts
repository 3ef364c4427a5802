/** Every kind of fault at one exchange: at its first, middle and last byte, and at some that a seed chooses. */
import { seededBytes } from '../../main/test-terminal.ts'
import type { Fault, FaultAt, Instruction } from './faulty-card.ts'

/** How many bytes an APDU of each kind has. */
const lengths: Readonly<Record<Instruction, { readonly command: number; readonly answer: number }>> = {
  select: { command: 14, answer: 63 },
  initiate: { command: 65, answer: 34 },
  commit: { command: 21, answer: 38 },
  readRecord: { command: 21, answer: 114 },
  /** After COMMIT. */
  getResponse: { command: 5, answer: 38 },
}

/** Whole numbers below a limit; the same seed, the same numbers. */
export const seededNumbers = (seed: number) => {
  const bytes = seededBytes(seed)
  return (below: number): number => Buffer.from(bytes(4)).readUInt32BE() % below
}
export type Random = ReturnType<typeof seededNumbers>

const sides = ['command', 'answer'] as const

const garbled = (of: 'command' | 'answer', length: number, random: Random): Fault[] => {
  const masks = [0x01, 0x80, 0xff]
  const chosen = [0, length >> 1, length - 2, length - 1].map((offset, at) => ({
    offset,
    mask: masks[at % masks.length] ?? 1,
  }))
  const drawn = [1, 2, 3].map(() => ({ offset: random(length), mask: 1 + random(255) }))
  return [...chosen, ...drawn].map((where) => ({ kind: 'garble', of, ...where }))
}

const cutShort = (of: 'command' | 'answer', length: number): Fault[] =>
  [1, length >> 1, length - 1].map((keptBytes) => ({ kind: 'truncate', of, keptBytes }))

/** Answers that a card could give, but this one did not. */
const foreignAnswers = [
  [0x90, 0x00],
  [0x69, 0x85],
  [0x94, 0x01],
  [0x61, 0x24],
  [0x6c, 0x24],
  [0x6f, 0x00],
] as const

/** The faults that are over at once. */
export const quickFaults = (instruction: Instruction, random: Random): Fault[] => {
  const length = lengths[instruction]
  const frameBytes = length.answer + 2
  return [
    { kind: 'cut', when: 'before' },
    { kind: 'cut', when: 'after' },
    ...[2, 3, frameBytes >> 1, frameBytes - 1].map((bytes): Fault => ({ kind: 'cutAnswer', frameBytes: bytes })),
    { kind: 'delay', ms: 20, acts: 'first' },
    ...sides.flatMap((of) => garbled(of, length[of], random)),
    ...sides.flatMap((of) => cutShort(of, length[of])),
    ...sides.flatMap((of): Fault[] => [1, 200].map((byBytes) => ({ kind: 'extend', of, byBytes }))),
    { kind: 'twice', delivered: 'first' },
    { kind: 'twice', delivered: 'second' },
    { kind: 'late' },
    { kind: 'frameTwice' },
    ...foreignAnswers.flatMap((answer): Fault[] => [true, false].map((acts) => ({ kind: 'instead', answer, acts }))),
  ]
}

/** Those that last until the terminal gives up on the card. */
export const silentFaults = (timeoutMs: number): Fault[] => [
  { kind: 'mute', acts: true },
  { kind: 'mute', acts: false },
  { kind: 'instead', answer: [], acts: true },
  { kind: 'delay', ms: timeoutMs + 50, acts: 'first' },
  { kind: 'delay', ms: timeoutMs + 50, acts: 'last' },
]

/** A fault in a few words, for the name of a test. */
export const sayFault = ({ instruction, nth, fault }: Pick<FaultAt, 'instruction' | 'nth' | 'fault'>): string => {
  const { kind, ...how } = fault
  const details = Object.entries(how).map(([name, value]) =>
    typeof value === 'object' ? `${name} [${Array.isArray(value) ? value : '...'}]` : `${name} ${value}`,
  )
  return `${instruction} ${nth}: ${[kind, ...details].join(', ')}`
}

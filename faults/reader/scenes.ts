/** What a card is asked, exchange by exchange: a sale, what follows a cut one, a reversal, a load. */
import type { Instruction } from './faulty-card.ts'
import type { Customer, Stand, Tap } from './stand.ts'

export interface Scene {
  readonly name: string
  /** The exchanges that can fail: the instruction, and the how manieth of its kind in the tap. */
  readonly exchanges: readonly (readonly [instruction: Instruction, nth: number])[]
  /** What happened to the card before the tap. */
  readonly prepare?: (customer: Customer) => Promise<void>
  readonly tap?: Tap
}

/** @param stand open when the scene is played */
export const scenesAt = (stand: () => Stand): readonly Scene[] => [
  {
    name: 'a sale',
    exchanges: [
      ['select', 1],
      ['initiate', 1],
      ['commit', 1],
      ['select', 2],
      ['readRecord', 1],
    ],
  },
  {
    name: 'the recovery of a payment that the card made',
    prepare: (customer) => stand().leaveInDoubt(customer, 'after'),
    exchanges: [
      ['select', 1],
      ['initiate', 1],
      ['readRecord', 1],
    ],
  },
  {
    name: 'the recovery of a payment that the card did not make',
    prepare: (customer) => stand().leaveInDoubt(customer, 'before'),
    exchanges: [
      ['initiate', 1],
      ['initiate', 2],
      ['commit', 1],
    ],
  },
  {
    name: 'a reversal',
    tap: { printer: 'fails' },
    exchanges: [
      ['initiate', 2],
      ['commit', 2],
    ],
  },
  {
    name: 'a load',
    tap: { wants: 'load' },
    exchanges: [
      ['initiate', 1],
      ['initiate', 2],
      ['commit', 1],
    ],
  },
]

/** The wire between terminal and card, with its faults. */
import { type CardChannel, CardFault } from '../main/reader/card-reader.ts'
import type { ReaderFault } from './faults.ts'
import type { Life } from './mortal.ts'

export interface CardBody {
  /** A power-on: the session is gone. */
  reset(): void
  /** One APDU. */
  answers(command: Uint8Array): Uint8Array
}

export const withBitFlipped = (bytes: Uint8Array, dice: number): Uint8Array => {
  const garbled = bytes.slice()
  const bit = dice % Math.max(1, garbled.length * 8)
  garbled[bit >> 3] = (garbled[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return garbled
}

/** @param other the card that a swap puts there */
export const openChannel = (
  card: CardBody,
  given: {
    readonly fault: ReaderFault | undefined
    readonly other: CardBody
    readonly life: Life
    readonly onFault: (what: string) => void
  },
): CardChannel => {
  const { fault, other, life, onFault } = given
  let lying = card
  let apdus = 0
  let gone = false
  card.reset()

  const leave = (code: 'removed' | 'timeout'): never => {
    gone = true
    lying.reset()
    throw new CardFault(code, 'the simulator took the card away')
  }
  const meet = (what: ReaderFault['what'], dice: number, command: Uint8Array): Uint8Array => {
    onFault(what)
    switch (what) {
      case 'cutBefore':
        return leave('removed')
      case 'cutAfter':
        lying.answers(command)
        return leave('removed')
      case 'timeoutAfter':
        lying.answers(command)
        return leave('timeout')
      case 'garbleCommand':
        return lying.answers(withBitFlipped(command, dice))
      case 'garbleAnswer':
        return withBitFlipped(lying.answers(command), dice)
      case 'shortAnswer':
        return lying.answers(command).slice(0, dice % 3)
      case 'duplicateFirst': {
        const first = lying.answers(command)
        lying.answers(command)
        return first
      }
      case 'duplicateSecond':
        lying.answers(command)
        return lying.answers(command)
      case 'swap':
        lying = other
        lying.reset()
        return lying.answers(command)
      case 'dieBefore':
        lying.reset()
        return life.die('before an APDU')
      case 'dieAfter':
        lying.answers(command)
        lying.reset()
        return life.die('after an APDU')
    }
  }

  return {
    async transmit(command) {
      life.requireAlive()
      if (gone) throw new CardFault('removed', 'the card is gone')
      apdus += 1
      return fault?.apdu === apdus ? meet(fault.what, fault.dice, command) : lying.answers(command)
    },
  }
}

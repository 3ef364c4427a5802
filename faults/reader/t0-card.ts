/**
 * The purse as a T=0 card behind a reader that does not hide it (ISO 7816-3, 10.3): no exchange carries data both ways, so the
 * card says 61xx, and gives its answer when GET RESPONSE fetches it; with a wrong Le it says 6Cxx.
 */
import type { Purse } from '../../card/purse.ts'
import { instruction } from '../../protocol/apdu.ts'

const partBytesMax = 0x40

/** @param how.stubborn refuses every first GET RESPONSE with 6Cxx */
export const asT0Card = (purse: Purse, how: { readonly stubborn: boolean }): Purse => {
  let held: Uint8Array = new Uint8Array(0)
  let status: Uint8Array = Uint8Array.of(0x90, 0x00)
  let refused = false
  const partBytes = () => Math.min(held.length, partBytesMax)
  const give = (le: number | undefined): Uint8Array => {
    if (held.length === 0) return Uint8Array.of(0x69, 0x85)
    if ((how.stubborn && !refused) || le !== partBytes()) {
      refused = true
      return Uint8Array.of(0x6c, partBytes())
    }
    refused = false
    const part = held.slice(0, partBytes())
    held = held.slice(part.length)
    return Uint8Array.from([...part, ...(held.length === 0 ? status : [0x61, partBytes()])])
  }
  return {
    get state() {
      return purse.state
    },
    process(command) {
      if (command[1] === instruction.getResponse) return give(command[4])
      const answer = purse.process(command)
      held = answer.slice(0, -2)
      status = answer.slice(-2)
      refused = false
      return held.length === 0 ? status : Uint8Array.of(0x61, partBytes())
    },
    reset() {
      held = new Uint8Array(0)
      purse.reset()
    },
  }
}

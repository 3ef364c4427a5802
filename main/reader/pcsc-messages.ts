/**
 * What the terminal and its PC/SC helper process say to each other, over child_process IPC with `advanced`
 * serialization. Both sides check what they are told.
 */
import * as v from 'valibot'

const faultCode = v.picklist(['removed', 'busy', 'mute', 'timeout', 'reader'])
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes expected')

const slot = v.object({
  name: v.string(),
  /**
   * Absent when the reader is empty. `insertion` numbers the insertions since the helper started; `eventCount` is PC/SC's own
   * count of this reader's comings and goings: two insertions with the same one are a card that never left.
   */
  card: v.optional(v.object({ insertion: v.number(), eventCount: v.number(), atr: bytes })),
  mute: v.boolean(),
})

const fromHelper = v.variant('kind', [
  /** Sent at a steady beat: whoever stops sending it hangs. */
  v.object({ kind: v.literal('alive') }),
  /** The whole state, after every change of it. `detail` says why PC/SC is down. */
  v.object({ kind: v.literal('state'), detail: v.optional(v.string()), slots: v.array(slot) }),
  v.object({ kind: v.literal('done'), id: v.number(), response: v.optional(bytes) }),
  v.object({ kind: v.literal('fault'), id: v.number(), code: faultCode, message: v.string() }),
])

const toHelper = v.object({
  id: v.number(),
  readerName: v.string(),
  insertion: v.number(),
  action: v.picklist(['connect', 'transmit', 'disconnect']),
  /** The command APDU, for `transmit`. */
  command: v.optional(bytes),
})

export type FromHelper = v.InferOutput<typeof fromHelper>
export type ToHelper = v.InferOutput<typeof toHelper>

/** @throws ValiError if it is no message of the helper's */
export const parseFromHelper = (message: unknown): FromHelper => v.parse(fromHelper, message)

/** @throws ValiError if it is no message to the helper */
export const parseToHelper = (message: unknown): ToHelper => v.parse(toHelper, message)

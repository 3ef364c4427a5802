/**
 * A card without a purse, in a virtual reader: answers APDUs as it is told, or not at all. For tests of the reader; the
 * product's own plug is card/vpcd.ts. vpcd's frames are a u16 length and a payload; a payload of one byte is a command.
 */
import { once } from 'node:events'
import net from 'node:net'

/** A command APDU's response; `mute` keeps silent, `leave` pulls the card while the APDU is at work. */
export type CannedAnswer = Uint8Array | 'mute' | 'leave'

export interface CannedCard {
  /** Takes the card out of the reader. */
  pull(): void
}

const giveAtr = 4

/** Plugs a card into the virtual reader on this port: 35963 is "Virtual PCD 00 00", 35964 is "00 01". */
export const plugCannedCard = async (
  answer: (command: Uint8Array) => CannedAnswer,
  { port = 35963, atr = Uint8Array.of(0x3b, 0x80, 0x80, 0x01, 0x01) }: { port?: number; atr?: Uint8Array } = {},
): Promise<CannedCard> => {
  const socket = net.connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  // pcscd may go away first.
  socket.on('error', () => socket.destroy())

  // One buffer a frame: vpcd does not survive half of one.
  const reply = (payload: Uint8Array) =>
    socket.write(Buffer.concat([Uint8Array.of(payload.length >> 8, payload.length & 0xff), payload]))
  const onFrame = (payload: Uint8Array) => {
    if (payload.length === 1) {
      if (payload[0] === giveAtr) reply(atr)
      return
    }
    const response = answer(payload)
    if (response === 'leave') socket.destroy()
    else if (response !== 'mute') reply(response)
  }

  let received = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const payload = Uint8Array.from(received.subarray(2, end))
      received = received.subarray(end)
      if (!socket.destroyed) onFrame(payload)
    }
  })
  return { pull: () => void socket.destroy() }
}

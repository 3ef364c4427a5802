/**
 * A proxy on loopback between a real terminal and a real issuer that does to a request what networks do. It speaks to the
 * terminal in raw bytes, so that an answer can be wrong in every way; to the issuer it is an ordinary client.
 */
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface Arrival {
  readonly method: string
  readonly path: string
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer
}

interface Meeting {
  readonly arrival: Arrival
  readonly request: IncomingMessage
  readonly socket: Socket
  body(): Promise<Buffer>
  /** To the issuer, as often as it is called. */
  deliver(body: Buffer): Promise<Answer>
  /** Says it and closes. */
  say(status: number, body: Buffer, headers?: Readonly<Record<string, string | number>>): void
  /** What the issuer once answered to a request of this kind: the oldest. */
  earlier(): Answer | undefined
  newest(): Answer | undefined
  /** What the issuer last answered to a request of another kind. */
  foreign(): Answer | undefined
  /** Keeps a request to deliver it later. */
  hold(body: Buffer): void
  /** Where nobody may ever go. */
  readonly trap: string
}

type Fault = (meeting: Meeting) => Promise<void> | void

const dripMs = 40
const portalPage = Buffer.from(
  '<!doctype html><html><body>Welcome to our Wi-Fi. Please accept the terms.</body></html>',
)
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1)
const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  const at = bytes.length >> 1
  copy.writeUInt8(copy.readUInt8(at) ^ 0x10, at)
  return copy
}
const passOn = async (meeting: Meeting, change: (answer: Answer) => Answer = (answer) => answer): Promise<void> => {
  const { status, contentType, body } = change(await meeting.deliver(await meeting.body()))
  meeting.say(status, body, { 'content-type': contentType })
}
const html = { 'content-type': 'text/html' }
const answerInstead = async (meeting: Meeting, status: number, body: Buffer, headers = {}): Promise<void> => {
  await meeting.body()
  meeting.say(status, body, headers)
}
const rawHead = (headers: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n${headers}\r\n`

/** Writes for as long as the other side takes it. */
const pour = (socket: Socket, chunk: Buffer): void => {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
    if (!socket.destroyed) socket.once('drain', more)
  }
  more()
}

const drip = (socket: Socket, bytes: Buffer): void => {
  let at = 0
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer)
    else socket.write(bytes.subarray(at, at + 1))
    at = (at + 1) % bytes.length
  }, dripMs)
}

let made: Buffer | undefined
/** A few kilobytes that unfold to a hundred megabytes. */
const bomb = (): Buffer => {
  made ??= gzipSync(Buffer.alloc(100_000_000))
  return made
}

/** Each is met by one request. */
export const networkFaults = {
  none: (meeting) => passOn(meeting),

  // Cut.
  'black hole': (meeting) => void meeting.body(),
  'black hole behind the issuer': async (meeting) => void (await meeting.deliver(await meeting.body())),
  'deaf: accepts and does not even read': ({ request, socket }) => {
    request.pause()
    socket.pause()
  },
  'reset in the middle of the request': ({ request, socket }) => {
    request.once('data', () => socket.resetAndDestroy())
    request.once('end', () => socket.resetAndDestroy())
  },
  'request cut in half on the way': async (meeting) => {
    const { status, contentType, body } = await meeting.deliver(half(await meeting.body()))
    meeting.say(status, body, { 'content-type': contentType })
  },
  'acknowledgement lost by a reset': async (meeting) => {
    await meeting.deliver(await meeting.body())
    meeting.socket.resetAndDestroy()
  },
  'acknowledgement lost by a quiet end': async (meeting) => {
    await meeting.deliver(await meeting.body())
    meeting.socket.end()
  },
  'reset in the middle of the answer': async (meeting) => {
    const { body } = await meeting.deliver(await meeting.body())
    meeting.socket.write(rawHead(`content-length: ${body.length}\r\n`))
    meeting.socket.write(half(body), () => meeting.socket.resetAndDestroy())
  },
  'answer cut, length right': async (meeting) => {
    const { body } = await meeting.deliver(await meeting.body())
    meeting.socket.end(Buffer.concat([Buffer.from(rawHead(`content-length: ${body.length}\r\n`)), half(body)]))
  },
  'answer cut, length cut too': (meeting) => passOn(meeting, (answer) => ({ ...answer, body: half(answer.body) })),
  'answer with a tail': (meeting) =>
    passOn(meeting, (answer) => ({ ...answer, body: Buffer.concat([answer.body, Buffer.from('x')]) })),

  // Slow.
  'a byte now and then': async (meeting) => {
    const { body } = await meeting.deliver(await meeting.body())
    meeting.socket.write(rawHead(`content-length: ${body.length}\r\n`))
    drip(meeting.socket, body)
  },
  'a head that never ends': async (meeting) => {
    await meeting.body()
    drip(meeting.socket, Buffer.from('HTTP/1.1 200 OK\r\nx-one: more\r\n'.repeat(100)))
  },
  'one interim answer after the other': async (meeting) => {
    await meeting.body()
    pour(meeting.socket, Buffer.from('HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)))
  },

  // Twice, late, old.
  'delivered twice': async (meeting) => {
    await meeting.deliver(await meeting.body())
    await passOn(meeting)
  },
  'delivered twice at once': async (meeting) => {
    const body = await meeting.body()
    const [, second] = await Promise.all([meeting.deliver(body), meeting.deliver(body)])
    meeting.say(second.status, second.body, { 'content-type': second.contentType })
  },
  'delivered long after': async (meeting) => {
    meeting.hold(await meeting.body())
    meeting.socket.resetAndDestroy()
  },
  'an old answer instead of delivery': async (meeting) => {
    const old = meeting.earlier()
    await answerInstead(meeting, old?.status ?? 200, old?.body ?? portalPage)
  },
  'an old answer instead of the new one': async (meeting) => {
    const old = meeting.earlier()
    await meeting.deliver(await meeting.body())
    meeting.say(old?.status ?? 200, old?.body ?? portalPage)
  },
  'the newest answer of its kind': (meeting) => answerInstead(meeting, 200, meeting.newest()?.body ?? portalPage),
  'the answer to something else': (meeting) => answerInstead(meeting, 200, meeting.foreign()?.body ?? portalPage),

  // Someone else answers.
  'login page': (meeting) => answerInstead(meeting, 200, portalPage, html),
  'login page after delivery': async (meeting) => {
    await meeting.deliver(await meeting.body())
    meeting.say(200, portalPage, html)
  },
  'empty 200': (meeting) => answerInstead(meeting, 200, Buffer.alloc(0)),
  '204': (meeting) => answerInstead(meeting, 204, Buffer.alloc(0)),
  '304': (meeting) => answerInstead(meeting, 304, Buffer.alloc(0)),
  '301 elsewhere': (meeting) => answerInstead(meeting, 301, portalPage, { ...html, location: meeting.trap }),
  '302 to the login page': (meeting) => answerInstead(meeting, 302, portalPage, { ...html, location: meeting.trap }),
  '307 elsewhere, method and body kept': (meeting) =>
    answerInstead(meeting, 307, portalPage, { ...html, location: meeting.trap }),
  '400 with a forged refusal': (meeting) =>
    answerInstead(meeting, 400, Buffer.from('{"error":"x","sentence":"Go away."}')),
  '404 with a forged refusal': (meeting) =>
    answerInstead(meeting, 404, Buffer.from('{"error":"x","sentence":"Gone."}')),
  '407 of a proxy': (meeting) => answerInstead(meeting, 407, portalPage, { 'proxy-authenticate': 'Basic' }),
  '500': (meeting) => answerInstead(meeting, 500, Buffer.from('{"error":"internal","sentence":"Sorry."}')),
  '502 of a proxy': (meeting) => answerInstead(meeting, 502, portalPage, html),
  '503 after delivery': async (meeting) => {
    await meeting.deliver(await meeting.body())
    meeting.say(503, portalPage, { ...html, 'retry-after': 3600 })
  },
  garbage: async ({ body, socket }) => {
    await body()
    socket.end('SSH-2.0-OpenSSH_9.2\r\n')
  },

  // Too much.
  'gzip bomb': (meeting) => answerInstead(meeting, 200, bomb(), { 'content-encoding': 'gzip' }),
  'right answer, compressed unasked': async (meeting) => {
    const { status, body } = await meeting.deliver(await meeting.body())
    meeting.say(status, gzipSync(body), { 'content-encoding': 'gzip' })
  },
  'endless body': async (meeting) => {
    await meeting.body()
    meeting.socket.write(rawHead('transfer-encoding: chunked\r\n'))
    pour(meeting.socket, Buffer.from(`10000\r\n${'A'.repeat(0x10000)}\r\n`))
  },
  'a petabyte announced': async (meeting) => {
    await meeting.body()
    meeting.socket.write(rawHead('content-length: 1000000000000000\r\n'))
    meeting.socket.write(Buffer.alloc(1000))
  },
  'a megabyte of headers': async (meeting) => {
    await meeting.body()
    meeting.socket.end(rawHead(`${'x-padding: 0123456789\r\n'.repeat(50_000)}content-length: 0\r\n`))
  },

  // Damaged.
  'one bit of the answer': (meeting) => passOn(meeting, (answer) => ({ ...answer, body: flipped(answer.body) })),
  'one bit of the request': async (meeting) => {
    const body = await meeting.body()
    const { status, contentType, body: answer } = await meeting.deliver(body.length === 0 ? body : flipped(body))
    meeting.say(status, answer, { 'content-type': contentType })
  },
  'wrong content type': (meeting) => passOn(meeting, (answer) => ({ ...answer, contentType: 'text/html' })),
} as const satisfies Readonly<Record<string, Fault>>
export type NetworkFault = keyof typeof networkFaults

/** Batches are one kind, goods of any hash another. */
const kindOf = (path: string): string => path.split('/').slice(0, 3).join('/')

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
  } catch {
    // The terminal hung up: what came is all there is.
  }
  return Buffer.concat(chunks)
}

export interface FaultProxy {
  readonly url: string
  readonly arrivals: readonly Arrival[]
  /** How often somebody followed a redirect. */
  readonly trapped: number
  /** What each request meets from now on; absent: nothing. */
  plan(faultOf: (arrival: Arrival, body: () => Promise<Buffer>) => NetworkFault | Promise<NetworkFault>): void
  heal(): void
  /** Delivers what was held, oldest first. @returns how many */
  deliverHeld(): Promise<number>
  /** Nobody listens, until `open()`. */
  refuse(): Promise<void>
  open(): Promise<void>
  /** The issuer is elsewhere now. */
  lead(upstream: string): void
  close(): Promise<void>
}

export const openFaultProxy = async (issuerUrl: string): Promise<FaultProxy> => {
  let upstream = issuerUrl
  const arrivals: Arrival[] = []
  const answers: { readonly kind: string; readonly answer: Answer }[] = []
  const held: { readonly arrival: Arrival; readonly body: Buffer; readonly contentType: string }[] = []
  let trapped = 0
  let plan: Parameters<FaultProxy['plan']>[0] = () => 'none'

  const deliver = (arrival: Arrival, body: Buffer, contentType: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(`${upstream}${arrival.path}`, {
        method: arrival.method,
        agent: false,
        headers: arrival.method === 'GET' ? {} : { 'content-type': contentType, 'content-length': body.length },
      })
      request.once('error', reject)
      request.once('response', (response) => {
        response.once('error', reject)
        void bodyOf(response).then((answerBody) => {
          const answer = {
            status: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? '',
            body: answerBody,
          }
          answers.push({ kind: kindOf(arrival.path), answer })
          resolve(answer)
        })
      })
      request.end(body)
    })

  const meet = async (request: IncomingMessage): Promise<void> => {
    const arrival = { method: request.method ?? '', path: request.url ?? '' }
    if (arrival.path === '/trap') trapped += 1
    arrivals.push(arrival)
    const { socket } = request
    socket.on('error', () => {})
    const contentType = request.headers['content-type'] ?? ''
    let read: Promise<Buffer> | undefined
    const body = () => {
      read ??= bodyOf(request)
      return read
    }
    const kind = kindOf(arrival.path)
    const fault = networkFaults[await plan(arrival, body)]
    await fault({
      arrival,
      request,
      socket,
      body,
      deliver: (bytes) => deliver(arrival, bytes, contentType),
      say(status, bytes, headers = {}) {
        const lines = Object.entries({ 'content-length': bytes.length, connection: 'close', ...headers })
        const head = `HTTP/1.1 ${status} Whatever\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
        socket.end(Buffer.concat([Buffer.from(head), bytes]))
      },
      earlier: () => answers.find((each) => each.kind === kind)?.answer,
      newest: () => answers.findLast((each) => each.kind === kind)?.answer,
      foreign: () => answers.findLast((each) => each.kind !== kind && each.answer.status === 200)?.answer,
      hold: (bytes) => held.push({ arrival, body: bytes, contentType }),
      trap: `${url}/trap`,
    })
  }
  const server = createServer({ keepAliveTimeout: 60_000 }, (request) => {
    // An issuer that is not there: so is the answer.
    meet(request).catch(() => request.socket.destroy())
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://127.0.0.1:${address.port}`
  const stop = () =>
    new Promise<void>((resolve) => {
      if (!server.listening) return resolve()
      server.close(() => resolve())
      server.closeAllConnections()
    })

  return {
    url,
    arrivals,
    get trapped() {
      return trapped
    },
    plan(faultOf) {
      plan = faultOf
    },
    heal() {
      plan = () => 'none'
    },
    async deliverHeld() {
      const late = held.splice(0)
      for (const { arrival, body, contentType } of late) await deliver(arrival, body, contentType)
      return late.length
    },
    refuse: stop,
    open: () => listen(address.port),
    lead(elsewhere) {
      upstream = elsewhere
    },
    close: stop,
  }
}

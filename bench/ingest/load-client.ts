/** Sends batches from a file to a server in a process of its own, several at a time, and waits for each acknowledgement. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readSync } from 'node:fs'
import { Agent, request } from 'node:http'
import path from 'node:path'
import { parseAcknowledgement } from '../../protocol/acknowledgement.ts'
import { batchBytes, entriesPerBatch } from './fleet.ts'

export interface Run {
  readonly entries: number
  readonly seconds: number
  /** Of the server's process, user and system. */
  readonly cpuMicrosPerEntry: number
  readonly rssMaxBytes: number
  /** When each batch was acknowledged, in milliseconds from the begin, ascending. */
  readonly acknowledgedMs: readonly number[]
  /** How long each batch waited for its acknowledgement. */
  readonly tookMs: readonly number[]
}

interface Usage {
  readonly user: number
  readonly system: number
  readonly rssMax: number
}

export interface ServerProcess {
  send(file: string, sending: { readonly batches: number; readonly lanes: number }): Promise<Run>
  stop(): Promise<void>
}

const post = (agent: Agent, url: string, body: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const asked = request(`${url}/v1/batches`, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'content-length': body.length },
    })
    asked.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const answer = Buffer.concat(parts)
        if (response.statusCode === 200) resolve(answer)
        else reject(new Error(`${response.statusCode} ${answer.toString()}`))
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })

const requireAccepted = (answer: Buffer): void => {
  const { verdict, accepted, exceptions } = parseAcknowledgement(answer)
  if (verdict !== 'taken' && verdict !== 'outOfOrder') throw new Error(`the verdict is ${verdict}`)
  if (accepted !== entriesPerBatch) throw new Error(`${exceptions.length} exceptions: ${exceptions[0]?.reason}`)
}

export const startServer = async (store: string, options: { readonly believing: boolean }): Promise<ServerProcess> => {
  const program = path.join(import.meta.dirname, 'server.ts')
  const execArgv =
    process.env.BENCH_PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`]
  const child = fork(program, ['--store', store, ...(options.believing ? ['--believing'] : [])], { execArgv })
  const asked = async <Answer>(): Promise<Answer> => {
    const [answer] = await once(child, 'message')
    return answer
  }
  const { url } = await asked<{ url: string }>()
  const usage = (): Promise<Usage> => {
    child.send('usage')
    return asked<Usage>()
  }
  return {
    async send(file, { batches, lanes }) {
      const agent = new Agent({ keepAlive: true, maxSockets: lanes })
      const handle = openSync(file, 'r')
      const acknowledgedMs: number[] = []
      const tookMs: number[] = []
      const before = await usage()
      const begin = performance.now()
      const lane = async (first: number) => {
        // A terminal's batches go one after the other: the lanes divide the terminals.
        for (let index = first; index < batches; index += lanes) {
          const body = Buffer.alloc(batchBytes)
          readSync(handle, body, 0, batchBytes, index * batchBytes)
          const sent = performance.now()
          requireAccepted(await post(agent, url, body))
          const now = performance.now()
          tookMs.push(now - sent)
          acknowledgedMs.push(now - begin)
        }
      }
      await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)))
      const seconds = (performance.now() - begin) / 1000
      const after = await usage()
      agent.destroy()
      closeSync(handle)
      const entries = batches * entriesPerBatch
      const cpuMicros = after.user + after.system - before.user - before.system
      return {
        entries,
        seconds,
        cpuMicrosPerEntry: cpuMicros / entries,
        rssMaxBytes: after.rssMax,
        acknowledgedMs,
        tookMs,
      }
    },
    async stop() {
      child.send('stop')
      await once(child, 'exit')
    },
  }
}

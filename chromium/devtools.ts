/**
 * Chromium's DevTools protocol over its debugging pipe: commands out on one pipe, answers and events in on the other,
 * each message JSON and a zero byte. No TCP port is open. When this process ends the pipe closes, and Chromium with it.
 */
import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
// Types alone; nothing of Playwright runs here.
import type { CDPSession } from '@playwright/test'

/** The events that are listened to, with the fields that are read. */
export interface DevToolsEvents {
  'Target.attachedToTarget': { sessionId: string; targetInfo: TargetInfo; waitingForDebugger: boolean }
  'Target.targetCreated': { targetInfo: TargetInfo }
  'Target.targetDestroyed': { targetId: string }
  'Target.targetCrashed': { targetId: string; status: string; errorCode: number }
  'Fetch.requestPaused': {
    requestId: string
    request: { url: string; method: string; headers: Record<string, string> }
    resourceType: string
    frameId: string
  }
  'Page.frameDetached': { frameId: string; reason: 'remove' | 'swap' }
  'Page.frameNavigated': { frame: { id: string; parentId?: string; url: string } }
  'Page.loadEventFired': { timestamp: number }
  'Runtime.executionContextCreated': {
    context: { id: number; name: string; auxData?: { frameId: string } }
  }
  'Runtime.executionContextDestroyed': { executionContextId: number }
  'Runtime.executionContextsCleared': undefined
  'Runtime.bindingCalled': { name: string; payload: string; executionContextId: number }
}

export interface TargetInfo {
  readonly targetId: string
  readonly type: string
  readonly url: string
}

/** Commands to, and events of, one target: the browser itself, its page, or one of the page's workers. */
export interface DevToolsSession {
  readonly send: CDPSession['send']
  on<Name extends keyof DevToolsEvents>(name: Name, listener: (event: DevToolsEvents[Name]) => void): void
}

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Pending {
  readonly method: string
  resolve(result: unknown): void
  reject(error: Error): void
}

/** The browser's own target has no session id. */
const browserSession = ''
const zero = 0

export interface DevTools {
  readonly browser: DevToolsSession
  session(sessionId: string): DevToolsSession
}

/** Speaks over the two pipes of a Chromium that was started with --remote-debugging-pipe. */
export const connectDevTools = (pipes: { toChromium: Writable; fromChromium: Readable }): DevTools => {
  const pending = new Map<number, Pending>()
  const events = new EventEmitter()
  let lastId = 0
  let open = true

  const session = (sessionId: string): DevToolsSession => ({
    send: (method, params) =>
      new Promise((resolve, reject) => {
        if (!open) return reject(new Error(`Chromium is gone (${method})`))
        lastId += 1
        pending.set(lastId, { method, resolve, reject })
        const target = sessionId === browserSession ? {} : { sessionId }
        pipes.toChromium.write(`${JSON.stringify({ id: lastId, method, params, ...target })}\0`)
      }),
    on: (name, listener) => {
      events.on(`${sessionId}/${name}`, listener)
    },
  })

  const receive = (text: string) => {
    const message: Message = JSON.parse(text)
    if (message.id === undefined) {
      events.emit(`${message.sessionId ?? browserSession}/${message.method}`, message.params)
      return
    }
    const command = pending.get(message.id)
    pending.delete(message.id)
    if (message.error === undefined) command?.resolve(message.result)
    else command?.reject(new Error(`${command.method}: ${message.error.message}`))
  }

  let parts: Buffer[] = []
  pipes.fromChromium.on('data', (chunk: Buffer) => {
    let rest = chunk
    for (let end = rest.indexOf(zero); end !== -1; end = rest.indexOf(zero)) {
      const text = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8')
      parts = []
      rest = rest.subarray(end + 1)
      receive(text)
    }
    if (rest.length > 0) parts.push(rest)
  })

  const end = () => {
    open = false
    for (const command of pending.values()) command.reject(new Error(`Chromium is gone (${command.method})`))
    pending.clear()
  }
  pipes.fromChromium.on('close', end)
  pipes.fromChromium.on('error', end)
  pipes.toChromium.on('error', end)
  return { browser: session(browserSession), session }
}

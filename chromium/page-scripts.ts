/**
 * What runs inside the page, sent there as text: the page's half and the preload's half of Electron's context bridge,
 * in two JavaScript worlds that share the document and nothing else. They talk in JSON by DOM events; a function that
 * is passed across stays where it is and crosses as a number.
 *
 * The page could forge these events, and would gain what it has already: the methods that the preload exposes.
 */

/** A value as it crosses between the worlds. */
type Crossing =
  | { readonly kind: 'json'; readonly json?: unknown }
  | { readonly kind: 'function'; readonly id: number }
  | { readonly kind: 'promise'; readonly id: number }
  | { readonly kind: 'error'; readonly message: string }

type Anything = (...given: unknown[]) => unknown

/** One half: sends calls to the other world, and answers the calls that come from there. */
export const worldHalf = (mine: string, theirs: string) => {
  const functions = new Map<number, Anything>()
  const promises = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let lastId = 0
  let returned: Crossing = { kind: 'json' }
  const dispatch = (message: object) =>
    window.dispatchEvent(new CustomEvent(theirs, { detail: JSON.stringify(message) }))

  const isFunction = (value: unknown): value is Anything => typeof value === 'function'
  const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
  const outward = (value: unknown): Crossing => {
    if (isFunction(value)) {
      lastId += 1
      functions.set(lastId, value)
      return { kind: 'function', id: lastId }
    }
    if (value instanceof Promise) {
      lastId += 1
      const id = lastId
      value.then(
        (result) => dispatch({ type: 'settle', id, value: outward(result) }),
        (error) => dispatch({ type: 'settle', id, value: { kind: 'error', message: textOf(error) } }),
      )
      return { kind: 'promise', id }
    }
    return { kind: 'json', json: value }
  }
  const inward = (crossing: Crossing): unknown => {
    if (crossing.kind === 'json') return crossing.json
    if (crossing.kind === 'error') throw new Error(crossing.message)
    if (crossing.kind === 'function') return (...given: unknown[]) => call(crossing.id, given)
    return new Promise((resolve, reject) => promises.set(crossing.id, { resolve, reject }))
  }
  const call = (id: number, given: readonly unknown[]): unknown => {
    dispatch({ type: 'call', id, given: given.map(outward) })
    return inward(returned)
  }
  const answer = (id: number, given: readonly Crossing[]) => {
    const act = functions.get(id)
    try {
      if (act === undefined) throw new Error('no such function')
      dispatch({ type: 'return', value: outward(act(...given.map(inward))) })
    } catch (error) {
      dispatch({ type: 'return', value: { kind: 'error', message: textOf(error) } })
    }
  }
  const settle = (id: number, value: Crossing) => {
    const promise = promises.get(id)
    promises.delete(id)
    if (value.kind === 'error') promise?.reject(new Error(value.message))
    else promise?.resolve(inward(value))
  }
  const expose = (name: string, members: readonly [string, Crossing][]) => {
    const api = Object.fromEntries(members.map(([key, value]) => [key, inward(value)]))
    Object.defineProperty(window, name, { value: Object.freeze(api), enumerable: true })
  }
  window.addEventListener(mine, (event) => {
    if (!(event instanceof CustomEvent)) return
    const message = JSON.parse(event.detail)
    if (message.type === 'call') answer(message.id, message.given)
    else if (message.type === 'return') returned = message.value
    else if (message.type === 'settle') settle(message.id, message.value)
    else if (message.type === 'expose') expose(message.name, message.members)
  })
  return {
    exposeInMainWorld: (name: string, api: object) =>
      dispatch({ type: 'expose', name, members: Object.entries(api).map(([key, value]) => [key, outward(value)]) }),
  }
}

/** What the preload gets for `require('electron')`. `post` is the binding to main; it exists in this world only. */
export const preloadElectron = (bridge: ReturnType<typeof worldHalf>, post: (message: string) => void) => {
  const invocations = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const listeners = new Map<string, Set<Anything>>()
  let lastId = 0
  const ipcRenderer = {
    invoke: (channel: string, ...given: unknown[]) =>
      new Promise((resolve, reject) => {
        lastId += 1
        invocations.set(lastId, { resolve, reject })
        post(JSON.stringify({ id: lastId, channel, given }))
      }),
    on: (channel: string, listener: Anything) => {
      const known = listeners.get(channel) ?? new Set()
      listeners.set(channel, known.add(listener))
    },
    removeListener: (channel: string, listener: Anything) => {
      listeners.get(channel)?.delete(listener)
    },
  }
  /** Called by main: the answer to an invocation, or a message of its own. */
  const receive = (message: { id?: number; error?: string; result?: unknown; channel?: string; given?: unknown[] }) => {
    if (message.id === undefined) {
      for (const listener of listeners.get(message.channel ?? '') ?? []) listener({}, ...(message.given ?? []))
      return
    }
    const invocation = invocations.get(message.id)
    invocations.delete(message.id)
    if (message.error === undefined) invocation?.resolve(message.result)
    else invocation?.reject(new Error(message.error))
  }
  return { electron: { contextBridge: bridge, ipcRenderer }, receive }
}

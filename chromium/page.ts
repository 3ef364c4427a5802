/**
 * One page of Chromium, made to behave as Electron's: requests answered by the app, the preload in a world of its own,
 * messages with their sender's frame, and no second page beside it.
 */
import type { Browser } from './browser.ts'
import type { DevToolsSession, TargetInfo } from './devtools.ts'
import { inward, outward, outwardPolicy } from './origin.ts'
import { preloadElectron, worldHalf } from './page-scripts.ts'

/** How often the page is asked whether it still runs, and how long it may take to answer. */
const heartbeatMs = 2000
const hungMs = 10_000
const world = 'farthing-preload'
const post = 'farthingPost'
const receive = 'farthingReceive'

export interface Frame {
  readonly url: string
  readonly parent: Frame | null
}

export interface PageDelegate {
  readonly preload: string | undefined
  /** A frame wants to go to another document. False: it stays where it is. */
  navigationAllowed(navigation: { url: string; isMainFrame: boolean }): boolean
  requestAllowed(url: string): boolean
  /** Undefined: nobody serves this address. */
  content(request: Request): Promise<Response> | undefined
  windowAllowed(url: string): boolean
  invoked(message: { channel: string; given: readonly unknown[]; frame: Frame | null }): Promise<unknown>
  navigated(url: string): void
  loaded(): void
  crashed(exitCode: number): void
  /** The page has not answered for longer than `hungMs`. */
  hung(): void
  closed(): void
}

export interface Page {
  /** Resolves when the document has loaded. */
  navigate(url: string): Promise<void>
  send(channel: string, given: readonly unknown[]): void
  crash(): void
  readonly mainFrame: Frame
  readonly session: DevToolsSession
  readonly targetId: string
}

const mainScript = `(${worldHalf})('farthing:page', 'farthing:preload')`

const preloadScript = (preload: string) => `(() => {
  if (window !== window.top) return
  const bridge = (${worldHalf})('farthing:preload', 'farthing:page')
  const { electron, receive } = (${preloadElectron})(bridge, (text) => globalThis.${post}(text))
  globalThis.${receive} = receive
  const require = (name) => {
    if (name !== 'electron') throw new Error('a sandboxed preload can require electron only, not ' + name)
    return electron
  }
  ;((require, module, exports) => {
${preload}
  })(require, { exports: {} }, {})
})()`

const textOf = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))

/** Answers every request of one target (the page, or one of its workers) from the app, and none from the network. */
const serve = async (session: DevToolsSession, page: { mainFrameId: string; delegate: PageDelegate }) => {
  const { delegate, mainFrameId } = page
  const refuse = (requestId: string, errorReason: 'Aborted' | 'BlockedByClient') =>
    session.send('Fetch.failRequest', { requestId, errorReason })
  session.on('Fetch.requestPaused', async ({ requestId, request, resourceType, frameId }) => {
    const url = inward(request.url)
    try {
      const isMainFrame = frameId === mainFrameId
      if (resourceType === 'Document' && !delegate.navigationAllowed({ url, isMainFrame })) {
        await refuse(requestId, 'Aborted')
        return
      }
      const { method, headers } = request
      const content = delegate.requestAllowed(url) ? delegate.content(new Request(url, { method, headers })) : undefined
      if (content === undefined) {
        await refuse(requestId, 'BlockedByClient')
        return
      }
      const response = await content
      await session.send('Fetch.fulfillRequest', {
        requestId,
        responseCode: response.status,
        responseHeaders: [...response.headers].map(([name, value]) => ({
          name,
          value: name === 'content-security-policy' ? outwardPolicy(value) : value,
        })),
        body: Buffer.from(await response.arrayBuffer()).toString('base64'),
      })
    } catch {
      // The page went away while it was being answered, or the app could not answer.
      await refuse(requestId, 'BlockedByClient').catch(() => {})
    }
  })
  await session.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] })
}

/** Workers get their requests answered too; they wait until that is in place. */
const followWorkers = async (
  browser: Browser,
  session: DevToolsSession,
  page: { mainFrameId: string; delegate: PageDelegate },
) => {
  session.on('Target.attachedToTarget', async ({ sessionId }) => {
    const worker = browser.devTools.session(sessionId)
    await serve(worker, page).catch(() => {})
    await worker.send('Runtime.runIfWaitingForDebugger').catch(() => {})
  })
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: true, flatten: true })
}

/** Keeps the frames and worlds of the page, and carries messages between its preload and main. */
const connectMessages = async (session: DevToolsSession, mainFrameId: string, delegate: PageDelegate) => {
  const frames = new Map<string, { url: string; parentId: string | undefined }>()
  const worlds = new Map<number, string>()

  const frameOf = (frameId: string): Frame | null => {
    const frame = frames.get(frameId)
    if (frame === undefined) return null
    return { url: frame.url, parent: frame.parentId === undefined ? null : frameOf(frame.parentId) }
  }
  const deliver = (contextId: number, message: object) =>
    session
      .send('Runtime.evaluate', { contextId, expression: `${receive}(${JSON.stringify(message)})` })
      .catch(() => undefined)

  session.on('Page.frameNavigated', ({ frame }) => {
    const url = inward(frame.url)
    frames.set(frame.id, { url, parentId: frame.parentId })
    if (frame.id === mainFrameId) delegate.navigated(url)
  })
  session.on('Page.frameDetached', ({ frameId, reason }) => {
    if (reason === 'remove') frames.delete(frameId)
  })
  session.on('Runtime.executionContextCreated', ({ context }) => {
    if (context.name === world && context.auxData !== undefined) worlds.set(context.id, context.auxData.frameId)
  })
  session.on('Runtime.executionContextDestroyed', ({ executionContextId }) => worlds.delete(executionContextId))
  session.on('Runtime.executionContextsCleared', () => worlds.clear())
  session.on('Runtime.bindingCalled', async ({ name, payload, executionContextId }) => {
    const frameId = worlds.get(executionContextId)
    if (name !== post || frameId === undefined) return
    const { id, channel, given }: { id: number; channel: string; given: unknown[] } = JSON.parse(payload)
    await delegate.invoked({ channel, given, frame: frameOf(frameId) }).then(
      (result) => deliver(executionContextId, { id, result }),
      (error) =>
        deliver(executionContextId, { id, error: `Error invoking remote method '${channel}': ${textOf(error)}` }),
    )
  })
  await session.send('Page.enable')
  await session.send('Runtime.enable')
  await session.send('Page.addScriptToEvaluateOnNewDocument', { source: mainScript })
  if (delegate.preload !== undefined) {
    await session.send('Runtime.addBinding', { name: post, executionContextName: world })
    const source = preloadScript(delegate.preload)
    await session.send('Page.addScriptToEvaluateOnNewDocument', { source, worldName: world })
  }
  return {
    frameOf,
    send: (channel: string, given: readonly unknown[]) => {
      for (const [contextId, frameId] of worlds) if (frameId === mainFrameId) deliver(contextId, { channel, given })
    },
  }
}

/** Notices a page whose script never ends; one question is open at a time. */
const watchHeartbeat = (session: DevToolsSession, delegate: PageDelegate) => {
  const ask = async () => {
    const patience = setTimeout(() => delegate.hung(), hungMs)
    patience.unref()
    // It answers with an error when the page crashed, which is noticed elsewhere.
    const gone = await session.send('Runtime.evaluate', { expression: '0' }).then(
      () => false,
      (error: Error) => error.message.startsWith('Chromium is gone'),
    )
    clearTimeout(patience)
    if (!gone) setTimeout(ask, heartbeatMs).unref()
  }
  ask()
}

/** Takes the browser's first page over, and closes every other that appears. */
const takeTarget = (browser: Browser, delegate: PageDelegate) =>
  new Promise<TargetInfo>((resolve, reject) => {
    const { browser: session } = browser.devTools
    let taken: string | undefined
    session.on('Target.targetCreated', ({ targetInfo }) => {
      if (targetInfo.type !== 'page') return
      if (taken === undefined) {
        taken = targetInfo.targetId
        resolve(targetInfo)
      } else if (targetInfo.targetId !== taken && !delegate.windowAllowed(inward(targetInfo.url)))
        session.send('Target.closeTarget', { targetId: targetInfo.targetId }).catch(() => {})
    })
    session.on('Target.targetCrashed', ({ targetId, errorCode }) => {
      if (targetId === taken) delegate.crashed(errorCode)
    })
    session.on('Target.targetDestroyed', ({ targetId }) => {
      if (targetId === taken) delegate.closed()
    })
    session.send('Target.setDiscoverTargets', { discover: true }).catch(reject)
  })

/** @throws when Chromium ends before its page is ready */
export const openPage = async (browser: Browser, delegate: PageDelegate): Promise<Page> => {
  const { targetId } = await takeTarget(browser, delegate)
  const root = browser.devTools.browser
  const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: true })
  const session = browser.devTools.session(sessionId)
  await root.send('Browser.setDownloadBehavior', { behavior: 'deny' })
  // A page's target has the id of its main frame.
  const page = { mainFrameId: targetId, delegate }
  const messages = await connectMessages(session, targetId, delegate)
  await serve(session, page)
  await followWorkers(browser, session, page)
  session.on('Page.loadEventFired', () => {
    // As in Electron there is no page before the first one: a key for going back would leave the app.
    session.send('Page.resetNavigationHistory').catch(() => {})
    delegate.loaded()
  })
  watchHeartbeat(session, delegate)
  return {
    targetId,
    session,
    get mainFrame() {
      return messages.frameOf(targetId) ?? { url: 'about:blank', parent: null }
    },
    navigate: async (url) => {
      const { errorText } = await session.send('Page.navigate', { url: outward(url) })
      if (errorText !== undefined) throw new Error(`${errorText} loading ${url}`)
    },
    send: messages.send,
    crash: () => {
      session.send('Page.crash').catch(() => {})
    },
  }
}

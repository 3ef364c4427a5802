/**
 * Says lines by Speech Dispatcher, the speech service of Linux desktops, over its socket (SSIP; its manual, "SSIP
 * Documentation"). The page cannot do it by itself: Chromium makes a voice of each of that service's 13,000 pairs of
 * language and timbre before it says a word, and Electron was reported to know none of them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type NetConnectOpts } from 'node:net'
import { homedir } from 'node:os'
import path from 'node:path'

export interface SpokenLine {
  readonly text: string
  /** BCP 47. */
  readonly language: string
  /** 1 is the voice's own. */
  readonly rate: number
  /** 0 to 1. */
  readonly volume: number
}

export interface Speaker {
  /** After what it is saying now. Resolves to whether it began to be heard: false when it was hushed, or there is no service. */
  say(line: SpokenLine): Promise<boolean>
  /** Nothing of what was to be said is said any more. */
  hush(): void
  close(): void
}

const connectMsMax = 10_000
/** The service answers before it speaks. One that does not is left; the next line asks it anew. */
const answerMsMax = 10_000
/** Of one answer: a few short lines. */
const answerLengthMax = 64 * 1024
/** Lines that wait to be heard; more than a screen has. */
const linesMax = 500

/**
 * As the service itself finds it: `SPEECHD_ADDRESS`, else in the user's folder for such.
 * @returns undefined for an address that is not understood, or on another machine: what customers read goes over no network
 */
export const addressOf = (env: NodeJS.ProcessEnv): NetConnectOpts | undefined => {
  const named = env.SPEECHD_ADDRESS
  if (named === undefined || named === '') {
    const folder = env.XDG_RUNTIME_DIR || env.XDG_CACHE_HOME || path.join(env.HOME ?? homedir(), '.cache')
    return { path: path.join(folder, 'speech-dispatcher/speechd.sock') }
  }
  const file = /^unix_socket:(.+)$/.exec(named)?.[1]
  if (file !== undefined) return { path: file }
  const inet = /^inet_socket(?::([^:]+)(?::(\d{1,5}))?)?$/.exec(named)
  if (inet === null) return undefined
  const [, host = '127.0.0.1', port = '6560'] = inet
  const isHere = host === 'localhost' || /^127(\.\d{1,3}){3}$/.test(host)
  return isHere && Number(port) > 0 && Number(port) <= 65_535 ? { host, port: Number(port) } : undefined
}

/**
 * From times the voice's own to -100 to 100: espeak-ng, Debian's voice, speaks 80 words a minute at the lower end, 170
 * in the middle and 449 at the upper end (its settings in /etc/speech-dispatcher).
 */
const rateOf = (times: number): number => {
  const perMinute = 170 * (times - 1)
  return Math.max(-100, Math.min(100, Math.round((100 * perMinute) / (times < 1 ? 170 - 80 : 449 - 170))))
}

/** One connection: commands one after the other, and what the service says of messages (event 701). */
const openConnection = async (options: {
  readonly address: NetConnectOpts
  readonly answerMs: number
  readonly onBegin: (message: string) => void
}) => {
  const { address, answerMs, onBegin } = options
  const socket = connect(address)
  socket.on('error', () => {})
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectMsMax) })
  } catch (error) {
    socket.destroy()
    throw error
  }
  const waiting: ((answer: readonly string[]) => void)[] = []
  const ended = once(socket, 'close').then(() => {
    for (const answer of waiting.splice(0)) answer([])
  })
  /** Of an answer that is not whole yet. */
  let lines: string[] = []
  let line = ''
  let length = 0
  const hear = (answer: readonly string[]) => {
    length = 0
    if (answer.at(-1) === '701 BEGIN') onBegin(answer[0]?.slice(4) ?? '')
    else waiting.shift()?.(answer)
  }
  socket.setEncoding('utf8').on('data', (text: string) => {
    length += text.length
    const whole = (line + text).split(/\r?\n/)
    line = whole.pop() ?? ''
    for (const each of whole) {
      lines.push(each)
      // All lines of an answer but the last have a dash there.
      if (each[3] === '-') continue
      const answer = lines
      lines = []
      hear(answer)
    }
    if (length > answerLengthMax) socket.destroy()
  })
  const send = (text: string) =>
    new Promise<readonly string[]>((resolve) => {
      if (socket.destroyed) return resolve([])
      const late = setTimeout(() => socket.destroy(), answerMs)
      waiting.push((answer) => {
        clearTimeout(late)
        resolve(answer)
      })
      socket.write(`${text}\r\n`)
    })
  /** @throws Error when the service refuses it, or went away */
  const command = async (text: string): Promise<readonly string[]> => {
    const answer = await send(text)
    const last = answer.at(-1) ?? 'it is gone'
    if (!last.startsWith('2')) throw new Error(`the speech service refused: ${last}`)
    return answer
  }
  try {
    await command('SET SELF CLIENT_NAME farthing:kiosk:screen')
    await command('SET SELF NOTIFICATION BEGIN ON')
  } catch (error) {
    socket.destroy()
    throw error
  }
  /** How the next lines are said; the service keeps it for this connection. */
  const settings = new Map<string, string>()
  const set = async (name: string, value: string) => {
    if (settings.get(name) === value) return
    await command(`SET SELF ${name} ${value}`)
    settings.set(name, value)
  }
  return { command, set, ended, end: () => socket.destroy() }
}
type Connection = Awaited<ReturnType<typeof openConnection>>

/** What the service finds its folders, its sound and its language by. It outlives the kiosk, and needs no secret of it. */
const serviceVariables =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|TZ|LANG|LANGUAGE|LD_LIBRARY_PATH|DBUS_SESSION_BUS_ADDRESS|(ALSA|LC|PIPEWIRE|PULSE|SPEECHD|XDG)_.*)$/

/** The service is begun by its first user, unless it was named (somebody minds it), and ends itself some time after its last. */
const startService = async (env: NodeJS.ProcessEnv) => {
  const given = Object.fromEntries(Object.entries(env).filter(([name]) => serviceVariables.test(name)))
  const child = spawn('speech-dispatcher', ['--spawn'], { stdio: 'ignore', env: given, timeout: connectMsMax })
  await once(child, 'exit')
}

export const openSpeaker = (
  log: (message: string) => void,
  env: NodeJS.ProcessEnv = process.env,
  answerMs = answerMsMax,
): Speaker => {
  const address = addressOf(env)
  if (address === undefined)
    log(
      `Nothing will be spoken: SPEECHD_ADDRESS is ${env.SPEECHD_ADDRESS}, and must be unix_socket:PATH or inet_socket:127.0.0.1:PORT, a speech service on this machine.`,
    )
  let connection: Promise<Connection> | undefined
  /** Lines that the service has, by its number for them. */
  const heard = new Map<string, (begun: boolean) => void>()
  /** Lines that wait to be given to it. */
  let waiting = 0
  /** Lines of an earlier one were hushed. */
  let turn = 0
  /** The service is about to be told so. */
  let hushing = false
  let queue: Promise<unknown> = Promise.resolve()

  /** Begun before the service told their numbers: its voice does not wait for its answers. */
  const early = new Set<string>()

  const onBegin = (message: string) => {
    const tell = heard.get(message)
    if (tell === undefined) return void (early.size < linesMax && early.add(message))
    heard.delete(message)
    tell(true)
  }
  const outcomeOf = (message: string) =>
    new Promise<boolean>((resolve) => {
      if (early.delete(message)) resolve(true)
      else heard.set(message, resolve)
    })
  const forget = () => {
    for (const tell of heard.values()) tell(false)
    heard.clear()
    early.clear()
  }
  const open = async () => {
    if (address === undefined) throw new Error('no speech service is named')
    const options = { address, answerMs, onBegin }
    const opened = await openConnection(options).catch(async (error) => {
      if (env.SPEECHD_ADDRESS) throw error
      await startService(env)
      return openConnection(options)
    })
    opened.ended.then(() => {
      connection = undefined
      forget()
    })
    return opened
  }
  const connected = () => {
    connection ??= open()
    // Whoever asks next tries again.
    connection.catch(() => {
      connection = undefined
    })
    return connection
  }
  const inTurn = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const done = queue.then(act)
    queue = done.catch(() => {})
    return done
  }
  /** Resolves when the service has it, which begins to say it when what was before is said. */
  const give = async (
    { text, language, rate, volume }: SpokenLine,
    of: number,
  ): Promise<{ begun: Promise<boolean> }> => {
    const unheard = { begun: Promise.resolve(false) }
    if (of !== turn || volume === 0) return unheard
    const { command, set } = await connected()
    if (of !== turn) return unheard
    await set('LANGUAGE', new Intl.Locale(language).language)
    await set('RATE', String(rateOf(rate)))
    await set('VOLUME', String(Math.round(200 * Math.min(volume, 1)) - 100))
    await command('SPEAK')
    // One line, which a dot cannot end.
    const [message = ''] = await command(`${text.replace(/\s+/g, ' ').replace(/^\./, '..')}\r\n.`)
    return { begun: outcomeOf(message.slice(4)) }
  }
  return {
    async say(line) {
      if (waiting + heard.size >= linesMax) return false
      const of = turn
      waiting += 1
      // Once more, for a service that was begun anew since the last line.
      const given = inTurn(() => give(line, of).catch(() => give(line, of)))
      const { begun } = await given.catch(() => ({ begun: false }))
      waiting -= 1
      return begun
    },
    hush() {
      turn += 1
      if (hushing) return
      hushing = true
      inTurn(async () => {
        hushing = false
        await (await connection)?.command('CANCEL SELF')
        // The service says nothing of those that it had not begun.
        forget()
      }).catch(() => {})
    },
    close() {
      turn += 1
      connection?.then(({ end }) => end()).catch(() => {})
    },
  }
}

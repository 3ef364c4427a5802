/** Against the real service with Debian's voices, whose sound goes nowhere. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { addressOf, openSpeaker, type Speaker } from './speech-dispatcher.ts'

const module = '/etc/speech-dispatcher/modules/espeak-ng.conf'
const present = spawnSync('speech-dispatcher', ['--version']).status === 0 && existsSync(module)

const folder = mkdtempSync(path.join(tmpdir(), 'farthing-speech-'))
const socketPath = path.join(folder, 'socket')
const logFile = path.join(folder, 'log/speech-dispatcher.log')
const log = () => readFileSync(logFile, 'utf8')

const startService = async (): Promise<ChildProcess> => {
  const child = spawn(
    'speech-dispatcher',
    [
      ...['--run-single', '--timeout', '0', '--communication-method', 'unix_socket', '--socket-path', socketPath],
      ...['--config-dir', folder, '--log-dir', path.join(folder, 'log'), '--pid-file', path.join(folder, 'pid')],
    ],
    { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder } },
  )
  await vi.waitFor(
    async () => {
      const socket = connect(socketPath)
      await once(socket, 'connect')
      socket.destroy()
    },
    { timeout: 20_000 },
  )
  return child
}
const stopService = async (child: ChildProcess) => {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

const line = (text: string, language = 'en') => ({ text, language, rate: 1, volume: 1 })
const long = 'A sentence that takes its time. '.repeat(50)

const quiet = () => {}

let service: ChildProcess
let speaker: Speaker

beforeAll(async () => {
  if (!present) return
  for (const name of ['modules', 'log']) mkdirSync(path.join(folder, name))
  writeFileSync(path.join(folder, '.libao'), 'default_driver=null\n')
  writeFileSync(
    path.join(folder, 'speechd.conf'),
    [
      'LogLevel 5',
      'LogDir "default"',
      'AudioOutputMethod "libao"',
      'AddModule "espeak-ng" "sd_espeak-ng" "espeak-ng.conf"',
      'DefaultModule espeak-ng',
    ].join('\n'),
  )
  copyFileSync(module, path.join(folder, 'modules/espeak-ng.conf'))
  service = await startService()
  speaker = openSpeaker(quiet, { SPEECHD_ADDRESS: `unix_socket:${socketPath}` })
}, 30_000)
afterAll(async () => {
  if (present) {
    speaker?.close()
    await stopService(service)
  }
  rmSync(folder, { recursive: true })
})

test.runIf(present)(
  'says a line in each of the languages, one after the other, as fast and loud as it is wanted',
  async () => {
    const said = await Promise.all([
      speaker.say(line('You paid 0.50.')),
      speaker.say({ ...line('Sie haben bezahlt.', 'de'), rate: 1.35 }),
      speaker.say({ ...line('Ha pagado.', 'es'), rate: 0.7, volume: 0.5 }),
      speaker.say(line('دفعت', 'ar')),
      speaker.say(line('您已付款', 'zh-Hant')),
    ])
    expect(said).toEqual([true, true, true, true, true])
    for (const language of ['en', 'de', 'es', 'ar', 'zh']) expect(log()).toContain(`SET SELF LANGUAGE ${language}`)
    for (const how of ['RATE 0', 'RATE 21', 'RATE -57', 'VOLUME 100', 'VOLUME 0'])
      expect(log()).toContain(`SELF ${how}`)
  },
  30_000,
)

test.runIf(present)(
  'what is hushed is not said, and what comes after it is',
  async () => {
    expect(await speaker.say(line(long))).toBe(true)
    const waiting = speaker.say(line('given, and not begun'))
    await vi.waitUntil(() => log().includes('given, and not begun'))
    const second = speaker.say(line('never heard'))
    speaker.hush()
    const third = speaker.say(line('heard'))
    expect([await waiting, await second]).toEqual([false, false])
    expect(await third).toBe(true)
    expect(await speaker.say({ ...line('silent'), volume: 0 })).toBe(false)
  },
  30_000,
)

test.runIf(present)(
  'no text is taken for a command',
  async () => {
    for (const text of ['.', '..', '.\r\nQUIT', 'one\n.\nSTOP ALL', '\r\n.\r\nSPEAK', 'one\0'])
      expect(await speaker.say(line(`${text} word`))).toBe(true)
    expect(await speaker.say(line('still there'))).toBe(true)
  },
  30_000,
)

test.runIf(present)(
  'finds the service again that was begun anew',
  async () => {
    await stopService(service)
    service = await startService()
    expect(await speaker.say(line('again'))).toBe(true)
  },
  30_000,
)

/** In the service's place: whoever connects is met by `act`, and by nothing else. */
const openFalseService = async (name: string, act: (socket: Socket) => void): Promise<Speaker> => {
  const socketOfIt = path.join(folder, name)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    act(socket)
  }).listen(socketOfIt)
  await once(server, 'listening')
  const opened = openSpeaker(quiet, { SPEECHD_ADDRESS: `unix_socket:${socketOfIt}` }, 50)
  onTestFinished(() => {
    opened.close()
    server.close()
  })
  return opened
}

test('of a service that answers nothing no more waits than can be heard, and it holds nobody up for ever', async () => {
  const mute = await openFalseService('mute', (socket) => socket.resume())
  const said = Array.from({ length: 501 }, () => mute.say(line('nobody hears it')))
  expect(await said[500]).toBe(false)
  for (let times = 0; times < 1000; times += 1) mute.hush()
  expect(new Set(await Promise.all(said))).toEqual(new Set([false]))
  expect(await mute.say(line('nor this'))).toBe(false)
})

test('a service that never ends its answer is left', async () => {
  let wrote = 0
  const endless = await openFalseService('endless', (socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write('2'.repeat(65_536))) wrote += 1
    }
    socket.on('drain', write)
    write()
  })
  expect(await endless.say(line('nobody hears it'))).toBe(false)
  // What lies in the system's buffers, and little more, of two connections.
  expect(wrote).toBeLessThan(200)
})

test('a machine without the service stays silent', async () => {
  const alone = openSpeaker(quiet, { XDG_RUNTIME_DIR: path.join(folder, 'nobody'), PATH: folder })
  expect(await alone.say(line('nobody hears it'))).toBe(false)
  expect(await alone.say(line('nor this'))).toBe(false)
  alone.close()
})

test('the service is begun with what it finds folders, sound and language by, and no secret', async () => {
  const programs = path.join(folder, 'programs')
  mkdirSync(programs)
  const found = path.join(programs, 'environment')
  writeFileSync(path.join(programs, 'speech-dispatcher'), `#!/bin/sh\nexec env >${found}\n`, { mode: 0o755 })
  const given = {
    PATH: `${programs}:/usr/bin:/bin`,
    HOME: '/home/k',
    XDG_RUNTIME_DIR: path.join(folder, 'nobody'),
    LANG: 'de_AT.UTF-8',
    PULSE_SERVER: 'unix:/pulse',
  }
  const alone = openSpeaker(quiet, { ...given, FARTHING_METRICS_TOKEN: 'a secret', PGPASSWORD: 'a secret' })
  expect(await alone.say(line('nobody hears it'))).toBe(false)
  const begun = readFileSync(found, 'utf8')
  expect(begun.split('\n')).toEqual(expect.arrayContaining(Object.entries(given).map((each) => each.join('='))))
  expect(begun).not.toContain('secret')
})

test('looks for the service where it is', () => {
  expect(addressOf({ XDG_RUNTIME_DIR: '/run/user/7' })).toEqual({ path: '/run/user/7/speech-dispatcher/speechd.sock' })
  expect(addressOf({ HOME: '/home/k' })).toEqual({ path: '/home/k/.cache/speech-dispatcher/speechd.sock' })
  const named = (SPEECHD_ADDRESS: string) => addressOf({ SPEECHD_ADDRESS })
  expect(named('unix_socket:/a/b')).toEqual({ path: '/a/b' })
  expect(named('inet_socket:127.0.0.1:7000')).toEqual({ host: '127.0.0.1', port: 7000 })
  expect(named('inet_socket:localhost')).toEqual({ host: 'localhost', port: 6560 })
  expect(named('inet_socket')).toEqual({ host: '127.0.0.1', port: 6560 })
  for (const other of ['inet_socket:10.0.0.1:6560', 'inet_socket:127.0.0.1:99999', 'tcp:127.0.0.1:6560'])
    expect(named(other), other).toBeUndefined()
})

test('an address on another machine is said to be none, and nothing is spoken', async () => {
  const said: string[] = []
  const alone = openSpeaker((message) => said.push(message), { SPEECHD_ADDRESS: 'inet_socket:192.0.2.1:6560' })
  expect(await alone.say(line('nobody hears it'))).toBe(false)
  expect(said).toEqual([expect.stringContaining('SPEECHD_ADDRESS is inet_socket:192.0.2.1:6560')])
  alone.close()
})

test('by inet_socket too, each connection hears how to speak once, and again when that changes', async () => {
  const heard: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    heard.push('connected')
    let number = 0
    let rest = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      const commands = (rest + text).split('\r\n')
      rest = commands.pop() ?? ''
      for (const command of commands) {
        if (/^SET SELF (LANGUAGE|RATE|VOLUME)/.test(command)) heard.push(command.slice('SET SELF '.length))
        if (command === 'SPEAK') socket.write('230 OK RECEIVING DATA\r\n')
        else if (command === '.')
          socket.write(`225-${++number}\r\n225 OK MESSAGE QUEUED\r\n701-${number}\r\n701-1\r\n701 BEGIN\r\n`)
        else if (/^(SET|CANCEL) /.test(command)) socket.write('200 OK\r\n')
        else heard.push(command)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const mouth = openSpeaker(quiet, { SPEECHD_ADDRESS: `inet_socket:127.0.0.1:${port}` })
  onTestFinished(() => {
    mouth.close()
    server.close()
  })
  await mouth.say(line('one'))
  await mouth.say(line('two'))
  await mouth.say({ ...line('drei', 'de'), volume: 0.5 })
  const ended = once(sockets[0] as Socket, 'close')
  sockets[0]?.destroy()
  await ended
  await vi.waitUntil(async () => (await mouth.say({ ...line('vier', 'de'), volume: 0.5 })) && heard.includes('vier'))
  const first = ['connected', 'LANGUAGE en', 'RATE 0', 'VOLUME 100', 'one', 'two', 'LANGUAGE de', 'VOLUME 0', 'drei']
  expect(heard).toEqual([...first, 'connected', 'LANGUAGE de', 'RATE 0', 'VOLUME 0', 'vier'])
})

/**
 * For tests and benches: a PostgreSQL server of their own, in a folder of its own, on a free loopback port, ended with them.
 * Debian's packages have its programs outside of the PATH; they refuse root, which runs them as the user postgres.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'

const startMsMax = 30_000
const packaged = '/usr/lib/postgresql'

export interface Cluster {
  /** Of its maintenance database. */
  readonly url: string
  /** SIGKILLs the server and starts it again over its folder, as after a crash. */
  crash(): Promise<void>
  stop(): Promise<void>
}

const programFolder = (): string => {
  const versions = existsSync(packaged) ? readdirSync(packaged) : []
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0]
  if (newest === undefined) throw new Error('PostgreSQL is not installed: run "npm run setup"')
  return path.join(packaged, newest, 'bin')
}

const isRoot = process.getuid?.() === 0

/** As the user postgres where root runs it, and ended when whoever started it is. */
const asPostgres = (program: string, argv: readonly string[]): [string, string[]] => {
  const user = isRoot ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : []
  return ['setpriv', [...user, '--pdeathsig=INT', program, ...argv]]
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

const execute = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

/** Makes an empty database in a cluster. @returns its address */
export const createDatabase = async (clusterUrl: string): Promise<string> => {
  const name = `book_${randomBytes(8).toString('hex')}`
  await execute(clusterUrl, `CREATE DATABASE ${name}`)
  return clusterUrl.replace(/[^/]*$/, name)
}

const untilReady = async (url: string, server: ChildProcess): Promise<void> => {
  const endMs = performance.now() + startMsMax
  for (;;) {
    try {
      await execute(url, 'SELECT 1')
      return
    } catch (error) {
      if (server.exitCode !== null || performance.now() > endMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** The crashed server's own processes are still ending: until then it is refused. */
const restart = async (start: () => Promise<ChildProcess>): Promise<ChildProcess> => {
  const endMs = performance.now() + startMsMax
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (performance.now() > endMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/**
 * Starts a server that trusts whoever reaches its loopback port.
 * @param options.durable false: it does not wait for the disk (tests do not cut the power)
 */
export const startCluster = async (options: { readonly durable: boolean } = { durable: false }): Promise<Cluster> => {
  const programs = programFolder()
  const folder = mkdtempSync(path.join(tmpdir(), 'farthing-postgres-'))
  if (isRoot) execFileSync('chown', ['postgres', folder])
  else chmodSync(folder, 0o700)
  const data = path.join(folder, 'data')
  const initdb = asPostgres(path.join(programs, 'initdb'), [
    ...['-D', data, '-U', 'farthing', '-A', 'trust', '--no-sync', '--locale=C', '-E', 'UTF8'],
  ])
  execFileSync(...initdb, { stdio: 'ignore', cwd: folder })
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    max_connections: '200',
    shared_buffers: '256MB',
    max_wal_size: '4GB',
    ...(options.durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [program, argv] = asPostgres(path.join(programs, 'postgres'), ['-D', data, ...flags])
  const url = `postgres://farthing@127.0.0.1:${port}/postgres`
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(program, argv, { stdio: 'ignore', cwd: folder })
    await untilReady(url, started)
    return started
  }
  let server = await start()
  return {
    url,
    crash: async () => {
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
      server = await restart(start)
    },
    stop: async () => {
      const ended = new Promise((resolve) => server.once('close', resolve))
      // Fast shutdown.
      server.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

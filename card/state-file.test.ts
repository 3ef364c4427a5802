/** The card's file: whole or an error, the old state or the new one, one process at a time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { amountMinor } from '../protocol/quantities.ts'
import { openPurse } from './purse.ts'
import { drivePurse, sampleOrder, samplePersonalisation } from './purse-driver.ts'
import { blankState, newCardState, type PurseState } from './purse-state.ts'
import { openStateFile, readStateFile, StateFileError, writeStateFile } from './state-file.ts'

let folder = ''
let file = ''
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'farthing-card-'))
  file = path.join(folder, 'card.json')
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
})

/** A card with a payment and a load in its log. */
const usedState = (): PurseState => {
  let state: PurseState = newCardState(samplePersonalisation())
  const save = (next: PurseState) => {
    state = next
  }
  const purse = openPurse({ state, save, randomBytes: (length) => new Uint8Array(length) })
  const driver = drivePurse(purse.process)
  driver.select()
  driver.transact(sampleOrder('load'))
  driver.transact(sampleOrder('payment', { amountMinor: amountMinor(70) }))
  return state
}

const module = (name: string) => JSON.stringify(path.join(import.meta.dirname, name))

/** Runs a program in a process of its own; each line it prints is an event. */
const run = (program: string) => {
  const imports = `
    import { kill, pid } from 'node:process'
    import { openPurse } from ${module('purse.ts')}
    import { drivePurse, sampleOrder } from ${module('purse-driver.ts')}
    import { openStateFile, writeStateFile } from ${module('state-file.ts')}
    const file = ${JSON.stringify(file)}
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', imports + program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return { child, lines: createInterface(child.stdout), exited: once(child, 'exit') }
}

test('a file that does not exist becomes a blank card, readable by its owner alone', () => {
  const opened = openStateFile(file)
  expect(opened.state).toEqual(blankState)
  opened.close()
  expect(readStateFile(file)).toEqual(blankState)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('what was saved is what the next process reads', () => {
  const state = usedState()
  const opened = openStateFile(file)
  opened.save(state)
  opened.close()
  const again = openStateFile(file)
  expect(again.state).toEqual(state)
  again.close()
  expect(readdirSync(folder).sort()).toEqual(['card.json', 'card.json.lock'])
})

test('any byte that is changed or missing is an error, never another card', () => {
  writeStateFile(file, usedState())
  const whole = readFileSync(file)
  const sound = readStateFile(file)
  const isRefused = (bytes: Uint8Array) => {
    writeFileSync(file, bytes)
    try {
      // A change of white space is none.
      expect(readStateFile(file)).toEqual(sound)
      return false
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error
      expect(error.message).toMatch(/is damaged .*restore the file/)
      return true
    }
  }
  const flips = [...whole.keys()].filter((at) => !isRefused(whole.map((byte, i) => (i === at ? byte ^ 1 : byte))))
  for (const at of flips) expect(String.fromCharCode(whole[at] ?? 0)).toMatch(/\s/)
  const cuts = [...whole.keys()].filter((length) => !isRefused(whole.subarray(0, length)))
  expect(cuts).toEqual([whole.length - 1])
})

test('a damaged file is refused on opening, is left as it is, and is not locked', () => {
  for (const text of ['', '{}', 'null', '{"sha256":"","state":{"kind":"blank"}}']) {
    writeFileSync(file, text)
    expect(() => openStateFile(file)).toThrow(StateFileError)
    expect(readFileSync(file, 'utf8')).toBe(text)
  }
  rmSync(file)
  openStateFile(file).close()
})

test('a log that contradicts the balance is refused', () => {
  const state = usedState()
  if (state.kind === 'blank') throw new Error('blank')
  const contradictions: PurseState[] = [
    { ...state, balanceMinor: amountMinor(181) },
    { ...state, log: state.log.slice(1) },
    { ...state, log: state.log.toReversed() },
  ]
  for (const contradiction of contradictions) {
    writeStateFile(file, contradiction)
    expect(() => readStateFile(file)).toThrow('the log contradicts')
  }
})

test('a folder that does not exist is an error that says so', () => {
  expect(() => openStateFile(path.join(folder, 'nowhere', 'card.json'))).toThrow('its folder is missing')
})

test('two processes never run the same card, and a killed one lets go of it', async () => {
  const { child, lines, exited } = run(`
    // Kept: a file that nobody holds may be collected as garbage, and lets go of its lock.
    const held = openStateFile(file)
    console.log('open')
    setInterval(() => held.state, 1000)
  `)
  await once(lines, 'line')
  expect(() => openStateFile(file)).toThrow(/is in use: end the process/)
  child.kill('SIGKILL')
  await exited
  openStateFile(file).close()
})

test('nor does one process run it twice', () => {
  const first = openStateFile(file)
  expect(() => openStateFile(file)).toThrow(/is in use/)
  first.close()
  openStateFile(file).close()
})

test.each([
  ['before', blankState],
  ['after', { kind: 'card' }],
])('a process killed just %s the rename leaves a whole card', async (when, expected) => {
  writeStateFile(file, blankState)
  writeFileSync(path.join(folder, 'used.json'), JSON.stringify(usedState()))
  const { exited } = run(`
    import { readFileSync, renameSync } from 'node:fs'
    writeStateFile(file, JSON.parse(readFileSync(${JSON.stringify(path.join(folder, 'used.json'))})), (from, to) => {
      if ('${when}' === 'after') renameSync(from, to)
      kill(pid, 'SIGKILL')
    })
  `)
  expect(await exited).toEqual([null, 'SIGKILL'])
  const opened = openStateFile(file)
  expect(opened.state).toMatchObject(expected)
  opened.save(opened.state)
  opened.close()
})

test('a process killed amid payments has every payment that it answered, and at most one more', async () => {
  const state = newCardState(samplePersonalisation({ pinFreeMaxMinor: amountMinor(0xffffffff) }))
  writeStateFile(file, { ...state })
  const killAfter = 25
  const { child, lines, exited } = run(`
    const held = openStateFile(file)
    const purse = openPurse({ ...held, randomBytes: (length) => new Uint8Array(length) })
    const driver = drivePurse(purse.process)
    driver.select()
    for (;;) {
      driver.transact(sampleOrder(purse.state.balanceMinor < 250 ? 'load' : 'payment'))
      process.stdout.write(purse.state.counter + '\\n')
    }
  `)
  let answered = 0
  lines.on('line', (line) => {
    answered = Number(line)
    if (answered === killAfter) child.kill('SIGKILL')
  })
  await Promise.all([exited, once(lines, 'close')])
  const { state: left, close } = openStateFile(file)
  close()
  if (left.kind === 'blank') throw new Error('blank')
  expect(left.counter).toBeGreaterThanOrEqual(killAfter)
  expect(left.counter - answered).toBeGreaterThanOrEqual(0)
  expect(left.counter - answered).toBeLessThanOrEqual(1)
})

/**
 * One step of a journey in a process that kills itself (SIGKILL) before its Nth change of the stick's names:
 * node killed-step.ts N export|take STICK DATA_DIR, or N desk STICK STORE_URL.
 */
import { answerStick, deskOver } from '../../cli/desk.ts'
import { openIssuer } from '../../issuer/issuer.ts'
import { exportBatches } from '../../main/stick/export.ts'
import { realStickDisk, type StickDisk } from '../../main/stick/stick-disk.ts'
import { takeFromStick } from '../../main/stick/take.ts'
import { openTerminal } from '../../main/terminal.ts'
import { unixTime } from '../../protocol/quantities.ts'

const [at = '', step = '', stick = '', where = ''] = process.argv.slice(2)
const now = 1_763_000_000

let changes = 0
const countThen = <Arguments extends readonly unknown[], Result>(change: (...given: Arguments) => Result) => {
  return (...given: Arguments): Result => {
    changes += 1
    if (changes === Number(at)) process.kill(process.pid, 'SIGKILL')
    return change(...given)
  }
}
const countedRemove = countThen(realStickDisk.remove)
const deadly: StickDisk = {
  ...realStickDisk,
  rename: countThen(realStickDisk.rename),
  // A draft that is in the way of the next is no change worth a process.
  remove: (file) => (file.endsWith('.part') ? realStickDisk.remove(file) : countedRemove(file)),
  flushFolder: countThen(realStickDisk.flushFolder),
}

if (step === 'desk') {
  const issuer = await openIssuer({
    url: where,
    clock: () => unixTime(now),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  })
  await answerStick(deskOver(issuer), stick, deadly)
  await issuer.store.close()
} else {
  const terminal = openTerminal(where, {
    clock: () => now + 60,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  })
  if (step === 'export') exportBatches(terminal, stick, deadly)
  else takeFromStick(terminal, stick, deadly)
  terminal.close()
}

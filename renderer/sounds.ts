/**
 * A short sound of our own for each outcome (Web Audio), told apart without seeing the screen, as loud as the operator
 * set it. A machine without sound stays silent.
 */
import { isWorking } from './idle.ts'
import { askedForTime, type Engine, idleNow, type PageState } from './store.ts'

interface Note {
  readonly hertz: number
  readonly atMs: number
  readonly forMs: number
}

/** Good rises, bad falls, a question stays on its note. */
const melodies = {
  approved: [
    { hertz: 659.3, atMs: 0, forMs: 140 },
    { hertz: 987.8, atMs: 130, forMs: 320 },
  ],
  declined: [
    { hertz: 293.7, atMs: 0, forMs: 200 },
    { hertz: 246.9, atMs: 220, forMs: 380 },
  ],
  holdStill: [{ hertz: 440, atMs: 0, forMs: 90 }],
  tooSoon: [
    { hertz: 587.3, atMs: 0, forMs: 110 },
    { hertz: 440, atMs: 130, forMs: 110 },
    { hertz: 349.2, atMs: 260, forMs: 260 },
  ],
  timeIsShort: [
    { hertz: 783.99, atMs: 0, forMs: 110 },
    { hertz: 783.99, atMs: 200, forMs: 110 },
  ],
  key: [{ hertz: 1_318.5, atMs: 0, forMs: 35 }],
} as const satisfies Record<string, readonly Note[]>

export type SoundName = keyof typeof melodies

const loudness = 0.25
/** A key that also presses a button is heard once. */
const keyApartMs = 60

/** What is heard when the page becomes `after`. */
export function soundOf(after: PageState, before: PageState): SoundName | undefined {
  const outcome = outcomeOf(after)
  if (outcome !== outcomeOf(before)) {
    if (outcome !== undefined) return outcome
  }
  if (after.tried !== undefined && after.tried !== before.tried) return after.tried
  return isShort(after) && !isShort(before) ? 'timeIsShort' : undefined
}

function isShort(state: PageState): boolean {
  return askedForTime(state) || idleNow(state).name === 'warning'
}

function outcomeOf(state: PageState): SoundName | undefined {
  const screen = state.kiosk?.screen
  if (screen === undefined) return undefined
  if (isWorking(screen)) return 'holdStill'
  switch (screen.name) {
    case 'approved':
    case 'declined':
      return screen.name
    case 'recover':
      return 'tooSoon'
    case 'pin':
      return screen.phase === 'wrong' || screen.phase === 'wrongCard' ? 'declined' : undefined
    case 'top-up':
      return screen.phase === 'done'
        ? 'approved'
        : screen.phase === 'failed' || 'problem' in screen
          ? 'declined'
          : undefined
    default:
      return undefined
  }
}

/** Plays what the engine's states and the customer's keys ask for. Returns the function that stops it. */
export function soundOutcomes(engine: Engine): () => void {
  let context: AudioContext | undefined
  let keyAtMs = Number.NEGATIVE_INFINITY
  const sound = (name: SoundName) => {
    const volume = engine.store.getState().kiosk?.status.volume ?? 1
    if (volume <= 0) return
    context ??= new AudioContext()
    if (context.state === 'suspended') void context.resume()
    play(context, { notes: melodies[name], gain: loudness * volume })
  }
  const key = (event: Event) => {
    const pressed = event.target instanceof Element && event.target.closest('button') !== null
    const typed = event.type === 'keydown' && event.defaultPrevented
    if (!(event.type === 'click' ? pressed : typed) || event.timeStamp - keyAtMs < keyApartMs) return
    keyAtMs = event.timeStamp
    sound('key')
  }
  window.addEventListener('click', key)
  window.addEventListener('keydown', key)
  const stop = engine.store.subscribe((after, before) => {
    const name = soundOf(after, before)
    if (name !== undefined) sound(name)
  })
  return () => {
    stop()
    window.removeEventListener('click', key)
    window.removeEventListener('keydown', key)
  }
}

function play(context: AudioContext, { notes, gain }: { notes: readonly Note[]; gain: number }): void {
  for (const { hertz, atMs, forMs } of notes) {
    const from = context.currentTime + atMs / 1000
    const until = from + forMs / 1000
    const tone = new OscillatorNode(context, { type: 'sine', frequency: hertz })
    const swell = new GainNode(context, { gain: 0 })
    swell.gain.setValueAtTime(0, from)
    swell.gain.linearRampToValueAtTime(gain, from + 0.015)
    swell.gain.exponentialRampToValueAtTime(0.001, until)
    tone.connect(swell).connect(context.destination)
    tone.start(from)
    tone.stop(until)
  }
}

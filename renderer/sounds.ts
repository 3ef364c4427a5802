/** Approved and declined, as two short sounds of our own (Web Audio). A machine without sound stays silent. */
import { type Engine, screenOf } from './store.ts'

interface Note {
  readonly hertz: number
  readonly atMs: number
  readonly forMs: number
}

/** A rising fifth, and a low falling second: told apart without seeing the screen. */
const melodies = {
  approved: [
    { hertz: 659.3, atMs: 0, forMs: 140 },
    { hertz: 987.8, atMs: 130, forMs: 320 },
  ],
  declined: [
    { hertz: 293.7, atMs: 0, forMs: 200 },
    { hertz: 246.9, atMs: 220, forMs: 380 },
  ],
} as const satisfies Record<string, readonly Note[]>

const loudness = 0.25

/** Plays a sound whenever the screen becomes approved or declined. Returns the function that stops it. */
export function soundOutcomes(engine: Engine): () => void {
  let context: AudioContext | undefined
  return engine.store.subscribe((after, before) => {
    const screen = screenOf(after)
    if (screen === screenOf(before)) return
    if (screen !== 'approved' && screen !== 'declined') return
    context ??= new AudioContext()
    if (context.state === 'suspended') void context.resume()
    play(context, melodies[screen])
  })
}

function play(context: AudioContext, notes: readonly Note[]): void {
  for (const { hertz, atMs, forMs } of notes) {
    const from = context.currentTime + atMs / 1000
    const until = from + forMs / 1000
    const tone = new OscillatorNode(context, { type: 'sine', frequency: hertz })
    const swell = new GainNode(context, { gain: 0 })
    swell.gain.setValueAtTime(0, from)
    swell.gain.linearRampToValueAtTime(loudness, from + 0.015)
    swell.gain.exponentialRampToValueAtTime(0.001, until)
    tone.connect(swell).connect(context.destination)
    tone.start(from)
    tone.stop(until)
  }
}

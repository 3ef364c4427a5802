/** What the door hears and feels: two rising notes for yes, one low one for no. */

const notes = { yes: [880, 1320], no: [160, 160] } as const
const noteSeconds = { yes: 0.11, no: 0.22 } as const

let audio: AudioContext | undefined

/** Browsers sound only after a touch: to be called from one. */
export const wakeSound = (): void => {
  audio ??= new AudioContext()
  void audio.resume()
}

export const signal = (verdict: 'yes' | 'no'): void => {
  navigator.vibrate?.(verdict === 'yes' ? 90 : [220, 90, 220])
  if (audio === undefined) return
  const seconds = noteSeconds[verdict]
  for (const [index, hertz] of notes[verdict].entries()) {
    const begin = audio.currentTime + index * (seconds + 0.02)
    const note = new OscillatorNode(audio, { type: verdict === 'yes' ? 'sine' : 'sawtooth', frequency: hertz })
    const volume = new GainNode(audio, { gain: 0.4 })
    volume.gain.setTargetAtTime(0, begin + seconds * 0.6, 0.03)
    note.connect(volume).connect(audio.destination)
    note.start(begin)
    note.stop(begin + seconds)
  }
}

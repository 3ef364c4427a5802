/** Puts the page together: engine, clock, sounds, and the one root. Main's bridge is the only thing it is given. */
import { createRoot } from 'react-dom/client'
import type { FarthingBridge } from '../preload/contract.ts'
import { App } from './App.tsx'
import { dictionaries } from './language/language.ts'
import { soundOutcomes } from './sounds.ts'
import { createEngine, type Engine } from './store.ts'
import './styles.css'

/** Often enough for a countdown in seconds to be smooth. */
const tickMs = 250
/** A fallen page rests a moment, so that it cannot fall in a tight loop. */
const restartMs = 3_000

/** Main begins a page anew that is silent for five of these (main/heartbeat.ts). */
const beatMs = 2_000

/** Chromium alone tells. */
function heapBytes(): number {
  const { memory } = performance as Performance & { readonly memory?: { readonly usedJSHeapSize: number } }
  return memory?.usedJSHeapSize ?? 0
}
/** The first screen waits for its typefaces, so that none flashes by in another; but nobody waits long for letters. */
const typefacesMsMax = 600

async function typefaces(): Promise<void> {
  const { fontFamily, fontWeight } = getComputedStyle(document.body)
  const names = Object.values(dictionaries)
    .map(({ autonym }) => autonym)
    .join(' ')
  // Latin letters are the first typeface's, and the others' would be loaded for nothing.
  const others = names.replace(/[\p{Script=Latin}\s]/gu, '')
  const loaded = fontFamily
    .split(', ')
    .map((family, at) => document.fonts.load(`${fontWeight} 30px ${family}`, at === 0 ? names : others))
  const late = new Promise<void>((resolve) => setTimeout(resolve, typefacesMsMax))
  await Promise.race([Promise.allSettled(loaded), late])
}

export function mount({ bridge, root }: { bridge: FarthingBridge; root: HTMLElement }): Engine {
  const engine = createEngine({ bridge, now: () => Date.now() })
  const page = createRoot(root, { onCaughtError: () => undefined, onUncaughtError: () => undefined })
  void typefaces().then(() =>
    page.render(<App engine={engine} restart={() => setTimeout(() => window.location.reload(), restartMs)} />),
  )
  soundOutcomes(engine)
  setInterval(() => engine.tick(), tickMs)
  setInterval(() => void bridge.alive(heapBytes()).catch(() => undefined), beatMs)
  document.addEventListener('contextmenu', (event) => event.preventDefault())
  document.addEventListener('dragstart', (event) => event.preventDefault())
  void engine.follow()
  return engine
}

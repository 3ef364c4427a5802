/** Which screen is seen, and the sizes, contrast and language that all of them share. */
import { type ReactElement, useEffect, useLayoutEffect } from 'react'
import { followKeypad } from './keypad.ts'
import { directionOf } from './language/bidi.ts'
import { Operator } from './operator/Operator.tsx'
import { Calm, CalmBoundary } from './parts/CalmBoundary.tsx'
import { EngineContext, useEngine, usePage, useStatus, useWords } from './parts/engine-context.ts'
import { IdleWarning } from './parts/IdleWarning.tsx'
import { Narrator } from './parts/Narrator.tsx'
import { useBrand } from './parts/use-brand.ts'
import { useScreenFocus } from './parts/use-focus.ts'
import { useSizes } from './parts/use-sizes.ts'
import { Approved } from './screens/Approved.tsx'
import { Attract } from './screens/Attract.tsx'
import { Balance } from './screens/Balance.tsx'
import { Catalogue } from './screens/Catalogue.tsx'
import { Declined } from './screens/Declined.tsx'
import { Goods } from './screens/Goods.tsx'
import { Item } from './screens/Item.tsx'
import { OutOfService } from './screens/OutOfService.tsx'
import { Pay } from './screens/Pay.tsx'
import { Pin } from './screens/Pin.tsx'
import { Recover } from './screens/Recover.tsx'
import { TopUp } from './screens/TopUp.tsx'
import { roomOf } from './sizes.ts'
import { type Engine, itemOf, languageOf } from './store.ts'

export function App({ engine, restart }: { engine: Engine; restart: () => void }): ReactElement {
  return (
    <CalmBoundary language={() => languageOf(engine.store.getState())} restart={restart}>
      <EngineContext value={engine}>
        <Kiosk />
      </EngineContext>
    </CalmBoundary>
  )
}

function Kiosk(): ReactElement {
  const engine = useEngine()
  useRootStyle()
  useBrand()
  useScreenFocus()
  useEffect(() => {
    const touch = () => engine.touch()
    window.addEventListener('pointerdown', touch)
    window.addEventListener('keydown', touch)
    const leaveKeypad = followKeypad({
      toggleSpeech: () => engine.toggle('spoken'),
      changeRate: engine.changeSpeechRate,
      help: () => engine.help(),
    })
    return () => {
      window.removeEventListener('pointerdown', touch)
      window.removeEventListener('keydown', touch)
      leaveKeypad()
    }
  }, [engine])
  return (
    <>
      <Screen />
      <Narrator />
      <IdleWarning />
      <Dimmed />
    </>
  )
}

/** What the operator set, where the screen itself cannot be told. */
function Dimmed(): ReactElement | null {
  const { brightness } = useStatus()
  return brightness >= 1 ? null : <div className="dimmed" style={{ opacity: 1 - brightness }} aria-hidden="true" />
}

/** Sizes in millimetres become lengths that all style sheets use (tokens.css). */
function useRootStyle(): void {
  const { sizes, heightPx, curtainPx, transcriptPx } = useSizes()
  const { language } = useWords()
  const { highContrast, lessMotion } = usePage((state) => state.comfort)
  useLayoutEffect(() => {
    const root = document.documentElement
    const lengths = { ...sizes, curtain: curtainPx, transcript: transcriptPx }
    for (const [name, length] of Object.entries(lengths)) root.style.setProperty(`--${name}`, `${length}px`)
    root.lang = language
    root.dir = directionOf(language)
    root.dataset.contrast = highContrast ? 'high' : 'normal'
    root.dataset.room = roomOf({ heightPx, text: sizes.text })
    root.dataset.reach = curtainPx > 0 ? 'low' : 'normal'
    root.dataset.motion = lessMotion ? 'less' : 'normal'
  }, [sizes, heightPx, curtainPx, transcriptPx, language, highContrast, lessMotion])
}

function Screen(): ReactElement {
  const screen = usePage((state) => state.kiosk?.screen)
  const page = usePage((state) => state.page)
  const item = usePage((state) => (state.page.name === 'item' ? itemOf(state, state.page.itemId) : undefined))
  const failed = usePage((state) => state.failed)
  if (screen === undefined) return failed ? <Calm language="en" /> : <div className="screen tone-ink" />
  switch (screen.name) {
    case 'browse':
      if (page.name === 'attract') return <Attract />
      return page.name === 'item' && item !== undefined ? <Item item={item} /> : <Catalogue />
    case 'pay':
      return <Pay screen={screen} />
    case 'pin':
      return <Pin screen={screen} />
    case 'top-up':
      return <TopUp screen={screen} />
    case 'approved':
      return <Approved screen={screen} />
    case 'goods':
      return <Goods screen={screen} />
    case 'declined':
      return <Declined screen={screen} />
    case 'recover':
      return <Recover screen={screen} />
    case 'balance':
      return <Balance screen={screen} />
    case 'out-of-service':
      return <OutOfService reason={screen.reason} />
    case 'operator':
      return <Operator screen={screen} />
  }
}

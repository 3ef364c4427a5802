/** A book (EPUB): the reader stands in a frame of its own (goods/book), everything to press stands here. */
import { type ReactElement, useEffect, useEffectEvent, useRef, useState } from 'react'
import { Button } from '../parts/Button.tsx'
import { useEngine, usePage, useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { useSizes } from '../parts/use-sizes.ts'
import type { BookDress, Chapter, FromReader, ToReader } from './book/messages.ts'
import { Opening, Unreadable } from './ContentView.tsx'
import { Scrubber } from './Scrubber.tsx'
import { type Content, useContent } from './use-content.ts'

/** In the app, a host beside the page's own; where there is none (development), the page's own. */
const readerUrl = new URL('/book.html', window.location.href.replace('://kiosk', '://book'))
const readerOrigin = readerUrl.href.slice(0, readerUrl.href.indexOf('/', readerUrl.href.indexOf('//') + 2))
const typeSteps = [0.7, 0.85, 1, 1.3, 1.7] as const
const typeStepFirst = 2
const scrubberSteps = 1_000

const readBytes = (response: Response) => response.arrayBuffer()

type Opened =
  | { readonly name: 'opening' }
  | { readonly name: 'unreadable' }
  | { readonly name: 'open'; readonly chapters: readonly Chapter[]; readonly rightToLeft: boolean }
type Place = Extract<FromReader, { say: 'at' }>

export default function EpubView({ contentUrl }: { contentUrl: string }): ReactElement {
  const content = useContent(contentUrl, readBytes)
  const [typeStep, setTypeStep] = useState<number>(typeStepFirst)
  const [contents, setContents] = useState(false)
  const { words } = useWords()
  const { frame, opened, place, say } = useReader(content, typeSteps[typeStep] ?? 1)
  if (content.name === 'unreadable' || opened.name === 'unreadable') return <Unreadable />
  const open = opened.name === 'open'
  return (
    <div className="viewer epub" data-ready={place === undefined ? undefined : 'true'}>
      <div className="viewer-stage">
        {!open && <Opening />}
        {content.name === 'ready' && (
          <iframe
            ref={frame}
            className="epub-frame"
            src={readerUrl.href}
            sandbox="allow-scripts allow-same-origin"
            title={words.goods.book}
          />
        )}
        {open && contents && (
          <Contents
            chapters={opened.chapters}
            present={place?.chapter ?? -1}
            onChoose={(chapter) => {
              say({ say: 'chapter', chapter })
              setContents(false)
            }}
          />
        )}
      </div>
      {open && (
        <div className="viewer-bar" dir={opened.rightToLeft ? 'rtl' : 'ltr'}>
          {opened.chapters.length > 0 && (
            <Button
              action="contents"
              aria-label={words.goods.contents}
              aria-expanded={contents}
              onClick={() => setContents((before) => !before)}
            >
              <Icon name={contents ? 'close' : 'list'} /> <span className="viewer-word">{words.goods.contents}</span>
            </Button>
          )}
          <Button
            action="smaller"
            className="button-icon"
            aria-label={words.goods.smallerType}
            disabled={typeStep === 0}
            onClick={() => setTypeStep((before) => Math.max(0, before - 1))}
          >
            <Icon name="typeSmaller" />
          </Button>
          <Button
            action="larger"
            className="button-icon"
            aria-label={words.goods.largerType}
            disabled={typeStep === typeSteps.length - 1}
            onClick={() => setTypeStep((before) => Math.min(typeSteps.length - 1, before + 1))}
          >
            <Icon name="typeLarger" />
          </Button>
          <Scrubber
            label={words.goods.place}
            text={percentOf(place, words.locale)}
            min={0}
            max={scrubberSteps}
            step={1}
            value={Math.round((place?.fraction ?? 0) * scrubberSteps)}
            onChange={(step) => say({ say: 'fraction', fraction: step / scrubberSteps })}
          />
          <span className="viewer-place">{percentOf(place, words.locale)}</span>
          <Turn
            forward={false}
            rightToLeft={opened.rightToLeft}
            disabled={place?.first ?? true}
            onClick={() => say({ say: 'previous' })}
          />
          <Turn
            forward
            rightToLeft={opened.rightToLeft}
            disabled={place?.last ?? true}
            onClick={() => say({ say: 'next' })}
          />
        </div>
      )}
    </div>
  )
}

function percentOf(place: Place | undefined, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'percent' }).format(place?.last ? 1 : (place?.fraction ?? 0))
}

interface TurnProps {
  readonly forward: boolean
  readonly rightToLeft: boolean
  readonly disabled: boolean
  readonly onClick: () => void
}

/** A book that is read from the right turns its pages to the right. */
function Turn({ forward, rightToLeft, disabled, onClick }: TurnProps): ReactElement {
  const { words } = useWords()
  return (
    <Button
      action={forward ? 'next-page' : 'previous-page'}
      className="button-icon"
      aria-label={forward ? words.goods.nextPage : words.goods.previousPage}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={forward === rightToLeft ? 'left' : 'right'} />
    </Button>
  )
}

interface ContentsProps {
  readonly chapters: readonly Chapter[]
  readonly present: number
  readonly onChoose: (chapter: number) => void
}

function Contents({ chapters, present, onChoose }: ContentsProps): ReactElement {
  const { words } = useWords()
  const here = useRef<HTMLLIElement>(null)
  useEffect(() => {
    here.current?.scrollIntoView({ block: 'center' })
  }, [])
  return (
    <nav className="epub-contents" aria-label={words.goods.contents}>
      <ol>
        {chapters.map(({ label, depth }, chapter) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the entries of one book never change.
          <li key={chapter} ref={chapter === present ? here : null} style={{ '--depth': depth }}>
            <Button
              action="chapter"
              aria-current={chapter === present ? 'true' : undefined}
              onClick={() => onChoose(chapter)}
            >
              <bdi>{label}</bdi>
            </Button>
          </li>
        ))}
      </ol>
    </nav>
  )
}

/** Hands the book to the reader once it listens, and keeps what the reader says. */
function useReader(content: Content<ArrayBuffer>, typeFactor: number) {
  const engine = useEngine()
  const frame = useRef<HTMLIFrameElement>(null)
  const [opened, setOpened] = useState<Opened>({ name: 'opening' })
  const [place, setPlace] = useState<Place>()
  const dress = useDress(typeFactor)
  const say = (wish: ToReader, transfer: readonly Transferable[] = []) =>
    frame.current?.contentWindow?.postMessage(wish, { targetOrigin: readerOrigin, transfer: [...transfer] })

  const hear = useEffectEvent(({ data, source }: MessageEvent<FromReader>) => {
    if (source === null || source !== frame.current?.contentWindow) return
    switch (data.say) {
      case 'here':
        // It is handed over, not copied: the page keeps nothing of it.
        if (content.name === 'ready') say({ say: 'open', bytes: content.value, dress }, [content.value])
        return
      case 'opened':
        setOpened({ name: 'open', chapters: data.chapters, rightToLeft: data.rightToLeft })
        return
      case 'unreadable':
        setOpened({ name: 'unreadable' })
        return
      case 'at':
        setPlace(data)
        return
      case 'touched':
        engine.touch()
    }
  })
  useEffect(() => {
    const listener = (event: MessageEvent<FromReader>) => hear(event)
    window.addEventListener('message', listener)
    return () => window.removeEventListener('message', listener)
  }, [])
  const redress = useEffectEvent(() => say({ say: 'dress', dress }))
  const { textPx, ink, paper } = dress
  // biome-ignore lint/correctness/useExhaustiveDependencies: the reader is told when one of them changes.
  useEffect(() => redress(), [textPx, ink, paper])
  return { frame, opened, place, say }
}

function useDress(typeFactor: number): BookDress {
  const { sizes } = useSizes()
  const highContrast = usePage((state) => state.comfort.highContrast)
  return {
    textPx: Math.round(sizes.text * typeFactor),
    ink: highContrast ? '#ffffff' : '#14201d',
    paper: highContrast ? '#000000' : '#ffffff',
    ownColours: !highContrast,
  }
}

/** Sound and films: play, pause, where one is. They come in parts, so that two hours take no more room than a minute. */

import { type ReactElement, type RefObject, useEffect, useRef, useState } from 'react'
import type { CatalogueItem } from '../../preload/contract.ts'
import { Button } from '../parts/Button.tsx'
import { ContentText } from '../parts/ContentText.tsx'
import { Cover } from '../parts/Cover.tsx'
import { useEngine, useStatus, useWords } from '../parts/engine-context.ts'
import { Icon } from '../parts/Icon.tsx'
import { Opening, Unreadable } from './ContentView.tsx'
import { clockOf } from './clock.ts'
import { Scrubber } from './Scrubber.tsx'

/** Whoever listens touches nothing; after this long it is asked whether anybody is still there. */
const attendedMsMax = 10 * 60_000
const skipSeconds = 15

type State =
  | { readonly name: 'loading' }
  | { readonly name: 'unreadable' }
  | { readonly name: 'ready'; readonly playing: boolean; readonly at: number; readonly duration: number }

interface MediaViewProps {
  readonly contentUrl: string
  readonly item: CatalogueItem
  readonly film: boolean
}

export function MediaView({ contentUrl, item, film }: MediaViewProps): ReactElement {
  const { words, titleOf } = useWords()
  const media = useRef<HTMLVideoElement>(null)
  const { state, toggle, goTo } = useMedia(media)
  if (state.name === 'unreadable') return <Unreadable />
  const ready = state.name === 'ready'
  const playing = ready && state.playing
  return (
    <div className={`viewer ${film ? 'film' : 'sound'}`} data-ready={ready ? 'true' : undefined}>
      <div className="viewer-stage media-stage">
        {!ready && <Opening />}
        {!film && ready && (
          <div className="media-cover">
            <Cover item={item} />
            <ContentText as="p" className="title" texts={item.title} />
          </div>
        )}
        {/* biome-ignore lint/a11y/useMediaCaption: the goods are one file; what it has of captions the browser shows. */}
        <video
          ref={media}
          className="media"
          hidden={!film || !ready}
          src={contentUrl}
          preload="metadata"
          playsInline
          disablePictureInPicture
          disableRemotePlayback
          aria-label={titleOf(item)}
        />
      </div>
      {ready && (
        // Time runs to the right in every language, as its signs say.
        <div className="viewer-bar media-bar" dir="ltr">
          <Button
            action={playing ? 'pause' : 'play'}
            weight="main"
            className="media-play"
            aria-label={playing ? words.goods.pause : words.goods.play}
            onClick={toggle}
          >
            <Icon name={playing ? 'pause' : 'play'} />
          </Button>
          <Button
            action="rewind"
            className="button-icon"
            aria-label={words.goods.rewind(skipSeconds)}
            onClick={() => goTo(state.at - skipSeconds)}
          >
            <Icon name="rewind" />
          </Button>
          <Button
            action="forward"
            className="button-icon"
            aria-label={words.goods.forward(skipSeconds)}
            onClick={() => goTo(state.at + skipSeconds)}
          >
            <Icon name="forward" />
          </Button>
          {/* Some recordings do not say how long they are: those have no bar. */}
          {Number.isFinite(state.duration) ? (
            <>
              <Scrubber
                label={words.goods.place}
                text={words.goods.timeOf(clockOf(state.at), clockOf(state.duration))}
                min={0}
                max={Math.max(Math.floor(state.duration), 1)}
                step={1}
                value={Math.floor(state.at)}
                onChange={goTo}
              />
              <bdi className="viewer-place" dir="ltr">
                {clockOf(state.at)} / {clockOf(state.duration)}
              </bdi>
            </>
          ) : (
            <span className="viewer-place">{clockOf(state.at)}</span>
          )}
        </div>
      )}
    </div>
  )
}

function useMedia(media: RefObject<HTMLVideoElement | null>) {
  const engine = useEngine()
  const { volume } = useStatus()
  const [state, setState] = useState<State>({ name: 'loading' })
  const touched = useRef(0)

  useEffect(() => {
    const element = media.current
    if (element === null) return
    const follow = () => {
      const { paused, ended, currentTime, duration } = element
      if (!Number.isNaN(duration)) setState({ name: 'ready', playing: !paused && !ended, at: currentTime, duration })
    }
    const attend = () => {
      if (!element.paused && performance.now() - touched.current < attendedMsMax) engine.touch()
    }
    const fail = () => setState({ name: 'unreadable' })
    const touch = () => {
      touched.current = performance.now()
    }
    const followed = ['loadedmetadata', 'durationchange', 'timeupdate', 'play', 'pause', 'ended', 'seeking'] as const
    for (const name of followed) element.addEventListener(name, follow)
    element.addEventListener('timeupdate', attend)
    element.addEventListener('error', fail)
    window.addEventListener('pointerdown', touch)
    window.addEventListener('keydown', touch)
    if (element.readyState >= element.HAVE_METADATA) follow()
    return () => {
      for (const name of followed) element.removeEventListener(name, follow)
      element.removeEventListener('timeupdate', attend)
      element.removeEventListener('error', fail)
      window.removeEventListener('pointerdown', touch)
      window.removeEventListener('keydown', touch)
    }
  }, [media, engine])

  // A player that was left must be told to stop, and to give back what it has of the file.
  useEffect(() => {
    const element = media.current
    return () => {
      element?.pause()
      element?.removeAttribute('src')
      element?.load()
    }
  }, [media])

  useEffect(() => {
    if (media.current !== null) media.current.volume = Math.min(Math.max(volume, 0), 1)
  }, [media, volume])

  return {
    state,
    toggle() {
      const element = media.current
      if (element === null) return
      touched.current = performance.now()
      if (element.paused) element.play().catch(() => {})
      else element.pause()
    },
    goTo(seconds: number) {
      const element = media.current
      if (element !== null) element.currentTime = Math.min(Math.max(seconds, 0), element.duration)
    },
  }
}

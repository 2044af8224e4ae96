// Owns the small live player of the Try it strip: the picture, the edge in use, and the sound.
import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react'
import { type PlayerState, VitrinePlayer } from '../../player/index.ts'

export interface PlayerViewProps {
  readonly title: string
  readonly via: string
  /** Filled while the player lives, for the stopwatch. */
  readonly handle: RefObject<VitrinePlayer | null>
  readonly colourOf: (edge: string) => string
}

const REDRAW_MS = 500

export function PlayerView({ title, via, handle, colourOf }: PlayerViewProps): ReactNode {
  const video = useRef<HTMLVideoElement>(null)
  const [state, setState] = useState<PlayerState | null>(null)
  useEffect(() => {
    const element = video.current
    if (element === null) return undefined
    const player = new VitrinePlayer({ video: element, title, home: location.origin, via, startMuted: true })
    handle.current = player
    player.on('state', setState)
    player.start()
    const timer = setInterval(() => setState(player.state), REDRAW_MS)
    return () => {
      clearInterval(timer)
      handle.current = null
      player.close()
    }
  }, [title, via, handle])
  return (
    <figure className="mini-player">
      <div className="mini-screen">
        <video
          ref={video}
          playsInline
          aria-label={`Sample title, playing live from ${state?.edge ?? 'an edge'}`}
        />
        <MiniNotice state={state} handle={handle} />
      </div>
      <figcaption>
        <MiniButtons state={state} handle={handle} video={video} />
        <span className="mini-edge" aria-live="polite">
          {state?.edge === undefined || state.edge === null ? (
            <span className="quiet">no edge yet</span>
          ) : (
            <>
              from <i style={{ background: `var(${colourOf(state.edge)})` }} /> <b>{state.edge}</b>
            </>
          )}
        </span>
        <span className="mini-facts">{Math.round(state?.bufferedAheadS ?? 0)} s ahead</span>
        <a href={`/watch/${title}`} target="_blank" rel="noreferrer">
          Full page
        </a>
      </figcaption>
    </figure>
  )
}

interface Held {
  readonly state: PlayerState | null
  readonly handle: RefObject<VitrinePlayer | null>
}

function MiniNotice({ state, handle }: Held): ReactNode {
  if (state === null || state.phase === 'playing' || state.phase === 'paused') return null
  if (state.phase === 'failed') {
    return (
      <div className="mini-notice" role="alert">
        <p>{state.problem}</p>
        <button type="button" className="solid" onClick={() => handle.current?.retry()}>
          Try again
        </button>
      </div>
    )
  }
  if (state.phase === 'blocked') return null
  const texts = { loading: 'Starting', stalled: 'Picture stopped', recovering: '' } as const
  const text = state.problem ?? texts[state.phase]
  return text === '' ? null : <p className="mini-tag">{text}</p>
}

interface ButtonsProps extends Held {
  readonly video: RefObject<HTMLVideoElement | null>
}

function MiniButtons({ state, handle, video }: ButtonsProps): ReactNode {
  const paused = state?.phase === 'paused' || state?.phase === 'blocked'
  const muted = video.current?.muted ?? true
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-label={paused ? 'Play' : 'Pause'}
        title={paused ? 'Play' : 'Pause'}
        onClick={() => handle.current?.toggle()}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true" className="filled">
          <path d={paused ? 'M7 4.500v15l12-7.500z' : 'M7 5h3.600v14H7zM13.400 5H17v14h-3.600z'} />
        </svg>
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={muted ? 'Sound on' : 'Sound off'}
        title={muted ? 'Sound on' : 'Sound off'}
        onClick={() => handle.current?.setMuted(!muted)}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path
            d={`M4 9.500v5h3.500L12 18.500v-13L7.500 9.500z${muted ? 'M16 9.500l5 5M21 9.500l-5 5' : 'M15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11'}`}
          />
        </svg>
      </button>
    </>
  )
}

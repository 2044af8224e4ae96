// Owns the Try it strip: three rehearsals, a live picture, and a stopwatch with measured figures only.
import { lazy, type ReactNode, type RefObject, Suspense, useRef, useState } from 'react'
import type { ServerView, TryAnswer, TryRequest } from '#wire'
import type { VitrinePlayer } from '../../player/index.ts'
import { useClient, useTick, useTryIt } from '../api/use-control-room.tsx'
import { duration } from '../time-format.ts'

const VIEWERS = 30
const FREEZE = 'eu-west'
const SLOW = 'ap-southeast'
const TITLE = 'sample'
/** A stop later than this after the end of a fault has another cause. */
const AFTERMATH_MS = 10_000

/** hls.js is larger than all else together: the figures do not wait for it. */
const PlayerView = lazy(async () => ({ default: (await import('./player-view.tsx')).PlayerView }))

type Fault = TryAnswer['faults'][number]

export interface TryItProps {
  readonly servers: readonly ServerView[]
  readonly colourOf: (edge: string) => string
}

export function TryItStrip({ servers, colourOf }: TryItProps): ReactNode {
  const { answer, act } = useTryIt(true)
  const [pending, setPending] = useState<string | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const player = useRef<VitrinePlayer | null>(null)
  const run = (name: string, request: TryRequest): void => {
    setPending(name)
    setProblem(null)
    act(request)
      .catch((thrown: unknown) => setProblem(thrown instanceof Error ? thrown.message : 'That did not work.'))
      .finally(() => setPending(null))
  }
  const viewers = answer?.viewers ?? 0
  const frozen = activeFault(answer, 'freeze', FREEZE)
  const slowed = activeFault(answer, 'slow', SLOW)
  const known = (id: string): boolean => servers.some(server => server.id === id)
  return (
    <section className="panel try" aria-label="Try it">
      <header>
        <h2>Try it</h2>
        <p>Real faults on this machine’s own fleet.</p>
      </header>
      <Suspense fallback={<PlayerPlace />}>
        <PlayerView title={TITLE} via={FREEZE} handle={player} colourOf={colourOf} />
      </Suspense>
      <div className="try-buttons">
        <TryButton
          on={viewers > 0}
          pending={pending === 'viewers'}
          disabled={answer === undefined || pending !== null}
          verb={viewers > 0 ? 'Stop' : 'Add'}
          what={`${viewers > 0 ? viewers : VIEWERS} viewers`}
          onClick={() => run('viewers', { action: 'viewers', count: viewers > 0 ? 0 : VIEWERS })}
        />
        <TryButton
          on={frozen !== null}
          pending={pending === 'freeze'}
          disabled={answer === undefined || pending !== null || !known(FREEZE)}
          verb={frozen === null ? 'Freeze' : 'Thaw'}
          what={FREEZE}
          onClick={() => run('freeze', { action: frozen === null ? 'freeze' : 'thaw', server: FREEZE })}
        />
        <TryButton
          on={slowed !== null}
          pending={pending === 'slow'}
          disabled={answer === undefined || pending !== null || !known(SLOW)}
          verb={slowed === null ? 'Slow' : 'End slow'}
          what={SLOW}
          onClick={() => run('slow', { action: slowed === null ? 'slow' : 'unslow', server: SLOW })}
        />
      </div>
      {problem === null ? null : (
        <p className="form-problem" role="alert">
          {problem}
        </p>
      )}
      <Stopwatch fault={answer?.faults[0] ?? null} player={player} />
    </section>
  )
}

function activeFault(answer: TryAnswer | undefined, kind: Fault['kind'], server: string): Fault | null {
  return (
    answer?.faults.find(fault => fault.kind === kind && fault.server === server && fault.endedAt === null) ??
    null
  )
}

/** The same room as the player, so that nothing moves when it comes. */
function PlayerPlace(): ReactNode {
  return (
    <figure className="mini-player">
      <div className="mini-screen" />
      <figcaption>
        <span className="icon-button" />
      </figcaption>
    </figure>
  )
}

interface TryButtonProps {
  readonly on: boolean
  readonly pending: boolean
  readonly disabled: boolean
  readonly verb: string
  readonly what: string
  readonly onClick: () => void
}

/** Never `disabled`: the browser would take the focus away from whoever pressed it. */
function TryButton({ on, pending, disabled, verb, what, onClick }: TryButtonProps): ReactNode {
  return (
    <button
      type="button"
      className="try-button"
      data-on={on}
      aria-busy={pending}
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onClick()
      }}
    >
      <i data-on={on} />
      <b>{verb}</b> <span>{what}</span>
    </button>
  )
}

interface StopwatchProps {
  readonly fault: Fault | null
  readonly player: RefObject<VitrinePlayer | null>
}

function Stopwatch({ fault, player }: StopwatchProps): ReactNode {
  useTick(200)
  const nowMs = useClient().clock.at(performance.now())
  const runs = fault !== null && fault.endedAt === null && nowMs !== null
  const sinceMs = fault === null || nowMs === null ? null : nowMs - fault.startedAt
  const stoppedMs = fault === null || nowMs === null ? null : stoppedFor(fault, nowMs, player.current)
  const waiting = (done: number | null): string => {
    if (done !== null) return duration(done)
    return runs && sinceMs !== null ? duration(sinceMs) : '–'
  }
  return (
    <div className="stopwatch">
      <dl>
        <div data-runs={runs && fault.noticedMs === null}>
          <dt>Noticed after</dt>
          <dd>{fault === null ? '–' : waiting(fault.noticedMs)}</dd>
        </div>
        <div data-runs={runs && fault.movedMs === null && fault.sessionsAtStart > 0}>
          <dt>
            {fault === null || fault.sessionsAtStart === 0
              ? 'Viewers moved'
              : `Moved ${fault.sessionsMoved} of ${fault.sessionsAtStart}`}
          </dt>
          <dd>{fault === null ? '–' : fault.sessionsAtStart === 0 ? 'none' : waiting(fault.movedMs)}</dd>
        </div>
        <div data-runs={false}>
          <dt>Your picture stopped</dt>
          <dd>{stoppedMs === null ? '–' : duration(stoppedMs)}</dd>
        </div>
      </dl>
      <p>{explain(fault)}</p>
      <p className="visually-hidden" role="status">
        {spoken(fault)}
      </p>
    </div>
  )
}

/** Stops of the picture while the fault lasted, and for the time that a player needs to get over it. */
function stoppedFor(fault: Fault, nowMs: number, player: VitrinePlayer | null): number | null {
  const toHere = performance.now() - nowMs
  const end = fault.endedAt === null ? nowMs : fault.endedAt + AFTERMATH_MS
  return player?.stoppedBetweenMs(fault.startedAt + toHere, end + toHere) ?? null
}

/** For those who hear the page: each figure once, when it is measured, and not while it runs. */
function spoken(fault: Fault | null): string {
  if (fault === null || fault.noticedMs === null) return ''
  const what = fault.kind === 'freeze' ? 'The freeze' : 'The slowness'
  const noticed = `${what} of ${fault.server} was noticed after ${duration(fault.noticedMs)}.`
  if (fault.movedMs === null || fault.sessionsAtStart === 0) return noticed
  return `${noticed} ${fault.sessionsMoved} of ${fault.sessionsAtStart} viewers moved after ${duration(fault.movedMs)}.`
}

function explain(fault: Fault | null): string {
  if (fault === null) return 'Freeze an edge and watch: who notices, who moves, and what your picture does.'
  const over = fault.endedAt !== null
  if (fault.kind === 'freeze') {
    return over
      ? `${fault.server} runs again; the figures are those of the freeze. Viewers return when steering says so.`
      : `${fault.server} is stopped (SIGSTOP): it accepts connections and answers nothing.`
  }
  return over
    ? `${fault.server} is at full speed again; the figures are those of the slow spell.`
    : `${fault.server} still answers, but late. That is worse to notice than silence.`
}

// Owns what a session came to so far: measured from its events, or estimated from its requests. Pure.
import type { SessionView } from '#wire'
import { edgeAt, runsOf } from './edge-runs.ts'
import { estimate } from './estimate.ts'
import { foldPlayback, type Stall } from './playback.ts'
import { offsetOf } from './player-clock.ts'
import { type Session, stateLetter } from './session.ts'

/** A stall in fleet time. `from`: what it is known by. */
export interface FleetStall {
  readonly from: number
  readonly at: number
  readonly seconds: number
}

export interface Figures {
  readonly estimated: boolean
  /** Whether somebody wanted to see it: loading ahead alone is no attempt. */
  readonly asked: boolean
  readonly state: SessionView['state']
  readonly attempt: SessionView['attempt']
  readonly startS: number
  readonly watchedS: number
  readonly rebufferS: number
  readonly rebuffers: number
  readonly switches: number
  readonly errors: number
  readonly ratedS: number
  readonly ratedBits: number
  readonly peak: number
  readonly stalls: readonly FleetStall[]
}

export const STATE_NAMES: Readonly<Record<string, SessionView['state']>> = {
  '': 'starting',
  s: 'starting',
  d: 'starting',
  p: 'playing',
  k: 'seeking',
  r: 'rebuffering',
  a: 'paused',
  w: 'waiting',
  e: 'ended',
  f: 'failed',
  q: 'quit',
}

/** What a player may tell of after it could not for a while (player-clock.ts). */
const UNHEARD_S = 900

export function figuresOf(session: Session): Figures {
  return session.events > 0 ? bounded(session, measured(session)) : estimated(session)
}

/** Nobody watches for longer than there was time: a clock that is moved ahead with each record says so. */
function bounded({ firstAt, lastAt, lastAnswerAt }: Session, figures: Figures): Figures {
  const { watchedS, rebufferS, ratedS, ratedBits } = figures
  const until = Number.isNaN(lastAnswerAt) ? lastAt : Math.max(lastAt, lastAnswerAt)
  const thereS = (until - firstAt) / 1000 + UNHEARD_S
  if (watchedS + rebufferS <= thereS) return figures
  const part = thereS / (watchedS + rebufferS)
  return {
    ...figures,
    watchedS: watchedS * part,
    rebufferS: rebufferS * part,
    ratedS: ratedS * part,
    ratedBits: ratedBits * part,
  }
}

function measured(session: Session): Figures {
  const offset = offsetOf(session.clock)
  const { playback, stalls } = foldPlayback(session.base, session.points, session.lastAnswerAt - offset)
  const letter = stateLetter(playback.state)
  const isOver = letter === 'e' || letter === 'f' || letter === 'q'
  const state = session.endedAt !== null && !isOver ? 'gone' : (STATE_NAMES[letter] ?? 'starting')
  const started = playback.started || !Number.isNaN(session.startS)
  const asked = started || letter === 'f' || !Number.isNaN(playback.askedTs)
  return {
    estimated: false,
    asked,
    state,
    attempt: asked ? attemptOf(started, state, session.endedAt !== null) : 'starting',
    startS: Number.isNaN(session.startS) ? playback.startS : session.startS,
    watchedS: playback.watchedS,
    rebufferS: playback.rebufferS,
    rebuffers: playback.rebuffers,
    switches: playback.switches,
    errors: session.errors,
    ratedS: playback.ratedS,
    ratedBits: playback.ratedBits,
    peak: playback.peak,
    stalls: [...session.stalls, ...stalls].map(stall => fleetStall(stall, offset)),
  }
}

function estimated(session: Session): Figures {
  const { delivery, watchedS, stalls } = estimate(session.delivery, session.segments, session.firstAt)
  const ended = session.endedAt !== null
  const state = ended ? 'gone' : delivery.started ? 'playing' : 'starting'
  return {
    estimated: true,
    asked: true,
    state,
    attempt: attemptOf(delivery.started, state, ended),
    startS: delivery.startS,
    watchedS,
    rebufferS: delivery.rebufferS,
    rebuffers: delivery.rebuffers,
    switches: delivery.switches,
    errors: 0,
    ratedS: delivery.ratedS,
    ratedBits: delivery.ratedBits,
    peak: delivery.peak,
    stalls: [...session.stalls, ...stalls].map(stall => fleetStall(stall, 0)),
  }
}

/** CTA-2066: who leaves before the first frame without an error has exited; with a fatal one, starting failed. */
function attemptOf(started: boolean, state: SessionView['state'], ended: boolean): SessionView['attempt'] {
  if (started) return 'started'
  if (state === 'failed') return 'failure'
  return ended || state === 'quit' ? 'exit' : 'starting'
}

function fleetStall({ from, seconds }: Stall, offset: number): FleetStall {
  return { from, at: from + offset, seconds }
}

/** Seconds of watching and rebuffering before any edge is known to have fed it; all of them where none is. */
export function unattributedS(session: Session, { watchedS, rebufferS }: Figures): number {
  const [first] = runsOf(session)
  if (first === undefined) return watchedS + rebufferS
  return Math.min(watchedS + rebufferS, Math.max(0, first.from - session.firstAt) / 1000)
}

export function lastEdge(session: Session): string | null {
  return runsOf(session).at(-1)?.edge ?? null
}

export function stallEdge(session: Session, at: number): string | null {
  return edgeAt(runsOf(session), at)
}

// Owns what a session's events come to: a fold over its points in the order of the player's own clock, so that the order
// in which they came does not matter. Pure; it knows no edges.
import { POINT, type StateCode, stateCode } from './session.ts'

/**
 * A state holds until the next word, but no longer than this: three times the interval in which players report by
 * default (CTA-5004-B). What lies beyond counts for nothing: nobody knows.
 */
export const SILENCE_MS_MAX = 90_000

/** What all points up to `ts` came to. Times are the player's, in ms; NaN: not known. */
export interface Playback {
  ts: number
  state: StateCode
  /** A stall within a seek is the seek's: from `k` on until it plays, pauses or ends. */
  seeking: boolean
  started: boolean
  /** Play instruction that waits for its first frame. */
  askedTs: number
  startS: number
  watchedS: number
  rebufferS: number
  rebuffers: number
  /** Start of the stall that goes on. */
  stallTs: number
  bitrate: number
  peak: number
  switches: number
  /** Seconds of playing with a known bitrate, and bits of them. */
  ratedS: number
  ratedBits: number
}

export interface Stall {
  /** The player's clock, or fleet time in estimates. */
  readonly from: number
  readonly seconds: number
}

export function noPlayback(): Playback {
  return {
    ts: Number.NaN,
    state: stateCode(''),
    seeking: false,
    started: false,
    askedTs: Number.NaN,
    startS: Number.NaN,
    watchedS: 0,
    rebufferS: 0,
    rebuffers: 0,
    stallTs: Number.NaN,
    bitrate: Number.NaN,
    peak: Number.NaN,
    switches: 0,
    ratedS: 0,
    ratedBits: 0,
  }
}

const [S, P, K, R, A] = [stateCode('s'), stateCode('p'), stateCode('k'), stateCode('r'), stateCode('a')]

/** Moves on to the point at `at` in `rows`; stalls that end are told. */
export function step(
  playback: Playback,
  rows: readonly number[],
  at: number,
  onStall: (stall: Stall) => void,
): void {
  const ts = rows[at + POINT.ts] ?? 0
  const bitrate = rows[at + POINT.bitrate] ?? Number.NaN
  const state = (rows[at + POINT.state] ?? 0) as StateCode
  moveTo(playback, ts)
  if (!Number.isNaN(bitrate)) {
    if (!Number.isNaN(playback.bitrate) && playback.bitrate !== bitrate) playback.switches += 1
    playback.bitrate = bitrate
    if (!(playback.peak >= bitrate)) playback.peak = bitrate
  }
  // A word without a state only says that it goes on.
  if (state !== stateCode('') && state !== playback.state) enter(playback, state, ts, onStall)
}

/** Time passes in the state that holds. */
export function moveTo(playback: Playback, ts: number): void {
  const seconds = Math.min(SILENCE_MS_MAX, Math.max(0, ts - playback.ts)) / 1000
  playback.ts = ts
  if (!(seconds > 0)) return
  if (playback.state === P) {
    playback.watchedS += seconds
    if (!Number.isNaN(playback.bitrate)) {
      playback.ratedS += seconds
      playback.ratedBits += seconds * playback.bitrate
    }
  } else if (playback.state === R && !Number.isNaN(playback.stallTs)) playback.rebufferS += seconds
}

function enter(playback: Playback, state: StateCode, ts: number, onStall: (stall: Stall) => void): void {
  if (!Number.isNaN(playback.stallTs)) {
    onStall({ from: playback.stallTs, seconds: Math.min(SILENCE_MS_MAX, ts - playback.stallTs) / 1000 })
    playback.stallTs = Number.NaN
  }
  playback.state = state
  if (state === S) {
    if (Number.isNaN(playback.askedTs)) playback.askedTs = ts
  } else if (state === P) {
    if (!playback.started && !Number.isNaN(playback.askedTs)) {
      playback.startS = Math.max(0, ts - playback.askedTs) / 1000
    }
    playback.started = true
    playback.seeking = false
  } else if (state === K) playback.seeking = true
  else if (state === R) {
    // Before the first frame it is still starting, and within a seek it is the seek's.
    if (playback.started && !playback.seeking) {
      playback.stallTs = ts
      playback.rebuffers += 1
    }
  } else {
    playback.seeking = false
    // Who pauses before the first frame is not waiting for it.
    if (!playback.started && state === A) playback.askedTs = Number.NaN
  }
}

/** All of it, from `base` on; `untilTs`: something else said that it went on until then. NaN: nothing did. */
export function foldPlayback(
  base: Playback,
  rows: readonly number[],
  untilTs: number,
): { readonly playback: Playback; readonly stalls: readonly Stall[] } {
  const playback = { ...base }
  const stalls: Stall[] = []
  const onStall = (stall: Stall): void => {
    stalls.push(stall)
  }
  for (let at = 0; at < rows.length; at += POINT.width) step(playback, rows, at, onStall)
  if (untilTs > playback.ts) moveTo(playback, untilTs)
  if (!Number.isNaN(playback.stallTs)) {
    onStall({
      from: playback.stallTs,
      seconds: Math.min(SILENCE_MS_MAX, playback.ts - playback.stallTs) / 1000,
    })
  }
  return { playback, stalls }
}

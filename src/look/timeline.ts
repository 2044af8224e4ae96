// Owns the timelines of fetched segments: does each begin where the one before ended? Pure.
import { Fault } from '#base'
import { type MediaSegment, readSegmentSpans, readTrackTimes, readTsSpan, type TrackTime } from '#media'
import type { Problem } from './report.ts'

/** Less is rounding, or sound and picture that do not end together. */
const GAP_S_MAX = 0.1
/** PES packets carry the time of their first frame; the last frame of a segment lasts a little longer. */
const TS_GAP_S_MAX = 0.3
/** EXTINF may be rounded to whole seconds by old packagers. */
const EXTINF_OFF_S_MAX = 0.5
const TS_WRAP_S = 2 ** 33 / 90_000

interface Span {
  readonly stream: number
  readonly startS: number
  readonly endS: number
}

/** One track's segments in playing order. */
export class Timeline {
  readonly #name: string
  #times: ReadonlyMap<number, TrackTime> = new Map()
  #before: ReadonlyMap<number, Span> = new Map()

  constructor(name: string) {
    this.#name = name
  }

  /** The init segment; problems when it cannot be read. */
  init(bytes: Uint8Array): Problem[] {
    try {
      this.#times = readTrackTimes(bytes)
      return []
    } catch (error) {
      return [unreadable(`init segment of ${this.#name}`, error)]
    }
  }

  /** The next segment, whole. */
  add(segment: MediaSegment, bytes: Uint8Array): Problem[] {
    const where = `${this.#name} segment ${lastPart(segment.uri)}`
    const format = formatOf(bytes)
    if (format === 'other') return []
    try {
      return format === 'ts' ? this.#ts(segment, bytes, where) : this.#fragments(segment, bytes, where)
    } catch (error) {
      return [unreadable(where, error)]
    }
  }

  #fragments(segment: MediaSegment, bytes: Uint8Array, where: string): Problem[] {
    const spans = readSegmentSpans(bytes, this.#times)
      .filter(({ track }) => this.#times.has(track))
      .map(({ track, startS, endS }) => ({ stream: track, startS, endS }))
    const problems = this.#follow(segment, spans, where, GAP_S_MAX)
    const longestS = Math.max(0, ...spans.map(({ startS, endS }) => endS - startS))
    if (longestS > 0 && Math.abs(longestS - segment.durationS) > EXTINF_OFF_S_MAX) {
      const text = `${where} lasts ${longestS.toFixed(2)} s, its EXTINF says ${segment.durationS.toFixed(2)} s`
      problems.push({ severity: 'warning', code: 'duration', text })
    }
    return problems
  }

  #ts(segment: MediaSegment, bytes: Uint8Array, where: string): Problem[] {
    const { streams, lostPackets } = readTsSpan(bytes)
    const spans = streams.map(({ pid, firstS, lastS }) => ({ stream: pid, startS: firstS, endS: lastS }))
    const problems = this.#follow(segment, spans, where, TS_GAP_S_MAX)
    if (lostPackets > 0) {
      const text = `${where}: ${lostPackets} times a transport packet is missing, expected none`
      problems.push({ severity: 'fault', code: 'continuity', text })
    }
    return problems
  }

  #follow(segment: MediaSegment, spans: readonly Span[], where: string, gapMaxS: number): Problem[] {
    const problems: Problem[] = []
    for (const { stream, startS } of spans) {
      const before = this.#before.get(stream)
      if (before === undefined || segment.discontinuity === true) continue
      const gapS = wrapped(startS - before.endS)
      if (Math.abs(gapS) <= gapMaxS) continue
      const what = gapS > 0 ? `leaves a gap of ${gapS.toFixed(2)} s` : `overlaps by ${(-gapS).toFixed(2)} s`
      const text = `${where} ${what} after the one before, expected less than ${gapMaxS} s`
      problems.push({ severity: 'fault', code: 'continuity', text })
    }
    this.#before = new Map(spans.map(span => [span.stream, span]))
    return problems
  }
}

/** Transport streams start their clock anew every 26.5 hours. */
function wrapped(seconds: number): number {
  return seconds < -TS_WRAP_S / 2 ? seconds + TS_WRAP_S : seconds
}

function formatOf(bytes: Uint8Array): 'ts' | 'fragments' | 'other' {
  if (bytes[0] === 0x47 && (bytes.length <= 188 || bytes[188] === 0x47)) return 'ts'
  const type = String.fromCharCode(...bytes.subarray(4, 8))
  return ['styp', 'moof', 'sidx', 'emsg', 'prft', 'free', 'ftyp', 'moov'].includes(type)
    ? 'fragments'
    : 'other'
}

function unreadable(where: string, error: unknown): Problem {
  if (!(error instanceof Fault)) throw error
  return { severity: 'fault', code: 'continuity', text: `${where} cannot be read: ${error.message}` }
}

export function lastPart(uri: string): string {
  const path = uri.split(/[?#]/, 1)[0] ?? ''
  return path.slice(path.lastIndexOf('/') + 1).slice(0, 80)
}

// Owns the model of a look: what was fetched, what was measured, and what is wrong with it.
import type { Certificate } from './http-get.ts'

/** `fault`: viewers suffer or will; `warning`: worth a look; codes are stable, for programs. */
export interface Problem {
  readonly severity: 'fault' | 'warning'
  readonly code: ProblemCode
  /** For people: what was seen and what was expected. */
  readonly text: string
}

export type ProblemCode =
  | 'no-answer'
  | 'status'
  | 'not-hls'
  | 'no-variants'
  | 'no-segments'
  | 'length'
  | 'continuity'
  | 'stale'
  | 'slow'
  | 'start'
  | 'certificate'
  | 'cors'
  | 'cache'
  | 'clock'
  | 'duration'
  | 'content-type'

/** One request. */
export interface LookFetch {
  readonly what: 'multivariant' | 'playlist' | 'init' | 'segment' | 'reload'
  readonly track: 'video' | 'audio' | null
  readonly url: string
  readonly status: number | null
  readonly bytes: number
  readonly dnsMs: number | null
  readonly connectMs: number | null
  readonly tlsMs: number | null
  readonly firstByteMs: number | null
  readonly totalMs: number | null
  /** Seconds of media in it; segments only. */
  readonly mediaS: number | null
  readonly error: string | null
}

export interface LookVariant {
  readonly bandwidth: number
  readonly averageBandwidth: number | null
  readonly resolution: string | null
  readonly codecs: string | null
}

export interface LookReport {
  /** As asked. */
  readonly url: string
  /** No fault; warnings do not count. */
  readonly ok: boolean
  /** `live`: the playlist grows; null: never seen. */
  readonly kind: 'vod' | 'live' | null
  readonly address: string | null
  readonly server: string | null
  readonly protocol: string | null
  readonly variants: readonly LookVariant[]
  /** The one that was played; null in a playlist without variants. */
  readonly played: LookVariant | null
  /** From the first request until init and first segment of each track are whole: a player could show a picture. */
  readonly startMs: number | null
  /** Of segments, bits a second from request to last byte. */
  readonly speedBps: number | null
  /** Speed over the bit rate of what was fetched: below 1 it stalls. */
  readonly speedRatio: number | null
  /** Media that was fetched, seconds. */
  readonly mediaS: number
  readonly certificate: (Certificate & { readonly daysLeft: number }) | null
  /** Access-Control-Allow-Origin of the playlist as a page elsewhere gets it; null: none. */
  readonly cors: string | null
  readonly cacheControl: {
    readonly multivariant: string | null
    readonly playlist: string | null
    readonly segment: string | null
  }
  /** What caches said of the segments: Cache-Status, X-Cache and the like. */
  readonly cacheStatus: readonly string[]
  /** Server's Date minus this machine's clock, seconds; null: none to be had, or from a cache. */
  readonly clockSkewS: number | null
  /** Half width of what the skew is uncertain by: Date has whole seconds. */
  readonly clockSkewUncertainS: number | null
  /** Live only: how long ago the newest segment ended by its EXT-X-PROGRAM-DATE-TIME. */
  readonly behindLiveS: number | null
  readonly fetches: readonly LookFetch[]
  readonly problems: readonly Problem[]
}

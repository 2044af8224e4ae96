// Owns the model of a movie: what `moov` says, track by track.
import type { SampleEntry } from './sample-entry.ts'
import type { SampleTable } from './sample-table.ts'

export type TrackKind = 'video' | 'audio'

/** One entry of `elst` (ISO 14496-12 section 8.6.6). */
export interface Edit {
  /** In ticks of the movie's timescale; 0 in fragmented files: to the end. */
  readonly movieTicks: number
  /** In ticks of the track's timescale; -1: an empty edit. */
  readonly mediaTicks: number
}

export interface Track {
  readonly id: number
  readonly kind: TrackKind
  /** Ticks a second. */
  readonly timescale: number
  /** RFC 5646, `en`; null: not said. */
  readonly language: string | null
  /** The last 44 bytes of `tkhd`: transformation matrix, width, height. Rotation passes through. */
  readonly geometry: Uint8Array
  readonly entry: SampleEntry
  readonly edits: readonly Edit[]
  readonly table: SampleTable
}

/** A track that cannot be played, with the reason. */
export interface SkippedTrack {
  readonly id: number
  readonly kind: TrackKind
  readonly reason: string
  /** Cover art and the like: nobody misses it. */
  readonly still: boolean
}

/** `trex` (section 8.8.3): what fragments leave out. */
export interface TrackDefaults {
  readonly durationTicks: number
  readonly sizeBytes: number
  readonly flags: number
}

export interface Movie {
  /** Ticks a second of edits. */
  readonly timescale: number
  readonly tracks: readonly Track[]
  readonly skipped: readonly SkippedTrack[]
  /** Null: not fragmented; else the defaults by track id. */
  readonly fragments: ReadonlyMap<number, TrackDefaults> | null
}

// Owns the model of HLS playlists (draft-pantos-hls-rfc8216bis): plain values that are read and written.
// It holds what Vitrine writes and what its edges rewrite; other tags and attributes are dropped on reading.

/** EXT-X-CONTENT-STEERING, section 4.4.6.6. */
export interface ContentSteering {
  /** Absolute, or relative to the playlist. */
  readonly serverUri: string
  /** The pathway to start with; null: the first one in the playlist. */
  readonly pathwayId: string | null
}

export const renditionTypes = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const
export type RenditionType = (typeof renditionTypes)[number]

/** EXT-X-MEDIA, section 4.4.6.1. */
export interface Rendition {
  readonly type: RenditionType
  readonly groupId: string
  readonly name: string
  /** RFC 5646 tag, `en`. */
  readonly language: string | null
  readonly default: boolean
  readonly autoselect: boolean
  /** `2`, `6`, `16/JOC`. */
  readonly channels: string | null
  /** Null: the rendition is muxed into the variants. */
  readonly uri: string | null
  readonly pathwayId: string | null
  readonly stableRenditionId: string | null
}

export const videoRanges = ['SDR', 'HLG', 'PQ'] as const
export type VideoRange = (typeof videoRanges)[number]

/** EXT-X-STREAM-INF and the URI line after it, section 4.4.6.2. */
export interface Variant {
  readonly uri: string
  /** Peak, bits per second, audio included. */
  readonly bandwidth: number
  readonly averageBandwidth: number | null
  /** RFC 6381 list: `avc1.64001f,mp4a.40.2`. */
  readonly codecs: string | null
  readonly resolution: { readonly width: number; readonly height: number } | null
  /** Frames per second; written with three decimals. */
  readonly frameRate: number | null
  readonly videoRange: VideoRange | null
  /** GROUP-ID of its audio renditions. */
  readonly audioGroup: string | null
  readonly pathwayId: string | null
  readonly stableVariantId: string | null
}

export interface MultivariantPlaylist {
  readonly version: number
  readonly independentSegments: boolean
  readonly steering: ContentSteering | null
  readonly renditions: readonly Rendition[]
  readonly variants: readonly Variant[]
}

/** A part of a resource (EXT-X-BYTERANGE, section 4.4.4.2). */
export interface ByteRange {
  readonly offset: number
  readonly bytes: number
}

/** EXTINF and the URI line after it, section 4.4.4.1. */
export interface MediaSegment {
  readonly uri: string
  /** Seconds, exact: the sum over a playlist is the track's duration. */
  readonly durationS: number
  readonly byteRange?: ByteRange
  /** EXT-X-DISCONTINUITY before it: its timeline does not continue that of the segment before. */
  readonly discontinuity?: true
  /** EXT-X-GAP: it is not there and must not be fetched. */
  readonly gap?: true
  /** EXT-X-PROGRAM-DATE-TIME as it stands: the time of day of its first sample. */
  readonly programDateTime?: string
}

export interface MediaPlaylist {
  readonly version: number
  /** Whole seconds; no segment's rounded duration exceeds it (section 4.4.3.1). */
  readonly targetDurationS: number
  readonly mediaSequence: number
  readonly playlistType: 'VOD' | 'EVENT' | null
  readonly independentSegments: boolean
  /** URI of the init segment (EXT-X-MAP); null: segments carry their own. */
  readonly mapUri: string | null
  readonly mapByteRange?: ByteRange
  /** EXT-X-KEY with a METHOD other than NONE somewhere: segments are not clear. */
  readonly encrypted?: true
  readonly segments: readonly MediaSegment[]
  /** EXT-X-ENDLIST. */
  readonly ended: boolean
}

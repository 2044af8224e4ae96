// Owns how hls.js is set up: small buffers, a short first-byte limit, no retries on the same edge, CMCD.
import type { HlsConfig } from 'hls.js'

/** DESIGN, Steering: how long an edge may stay silent before it is left. */
export const FIRST_BYTE_MS_MAX = 3_000
const SEGMENT_MS_MAX = 20_000
const PLAYLIST_MS_MAX = 10_000
/** A rendition that failed may be chosen again after this; hls.js's default is never. */
const RENDITION_PENALTY_MS = 15_000

const NO_RETRY = { maxNumRetry: 0, retryDelayMs: 0, maxRetryDelayMs: 0 }

function policy(maxLoadTimeMs: number): HlsConfig['fragLoadPolicy'] {
  return {
    default: {
      maxTimeToFirstByteMs: FIRST_BYTE_MS_MAX,
      maxLoadTimeMs,
      timeoutRetry: NO_RETRY,
      errorRetry: NO_RETRY,
    },
  }
}

export interface HlsSettings {
  /** CTA-5004 in the query: headers would cost a CORS preflight a segment. Events go their own way (./reports). */
  readonly cmcd: NonNullable<HlsConfig['cmcd']>
  /** Where to begin; -1 lets hls.js decide. */
  readonly startPosition: number
}

export function hlsSettings(settings: HlsSettings): Partial<HlsConfig> {
  return {
    // SPECS: with default buffers 180 s are fetched in 0.7 s, and nothing about edges could be seen.
    maxBufferLength: 20,
    maxMaxBufferLength: 20,
    maxBufferSize: 0,
    backBufferLength: 10,
    startPosition: settings.startPosition,
    fragLoadPolicy: policy(SEGMENT_MS_MAX),
    playlistLoadPolicy: policy(PLAYLIST_MS_MAX),
    manifestLoadPolicy: policy(PLAYLIST_MS_MAX),
    steeringManifestLoadPolicy: policy(PLAYLIST_MS_MAX),
    preserveManualLevelOnError: true, // A quality that the viewer chose survives a change of edge.
    errorPenaltyExpireMs: RENDITION_PENALTY_MS,
    cmcd: settings.cmcd,
  }
}

// Owns what a record cannot say: amounts that no player and no answer ever had. The record is taken without them, and
// that is counted. Pure.
import { type ViewerEvent, type ViewerRecord, type ViewerRequest, viewerLateKey } from '#wire'

/** Longer is no answer, no buffer and no wait for a start. */
export const AMOUNT_MS_MAX = 86_400_000
/** No player shows more than this in one second. */
export const BITRATE_KBPS_MAX = 1e6
/** A segment of ten minutes is a whole file. */
const MEDIA_S_MAX = 600
const DURATIONS = ['bl', 'msd', 'ttfb', 'ttlb', viewerLateKey] as const

export interface Sane<One extends ViewerRecord> {
  readonly record: One
  /** Something was left out. */
  readonly absurd: boolean
}

/** Null: nothing of it can be used. */
export function saneRequest(request: ViewerRequest): Sane<ViewerRequest> | null {
  const { durationMs, firstByteMs, upstreamMs, heldMs, bufferMs, mediaS, bitrateBps } = request
  if (!isWithin(durationMs, AMOUNT_MS_MAX)) return null
  const isSane =
    isWithin(firstByteMs, AMOUNT_MS_MAX) &&
    isWithin(upstreamMs, AMOUNT_MS_MAX) &&
    isWithin(heldMs, AMOUNT_MS_MAX) &&
    isWithin(bufferMs, AMOUNT_MS_MAX) &&
    isWithin(mediaS, MEDIA_S_MAX) &&
    isWithin(bitrateBps, BITRATE_KBPS_MAX * 1000)
  if (isSane) return { record: request, absurd: false }
  const kept = (value: number | null, max: number): number | null => (isWithin(value, max) ? value : null)
  const record = {
    ...request,
    firstByteMs: kept(firstByteMs, AMOUNT_MS_MAX),
    upstreamMs: kept(upstreamMs, AMOUNT_MS_MAX),
    heldMs: kept(heldMs ?? 0, AMOUNT_MS_MAX) ?? 0,
    bufferMs: kept(bufferMs, AMOUNT_MS_MAX),
    mediaS: kept(mediaS, MEDIA_S_MAX),
    bitrateBps: kept(bitrateBps, BITRATE_KBPS_MAX * 1000),
  }
  return { record, absurd: true }
}

/** Edges leave out what is negative; an edge of another version, or what is far too much, comes as far as here. */
export function saneEvent(event: ViewerEvent): Sane<ViewerEvent> {
  const { keys } = event
  const wrong = DURATIONS.filter(key => !isSaneKey(keys[key], AMOUNT_MS_MAX))
  const isRateSane = isSaneKey(keys['br'], BITRATE_KBPS_MAX)
  if (wrong.length === 0 && isRateSane) return { record: event, absurd: false }
  const left = new Set<string>(isRateSane ? wrong : [...wrong, 'br'])
  const kept = Object.fromEntries(Object.entries(keys).filter(([key]) => !left.has(key)))
  return { record: { ...event, keys: kept }, absurd: true }
}

/** Words that are no amounts are none for everybody who reads them. */
function isSaneKey(value: unknown, max: number): boolean {
  if (value === undefined) return true
  if (typeof value === 'number') return isWithin(value, max)
  if (Array.isArray(value)) return value.every(item => isSaneKey(item, max))
  return typeof value === 'object' && value !== null && 'value' in value ? isSaneKey(value.value, max) : true
}

function isWithin(value: number | null | undefined, max: number): boolean {
  return value === null || value === undefined || (value >= 0 && value <= max)
}

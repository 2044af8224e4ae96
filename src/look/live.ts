// Owns what two readings of a live playlist say about each other (draft-pantos-hls-rfc8216bis section 6.2.1). Pure.
import type { MediaPlaylist } from '#media'
import type { Problem } from './report.ts'

/** Sequence number one behind the last segment: grows when something was added. */
export function endSequence(playlist: MediaPlaylist): number {
  return playlist.mediaSequence + playlist.segments.length
}

/** What a server must not do between two readings. */
export function compareReadings(before: MediaPlaylist, after: MediaPlaylist): Problem[] {
  const problems: Problem[] = []
  if (after.mediaSequence < before.mediaSequence) {
    const text = `EXT-X-MEDIA-SEQUENCE went back from ${before.mediaSequence} to ${after.mediaSequence}: players stop`
    return [{ severity: 'fault', code: 'stale', text }]
  }
  if (endSequence(after) < endSequence(before)) {
    const text = `the newest segment was number ${endSequence(before) - 1} and is now ${endSequence(after) - 1}: an older playlist came, from a stale cache perhaps`
    problems.push({ severity: 'fault', code: 'stale', text })
  }
  for (const [index, { uri }] of after.segments.entries()) {
    const old = before.segments[after.mediaSequence + index - before.mediaSequence]
    if (old === undefined || withoutQuery(old.uri) === withoutQuery(uri)) continue
    const number = after.mediaSequence + index
    const text = `segment ${number} was ${withoutQuery(old.uri)} and is now ${withoutQuery(uri)}, expected the same`
    problems.push({ severity: 'fault', code: 'continuity', text })
    break
  }
  return problems
}

/** Where a player begins: three target durations before the end (section 6.3.3), at the beginning on demand. */
export function startIndex(playlist: MediaPlaylist): number {
  if (playlist.ended || playlist.playlistType === 'VOD') return 0
  let behindS = 0
  for (let index = playlist.segments.length - 1; index > 0; index -= 1) {
    behindS += playlist.segments[index]?.durationS ?? 0
    if (behindS >= 3 * playlist.targetDurationS) return index
  }
  return 0
}

/** Seconds between the end of the newest segment, by its date, and `nowMs`; null without a date. */
export function behindLiveS(playlist: MediaPlaylist, nowMs: number): number | null {
  let afterS = 0
  for (const segment of playlist.segments.toReversed()) {
    afterS += segment.durationS
    if (segment.programDateTime === undefined) continue
    const startMs = Date.parse(segment.programDateTime)
    return Number.isNaN(startMs) ? null : (nowMs - startMs) / 1000 - afterS
  }
  return null
}

function withoutQuery(uri: string): string {
  return (uri.split('?', 1)[0] ?? '').slice(-200)
}

// Owns the playlists of a title: which renditions go together, how much bandwidth they need, what they are called.
import {
  type MediaPlaylist,
  type MultivariantPlaylist,
  type Rendition,
  targetDurationS,
  type Variant,
  type VideoRange,
} from '#media'
import { SEGMENT_TARGET_S } from './cut-points.ts'
import type { RenditionPlan, TitlePlan } from './plan.ts'

/** EXT-X-MAP outside of I-frame playlists needs 6, and fMP4 players expect 7 (RFC 8216bis section 8). */
const PLAYLIST_VERSION = 7

/** Bits a second of one rendition. */
export interface BitRates {
  readonly peak: number
  readonly average: number
}

/** The media playlist of one rendition, with relative URIs. */
export function mediaPlaylist(plan: RenditionPlan): MediaPlaylist {
  const { timescale } = plan.placed.track
  const segments = Array.from(plan.bytes, (_, segment) => ({
    uri: `${segment}.m4s`,
    durationS: segmentTicks(plan, segment) / timescale,
  }))
  return {
    version: PLAYLIST_VERSION,
    targetDurationS: targetDurationS(segments),
    mediaSequence: 0,
    playlistType: 'VOD',
    independentSegments: plan.independent,
    mapUri: 'init.mp4',
    segments,
    ended: true,
  }
}

/** The multivariant playlist; `base` is put in front of each URI. */
export function multivariantPlaylist(title: TitlePlan, base: string): MultivariantPlaylist {
  const videos = title.renditions.filter(isVideo)
  const audios = title.renditions.filter(plan => !isVideo(plan))
  const groups = groupByCodec(audios)
  const uri = (plan: RenditionPlan): string => `${base}${plan.id}/index.m3u8`
  const alternatives = videos.length > 0 || audios.length > 1
  const renditions = alternatives
    ? [...groups].flatMap(([id, members]) => audioRenditions(id, members, uri))
    : []
  const variants =
    videos.length > 0
      ? videos.flatMap(video => videoVariants(video, groups, uri(video)))
      : [...groups].map(([id, members]) => audioVariant(id, members, uri, alternatives))
  return {
    version: PLAYLIST_VERSION,
    independentSegments: title.renditions.every(plan => plan.independent),
    steering: null,
    renditions,
    variants,
  }
}

/** Peak and average bit rate (RFC 8216bis section 4.4.6.2): the peak over runs of 0.5 to 1.5 target durations. */
export function bitRates(plan: RenditionPlan): BitRates {
  const { timescale } = plan.placed.track
  const target = mediaTarget(plan)
  const count = plan.bytes.length
  let peak = 0
  let totalBytes = 0
  for (let from = 0; from < count; from += 1) {
    totalBytes += plan.bytes[from] as number
    let bytes = 0
    let seconds = 0
    for (let to = from; to < count; to += 1) {
      bytes += plan.bytes[to] as number
      seconds += segmentTicks(plan, to) / timescale
      if (seconds > target * 1.5) break
      if (seconds >= target * 0.5) peak = Math.max(peak, (bytes * 8) / seconds)
    }
  }
  const totalSeconds = (plan.startTicks[count] as number) / timescale
  const average = totalSeconds > 0 ? (totalBytes * 8) / totalSeconds : totalBytes * 8
  return { peak: Math.max(1, Math.ceil(Math.max(peak, average))), average: Math.max(1, Math.ceil(average)) }
}

/** Frames a second of a video rendition, as presented. */
export function frameRate(plan: RenditionPlan): number | null {
  const { first, end, endTicks, decodeTicks, track } = plan.placed
  const seconds = (endTicks - decodeTicks) / track.timescale
  const rate = (end - first) / seconds
  return seconds > 0 && end - first > 1 && rate < 1000 ? rate : null
}

/** Width and height as they are shown: a turned picture has them exchanged. */
export function shownSize(plan: RenditionPlan): { width: number; height: number } | null {
  const { entry, geometry } = plan.placed.track
  if (entry.width === null || entry.height === null || entry.width === 0 || entry.height === 0) return null
  // ISO 14496-12 section 8.3.2: the matrix { a b u c d v x y w } turns by a quarter when a and d are 0.
  const isZero = (at: number): boolean => geometry.subarray(at, at + 4).every(byte => byte === 0)
  const turned = isZero(0) && isZero(16) && !isZero(4) && !isZero(12)
  return turned ? { width: entry.height, height: entry.width } : { width: entry.width, height: entry.height }
}

export function isVideo(plan: RenditionPlan): boolean {
  return plan.placed.track.kind === 'video'
}

function mediaTarget(plan: RenditionPlan): number {
  const { timescale } = plan.placed.track
  let longest = 1
  for (let segment = 0; segment < plan.bytes.length; segment += 1) {
    longest = Math.max(longest, Math.round(segmentTicks(plan, segment) / timescale))
  }
  return plan.bytes.length === 1 ? Math.min(longest, SEGMENT_TARGET_S) : longest
}

function segmentTicks(plan: RenditionPlan, segment: number): number {
  return (plan.startTicks[segment + 1] as number) - (plan.startTicks[segment] as number)
}

/** A group holds one codec, so that a player that lacks it still has the variants of the other groups. */
function groupByCodec(audios: readonly RenditionPlan[]): Map<string, RenditionPlan[]> {
  const groups = new Map<string, RenditionPlan[]>()
  for (const audio of audios) {
    const id = `audio-${audio.placed.track.entry.codec.toLowerCase().replaceAll('.', '-')}`
    const members = groups.get(id)
    if (members === undefined) groups.set(id, [audio])
    else members.push(audio)
  }
  return groups
}

function audioRenditions(
  groupId: string,
  members: readonly RenditionPlan[],
  uri: (plan: RenditionPlan) => string,
): Rendition[] {
  return members.map((plan, index): Rendition => {
    const { language, entry } = plan.placed.track
    const alike = members.filter(member => member.placed.track.language === language).length > 1
    const spoken = language ?? 'sound'
    return {
      type: 'AUDIO',
      groupId,
      // Section 4.4.6.1.1: names within a group differ.
      name: alike && members.length > 1 ? `${spoken} ${plan.id}` : spoken,
      language,
      default: index === 0,
      autoselect: true,
      channels: entry.channels === null || entry.channels === 0 ? null : String(entry.channels),
      uri: uri(plan),
      pathwayId: null,
      stableRenditionId: plan.id,
    }
  })
}

function videoVariants(
  video: RenditionPlan,
  groups: ReadonlyMap<string, RenditionPlan[]>,
  uri: string,
): Variant[] {
  const rates = bitRates(video)
  const { entry } = video.placed.track
  const variant = (suffix: string, audio: BitRates, codecs: string, audioGroup: string | null): Variant => ({
    uri,
    bandwidth: rates.peak + audio.peak,
    averageBandwidth: rates.average + audio.average,
    codecs,
    resolution: shownSize(video),
    frameRate: frameRate(video),
    videoRange: videoRange(entry.transfer),
    audioGroup,
    pathwayId: null,
    stableVariantId: `${video.id}${suffix}`,
  })
  if (groups.size === 0) return [variant('', { peak: 0, average: 0 }, entry.codec, null)]
  return [...groups].map(([id, members]) => {
    const codecs = `${entry.codec},${(members[0] as RenditionPlan).placed.track.entry.codec}`
    return variant(groups.size === 1 ? '' : `-${id}`, highest(members), codecs, id)
  })
}

function audioVariant(
  groupId: string,
  members: readonly RenditionPlan[],
  uri: (plan: RenditionPlan) => string,
  alternatives: boolean,
): Variant {
  const first = members[0] as RenditionPlan
  const rates = highest(members)
  return {
    uri: uri(first),
    bandwidth: rates.peak,
    averageBandwidth: rates.average,
    codecs: first.placed.track.entry.codec,
    resolution: null,
    frameRate: null,
    videoRange: null,
    audioGroup: alternatives ? groupId : null,
    pathwayId: null,
    stableVariantId: first.id,
  }
}

/** Section 4.4.6.2: with the most demanding of the renditions that may play along. */
function highest(members: readonly RenditionPlan[]): BitRates {
  const rates = members.map(bitRates)
  return {
    peak: Math.max(...rates.map(({ peak }) => peak)),
    average: Math.max(...rates.map(({ average }) => average)),
  }
}

/** ISO 23091-2 transfer characteristics 16 (PQ) and 18 (HLG). */
function videoRange(transfer: number | null): VideoRange {
  if (transfer === 16) return 'PQ'
  return transfer === 18 ? 'HLG' : 'SDR'
}

// Owns the plan of a title: every rendition with its segments, from which playlists and segments follow.
// It refuses titles without anything to play, and segments that are too large to serve.
import {
  decodeTicksOf,
  expandRange,
  fragmentHeadBytes,
  type Movie,
  presentationTicksOf,
  sampleAtDecode,
  syncAtOrAfter,
  tableBytes,
  writeInit,
} from '#media'
import { originFaults } from '../faults.ts'
import { chooseCuts, commonTimes, indexOfTime, longestGap, SEGMENT_TARGET_S } from './cut-points.ts'
import { isClosed, type PlacedSamples, withoutLeading } from './leading.ts'
import { type PlacedTrack, placeTracks } from './timeline.ts'

/** One segment: 60 s at 34 Mbit/s. A film whose key frames are further apart cannot be cut. */
export const SEGMENT_BYTES_MAX: number = 256 * 1024 * 1024
/** Where closed GOPs are further apart than this, segments start at open ones too. */
const CLOSED_GAP_S_MAX = 10
/** Longer than any film; an edit list with a wrong figure asks for years. */
const DURATION_S_MAX = 7 * 86_400
/** Samples that are looked at before the event loop gets its turn: about 10 ms. */
const SLICE_SAMPLES = 200_000

/** One rendition, cut. */
export interface RenditionPlan {
  /** `v1`, `a1`. */
  readonly id: string
  readonly placed: PlacedTrack
  /** First sample of each segment, and the end of the last one. */
  readonly samples: Uint32Array
  /** Presentation time at which each segment starts, and at which the last one ends, in ticks. The first is 0. */
  readonly startTicks: Float64Array
  /** Of each whole segment. */
  readonly bytes: Float64Array
  /** True when every segment can be decoded without the one before it. */
  readonly independent: boolean
  readonly init: Uint8Array
}

export interface TitlePlan {
  readonly renditions: readonly RenditionPlan[]
  readonly durationS: number
  /** What it costs to keep in memory. */
  readonly memoryBytes: number
}

/** Plans a movie; gives way to other work in between, so that a long film does not hold up requests. */
export async function planTitle(movie: Movie, giveWay: () => Promise<void>): Promise<TitlePlan> {
  const placed = placeTracks(movie)
  const videos = placed.filter(({ track }) => track.kind === 'video')
  const audios = placed.filter(({ track }) => track.kind === 'audio')
  const videoCuts = cutVideos(videos)
  await giveWay()
  const renditions: RenditionPlan[] = []
  for (const [index, video] of videos.entries()) {
    renditions.push(await measure(`v${index + 1}`, video, videoCuts[index] ?? [], giveWay))
  }
  const guide = renditions[0]
  const audioTimesS =
    guide === undefined ? [] : Array.from(guide.startTicks, ticks => ticks / timescaleOf(guide.placed))
  for (const [index, audio] of audios.entries()) {
    renditions.push(await measure(`a${index + 1}`, audio, cutAudio(audio, audioTimesS), giveWay))
  }
  if (renditions.length === 0) {
    throw originFaults.fault('origin-file-unplayable', 'the file has no frame of video or sound')
  }
  const durationS = Math.max(...renditions.map(({ placed }) => placed.endTicks / timescaleOf(placed)))
  if (durationS <= 0) {
    throw originFaults.fault(
      'origin-file-unplayable',
      'the film lasts 0 s: its index gives no frame a duration',
    )
  }
  if (durationS > DURATION_S_MAX) {
    const message = `the film would last ${Math.round(durationS / 86_400)} days by its index, at most ${DURATION_S_MAX / 86_400} can be served`
    throw originFaults.fault('origin-file-unplayable', message)
  }
  const memoryBytes = renditions.reduce(
    (sum, { placed, samples }) => sum + tableBytes(placed.track.table) + samples.length * 20,
    0,
  )
  return { renditions, durationS, memoryBytes }
}

/** Samples [from, to) as they are written into a segment. */
export function fragmentSamples(placed: PlacedTrack, from: number, to: number): PlacedSamples {
  const range = expandRange(placed.track.table, from, to)
  const samples: PlacedSamples = placed.leftOut > 0 ? withoutLeading(range) : range
  const { durationTicks } = samples
  const last = durationTicks.length - 1
  if (from === placed.first && last >= 0) {
    durationTicks[0] = (durationTicks[0] as number) + placed.holdFirstTicks
  }
  if (to === placed.end && last >= 0) {
    durationTicks[last] = (durationTicks[last] as number) + placed.holdLastTicks
  }
  const shift = placed.compositionShiftTicks
  return shift === 0
    ? samples
    : { ...samples, compositionTicks: samples.compositionTicks.map(ticks => ticks + shift) }
}

/** Decode time of a sample in the segments. */
export function segmentDecodeTicks(placed: PlacedTrack, sample: number): number {
  const hold = sample === placed.first ? placed.holdFirstTicks : 0
  return decodeTicksOf(placed.track.table, sample) - placed.sourceDecodeTicks + placed.decodeTicks - hold
}

/** Where a segment begins: its first sample and its presentation time. */
interface CutPoint {
  readonly sample: number
  readonly ticks: number
}

function cutVideos(videos: readonly PlacedTrack[]): CutPoint[][] {
  const keys = videos.map(closedPoints)
  const times = videos.map((video, index) =>
    Float64Array.from(keys[index] ?? [], ({ ticks }) => ticks / timescaleOf(video)),
  )
  const endS = Math.max(0, ...videos.map(video => video.endTicks / timescaleOf(video)))
  const common = commonTimes(times, endS)
  if (common === null) {
    return keys.map((points, index) =>
      chooseCuts(times[index] ?? [], endS).map(key => points[key] as CutPoint),
    )
  }
  const cutTimes = chooseCuts(common, endS).map(index => common[index] as number)
  return keys.map((points, index) => {
    const own = times[index] ?? new Float64Array(0)
    return cutTimes.map(time => points[indexOfTime(own, time)] as CutPoint)
  })
}

/** The key frames to cut at: those of closed GOPs alone where there are enough of them. */
function closedPoints(video: PlacedTrack): CutPoint[] {
  const points = keyPoints(video)
  const closed = points.filter(({ sample }) => isIndependent(video, sample))
  if (closed.length === points.length) return points
  const times = Float64Array.from(closed, ({ ticks }) => ticks / timescaleOf(video))
  return longestGap(times, video.endTicks / timescaleOf(video)) > CLOSED_GAP_S_MAX ? points : closed
}

function keyPoints(video: PlacedTrack): CutPoint[] {
  const { table } = video.track
  const points: CutPoint[] = []
  let lastTicks = Number.NEGATIVE_INFINITY
  let sample = video.first
  while (sample < video.end) {
    const ticks = presentedTicks(video, sample)
    // A key frame that is presented before an earlier one cannot start a segment.
    if (ticks > lastTicks) {
      points.push({ sample, ticks })
      lastTicks = ticks
    }
    sample = syncAtOrAfter(table, sample + 1)
  }
  return points
}

/** Presentation time of a sample, in ticks. */
function presentedTicks(placed: PlacedTrack, sample: number): number {
  const sourceTicks = presentationTicksOf(placed.track.table, sample)
  const hold = sample === placed.first ? placed.holdFirstTicks : 0
  const mapped = sourceTicks - placed.sourceDecodeTicks + placed.decodeTicks - hold
  return mapped + placed.compositionShiftTicks - placed.editTicks
}

/** Sound is cut where the video is, to the nearest frame of sound; where there is no video, each 4 s. */
function cutAudio(audio: PlacedTrack, videoTimesS: readonly number[]): CutPoint[] {
  const timescale = timescaleOf(audio)
  const endS = audio.endTicks / timescale
  const times = videoTimesS.slice(1)
  let last = times.at(-1) ?? 0
  // Sound that ends soon after the picture stays in the last segment.
  if (endS - last < SEGMENT_TARGET_S / 2) times.pop()
  else
    for (last += SEGMENT_TARGET_S; endS - last >= SEGMENT_TARGET_S / 2; last += SEGMENT_TARGET_S)
      times.push(last)
  const points: CutPoint[] = [{ sample: audio.first, ticks: presentedTicks(audio, audio.first) }]
  for (const timeS of times) {
    const sample = nearestAudio(audio, timeS * timescale)
    const previous = points.at(-1) as CutPoint
    if (sample > previous.sample && sample < audio.end) {
      points.push({ sample, ticks: presentedTicks(audio, sample) })
    }
  }
  return points
}

function nearestAudio(audio: PlacedTrack, ticks: number): number {
  const { table } = audio.track
  const sourceTicks = ticks + audio.editTicks - audio.decodeTicks + audio.sourceDecodeTicks
  const before = Math.max(audio.first, sampleAtDecode(table, sourceTicks))
  const start = decodeTicksOf(table, before)
  const middle = (start + decodeTicksOf(table, before + 1)) / 2
  return syncAtOrAfter(table, sourceTicks > middle ? before + 1 : before)
}

async function measure(
  id: string,
  placed: PlacedTrack,
  points: readonly CutPoint[],
  giveWay: () => Promise<void>,
): Promise<RenditionPlan> {
  const { track } = placed
  const samples = Uint32Array.from([...points.map(({ sample }) => sample), placed.end])
  const startTicks = Float64Array.from([...points.map(({ ticks }) => ticks), placed.endTicks])
  // Playlists of all renditions start at 0, also where a track comes in a little later.
  startTicks[0] = 0
  const bytes = new Float64Array(points.length)
  let looked = 0
  for (let segment = 0; segment < points.length; segment += 1) {
    const from = samples[segment] as number
    const to = samples[segment + 1] as number
    const fragment = fragmentSamples(placed, from, to)
    const total = fragmentHeadBytes(fragment) + fragment.sizes.reduce((sum, size) => sum + size, 0)
    if (total > SEGMENT_BYTES_MAX) throw tooLarge(id, segment, total)
    bytes[segment] = total
    looked += to - from
    if (looked > SLICE_SAMPLES) {
      looked = 0
      await giveWay()
    }
  }
  const init = writeInit({
    kind: track.kind,
    timescale: track.timescale,
    entry: track.entry.bytes,
    geometry: track.geometry,
    editTicks: placed.editTicks,
  })
  return {
    id,
    placed,
    samples,
    startTicks,
    bytes,
    init,
    independent: points.every(({ sample }) => isIndependent(placed, sample)),
  }
}

function isIndependent({ track, first, end, leftOut }: PlacedTrack, sample: number): boolean {
  return leftOut > 0 || sample === first || isClosed(track.table, sample, end)
}

function tooLarge(id: string, segment: number, bytes: number): Error {
  const message = `key frames are too far apart: segment ${segment} of ${id} has ${bytes} bytes, at most ${SEGMENT_BYTES_MAX} can be served`
  return originFaults.fault('origin-file-unplayable', message)
}

function timescaleOf(placed: PlacedTrack): number {
  return placed.track.timescale
}

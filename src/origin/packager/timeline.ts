// Owns where each track stands on the presentation's time line: edit lists, priming and cuts between key frames.
// The presentation starts at 0; a film that is cut between two key frames starts at the key frame before the cut.
import {
  decodeTicksOf,
  type Movie,
  presentationTicksOf,
  repeatedSample,
  sampleAtDecode,
  syncAtOrAfter,
  type Track,
} from '#media'
import { originFaults } from '../faults.ts'
import { leadingToLeaveOut } from './leading.ts'

/** Audio that an edit skips at its start is priming up to here; beyond, the film was cut. Encoders prime < 0.15 s. */
const PRIMING_S_MAX = 0.25
/** What is kept in front of a cut, so that the decoder has settled: Opus asks for 80 ms (RFC 7845 section 4.6). */
const PREROLL_S = 0.1
/** How often a single picture is repeated while sound plays. */
const PICTURE_REPEAT_S = 1
const PICTURE_REPEATS_MAX = 100_000
/** Shorter gaps are bridged by players; hls.js by default those up to 0.1 s. */
const HOLD_S_MIN = 0.1
/** A sample's duration has 32 bits; a bit is left for its own. */
const HOLD_TICKS_MAX = 2 ** 31
/** Pictures are reordered by a second at most; some writers add a constant to all offsets. */
const REORDER_S_MAX = 60

/** A track's samples [first, end) and how their times map to the presentation. */
export interface PlacedTrack {
  readonly track: Track
  readonly first: number
  readonly end: number
  /** Decode time of `first` in the source, and in the segments: the latter is its `tfdt`. */
  readonly sourceDecodeTicks: number
  readonly decodeTicks: number
  /** Added to each composition offset of the source. */
  readonly compositionShiftTicks: number
  /** Presented times are this much earlier than those of the segments, by the init segment's edit list. */
  readonly editTicks: number
  /** Presentation time at which the last sample ends. */
  readonly endTicks: number
  /** Leading pictures of open GOPs that are left out, see leading.ts; 0: none are. */
  readonly leftOut: number
  /** How much longer the first picture stands, and the last one, because sound plays before and after them. */
  readonly holdFirstTicks: number
  readonly holdLastTicks: number
}

/** What the edit list says, in the track's ticks. */
interface Cut {
  readonly delayTicks: number
  readonly mediaTicks: number
  /** Media time at which the edit ends; infinite: with the track. */
  readonly mediaEndTicks: number
}

/** Places all tracks of a movie that have samples. */
export function placeTracks(movie: Movie): PlacedTrack[] {
  const tracks = withMovingPictures(movie.tracks.filter(track => track.table.count > 0))
  const cuts = tracks.map(track => readCut(track, movie))
  const keys = tracks.map((track, index) => startSample(track, cuts[index] as Cut))
  const starts = tracks.map((track, index) => {
    const cut = cuts[index] as Cut
    if (track.kind === 'audio') return (cut.delayTicks + lateTicks(track, cut)) / track.timescale
    const first = presentationTicksOf(track.table, keys[index] as number)
    return (first - cut.mediaTicks + cut.delayTicks) / track.timescale
  })
  const earliestS = Math.min(...starts)
  const placed = tracks.map((track, index) => {
    const cut = cuts[index] as Cut
    return track.kind === 'video'
      ? placeVideo(track, cut, keys[index] as number, (starts[index] as number) - earliestS)
      : placeAudio(track, cut, -earliestS)
  })
  const endS = Math.max(0, ...placed.map(({ endTicks, track }) => endTicks / track.timescale))
  return placed.map(one => (one.track.kind === 'video' ? holdPictures(one, endS) : one))
}

/** A single picture with sound: decoders give out a picture only when the next one comes, so it is repeated. */
function withMovingPictures(tracks: readonly Track[]): Track[] {
  const sounds = tracks.filter(({ kind }) => kind === 'audio')
  const soundS = Math.max(
    0,
    ...sounds.map(({ table, timescale }) => decodeTicksOf(table, table.count) / timescale),
  )
  const count = Math.min(Math.floor(soundS / PICTURE_REPEAT_S), PICTURE_REPEATS_MAX)
  return tracks.map(track => {
    if (track.kind === 'audio' || track.table.count > 1 || count < 2) return track
    const edits = track.edits.map(edit => (edit.mediaTicks < 0 ? edit : { ...edit, movieTicks: 0 }))
    return { ...track, edits, table: repeatedSample(track.table, count, track.timescale * PICTURE_REPEAT_S) }
  })
}

/**
 * Players that feed sound and picture apart (all that use Media Source Extensions) show nothing where one of them
 * is missing: a picture that comes in late, or ends early, stands still there instead.
 */
function holdPictures(placed: PlacedTrack, endS: number): PlacedTrack {
  const { track, decodeTicks, endTicks } = placed
  const late = decodeTicks
  const early = Math.round(endS * track.timescale) - endTicks
  const least = HOLD_S_MIN * track.timescale
  const holdFirstTicks = late > least && late < HOLD_TICKS_MAX ? late : 0
  const holdLastTicks = early > least && early < HOLD_TICKS_MAX ? early : 0
  return { ...placed, holdFirstTicks, holdLastTicks, endTicks: endTicks + holdLastTicks }
}

/** Leading empty edits delay; the first edit with media counts (ISO 14496-12 section 8.6.6). */
function readCut(track: Track, movie: Movie): Cut {
  const toTicks = (movieTicks: number): number => (movieTicks / movie.timescale) * track.timescale
  // An edit that begins behind the last sample would present nothing: it is a writer's mistake.
  const mediaEnd = decodeTicksOf(track.table, track.table.count)
  const main = track.edits.findIndex(({ mediaTicks }) => mediaTicks >= 0 && mediaTicks < mediaEnd)
  if (main < 0) return { delayTicks: 0, mediaTicks: 0, mediaEndTicks: Number.POSITIVE_INFINITY }
  const { mediaTicks, movieTicks } = track.edits[main] as Track['edits'][number]
  const delay = track.edits.slice(0, main).reduce((sum, edit) => sum + edit.movieTicks, 0)
  const isWhole = movieTicks === 0 || movie.fragments !== null || track.edits.length > main + 1
  // The end is given in ticks of the movie, so it is exact to one of them only.
  const length = isWhole ? Number.POSITIVE_INFINITY : toTicks(movieTicks + 1)
  return { delayTicks: Math.round(toTicks(delay)), mediaTicks, mediaEndTicks: mediaTicks + length }
}

/** Fragments may begin at any decode time, as parts of a live recording do: the first sound comes so much later. */
function lateTicks(track: Track, cut: Cut): number {
  return Math.max(0, decodeTicksOf(track.table, 0) - cut.mediaTicks)
}

/** Video starts at the last sync sample that is presented at or before the cut, else at the first one. */
function startSample(track: Track, cut: Cut): number {
  const { table } = track
  if (track.kind === 'audio') return 0
  let found = syncAtOrAfter(table, 0)
  if (found >= table.count) return 0
  while (true) {
    const next = syncAtOrAfter(table, found + 1)
    if (next >= table.count || presentationTicksOf(table, next) > cut.mediaTicks) return found
    found = next
  }
}

function placeVideo(track: Track, cut: Cut, first: number, startS: number): PlacedTrack {
  const { table, timescale } = track
  const end = endSample(track, cut, first)
  const decodeTicks = Math.round(startS * timescale)
  const firstTicks = presentationTicksOf(table, first)
  let endTicks = 0
  // Frames are reordered over a few samples only; 64 is more than any codec allows.
  for (let sample = Math.max(first, end - 64); sample < end; sample += 1) {
    const duration = decodeTicksOf(table, sample + 1) - decodeTicksOf(table, sample)
    endTicks = Math.max(endTicks, presentationTicksOf(table, sample) + duration)
  }
  const sourceDecodeTicks = decodeTicksOf(table, first)
  // Offsets become positive, and the edit list takes back what they delay: ffmpeg misplaces fragments with
  // negative offsets by the largest of them, and every player knows one edit.
  // One wild offset would shift the whole film: that is damage, not reordering.
  const lowest = table.composition?.offsetTicks.reduce((low, ticks) => Math.min(low, ticks), 0) ?? 0
  const editTicks = firstTicks - sourceDecodeTicks - lowest
  if (Math.max(-lowest, editTicks) > REORDER_S_MAX * timescale) {
    const seconds = Math.round(Math.max(-lowest, editTicks) / timescale)
    const message = `the index is damaged: its composition offsets (ctts) move pictures by ${seconds} s, expected at most ${REORDER_S_MAX} s`
    throw originFaults.fault('origin-file-unplayable', message)
  }
  return {
    track,
    first,
    end,
    sourceDecodeTicks,
    decodeTicks,
    compositionShiftTicks: -lowest,
    editTicks,
    endTicks: endTicks - firstTicks + decodeTicks,
    leftOut: leadingToLeaveOut(track, first, end),
    holdFirstTicks: 0,
    holdLastTicks: 0,
  }
}

/** `earlierS`: how much more of the start is presented, because a picture starts before the cut. */
function placeAudio(track: Track, cut: Cut, earlierS: number): PlacedTrack {
  const { table, timescale } = track
  const late = lateTicks(track, cut)
  let mediaTicks = cut.mediaTicks + late
  let startTicks = Math.round(cut.delayTicks + late + earlierS * timescale)
  let first = 0
  const skippedTicks = mediaTicks - decodeTicksOf(table, 0)
  if (skippedTicks > PRIMING_S_MAX * timescale) {
    const reach = Math.min(skippedTicks, startTicks)
    if (cut.delayTicks === 0 && reach > 0) {
      mediaTicks -= reach
      startTicks -= reach
    }
    first = Math.max(0, sampleAtDecode(table, Math.max(0, mediaTicks - PREROLL_S * timescale)))
    first = Math.min(syncAtOrAfter(table, first), table.count - 1)
  }
  const sourceDecodeTicks = decodeTicksOf(table, first)
  const editTicks = Math.max(0, mediaTicks - sourceDecodeTicks)
  const end = endSample(track, cut, first)
  return {
    track,
    first,
    end,
    sourceDecodeTicks,
    decodeTicks: Math.max(0, startTicks),
    compositionShiftTicks: 0,
    editTicks,
    endTicks: decodeTicksOf(table, end) - sourceDecodeTicks + Math.max(0, startTicks) - editTicks,
    leftOut: 0,
    holdFirstTicks: 0,
    holdLastTicks: 0,
  }
}

/** Leaves out samples at the end that the edit does not present; only a tail in decode order can go. */
function endSample(track: Track, cut: Cut, first: number): number {
  let end = track.table.count
  if (cut.mediaEndTicks === Number.POSITIVE_INFINITY) return end
  while (end - 1 > first && presentationTicksOf(track.table, end - 1) >= cut.mediaEndTicks) end -= 1
  return end
}

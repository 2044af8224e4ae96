// Owns the question "from when to when does this segment last": tfdt and run durations of CMAF segments, by track.
// It refuses nothing that plays: tracks whose codec is unknown have times too.
import { childMap, children, required } from './box.ts'
import { Cursor } from './cursor.ts'
import { SAMPLES_MAX } from './read-sample-table.ts'

/** What an init segment says of a track's time. */
export interface TrackTime {
  /** Ticks a second. */
  readonly timescale: number
  /** Of a sample whose run gives none (`trex`, ISO 14496-12 section 8.8.3). */
  readonly defaultTicks: number
}

/** One track of one segment, in seconds of its own timeline. */
export interface SegmentSpan {
  readonly track: number
  readonly startS: number
  readonly endS: number
}

/** Timescale and default duration of every track of an init segment, by track id. */
export function readTrackTimes(init: Uint8Array): ReadonlyMap<number, TrackTime> {
  const root = rootOf(init)
  const moov = required(childMap(root), 'moov', root)
  const defaults = new Map<number, number>()
  const timescales = new Map<number, number>()
  for (const box of children(moov)) {
    if (box.type === 'trak') {
      const [track, timescale] = readTrak(box.cursor)
      timescales.set(track, timescale)
    } else if (box.type === 'mvex') {
      for (const child of children(box.cursor)) {
        if (child.type !== 'trex') continue
        child.cursor.fullBox()
        const track = child.cursor.u32()
        child.cursor.skip(4)
        defaults.set(track, child.cursor.u32())
      }
    }
  }
  return new Map(
    [...timescales].map(([track, timescale]) => [
      track,
      { timescale, defaultTicks: defaults.get(track) ?? 0 },
    ]),
  )
}

/** Spans of the tracks of one media segment, in the order in which they first occur. */
export function readSegmentSpans(
  segment: Uint8Array,
  times: ReadonlyMap<number, TrackTime>,
): readonly SegmentSpan[] {
  const spans = new Map<number, { startTicks: number; endTicks: number }>()
  const root = rootOf(segment)
  for (const moof of children(root)) {
    if (moof.type !== 'moof') continue
    for (const traf of children(moof.cursor)) {
      if (traf.type === 'traf') addTraf(traf.cursor, times, spans)
    }
  }
  return [...spans].map(([track, { startTicks, endTicks }]) => {
    const timescale = times.get(track)?.timescale ?? 1
    return { track, startS: startTicks / timescale, endS: endTicks / timescale }
  })
}

function readTrak(trak: Cursor): readonly [track: number, timescale: number] {
  const boxes = childMap(trak)
  const tkhd = required(boxes, 'tkhd', trak)
  tkhd.skip(tkhd.fullBox().version === 1 ? 16 : 8)
  const track = tkhd.u32()
  const mdia = required(boxes, 'mdia', trak)
  const mdhd = required(childMap(mdia), 'mdhd', mdia)
  mdhd.skip(mdhd.fullBox().version === 1 ? 16 : 8)
  const timescale = mdhd.u32()
  if (timescale === 0) throw mdhd.fault('media-mp4-invalid', 'timescale 0, expected 1 or more')
  return [track, timescale]
}

function addTraf(
  traf: Cursor,
  times: ReadonlyMap<number, TrackTime>,
  spans: Map<number, { startTicks: number; endTicks: number }>,
): void {
  let track = 0
  let defaultTicks = 0
  let at: number | null = null
  for (const { type, cursor } of children(traf)) {
    if (type === 'tfhd') {
      const { flags } = cursor.fullBox()
      track = cursor.u32()
      cursor.skip(((flags & 1) !== 0 ? 8 : 0) + ((flags & 2) !== 0 ? 4 : 0))
      defaultTicks = (flags & 8) !== 0 ? cursor.u32() : (times.get(track)?.defaultTicks ?? 0)
    } else if (type === 'tfdt') {
      at = cursor.fullBox().version === 1 ? cursor.u64() : cursor.u32()
    } else if (type === 'trun') {
      const startTicks: number = at ?? spans.get(track)?.endTicks ?? 0
      at = startTicks + runTicks(cursor, defaultTicks)
      const known = spans.get(track)
      if (known === undefined) spans.set(track, { startTicks, endTicks: at })
      else known.endTicks = at
    }
  }
}

/** The sum of one `trun`'s sample durations (section 8.8.8). */
function runTicks(trun: Cursor, defaultTicks: number): number {
  const { flags } = trun.fullBox()
  const count = trun.u32()
  if (count > SAMPLES_MAX) {
    throw trun.fault('media-mp4-limit', `${count} samples, expected at most ${SAMPLES_MAX}`)
  }
  trun.skip(((flags & 1) !== 0 ? 4 : 0) + ((flags & 4) !== 0 ? 4 : 0))
  if ((flags & 0x100) === 0) return count * defaultTicks
  const rest = [0x200, 0x400, 0x800].filter(flag => (flags & flag) !== 0).length * 4
  trun.expectEntries(count, 4 + rest, 'samples')
  let ticks = 0
  for (let sample = 0; sample < count; sample += 1) {
    ticks += trun.u32()
    trun.skip(rest)
  }
  return ticks
}

function rootOf(bytes: Uint8Array): Cursor {
  return new Cursor(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'mp4')
}

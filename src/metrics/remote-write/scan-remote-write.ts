// Owns the quick way through a remote write 1.0 request in the form that senders really use: labels, then samples.
// It refuses, by giving null, whatever else the protocol allows or forbids: the full reader then reads or names it.
import type { MetricMetadata } from './metadata.ts'
import type { RemoteWriteLimits } from './read-remote-write.ts'

export interface RequestVisitor {
  /** Label bytes of the series that come next, so that what they need can be fetched from memory all at once. */
  expect(view: DataView, starts: Int32Array, ends: Int32Array, count: number): void
  /** Label bytes of the next series. */
  series(view: DataView, start: number, end: number): void
  sample(timeMs: number, value: number): void
}

export interface Scanned {
  readonly exemplars: number
  readonly histograms: number
  /** What is told several times of one name may be in it once. */
  readonly metadata: readonly MetricMetadata[]
}

/** So many series are looked at before they are visited: what a visitor fetches for them fits the nearest caches. */
const BATCH = 64
const starts = new Int32Array(BATCH)
/** Where the labels end, and with them where the series does. */
const labelEnds = new Int32Array(BATCH)
const seriesEnds = new Int32Array(BATCH)

export function scanRemoteWrite(
  view: DataView,
  limits: RemoteWriteLimits,
  visitor: RequestVisitor,
): Scanned | null {
  const end = view.byteLength
  const counts = { series: 0, samples: 0, exemplars: 0, histograms: 0 }
  for (let at = 0; at < end; ) {
    const count = findSeries(view, at, limits)
    counts.series += count
    if (count === 0 || counts.series > limits.seriesMax) return null
    visitor.expect(view, starts, labelEnds, count)
    for (let index = 0; index < count; index += 1) {
      const labelEnd = labelEnds[index] ?? 0
      const seriesEnd = seriesEnds[index] ?? 0
      visitor.series(view, starts[index] ?? 0, labelEnd)
      const samplesEnd = scanSamples(view, [labelEnd, seriesEnd], counts, limits.samplesMax, visitor)
      if (samplesEnd < 0 || !countDropped(view, samplesEnd, seriesEnd, counts)) return null
    }
    at = seriesEnds[count - 1] ?? end
  }
  return { exemplars: counts.exemplars, histograms: counts.histograms, metadata: [] }
}
interface Counts {
  series: number
  samples: number
  exemplars: number
  histograms: number
}

/** Finds where the next series and their labels lie; gives how many, and 0 for what is not in the usual form. */
function findSeries(view: DataView, from: number, limits: RemoteWriteLimits): number {
  const end = view.byteLength
  let count = 0
  for (let at = from; at < end && count < BATCH; count += 1) {
    const seriesEnd = fieldEnd(view, at, end, 0x0a)
    if (seriesEnd < 0) return 0
    const start = at + 1 + lengthBytes(lengthAt(view, at + 1, end))
    const labelEnd = skipFields(view, start, seriesEnd, 0x0a, limits.labelsMax)
    if (labelEnd < 0) return 0
    starts[count] = start
    labelEnds[count] = labelEnd
    seriesEnds[count] = seriesEnd
    at = seriesEnd
  }
  return count
}

/** Gives where the samples end, or -1. */
function scanSamples(
  view: DataView,
  [start, end]: readonly [number, number],
  counts: Counts,
  samplesMax: number,
  visitor: RequestVisitor,
): number {
  let at = start
  while (at < end && view.getUint8(at) === 0x12) {
    if (++counts.samples > samplesMax) return -1
    at = sampleAt(view, at, end, visitor)
    if (at < 0) return -1
  }
  return at
}

/** Exemplars and native histograms, up to the end of their series; false for anything else. */
function countDropped(view: DataView, start: number, end: number, counts: Counts): boolean {
  for (let at = start; at < end; ) {
    const tag = view.getUint8(at)
    if (tag === 0x1a) counts.exemplars += 1
    else if (tag === 0x22) counts.histograms += 1
    else return false
    at = fieldEnd(view, at, end, tag)
    if (at < 0) return false
  }
  return true
}

/** A length in at most three bytes, in its shortest form; -1 for anything else. */
export function lengthAt(view: DataView, at: number, end: number): number {
  if (at >= end) return -1
  const first = view.getUint8(at)
  if (first < 128) return first
  if (at + 1 >= end) return -1
  const second = view.getUint8(at + 1)
  if (second < 128) return second === 0 ? -1 : (first & 127) + second * 128
  if (at + 2 >= end) return -1
  const third = view.getUint8(at + 2)
  return third >= 128 || third === 0 ? -1 : (first & 127) + (second & 127) * 128 + third * 16_384
}

export function lengthBytes(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : 3
}

/** The end of a run of fields with this tag; -1 when one runs past the end or there are too many. */
function skipFields(view: DataView, from: number, end: number, tag: number, countMax: number): number {
  let at = from
  for (let count = 0; at < end && view.getUint8(at) === tag; count += 1) {
    if (count === countMax) return -1
    at = fieldEnd(view, at, end, tag)
    if (at < 0) return -1
  }
  return at
}

/** The end of the field with this tag at `at`; -1 when there is none, or one that runs past `end`. */
export function fieldEnd(view: DataView, at: number, end: number, tag: number): number {
  if (at >= end || view.getUint8(at) !== tag) return -1
  const length = lengthAt(view, at + 1, end)
  if (length < 0) return -1
  const next = at + 1 + lengthBytes(length) + length
  return next > end ? -1 : next
}

/** `12 len [09 float64] 10 varint`: a value of 0 is left out by proto3 writers. Gives where the sample ends, or -1. */
export function sampleAt(view: DataView, at: number, end: number, visitor: RequestVisitor): number {
  if (at + 2 > end) return -1
  const sampleEnd = at + 2 + view.getUint8(at + 1)
  // 20: nine bytes of value and eleven of stamp; more is something else.
  if (sampleEnd > end || view.getUint8(at + 1) > 20 || sampleEnd <= at + 2) return -1
  let cursor = at + 2
  let value = 0
  if (view.getUint8(cursor) === 0x09) {
    if (cursor + 10 > sampleEnd) return -1
    value = view.getFloat64(cursor + 1, true)
    cursor += 9
  }
  if (view.getUint8(cursor) !== 0x10) return -1
  cursor += 1
  // Stamps between 1971 and 2109 have six bytes.
  if (sampleEnd - cursor !== 6 || view.getUint8(sampleEnd - 1) >= 128) return -1
  const low = view.getUint32(cursor, true)
  const high = view.getUint16(cursor + 4, true)
  if ((low & 0x80808080) !== (0x80808080 | 0) || (high & 0x80) === 0) return -1
  const bits = (low & 127) | ((low >>> 1) & 0x3f80) | ((low >>> 2) & 0x1fc000) | ((low >>> 3) & 0xfe00000)
  visitor.sample(((high & 127) | ((high >>> 1) & 0x3f80)) * 2 ** 28 + bits, value)
  return sampleEnd
}

// Owns the quick way through a remote write 1.0 request in the form that senders really use: labels, then samples.
// It refuses, by giving null, whatever else the protocol allows or forbids: the full reader then reads or names it.
import type { MetricMetadata } from './metadata.ts'
import type { RemoteWriteLimits } from './read-remote-write.ts'

export interface RequestVisitor {
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

/** Two passes over each series: how long its labels are, then its samples. */
export function scanRemoteWrite(
  view: DataView,
  limits: RemoteWriteLimits,
  visitor: RequestVisitor,
): Scanned | null {
  const end = view.byteLength
  let at = 0
  let series = 0
  let samples = 0
  let exemplars = 0
  let histograms = 0
  while (at < end) {
    if (view.getUint8(at) !== 0x0a) return null
    const length = lengthAt(view, at + 1, end)
    if (length < 0) return null
    const seriesEnd = at + 1 + lengthBytes(length) + length
    if (seriesEnd > end || ++series > limits.seriesMax) return null
    const labelsStart = seriesEnd - length
    let cursor = skipFields(view, labelsStart, seriesEnd, 0x0a, limits.labelsMax)
    if (cursor < 0) return null
    visitor.series(view, labelsStart, cursor)
    for (; cursor < seriesEnd && view.getUint8(cursor) === 0x12; ) {
      if (++samples > limits.samplesMax) return null
      cursor = sampleAt(view, cursor, seriesEnd, visitor)
      if (cursor < 0) return null
    }
    for (; cursor < seriesEnd; ) {
      const tag = view.getUint8(cursor)
      if (tag !== 0x1a && tag !== 0x22) return null
      const inner = lengthAt(view, cursor + 1, seriesEnd)
      if (inner < 0) return null
      cursor += 1 + lengthBytes(inner) + inner
      if (tag === 0x1a) exemplars += 1
      else histograms += 1
    }
    if (cursor !== seriesEnd) return null
    at = seriesEnd
  }
  return { exemplars, histograms, metadata: [] }
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

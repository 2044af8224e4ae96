// Owns the index of one track's samples: compact typed arrays from which any range can be expanded.
// Positions in time are ticks of the track's timescale; positions in the file are bytes.

/** Runs of samples with equal duration: `first` sample, decode time at it, ticks a sample. */
export interface TimingRuns {
  readonly first: Uint32Array
  readonly decodeTicks: Float64Array
  readonly deltaTicks: Uint32Array
}

/** Runs of samples with equal composition offset. */
export interface CompositionRuns {
  readonly first: Uint32Array
  readonly offsetTicks: Int32Array
}

/** Runs of samples that lie one behind the other in the file. */
export interface ChunkRuns {
  readonly first: Uint32Array
  readonly offsetBytes: Float64Array
}

/** One track's samples in decode order. */
export interface SampleTable {
  readonly count: number
  readonly sizes: Uint32Array
  readonly chunks: ChunkRuns
  readonly timing: TimingRuns
  /** Null: every offset is 0. */
  readonly composition: CompositionRuns | null
  /** Sample indices, ascending; null: every sample is a sync sample. */
  readonly sync: Uint32Array | null
}

/** Samples [from, from + count) in full; arrays have one element a sample. */
export interface SampleRange {
  readonly from: number
  readonly count: number
  readonly offsetBytes: Float64Array
  readonly sizes: Uint32Array
  readonly decodeTicks: Float64Array
  readonly durationTicks: Uint32Array
  readonly compositionTicks: Int32Array
  readonly sync: Uint8Array
}

/** Index of the last element <= value in an ascending array; -1 when all are greater. */
export function floorIndex(ascending: ArrayLike<number>, value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Decode time of a sample; of `count` it is the end of the last one. */
export function decodeTicksOf(table: SampleTable, sample: number): number {
  const run = floorIndex(table.timing.first, Math.min(sample, table.count - 1))
  if (run < 0) return 0
  const within = sample - at(table.timing.first, run)
  return at(table.timing.decodeTicks, run) + within * at(table.timing.deltaTicks, run)
}

/** Duration of a sample: ticks to the next one's decode time, so that gaps belong to the sample before them. */
export function durationTicksOf(table: SampleTable, sample: number): number {
  const run = floorIndex(table.timing.first, sample)
  if (run < 0) return 0
  const next = table.timing.first[run + 1]
  if (next === sample + 1) return at(table.timing.decodeTicks, run + 1) - decodeTicksOf(table, sample)
  return at(table.timing.deltaTicks, run)
}

export function compositionTicksOf(table: SampleTable, sample: number): number {
  const { composition } = table
  if (composition === null) return 0
  const run = floorIndex(composition.first, sample)
  return run < 0 ? 0 : at(composition.offsetTicks, run)
}

/** Presentation time in media ticks, before any edit. */
export function presentationTicksOf(table: SampleTable, sample: number): number {
  return decodeTicksOf(table, sample) + compositionTicksOf(table, sample)
}

/** The first sync sample at or after `sample`; `count` when there is none. */
export function syncAtOrAfter(table: SampleTable, sample: number): number {
  if (table.sync === null) return Math.min(sample, table.count)
  return table.sync[floorIndex(table.sync, sample - 1) + 1] ?? table.count
}

/** The last sync sample at or before `sample`; -1 when there is none. */
export function syncAtOrBefore(table: SampleTable, sample: number): number {
  if (table.sync === null) return sample
  return table.sync[floorIndex(table.sync, sample)] ?? -1
}

/** The last sample whose decode time is <= `ticks`; -1 when there is none. */
export function sampleAtDecode(table: SampleTable, ticks: number): number {
  const run = floorIndex(table.timing.decodeTicks, ticks)
  if (run < 0) return -1
  const first = at(table.timing.first, run)
  const last = (table.timing.first[run + 1] ?? table.count) - 1
  const delta = at(table.timing.deltaTicks, run)
  if (delta === 0) return last
  return Math.min(last, first + Math.floor((ticks - at(table.timing.decodeTicks, run)) / delta))
}

/** A table whose first sample comes `count` times, each lasting `durationTicks`; all of them are sync samples. */
export function repeatedSample(table: SampleTable, count: number, durationTicks: number): SampleTable {
  return {
    count,
    sizes: new Uint32Array(count).fill(at(table.sizes, 0)),
    chunks: {
      first: Uint32Array.from({ length: count }, (_, sample) => sample),
      offsetBytes: new Float64Array(count).fill(at(table.chunks.offsetBytes, 0)),
    },
    timing: {
      first: Uint32Array.of(0),
      decodeTicks: Float64Array.of(decodeTicksOf(table, 0)),
      deltaTicks: Uint32Array.of(durationTicks),
    },
    composition: table.composition,
    sync: null,
  }
}

/** Expands samples [from, to). */
export function expandRange(table: SampleTable, from: number, to: number): SampleRange {
  const count = Math.max(0, to - from)
  const range = {
    from,
    count,
    offsetBytes: new Float64Array(count),
    sizes: table.sizes.slice(from, from + count),
    decodeTicks: new Float64Array(count),
    durationTicks: new Uint32Array(count),
    compositionTicks: new Int32Array(count),
    sync: new Uint8Array(count),
  }
  if (count === 0) return range
  fillOffsets(table, range)
  fillTiming(table, range)
  fillComposition(table, range)
  fillSync(table, range)
  return range
}

/** What an index of this table costs in memory. */
export function tableBytes(table: SampleTable): number {
  const arrays: (ArrayBufferView | undefined)[] = [
    table.sizes,
    table.chunks.first,
    table.chunks.offsetBytes,
    table.timing.first,
    table.timing.decodeTicks,
    table.timing.deltaTicks,
    table.composition?.first,
    table.composition?.offsetTicks,
    table.sync ?? undefined,
  ]
  return arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0)
}

function fillOffsets(table: SampleTable, range: SampleRange): void {
  const { first, offsetBytes } = table.chunks
  let chunk = floorIndex(first, range.from)
  let position = at(offsetBytes, chunk)
  for (let sample = at(first, chunk); sample < range.from; sample += 1) position += at(table.sizes, sample)
  for (let index = 0; index < range.count; index += 1) {
    // Several chunks may start at one sample when those before the last are empty.
    while (first[chunk + 1] === range.from + index) {
      chunk += 1
      position = at(offsetBytes, chunk)
    }
    range.offsetBytes[index] = position
    position += at(range.sizes, index)
  }
}

function fillTiming(table: SampleTable, range: SampleRange): void {
  const { first, decodeTicks, deltaTicks } = table.timing
  let run = floorIndex(first, range.from)
  for (let index = 0; index < range.count; index += 1) {
    const sample = range.from + index
    while ((first[run + 1] ?? Number.POSITIVE_INFINITY) <= sample) run += 1
    range.decodeTicks[index] = at(decodeTicks, run) + (sample - at(first, run)) * at(deltaTicks, run)
    const isLastOfRun = first[run + 1] === sample + 1
    range.durationTicks[index] = isLastOfRun
      ? at(decodeTicks, run + 1) - at(range.decodeTicks, index)
      : at(deltaTicks, run)
  }
}

function fillComposition(table: SampleTable, range: SampleRange): void {
  if (table.composition === null) return
  const { first, offsetTicks } = table.composition
  let run = floorIndex(first, range.from)
  for (let index = 0; index < range.count; index += 1) {
    while ((first[run + 1] ?? Number.POSITIVE_INFINITY) <= range.from + index) run += 1
    range.compositionTicks[index] = run < 0 ? 0 : at(offsetTicks, run)
  }
}

function fillSync(table: SampleTable, range: SampleRange): void {
  if (table.sync === null) {
    range.sync.fill(1)
    return
  }
  for (let entry = floorIndex(table.sync, range.from - 1) + 1; entry < table.sync.length; entry += 1) {
    const index = at(table.sync, entry) - range.from
    if (index >= range.count) return
    range.sync[index] = 1
  }
}

/** An element that is known to exist. */
function at(array: ArrayLike<number>, index: number): number {
  return array[index] as number
}

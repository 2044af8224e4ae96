// Owns leaving out samples of 0 bytes, as recorders write them for dropped frames: their time belongs to the sample
// before them. It changes nothing else; ffmpeg ends a stream at an empty sample of a fragment.
import { decodeTicksOf, expandRange, type SampleTable } from './sample-table.ts'
import { emptyTable, TableBuilder } from './table-builder.ts'

/** Samples that are expanded at a time: about 3 MB. */
const SLICE_SAMPLES = 65_536
/** A duration is written with 32 bits. */
const DURATION_TICKS_MAX = 2 ** 32 - 1

interface Sample {
  readonly place: number
  readonly sizeBytes: number
  readonly decodeTicks: number
  readonly offsetTicks: number
  readonly isSync: boolean
}

/** The table itself when all of its samples have bytes. */
export function withoutEmptySamples(table: SampleTable): SampleTable {
  if (!table.sizes.includes(0)) return table
  let builder: TableBuilder | null = null
  let waiting: Sample | null = null
  let end = Number.NaN
  for (const sample of filledSamples(table)) {
    builder ??= new TableBuilder(sample.decodeTicks)
    if (waiting !== null) end = put(builder, waiting, sample.decodeTicks, end)
    waiting = sample
  }
  if (builder === null || waiting === null) return emptyTable
  put(builder, waiting, decodeTicksOf(table, table.count), end)
  return builder.appendTo(emptyTable)
}

/** Adds a sample that lasts until `untilTicks`; gives the place behind its bytes. */
function put(builder: TableBuilder, sample: Sample, untilTicks: number, end: number): number {
  if (sample.place !== end) builder.startChunk(sample.place)
  const durationTicks = Math.min(untilTicks - sample.decodeTicks, DURATION_TICKS_MAX)
  builder.jumpTo(sample.decodeTicks)
  builder.add(sample.sizeBytes, durationTicks, sample.offsetTicks, sample.isSync)
  return sample.place + sample.sizeBytes
}

function* filledSamples(table: SampleTable): Generator<Sample> {
  for (let from = 0; from < table.count; from += SLICE_SAMPLES) {
    const range = expandRange(table, from, Math.min(from + SLICE_SAMPLES, table.count))
    for (let index = 0; index < range.count; index += 1) {
      const sizeBytes = range.sizes[index] as number
      if (sizeBytes === 0) continue
      yield {
        sizeBytes,
        place: range.offsetBytes[index] as number,
        decodeTicks: range.decodeTicks[index] as number,
        offsetTicks: range.compositionTicks[index] as number,
        isSync: range.sync[index] === 1,
      }
    }
  }
}

// Owns reading `stbl` (ISO 14496-12 section 8.5 to 8.7) into a sample table. It refuses tables that lie about
// their size, that contradict each other, or that are larger than any film needs.
import { type Box, childMap, required } from './box.ts'
import type { Cursor } from './cursor.ts'
import type { ChunkRuns, CompositionRuns, SampleTable, TimingRuns } from './sample-table.ts'

/** One track's samples: 46 h of 60 frames/s, or 59 h of AAC at 48 kHz; 40 MB of sizes. */
export const SAMPLES_MAX = 10_000_000

export interface ReadTable {
  readonly table: SampleTable
  /** Index into `stsd`, from 0: the one that all samples use. */
  readonly entryIndex: number
}

/** Reads the tables of `stbl`; the cursor is over its payload. */
export function readSampleTable(stbl: Cursor): ReadTable {
  const boxes = childMap(stbl)
  const sizes = readSizes(stbl, boxes)
  const count = sizes.length
  const { chunks, entryIndex } = readChunks(stbl, boxes, count)
  const composition = boxes.get('ctts')
  const sync = boxes.get('stss')
  return {
    entryIndex,
    table: {
      count,
      sizes,
      chunks,
      timing: readTiming(required(boxes, 'stts', stbl), count),
      composition: composition === undefined ? null : readComposition(composition.cursor, count),
      sync: sync === undefined ? null : readSync(sync.cursor, count),
    },
  }
}

function readSizes(stbl: Cursor, boxes: ReadonlyMap<string, Box>): Uint32Array {
  const compact = boxes.get('stz2')
  if (compact !== undefined) return readCompactSizes(compact.cursor)
  const stsz = required(boxes, 'stsz', stbl)
  stsz.fullBox()
  const uniform = stsz.u32()
  const count = sampleCount(stsz)
  if (uniform !== 0) return new Uint32Array(count).fill(uniform)
  stsz.expectEntries(count, 4, 'samples')
  return readU32s(stsz, count)
}

/** Section 8.7.3.3: sizes of 4, 8 or 16 bits. */
function readCompactSizes(stz2: Cursor): Uint32Array {
  stz2.fullBox()
  const bits = stz2.u32() & 0xff
  if (bits !== 4 && bits !== 8 && bits !== 16) {
    throw stz2.fault('media-mp4-invalid', `field size ${bits}, expected 4, 8 or 16`, stz2.at - 4)
  }
  const count = sampleCount(stz2)
  stz2.expectEntries(count, bits / 8, 'samples')
  const sizes = new Uint32Array(count)
  for (let sample = 0; sample < count; sample += 1) {
    if (bits === 16) sizes[sample] = stz2.u16()
    else if (bits === 8) sizes[sample] = stz2.u8()
    else {
      const pair = stz2.u8()
      sizes[sample] = pair >>> 4
      sample += 1
      if (sample < count) sizes[sample] = pair & 15
    }
  }
  return sizes
}

function sampleCount(cursor: Cursor): number {
  const count = cursor.u32()
  if (count > SAMPLES_MAX) {
    throw cursor.fault('media-mp4-limit', `${count} samples, expected at most ${SAMPLES_MAX}`, cursor.at - 4)
  }
  return count
}

/** The cursor must have been checked to hold `count` words. */
function readU32s(cursor: Cursor, count: number): Uint32Array {
  const { view, at } = cursor
  const words = new Uint32Array(count)
  for (let index = 0; index < count; index += 1) words[index] = view.getUint32(at + index * 4)
  cursor.skip(count * 4)
  return words
}

/** stco or co64 with stsc: the first sample and the place of every chunk that holds samples. */
function readChunks(
  stbl: Cursor,
  boxes: ReadonlyMap<string, Box>,
  count: number,
): { chunks: ChunkRuns; entryIndex: number } {
  const offsets = readChunkOffsets(stbl, boxes)
  const stsc = required(boxes, 'stsc', stbl)
  stsc.fullBox()
  const entries = stsc.u32()
  stsc.expectEntries(entries, 12, 'entries')
  const first = new Uint32Array(offsets.length)
  let sample = 0
  let chunk = 0
  let kept = 0
  let entryIndex: number | null = null
  for (let entry = 0; entry < entries && sample < count; entry += 1) {
    const at = stsc.at
    const firstChunk = stsc.u32()
    const samples = stsc.u32()
    const description = stsc.u32()
    if (firstChunk !== chunk + 1) {
      throw stsc.fault(
        'media-mp4-invalid',
        `entry ${entry} starts at chunk ${firstChunk}, expected ${chunk + 1}`,
        at,
      )
    }
    const nextFirst = entry + 1 < entries ? stsc.view.getUint32(stsc.at) - 1 : offsets.length
    if (nextFirst <= chunk && entry + 1 < entries) {
      throw stsc.fault(
        'media-mp4-invalid',
        `entry ${entry + 1} starts at chunk ${nextFirst + 1} again`,
        stsc.at,
      )
    }
    entryIndex ??= description - 1
    if (entryIndex !== description - 1) {
      const message = 'the track changes its sample description midway, which is not supported'
      throw stsc.fault('media-mp4-unsupported', message, at)
    }
    for (; chunk < Math.min(nextFirst, offsets.length) && sample < count; chunk += 1) {
      if (samples === 0) continue
      first[kept] = sample
      offsets[kept] = offsets[chunk] as number
      kept += 1
      sample += samples
    }
    if (chunk < nextFirst && sample < count) break
  }
  if (sample < count) {
    throw stsc.fault(
      'media-mp4-invalid',
      `${offsets.length} chunks hold ${sample} samples, expected ${count}`,
      stsc.at,
    )
  }
  return {
    chunks: { first: first.slice(0, kept), offsetBytes: offsets.slice(0, kept) },
    entryIndex: entryIndex ?? 0,
  }
}

function readChunkOffsets(stbl: Cursor, boxes: ReadonlyMap<string, Box>): Float64Array {
  const wide = boxes.get('co64')?.cursor
  const box = wide ?? required(boxes, 'stco', stbl)
  box.fullBox()
  const count = box.u32()
  box.expectEntries(count, wide === undefined ? 4 : 8, 'chunks')
  const offsets = new Float64Array(count)
  for (let chunk = 0; chunk < count; chunk += 1) offsets[chunk] = wide === undefined ? box.u32() : box.u64()
  return offsets
}

function readTiming(stts: Cursor, count: number): TimingRuns {
  stts.fullBox()
  const entries = stts.u32()
  stts.expectEntries(entries, 8, 'entries')
  const first = new Uint32Array(entries)
  const decodeTicks = new Float64Array(entries)
  const deltaTicks = new Uint32Array(entries)
  let kept = 0
  let sample = 0
  let ticks = 0
  for (let entry = 0; entry < entries && sample < count; entry += 1) {
    const at = stts.at
    const samples = stts.u32()
    const delta = stts.u32()
    if (samples === 0) continue
    // A negative delta would let time run backwards; QuickTime never wrote one on purpose.
    if (delta >= 2 ** 31)
      throw stts.fault('media-mp4-invalid', `sample duration ${delta}, expected less than 2^31`, at + 4)
    if (kept === 0 || deltaTicks[kept - 1] !== delta) {
      first[kept] = sample
      decodeTicks[kept] = ticks
      deltaTicks[kept] = delta
      kept += 1
    }
    sample += samples
    ticks += samples * delta
    if (!Number.isSafeInteger(ticks))
      throw stts.fault('media-mp4-limit', 'durations add up to more than 2^53', at)
  }
  if (sample < count) {
    throw stts.fault('media-mp4-invalid', `${sample} samples have a duration, expected ${count}`)
  }
  return {
    first: first.slice(0, kept),
    decodeTicks: decodeTicks.slice(0, kept),
    deltaTicks: deltaTicks.slice(0, kept),
  }
}

/** Version 0 is unsigned by the letter, but writers put signed offsets there; both read the same below 2^31. */
function readComposition(ctts: Cursor, count: number): CompositionRuns | null {
  ctts.fullBox()
  const entries = ctts.u32()
  ctts.expectEntries(entries, 8, 'entries')
  const first = new Uint32Array(entries + 1)
  const offsetTicks = new Int32Array(entries + 1)
  let kept = 0
  let sample = 0
  for (let entry = 0; entry < entries && sample < count; entry += 1) {
    const samples = ctts.u32()
    const offset = ctts.i32()
    if (samples === 0) continue
    if (kept === 0 || offsetTicks[kept - 1] !== offset) {
      first[kept] = sample
      offsetTicks[kept] = offset
      kept += 1
    }
    sample += samples
  }
  if (sample < count && kept > 0 && offsetTicks[kept - 1] !== 0) {
    first[kept] = sample
    kept += 1 // samples beyond the table have offset 0
  }
  if (kept === 0 || (kept === 1 && offsetTicks[0] === 0)) return null
  return { first: first.slice(0, kept), offsetTicks: offsetTicks.slice(0, kept) }
}

function readSync(stss: Cursor, count: number): Uint32Array | null {
  stss.fullBox()
  const entries = stss.u32()
  stss.expectEntries(entries, 4, 'sync samples')
  const sync = readU32s(stss, entries)
  let previous = 0
  for (let entry = 0; entry < entries; entry += 1) {
    const number = sync[entry] as number
    if (number <= previous || number > count) {
      const message = `sync sample ${number} after ${previous}, expected ascending numbers up to ${count}`
      throw stss.fault('media-mp4-invalid', message, stss.at - (entries - entry) * 4)
    }
    previous = number
    sync[entry] = number - 1
  }
  return entries === count ? null : sync
}

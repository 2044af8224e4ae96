// Owns media segments (ISO 23000-19 section 7.3.2): styp, moof and the header of mdat; the samples follow as they are.
// It refuses fields that do not fit their boxes.
import { mediaFaults } from '../faults.ts'
import { boxOf, fourccBytes, fullBoxOf, joinBytes, u32Bytes, u64Bytes } from '../mp4/write-box.ts'
import { TRACK_ID } from './write-init.ts'

/** One fragment's samples in decode order; arrays have one element a sample. */
export interface FragmentSamples {
  readonly sizes: Uint32Array
  readonly durationTicks: Uint32Array
  /** Signed: presentation may lie before decoding. */
  readonly compositionTicks: Int32Array
  /** 1: a sync sample. */
  readonly sync: Uint8Array
}

// Section 8.8.3.1: a sync sample depends on no other; any other one does.
const FLAGS_SYNC = 0x02000000
const FLAGS_NOT_SYNC = 0x01010000

const STYP_BYTES = 24
const MDAT_HEADER_BYTES = 8

/** Which fields are written for each sample, and which once. */
interface Layout {
  readonly durations: boolean
  readonly flags: 'all-sync' | 'first-sync' | 'each'
  readonly offsets: boolean
}

/** Bytes in front of the samples: styp, moof and mdat's header. */
export function fragmentHeadBytes(samples: FragmentSamples): number {
  return STYP_BYTES + moofBytes(layoutOf(samples), samples.sizes.length) + MDAT_HEADER_BYTES
}

/** Writes what stands in front of the samples. `decodeTicks` is the decode time of the first one. */
export function writeFragmentHead(
  sequence: number,
  decodeTicks: number,
  samples: FragmentSamples,
): Uint8Array {
  const layout = layoutOf(samples)
  const moof = moofBytes(layout, samples.sizes.length)
  const bytes = samples.sizes.reduce((sum, size) => sum + size, 0)
  const styp = boxOf('styp', ...['msdh', '\0\0\0\0', 'msdh', 'cmfs'].map(fourccBytes))
  const traf = boxOf(
    'traf',
    trackHeader(layout, samples),
    fullBoxOf('tfdt', 1, 0, u64Bytes(decodeTicks)),
    trackRun(layout, samples, moof + MDAT_HEADER_BYTES),
  )
  const head = boxOf('moof', fullBoxOf('mfhd', 0, 0, u32Bytes(sequence)), traf)
  if (head.length !== moof) {
    throw mediaFaults.fault('media-cmaf-unwritable', `moof of ${head.length} bytes, expected ${moof}`)
  }
  return joinBytes([styp, head, u32Bytes(bytes + MDAT_HEADER_BYTES), fourccBytes('mdat')])
}

function layoutOf({ durationTicks, compositionTicks, sync }: FragmentSamples): Layout {
  const first = durationTicks[0]
  const syncs = sync.reduce((sum, one) => sum + one, 0)
  return {
    durations: durationTicks.some(duration => duration !== first),
    flags: syncs === sync.length ? 'all-sync' : syncs === 1 && sync[0] === 1 ? 'first-sync' : 'each',
    offsets: compositionTicks.some(offset => offset !== 0),
  }
}

function moofBytes(layout: Layout, count: number): number {
  const tfhd = 20 + (layout.durations ? 0 : 4)
  const fields = 1 + (layout.durations ? 1 : 0) + (layout.flags === 'each' ? 1 : 0) + (layout.offsets ? 1 : 0)
  const trun = 20 + (layout.flags === 'first-sync' ? 4 : 0) + count * fields * 4
  return 8 + 16 + 8 + tfhd + 20 + trun
}

/** Section 8.8.7: default-base-is-moof, default flags, and the duration when all samples share it. */
function trackHeader(layout: Layout, samples: FragmentSamples): Uint8Array {
  const flags = 0x20000 | 0x20 | (layout.durations ? 0 : 0x8)
  const duration = layout.durations ? [] : [u32Bytes(samples.durationTicks[0] ?? 0)]
  const defaults = u32Bytes(layout.flags === 'all-sync' ? FLAGS_SYNC : FLAGS_NOT_SYNC)
  return fullBoxOf('tfhd', 0, flags, u32Bytes(TRACK_ID), ...duration, defaults)
}

/** Section 8.8.8, version 1: signed composition offsets. */
function trackRun(layout: Layout, samples: FragmentSamples, dataOffset: number): Uint8Array {
  const count = samples.sizes.length
  const flags =
    0x1 |
    (layout.flags === 'first-sync' ? 0x4 : 0) |
    (layout.durations ? 0x100 : 0) |
    0x200 |
    (layout.flags === 'each' ? 0x400 : 0) |
    (layout.offsets ? 0x800 : 0)
  const fields = 1 + (layout.durations ? 1 : 0) + (layout.flags === 'each' ? 1 : 0) + (layout.offsets ? 1 : 0)
  const rows = new Uint8Array(count * fields * 4)
  const view = new DataView(rows.buffer)
  let at = 0
  const put = (value: number): void => {
    view.setUint32(at, value)
    at += 4
  }
  for (let sample = 0; sample < count; sample += 1) {
    if (layout.durations) put(samples.durationTicks[sample] as number)
    put(samples.sizes[sample] as number)
    if (layout.flags === 'each') put(samples.sync[sample] === 1 ? FLAGS_SYNC : FLAGS_NOT_SYNC)
    if (layout.offsets) put((samples.compositionTicks[sample] as number) >>> 0)
  }
  const first = layout.flags === 'first-sync' ? [u32Bytes(FLAGS_SYNC)] : []
  return fullBoxOf('trun', 1, flags, u32Bytes(count), u32Bytes(dataOffset), ...first, rows)
}

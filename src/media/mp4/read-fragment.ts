// Owns fragmented input (ISO 14496-12 section 8.8): it adds the runs of each `moof` to the sample tables of `moov`.
// It refuses fragments that leave out what nothing gives a default for, and more samples than a table may have.
import { childMap, children, required } from './box.ts'
import { Cursor } from './cursor.ts'
import type { Movie, Track, TrackDefaults } from './movie.ts'
import { SAMPLES_MAX } from './read-sample-table.ts'
import { decodeTicksOf } from './sample-table.ts'
import { TableBuilder } from './table-builder.ts'
import { withoutEmptySamples } from './without-empty.ts'

/** One `moof`: 16 bytes a sample, so about 250,000 samples. */
export const MOOF_BYTES_MAX: number = 4 * 1024 * 1024

const NOT_SYNC = 0x10000 // section 8.8.3.1: sample_is_non_sync_sample

/** Collects fragments in file order; `movie()` gives the movie with complete tables. */
export class FragmentReader {
  readonly #movie: Movie
  readonly #builders = new Map<number, TableBuilder>()

  constructor(movie: Movie) {
    this.#movie = movie
    for (const track of movie.tracks) {
      const end = track.table.count === 0 ? 0 : decodeTicksOf(track.table, track.table.count)
      this.#builders.set(track.id, new TableBuilder(end))
    }
  }

  /** Adds a whole `moof` box, header included, that lies at `offset` in the file. */
  add(moof: Uint8Array, offset: number): void {
    const view = new DataView(moof.buffer, moof.byteOffset, moof.byteLength)
    const root = new Cursor(view, 'mp4', offset)
    if (moof.length > MOOF_BYTES_MAX) {
      throw root.fault('media-mp4-limit', `moof of ${moof.length} bytes, expected at most ${MOOF_BYTES_MAX}`)
    }
    const box = childMap(root).get('moof')
    if (box === undefined) throw root.fault('media-mp4-invalid', 'moof is missing')
    // Section 8.8.7.1: without a base offset, the first traf counts from the moof, later ones from the data before.
    let base = offset
    for (const traf of children(box.cursor)) {
      if (traf.type === 'traf') base = this.#addTrack(traf.cursor, offset, base)
    }
  }

  movie(): Movie {
    const tracks = this.#movie.tracks.map((track): Track => {
      const builder = this.#builders.get(track.id)
      if (builder === undefined) return track
      return { ...track, table: withoutEmptySamples(builder.appendTo(track.table)) }
    })
    return { ...this.#movie, tracks: tracks.filter(track => track.table.count > 0) }
  }

  #addTrack(traf: Cursor, moofOffset: number, base: number): number {
    const tfhd = required(
      childMap(new Cursor(traf.view, traf.path, traf.base, traf.at, traf.end)),
      'tfhd',
      traf,
    )
    const { flags } = tfhd.fullBox()
    const id = tfhd.u32()
    const trex = this.#movie.fragments?.get(id)
    let dataBase = (flags & 0x20000) !== 0 ? moofOffset : base
    if ((flags & 1) !== 0) dataBase = tfhd.u64()
    if ((flags & 2) !== 0) tfhd.skip(4)
    const defaults: TrackDefaults = {
      durationTicks: (flags & 8) !== 0 ? tfhd.u32() : (trex?.durationTicks ?? 0),
      sizeBytes: (flags & 16) !== 0 ? tfhd.u32() : (trex?.sizeBytes ?? 0),
      flags: (flags & 32) !== 0 ? tfhd.u32() : (trex?.flags ?? 0),
    }
    // Tracks that are not played still move the place of the data behind them.
    const builder = this.#builders.get(id) ?? new TableBuilder(0)
    let position = dataBase
    for (const box of children(traf)) {
      if (box.type === 'tfdt') {
        const { version } = box.cursor.fullBox()
        const ticks = version === 1 ? box.cursor.u64() : box.cursor.u32()
        if (!builder.jumpTo(ticks)) {
          const message = `decode time ${ticks} after ${builder.decodeTicks}, expected no step back`
          throw box.cursor.fault('media-mp4-invalid', message)
        }
      } else if (box.type === 'trun') position = readRun(box.cursor, builder, defaults, dataBase, position)
    }
    return position
  }
}

/** Adds one `trun` (section 8.8.8); gives the place behind its data. */
function readRun(
  trun: Cursor,
  builder: TableBuilder,
  defaults: TrackDefaults,
  dataBase: number,
  position: number,
): number {
  const { flags } = trun.fullBox()
  const count = trun.u32()
  const fields = [0x100, 0x200, 0x400, 0x800].filter(flag => (flags & flag) !== 0).length
  if (builder.count + count > SAMPLES_MAX) {
    throw trun.fault('media-mp4-limit', `${builder.count + count} samples, expected at most ${SAMPLES_MAX}`)
  }
  let place = (flags & 1) !== 0 ? dataBase + trun.i32() : position
  if (place < 0) throw trun.fault('media-mp4-invalid', `data begins at ${place}`)
  const first = (flags & 4) !== 0 ? trun.u32() : null
  if (fields > 0) trun.expectEntries(count, fields * 4, 'samples')
  builder.startChunk(place)
  for (let sample = 0; sample < count; sample += 1) {
    const durationTicks = (flags & 0x100) !== 0 ? trun.u32() : defaults.durationTicks
    const sizeBytes = (flags & 0x200) !== 0 ? trun.u32() : defaults.sizeBytes
    const own = (flags & 0x400) !== 0 ? trun.u32() : sample === 0 ? first : null
    const offsetTicks = (flags & 0x800) !== 0 ? trun.i32() : 0
    const isSync = ((own ?? (sample === 0 ? first : null) ?? defaults.flags) & NOT_SYNC) === 0
    builder.add(sizeBytes, durationTicks, offsetTicks, isSync)
    place += sizeBytes
  }
  return place
}

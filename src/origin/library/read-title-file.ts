// Owns reading a file as far as its index: the boxes at the top, moov whole, moof by moof; never the media itself.
// It refuses what is no MP4 and what ends too early, in words for the person who put the file there.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import {
  BOX_HEADER_BYTES_MAX,
  Cursor,
  FragmentReader,
  isTopLevelType,
  MOOF_BYTES_MAX,
  MOOV_BYTES_MAX,
  type Movie,
  printable,
  readBoxHeader,
  readMovie,
} from '#media'
import { originFaults } from '../faults.ts'
import { SNIFF_BYTES, sniff } from './sniff.ts'

/** Boxes at the top: 27 h of fragments of 2 s have 100,000. */
const TOP_BOXES_MAX = 200_000
/** Fragments of short GOPs lie closer than this, so that one read serves several headers. */
const WINDOW_BYTES = 16 * 1024

export interface TitleFile {
  readonly movie: Movie
  /** SHA-256 over moov and all moofs, hex. */
  readonly indexHash: string
}

interface TopBox {
  readonly type: string
  readonly offset: number
  readonly bytes: number
}

/** Reads the index of an open file of `fileBytes` bytes. */
export async function readTitleFile(handle: FileHandle, fileBytes: number): Promise<TitleFile> {
  if (fileBytes === 0) {
    throw originFaults.fault('origin-file-truncated', 'the file is empty: it has 0 bytes')
  }
  const window = new FileWindow(handle, fileBytes)
  await refuseForeign(window)
  const hash = createHash('sha256')
  let movie: Movie | null = null
  let fragments: FragmentReader | null = null
  for await (const box of topBoxes(window)) {
    if (box.type === 'moov' && movie === null) {
      const moov = await window.whole(box, MOOV_BYTES_MAX)
      hash.update(moov)
      movie = readMovie(moov, box.offset)
      if (movie.fragments !== null) fragments = new FragmentReader(movie)
    } else if (box.type === 'moof' && fragments !== null) {
      const moof = await window.whole(box, MOOF_BYTES_MAX)
      hash.update(moof)
      fragments.add(moof, box.offset)
    }
  }
  if (movie === null) {
    const message = 'the file has no index (moov): its recording or conversion was probably never finished'
    throw originFaults.fault('origin-file-truncated', message)
  }
  const complete = fragments?.movie() ?? movie
  refuseCutMedia(complete, fileBytes)
  return { movie: complete, indexHash: hash.digest('hex') }
}

/** Reads small pieces through one buffer. */
class FileWindow {
  readonly fileBytes: number
  readonly #handle: FileHandle
  readonly #buffer = Buffer.allocUnsafe(WINDOW_BYTES)
  #offset = 0
  #filled = 0

  constructor(handle: FileHandle, fileBytes: number) {
    this.#handle = handle
    this.fileBytes = fileBytes
  }

  /** Up to `count` bytes at `offset`, valid until the next call; fewer at the end of the file. */
  async peek(offset: number, count: number): Promise<Buffer> {
    const end = Math.min(offset + count, this.fileBytes)
    if (offset < this.#offset || end > this.#offset + this.#filled) {
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, WINDOW_BYTES, offset)
      this.#offset = offset
      this.#filled = bytesRead
    }
    const from = offset - this.#offset
    return this.#buffer.subarray(from, Math.min(from + (end - offset), this.#filled))
  }

  /** A box as a whole, in a buffer of its own. */
  async whole(box: TopBox, bytesMax: number): Promise<Buffer> {
    if (box.bytes > bytesMax) {
      const message = `the index ${box.type} has ${box.bytes} bytes, at most ${bytesMax} are read`
      throw originFaults.fault('origin-file-unplayable', message)
    }
    const buffer = Buffer.allocUnsafeSlow(box.bytes)
    let filled = 0
    while (filled < box.bytes) {
      const { bytesRead } = await this.#handle.read(buffer, filled, box.bytes - filled, box.offset + filled)
      if (bytesRead === 0) throw truncated(box, this.fileBytes, box.bytes - filled)
      filled += bytesRead
    }
    return buffer
  }
}

async function refuseForeign(window: FileWindow): Promise<void> {
  const head = await window.peek(0, SNIFF_BYTES)
  const type = head.toString('latin1', 4, 8)
  if (head.length >= 8 && isTopLevelType(type)) return
  const seen = sniff(head)
  const message =
    seen === null
      ? `the file is no MP4: it starts with ${printable(type)}, expected ftyp`
      : `the file is no MP4, but ${seen}`
  throw originFaults.fault('origin-file-foreign', message)
}

/** The boxes at the top, each of which must lie in the file whole. */
async function* topBoxes(window: FileWindow): AsyncGenerator<TopBox> {
  let offset = 0
  for (let count = 0; offset < window.fileBytes; count += 1) {
    if (count >= TOP_BOXES_MAX) {
      throw originFaults.fault(
        'origin-file-unplayable',
        `the file has more than ${TOP_BOXES_MAX} boxes at its top`,
      )
    }
    const bytes = await window.peek(offset, BOX_HEADER_BYTES_MAX)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const header = readBoxHeader(new Cursor(view, 'mp4', offset))
    // A few zeros behind the last box are padding.
    if (header === null) return
    if (count > 0 && /^\0{4}$/.test(header.type) && header.bytes === null) return
    const box = { type: header.type, offset, bytes: header.bytes ?? window.fileBytes - offset }
    if (offset + box.bytes > window.fileBytes) {
      throw truncated(box, window.fileBytes, offset + box.bytes - window.fileBytes)
    }
    yield box
    offset += box.bytes
  }
}

function truncated(box: TopBox, fileBytes: number, missing: number): Error {
  const message = `the file is cut off: ${missing} bytes are missing at its end (box ${printable(box.type)} at ${box.offset} has ${box.bytes} bytes, the file ends at ${fileBytes})`
  return originFaults.fault('origin-file-truncated', message, { facts: { missingBytes: missing } })
}

/** The index may lie in front of media that never came. */
function refuseCutMedia(movie: Movie, fileBytes: number): void {
  for (const { table } of movie.tracks) {
    const { first, offsetBytes } = table.chunks
    // Every chunk, not only the one that begins last: a size that lies reaches far from anywhere.
    let end = 0
    for (let chunk = 0; chunk < first.length; chunk += 1) {
      let chunkEnd = offsetBytes[chunk] as number
      const last = first[chunk + 1] ?? table.count
      for (let sample = first[chunk] as number; sample < last; sample += 1) {
        chunkEnd += table.sizes[sample] as number
      }
      end = Math.max(end, chunkEnd)
    }
    if (end > fileBytes) {
      const message = `the file is cut off: its index names media up to byte ${end}, so ${end - fileBytes} bytes are missing`
      throw originFaults.fault('origin-file-truncated', message, { facts: { missingBytes: end - fileBytes } })
    }
  }
}

// Owns viewers' records on disk until the control room has them: appended to segments with checksums, bounded, the
// oldest dropped and counted. A record is in the page cache when `add` resolves, and on the disk a second later.
import { closeSync, fdatasync, ftruncateSync, openSync, read as readFile, rmSync, write } from 'node:fs'
import { type Closable, type Log, messageOf } from '#base'
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEAD_BYTES,
  BLOCK_RECORDS_MAX,
  linesOf,
  readBlock,
  writeBlock,
} from './block.ts'
import { findSegments, type Segment, segmentFile } from './segments.ts'

const SYNC_MS = 500
/** Records that wait for the disk; beyond it the disk is too slow, and they are dropped. */
const WAITING_CHARACTERS_MAX: number = 16 * 1024 * 1024
/** Of one write. */
const WRITE_BYTES_MAX: number = 1024 * 1024
const READ_BYTES: number = 2 * (BLOCK_BYTES_MAX * 2 + BLOCK_HEAD_BYTES)
const SEGMENTS = 16
const SEGMENT_BYTES_MIN: number = 64 * 1024
const SEGMENT_BYTES_MAX: number = 8 * 1024 * 1024

export interface SpoolOptions {
  readonly folder: string
  readonly bytesMax: number
  /** Changes with each boot. */
  readonly hostId: string
  readonly log: Log
}

/** Why records that had been taken are gone. */
export type SpoolLoss = 'spool-full' | 'spool-slow' | 'spool-failed' | 'spool-damaged'

export interface Batch {
  readonly first: number
  /** Behind the last. */
  readonly end: number
  readonly lines: readonly string[]
}

/** Where a reader stands: a byte of a segment, and the record that begins there. */
interface Cursor {
  segment: Segment
  offset: number
  number: number
}

export class Spool implements Closable {
  readonly id: string
  readonly lost: Record<SpoolLoss, number> = {
    'spool-full': 0,
    'spool-slow': 0,
    'spool-failed': 0,
    'spool-damaged': 0,
  }
  readonly #options: SpoolOptions
  readonly #segmentBytes: number
  readonly #segments: Segment[]
  readonly #timer: NodeJS.Timeout
  #fd: number
  #next: number
  /** All below it are with the control room. */
  #released = 0
  #bytes = 0
  #waiting: string[] = []
  #waitingCharacters = 0
  #told: (() => void)[] = []
  #isWriting = false
  #isDirty = false
  #isFailing = false
  #isClosed = false
  #cursor: Cursor | null = null

  constructor(options: SpoolOptions) {
    this.#options = options
    const { folder, hostId, bytesMax, log } = options
    const share = Math.floor(bytesMax / SEGMENTS)
    this.#segmentBytes = Math.min(SEGMENT_BYTES_MAX, Math.max(SEGMENT_BYTES_MIN, share))
    const { spool, segments, next } = findSegments(folder, hostId, log)
    this.id = spool
    this.#next = next
    this.#segments = segments
    for (const { bytes } of segments) this.#bytes += bytes
    const newest = segments.at(-1)
    if (newest === undefined || newest.end !== next) this.#segments.push(this.#segmentFrom(next))
    this.#released = this.first
    this.#fd = openSync(this.#newest.file, 'a', 0o640)
    this.#timer = setInterval(() => this.#sync(), SYNC_MS)
  }

  /** Number of the oldest record that is held. */
  get first(): number {
    return this.#segments[0]?.first ?? this.#next
  }

  /** Number of the next record. */
  get next(): number {
    return this.#next
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Records that wait for the control room, without gaps of numbers. */
  get waiting(): number {
    let records = 0
    for (const { first, end } of this.#segments) records += Math.max(0, end - Math.max(first, this.#released))
    return records
  }

  /** Takes lines; resolves when the kernel has them, or when they are dropped and counted. */
  add(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return Promise.resolve()
    if (this.#waitingCharacters > WAITING_CHARACTERS_MAX || this.#isClosed) {
      this.lost['spool-slow'] += lines.length
      return Promise.resolve()
    }
    for (const line of lines) {
      this.#waiting.push(line)
      this.#waitingCharacters += line.length
    }
    return new Promise(resolve => {
      this.#told.push(resolve)
      // What comes in the same turn goes out in the same write.
      if (this.#told.length === 1) setImmediate(() => this.#flush())
    })
  }

  /** Records from `from` on, at most so many and so long; null: there are none. One reader at a time. */
  async read(from: number, recordsMax: number, charactersMax: number): Promise<Batch | null> {
    const lines: string[] = []
    let characters = 0
    let first = -1
    let number = from
    for (;;) {
      const part = await this.#readPart(number, recordsMax - lines.length, charactersMax - characters)
      if (part === null) break
      // Numbers that were never given end a batch: its records are numbered without a gap.
      if (first >= 0 && part.first !== number) break
      if (first < 0) first = part.first
      for (const line of part.lines) {
        lines.push(line)
        characters += line.length + 1
      }
      number = part.end
    }
    return first < 0 ? null : { first, end: number, lines }
  }

  /** All below `next` are with the control room: their files go, but never the one that is written to. */
  release(next: number): void {
    this.#released = Math.max(this.#released, next)
    for (;;) {
      const [oldest] = this.#segments
      if (oldest === undefined || this.#segments.length < 2 || oldest.end > next) return
      this.#drop(oldest)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.written()
    this.#isClosed = true
    clearInterval(this.#timer)
    if (this.#isDirty) await new Promise<void>(resolve => fdatasync(this.#fd, () => resolve()))
    closeSync(this.#fd)
  }

  /** When it resolves, what had been added is with the kernel or counted as lost. */
  async written(): Promise<void> {
    while (this.#waiting.length > 0 || this.#isWriting) {
      await new Promise<void>(resolve => {
        this.#told.push(resolve)
        setImmediate(() => this.#flush())
      })
    }
  }

  get #newest(): Segment {
    const newest = this.#segments.at(-1)
    if (newest === undefined) throw new TypeError('a spool has at least one segment')
    return newest
  }

  #segmentFrom(first: number): Segment {
    return { first, end: first, bytes: 0, file: segmentFile(this.#options.folder, first) }
  }

  /** One write at a time; what comes meanwhile is in the next. */
  #flush(): void {
    if (this.#isWriting || this.#isClosed) return
    const told = this.#told
    this.#told = []
    if (this.#waiting.length === 0) {
      for (const tell of told) tell()
      return
    }
    this.#isWriting = true
    this.#rotate()
    const { bytes, count } = this.#takeWaiting()
    const segment = this.#newest
    const over = (problem: unknown): void => {
      this.#isWriting = false
      if (problem === null) {
        this.#isFailing = false
        this.#isDirty = true
        segment.bytes += bytes.length
        segment.end += count
        this.#next += count
        this.#bytes += bytes.length
        this.#bound()
      } else this.#failed(problem, count)
      if (this.#waiting.length === 0) for (const tell of told) tell()
      else this.#told.unshift(...told)
      if (this.#told.length > 0) this.#flush()
    }
    this.#writeWhole(bytes, 0, segment.bytes, over)
  }

  #writeWhole(bytes: Buffer, at: number, offset: number, over: (problem: unknown) => void): void {
    write(this.#fd, bytes, at, bytes.length - at, null, (error, written) => {
      if (error !== null) return this.#cut(offset, () => over(error))
      if (at + written < bytes.length) return this.#writeWhole(bytes, at + written, offset, over)
      over(null)
    })
  }

  /** A block that was written in part is taken back, or what follows it could not be read. */
  #cut(offset: number, done: () => void): void {
    try {
      truncateTo(this.#newest.file, offset)
    } catch (error) {
      this.#options.log.error('viewer-spool-failed', { problem: messageOf(error) })
    }
    done()
  }

  #takeWaiting(): { bytes: Buffer; count: number } {
    const blocks: Buffer[] = []
    let count = 0
    let bytes = 0
    let at = 0
    while (at < this.#waiting.length && bytes < WRITE_BYTES_MAX) {
      let characters = 0
      const from = at
      while (at < this.#waiting.length && at - from < BLOCK_RECORDS_MAX && characters < BLOCK_BYTES_MAX) {
        characters += (this.#waiting[at]?.length ?? 0) + 1
        at += 1
      }
      this.#waitingCharacters -= characters - (at - from)
      const block = writeBlock(this.#waiting.slice(from, at))
      blocks.push(block)
      bytes += block.length
      count += at - from
    }
    this.#waiting = at === this.#waiting.length ? [] : this.#waiting.slice(at)
    const [only] = blocks
    return { bytes: blocks.length === 1 && only !== undefined ? only : Buffer.concat(blocks), count }
  }

  #failed(problem: unknown, count: number): void {
    if (!this.#isFailing) this.#options.log.error('viewer-spool-failed', { problem: messageOf(problem) })
    this.#isFailing = true
    this.lost['spool-failed'] += count
  }

  #rotate(): void {
    if (this.#newest.bytes >= this.#segmentBytes) this.#begin()
  }

  /** Another file for what comes next. */
  #begin(): void {
    if (this.#newest.first === this.#next) return
    try {
      const segment = this.#segmentFrom(this.#next)
      const fd = openSync(segment.file, 'a', 0o640)
      const old = this.#fd
      this.#fd = fd
      this.#segments.push(segment)
      fdatasync(old, () => closeSync(old))
      this.release(this.#released)
    } catch (error) {
      this.#failed(error, 0) // the old segment grows instead
    }
  }

  /** The oldest go when there is too much. */
  #bound(): void {
    while (this.#bytes > this.#options.bytesMax && this.#segments.length > 1) {
      const [oldest] = this.#segments
      if (oldest === undefined) return
      this.lost['spool-full'] += Math.max(0, oldest.end - Math.max(oldest.first, this.#released))
      this.#drop(oldest)
    }
  }

  #drop(segment: Segment): void {
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    this.#bytes -= segment.bytes
    if (this.#cursor?.segment === segment) this.#cursor = null
    rmSync(segment.file, { force: true })
  }

  #sync(): void {
    if (!this.#isDirty || this.#isWriting) return
    this.#isDirty = false
    fdatasync(this.#fd, error => {
      if (error !== null && !this.#isClosed) this.#isDirty = true
    })
  }

  /** Whole blocks from one read of one segment. */
  async #readPart(from: number, recordsMax: number, charactersMax: number): Promise<Batch | null> {
    if (recordsMax <= 0) return null
    const cursor = this.#seek(from)
    if (cursor === null) return null
    const { segment } = cursor
    const bytes = await readAt(
      segment.file,
      cursor.offset,
      Math.min(READ_BYTES, segment.bytes - cursor.offset),
    )
    let at = 0
    let { number } = cursor
    let first = -1
    const lines: string[] = []
    let characters = 0
    for (;;) {
      const block = readBlock(bytes.subarray(at))
      if (block === 'short' && at > 0) break
      if (typeof block === 'string') {
        this.#skipDamaged(segment, Math.max(from, number))
        break
      }
      if (number + block.count > from) {
        const isFull = lines.length + block.count > recordsMax || characters + block.bytes > charactersMax
        if (isFull) break
        const skipped = Math.max(0, from - number)
        if (first < 0) first = number + skipped
        for (const line of linesOf(bytes.subarray(at), block).slice(skipped)) lines.push(line)
        characters += block.bytes
      }
      at += block.bytes
      number += block.count
      if (cursor.offset + at >= segment.bytes) break
    }
    if (this.#segments.includes(segment)) this.#cursor = { segment, offset: cursor.offset + at, number }
    if (first >= 0) return { first, end: number, lines }
    // Nothing but records before `from`: on to what follows.
    return at > 0 && number <= from && number < this.#next
      ? await this.#readPart(from, recordsMax, charactersMax)
      : null
  }

  /** The place of the first record at or behind `from`; null: there is none. */
  #seek(from: number): Cursor | null {
    const segment = this.#segments.find(({ first, end }) => end > from && end > first)
    if (segment === undefined) return null
    const known = this.#cursor
    if (known !== null && known.segment === segment && known.number <= Math.max(from, segment.first)) {
      if (known.offset < segment.bytes) return known
    }
    return { segment, offset: 0, number: segment.first }
  }

  /** Gives up what follows a block that cannot be read. */
  #skipDamaged(segment: Segment, number: number): void {
    if (!this.#segments.includes(segment)) return // dropped while it was read
    if (segment === this.#newest) {
      if (this.#isWriting) return // asked again later
      this.#begin()
    }
    this.lost['spool-damaged'] += Math.max(0, segment.end - number)
    this.#options.log.error('viewer-spool-damaged', { file: segment.file, lost: segment.end - number })
    segment.end = number
  }
}

function truncateTo(file: string, bytes: number): void {
  const fd = openSync(file, 'r+')
  try {
    ftruncateSync(fd, bytes)
  } finally {
    closeSync(fd)
  }
}

function readAt(file: string, offset: number, length: number): Promise<Buffer> {
  return new Promise(resolve => {
    let fd: number
    try {
      fd = openSync(file, 'r')
    } catch {
      return resolve(Buffer.alloc(0)) // dropped meanwhile
    }
    const bytes = Buffer.allocUnsafe(length)
    readFile(fd, bytes, 0, length, offset, (error, count) => {
      closeSync(fd)
      resolve(error === null ? bytes.subarray(0, count) : Buffer.alloc(0))
    })
  })
}

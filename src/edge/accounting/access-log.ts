// Owns the access log: lines collect in memory that outlives a kill, and are appended to access.log ten times a second;
// files are renamed by size and the oldest is dropped. It never makes an answer wait: lines that find no room are counted.
import { closeSync, constants, fstatSync, openSync, renameSync, statSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, type Log, mapFile } from '#base'
import { LINE_BYTES_MAX } from './access-line.ts'

const FLUSH_MS = 100
/** Two of them: one collects while the other is written. At 10,000 answers a second one holds 150 ms. */
const HALF_BYTES = 512 * 1024
const HEAD_BYTES = 64
/** More than this is not left for the next tenth of a second. */
const EARLY_BYTES = HALF_BYTES / 2

export interface AccessLogOptions {
  readonly folder: string
  /** A file that has reached this is renamed. */
  readonly bytesMax: number
  /** access.log, access.1.log, and so on. */
  readonly filesMax: number
  readonly log: Log
}

/** Lines for one place of one file; the head says where, so that writing them twice does no harm. */
class Half {
  readonly #head: Buffer
  readonly data: Buffer

  constructor(memory: ArrayBuffer, at: number) {
    this.#head = Buffer.from(memory, at, HEAD_BYTES)
    this.data = Buffer.from(memory, at + HEAD_BYTES, HALF_BYTES - HEAD_BYTES)
  }

  get length(): number {
    return this.#head.readUInt32LE(0)
  }
  get offset(): number {
    return this.#head.readDoubleLE(8)
  }
  get inode(): number {
    return this.#head.readDoubleLE(16)
  }

  /** Empty, for what follows at `offset`. */
  begin(inode: number, offset: number): void {
    this.#head.writeUInt32LE(0, 0)
    this.#head.writeDoubleLE(offset, 8)
    this.#head.writeDoubleLE(inode, 16)
  }

  /** The same lines for another place; a kill in the middle finds them nowhere rather than in the wrong one. */
  move(inode: number, offset: number): void {
    const { length } = this
    this.begin(inode, offset)
    this.#head.writeUInt32LE(length, 0)
  }

  /** A line of ASCII; false: no room. The length is told last, so that a kill leaves whole lines. */
  add(line: string): boolean {
    const { length } = this
    if (this.data.length - length < LINE_BYTES_MAX) return false
    this.#head.writeUInt32LE(length + this.data.write(line, length, 'latin1'), 0)
    return true
  }
}

export class AccessLog {
  /** Lines that found no room: the disk is full, or slower than the edge. */
  dropped = 0
  readonly #options: AccessLogOptions
  readonly #timer: NodeJS.Timeout
  #filling: Half
  #other: Half
  #fd: number
  #isWriting = false
  #isFailing = false
  #isClosed = false
  #waiting: (() => void)[] = []

  constructor(options: AccessLogOptions) {
    this.#options = options
    const folder = ensureFolder(options.folder)
    const memory = mapFile(join(folder, 'unwritten'), HALF_BYTES * 2) ?? new ArrayBuffer(HALF_BYTES * 2)
    this.#filling = new Half(memory, 0)
    this.#other = new Half(memory, HALF_BYTES)
    this.#recover()
    this.#fd = openLog(this.#file(0))
    this.#begin()
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS)
  }

  add(line: string): void {
    if (!this.#filling.add(line)) {
      this.#flush()
      if (!this.#filling.add(line)) this.dropped += 1
    } else if (this.#filling.length > EARLY_BYTES) this.#flush()
  }

  /** When it resolves, what had been added is in the file, or the disk has refused it. */
  async written(): Promise<void> {
    this.#flush()
    while (this.#isWriting) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      if (!this.#isFailing) this.#flush()
    }
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    clearInterval(this.#timer)
    await this.written()
    this.#isClosed = true
    try {
      for (const half of this.#inOrder()) writeWhole(this.#fd, half)
      for (const half of this.#inOrder()) half.begin(0, 0)
    } catch (error) {
      this.#fail(error)
    }
    closeSync(this.#fd)
  }

  /** One write at a time; one that failed is tried again first. */
  #flush(): void {
    if (this.#isWriting || this.#isClosed) return
    if (this.#other.length === 0) {
      if (this.#filling.length === 0) return
      const full = this.#filling
      this.#other.begin(full.inode, full.offset + full.length)
      this.#filling = this.#other
      this.#other = full
    }
    this.#isWriting = true
    this.#writeFrom(0)
  }

  #writeFrom(at: number): void {
    const half = this.#other
    write(this.#fd, half.data, at, half.length - at, half.offset + at, (error, bytes) => {
      if (error === null && at + bytes < half.length) return this.#writeFrom(at + bytes)
      this.#isWriting = false
      if (error === null) {
        const { inode, offset, length } = half
        half.begin(inode, offset + length)
        this.#isFailing = false
        this.#rotate(offset + length)
      } else this.#fail(error)
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
  }

  #fail(error: unknown): void {
    if (!this.#isFailing) this.#options.log.error('access-log-failed', { error })
    this.#isFailing = true
  }

  /** Between two writes, so that no line is torn. What has collected meanwhile goes to the new file. */
  #rotate(bytes: number): void {
    const { bytesMax, filesMax } = this.#options
    if (bytes < bytesMax || this.#isClosed) return
    try {
      for (let at = filesMax - 1; at > 0; at -= 1) {
        if (statSync(this.#file(at - 1), { throwIfNoEntry: false }) === undefined) continue
        renameSync(this.#file(at - 1), this.#file(at))
      }
      const old = this.#fd
      this.#fd = openLog(this.#file(0), filesMax === 1)
      closeSync(old)
      const { ino } = fstatSync(this.#fd)
      // What collected meanwhile was meant for the end of the old file.
      this.#filling.move(ino, 0)
      this.#other.begin(ino, 0)
    } catch (error) {
      this.#fail(error)
    }
  }

  #begin(): void {
    const { ino, size } = fstatSync(this.#fd)
    this.#filling.begin(ino, size)
    this.#other.begin(ino, size)
  }

  /** Puts lines that a killed process left where they belong. */
  #recover(): void {
    for (const half of this.#inOrder()) {
      if (half.length === 0 || half.length > half.data.length) continue
      for (let at = 0; at < this.#options.filesMax; at += 1) {
        const found = statSync(this.#file(at), { throwIfNoEntry: false })
        // After a power cut the file may be shorter than these lines believe.
        if (found === undefined || found.ino !== half.inode || found.size < half.offset) continue
        const fd = openLog(this.#file(at))
        try {
          writeWhole(fd, half)
        } catch (error) {
          this.#fail(error)
        } finally {
          closeSync(fd)
        }
      }
    }
  }

  #inOrder(): Half[] {
    return [this.#filling, this.#other].sort((a, b) => a.offset - b.offset)
  }

  #file(at: number): string {
    return join(this.#options.folder, at === 0 ? 'access.log' : `access.${at}.log`)
  }
}

/** Without O_APPEND: every write says where it goes. */
function openLog(file: string, anew = false): number {
  return openSync(file, constants.O_RDWR | constants.O_CREAT | (anew ? constants.O_TRUNC : 0), 0o640)
}

function writeWhole(fd: number, half: Half): void {
  for (let at = 0; at < half.length; ) {
    at += writeSync(fd, half.data, at, half.length - at, half.offset + at)
  }
}

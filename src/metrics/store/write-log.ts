// Owns the append-only log: numbered segment files, written before a write is acknowledged, synced within a second.
// It refuses a record that the disk does not take whole, and leaves the file as it was before.
import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, type Log, messageOf } from '#base'
import { metricsFaults } from '../faults.ts'
import { frame, type Scan, scan } from './log-frame.ts'

const SYNC_EVERY_MS = 1000 // DESIGN: fdatasync at most 1 s later
const SEGMENT_NAME = /^(\d{10})\.log$/

interface Segment {
  readonly fd: number
  readonly sequence: number
  bytes: number
  /** Bytes that may stand after `bytes`, left by a failed write; cut off before the next one. */
  torn: boolean
}

export class WriteLog {
  readonly #folder: string
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  #current: Segment
  #closedBytes: number
  #dirty = false
  #syncing: Promise<void> = Promise.resolve()
  #busy = false

  /** Appends go to segment `sequence`, which is made when it is missing; `closedBytes` stand in those before it. */
  constructor(folder: string, sequence: number, log: Log, closedBytes = 0) {
    this.#closedBytes = closedBytes
    this.#folder = folder
    this.#log = log
    this.#current = openSegment(folder, sequence)
    this.#timer = setInterval(() => this.#syncSoon(), SYNC_EVERY_MS)
  }

  get bytes(): number {
    return this.#closedBytes + this.#current.bytes
  }

  /** When it returns, the record is with the kernel: it survives the death of this process. */
  append(parts: readonly Buffer[]): void {
    const record = frame(parts)
    const segment = this.#current
    try {
      if (segment.torn) {
        ftruncateSync(segment.fd, segment.bytes)
        segment.torn = false
      }
      let written = 0
      while (written < record.length) {
        written += writeSync(segment.fd, record, written, record.length - written, segment.bytes + written)
      }
    } catch (error) {
      segment.torn = true
      throw writeFault(error, this.#folder)
    }
    segment.bytes += record.length
    this.#dirty = true
  }

  /** Starts the next segment and gives the number of the one that is now complete. */
  rotate(): number {
    const closed = this.#current
    try {
      this.#current = openSegment(this.#folder, closed.sequence + 1)
    } catch (error) {
      throw writeFault(error, this.#folder)
    }
    this.#closedBytes += closed.bytes
    this.#dirty = true
    this.#syncing = this.#syncing
      .then(() => sync(closed.fd))
      .then(() => syncFolder(this.#folder))
      .catch((error: unknown) => this.#log.error('metrics-log-sync-failed', { error }))
      .finally(() => closeSync(closed.fd))
    return closed.sequence
  }

  /** Deletes segments up to `sequence`: SQLite holds what they held. */
  dropThrough(sequence: number): void {
    for (const segment of listSegments(this.#folder)) {
      if (segment <= sequence) rmSync(segmentFile(this.#folder, segment), { force: true })
    }
    this.#closedBytes = 0
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#syncing
    try {
      fdatasyncSync(this.#current.fd)
    } finally {
      closeSync(this.#current.fd)
    }
  }

  /** One sync at a time; a slow disk makes them rarer, never a queue of them. */
  #syncSoon(): void {
    if (!this.#dirty || this.#busy) return
    this.#dirty = false
    this.#busy = true
    const { fd } = this.#current
    this.#syncing = this.#syncing
      .then(() => sync(fd))
      .catch((error: unknown) => {
        this.#dirty = true
        this.#log.error('metrics-log-sync-failed', { error })
      })
      .finally(() => {
        this.#busy = false
      })
  }
}

export interface Replayed {
  readonly segments: readonly number[]
  readonly records: number
  /** Size of all segments but the last one, which is appended to. */
  readonly closedBytes: number
}

/** Reads all segments after `checkpoint` in order, and cuts a torn tail off the last one. */
export function replay(
  folder: string,
  checkpoint: number,
  log: Log,
  onRecord: (payload: Buffer) => boolean,
): Replayed {
  const segments = listSegments(folder)
  let records = 0
  let closedBytes = 0
  for (const sequence of segments) {
    const file = segmentFile(folder, sequence)
    if (sequence <= checkpoint) {
      // A crash came between the commit and the deletion: SQLite has all of it.
      rmSync(file, { force: true })
      continue
    }
    const bytes = readFileSync(file)
    const result = scan(bytes, onRecord)
    records += result.records
    report(log, file, bytes.length, result)
    if (result.goodBytes < bytes.length) truncateSync(file, result.goodBytes)
    if (sequence !== segments.at(-1)) closedBytes += result.goodBytes
  }
  return { segments: segments.filter(sequence => sequence > checkpoint), records, closedBytes }
}

function report(log: Log, file: string, bytes: number, result: Scan): void {
  const tornBytes = bytes - result.goodBytes
  if (tornBytes > 0) log.warn('metrics-log-torn-tail-cut', { file, atByte: result.goodBytes, tornBytes })
  if (result.damagedBytes > 0) {
    log.error('metrics-log-damaged', { file, damagedBytes: result.damagedBytes, goodRecords: result.records })
  }
}

/** Without O_APPEND, so that a positioned write overwrites what a failed one left. */
function openSegment(folder: string, sequence: number): Segment {
  const fd = openSync(segmentFile(folder, sequence), constants.O_RDWR | constants.O_CREAT, 0o600)
  return { fd, sequence, bytes: fstatSync(fd).size, torn: false }
}

export function listSegments(folder: string): number[] {
  const found: number[] = []
  for (const name of readdirSync(folder)) {
    const match = SEGMENT_NAME.exec(name)
    if (match !== null) found.push(Number(match[1]))
  }
  return found.sort((a, b) => a - b)
}

export function segmentFile(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(10, '0')}.log`)
}

function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, error => (error === null ? resolve() : reject(error)))
  })
}

/** Makes the name of a new segment survive power loss. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

// EFBIG is a limit on file size (ulimit -f): it too ends when somebody gives more room.
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

export function writeFault(error: unknown, folder: string): Fault {
  if (error instanceof Fault) return error
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (FULL.has(code) || code === 'SQLITE_FULL') {
    const message = `no space for samples in ${folder}: ${messageOf(error)}`
    return metricsFaults.fault('metrics-store-disk-full', message, { cause: error, facts: { folder } })
  }
  const message = `cannot write samples to ${folder}: ${messageOf(error)}`
  return metricsFaults.fault('metrics-store-failed', message, { cause: error, facts: { folder } })
}

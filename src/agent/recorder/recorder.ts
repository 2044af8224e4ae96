// Owns the flight recorder: ten to twenty minutes of what the agent measured, in two files that take turns, so that
// what was not delivered outlives a crash and a power cut. It refuses to grow beyond 16 MB and to slow a pass down.
import { closeSync, fdatasync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Closable, createThrottle, ensureFolder, type Labels, type Log, messageOf } from '#base'
import type { Pass } from '../push/pass.ts'
import {
  type ProcessShare,
  packNumbers,
  packValues,
  type RecorderRecord,
  readFrames,
  writeFrame,
} from './frame.ts'

const FILE_BYTES_MAX = 8 * 1024 * 1024
const FILE_PASSES_MAX = 600 // ten minutes; the other file holds the ten before
/** What a power cut may cost; a sync each second would wear cheap disks. */
const SYNC_EVERY_MS = 2000
const LOG_EVERY_MS = 600_000
const NAMES = ['a.rec', 'b.rec'] as const

export interface Moment {
  readonly fleetMs: number | null
  readonly wallMs: number
  readonly top?: readonly ProcessShare[]
  readonly kernel?: readonly string[]
  readonly kernelRead?: boolean
}

/** The recordings in a folder, the older file first. Empty where there are none. */
export function readRecordings(folder: string): RecorderRecord[][] {
  const files = NAMES.map(name => {
    const file = join(folder, name)
    try {
      return { changedMs: statSync(file).mtimeMs, records: readFrames(readFileSync(file)) }
    } catch {
      return { changedMs: 0, records: [] }
    }
  })
  return files.toSorted((a, b) => a.changedMs - b.changedMs).map(({ records }) => records)
}

export class Recorder implements Closable {
  readonly #folder: string
  readonly #boot: string
  readonly #log: Log
  readonly #throttle = createThrottle(LOG_EVERY_MS)
  readonly #sync: NodeJS.Timeout
  #numbers = new Map<Labels, number>()
  #fd: number | null = null
  #which = 0
  #bytes = 0
  #passes = 0
  #ackedMs: number | null = null
  #notesAckedMs: number | null = null
  #dirty = false

  /** Begins in the file that was written less lately: the other one holds what came before. */
  constructor(folder: string, boot: string, log: Log) {
    this.#folder = ensureFolder(folder)
    this.#boot = boot
    this.#log = log
    this.#which = olderOf(folder)
    this.#open()
    this.#sync = setInterval(() => this.#syncSoon(), SYNC_EVERY_MS)
    this.#sync.unref()
  }

  /** Everything up to this BOOTTIME was taken; the next record says so. */
  acked(bootMs: number): void {
    this.#ackedMs = Math.max(bootMs, this.#ackedMs ?? bootMs)
  }

  /** The same of top processes and kernel messages. */
  notesAcked(bootMs: number): void {
    this.#notesAckedMs = Math.max(bootMs, this.#notesAckedMs ?? bootMs)
  }

  /** Keeps one pass. A disk that is full costs the record, never the pass. */
  add(pass: Pass, moment: Moment): void {
    try {
      if (this.#bytes > FILE_BYTES_MAX || this.#passes >= FILE_PASSES_MAX) this.#turn()
      this.#write(pass, moment)
    } catch (error) {
      // Half a frame must not hide those that follow it.
      this.#turn()
      const { pass: say, dropped } = this.#throttle('recorder', performance.now())
      if (say) this.#log.warn('flight-recorder-failed', { problem: messageOf(error), dropped })
    }
  }

  close(): void {
    clearInterval(this.#sync)
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #write(pass: Pass, { fleetMs, wallMs, top, kernel, kernelRead }: Moment): void {
    if (this.#fd === null) this.#open()
    if (this.#fd === null) return
    const fresh: [number, Labels][] = []
    const numbers = pass.labels.map(labels => {
      const known = this.#numbers.get(labels)
      if (known !== undefined) return known
      const number = this.#numbers.size
      this.#numbers.set(labels, number)
      fresh.push([number, labels])
      return number
    })
    const frame = writeFrame({
      boot: this.#boot,
      bootMs: pass.bootMs,
      fleetMs,
      wallMs,
      ackedMs: this.#ackedMs,
      notesAckedMs: this.#notesAckedMs,
      labels: fresh,
      series: packNumbers(numbers),
      values: packValues(pass.values),
      ...(top === undefined ? {} : { top: [...top], kernelRead }),
      ...(kernel === undefined || kernel.length === 0 ? {} : { kernel: [...kernel] }),
    })
    const written = writeSync(this.#fd, frame)
    if (written < frame.length) throw new Error(`${written} of ${frame.length} bytes were written`)
    this.#bytes += frame.length
    this.#passes += 1
    this.#dirty = true
  }

  #turn(): void {
    this.#which = 1 - this.#which
    this.#open()
  }

  /** Makes the current file empty and goes on in it. */
  #open(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
    this.#numbers = new Map()
    this.#bytes = 0
    this.#passes = 0
    try {
      this.#fd = openSync(join(this.#folder, NAMES[this.#which] ?? NAMES[0]), 'a', 0o600)
      ftruncateSync(this.#fd, 0)
    } catch (error) {
      const { pass: say, dropped } = this.#throttle('recorder-open', performance.now())
      if (say) this.#log.warn('flight-recorder-failed', { problem: messageOf(error), dropped })
    }
  }

  #syncSoon(): void {
    if (!this.#dirty || this.#fd === null) return
    this.#dirty = false
    // Off the main thread; a failure shows at the next write.
    fdatasync(this.#fd, () => undefined)
  }
}

function olderOf(folder: string): number {
  const [a, b] = NAMES.map(name => {
    try {
      return statSync(join(folder, name)).mtimeMs
    } catch {
      return 0
    }
  })
  return (a ?? 0) <= (b ?? 0) ? 0 : 1
}

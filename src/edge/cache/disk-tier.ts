// Owns the cache files: one an object, least recently used out first, bounded by bytes. It never serves a file
// whose checksums are wrong, and never fails a viewer: without a usable disk the edge goes on with memory alone.
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, createThrottle, type Log, messageOf } from '#base'
import { decodeFile, encodeHead, type FileFacts } from './disk-file.ts'
import { bodyOf, HEAD_ROOM_BYTES, type StoredObject } from './stored.ts'

/** Objects that wait to be written; more are not kept on disk (they are in memory, or fetched again). */
const PENDING_BYTES_MAX = 64 * 1024 * 1024
/** After a failed write the disk is left alone for this long, then tried: a full disk does not empty itself in a second. */
const REST_MS = 30_000
const FILES_MAX = 1_000_000
/** stat calls under way at once while the index is rebuilt. */
const SCAN_PARALLEL = 32
const LOG_PERIOD_MS = 60_000
const fileName = /^[0-9a-f]{64}$/
/** What is written to see whether there is room again is as large as what did not fit, up to this. */
const TRIAL_BYTES_MAX = 1024 * 1024
const noRoom: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])

/** Why the last write failed: no room is left, or the disk takes nothing for another reason. */
export type DiskTrouble = 'full' | 'error'

export interface DiskOptions {
  readonly folder: string
  readonly bytesMax: number
  readonly hostId: string
  readonly clock: Clock
  readonly log: Log
}

export interface DiskCounts {
  writeFailures: number
  writesSkipped: number
  broken: number
}

/** A file as read: facts, and a buffer with HEAD_ROOM_BYTES of room before the body. */
export interface DiskHit {
  readonly facts: FileFacts
  readonly room: Buffer
}

/** Whole files by key. The index holds names and sizes only. */
export class DiskTier {
  readonly counts: DiskCounts = { writeFailures: 0, writesSkipped: 0, broken: 0 }
  readonly #options: DiskOptions
  readonly #throttle = createThrottle(LOG_PERIOD_MS)
  /** Name to size, least recently used first. */
  readonly #index = new Map<string, number>()
  #bytes = 0
  #pendingBytes = 0
  #restUntilMs = 0
  #trouble: { readonly why: DiskTrouble; readonly bytes: number } | null = null
  #trial: NodeJS.Timeout | null = null
  #tail: Promise<void> = Promise.resolve()
  #sequence = 0

  constructor(options: DiskOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Null: what was written last is there. */
  get trouble(): DiskTrouble | null {
    return this.#trouble?.why ?? null
  }

  /** Rebuilds the index from names and sizes, oldest first, and removes what a crash left half written. */
  async scan(): Promise<void> {
    const { folder } = this.#options
    const found: { name: string; bytes: number; atMs: number }[] = []
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      for (const shard of await readdir(folder, { withFileTypes: true })) {
        if (!shard.isDirectory()) continue
        const names = await readdir(join(folder, shard.name))
        for (let at = 0; at < names.length && found.length < FILES_MAX; at += SCAN_PARALLEL) {
          const batch = names
            .slice(at, at + SCAN_PARALLEL)
            .map(name => this.#look(join(folder, shard.name), name))
          for (const seen of await Promise.all(batch)) if (seen !== null) found.push(seen)
        }
      }
    } catch (error) {
      this.#failed('scan', error)
      return
    }
    found.sort((a, b) => a.atMs - b.atMs)
    for (const { name, bytes } of found) this.#enter(name, bytes)
    await this.#evict()
  }

  has(key: string): boolean {
    return this.#index.has(nameOf(key))
  }

  /** Null: not there, or broken (then it is removed and counted). */
  async read(key: string): Promise<DiskHit | null> {
    const name = nameOf(key)
    const bytes = this.#index.get(name)
    if (bytes === undefined) return null
    let file: Buffer
    try {
      file = await readFile(this.#path(name))
    } catch (error) {
      await this.#drop(name)
      this.#failed('read', error)
      return null
    }
    const decoded = decodeFile(file, key)
    if (decoded.kind === 'broken') {
      this.counts.broken += 1
      this.#say('cache-file-broken', { key, problem: decoded.problem })
      await this.#drop(name)
      return null
    }
    this.#enter(name, bytes)
    return { facts: decoded.facts, room: file }
  }

  /** Queues an object for writing; returns at once. */
  write(object: StoredObject): void {
    const bytes = HEAD_ROOM_BYTES + object.bodyBytes
    const resting = this.#options.clock.monotonicMs() < this.#restUntilMs
    if (resting || bytes > this.#options.bytesMax || this.#pendingBytes + bytes > PENDING_BYTES_MAX) {
      this.counts.writesSkipped += 1
      return
    }
    this.#pendingBytes += bytes
    this.#tail = this.#tail.then(async () => {
      await this.#write(object)
      this.#pendingBytes -= bytes
    })
  }

  /** Forgets an object that the origin no longer has. */
  async remove(key: string): Promise<void> {
    const name = nameOf(key)
    if (this.#index.has(name)) await this.#drop(name)
  }

  /** Resolves when all that was queued is written. */
  async close(): Promise<void> {
    if (this.#trial !== null) clearTimeout(this.#trial)
    await this.#tail
  }

  /** Looks whether there is room again, also when nobody asks for anything that would be written. */
  async try(): Promise<void> {
    const trouble = this.#trouble
    if (trouble === null) return
    const path = join(this.#options.folder, `${process.pid}.tmp`)
    try {
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
      await writeParts(path, [Buffer.alloc(Math.min(trouble.bytes, TRIAL_BYTES_MAX))])
      this.#trouble = null
      this.#restUntilMs = 0
    } catch (error) {
      this.#suffer(error, trouble.bytes)
    } finally {
      await rm(path, { force: true }).catch(() => {})
    }
  }

  async #write(object: StoredObject): Promise<void> {
    const { key, contentType, etag, freshMs, date, storedMs } = object
    const body = bodyOf(object)
    const facts = { key, contentType, etag, freshMs, date, storedMs, hostId: this.#options.hostId }
    const head = encodeHead(facts, body)
    if (head === null) {
      this.counts.writesSkipped += 1
      return
    }
    const name = nameOf(key)
    const path = this.#path(name)
    this.#sequence += 1
    const temporary = `${path}.${process.pid}-${this.#sequence}.tmp`
    try {
      await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
      await writeParts(temporary, [head, body])
      await rename(temporary, path)
      this.#trouble = null
      this.#enter(name, head.length + body.length)
      await this.#evict()
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      this.#suffer(error, head.length + body.length)
    }
  }

  #tryNext(): void {
    this.#tail = this.#tail.then(() => this.try())
  }

  #suffer(error: unknown, bytes: number): void {
    const isFull = error instanceof Error && noRoom.has((error as NodeJS.ErrnoException).code)
    this.#trouble = { why: isFull ? 'full' : 'error', bytes }
    this.#restUntilMs = this.#options.clock.monotonicMs() + REST_MS
    if (this.#trial !== null) clearTimeout(this.#trial)
    this.#trial = setTimeout(() => this.#tryNext(), REST_MS)
    this.#trial.unref()
    this.#failed('write', error)
  }

  async #look(folder: string, name: string): Promise<{ name: string; bytes: number; atMs: number } | null> {
    const path = join(folder, name)
    if (!fileName.test(name)) {
      if (name.endsWith('.tmp')) await rm(path, { force: true }).catch(() => {})
      return null
    }
    try {
      const { size, mtimeMs } = await stat(path)
      return { name, bytes: size, atMs: mtimeMs }
    } catch {
      return null // it vanished between the listing and the look
    }
  }

  #enter(name: string, bytes: number): void {
    this.#bytes += bytes - (this.#index.get(name) ?? 0)
    this.#index.delete(name)
    this.#index.set(name, bytes)
  }

  async #evict(): Promise<void> {
    while (this.#bytes > this.#options.bytesMax) {
      const oldest = this.#index.keys().next()
      if (oldest.done === true) return
      await this.#drop(oldest.value)
    }
  }

  async #drop(name: string): Promise<void> {
    this.#bytes -= this.#index.get(name) ?? 0
    this.#index.delete(name)
    await rm(this.#path(name), { force: true }).catch((error: unknown) => this.#failed('remove', error))
  }

  #path(name: string): string {
    return join(this.#options.folder, name.slice(0, 2), name)
  }

  #failed(doing: string, error: unknown): void {
    if (doing === 'write') this.counts.writeFailures += 1
    this.#say('cache-disk-failed', { doing, problem: messageOf(error) })
  }

  #say(event: string, facts: Readonly<Record<string, unknown>>): void {
    const { pass, dropped } = this.#throttle(event, this.#options.clock.monotonicMs())
    if (pass) this.#options.log.warn(event, { ...facts, dropped })
  }
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

async function writeParts(path: string, parts: readonly Buffer[]): Promise<void> {
  // No fsync: a cache file that a power cut spoils is found out by its checksum.
  const file = await open(path, 'wx', 0o600)
  try {
    for (const part of parts) await writeFile(file, part)
  } finally {
    await file.close()
  }
}

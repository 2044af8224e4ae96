// Owns the answer to "where is this object": memory, disk, a fetch that is under way, the origin, or nowhere.
// It refuses to ask the origin twice at once for one object.
import { crc32 } from 'node:zlib'
import { type Clock, type Fault, unreachable } from '#base'
import { edgeFaults } from '../faults.ts'
import { Flight, type FlightHead } from '../upstream/flight.ts'
import type { OriginClient } from '../upstream/origin-client.ts'
import { AbsentKeys } from './absent.ts'
import type { DiskHit, DiskTier } from './disk-tier.ts'
import type { MemoryTier } from './memory-tier.ts'
import { freshness, HEAD_ROOM_BYTES, type ObjectFacts, type StoredObject, seal } from './stored.ts'

/** A title's playlist may be shown this long after the origin was last heard, while the origin is away. */
const STALE_MS = 24 * 3600 * 1000
/** What a viewer with something stale at hand waits for a fresh answer: below a player's 3 s limit. */
const REFRESH_WAIT_MS = 1000
/** After a failed refresh the stale object is served at once for this long. */
const REFRESH_REST_MS = 2000
/** Different objects on their way at once. */
const FLIGHTS_MAX = 256
const DEFAULT_FRESH_MS = 1000

/** How an answer was found; the label `result` of vitrine_edge_cache_requests_total. */
export type CacheResult = 'memory' | 'disk' | 'shared' | 'miss' | 'stale' | 'negative' | 'error'

export type Opened =
  | { readonly kind: 'object'; readonly result: CacheResult; readonly object: StoredObject }
  /** Bytes are arriving; the head is known. `leave` must be called when the viewer is done or gone. */
  | {
      readonly kind: 'flight'
      readonly result: CacheResult
      readonly flight: Flight
      readonly head: FlightHead
      readonly leave: () => void
    }
  | { readonly kind: 'failed'; readonly result: CacheResult; readonly fault: Fault }

export interface ObjectCacheOptions {
  readonly clock: Clock
  readonly memory: MemoryTier
  readonly disk: DiskTier
  readonly origin: OriginClient
  readonly hostId: string
  /** The prebuilt head of a hit: status line and fields, without Age and without the empty line. */
  readonly hitHead: (facts: ObjectFacts, bodyBytes: number) => string
  /** The type to announce when the origin named none. */
  readonly typeOf: (key: string) => string
}

export class ObjectCache {
  readonly #options: ObjectCacheOptions
  readonly #absent = new AbsentKeys()
  readonly #flights = new Map<string, Flight>()
  readonly #restUntilMs = new Map<string, number>()

  constructor(options: ObjectCacheOptions) {
    this.#options = options
  }

  /** What memory holds and may be sent as it is; the hot path, without a promise. */
  hot(key: string): StoredObject | null {
    const { memory, clock } = this.#options
    const object = memory.get(key)
    if (object === null || object.freshMs === Number.POSITIVE_INFINITY) return object
    return freshness(object, clock.bootMs(), STALE_MS).kind === 'fresh' ? object : null
  }

  /** Finds an object. `immutable`: it lies below a revision and never changes. */
  async open(key: string, immutable: boolean): Promise<Opened> {
    const hot = this.hot(key)
    if (hot !== null) return { kind: 'object', result: 'memory', object: hot }
    const { clock, memory, disk, origin } = this.#options
    if (this.#absent.has(key, clock.monotonicMs())) return absent(key, 'negative')
    const running = this.#flights.get(key)
    const held = memory.get(key)
    if (running !== undefined) return this.#follow(running, held, 'shared')
    if (held !== null && clock.monotonicMs() < (this.#restUntilMs.get(key) ?? 0))
      return this.#stale(held, null)
    if (this.#flights.size >= FLIGHTS_MAX) return full(key)
    const flight = this.#fly(key)
    // A read of the disk is a flight as well: a hundred viewers of a cold object read its file once.
    const found = held === null && disk.has(key) ? await this.#fromDisk(flight) : null
    if (found !== null) return { kind: 'object', result: 'disk', object: found }
    const stale = held ?? memory.get(key)
    origin.bring(flight, stale?.etag ?? null)
    void this.#keep(flight, immutable)
    return this.#follow(flight, stale, 'miss')
  }

  /** Waits for everything that is under way; for a stop. */
  async settle(): Promise<void> {
    await Promise.all([...this.#flights.values()].map(flight => flight.ended))
  }

  #fly(key: string): Flight {
    const flight = new Flight(key)
    this.#flights.set(key, flight)
    void flight.ended.then(() => this.#flights.delete(key))
    return flight
  }

  /** Stores what a fetch brought. */
  async #keep(flight: Flight, immutable: boolean): Promise<void> {
    const { clock, memory, disk } = this.#options
    const { key } = flight
    const start = await flight.started
    if (start.kind === 'absent') {
      this.#absent.add(key, clock.monotonicMs())
      memory.remove(key)
      await disk.remove(key)
    }
    if (start.kind === 'failed') this.#rest(key)
    if (start.kind === 'unchanged') {
      const held = memory.get(key)
      if (held !== null) memory.put({ ...held, storedMs: clock.bootMs() })
      this.#restUntilMs.delete(key)
    }
    const end = await flight.ended
    if (end.kind !== 'whole' || start.kind !== 'found' || !start.head.mayStore) return
    this.#restUntilMs.delete(key)
    const object = this.#seal(key, start.head, end.room, immutable)
    memory.put(object)
    disk.write(object)
  }

  #rest(key: string): void {
    if (this.#restUntilMs.size > FLIGHTS_MAX * 16) this.#restUntilMs.clear()
    this.#restUntilMs.set(key, this.#options.clock.monotonicMs() + REFRESH_REST_MS)
  }

  #seal(key: string, head: FlightHead, room: Buffer, immutable: boolean): StoredObject {
    const body = room.subarray(HEAD_ROOM_BYTES)
    const facts: ObjectFacts = {
      key,
      contentType: head.contentType ?? this.#options.typeOf(key),
      etag: head.etag ?? `"${crc32(body).toString(16)}-${body.length.toString(16)}"`,
      freshMs: immutable ? Number.POSITIVE_INFINITY : (head.maxAgeMs ?? DEFAULT_FRESH_MS),
      date: head.date,
    }
    return seal(facts, room, this.#options.hitHead(facts, body.length), this.#options.clock.bootMs())
  }

  /** Waits for the head of a flight; with something stale at hand not longer than REFRESH_WAIT_MS. */
  async #follow(flight: Flight, held: StoredObject | null, result: CacheResult): Promise<Opened> {
    const leave = flight.join()
    const { key } = flight
    const start = await (held === null ? flight.started : soon(flight.started, REFRESH_WAIT_MS))
    if (start === null) {
      leave()
      return this.#stale(held, null)
    }
    switch (start.kind) {
      case 'found':
        return { kind: 'flight', result, flight, head: start.head, leave }
      case 'absent':
        leave()
        return absent(key, result)
      case 'unchanged': {
        leave()
        const object = this.#options.memory.get(key) ?? held
        if (object === null) return lost(key)
        return { kind: 'object', result, object }
      }
      case 'failed':
        leave()
        return this.#stale(held, start.fault)
      default:
        return unreachable(start)
    }
  }

  #stale(held: StoredObject | null, fault: Fault | null): Opened {
    const known = fault ?? edgeFaults.fault('edge-origin-unreachable', 'origin does not answer')
    if (held === null) return { kind: 'failed', result: 'error', fault: known }
    const state = freshness(held, this.#options.clock.bootMs(), STALE_MS)
    if (state.kind === 'expired') return { kind: 'failed', result: 'error', fault: known }
    return { kind: 'object', result: state.kind === 'fresh' ? 'memory' : 'stale', object: held }
  }

  /** Null: the file was no good or is not fresh; then the flight still waits, for the origin. */
  async #fromDisk(flight: Flight): Promise<StoredObject | null> {
    const { disk, memory, clock } = this.#options
    const hit = await disk.read(flight.key)
    if (hit === null) return null
    const object = this.#revive(hit)
    memory.put(object)
    if (freshness(object, clock.bootMs(), STALE_MS).kind !== 'fresh') return null
    const { contentType, etag, date, bodyBytes } = object
    flight.arrive({ contentType, etag, date, maxAgeMs: null, mayStore: false, bodyBytes }, hit.room)
    return object
  }

  #revive({ facts, room }: DiskHit): StoredObject {
    const { clock, hostId, hitHead } = this.#options
    // After a reboot the stamp says nothing; the age then counts from now.
    const sameBoot = facts.hostId === hostId && facts.storedMs <= clock.bootMs()
    const storedMs = sameBoot ? facts.storedMs : clock.bootMs()
    return seal(facts, room, hitHead(facts, room.length - HEAD_ROOM_BYTES), storedMs)
  }
}

function absent(key: string, result: CacheResult): Opened {
  const message = `the origin has nothing at ${key}`
  return {
    kind: 'failed',
    result,
    fault: edgeFaults.fault('edge-origin-not-found', message, { facts: { key } }),
  }
}

function full(key: string): Opened {
  const message = `${FLIGHTS_MAX} objects are on their way already; ${key} has to wait`
  return { kind: 'failed', result: 'error', fault: edgeFaults.fault('edge-fetches-full', message) }
}

function lost(key: string): Opened {
  const message = `origin says ${key} is unchanged, but it is not held here any more`
  return { kind: 'failed', result: 'error', fault: edgeFaults.fault('edge-origin-bad-answer', message) }
}

/** The value, or null after `ms`. */
async function soon<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>(resolve => {
    timer = setTimeout(() => resolve(null), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

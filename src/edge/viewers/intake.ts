// Owns taking what viewers went through: event reports and this edge's own answers become lines of the spool, which
// goes to the control room. Everything is bounded and every refusal counted; no viewer is ever refused media for it.
import type { Clock, Closable, Counters, FleetTime, Log } from '#base'
import type { ViewerRecords, ViewerRecordsTaken } from '#wire'
import { type EventRefusal, readEvents } from './events.ts'
import { Rates } from './rates.ts'
import type { BodyRefusal } from './report-body.ts'
import { type RequestNote, Requests, type RequestsOptions } from './requests.ts'
import { Forwarder } from './spool/forwarder.ts'
import { Spool } from './spool/spool.ts'
import { Standstill } from './standstill.ts'

const NOTES_MS = 250
/** Players feel half a second; what was so a moment ago may be so again. */
const STOOD_MS = 500
const LATELY_MS = 10_000
/** One player says some records in ten seconds; the burst is what it kept while its edge was away. */
const SESSION_RATE = { perSecond: 20, burst: 400 }
/** Behind one address may be a whole company. */
const ADDRESS_RATE = { perSecond: 1000, burst: 10_000 }

export interface IntakeOptions extends RequestsOptions {
  readonly folder: string
  readonly bytesMax: number
  readonly hostId: string
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
}

export class Intake implements Closable {
  readonly #options: IntakeOptions
  readonly #spool: Spool
  readonly #requests: Requests
  readonly #standstill: Standstill
  readonly #timer: NodeJS.Timeout
  readonly #bySession = new Rates(SESSION_RATE)
  readonly #byAddress = new Rates(ADDRESS_RATE)
  readonly #dropped: Record<string, number> = {}
  readonly #mended: Record<string, number> = {}
  #forwarder: Forwarder | null = null
  #fleet: FleetTime | null = null
  #batch = 0
  #events = 0
  #requestLines = 0

  constructor(options: IntakeOptions) {
    this.#options = options
    const { folder, bytesMax, hostId, log } = options
    this.#spool = new Spool({ folder, bytesMax, hostId, log })
    this.#requests = new Requests(options)
    this.#standstill = new Standstill(NOTES_MS, options.clock.monotonicMs())
    this.#timer = setInterval(() => void this.#takeNotes(), NOTES_MS)
    this.#register(options.counters)
  }

  /** Known once the edge is linked; until then records wait, stamped by the host's clock. */
  connect(link: { readonly fleet: FleetTime; send(message: ViewerRecords): boolean }): void {
    this.#fleet = link.fleet
    const { clock, log } = this.#options
    const send = (message: ViewerRecords): boolean => link.send(message)
    this.#forwarder = new Forwarder({ spool: this.#spool, send, dropped: () => this.#losses(), clock, log })
  }

  /** After each welcome. */
  again(): void {
    this.#forwarder?.again()
  }

  taken(message: ViewerRecordsTaken): void {
    this.#forwarder?.taken(message)
  }

  /** A report that could not even be read. */
  refused(reason: BodyRefusal): void {
    this.#count(reason)
  }

  /** Takes a body of records; resolves when the kernel has them. Gives the sessions that play. */
  async events(body: string, address: string): Promise<readonly string[]> {
    const nowMs = this.#options.clock.monotonicMs()
    const network = senderOf(address)
    const admits = (sid: string): EventRefusal | null => {
      if (!this.#byAddress.take(network, nowMs)) return 'rate-address'
      return this.#bySession.take(sid, nowMs) ? null : 'rate-session'
    }
    this.#batch += 1
    const { lines, playing } = readEvents(body, {
      at: Math.round(this.#nowMs() * 10) / 10,
      batch: this.#batch,
      admits,
      refused: reason => this.#count(reason),
      mended: what => {
        this.#mended[what] = (this.#mended[what] ?? 0) + 1
      },
    })
    this.#events += lines.length
    await this.#spool.add(lines)
    return playing
  }

  /** This process could not answer for a while, a moment ago. */
  get stoodStillLately(): boolean {
    return this.#standstill.isLately(this.#options.clock.monotonicMs(), LATELY_MS, STOOD_MS)
  }

  /** Whether it wants to know of an answer to this session; false is counted. */
  wants(sid: string, nowMs: number): boolean {
    return this.#requests.takes(sid, nowMs)
  }

  /** An answer to a player went out, which it `wants`. */
  answered(note: RequestNote): void {
    this.#requests.note(note)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#forwarder?.close()
    await this.#takeNotes()
    await this.#spool.close()
  }

  async #takeNotes(): Promise<void> {
    const monotonicMs = this.#options.clock.monotonicMs()
    this.#standstill.turn(monotonicMs)
    const held = (startMs: number, endMs: number): number => this.#standstill.heldMs(startMs, endMs)
    const lines = this.#requests.take(this.#nowMs() - monotonicMs, held)
    this.#requestLines += lines.length
    await this.#spool.add(lines)
  }

  #nowMs(): number {
    return this.#fleet?.nowMs() ?? this.#options.clock.wallMs()
  }

  #count(reason: string): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1
  }

  #losses(): Record<string, number> {
    const all = { ...this.#dropped, ...this.#requests.dropped, ...this.#spool.lost }
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0))
  }

  #register(counters: Counters): void {
    const taken = counters.counter(
      'vitrine_edge_viewer_records_total',
      'Records of what viewers went through that this edge took: `event` of players, `request` of its own answers.',
    )
    const dropped = counters.counter(
      'vitrine_edge_viewer_records_dropped_total',
      'Records that were not taken, or lost before the control room had them, by reason. `spool-full`: the control room was away for too long.',
    )
    const mended = counters.counter(
      'vitrine_edge_viewer_records_mended_total',
      'Keys that were left out of records, by reason: a player that lies or is newer than this edge.',
    )
    const bytes = counters.gauge(
      'vitrine_edge_viewer_spool_bytes',
      'Size of the spool on disk; it has a limit.',
    )
    const waiting = counters.gauge(
      'vitrine_edge_viewer_spool_records',
      'Records that wait for the control room. Rising: it is away, or slower than viewers are.',
    )
    const told = new Map<string, number>()
    const follow = (add: (delta: number) => void, key: string, value: number): void => {
      add(value - (told.get(key) ?? 0))
      told.set(key, value)
    }
    counters.beforeCollect(() => {
      follow(delta => taken.add(delta, { kind: 'event' }), 'event', this.#events)
      follow(delta => taken.add(delta, { kind: 'request' }), 'request', this.#requestLines)
      for (const [reason, count] of Object.entries(this.#losses())) {
        follow(delta => dropped.add(delta, { reason }), `dropped ${reason}`, count)
      }
      for (const [reason, count] of Object.entries(this.#mended)) {
        follow(delta => mended.add(delta, { reason }), `mended ${reason}`, count)
      }
      bytes.set(this.#spool.bytes)
      waiting.set(this.#spool.waiting)
    })
  }
}

/** An IPv4 address, or the half of an IPv6 address that names a network: one host has all of the other half. */
function senderOf(address: string): string {
  const bare = address.startsWith('::ffff:') ? address.slice(7) : address
  return bare.includes(':') ? bare.split(':').slice(0, 4).join(':') : bare
}

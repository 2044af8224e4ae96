// Owns looking at a list of servers again and again: which looks are under way, when each is pinged, what was seen last.
// It refuses to have more than two looks at one server under way, whatever the server does.
import type { Clock, Log } from '#base'
import type { ProbeReport } from '#wire'
import { Pinger, type PingResult } from './ping.ts'
import { bareHost, probeOnce, type TlsClient } from './probe-once.ts'

/** A look without an answer ends just when the next begins. */
const UNDER_WAY_MAX = 2
/** A child process each: rarer than looks. */
const PING_EVERY_MS = 10_000
/** Without an answer the ping is what tells a host from a process. */
const PING_SILENT_MS = 2000

export interface ProbeTarget {
  readonly id: string
  /** Without a slash at the end. */
  readonly url: string
  readonly tls?: TlsClient
  /** Of a foreign server; see probeOnce. */
  readonly path?: string | undefined
}

export interface ProbeRoundsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly pinger?: Pinger
  /** See probeOnce. */
  nowMs?(this: void): number | null
  /** After each look; its age counts from its start: an answer proves that the server lived then. */
  readonly onSeen?: (report: ProbeReport) => void
}

interface Seen {
  readonly report: Omit<ProbeReport, 'agoMs'>
  readonly startMs: number
}

interface Watched {
  url: string
  underWay: number
  last: Seen | null
  pingedMs: number
  ping: PingResult | null
  /** When the one that gave `ping` was sent. */
  pingSentMs: number
  failures: number
  /** Beginning of its last answered look; before one, since when it is watched. */
  answeredMs: number
  /** Beginning of the first look of a row without answer; infinity: the last one was answered. */
  silentFromMs: number
}

export class ProbeRounds {
  readonly #options: ProbeRoundsOptions
  readonly #pinger: Pinger
  readonly #watched = new Map<string, Watched>()
  readonly #running = new Set<Promise<void>>()
  #closed = false
  /** When the last look that was answered began; before one, when the first look did. */
  #answeredMs: number | null = null

  constructor(options: ProbeRoundsOptions) {
    this.#options = options
    this.#pinger = options.pinger ?? new Pinger({ clock: options.clock })
  }

  /** Starts one look at each; who is not named any more is forgotten. */
  look(targets: readonly ProbeTarget[]): void {
    if (this.#closed) return
    if (targets.length > 0) this.#answeredMs ??= this.#options.clock.monotonicMs()
    const ids = new Set(targets.map(({ id }) => id))
    for (const id of this.#watched.keys()) if (!ids.has(id)) this.#watched.delete(id)
    for (const target of targets) {
      const watched = this.#of(target)
      if (watched.underWay >= UNDER_WAY_MAX) continue
      this.#track(this.#lookAt(target, watched))
      const nowMs = this.#options.clock.monotonicMs()
      if (nowMs - watched.pingedMs < (watched.failures === 0 ? PING_EVERY_MS : PING_SILENT_MS)) continue
      watched.pingedMs = nowMs
      this.#track(this.#ping(target, watched))
    }
  }

  /** The last look at each, with its age. */
  report(): ProbeReport[] {
    const nowMs = this.#options.clock.monotonicMs()
    return [...this.#watched.values()].flatMap(({ last }) =>
      last === null ? [] : [{ ...last.report, agoMs: Math.max(0, nowMs - last.startMs) }],
    )
  }

  /** Those without an answer `times` times in a row, or for `ms`: who stood still has missed looks, not seen failures. */
  silent(times: number, ms: number): ReadonlySet<string> {
    const nowMs = this.#options.clock.monotonicMs()
    const silent = [...this.#watched].filter(
      ([, { failures, answeredMs }]) => failures >= times || nowMs - answeredMs > ms,
    )
    return new Set(silent.map(([id]) => id))
  }

  /** How long nobody at all has answered; 0 while there is nobody to look at. */
  unansweredMs(): number {
    return this.#answeredMs === null ? 0 : this.#options.clock.monotonicMs() - this.#answeredMs
  }

  /** Ends once no look is under way, at most a deadline later. */
  async close(): Promise<void> {
    this.#closed = true
    this.#pinger.close()
    await Promise.all(this.#running)
  }

  #of({ id, url }: ProbeTarget): Watched {
    const known = this.#watched.get(id)
    if (known?.url === url) return known
    const fresh = {
      url,
      underWay: 0,
      last: null,
      pingedMs: Number.NEGATIVE_INFINITY,
      ping: null,
      pingSentMs: Number.NEGATIVE_INFINITY,
      failures: 0,
      answeredMs: this.#options.clock.monotonicMs(),
      silentFromMs: Number.POSITIVE_INFINITY,
    }
    this.#watched.set(id, fresh)
    return fresh
  }

  #track(look: Promise<void>): void {
    const one: Promise<void> = look
      .catch((error: unknown) => this.#options.log.error('probe-broken', { error }))
      .then(() => void this.#running.delete(one))
    this.#running.add(one)
  }

  async #lookAt({ id, url, tls, path }: ProbeTarget, watched: Watched): Promise<void> {
    const { clock, onSeen, nowMs } = this.#options
    const startMs = clock.monotonicMs()
    watched.underWay += 1
    const result = await probeOnce(url, {
      clock,
      path,
      ...(tls === undefined ? {} : { tls }),
      ...(nowMs === undefined ? {} : { nowMs }),
    })
    watched.underWay -= 1
    if (result.error === null) {
      this.#answeredMs = Math.max(startMs, this.#answeredMs ?? startMs)
      watched.answeredMs = Math.max(startMs, watched.answeredMs)
    }
    // Two may end out of order: the one that began later tells more of now.
    if (watched.last !== null && watched.last.startMs > startMs) return
    watched.silentFromMs =
      result.error === null ? Number.POSITIVE_INFINITY : Math.min(startMs, watched.silentFromMs)
    // A ping from before the silence says nothing about it.
    const isOfNow = result.error === null || watched.pingSentMs >= watched.silentFromMs
    const icmp = watched.ping === null || !isOfNow ? {} : { icmp: reportOf(watched.ping) }
    const report = { target: id, ...result, ...icmp }
    watched.last = { report, startMs }
    watched.failures = result.error === null ? 0 : watched.failures + 1
    onSeen?.({ ...report, agoMs: Math.max(0, clock.monotonicMs() - startMs) })
  }

  async #ping({ url }: ProbeTarget, watched: Watched): Promise<void> {
    if (!URL.canParse(url)) return
    const sentMs = this.#options.clock.monotonicMs()
    const ping = await this.#pinger.ping(bareHost(new URL(url)))
    if (ping === null) return
    watched.ping = ping
    watched.pingSentMs = sentMs
  }
}

function reportOf(ping: PingResult): NonNullable<ProbeReport['icmp']> {
  return { result: ping.kind, ms: ping.kind === 'answered' ? ping.ms : null }
}

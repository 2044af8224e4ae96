// Owns what one edge knows of an outage of the control room: for how long it has heard nothing, whom it gave the right to
// ring, who was told. More than half of the edges must agree, so two holders can never both have the right.
import type { SealedRoute, WatcherAnswer, WatcherAsk } from '#wire'

/** The right to ring ends by itself: whoever had it may be dead. Longer than all that its holder may do with it. */
export const LEASE_MS = 45_000
/** A tick that comes later than this says that the process stood still, not that the control room did. */
const TICK_MS_MAX = 3000
const DONE_MAX = 20
/** By which the clock of another may be ahead. */
const AHEAD_MS_MAX = 86_400_000

/** What must outlive a kill. */
export interface Kept {
  readonly epoch: number
  /** Who may ring; null: nobody has asked. */
  readonly holder: string | null
  readonly done: readonly string[]
  readonly complete: boolean
  /** Fleet time at which the first receiver was told; null: none was. */
  readonly firstAt: number | null
}

export const NOTHING_KEPT: Kept = { epoch: 0, holder: null, done: [], complete: false, firstAt: null }

export interface VigilOptions {
  readonly id: string
  /** What was kept at the last stop. */
  readonly kept: Kept
  /** Before anybody is answered. Throws when it cannot: then nothing is granted. */
  store(this: void, kept: Kept): void
  monotonicMs(this: void): number
  fleetMs(this: void): number
}

export class Vigil {
  readonly #options: VigilOptions
  #kept: Kept
  #leaseUntilMs: number
  #afterMs = Number.POSITIVE_INFINITY
  #lostMs = 0
  /** Since it was made. */
  heard = false
  #tickedMs: number

  constructor(options: VigilOptions) {
    this.#options = options
    this.#kept = options.kept
    this.#tickedMs = options.monotonicMs()
    this.#leaseUntilMs = this.#tickedMs + LEASE_MS
  }

  get kept(): Kept {
    return this.#kept
  }

  /** 0: it is heard. */
  get lostMs(): number {
    return this.#lostMs
  }

  get isLost(): boolean {
    return this.#lostMs >= this.#afterMs
  }

  setRoute({ epoch, afterMs }: Pick<SealedRoute, 'epoch' | 'afterMs'>): void {
    this.#afterMs = afterMs
    this.adopt(epoch)
  }

  /** A newer outage has another name, and nobody has been told of it. */
  adopt(epoch: number): void {
    // One from far ahead would make every later outage an old one.
    if (epoch > this.#options.fleetMs() + AHEAD_MS_MAX) return
    if (epoch > this.#kept.epoch) this.#keep({ ...NOTHING_KEPT, epoch })
  }

  /** Each second. Time in which this process did not run is no silence of the control room. */
  tick(hears: boolean): void {
    const nowMs = this.#options.monotonicMs()
    const passedMs = nowMs - this.#tickedMs
    this.#tickedMs = nowMs
    this.heard ||= hears
    this.#lostMs = hears ? 0 : this.#lostMs + Math.min(Math.max(0, passedMs), TICK_MS_MAX)
  }

  /** What another edge asks, and what this one asks itself. */
  answer(ask: WatcherAsk): WatcherAnswer {
    this.adopt(ask.epoch)
    let granted = false
    if (ask.epoch === this.#kept.epoch) {
      this.told(ask.done, ask.complete)
      granted = ask.act === 'claim' && this.#grants(ask.from)
      if (granted) this.#grant(ask.from)
      if (ask.act === 'release' && this.#kept.holder === ask.from) this.#keep({ ...this.#kept, holder: null })
    }
    const { epoch, done, complete } = this.#kept
    return { id: this.#options.id, epoch, lostMs: this.#lostMs, granted, done: [...done], complete }
  }

  /** These receivers know of it, whoever told them. */
  told(names: readonly string[], complete: boolean): void {
    const done = [...new Set([...this.#kept.done, ...names])].slice(0, DONE_MAX)
    if (done.length === this.#kept.done.length && (this.#kept.complete || !complete)) return
    const firstAt = this.#kept.firstAt ?? (done.length === 0 ? null : this.#options.fleetMs())
    this.#keep({ ...this.#kept, done, complete: this.#kept.complete || complete, firstAt })
  }

  #grants(from: string): boolean {
    if (!this.isLost || this.#kept.complete) return false
    const { holder } = this.#kept
    return holder === null || holder === from || this.#options.monotonicMs() >= this.#leaseUntilMs
  }

  #grant(holder: string): void {
    if (this.#kept.holder !== holder) this.#keep({ ...this.#kept, holder })
    this.#leaseUntilMs = this.#options.monotonicMs() + LEASE_MS
  }

  #keep(kept: Kept): void {
    this.#options.store(kept)
    this.#kept = kept
  }
}

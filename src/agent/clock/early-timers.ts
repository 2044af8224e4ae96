// Owns the sign of 2012: timers on the wall clock that fire too early, as they do when the kernel's timers stand ahead of
// its clock. Load can only make a timer late, so it cannot look like this. It needs no rights.
import { type MetricFamily, readClockNs, sleepUntilNs } from '#base'
import { gauge } from './gauge.ts'

const NS_PER_MS = 1_000_000n
const SHORT_MS = 50
/** How far ahead it is is only seen by a sleep that is longer than that. */
const LONG_MS = 2000
/** A healthy timer never fires earlier; the clocks are read one after the other. */
const EARLY_MS_MIN = 1
const LAST_MAX = 3
const EARLY_OF_LAST_MIN = 2

/** One sleep on each clock, both timed on MONOTONIC. */
export interface EarlyProbe {
  readonly askedMs: number
  readonly realtimeMs: number
  readonly monotonicMs: number
  /** How much the wall clock moved against MONOTONIC meanwhile: it may have been set. */
  readonly movedMs: number
}

/** By how many ms the wall clock's timer fired early; 0: it did not; null: nothing can be said. Pure. */
export function earlyMs({ askedMs, realtimeMs, monotonicMs, movedMs }: EarlyProbe): number | null {
  if (Math.abs(movedMs) >= EARLY_MS_MIN) return null
  if (monotonicMs < askedMs - EARLY_MS_MIN) return null
  return realtimeMs < askedMs - EARLY_MS_MIN ? askedMs - realtimeMs : 0
}

/** Null where it cannot be done. */
export async function probeEarly(askedMs: number): Promise<EarlyProbe | null> {
  const before = wallMinusMonotonicMs()
  const [realtimeMs, monotonicMs] = await Promise.all([
    timed('realtime', askedMs),
    timed('monotonic', askedMs),
  ])
  const after = wallMinusMonotonicMs()
  if (before === null || after === null || realtimeMs === null || monotonicMs === null) return null
  return { askedMs, realtimeMs, monotonicMs, movedMs: after - before }
}

async function timed(clock: 'realtime' | 'monotonic', askedMs: number): Promise<number | null> {
  const startNs = process.hrtime.bigint()
  const nowNs = readClockNs(clock)
  if (nowNs === null) return null
  const slept = await sleepUntilNs(clock, nowNs + BigInt(askedMs) * NS_PER_MS)
  return slept ? Number(process.hrtime.bigint() - startNs) / 1e6 : null
}

function wallMinusMonotonicMs(): number | null {
  const [monotonic, wall] = [readClockNs('monotonic'), readClockNs('realtime')]
  return monotonic === null || wall === null ? null : Number(wall - monotonic) / 1e6
}

/** Probes once a second; two of the last three decide. */
export class EarlyTimers {
  readonly #probe: (askedMs: number) => Promise<EarlyProbe | null>
  readonly #last: number[] = []
  #aheadMs = 0
  #busy = false

  constructor(probe: (askedMs: number) => Promise<EarlyProbe | null> = probeEarly) {
    this.#probe = probe
  }

  /** Never two at once: each holds two threads of the pool while it sleeps. */
  async turn(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      const probe = await this.#probe(SHORT_MS)
      const seen = probe === null ? null : earlyMs(probe)
      if (seen === null) return
      this.#last.push(seen)
      if (this.#last.length > LAST_MAX) this.#last.shift()
      if (!this.early) this.#aheadMs = 0
      else if (this.#aheadMs < SHORT_MS) await this.#measure()
    } finally {
      this.#busy = false
    }
  }

  get early(): boolean {
    return this.#last.filter(ms => ms > 0).length >= EARLY_OF_LAST_MIN
  }

  async #measure(): Promise<void> {
    this.#aheadMs = Math.max(...this.#last)
    const probe = await this.#probe(LONG_MS)
    this.#aheadMs = Math.max(this.#aheadMs, (probe === null ? null : earlyMs(probe)) ?? 0)
  }

  families(): MetricFamily[] {
    return gauge(
      'vitrine_clock_realtime_timer_early_seconds',
      'How early timers on the wall clock fire; 0 is healthy, at least 2 is the most that is seen. Else programs spin as in 2012: set the clock (runbook reset-clock).',
      this.#last.length === 0 ? null : this.early ? this.#aheadMs / 1000 : 0,
    )
  }
}

// Owns noticing that somebody set the host's wall clock: REALTIME minus BOOTTIME changes by more than any daemon slews.
// A suspended machine is no step, since BOOTTIME counts what it slept.
import { type Counter, type Counters, type MetricFamily, readClockNs } from '#base'
import { gauge } from './gauge.ts'

/** chronyd corrects by at most 83,333 ppm (chrony.conf, maxslewrate); a clock that moves faster was set. */
const SLEW_RATIO_MAX = 0.09
/** What the reading itself may be wrong by, beside its measured bound. */
const READ_ERROR_MS = 2
/** Of three readings the one that took the least time; a longer one was interrupted. */
const READINGS = 3

/** Wall clock minus BOOTTIME, in ms, known to within `errorMs`. */
export interface WallReading {
  readonly bootMs: number
  readonly wallMinusBootMs: number
  readonly errorMs: number
}

/** By how much the wall clock was set between two readings, in ms, forwards positive; 0: it was not. Pure. */
export function stepBetween(before: WallReading, after: WallReading): number {
  const movedMs = after.wallMinusBootMs - before.wallMinusBootMs
  const elapsedMs = Math.max(0, after.bootMs - before.bootMs)
  const slewedMsMax = elapsedMs * SLEW_RATIO_MAX + before.errorMs + after.errorMs + READ_ERROR_MS
  return Math.abs(movedMs) > slewedMsMax ? movedMs : 0
}

/** Null where the clocks cannot be read. */
export function readWall(): WallReading | null {
  let best: WallReading | null = null
  for (let turn = 0; turn < READINGS; turn += 1) {
    const [first, wall, last] = [readClockNs('boottime'), readClockNs('realtime'), readClockNs('boottime')]
    if (first === null || wall === null || last === null) return null
    const errorMs = Number(last - first) / 2e6
    const bootNs = first + (last - first) / 2n
    if (best === null || errorMs < best.errorMs) {
      best = { bootMs: Number(bootNs) / 1e6, wallMinusBootMs: Number(wall - bootNs) / 1e6, errorMs }
    }
  }
  return best
}

/** Looks once a second. */
export class WallSteps {
  readonly #read: () => WallReading | null
  readonly #steps: Counter
  #before: WallReading | null = null
  #lastMs = 0

  constructor(counters: Counters, read: () => WallReading | null = readWall) {
    this.#read = read
    this.#steps = counters.counter(
      'vitrine_clock_steps_total',
      'Times that the wall clock of this host was set. Outside of a runbook: somebody or a broken time source did it.',
    )
    this.#before = read()
    // From zero on, so that the first step is an increase.
    for (const direction of ['forward', 'back']) this.#steps.add(0, { direction })
  }

  look(): void {
    const after = this.#read()
    if (after === null) return
    const stepMs = this.#before === null ? 0 : stepBetween(this.#before, after)
    this.#before = after
    if (stepMs === 0) return
    this.#lastMs = stepMs
    this.#steps.add(1, { direction: stepMs > 0 ? 'forward' : 'back' })
  }

  families(): MetricFamily[] {
    return gauge(
      'vitrine_clock_step_seconds',
      'The last step of the wall clock since the agent began, forwards positive. 0: none.',
      this.#before === null ? null : this.#lastMs / 1000,
    )
  }
}

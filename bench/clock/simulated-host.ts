// Owns a host that lives an ordinary day on a clock of its own: load makes its timers late, it is suspended, its daemon
// slews and now and then steps the clock by less than 100 ms, its time sources are a little off. Nothing of it is a fault.

import { boundFamilies, type EarlyProbe, kernelFamilies, sourceFamilies, type WallReading } from '#agent'
import type { MetricFamily } from '#base'

const STEP_MS_MAX = 99
const SUSPEND_S_MAX = 1800
/** A second of an ordinary day begins one of them so often. */
const SUSPENDS_A_S = 1 / 7200
const STEPS_A_S = 1 / 1800
const LOADS_A_S = 1 / 1200
const LOAD_S_MAX = 600
const LATE_MS_MAX = 800
/** ntpd and the kernel slew by this at most; chronyd by more, for seconds. */
const SLEW_PPM = 500
const CHRONY_PPM = 83_333
const NTP_US_PER_S = 15
const STA_PLL = 1

type Timex = NonNullable<Parameters<typeof kernelFamilies>[0]>

export class SimulatedHost {
  readonly lived = { suspends: 0, steps: 0, loadedS: 0 }
  readonly #random: () => number
  #bootMs = 0
  #wallMinusBootMs = 0
  #loadS = 0
  #asleepS = 0
  /** Slept since the last probe: MONOTONIC stood still and the wall clock did not. */
  #sleptMs = 0
  #steppedMs = 0
  #slewMs = 0
  #maxErrorUs = 1000

  constructor(seed: number) {
    this.#random = mulberry32(seed)
  }

  /** One second passes; false: it is asleep, and nobody measures. */
  pass(): boolean {
    this.#bootMs += 1000
    if (this.#asleepS > 0) {
      this.#asleepS -= 1
      this.#sleptMs += 1000
      return false
    }
    const chance = this.#random
    if (chance() < SUSPENDS_A_S) {
      this.lived.suspends += 1
      this.#asleepS = 1 + Math.floor(chance() * SUSPEND_S_MAX)
    }
    if (chance() < LOADS_A_S) this.#loadS = Math.floor(chance() * LOAD_S_MAX)
    if (this.#loadS > 0) {
      this.#loadS -= 1
      this.lived.loadedS += 1
    }
    if (chance() < STEPS_A_S) {
      this.lived.steps += 1
      this.#steppedMs = (chance() * 2 - 1) * STEP_MS_MAX
      this.#wallMinusBootMs += this.#steppedMs
      this.#maxErrorUs = 1000
    }
    if (chance() < STEPS_A_S) this.#slewMs = (chance() * 2 - 1) * STEP_MS_MAX
    const most = this.#random() < 0.5 ? SLEW_PPM / 1000 : CHRONY_PPM / 1000
    const slewed = Math.max(-most, Math.min(most, this.#slewMs))
    this.#slewMs -= slewed
    this.#wallMinusBootMs += slewed
    this.#maxErrorUs = chance() < 1 / 64 ? 1000 : this.#maxErrorUs + NTP_US_PER_S
    return true
  }

  /** As the agent reads: under load it is interrupted between two clocks. */
  reading(): WallReading {
    const errorMs = this.#loadS > 0 ? this.#random() * 5 : this.#random() * 0.01
    const off = (this.#random() * 2 - 1) * errorMs
    return { bootMs: this.#bootMs, wallMinusBootMs: this.#wallMinusBootMs + off, errorMs }
  }

  /** Timers of a healthy kernel: never early, late under load; a step or a suspend in the midst of it moves the clock. */
  probe(askedMs: number): EarlyProbe {
    const late = (): number => this.#random() ** 4 * (this.#loadS > 0 ? LATE_MS_MAX : 2)
    const inMidst = this.#random() < askedMs / 1000
    const movedMs = inMidst ? this.#steppedMs + this.#sleptMs : 0
    this.#steppedMs = 0
    this.#sleptMs = 0
    // A wall clock that is put forward in the midst lets its timer fire early, and one that is put back late.
    const realtimeMs = Math.max(0, askedMs - movedMs) + late()
    return { askedMs, realtimeMs, monotonicMs: askedMs + late(), movedMs }
  }

  families(): MetricFamily[] {
    const timex = { status: STA_PLL, maxErrorUs: this.#maxErrorUs } as Timex
    const offsetS = this.#slewMs / 1000
    const one = (name: string, value: number): MetricFamily => ({
      name,
      type: 'gauge',
      help: '',
      points: [{ name, labels: {}, value }],
    })
    return [
      ...kernelFamilies(timex),
      ...boundFamilies(null, timex),
      ...sourceFamilies([this.#source('a.test'), this.#source('b.test')], []),
      one('node_timex_offset_seconds', offsetS),
      one('node_timex_sync_status', 1),
      one('node_timex_maxerror_seconds', this.#maxErrorUs / 1e6),
      one('vitrine_clock_fleet_offset_seconds', offsetS + (this.#random() - 0.5) * 0.002),
    ]
  }

  #source(server: string): Parameters<typeof sourceFamilies>[0][number] {
    const offsetS = this.#slewMs / 1000 + (this.#random() - 0.5) * 0.01
    return {
      server,
      offsetS,
      rttS: 0.02,
      leap: 0,
      stratum: 2,
      rootDelayS: 0.01,
      rootDispersionS: 0.01,
    }
  }
}

/** Small, and the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

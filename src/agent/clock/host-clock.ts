// Owns watching a host's clock: what the kernel, the time daemon, the time servers and its own timers say. What it may
// not read it leaves out, and says so.
import { type Clock, type Counters, type Log, type MetricFamily, readTimex, type Timex } from '#base'
import { boundFamilies, daemonFamilies, kernelFamilies, sourceFamilies } from './clock-families.ts'
import { configuredSources } from './configured-sources.ts'
import { type HostDaemon, readDaemon } from './daemon-reader.ts'
import { EarlyTimers } from './early-timers.ts'
import { gauge, gauges } from './gauge.ts'
import { Sntp } from './sntp.ts'
import { hrtimerErrorSeconds } from './timer-list.ts'
import { WallSteps } from './wall-steps.ts'

/** A daemon's programs cost some milliseconds. */
const DAEMON_EVERY_PASSES = 10

export interface HostClockOptions {
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Time servers to ask beside those that this host is configured to use; null: none is asked at all. */
  readonly timeServers: readonly string[] | null
}

export class HostClock {
  readonly #log: Log
  readonly #early = new EarlyTimers()
  readonly #steps: WallSteps
  readonly #sntp: Sntp | null
  #daemon: HostDaemon = { reading: null, servers: [] }
  #timersErrorS: number | null = null
  #passes = 0

  constructor({ counters, clock, log, timeServers }: HostClockOptions) {
    this.#log = log
    this.#steps = new WallSteps(counters)
    const servers = timeServers === null ? [] : [...new Set([...configuredSources(), ...timeServers])]
    this.#sntp = servers.length === 0 ? null : new Sntp({ servers, clock, log })
  }

  /** Once a second; what takes longer goes on beside it. */
  look(): void {
    this.#steps.look()
    this.#beside(this.#early.turn())
    if (this.#passes % DAEMON_EVERY_PASSES === 0) {
      this.#timersErrorS = hrtimerErrorSeconds()
      this.#beside(this.#askDaemon())
    }
    this.#passes += 1
    if (this.#sntp !== null) this.#beside(this.#sntp.turn())
  }

  families(timex: Timex | null = readTimex()): MetricFamily[] {
    const { reading, servers } = this.#daemon
    const early = this.#early.families()
    return [
      ...this.#steps.families(),
      ...early,
      ...gauge(
        'vitrine_clock_hrtimer_offset_error_seconds',
        'How far the kernel’s timers stand from its wall clock. 1 after a leap second is the fault of 2012: set the clock.',
        this.#timersErrorS,
      ),
      ...kernelFamilies(timex),
      ...boundFamilies(reading, timex),
      ...daemonFamilies(reading),
      ...sourceFamilies(this.#sntp?.readings() ?? [], servers),
      ...gauges(
        'vitrine_clock_readable',
        'Whether the agent may read this part of the clock. 0: run it with more rights to see it.',
        [
          [{ part: 'kernel' }, timex === null ? 0 : 1],
          [{ part: 'timers' }, early.length],
          [{ part: 'timer-list' }, this.#timersErrorS === null ? 0 : 1],
          [{ part: 'daemon' }, reading === null ? 0 : 1],
        ],
      ),
    ]
  }

  async #askDaemon(): Promise<void> {
    this.#daemon = await readDaemon()
  }

  #beside(work: Promise<void>): void {
    work.catch((error: unknown) => this.#log.error('clock-look-failed', { error }))
  }
}

// Owns all reading of time. Nothing else may call Date.now(); durations come from the monotonic clock.
import { Followed, type FollowedState } from './followed.ts'
import { bootTimeNs } from './native.ts'

/** What code that needs time is given; tests give a fake one. All values are milliseconds, may be fractional. */
export interface Clock {
  /** The host's own opinion of the time of day, ms since 1970. A metric, never a timestamp of a sample. */
  wallMs(this: void): number
  /** For durations, time-outs and back-off. Zero point arbitrary. */
  monotonicMs(this: void): number
  /** CLOCK_BOOTTIME: monotonic, also counts suspended time. Samples are stamped with it. */
  bootMs(this: void): number
}

const BOOT_MINUS_MONOTONIC_MS = bootOffsetMs()

function bootOffsetMs(): number {
  const boot = bootTimeNs()
  return boot === null ? 0 : Number(boot - process.hrtime.bigint()) / 1e6
}

/** The machine's clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  bootMs: () => {
    const boot = bootTimeNs()
    // Without BOOTTIME the monotonic clock stands in; only a suspended machine can tell the difference.
    return boot === null
      ? Number(process.hrtime.bigint()) / 1e6 + BOOT_MINUS_MONOTONIC_MS
      : Number(boot) / 1e6
  },
}

/** 2026-01-31T12:00:00.000Z: the form of RFC 3339 that logs use. */
export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== isoSecond) {
    isoSecond = second
    isoText = new Date(second * 1000).toISOString().slice(0, 20)
  }
  return `${isoText}${String(Math.floor(ms - second * 1000)).padStart(3, '0')}Z`
}

/** The last second that was asked for: a busy server asks thousands of times in each. */
let isoSecond = Number.NaN
let isoText = ''

/** Turns BOOTTIME stamps of this host into fleet time, ms since 1970. Null until the offset is known. */
export interface FleetTime {
  /** Fleet time now. Before the first exchange the wall clock stands in, and `known()` is false. */
  nowMs(this: void): number
  known(this: void): boolean
  /** The fleet time of an instant that was stamped with `bootMs()` on this host. */
  fromBootMs(this: void, bootMs: number): number
  /** What it has followed of the hosts' whole seconds; left out: nothing can be followed. */
  followed?(this: void): FollowedState
}

/** Slewing away more would take days: it is another fleet time, not an error of this one. */
const ANOTHER_MS = 60_000
const SLEW_PPM_MAX = 500 // DESIGN, clock rule 2: fleet time is slewed by at most 500 ppm

/**
 * Fleet time as BOOTTIME + offset + what was followed. `adjust` moves the offset's target; what is read approaches it by
 * at most 500 ppm, so that fleet time never steps once it is known, and never runs backwards. A whole second that the
 * fleet's hosts took together is followed apart from it, faster: see followed.ts.
 */
export class SlewedFleetTime implements FleetTime {
  readonly #clock: Clock
  #offsetMs: number
  #targetMs: number
  #sinceBootMs: number
  #known: boolean
  #followed = new Followed()
  #room: number

  constructor(clock: Clock, offsetMs: number | null, room = 0) {
    this.#clock = clock
    this.#room = room
    this.#known = offsetMs !== null
    this.#sinceBootMs = clock.bootMs()
    this.#offsetMs = offsetMs ?? clock.wallMs() - this.#sinceBootMs
    this.#targetMs = this.#offsetMs
  }

  /** Without what was followed. The first call sets the offset, later ones slew towards it, and one of another fleet time sets it again. */
  adjust(offsetMs: number): void {
    if (!this.#known || Math.abs(offsetMs - this.#targetMs) > ANOTHER_MS) {
      this.#known = true
      this.#offsetMs = offsetMs
    } else {
      this.#offsetMs = this.#offsetAt(this.#clock.bootMs())
    }
    this.#sinceBootMs = this.#clock.bootMs()
    this.#targetMs = offsetMs
  }

  /** By the keeper of fleet time: so much in all is followed from now on, at its own pace. */
  followTo(toMs: number): void {
    this.#followed.follow(this.#clock.bootMs(), toMs)
  }

  /** By who hears of it. A control room that was started again counts from zero, at the same fleet time. */
  follow({ room, nowMs, toMs }: FollowedState): void {
    const bootMs = this.#clock.bootMs()
    if (!this.#known) {
      this.#followed = new Followed(nowMs)
    } else if (room !== this.#room) {
      const lessMs = this.#followed.at(bootMs) - nowMs
      this.#followed.shift(-lessMs)
      this.#offsetMs += lessMs
      this.#targetMs += lessMs
    }
    this.#room = room
    this.#followed.follow(bootMs, toMs)
  }

  followed = (): FollowedState => ({
    room: this.#room,
    nowMs: this.#followed.at(this.#clock.bootMs()),
    toMs: this.#followed.toMs,
  })

  nowMs = (): number => this.fromBootMs(this.#clock.bootMs())
  known = (): boolean => this.#known
  fromBootMs = (bootMs: number): number => bootMs + this.#offsetAt(bootMs) + this.#followed.at(bootMs)
  /** Fleet time minus BOOTTIME, as read now. */
  offsetMs = (): number => {
    const bootMs = this.#clock.bootMs()
    return this.#offsetAt(bootMs) + this.#followed.at(bootMs)
  }

  #offsetAt(bootMs: number): number {
    const elapsedMs = Math.max(0, bootMs - this.#sinceBootMs)
    const slewMaxMs = (elapsedMs * SLEW_PPM_MAX) / 1e6
    const wantedMs = this.#targetMs - this.#offsetMs
    return this.#offsetMs + Math.max(-slewMaxMs, Math.min(slewMaxMs, wantedMs))
  }
}

/** A clock that tests move by hand. */
export class FakeClock implements Clock {
  #wallMs: number
  #monotonicMs = 1000
  #bootMs = 5000

  constructor(wallMs = 1_700_000_000_000) {
    this.#wallMs = wallMs
  }

  wallMs = (): number => this.#wallMs
  monotonicMs = (): number => this.#monotonicMs
  bootMs = (): number => this.#bootMs

  /** Lets all three clocks run on. */
  advance(ms: number): void {
    this.#wallMs += ms
    this.#monotonicMs += ms
    this.#bootMs += ms
  }

  /** Steps the wall clock alone, as a broken NTP server would. */
  stepWall(ms: number): void {
    this.#wallMs += ms
  }
}

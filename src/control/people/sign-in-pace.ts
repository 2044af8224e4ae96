// Owns how fast passwords may be tried for one name, from however many addresses. It slows down and locks nobody out:
// a name that signs in from where it did before has a lane of its own there, which strangers cannot fill.
import type { Clock } from '#base'
import { controlFaults } from '../faults.ts'

/** Somebody who mistypes is not slowed. */
const FREE_FAILURES = 4
const FIRST_PAUSE_MS = 250
/** Between two attempts of one lane: 20 a minute at the most, for a name, from the whole world. */
const PAUSE_MS_MAX = 3000
/** Whoever would wait longer is told to come again: a page does not wait for more. */
const WAIT_MS_MAX = 3500
/** One failure is forgiven each minute. */
const FORGIVE_MS = 60_000
/** Lanes that are remembered; each is a few words. */
const LANES_MAX = 20_000

interface Lane {
  failures: number
  failedAt: number
  /** Monotonic; the next attempt starts no earlier. */
  nextAt: number
}

export class SignInPace {
  readonly #lanes = new Map<string, Lane>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long this attempt waits before it is made, in ms. Fault: too many wait for the same name already. */
  wait(lane: string): number {
    const known = this.#lanes.get(lane)
    const pause = known === undefined ? 0 : this.#pauseOf(known)
    if (known === undefined || pause === 0) return 0
    const now = this.#clock.monotonicMs()
    const start = Math.max(now, known.nextAt)
    if (start - now > WAIT_MS_MAX) {
      const message =
        'too many wrong passwords were given for this name; attempts are slowed down, try again in a few seconds'
      throw controlFaults.fault('control-sign-in-slowed', message)
    }
    known.nextAt = start + pause
    return start - now
  }

  failed(lane: string): void {
    const now = this.#clock.monotonicMs()
    const known = this.#lanes.get(lane)
    // The newest stands last, so that the first is the one to forget.
    this.#lanes.delete(lane)
    const failures = known === undefined ? 1 : this.#failuresOf(known) + 1
    const next: Lane = { failures, failedAt: now, nextAt: known?.nextAt ?? 0 }
    next.nextAt = Math.max(next.nextAt, now + this.#pauseOf(next))
    this.#lanes.set(lane, next)
    if (this.#lanes.size > LANES_MAX) {
      const [oldest] = this.#lanes.keys()
      if (oldest !== undefined) this.#lanes.delete(oldest)
    }
  }

  succeeded(lane: string): void {
    this.#lanes.delete(lane)
  }

  #failuresOf(lane: Lane): number {
    const forgiven = Math.floor((this.#clock.monotonicMs() - lane.failedAt) / FORGIVE_MS)
    return Math.max(0, lane.failures - forgiven)
  }

  #pauseOf(lane: Lane): number {
    const over = this.#failuresOf(lane) - FREE_FAILURES
    return over <= 0 ? 0 : Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** (over - 1))
  }
}

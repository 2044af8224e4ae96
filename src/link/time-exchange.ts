// Owns the four-timestamp exchange with the control room and the choice of the sample to believe.
import type { Clock, SlewedFleetTime } from '#base'
import type { FromControl, ToControl } from '#wire'

/** As NTP's clock filter: the sample with the least delay of the last eight (RFC 5905 section 10). */
const SAMPLES_MAX = 8
/** The first exchanges follow each other at once, then one every so many ticks. */
const BURST = 4
/**
 * Half a sample's delay is its error, and fleet time that is known is only slewed: a first guess that is 100 ms off
 * takes 200 s to mend. So the first one to be believed is either this good, or the best of a burst.
 */
const FIRST_DELAY_MS_MAX = 20

interface Sample {
  readonly offsetMs: number
  readonly delayMs: number
}

/** Asked once a second by the link; gives the request to send, if one is due. */
export class TimeExchange {
  readonly #everyTicks: number
  readonly #clock: Clock
  readonly #fleet: SlewedFleetTime
  #samples: Sample[] = []
  #ticks = 0

  constructor(clock: Clock, fleet: SlewedFleetTime, everyTicks: number) {
    this.#everyTicks = everyTicks
    this.#clock = clock
    this.#fleet = fleet
  }

  /** After each welcome: the control room may be another one, with another fleet time. */
  restart(): void {
    this.#samples = []
    this.#ticks = 0
  }

  /** At each tick. */
  next(): Extract<ToControl, { type: 'time-request' }> | null {
    this.#ticks += 1
    if (this.#ticks > BURST && this.#ticks % this.#everyTicks !== 0) return null
    return { type: 'time-request', t1: this.#clock.bootMs() }
  }

  /** Gives the request to send at once, without waiting for the tick, while fleet time is not known. */
  onReply(
    reply: Extract<FromControl, { type: 'time-reply' }>,
  ): Extract<ToControl, { type: 'time-request' }> | null {
    const t4 = this.#clock.bootMs()
    const delayMs = t4 - reply.t1 - (reply.t3 - reply.t2)
    if (delayMs < 0 || !Number.isFinite(delayMs)) return null
    const followed = reply.followed ?? { room: 0, nowMs: 0, toMs: 0 }
    // Samples of before and of now are comparable only without it.
    const offsetMs = (reply.t2 + reply.t3 - reply.t1 - t4) / 2 - followed.nowMs
    this.#samples.push({ offsetMs, delayMs })
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift()
    const best = this.#samples.reduce((a, b) => (b.delayMs < a.delayMs ? b : a))
    const isBelieved =
      this.#fleet.known() || best.delayMs <= FIRST_DELAY_MS_MAX || this.#samples.length >= BURST
    if (!isBelieved) return { type: 'time-request', t1: this.#clock.bootMs() }
    this.#fleet.follow(followed)
    this.#fleet.adjust(best.offsetMs)
    return null
  }
}

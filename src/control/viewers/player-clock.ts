// Owns what a player's clock is worth: receive time minus its stamps, at its smallest, is how far it is off. A bounded
// filter: two periods are remembered, so that a clock that drifts is followed.

const PERIOD_MS = 600_000
/** What a player sends so late was stamped by another clock: it was set meanwhile, or it lies. */
const LATE_MS_MAX = 900_000
const AHEAD_MS_MAX = 120_000

export function noClock(): number[] {
  return [Number.NaN, Number.NaN, Number.NaN]
}

/** Fleet time minus the player's, in ms; NaN: nothing was heard. */
export function offsetOf(clock: readonly number[]): number {
  const [, now = Number.NaN, before = Number.NaN] = clock
  if (Number.isNaN(now)) return before
  return Number.isNaN(before) ? now : Math.min(now, before)
}

/** Gives the stamp to go by: that of the player, or, where it cannot be, the one that the receive time stands for. */
export function hear(
  clock: number[],
  ts: number,
  at: number,
): { readonly ts: number; readonly wild: boolean } {
  const late = at - ts
  const offset = offsetOf(clock)
  if (late > offset + LATE_MS_MAX || late < offset - AHEAD_MS_MAX) return { ts: at - offset, wild: true }
  const period = Math.floor(at / PERIOD_MS)
  const [known = Number.NaN] = clock
  if (Number.isNaN(known)) [clock[0], clock[1]] = [period, late]
  else if (period > known) {
    clock[2] = period === known + 1 ? (clock[1] ?? late) : late
    ;[clock[0], clock[1]] = [period, late]
  } else {
    // A record of the period before may be told late.
    const place = period === known ? 1 : 2
    const least = clock[place] ?? Number.NaN
    if (!(least <= late)) clock[place] = late
  }
  return { ts, wild: false }
}

// Owns what is compared: the share of sessions to which something bad happened within a window. Pure.

/** The test looks this often. */
export const TURN_MS = 5000

export const measures = ['rebuffering', 'starts', 'failures'] as const
export type Measure = (typeof measures)[number]

export interface Channel {
  readonly measure: Measure
  readonly turns: number
  /** Of the false alarms that are allowed. */
  readonly alphaShare: number
}

/**
 * A minute finds what is strong at once, five minutes what is weaker or where few watch. Starts and failures happen once
 * a session, so that only the longer window has enough of them.
 */
export const channels: readonly Channel[] = [
  { measure: 'rebuffering', turns: 60_000 / TURN_MS, alphaShare: 0.5 },
  { measure: 'rebuffering', turns: 300_000 / TURN_MS, alphaShare: 0.2 },
  { measure: 'starts', turns: 300_000 / TURN_MS, alphaShare: 0.15 },
  { measure: 'failures', turns: 300_000 / TURN_MS, alphaShare: 0.15 },
]

/** Titles and network classes that are told apart; what is beyond shares the first. */
export const STRATA_MAX = 48

/** Of one edge, now. */
export interface EdgeCounts {
  /** At `(stratum * channels + channel) * 2`: sessions within the window, and those of them that were hit. */
  readonly cells: Float64Array
  /** Sessions that came since the turn before. */
  readonly entries: number
}

export function cellAt(stratum: number, channel: number): number {
  return (stratum * channels.length + channel) * 2
}

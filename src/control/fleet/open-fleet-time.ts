// Owns the start of fleet time: the wall clock is believed unless it lies behind what was stored already.
import { type Clock, type Log, SlewedFleetTime } from '#base'

export interface StartedFleetTime {
  readonly fleetTime: SlewedFleetTime
  /** By how much the wall clock was behind the newest stored sample at the start; 0: it was believed. */
  readonly heldMs: number
}

/** DESIGN, clock rule 2. `newestMs`: of the newest stored sample, null when there is none. */
export function openFleetTime(clock: Clock, newestMs: number | null, log: Log): StartedFleetTime {
  const wallMs = clock.wallMs()
  const heldMs = newestMs === null ? 0 : Math.max(0, newestMs - wallMs)
  if (heldMs > 0) {
    log.warn('fleet-time-held', {
      wall: new Date(wallMs).toISOString(),
      newest: new Date(wallMs + heldMs).toISOString(),
      heldMs: Math.round(heldMs),
    })
  }
  return { fleetTime: new SlewedFleetTime(clock, wallMs + heldMs - clock.bootMs()), heldMs }
}

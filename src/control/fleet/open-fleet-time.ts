// Owns the start of fleet time: the wall clock is believed unless it lies behind what was stored already, or was set by
// far since this room last ran and nobody keeps it.
import { type Clock, type Log, readTimex, SlewedFleetTime } from '#base'

export interface StartedFleetTime {
  readonly fleetTime: SlewedFleetTime
  /** Fleet time minus the wall clock at the start; 0: it was believed. */
  readonly heldMs: number
}

export interface FleetTimeBefore {
  /** Of the newest stored sample; null: there is none. */
  readonly newestMs: number | null
  /** What fleet time would be, had the room never stopped; the wall clock itself after a boot of this machine. */
  readonly continuedMs: number
  /** Whether a time daemon keeps this clock. */
  readonly isKept: boolean
}

/** Nobody sets a clock that is kept by so much; DESIGN, clock rule 2. */
const BELIEVED_MS_MAX = 60_000
/** What fleet time gives back in some minutes; more was no leap second. */
const GIVEN_BACK_MS_MAX = 2000
const STA_UNSYNC = 0x40
/** chronyd without rtcsync leaves UNSYNC set while it is in sync. */
const UNKEPT_ERROR_US = 16_000_000

export function openFleetTime(
  clock: Clock,
  { newestMs, continuedMs, isKept }: FleetTimeBefore,
  log: Log,
): StartedFleetTime {
  const wallMs = clock.wallMs()
  // A clock that somebody keeps was most likely mended; one that nobody keeps was stepped.
  const isStepped = Math.abs(wallMs - continuedMs) > BELIEVED_MS_MAX && !isKept
  const nowMs = Math.max(isStepped ? continuedMs : wallMs, newestMs ?? Number.NEGATIVE_INFINITY)
  const heldMs = nowMs - wallMs
  if (heldMs !== 0) {
    log.warn('fleet-time-held', {
      wall: new Date(wallMs).toISOString(),
      fleet: new Date(nowMs).toISOString(),
      why: isStepped
        ? 'the clock was set since the last start, and no time daemon keeps it'
        : 'newest sample',
      heldMs: Math.round(heldMs),
    })
  }
  const fleetTime = new SlewedFleetTime(clock, nowMs - clock.bootMs(), Math.floor(nowMs))
  // The believed clock lies a moment behind the newest sample, as after a leap second: fleet time goes there in order.
  if (heldMs > 0 && heldMs <= GIVEN_BACK_MS_MAX) fleetTime.followTo(-heldMs)
  return { fleetTime, heldMs }
}

/** By what the kernel says; unknown is no. */
export function isClockKept(): boolean {
  const timex = readTimex()
  return timex !== null && ((timex.status & STA_UNSYNC) === 0 || timex.maxErrorUs < UNKEPT_ERROR_US)
}

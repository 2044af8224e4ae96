// Owns what happens once the control room is back after an absence: rules are looked at over that time, what began and
// ended goes onto the timeline, and whoever was told of what still fires is told that it does.
import { type Closable, type Log } from '#base'
import type { AlertKeeper } from '../alerts/alert-keeper.ts'
import type { Gap } from '../alerts/replay-gap.ts'
import type { IncidentKeeper } from './incident-keeper.ts'

/** Shorter than this is a restart, which rules bridge by themselves. */
const AWAY_MS_MIN = 60_000
/** Agents come back within 5 s and deliver what they kept; reminders go out within 30 s. */
export const SETTLE_MS = 15_000

/** Null: it was not away for long enough to speak of. `newestMs`: of the newest stored sample at the start. */
export function absenceOf(newestMs: number | null, now: number): Gap | null {
  return newestMs === null || now - newestMs < AWAY_MS_MIN ? null : { from: newestMs, to: now }
}

export function followAbsence(
  gap: Gap | null,
  alerts: Pick<AlertKeeper, 'recover'>,
  incidents: IncidentKeeper,
  log: Log,
): Closable {
  if (gap === null) return { close: () => undefined }
  let running: Promise<void> = Promise.resolve()
  const run = async (): Promise<void> => {
    await alerts.recover(gap)
    await incidents.remindAfter(gap)
    log.info('absence-recovered', { awayMs: Math.round(gap.to - gap.from) })
  }
  const timer = setTimeout(() => {
    running = run().catch((error: unknown) => log.error('absence-not-recovered', { error }))
  }, SETTLE_MS)
  return {
    close: () => {
      clearTimeout(timer)
      return running
    },
  }
}

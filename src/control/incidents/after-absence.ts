// Owns what happens once the control room is back after an absence: rules are looked at over that time, what began and
// ended goes onto the timeline, and whoever was told of what still fires is told that it does.
import { type Closable, type Log } from '#base'
import type { AlertKeeper } from '../alerts/keeper-contract.ts'
import { ABSENCE_MS_MIN, type Gap } from '../alerts/replay-gap.ts'
import type { IncidentKeeper } from './incident-keeper.ts'

/**
 * Agents come back within 5 s and deliver what they kept. Then all that was held is looked at, and whoever was told of
 * what still fires is told again, at the latest REMIND_MS after the start: 30 s less what a start and a sending take.
 */
export const SETTLE_MS = 8_000
const REMIND_MS = 20_000

/** Null: it was not away for long enough to speak of. `newestMs`: of the newest stored sample at the start. */
export function absenceOf(newestMs: number | null, now: number): Gap | null {
  return newestMs === null || now - newestMs < ABSENCE_MS_MIN ? null : { from: newestMs, to: now }
}

/** `gap`: before the start, or null. Later ones, in which this process stood still, the rules notice by themselves. */
export function followAbsence(
  gap: Gap | null,
  alerts: Pick<AlertKeeper, 'recover' | 'onAway'>,
  incidents: Pick<IncidentKeeper, 'remindAfter'>,
  log: Log,
): Closable {
  let running: Promise<void> = Promise.resolve()
  const timers = new Set<NodeJS.Timeout>()
  const after = (waitMs: number, run: () => void): NodeJS.Timeout => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      run()
    }, waitMs)
    timers.add(timer)
    return timer
  }
  const failed = (error: unknown): void => log.error('absence-not-recovered', { error })
  const recover = async (own: Gap, remind: () => Promise<void>): Promise<void> => {
    await alerts.recover(own, () => void remind())
    await remind()
    log.info('absence-recovered', { awayMs: Math.round(own.to - own.from) })
  }
  const begin = (own: Gap): void => {
    let reminding: Promise<void> | null = null
    const remind = (): Promise<void> => (reminding ??= incidents.remindAfter(own).catch(failed))
    after(REMIND_MS, () => void remind())
    after(SETTLE_MS, () => {
      running = running.then(() => recover(own, remind)).catch(failed)
    })
  }
  if (gap !== null) begin(gap)
  alerts.onAway(begin)
  return {
    close: () => {
      for (const timer of timers) clearTimeout(timer)
      return running
    },
  }
}

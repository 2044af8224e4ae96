// Owns what the whole fleet sent at most in each hour: kept longer than samples are, since a month of hours is small.
// It takes an hour once, and forgets those older than four weeks and a day.
import type { StateDb } from './database.ts'

export const HOUR_MS = 3_600_000
export const DEMAND_HOURS_KEPT: number = (28 + 1) * 24

export interface DemandHour {
  /** Its beginning. */
  readonly at: number
  readonly peakBps: number
  readonly peakAt: number
  /** Moments with samples; 0: nothing was measured, and it will not be asked for again. */
  readonly moments: number
}

export interface DemandBook {
  add(this: void, hour: DemandHour): Promise<void>
  /** Oldest first. */
  all(this: void): Promise<DemandHour[]>
}

export function createDemandBook({ db, nowMs }: StateDb): DemandBook {
  return {
    add: async ({ at, peakBps, peakAt, moments }) => {
      const row = { peak: peakBps, peak_at: peakAt, moments }
      await db
        .insertInto('demand_hours')
        .values({ at, ...row })
        .onConflict(conflict => conflict.column('at').doUpdateSet(row))
        .execute()
      await db
        .deleteFrom('demand_hours')
        .where('at', '<', nowMs() - DEMAND_HOURS_KEPT * HOUR_MS)
        .execute()
    },
    all: async () => {
      const rows = await db.selectFrom('demand_hours').selectAll().orderBy('at').execute()
      return rows.map(({ at, peak, peak_at, moments }) => ({
        at,
        peakBps: peak,
        peakAt: peak_at,
        moments,
      }))
    },
  }
}

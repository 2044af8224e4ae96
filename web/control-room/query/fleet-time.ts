// Owns asking for a moment in fleet time on a page that was opened just now: another part of it asks for the time, and it
// is known a moment later.
import type { ControlRoomClient } from '../api/client.ts'

const TRIES_MAX = 80

class TimeNotKnown extends Error {}

/** Throws what `waitForTime` asks again for. */
export function fleetNowMs({ clock }: Pick<ControlRoomClient, 'clock'>): number {
  const nowMs = clock.at(performance.now())
  if (nowMs === null) throw new TimeNotKnown('Fleet time is not known yet.')
  return nowMs
}

/** Of a query: asked again four times a second, for 20 s, while only the time is missing. */
export const waitForTime = {
  retry: (failures: number, error: Error): boolean => error instanceof TimeNotKnown && failures < TRIES_MAX,
  retryDelay: 250,
} as const

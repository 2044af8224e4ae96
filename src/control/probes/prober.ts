// Owns the control room's own looks: every edge and origin, once a second.
import type { Clock, Closable, Log } from '#base'
import { CONTROL_ID, type Fleet } from '../fleet/fleet.ts'
import { probeOnce } from './probe-once.ts'

const EVERY_MS = 1000

/** A look that is still under way when the next is due takes its place: at most one for each server. */
export function startProber(fleet: Fleet, clock: Clock, log: Log): Closable {
  const underWay = new Map<string, Promise<void>>()
  const look = async (id: string, url: string): Promise<void> => {
    const startMs = clock.monotonicMs()
    const result = await probeOnce(url, clock)
    const nowMs = clock.monotonicMs()
    // A look is dated by its start: an answer proves that the server lived then.
    fleet.probe(CONTROL_ID, { target: id, ...result, agoMs: nowMs - startMs }, nowMs)
    underWay.delete(id)
  }
  const turn = (): void => {
    for (const { id, url, role } of fleet.all()) {
      if (url === '' || role === 'control' || underWay.has(id)) continue
      underWay.set(
        id,
        look(id, url).catch((error: unknown) => log.error('probe-broken', { server: id, error })),
      )
    }
  }
  const timer = setInterval(turn, EVERY_MS)
  turn()
  return {
    close: async () => {
      clearInterval(timer)
      await Promise.all(underWay.values())
    },
  }
}

// Owns the control room's own looks: every edge and origin, once a second.
import type { Clock, Closable, Log } from '#base'
import { type Trust, tlsClient } from '#trust'
import type { ServerRole } from '#wire'
import { CONTROL_ID, type Fleet } from '../fleet/fleet.ts'
import { probeOnce } from './probe-once.ts'

const EVERY_MS = 1000

/** A look without an answer ends just when the next begins: at most two are under way for each server. */
const UNDER_WAY_MAX = 2

export function startProber(fleet: Fleet, trust: Trust, clock: Clock, log: Log): Closable {
  const underWay = new Map<string, Set<Promise<void>>>()
  const look = async (id: string, url: string, role: ServerRole): Promise<void> => {
    const startMs = clock.monotonicMs()
    const result = await probeOnce(url, clock, role === 'origin' ? tlsClient(trust, url, { role }) : {})
    const nowMs = clock.monotonicMs()
    // A look is dated by its start: an answer proves that the server lived then.
    fleet.probe(CONTROL_ID, { target: id, ...result, agoMs: nowMs - startMs }, nowMs)
  }
  const turn = (): void => {
    for (const { id, url, role } of fleet.all()) {
      if (url === '' || role === 'control') continue
      const looks = underWay.get(id) ?? new Set()
      underWay.set(id, looks)
      if (looks.size >= UNDER_WAY_MAX) continue
      const one: Promise<void> = look(id, url, role)
        .catch((error: unknown) => log.error('probe-broken', { server: id, error }))
        .then(() => void looks.delete(one))
      looks.add(one)
    }
  }
  const timer = setInterval(turn, EVERY_MS)
  turn()
  return {
    close: async () => {
      clearInterval(timer)
      await Promise.all([...underWay.values()].flatMap(looks => [...looks]))
    },
  }
}

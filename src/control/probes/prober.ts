// Owns the control room's own looks: every edge and origin, once a second.
import type { Clock, Closable, Log } from '#base'
import { ProbeRounds } from '#probe'
import { type Trust, tlsClient } from '#trust'
import { isSimulated } from '#wire'
import { CONTROL_ID, type Fleet } from '../fleet/fleet.ts'
import { foreignPath } from './foreign-stream.ts'

const EVERY_MS = 1000

export interface ProberOptions {
  readonly fleet: Fleet
  readonly trust: Trust
  readonly clock: Clock
  readonly log: Log
  nowMs(this: void): number
}

export function startProber({ fleet, trust, clock, log, nowMs }: ProberOptions): Closable {
  const rounds = new ProbeRounds({
    clock,
    log,
    nowMs,
    onSeen: report => fleet.probe(CONTROL_ID, report, clock.monotonicMs()),
  })
  const turn = (): void => {
    const targets = fleet
      .all()
      .filter(({ id, url, role }) => url !== '' && role !== 'control' && !isSimulated(id))
      // Viewers' certificates are judged as viewers do; an origin has to prove its private name.
      .map(({ id, url, role, stream }) => ({
        id,
        url,
        tls: role === 'origin' ? tlsClient(trust, url, { role }) : {},
        path: role === 'foreign' ? foreignPath(stream) : undefined,
      }))
    rounds.look(targets)
  }
  const timer = setInterval(turn, EVERY_MS)
  turn()
  return {
    close: async () => {
      clearInterval(timer)
      await rounds.close()
    },
  }
}

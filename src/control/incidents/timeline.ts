// Owns the timeline of an incident as it is shown: its own events, and what servers and steering did meanwhile, read
// from where that is stored.
import type { IncidentEvent } from '#wire'
import type { StoredIncident } from '../state/incidents.ts'
import type { FullState } from '../state/open-state.ts'
import { VITRINE } from './open-incident.ts'

/** What led to it came a little before; what follows comes a little after. */
const AROUND_MS = 60_000
const SERVERS_MAX = 50
const CHANGES_MAX = 200

type Stored = Pick<FullState, 'incidents' | 'servers' | 'steeringVersions'>

export async function timelineOf(
  { incidents, servers, steeringVersions }: Stored,
  { id, openedAt, resolvedAt, servers: concerned }: StoredIncident,
  now: number,
): Promise<IncidentEvent[]> {
  const [from, to] = [openedAt - AROUND_MS, (resolvedAt ?? now) + AROUND_MS]
  const within = (at: number): boolean => at >= from && at <= to
  const states = await Promise.all(
    concerned.slice(0, SERVERS_MAX).map(async server => {
      const changes = await servers.history(server, to)
      return changes
        .filter(({ at }) => within(at))
        .map(({ at, to: state, reason }) => foreign(at, 'state', `${server} is ${state}: ${reason}`))
    }),
  )
  const { versions } = await steeringVersions.list(from, to)
  const steering = versions
    .filter(({ at, changes }) => within(at) && changes.length > 0)
    .map(({ at, version, changes }) =>
      foreign(at, 'steering', `table ${version}: ${changes.slice(0, 6).join('; ')}`),
    )
  const others = [...states.flat(), ...steering].toSorted((a, b) => a.at - b.at).slice(0, CHANGES_MAX)
  return [...(await incidents.events(id)), ...others].toSorted((a, b) => a.at - b.at)
}

function foreign(at: number, kind: 'state' | 'steering', text: string): IncidentEvent {
  return { id: 0, at, kind, by: VITRINE, text }
}

// Owns the answer to "who is next": servers outside an incident that show its sign and still take viewers.
import type { ShowingServer } from '#wire'
import type { ControlContext } from '../context.ts'
import type { ServerRecord } from '../fleet/fleet.ts'
import { familyOf, serverOf } from '../incidents/facts.ts'
import type { StoredAlert } from '../state/alerts.ts'
import type { IncidentAlert, StoredIncident } from '../state/incidents.ts'

/** More is the whole fleet, and no list helps. */
const SHOWN_MAX = 50

type Seen = Pick<ControlContext, 'fleet' | 'alerts' | 'incidents' | 'steering'>

export function alsoShowing(
  { fleet, alerts, incidents, steering }: Seen,
  { servers, cause }: Pick<StoredIncident, 'servers' | 'cause'>,
  own: readonly IncidentAlert[],
): ShowingServer[] {
  const rules = new Set(own.map(({ labels }) => labels['alertname'] ?? ''))
  const isIllness = own.some(({ labels }) => ['gone', 'ill'].includes(familyOf(labels)))
  const held = new Set(own.map(({ alertId }) => alertId))
  const versions = new Set(servers.flatMap(id => fleet.get(id)?.version || []))
  const active = [...alerts.active(), ...incidents.foreign.firing()].filter(
    ({ id, labels }) => !held.has(id) && rules.has(labels['alertname'] ?? ''),
  )
  const found: ShowingServer[] = []
  for (const record of fleet.all()) {
    if (servers.includes(record.id) || !serves(record, steering.weightOf(record.id))) continue
    const shown = signOf(record, active, id => fleet.get(id) !== null)
    const doubted = isIllness && record.doubts > 0 ? { sign: record.reason, since: record.since } : null
    const released =
      cause.kind === 'bad-release' && versions.has(record.version)
        ? { sign: `runs the same version, ${record.version}`, since: null }
        : null
    const sign = shown ?? doubted ?? released
    if (sign === null) continue
    const viewers = fleet.sessions.of(record.id).watching
    found.push({ server: record.id, state: record.standing.state, viewers, ...sign })
    if (found.length >= SHOWN_MAX) break
  }
  return found.toSorted((a, b) => b.viewers - a.viewers)
}

function serves({ role, standing: { state } }: ServerRecord, weight: number): boolean {
  if (role === 'edge') return weight > 0
  return state === 'healthy' || state === 'degraded'
}

/** One that fires says more than one that is pending. */
function signOf(
  { id }: ServerRecord,
  active: readonly StoredAlert[],
  known: (id: string) => boolean,
): { sign: string; since: number } | null {
  const own = active
    .filter(({ labels, state }) => state !== 'resolved' && serverOf(labels, known) === id)
    .toSorted((a, b) => Number(b.state === 'firing') - Number(a.state === 'firing'))
  const [first] = own
  if (first === undefined) return null
  const what = first.annotations['summary'] ?? first.rule
  return { sign: `${first.rule} is ${first.state}: ${what}`, since: first.firedAt ?? first.activeAt }
}

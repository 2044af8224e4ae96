// Owns what an incident is called, in words that can be said on the telephone. Pure.
import type { IncidentAlert } from '../state/incidents.ts'
import { type Family, familyOf, serverOf, severityOf } from './facts.ts'
import { related, type Topology } from './group.ts'

/** What explains the most first. */
const order: readonly Family[] = ['gone', 'ill', 'certificate', 'disk', 'clock', 'load']
const SEVERITIES = ['critical', 'warning', 'info']
const TITLE_MAX = 160

const words: Partial<Record<Family, readonly [string, string]>> = {
  gone: ['does not answer', 'do not answer'],
  ill: ['serves badly', 'serve badly'],
  certificate: ['has a certificate that ends', 'have certificates that end'],
  disk: ['has a disk that fills', 'have disks that fill'],
  clock: ['has a clock that is off', 'have clocks that are off'],
  load: ['is overloaded', 'are overloaded'],
}

export function titleOf(alerts: readonly IncidentAlert[], { servers: known }: Topology): string {
  const lead = alerts.reduce<IncidentAlert | undefined>(
    (best, alert) => (best === undefined || rank(alert) < rank(best) ? alert : best),
    undefined,
  )
  if (lead === undefined) return 'Nothing is known'
  // Only what is said of them all is counted: one that is busy does not belong to those that do not answer.
  const alike = alerts.filter(({ labels }) => related(familyOf(labels), familyOf(lead.labels)))
  const servers = [...new Set(alike.flatMap(({ labels }) => serverOf(labels, id => known.has(id)) ?? []))]
  const those = servers.flatMap(id => known.get(id) ?? [])
  const edges = those.filter(({ role }) => role === 'edge')
  const verb = words[familyOf(lead.labels)]
  const summary = lead.annotations['summary'] ?? lead.labels['alertname'] ?? 'An alert'
  const origin = those.find(({ role }) => role === 'origin')
  if (verb === undefined || edges.length < 2 || origin !== undefined) {
    const isOurs = servers.length > 0
    // One that ended and came back is counted once.
    const different = (): number => new Set(alike.map(({ labels }) => JSON.stringify(labels))).size
    const others = (isOurs ? servers.length : different()) - 1
    if (others <= 0) return cut(summary)
    return cut(`${summary}, and ${others} more ${isOurs ? 'server' : 'alert'}${others > 1 ? 's' : ''}`)
  }
  const loaded = new Set(
    alerts
      .filter(one => familyOf(one.labels) === 'load')
      .map(one => serverOf(one.labels, id => known.has(id))),
  )
  const hosts = new Set(those.filter(({ id }) => loaded.has(id)).map(({ hostId }) => hostId))
  if (familyOf(lead.labels) === 'load' && hosts.size === 1 && !hosts.has('') && loaded.size > 1)
    return cut(
      `The host of ${servers.slice(0, 3).join(', ')}${servers.length > 3 ? ` and ${servers.length - 3} more` : ''} is overloaded`,
    )
  const all = [...known.values()].filter(({ role }) => role === 'edge').length
  const regions = [...new Set(edges.map(({ region }) => region))]
  const where = regions.length === 1 ? `in ${regions[0] ?? ''}` : `in ${regions.length} regions`
  return cut(`${edges.length} of ${all} edges ${verb[1]}, ${where}`)
}

function rank({ labels }: IncidentAlert): number {
  const place = order.indexOf(familyOf(labels))
  // An agent that is silent says less than an edge that is.
  const agent = labels['alertname'] === 'AgentSilent' ? 0.5 : 0
  return SEVERITIES.indexOf(severityOf(labels)) * 100 + (place < 0 ? order.length : place) + agent
}

function cut(text: string): string {
  return text.length <= TITLE_MAX ? text : `${text.slice(0, TITLE_MAX - 1)}…`
}

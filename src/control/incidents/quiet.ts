// Owns when an incident is over, and how that is said: what only informs, and may do so for years, holds none open that
// was more than that. Pure.
import { severityOf } from './facts.ts'
import type { OpenIncident } from './open-incident.ts'

type Alert = ReturnType<OpenIncident['alerts']>[number]

/** Nothing fires, or only what informs, where it was opened or joined by more than that. */
export function isQuiet(incident: OpenIncident): boolean {
  const firing = incident.firing()
  if (firing.length === 0) return true
  return firing.every(isInfo) && !incident.alerts().every(isInfo)
}

export function resolvedWords(left: readonly string[]): string {
  return left.length === 0
    ? 'all alerts have ended'
    : `all alerts have ended but ${left.join(', ')}, which only informs`
}

function isInfo({ labels }: Alert): boolean {
  return severityOf(labels) === 'info'
}

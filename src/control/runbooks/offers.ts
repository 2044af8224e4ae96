// Owns which runbooks fit an incident, and for which of its servers. Pure.
import type { IncidentView, RunbooksAnswer } from '#wire'
import { serverOf } from '../incidents/facts.ts'
import type { Runbook } from './runbook.ts'

export interface OfferInput {
  readonly incident: { readonly servers: readonly string[]; readonly cause: IncidentView['cause'] }
  /** Of its alerts. */
  readonly alerts: readonly Readonly<Record<string, string>>[]
  roleOf(this: void, server: string): string | null
}

export function offersFor(
  runbooks: readonly Runbook[],
  { incident, alerts, roleOf }: OfferInput,
): RunbooksAnswer['offers'] {
  return runbooks.flatMap(runbook => {
    const { match, roles } = runbook
    const named = alerts.filter(({ alertname = '' }) => match.alerts.includes(alertname))
    const alert = named[0]?.['alertname']
    const isCause = match.causes.includes(incident.cause.kind)
    // Several things may be wrong in one incident: where an alert says of whom, only of those.
    const ill = new Set(named.flatMap(labels => serverOf(labels, id => incident.servers.includes(id)) ?? []))
    const fits = incident.servers.filter(id => {
      const role = roleOf(id)
      return role !== null && (roles.length === 0 || roles.includes(role)) && (ill.size === 0 || ill.has(id))
    })
    if (fits.length === 0 || (alert === undefined && !isCause)) return []
    const why = isCause ? `the cause is held to be: ${incident.cause.text}` : `${alert ?? ''} fires`
    return [{ runbook: runbook.name, servers: fits, why }]
  })
}

// Owns which runbooks fit an incident, and for which of its servers. Pure.
import type { IncidentView, RunbooksAnswer } from '#wire'
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
    const fits = incident.servers.filter(id => {
      const role = roleOf(id)
      return role !== null && (roles.length === 0 || roles.includes(role))
    })
    const alert = match.alerts.find(name => alerts.some(({ alertname }) => alertname === name))
    const isCause = match.causes.includes(incident.cause.kind)
    if (fits.length === 0 || (alert === undefined && !isCause)) return []
    const why = isCause ? `the cause is held to be: ${incident.cause.text}` : `${alert ?? ''} fires`
    return [{ runbook: runbook.name, servers: fits, why }]
  })
}

// Owns asking what the control room offers for an incident: a drill begins nothing else.
import type { IncidentView } from '#wire'
import type { ControlContext } from '../context.ts'
import { offersFor } from '../runbooks/offers.ts'
import type { Runbook } from '../runbooks/runbook.ts'

export async function offered(
  { state, fleet }: ControlContext,
  runbooks: readonly Runbook[],
  incident: IncidentView,
): Promise<ReturnType<typeof offersFor>> {
  const stored = await state.incidents.get(incident.id)
  const alerts = (stored?.alerts ?? []).map(({ labels }) => labels)
  return offersFor(runbooks, { incident, alerts, roleOf: id => fleet.get(id)?.role ?? null })
}

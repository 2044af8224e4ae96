// Owns what is known of one incident, put together for whoever asks: the API, the page and the file to take along.
import { type IncidentAnswer, mayAct } from '#wire'
import type { ControlContext } from '../context.ts'
import { controlFaults } from '../faults.ts'
import { OpenIncident } from '../incidents/open-incident.ts'
import { timelineOf } from '../incidents/timeline.ts'
import { momentOfMinute } from '../incidents/zone-time.ts'
import { alsoShowing } from './also-showing.ts'
import { feltIn } from './felt.ts'
import { recentHurt } from './figures.ts'

const DAY_MS = 86_400_000
const CHANGES_MAX = 50
const SHOWN_ALERTS_MAX = 200

/** Null: there is none of this id. */
export async function wholeIncident(context: ControlContext, id: string): Promise<IncidentAnswer | null> {
  const { state, fleetTime, incidents } = context
  const now = fleetTime.nowMs()
  const found = await state.incidents.get(id)
  if (found === null) return null
  const { incident, alerts } = found
  const { openedAt, resolvedAt } = incident
  const marks = {
    fromMs: openedAt - DAY_MS,
    toMs: openedAt,
    server: null,
    nearMs: openedAt,
    limit: CHANGES_MAX,
  }
  return {
    now,
    incident: incidents.keeper.get(id) ?? new OpenIncident(incident, alerts).view(),
    timeline: await timelineOf(state, incident, now),
    alerts: alerts.slice(0, SHOWN_ALERTS_MAX).map(({ alertId, ...alert }) => ({ id: alertId, ...alert })),
    changes: await state.marks.list(marks),
    morning: nextMorning(context),
    hurt: {
      trend: incidents.keeper.trend(id),
      recent: await recentHurt(context, { id, openedAt, endAt: resolvedAt ?? now }),
    },
    felt: await feltIn(context, { openedAt, endAt: resolvedAt ?? now }),
    // What others show now says nothing about an incident that is over.
    showing: resolvedAt === null ? alsoShowing(context, incident, alerts) : [],
  }
}

export function nextMorning({ fleetTime, incidents: { policy } }: ControlContext): number {
  return momentOfMinute(fleetTime.nowMs() + 60_000, policy.morningMinute, policy.zone)
}

/** People who are here and may act. */
export async function actorNames({ state }: ControlContext): Promise<string[]> {
  const users = await state.people.listUsers()
  return users
    .filter(({ role, offboardedAt }) => offboardedAt === null && mayAct(role, 'operator'))
    .map(({ name }) => name)
}

/** Fault: nobody of this name could do anything about it. */
export async function checkActor(context: ControlContext, to: string, by: string): Promise<void> {
  if (to === by || (await actorNames(context)).includes(to)) return
  const message = `${JSON.stringify(to)} is nobody who is here and may act`
  throw controlFaults.fault('control-request-invalid', message)
}

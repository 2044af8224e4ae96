// Owns how notifications look to people: receivers with their standing, routes and lists in words. Nothing secret is
// part of it.
import type { NotificationsAnswer, ReceiverView, WatcherView } from '#wire'
import type { StateDb } from '../state/database.ts'
import type { Heartbeat } from './heartbeat.ts'
import type { Route } from './label-route.ts'
import type { Notifier } from './notifier.ts'
import type { NotifyStatus } from './notify-keeper.ts'
import { turnAt } from './on-call.ts'
import type { NotifyPlan } from './plan.ts'

export interface NotifyParts {
  plan(this: void): NotifyPlan
  status(this: void): NotifyStatus
  readonly notifier: Notifier
  readonly heartbeat: Heartbeat
}

export async function notificationsView(
  state: StateDb,
  parts: NotifyParts,
  watcher: WatcherView,
): Promise<NotificationsAnswer> {
  const { heartbeat } = parts
  const plan = parts.plan()
  const now = state.nowMs()
  return {
    now,
    receivers: await receiverViews(state, parts),
    routes: plan.routes.map((route, at) => ({
      when: whenWords(route, plan.routes.slice(0, at)),
      does: thenWords(route),
    })),
    onCall: [...plan.onCall.values()].map(list => {
      const { person, receivers, until, next } = turnAt(list, now)
      return { list: list.name, person, receivers: [...receivers], until, next, zone: list.zone }
    }),
    heartbeat: heartbeat.view(),
    config: parts.status(),
    watcher,
  }
}

async function receiverViews({ db }: StateDb, { plan, notifier }: NotifyParts): Promise<ReceiverView[]> {
  const waiting = await db
    .selectFrom('deliveries')
    .select(['receiver', select => select.fn.countAll<number>().as('count')])
    .where('state', 'in', ['waiting', 'failed'])
    .groupBy('receiver')
    .execute()
  const sent = await db
    .selectFrom('deliveries')
    .select(['receiver', select => select.fn.max('sent_at').as('at')])
    .where('state', '=', 'sent')
    .groupBy('receiver')
    .execute()
  const users = new Set((await db.selectFrom('users').select('name').execute()).map(({ name }) => name))
  return [...plan().receivers.values()].map(({ name, kind, person, quiet, to }) => {
    const { lastSentAt, problem, failures } = notifier.standing(name)
    return {
      name,
      kind,
      person,
      personKnown: person === null || users.has(person),
      quiet,
      to,
      waiting: waiting.find(row => row.receiver === name)?.count ?? 0,
      lastSentAt: lastSentAt ?? sent.find(row => row.receiver === name)?.at ?? null,
      problem,
      failures,
    }
  })
}

/** `before`: those that are looked at first, of which one that does not continue ends the looking. */
export function whenWords({ matchers }: Route, before: readonly Route[]): string {
  const ends = before.filter(route => !route.continue)
  if (ends.some(route => route.matchers.length === 0)) return 'none: a route before it takes every incident'
  if (matchers.length > 0) return matchers.map(({ text }) => text).join(' and ')
  return ends.length === 0 ? 'every incident' : 'every other incident'
}

function thenWords(route: Route): string[] {
  const { receivers, groupSeconds, repeatMinutes, escalation } = route
  return [
    `tells ${receivers.join(', ')}${groupSeconds === 0 ? ' at once' : ` after ${groupSeconds} s, all in one`}`,
    ...escalation.map(
      step => `after ${step.afterMinutes} min with nobody who has it: ${step.receivers.join(', ')}`,
    ),
    ...(repeatMinutes === undefined ? [] : [`again each ${repeatMinutes} min while nobody has it`]),
    ...(route.continue ? ['and the next routes are looked at as well'] : []),
  ]
}

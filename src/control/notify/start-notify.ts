// Owns starting notifications: the configuration in force, the links, the queues and the heartbeat.
import type { Closers, Counters, FleetTime, Log } from '#base'
import type { Environment } from '#receivers'
import { type NotifyConfig, notifyConfig } from '#wire'
import type { StateDb } from '../state/database.ts'
import { type Heartbeat, startHeartbeat } from './heartbeat.ts'
import { IncidentLinks } from './links.ts'
import { Notifier } from './notifier.ts'
import { type NotifyPlan, planNotify } from './plan.ts'

export interface Notifications {
  readonly plan: NotifyPlan
  readonly links: IncidentLinks
  readonly notifier: Notifier
  /** Null: none is configured. */
  readonly heartbeat: Heartbeat | null
}

export interface NotificationsOptions {
  readonly config: NotifyConfig | null
  readonly environment: Environment
  readonly state: StateDb
  readonly fleetTime: FleetTime
  readonly counters: Counters
  readonly log: Log
  readonly selfUrl: () => string
}

export async function startNotifications(
  options: NotificationsOptions,
  closers: Closers,
): Promise<Notifications> {
  const { config, environment, state } = options
  const plan = planNotify(config ?? notifyConfig.parse({}), environment)
  const links = await IncidentLinks.open(state)
  const notifier = closers.add(await Notifier.start({ ...options, plan, links }))
  const heartbeat = startHeartbeat({ ...options, plan })
  if (heartbeat !== null) closers.add(heartbeat)
  return { plan, links, notifier, heartbeat }
}

// Owns starting notifications: the configuration in force, the links, the queues and the heartbeat; and what follows
// when the configuration changes.
import type { Closers, Counters, FleetTime, Log } from '#base'
import type { Environment } from '#receivers'
import { type NotifyConfig, notifyConfig } from '#wire'
import type { StateDb } from '../state/database.ts'
import { Heartbeat } from './heartbeat.ts'
import { IncidentLinks } from './links.ts'
import { Notifier } from './notifier.ts'
import { NotifyKeeper, type NotifySource, type NotifyStatus } from './notify-keeper.ts'
import type { NotifyPlan } from './plan.ts'

export interface Notifications {
  /** In force now: asked anew each time, since it changes with the file. */
  plan(this: void): NotifyPlan
  status(this: void): NotifyStatus
  readonly links: IncidentLinks
  readonly notifier: Notifier
  readonly heartbeat: Heartbeat
}

export interface NotificationsOptions {
  readonly config: NotifyConfig | null
  /** Null or left out: it does not change. */
  readonly source?: NotifySource | null
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
  const { state } = options
  const config = options.config ?? notifyConfig.parse({})
  const keeper = new NotifyKeeper({ ...options, config, source: options.source ?? null })
  const { plan } = keeper
  const links = await IncidentLinks.open(state)
  const notifier = closers.add(await Notifier.start({ ...options, plan, links }))
  const heartbeat = closers.add(new Heartbeat({ ...options, plan: plan() }))
  // Closed first: no change comes in while the others end.
  closers.add(keeper).follow(async before => {
    await heartbeat.replace(plan())
    await notifier.replaced(before)
  })
  return { plan, status: () => keeper.status(), links, notifier, heartbeat }
}

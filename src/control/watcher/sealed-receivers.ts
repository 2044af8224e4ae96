// Owns which receivers edges would tell, and their configuration with its secrets in it: only edges get to see that.
import type { SecretBook } from '#receivers'
import type { ReceiverConfig, SecretPlace, WatcherView } from '#wire'
import { routesFor } from '../notify/label-route.ts'
import { type NotifyPlan, namesAt } from '../notify/plan.ts'

/** What the loss of a control room looks like to routes. */
const LABELS = {
  alertname: 'ControlRoomLost',
  severity: 'critical',
  job: 'vitrine-control',
  instance: 'control',
}
const RECEIVERS_MAX = 20

export interface TopRoute {
  readonly receivers: readonly ReceiverConfig[]
  readonly view: WatcherView['receivers']
}

/** The receivers that ring first, as routes and lists stand at that time. */
export function topRoute(plan: NotifyPlan, at: number): TopRoute {
  const names = routesFor(plan.routes, [LABELS]).flatMap(({ receivers }) => namesAt(plan, receivers, at))
  const view: { name: string; problem: string | null }[] = []
  const receivers: ReceiverConfig[] = []
  for (const name of [...new Set(names)].slice(0, RECEIVERS_MAX)) {
    const config = plan.configs.get(name)
    if (config === undefined) continue
    const problem = unusable(config)
    view.push({ name, problem })
    if (problem === null) receivers.push(withSecrets(config, plan.secrets))
  }
  return { receivers, view }
}

function unusable(config: ReceiverConfig): string | null {
  const { email, slack, pagerduty, webhook, alertmanagerWebhook, alertmanager } = config
  const part = email ?? slack ?? pagerduty ?? webhook ?? alertmanagerWebhook ?? alertmanager
  if (part?.caFile === undefined) return null
  return 'edges cannot use it: its caFile is a file of the control room’s machine'
}

/** Secrets are read where they are; edges have neither the file nor the environment. */
function withSecrets(config: ReceiverConfig, secrets: SecretBook): ReceiverConfig {
  const what = `receiver ${config.name}`
  const read = (place: SecretPlace): string => secrets.read(place, what).reveal()
  const { email, slack, pagerduty, webhook, alertmanagerWebhook, alertmanager } = config
  return {
    ...config,
    ...(email?.password === undefined ? {} : { email: { ...email, password: read(email.password) } }),
    ...(slack === undefined ? {} : { slack: { ...slack, url: read(slack.url) } }),
    ...(pagerduty === undefined
      ? {}
      : { pagerduty: { ...pagerduty, routingKey: read(pagerduty.routingKey) } }),
    ...(webhook === undefined ? {} : { webhook: { ...webhook, secret: read(webhook.secret) } }),
    ...(alertmanagerWebhook === undefined
      ? {}
      : { alertmanagerWebhook: { ...alertmanagerWebhook, url: read(alertmanagerWebhook.url) } }),
    ...(alertmanager?.bearer === undefined
      ? {}
      : { alertmanager: { ...alertmanager, bearer: read(alertmanager.bearer) } }),
  }
}

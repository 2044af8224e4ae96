// Owns the formats of Prometheus' Alertmanager: its webhook (version 4), for whatever takes that, and its API v2, for
// forwarding alerts to one that exists. What is forwarded is told again, because an Alertmanager forgets.
import { createHash } from 'node:crypto'
import type { ReceiverConfig } from '#wire'
import { addressOf } from './hooks.ts'
import { type MessageAlert, stamp } from './message.ts'
import type { Poster } from './post.ts'
import type { Outgoing, Receiver } from './receiver.ts'
import type { SecretBook } from './secret-book.ts'

type Part<Kind extends keyof ReceiverConfig> = NonNullable<ReceiverConfig[Kind]>
type Labels = Readonly<Record<string, string>>

/** Go's zero time: what an Alertmanager writes for an alert that has not ended. */
const NOT_ENDED = '0001-01-01T00:00:00Z'
/** Four refreshes: after that the Alertmanager takes an alert for ended, also when we are dead. */
const HELD_MS = 240_000

export function alertmanagerWebhookReceiver(
  config: Part<'alertmanagerWebhook'>,
  name: string,
  secrets: SecretBook,
  poster: Poster,
): Receiver {
  const url = addressOf(secrets.read(config.url, `receiver ${name}: url`).reveal(), `receiver ${name}`)
  return {
    kind: 'alertmanagerWebhook',
    to: url.host,
    quietByDefault: true,
    send: outgoing =>
      poster.send({
        url: url.href,
        headers: { 'idempotency-key': outgoing.key },
        body: JSON.stringify(webhookBody(outgoing, name)),
      }),
    close: poster.close,
  }
}

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
function webhookBody(outgoing: Outgoing, receiver: string): Record<string, unknown> {
  const { message, url, link } = outgoing
  const own = { alertname: 'VitrineIncident', severity: message.severity }
  const listed = alertsOf(outgoing, own)
  const resolved = message.reason === 'resolved'
  return {
    version: '4',
    groupKey: `{}:{incident="${message.incident ?? ''}"}`,
    truncatedAlerts: message.alertsMore,
    status: resolved ? 'resolved' : 'firing',
    receiver,
    groupLabels: { incident: message.incident ?? '' },
    commonLabels: common(listed.map(({ labels }) => labels)),
    commonAnnotations: common(listed.map(({ annotations }) => annotations)),
    externalURL: url,
    alerts: listed.map(({ labels, annotations, startsAt, endsAt }) => ({
      status: endsAt === null && !resolved ? 'firing' : 'resolved',
      labels,
      annotations,
      startsAt: stamp(startsAt),
      endsAt:
        endsAt === null ? (resolved ? stamp(message.resolvedAt ?? message.at) : NOT_ENDED) : stamp(endsAt),
      generatorURL: link ?? url,
      fingerprint: fingerprint(labels),
    })),
  }
}

/** Of an incident without alerts, and of a test, one that stands for it. */
function alertsOf({ message, words }: Outgoing, own: Labels): readonly MessageAlert[] {
  const annotations = { summary: words.title, description: words.text }
  if (message.alerts.length === 0) {
    const startsAt = message.since ?? message.at
    return [{ labels: own, annotations, startsAt, endsAt: message.resolvedAt }]
  }
  return message.alerts
}

function common(sets: readonly Labels[]): Labels {
  const [first = {}, ...rest] = sets
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => rest.every(labels => labels[name] === value)),
  )
}

function fingerprint(labels: Labels): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(pairs)).digest('hex').slice(0, 16)
}

export function alertmanagerReceiver(
  config: Part<'alertmanager'>,
  what: string,
  secrets: SecretBook,
  poster: Poster,
): Receiver {
  const bearer = config.bearer === undefined ? null : secrets.read(config.bearer, `${what}: bearer`)
  const url = `${config.url.replace(/\/+$/, '')}/api/v2/alerts`
  const post = (alerts: readonly unknown[]): ReturnType<Receiver['send']> =>
    poster.send({
      url,
      headers: bearer === null ? {} : { authorization: `Bearer ${bearer.reveal()}` },
      body: JSON.stringify(alerts),
    })
  return {
    kind: 'alertmanager',
    to: new URL(config.url).host,
    quietByDefault: true,
    send: outgoing => post(forwarded(outgoing)),
    refresh: open => post(open.flatMap(forwarded)),
    close: poster.close,
  }
}

/** Their labels as they are: what an Alertmanager knows an alert by. */
function forwarded(outgoing: Outgoing): readonly unknown[] {
  const { message, link, url, at } = outgoing
  const own = {
    alertname: 'VitrineIncident',
    incident: message.incident ?? 'test',
    severity: message.severity,
  }
  const resolved = message.reason === 'resolved' || message.reason === 'test'
  return alertsOf(outgoing, own).map(({ labels, annotations, startsAt, endsAt }) => ({
    labels,
    annotations: {
      ...annotations,
      ...(message.incident === null ? {} : { vitrine_incident: message.incident }),
    },
    startsAt: stamp(startsAt),
    endsAt: stamp(endsAt ?? (resolved ? (message.resolvedAt ?? at) : at + HELD_MS)),
    generatorURL: link ?? url,
  }))
}

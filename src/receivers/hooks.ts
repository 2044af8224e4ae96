// Owns receivers that take a JSON message over HTTP: chat webhooks, PagerDuty, and our own signed webhook.
import { createHmac } from 'node:crypto'
import type { ReceiverConfig } from '#wire'
import { receiverFaults } from './faults.ts'
import { count, type NoticeMessage, stamp } from './message.ts'
import type { Poster } from './post.ts'
import type { Outgoing, Receiver } from './receiver.ts'
import type { SecretBook } from './secret-book.ts'

type Part<Kind extends keyof ReceiverConfig> = NonNullable<ReceiverConfig[Kind]>

const COLOURS: Readonly<Record<string, string>> = {
  'get-up': '#c62828',
  decide: '#b26a00',
  sleep: '#2e7d32',
  resolved: '#2e7d32',
}

export function slackReceiver(
  config: Part<'slack'>,
  what: string,
  secrets: SecretBook,
  poster: Poster,
): Receiver {
  const url = addressOf(secrets.read(config.url, `${what}: url`).reveal(), what)
  return {
    kind: 'slack',
    to: url.host,
    quietByDefault: true,
    send: outgoing => poster.send({ url: url.href, body: JSON.stringify(slackBody(outgoing)) }),
    close: poster.close,
  }
}

/** `text` is what a phone shows; the attachment carries the colour (Slack: secondary attachments). */
function slackBody({ message, words }: Outgoing): Record<string, unknown> {
  const colour = COLOURS[message.reason === 'resolved' ? 'resolved' : (message.class ?? '')] ?? '#5f6b7a'
  return {
    text: slackText(words.title),
    attachments: [{ color: colour, fallback: slackText(words.title), text: slackText(words.text) }],
  }
}

/** Nothing that an alert says may call a whole channel, or be a link that shows another address. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

const SUMMARY_MAX = 1024
const PAGERDUTY_SOURCE_MAX = 255

export function pagerdutyReceiver(
  config: Part<'pagerduty'>,
  what: string,
  secrets: SecretBook,
  poster: Poster,
): Receiver {
  const routingKey = secrets.read(config.routingKey, `${what}: routingKey`)
  return {
    kind: 'pagerduty',
    to: new URL(config.url).host,
    quietByDefault: false,
    send: outgoing =>
      poster.send({ url: config.url, body: JSON.stringify(pagerdutyBody(outgoing, routingKey.reveal())) }),
    close: poster.close,
  }
}

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
function pagerdutyBody(outgoing: Outgoing, routingKey: string): Record<string, unknown> {
  const { message, words, link, url, key } = outgoing
  const action = actionOf(message)
  const head = { routing_key: routingKey, event_action: action, dedup_key: message.incident ?? key }
  if (action !== 'trigger') return head
  return {
    ...head,
    client: 'Vitrine',
    client_url: url,
    ...(link === null ? {} : { links: [{ href: link, text: 'Incident' }] }),
    payload: {
      summary: words.title.slice(0, SUMMARY_MAX),
      source: (message.servers[0] ?? 'vitrine').slice(0, PAGERDUTY_SOURCE_MAX),
      severity: message.severity,
      timestamp: stamp(message.since ?? message.at),
      component: message.servers.slice(0, 8).join(', ') || 'vitrine',
      group: 'vitrine',
      class: message.class ?? message.reason,
      custom_details: {
        text: words.text,
        reason: message.reason,
        key,
        viewers_hurt: message.hurtNow === null ? 'not known' : count(message.hurtNow),
      },
    },
  }
}

function actionOf({ reason }: NoticeMessage): 'trigger' | 'acknowledge' | 'resolve' {
  if (reason === 'resolved') return 'resolve'
  return reason === 'acknowledged' ? 'acknowledge' : 'trigger'
}

export function webhookReceiver(
  config: Part<'webhook'>,
  what: string,
  secrets: SecretBook,
  poster: Poster,
): Receiver {
  const secret = secrets.read(config.secret, `${what}: secret`)
  return {
    kind: 'webhook',
    to: new URL(config.url).host,
    quietByDefault: true,
    send: outgoing => {
      const body = JSON.stringify(webhookBody(outgoing))
      const seconds = String(Math.floor(outgoing.at / 1000))
      // The time is part of what is signed, so that nobody can play an old message again later.
      const signature = createHmac('sha256', secret.reveal()).update(`${seconds}.${body}`).digest('hex')
      const headers = {
        'idempotency-key': outgoing.key,
        'vitrine-timestamp': seconds,
        'vitrine-signature': `v1=${signature}`,
      }
      return poster.send({ url: config.url, headers, body })
    },
    close: poster.close,
  }
}

function webhookBody({ key, message, words, link }: Outgoing): Record<string, unknown> {
  const { alerts, alertsMore, ...facts } = message
  return { version: 1, key, ...facts, words: words.title, text: words.text, alerts, alertsMore, link }
}

/** An address that is secret as a whole is checked here and not in the schema. */
export function addressOf(text: string, what: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw receiverFaults.fault('receivers-invalid', `${what}: url is no http or https address`)
}

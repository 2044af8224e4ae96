// Owns making a receiver of any kind from its configuration: the same for the control room and for edges that hold a
// sealed route.
import { type ReceiverConfig, receiverKinds } from '#wire'
import { alertmanagerReceiver, alertmanagerWebhookReceiver } from './alertmanagers.ts'
import { emailReceiver } from './email.ts'
import { receiverFaults } from './faults.ts'
import { pagerdutyReceiver, slackReceiver, webhookReceiver } from './hooks.ts'
import { createPoster, type Poster } from './post.ts'
import type { Receiver } from './receiver.ts'
import type { SecretBook } from './secret-book.ts'

export interface NamedReceiver extends Receiver {
  readonly name: string
  readonly person: string | null
  readonly quiet: boolean
}

/** Throws `receivers-invalid`. `deadlineMs` is for tests. */
export function makeReceiver(
  config: ReceiverConfig,
  secrets: SecretBook,
  deadlineMs?: number,
): NamedReceiver {
  const { name, person = null } = config
  const kinds = receiverKinds.filter(kind => config[kind] !== undefined)
  if (kinds.length !== 1) {
    throw invalid(`receiver ${name} has ${kinds.length} of ${receiverKinds.join(', ')}; expected one`)
  }
  const receiver = make(config, secrets, deadlineMs)
  return { ...receiver, name, person, quiet: config.quiet ?? receiver.quietByDefault }
}

function make(config: ReceiverConfig, secrets: SecretBook, deadlineMs: number | undefined): Receiver {
  const what = `receiver ${config.name}`
  const poster = (caFile: string | undefined): Poster => createPoster(caFile, what, deadlineMs)
  const { email, slack, pagerduty, webhook, alertmanagerWebhook, alertmanager } = config
  if (email !== undefined) return emailReceiver(email, what, secrets, deadlineMs)
  if (slack !== undefined) return slackReceiver(slack, what, secrets, poster(slack.caFile))
  if (pagerduty !== undefined) return pagerdutyReceiver(pagerduty, what, secrets, poster(pagerduty.caFile))
  if (webhook !== undefined) return webhookReceiver(webhook, what, secrets, poster(webhook.caFile))
  if (alertmanagerWebhook !== undefined) {
    const own = poster(alertmanagerWebhook.caFile)
    return alertmanagerWebhookReceiver(alertmanagerWebhook, config.name, secrets, own)
  }
  if (alertmanager !== undefined)
    return alertmanagerReceiver(alertmanager, what, secrets, poster(alertmanager.caFile))
  throw invalid(`${what} has no kind`)
}

function invalid(message: string): Error {
  return receiverFaults.fault('receivers-invalid', message)
}

// Owns the configuration of notifications in force: its receivers, routes and lists with everything checked that a
// schema cannot check. What is wrong is refused at the start, in words.
import type { NotifyConfig, OnCallConfig, ReceiverConfig } from '#wire'
import { receiverKinds } from '#wire'
import { controlFaults } from '../faults.ts'
import { type Route, readMatcher } from './label-route.ts'
import { isZone, turnAt } from './on-call.ts'
import { type OwnWords, readOwnWords } from './own-words.ts'
import { type Environment, SecretBook } from './read-secret.ts'
import { alertmanagerReceiver, alertmanagerWebhookReceiver } from './receivers/alertmanagers.ts'
import { emailReceiver } from './receivers/email.ts'
import { addressOf, pagerdutyReceiver, slackReceiver, webhookReceiver } from './receivers/hooks.ts'
import { createPoster, type Poster } from './receivers/post.ts'
import type { Receiver } from './receivers/receiver.ts'

export interface NamedReceiver extends Receiver {
  readonly name: string
  readonly person: string | null
  readonly quiet: boolean
}

export interface HeartbeatPlan {
  readonly url: string
  readonly to: string
  readonly method: 'GET' | 'POST'
  readonly everyMs: number
  readonly poster: Poster
}

export interface NotifyPlan {
  readonly zone: string
  readonly receivers: ReadonlyMap<string, NamedReceiver>
  readonly routes: readonly Route[]
  readonly onCall: ReadonlyMap<string, OnCallConfig>
  readonly words: OwnWords
  readonly heartbeat: HeartbeatPlan | null
  readonly secrets: SecretBook
}

const ON_CALL = 'on-call:'

/** Throws `control-notify-invalid`. `deadlineMs` is for tests. */
export function planNotify(config: NotifyConfig, environment: Environment, deadlineMs?: number): NotifyPlan {
  const secrets = new SecretBook(environment)
  checkZone(config.zone, 'control.notify.zone')
  const receivers = new Map<string, NamedReceiver>()
  for (const own of config.receivers) {
    if (receivers.has(own.name)) throw invalid(`receiver ${own.name} is there twice`)
    receivers.set(own.name, named(own, secrets, deadlineMs))
  }
  const onCall = new Map<string, OnCallConfig>()
  for (const list of config.onCall) {
    if (onCall.has(list.name)) throw invalid(`on-call list ${list.name} is there twice`)
    checkList(list, receivers)
    onCall.set(list.name, list)
  }
  const routes = config.routes.map((route, index) => {
    const where = `route ${index + 1}`
    for (const name of [...route.receivers, ...route.escalation.flatMap(step => step.receivers)]) {
      checkName(name, where, receivers, onCall)
    }
    return { ...route, index, matchers: route.matchers.map(text => readMatcher(text, where)) }
  })
  const { zone } = config
  const heartbeat = planHeartbeat(config.heartbeat, secrets, deadlineMs)
  return { zone, receivers, routes, onCall, words: readOwnWords(config.templates), heartbeat, secrets }
}

/** Names of receivers, with lists as whoever has the turn at that time. */
export function namesAt(plan: NotifyPlan, names: readonly string[], at: number): readonly string[] {
  const own = names.flatMap(name => {
    if (!name.startsWith(ON_CALL)) return [name]
    const list = plan.onCall.get(name.slice(ON_CALL.length))
    return list === undefined ? [] : turnAt(list, at).receivers
  })
  return [...new Set(own)]
}

function named(config: ReceiverConfig, secrets: SecretBook, deadlineMs: number | undefined): NamedReceiver {
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

function planHeartbeat(
  config: NotifyConfig['heartbeat'],
  secrets: SecretBook,
  deadlineMs: number | undefined,
): HeartbeatPlan | null {
  if (config === undefined) return null
  const url = addressOf(secrets.read(config.url, 'heartbeat: url').reveal(), 'heartbeat')
  const poster = createPoster(config.caFile, 'heartbeat', deadlineMs)
  return { url: url.href, to: url.host, method: config.method, everyMs: config.everySeconds * 1000, poster }
}

function checkList(list: OnCallConfig, receivers: ReadonlyMap<string, NamedReceiver>): void {
  const where = `on-call list ${list.name}`
  checkZone(list.zone, `${where}: zone`)
  for (const person of list.people) {
    for (const name of person.receivers) checkName(name, where, receivers, new Map())
  }
  for (const [day, person] of Object.entries(list.swaps)) {
    if (!list.people.some(known => known.name === person))
      throw invalid(`${where}: ${person} of ${day} is not in it`)
    const days = (Date.parse(day) - Date.parse(list.from)) / 86_400_000
    if (days % 7 !== 0)
      throw invalid(`${where}: no week begins on ${day}; weeks are counted from ${list.from}`)
  }
}

function checkName(
  name: string,
  where: string,
  receivers: ReadonlyMap<string, NamedReceiver>,
  lists: ReadonlyMap<string, OnCallConfig>,
): void {
  const known = name.startsWith(ON_CALL) ? lists.has(name.slice(ON_CALL.length)) : receivers.has(name)
  if (!known)
    throw invalid(`${where}: ${name} does not exist; there is ${[...receivers.keys()].join(', ') || 'none'}`)
}

function checkZone(zone: string, where: string): void {
  if (!isZone(zone)) throw invalid(`${where}: ${zone} is no time zone`)
}

function invalid(message: string): Error {
  return controlFaults.fault('control-notify-invalid', message)
}

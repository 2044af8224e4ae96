// Owns the configuration of notifications in force: its receivers, routes and lists with everything checked that a
// schema cannot check. What is wrong is refused at the start, in words.
import {
  addressOf,
  createPoster,
  type Environment,
  makeReceiver,
  type NamedReceiver,
  type Poster,
  SecretBook,
} from '#receivers'
import type { NotifyConfig, OnCallConfig, ReceiverConfig } from '#wire'
import { controlFaults } from '../faults.ts'
import { type Route, readMatcher } from './label-route.ts'
import { isZone, turnAt } from './on-call.ts'
import { type OwnWords, readOwnWords } from './own-words.ts'

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
  /** As they were configured. */
  readonly configs: ReadonlyMap<string, ReceiverConfig>
  readonly routes: readonly Route[]
  readonly onCall: ReadonlyMap<string, OnCallConfig>
  readonly words: OwnWords
  readonly heartbeat: HeartbeatPlan | null
  readonly watcher: NotifyConfig['watcher']
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
    receivers.set(own.name, makeReceiver(own, secrets, deadlineMs))
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
  const { zone, watcher } = config
  const heartbeat = planHeartbeat(config.heartbeat, secrets, deadlineMs)
  const configs = new Map(config.receivers.map(own => [own.name, own]))
  const words = readOwnWords(config.templates)
  return { zone, receivers, configs, routes, onCall, words, heartbeat, watcher, secrets }
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

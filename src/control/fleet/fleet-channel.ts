// Owns what the channel's messages do to the fleet, and what servers are told: access, table, catalogue.
import type { IncomingMessage, Server } from 'node:http'
import { type Closable, unreachable } from '#base'
import type { Catalogue, Hello, SteeringTable, ToControl } from '#wire'
import type { ControlContext } from '../context.ts'
import { type Channel, type Peer, startChannel } from './channel.ts'

export interface FleetChannel extends Closable {
  table(this: void, table: SteeringTable): void
  /** Every edge whom it probes. */
  plan(this: void): void
  /** Tokens or servers changed. */
  access(this: void): void
}

export interface FleetChannelOptions {
  readonly context: ControlContext
  readonly server: Server
  readonly hostAllowed: (request: IncomingMessage) => boolean
}

/** An edge that lies about bytes must not use up the budget of another. */
const PLAY_BYTES_MAX = 4 * 1024 * 1024

const isEdge = (peer: Peer): boolean => peer.role === 'edge' && peer.process === 'server'

export function startFleetChannel({ context, server, hostAllowed }: FleetChannelOptions): FleetChannel {
  const { fleet, access, steering, probePlan, fleetTime, options, log, counters } = context
  const channel: Channel = startChannel({
    server,
    serverOf: authorization => {
      const owner = access.ownerOf(authorization)
      return owner?.kind === 'server' ? fleet.get(owner.id) : null
    },
    hostAllowed,
    onHello: hello => onHello(context, hello),
    onRefused: (server, cause, detail) => context.refusals.note(server, cause, 1, detail),
    onMessage: (peer, message) => {
      onMessage(context, peer, message)
      if (message.type === 'titles') channel.broadcast(catalogueOf(context), isEdge)
    },
    greeting: peer => {
      const table = steering.table()
      if (!isEdge(peer)) return [access.message()]
      return [
        access.message(),
        ...(table === null ? [] : [table]),
        catalogueOf(context),
        probePlan.messageFor(peer.server),
      ]
    },
    fleetTime,
    clock: options.clock,
    counters,
    log,
  })
  const connected = counters.gauge(
    'vitrine_control_channels',
    'Open channels. Fewer than two for each server: a server or its agent cannot reach the control room.',
  )
  counters.beforeCollect(() => connected.set(channel.count()))
  return {
    table: table => channel.broadcast(table, isEdge),
    plan: () => channel.tell(peer => (isEdge(peer) ? probePlan.messageFor(peer.server) : null)),
    access: () => {
      channel.recheck()
      channel.broadcast(access.message(), () => true)
    },
    close: () => channel.close(),
  }
}

function onHello({ fleet, state, steering, probePlan, log }: ControlContext, hello: Hello): void {
  const record = fleet.get(hello.server)
  if (record === null || !fleet.hello(record, hello)) return
  const { url, version, hostId } = hello
  void state.servers
    .remember(hello.server, { url, version, hostId })
    .catch((error: unknown) => log.error('server-not-stored', { server: hello.server, error }))
  steering.refresh()
  probePlan.refresh()
}

function onMessage(context: ControlContext, peer: Peer, message: Exclude<ToControl, Hello>): void {
  const { fleet, fleetTime, options } = context
  const record = fleet.get(peer.server)
  if (record === null) return // its enrolment was taken away; the next refresh closes it
  const nowMs = options.clock.monotonicMs()
  switch (message.type) {
    case 'heartbeat':
      if (peer.process === 'agent') {
        fleet.heartbeat(record, message, { monotonicMs: nowMs, fleetMs: fleetTime.nowMs() })
      }
      return
    case 'titles':
      if (peer.role === 'origin') record.titles = message.titles
      return
    case 'sessions':
      if (peer.role === 'edge') {
        fleet.sessions.report(peer.server, message.sessions, nowMs)
        for (const { bytes } of message.sessions) record.sessionBytes += bytes
        context.tryIt.observe()
      }
      return
    case 'probes':
      if (peer.process === 'server') {
        for (const probe of message.probes) fleet.probe(peer.server, probe, nowMs)
      }
      return
    case 'plays':
      if (peer.process === 'server') {
        for (const { target, agoMs, bytes, ...look } of message.plays) {
          if (fleet.get(target) === null) continue
          context.probeBudget.spend(target, Math.min(bytes, PLAY_BYTES_MAX))
          fleet.play(target, peer.server, { ...look, atMs: nowMs - agoMs })
        }
      }
      return
    case 'time-request': // answered by the channel itself
      return
    default:
      unreachable(message)
  }
}

function catalogueOf({ fleet }: ControlContext): Catalogue {
  const titles = fleet
    .titles()
    .filter(title => title.state === 'ready')
    .map(({ id, name, class: titleClass, durationMs }) => ({ id, name, class: titleClass, durationMs }))
  return { type: 'catalogue', titles }
}

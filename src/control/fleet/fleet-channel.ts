// Owns what the channel's messages do to the fleet, and what servers are told: access, table, catalogue.
import type { IncomingMessage, Server } from 'node:http'
import { type Closable, unreachable } from '#base'
import type {
  Catalogue,
  CheckOrder,
  FromControl,
  Hello,
  SteeringTable,
  StepOrder,
  ToControl,
  ViewerRecords,
  ViewerRecordsTaken,
  WallPicture,
} from '#wire'
import type { ControlContext } from '../context.ts'
import { type Channel, type Peer, startChannel } from './channel.ts'

export interface FleetChannel extends Closable {
  table(this: void, table: SteeringTable): void
  /** Edges: viewers' regions by address. */
  regions(this: void): void
  /** Every edge whom it probes. */
  plan(this: void): void
  /** Tokens or servers changed. */
  access(this: void): void
  /** Every server which roots are believed, and which one signs. */
  authority(this: void): void
  /** Every edge how it watches the control room. */
  sealedRoute(this: void): void
  /** Every edge what it shows while the control room is away. */
  picture(this: void, picture: WallPicture): void
  /** To one edge; without a channel nobody is told. */
  order(this: void, server: string, order: CheckOrder): void
  /** To the agent of one server; without a channel nobody is told. */
  step(this: void, server: string, order: StepOrder): void
  /** Where a server's channel comes from; null: it has none. */
  addressOf(this: void, server: string): string | null
}

export interface FleetChannelOptions {
  readonly context: ControlContext
  readonly server: Server
  readonly hostAllowed: (request: IncomingMessage) => boolean
}

/** An edge that lies about bytes must not use up the budget of another. */
const PLAY_BYTES_MAX = 4 * 1024 * 1024

const isEdge = (peer: Peer): boolean => peer.role === 'edge' && peer.process === 'server'

/** The process that owns a server's identity: an agent only where it is alone. */
const hasIdentity = ({ process, role }: Peer): boolean =>
  process === 'server' || role === 'foreign' || role === 'host'

export function startFleetChannel({ context, server, hostAllowed }: FleetChannelOptions): FleetChannel {
  const { fleet, access, regions, probePlan, fleetTime, options, log, counters } = context
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
      if (message.type === 'viewer-records') {
        if (isEdge(peer)) {
          const tell = (taken: ViewerRecordsTaken): void =>
            channel.tell(other => (isEdge(other) && other.server === peer.server ? taken : null))
          context.viewerReceipt.receive(peer.server, message, tell)
        }
        return
      }
      onMessage(context, peer, message)
      if (message.type === 'titles') channel.broadcast(catalogueOf(context), isEdge)
    },
    greeting: peer => greeting(context, peer),
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
    regions: () => {
      const message = regions.message()
      if (message !== null) channel.broadcast(message, isEdge)
    },
    plan: () => channel.tell(peer => (isEdge(peer) ? probePlan.messageFor(peer.server) : null)),
    sealedRoute: () => channel.tell(peer => (isEdge(peer) ? context.watcher.messageFor(peer.server) : null)),
    picture: picture => channel.broadcast(picture, isEdge),
    access: () => {
      channel.recheck()
      channel.broadcast(access.message(), () => true)
    },
    order: (server, order) => channel.tell(peer => (isEdge(peer) && peer.server === server ? order : null)),
    step: (server, order) =>
      channel.tell(peer => (peer.process === 'agent' && peer.server === server ? order : null)),
    authority: () => {
      const message = context.authorityKeeper?.message()
      if (message !== undefined) channel.broadcast(message, hasIdentity)
    },
    addressOf: channel.addressOf,
    close: () => channel.close(),
  }
}

/** What a server is told as soon as it is known. */
function greeting(context: ControlContext, peer: Peer): FromControl[] {
  const { access, steering, regions, probePlan, watcher, authorityKeeper } = context
  const [table, regional] = [steering.table(), regions.message()]
  const own = authorityKeeper?.message()
  const first = [access.message(), ...(own === undefined || !hasIdentity(peer) ? [] : [own])]
  if (!isEdge(peer)) return first
  return [
    ...first,
    ...(table === null ? [] : [table]),
    ...(regional === null ? [] : [regional]),
    catalogueOf(context),
    probePlan.messageFor(peer.server),
    watcher.messageFor(peer.server),
  ]
}

function onHello(context: ControlContext, hello: Hello): void {
  const { fleet, state, steering, probePlan, options, log } = context
  const record = fleet.get(hello.server)
  const before = record?.version ?? ''
  if (record === null || !fleet.hello(record, hello, options.clock.monotonicMs())) return
  const { url, version, hostId } = hello
  // Its agent tells of what is installed, within a minute; this is what runs, at once.
  if (before !== '' && before !== version) {
    const at = context.fleetTime.nowMs()
    const change = { kind: 'version', subject: 'server', from: before, to: version, at } as const
    void state.marks
      .seen({ id: hello.server, hostId }, [change])
      .catch((error: unknown) => log.error('mark-not-stored', { server: hello.server, error }))
  }
  void state.servers
    .remember(hello.server, { url, version, hostId })
    .catch((error: unknown) => log.error('server-not-stored', { server: hello.server, error }))
  steering.refresh()
  probePlan.refresh()
}

function onMessage(
  context: ControlContext,
  peer: Peer,
  message: Exclude<ToControl, Hello | ViewerRecords>,
): void {
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
    case 'check-report':
      if (peer.role === 'edge' && peer.process === 'server') context.admission.report(peer.server, message)
      return
    case 'watcher-state':
      if (peer.role === 'edge' && peer.process === 'server') context.watcher.told(peer.server, message)
      return
    case 'step-list':
    case 'step-report':
      if (peer.process === 'agent') context.runs.steps.take(peer.server, message)
      return
    case 'authority-state':
      if (hasIdentity(peer)) context.authorityKeeper?.told(peer.server, message)
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

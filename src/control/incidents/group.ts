// Owns which alerts belong together: by topology, by time, by what they share. Pure.
import { type Family, familyOf, type Labels, type ServerFacts, serverOf } from './facts.ts'

/** Alerts of one family so close together have one cause until somebody knows better. */
const BURST_MS = 30_000
/** What shares a region, a version or a title joins for longer. */
const SHARED_MS = 10 * 60_000
/** Members of a region fall ill in different ways within this. */
const REGION_MS = 2 * 60_000

/** What a server that was gone may show once it is back: a full disk or a certificate is news of its own. */
const aftermath: ReadonlySet<Family> = new Set(['gone', 'ill', 'load', 'clock'])

export interface Member {
  readonly labels: Labels
  /** Null: it still fires. */
  readonly resolvedAt: number | null
}

export interface Group {
  readonly members: readonly Member[]
  readonly openedAt: number
  /** When the last one joined. */
  readonly lastAt: number
  /** It was resolved a while ago and may be opened again. */
  readonly isResolved: boolean
  /** When it was resolved: a server that was lost for hours suffers as it comes back all the same. */
  readonly endedAt: number | null
}

export interface Topology {
  readonly servers: ReadonlyMap<string, ServerFacts>
  /** Every server is on one host: then the host says nothing. */
  readonly oneHost: boolean
  /** Every server has one version. */
  readonly oneVersion: boolean
}

export function topologyOf(servers: readonly ServerFacts[]): Topology {
  const fleet = servers.filter(({ role }) => role !== 'control')
  return {
    servers: new Map(servers.map(server => [server.id, server])),
    oneHost: new Set(fleet.map(({ hostId }) => hostId)).size <= 1,
    oneVersion: new Set(fleet.map(({ version }) => version)).size <= 1,
  }
}

/** Why an alert belongs to a group, in words; null: it does not. */
export function belongs(labels: Labels, at: number, group: Group, topology: Topology): string | null {
  const own = viewOf(labels, topology)
  const members = group.members.map(({ labels: theirs }) => viewOf(theirs, topology))
  const sameServer = own.server !== null && members.some(({ server }) => server?.id === own.server?.id)
  // What was resolved opens again for the very same, and for what a server that was gone suffers as it comes back.
  if (group.isResolved) {
    const same = members.some(({ name, server }) => name === own.name && server?.id === own.server?.id)
    if (same) return 'it came back'
    const wasGone = members.some(({ server, family }) => server?.id === own.server?.id && family === 'gone')
    const follows = sameServer && wasGone && aftermath.has(own.family)
    return follows && at - (group.endedAt ?? group.lastAt) <= SHARED_MS ? 'what is left of it' : null
  }
  if (sameServer && isNews(own, at, group, topology)) return null
  if (sameServer) return `the same server, ${own.server?.id ?? ''}`
  if (own.server === null && members.some(member => isSameRule(member, own))) return 'the same rule'
  const waited = at - group.lastAt
  const clock = withClock(own, members, waited)
  if (clock !== null) return clock
  const origin = behindOrigin(own, members, waited)
  if (origin !== null) return origin
  if (own.name === 'SteeringExhausted' && members.some(({ family }) => isServing(family))) {
    return 'no edge is left'
  }
  const load = withHost(own, members, waited)
  if (load !== null) return load
  const spreading = members.filter(member => !isAside(member, members))
  if (spreading.some(({ name, family }) => name === 'SteeringExhausted' || family === own.family)) {
    if (waited <= BURST_MS) return 'at the same time'
  }
  return spreading.map(member => shared(own, member, waited, topology)).find(why => why !== null) ?? null
}

/**
 * A server that stops serving is news, and no part of what has been shown for long by one that served: it would be
 * told as late, with the changes and the length of something else.
 */
function isNews(own: View, at: number, group: Group, topology: Topology): boolean {
  if (!isServing(own.family) || at - group.openedAt <= SHARED_MS) return false
  return !group.members.some(({ labels, resolvedAt }) => {
    const isRecent = resolvedAt === null || at - resolvedAt <= SHARED_MS
    return isRecent && isServing(viewOf(labels, topology).family)
  })
}

/** What the loss of a server can bring upon others: they fail, too, or carry its viewers. */
const spreads: ReadonlySet<Family> = new Set(['gone', 'ill', 'load'])

const keepsToItself: ReadonlySet<Family> = new Set(['disk', 'certificate', 'clock'])

/** It stands with a lost server because it is about that server, and says nothing of the others that have it. */
function isAside({ family, server }: View, members: readonly View[]): boolean {
  if (server === null) return false
  // Nobody carries more because somebody's disk is full, or a clock or certificate is wrong.
  if (family === 'load')
    return members.some(other => keepsToItself.has(other.family) && other.server?.id === server.id)
  if (spreads.has(family)) return false
  return members.some(other => other.family === 'gone' && other.server?.id === server.id)
}

interface View {
  readonly name: string
  readonly family: Family
  readonly server: ServerFacts | null
  readonly labels: Labels
}

function viewOf(labels: Labels, { servers }: Topology): View {
  const id = serverOf(labels, one => servers.has(one))
  const server = id === null ? null : (servers.get(id) ?? null)
  return { name: labels['alertname'] ?? '', family: familyOf(labels), server, labels }
}

function isServing(family: Family): boolean {
  return family === 'gone' || family === 'ill'
}

/** Whether they can be told in one breath: a server that is lost and one that serves badly can. */
export function related(one: Family, other: Family): boolean {
  return one === other || (isServing(one) && isServing(other))
}

function isSameRule(member: View, own: View): boolean {
  return member.server === null && member.name === own.name
}

/** What hurts programs on many hosts in the same second, and freezes some of them. */
const clockShocks: ReadonlySet<string> = new Set(['RealtimeTimersEarly', 'ClockSteppedFar'])

/** A clock that made timers fire early, or jumped, and servers that failed in the same moment: one night, one cause. */
function withClock(own: View, members: readonly View[], waited: number): string | null {
  if (waited > BURST_MS) return null
  const isShock = ({ name }: View): boolean => clockShocks.has(name)
  const fails = ({ family }: View): boolean => isServing(family)
  if (isShock(own) && members.some(fails)) return 'a clock failed when these servers did'
  if (fails(own) && members.some(isShock)) return 'it failed when a clock did'
  return null
}

/** Whatever else they share: servers of one host share its CPU, and late timers of one are those of the other. */
function withHost(own: View, members: readonly View[], waited: number): string | null {
  const host = own.server?.hostId ?? ''
  if (own.family !== 'load' || host === '' || waited > SHARED_MS) return null
  // What a server that has another trouble shows of load stands with that, and draws no neighbour in.
  const others = new Set(members.flatMap(({ family, server }) => (family === 'load' ? [] : [server?.id])))
  const neighbours = members.filter(
    ({ family, server }) => family === 'load' && server?.hostId === host && server.id !== own.server?.id,
  )
  return neighbours.some(({ server }) => !others.has(server?.id)) ? 'their host is overloaded' : null
}

/** Edges fail and miss behind an origin that does not answer: whichever is told first. */
function behindOrigin(own: View, members: readonly View[], waited: number): string | null {
  const isOrigin = ({ server, family }: View): boolean => server?.role === 'origin' && isServing(family)
  const follows = ({ server, family }: View): boolean => server?.role === 'edge' && family === 'ill'
  const origin = members.find(isOrigin)
  if (origin !== undefined && follows(own)) return `behind ${origin.server?.id ?? 'the origin'}`
  if (isOrigin(own) && members.some(follows) && waited <= REGION_MS) return 'what these edges fetch from'
  return null
}

/** A dimension that both share and not everybody shares. */
function shared(own: View, member: View, waited: number, topology: Topology): string | null {
  if (!related(own.family, member.family)) return null
  const region = own.server?.region ?? own.labels['region'] ?? ''
  const theirs = member.server?.region ?? member.labels['region'] ?? ''
  const regionMs = own.family === member.family ? SHARED_MS : REGION_MS
  if (region !== '' && region === theirs && waited <= regionMs) return `the same region, ${region}`
  if (waited > SHARED_MS) return null
  const host = own.server?.hostId ?? ''
  if (!topology.oneHost && host !== '' && host === member.server?.hostId) return 'the same host'
  const version = own.server?.version ?? ''
  if (!topology.oneVersion && version !== '' && version === member.server?.version && own.family === 'ill') {
    return `the same version, ${version}`
  }
  const title = own.labels['title']
  if (title !== undefined && title === member.labels['title']) return `the same title, ${title}`
  return null
}

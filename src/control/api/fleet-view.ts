// Owns how the fleet is shown: titles, servers with their state and evidence, what the player page needs.
import { packageVersion } from '#base'
import { readHostId } from '#link'
import { type AlertView, nearFirst, type ServerView, type TitleView, type WatchTable } from '#wire'
import type { ControlContext } from '../context.ts'
import { CONTROL_ID, type ServerRecord, THIS_ONE } from '../fleet/fleet.ts'
import type { StoredAlert } from '../state/alerts.ts'

const hostId = readHostId()

export function titleViews({ fleet }: ControlContext): TitleView[] {
  return fleet.titles().map(title => ({ ...title, watchPath: `/watch/${title.id}` }))
}

/** All servers, the control room itself last. */
export function serverViews(context: ControlContext): ServerView[] {
  const pids = context.options.supervisor?.pids() ?? {}
  const others = context.fleet.all().filter(record => record.id !== CONTROL_ID)
  return [...others.map(record => serverView(context, record, pids)), controlView(context, pids)]
}

/** By its own name alone: a server may be called `constructor`. */
function pidOf(pids: Readonly<Record<string, number>>, id: string): number | null {
  return Object.hasOwn(pids, id) ? (pids[id] ?? null) : null
}

function serverView(
  { fleet, steering, refusals }: ControlContext,
  record: ServerRecord,
  pids: Readonly<Record<string, number>>,
): ServerView {
  const { watching, estimated, simulated } = fleet.sessions.of(record.id)
  return {
    id: record.id,
    region: record.region,
    role: record.role,
    state: record.standing.state,
    reason: record.reason,
    since: record.since,
    version: record.version,
    url: record.url,
    hostId: record.hostId,
    tags: record.tags,
    override: record.override,
    pid: pidOf(pids, record.id),
    watching,
    watchingEstimated: estimated,
    watchingSimulated: simulated,
    agentSeen: record.agentSeen,
    weight: steering.weightOf(record.id),
    sharePercent: record.sharePercent,
    foreign: record.role === 'foreign' ? { url: record.stream, weight: record.entryWeight } : null,
    evidence: [...record.evidence],
    refused: refusals.of(record.id),
  }
}

function controlView(context: ControlContext, pids: Readonly<Record<string, number>>): ServerView {
  return {
    id: CONTROL_ID,
    region: context.region,
    role: 'control',
    state: 'healthy',
    reason: THIS_ONE,
    since: context.startedAt,
    version: packageVersion,
    url: context.selfUrl(),
    hostId,
    tags: context.fleet.get(CONTROL_ID)?.tags ?? {},
    override: null,
    pid: pidOf(pids, CONTROL_ID),
    watching: 0,
    watchingEstimated: 0,
    agentSeen: context.fleet.get(CONTROL_ID)?.agentSeen ?? null,
    weight: 0,
    sharePercent: 100,
    evidence: [],
  }
}

export function alertView(alert: StoredAlert): AlertView {
  const { keptSince: _, ...view } = alert
  return view
}

/** `region` is the viewer's: its edges come first; null: not known. */
export function watchTableOf({ fleet, steering }: ControlContext, region: string | null): WatchTable {
  const pathways = nearFirst(steering.table()?.pathways ?? [], region)
  return {
    pathways: pathways.map(({ id, region, url }) => ({ id, region, url })),
    titles: fleet
      .titles()
      .filter(title => title.state === 'ready')
      .map(({ id, name, durationMs }) => ({ id, name, durationMs })),
  }
}

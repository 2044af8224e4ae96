// Owns the picture of the fleet that edges keep for the time when the control room is gone: what is wrong first, and no
// larger than an edge can be sent each few seconds. Pure.
import type { IncidentView, WallPicture } from '#wire'
import type { ServerRecord } from '../fleet/fleet.ts'

const SERVERS_MAX = 120
const INCIDENTS_MAX = 20

export interface PictureParts {
  readonly servers: readonly ServerRecord[]
  readonly watching: (id: string) => { readonly watching: number; readonly estimated: number }
  readonly incidents: readonly IncidentView[]
  readonly controlUrl: string
  readonly at: number
}

const ranks: Readonly<Record<string, number>> = { unreachable: 0, degraded: 1, healthy: 9 }

export function wallPictureOf(parts: PictureParts): WallPicture {
  const { servers, watching, incidents, controlUrl, at } = parts
  const rank = ({ standing: { state } }: ServerRecord): number => ranks[state] ?? 5
  const sorted = servers.toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
  const counts: Record<string, number> = {}
  for (const { standing } of servers) counts[standing.state] = (counts[standing.state] ?? 0) + 1
  const newest = incidents.toSorted((a, b) => b.openedAt - a.openedAt)
  return {
    type: 'wall-picture',
    at: Math.round(at),
    controlUrl,
    watching: servers.reduce((sum, { id }) => sum + watching(id).watching, 0),
    watchingEstimated: servers.reduce((sum, { id }) => sum + watching(id).estimated, 0),
    counts,
    servers: sorted.slice(0, SERVERS_MAX).map(({ id, tags, region, role, standing, reason, since }) => ({
      id,
      name: (tags.name ?? id).slice(0, 128),
      region: region.slice(0, 64),
      state: standing.state,
      reason: reason.slice(0, 160),
      since,
      watching: role === 'edge' ? watching(id).watching : null,
      ...(role === 'edge' ? { watchingEstimated: watching(id).estimated } : {}),
    })),
    more: Math.max(0, sorted.length - SERVERS_MAX),
    incidents: newest
      .slice(0, INCIDENTS_MAX)
      .map(({ id, title, severity, openedAt, verdict, acknowledgedBy }) => ({
        id,
        title: title.slice(0, 200),
        severity,
        openedAt,
        verdict: verdict.text.slice(0, 80),
        acknowledgedBy: acknowledgedBy?.slice(0, 64) ?? null,
      })),
  }
}

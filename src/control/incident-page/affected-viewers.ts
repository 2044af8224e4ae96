// Owns which viewers an incident concerned, for the file to take along: those who lost seconds or could not start while
// it lasted, edge by edge, measured and estimated apart.
import { AFFECTED_BEFORE_MS, type AffectedAnswer, affectedQuery, type IncidentView } from '#wire'
import type { ControlContext } from '../context.ts'
import { affectedBy } from '../viewers/affected.ts'

/** Of more edges the sum over the fleet says as much. */
const EDGES_MAX = 6

export interface AffectedRow extends Pick<AffectedAnswer, 'measured' | 'estimated' | 'truncated'> {
  /** Null: the whole fleet. */
  readonly edge: string | null
}

/** Nobody is part of two rows' stalls: each stall is one edge's. A store that cannot answer costs rows, no file. */
export async function affectedRows(
  { fleet, viewers, log }: Pick<ControlContext, 'fleet' | 'viewers' | 'log'>,
  { servers, openedAt, resolvedAt }: Pick<IncidentView, 'servers' | 'openedAt' | 'resolvedAt'>,
  now: number,
): Promise<readonly AffectedRow[] | null> {
  const edges = servers.filter(id => fleet.get(id)?.role === 'edge')
  const asked = edges.length === 0 || edges.length > EDGES_MAX ? [null] : edges
  const span = { from: openedAt - AFFECTED_BEFORE_MS, to: resolvedAt ?? now }
  try {
    const rows: AffectedRow[] = []
    for (const edge of asked) {
      const query = affectedQuery.parse({ ...span, ...(edge === null ? {} : { edge }) })
      const sessions = viewers.search.all({ fromMs: span.from, toMs: span.to })
      const { measured, estimated, truncated } = await affectedBy(query, sessions, viewers.classOf)
      rows.push({ edge, measured, estimated, truncated })
    }
    return rows
  } catch (error) {
    log.warn('incident-viewers-missing', { error })
    return null
  }
}

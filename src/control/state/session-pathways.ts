// Owns which edges fed a session, and since when: where it came in and its changes, nothing else. Pruned by age
// and by number.
import { sql } from 'kysely'
import type { Db, StateDb } from './database.ts'

const KEPT_MS = 7 * 86_400_000
/** Some 40 MB. */
const KEPT_MAX = 300_000
/** Of one session, newest. */
const ANSWER_MAX = 500
/** An edge may tell again of a session that a restarted control room has forgotten. */
const SAME_MS = 5000

export interface PathwayRow {
  readonly sid: string
  readonly at: number
  readonly edge: string
  readonly from: string | null
  readonly version: number | null
  readonly title: string
  readonly estimated: boolean
}

export interface SessionPathways {
  /** In one transaction; what is known already is left out. */
  add(this: void, rows: readonly PathwayRow[]): Promise<void>
  /** Oldest first. */
  of(this: void, sid: string): Promise<PathwayRow[]>
  /** Sessions that left one of these edges since then. */
  left(this: void, edges: readonly string[], since: number): Promise<number>
}

export function createSessionPathways({ db }: StateDb): SessionPathways {
  return {
    add: async rows => {
      if (rows.length === 0) return
      await db.transaction().execute(async tx => {
        let newest = 0
        for (const { from, estimated, ...row } of rows) {
          const known = await tx
            .selectFrom('session_pathways')
            .select(['id', 'at', 'edge'])
            .where('sid', '=', row.sid)
            .orderBy('id', 'desc')
            .limit(1)
            .executeTakeFirst()
          newest = Math.max(newest, row.at)
          if (known !== undefined && known.edge === row.edge && Math.abs(row.at - known.at) < SAME_MS)
            continue
          // It moved while the control room was away. An estimate stands for many evenings: it just came again.
          const before =
            from ?? (known === undefined || estimated || known.edge === row.edge ? null : known.edge)
          await tx
            .insertInto('session_pathways')
            .values({ ...row, from_edge: before, estimated: estimated ? 1 : 0 })
            .execute()
        }
        await tx
          .deleteFrom('session_pathways')
          .where('at', '<', newest - KEPT_MS)
          .execute()
        const last = await tx
          .selectFrom('session_pathways')
          .select('id')
          .orderBy('id', 'desc')
          .limit(1)
          .executeTakeFirst()
        await tx
          .deleteFrom('session_pathways')
          .where('id', '<=', (last?.id ?? 0) - KEPT_MAX)
          .execute()
      })
    },
    left: (edges, since) => left(db, edges, since),
    of: async sid => {
      const rows = await db
        .selectFrom('session_pathways')
        .selectAll()
        .where('sid', '=', sid)
        .orderBy('id', 'desc')
        .limit(ANSWER_MAX)
        .execute()
      return rows
        .map(({ at, edge, from_edge: from, version, title, estimated }) => ({
          sid,
          at,
          edge,
          from,
          version,
          title,
          estimated: estimated === 1,
        }))
        .reverse()
    },
  }
}

async function left(db: Db, edges: readonly string[], since: number): Promise<number> {
  if (edges.length === 0) return 0
  const { count } = await db
    .selectFrom('session_pathways')
    .select(sql<number>`count(DISTINCT sid)`.as('count'))
    .where('at', '>=', since)
    .where('from_edge', 'in', sql<string>`(SELECT value FROM json_each(${JSON.stringify(edges)}))`)
    .executeTakeFirstOrThrow()
  return count
}

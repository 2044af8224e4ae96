// Owns "I have it": the first who says so has it, and whoever comes later is told who that is.
import { audit, type StateDb } from '../state/database.ts'

export type Taken =
  | { readonly kind: 'yours' }
  | { readonly kind: 'theirs'; readonly by: string; readonly at: number }
  | { readonly kind: 'resolved' }
  | { readonly kind: 'unknown' }

export async function takeIncident({ db, nowMs }: StateDb, id: string, by: string): Promise<Taken> {
  const at = nowMs()
  return db.transaction().execute(async (tx): Promise<Taken> => {
    const row = await tx
      .selectFrom('incidents')
      .select(['resolved_at', 'acknowledged_by', 'acknowledged_at'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (row === undefined) return { kind: 'unknown' }
    if (row.resolved_at !== null) return { kind: 'resolved' }
    if (row.acknowledged_by !== null) {
      if (row.acknowledged_by === by) return { kind: 'yours' }
      return { kind: 'theirs', by: row.acknowledged_by, at: row.acknowledged_at ?? at }
    }
    const own = { acknowledged_by: by, acknowledged_at: at }
    await tx.updateTable('incidents').set(own).where('id', '=', id).execute()
    const event = { incident_id: id, at, kind: 'acknowledged' as const, by, text: `${by} has it` }
    await tx.insertInto('incident_events').values(event).execute()
    await audit(tx, { at, by, action: 'incident-acknowledge', subject: id, facts: { how: 'link' } })
    return { kind: 'yours' }
  })
}

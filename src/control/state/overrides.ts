// Owns people's orders about servers: one at a time for each, with who, why and until when. Ended ones stay in the audit.
import type { OverrideRequest, OverrideView } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from './database.ts'

/** Against the witnesses: long enough for a night, too short to be forgotten. */
const KEEP_S_MAX = 86_400

/** As runs let a server come back: see runbooks/return-keeper. */
const FIRST_STAGE = 1
const STAGE_MS = 60_000

export interface Overrides {
  /** Replaces the one before. */
  set(this: void, server: string, request: OverrideRequest, by: string): Promise<void>
  /** An edge that was out of service comes back in steps, unless it should at once. */
  end(this: void, server: string, by: string, atOnce?: boolean): Promise<void>
  /** By server, also those that have expired since. */
  all(this: void): Promise<Map<string, OverrideView>>
}

export function createOverrides(state: StateDb): Overrides {
  return {
    set: (server, request, by) => set(state, server, request, by),
    end: (server, by, atOnce = false) => end(state, server, by, atOnce),
    all: () => all(state),
  }
}

async function set(
  { db, nowMs }: StateDb,
  server: string,
  request: OverrideRequest,
  by: string,
): Promise<void> {
  const { kind, reason, expiresInS, drainMaxS } = request
  if (kind === 'keep' && (expiresInS === null || expiresInS > KEEP_S_MAX)) {
    const message = `keeping a server in service against its witnesses must end within ${KEEP_S_MAX / 3600} hours`
    throw controlFaults.fault('control-request-invalid', message)
  }
  const at = nowMs()
  if (drainMaxS !== undefined && kind !== 'drain') {
    throw controlFaults.fault('control-request-invalid', 'drainMaxS is for drains alone')
  }
  const row = {
    kind,
    reason,
    by,
    since: at,
    expires_at: expiresInS === null ? null : at + expiresInS * 1000,
    drain_max_ms: drainMaxS === undefined ? null : drainMaxS * 1000,
  }
  await db.transaction().execute(async tx => {
    const known = await tx
      .selectFrom('servers')
      .select('role')
      .where('id', '=', server)
      .where('retired_at', 'is', null)
      .executeTakeFirst()
    if (known === undefined) {
      const message = `no server ${JSON.stringify(server.slice(0, 64))} is enrolled`
      throw controlFaults.fault('control-server-unknown', message)
    }
    const before = await tx
      .selectFrom('overrides')
      .selectAll()
      .where('server_id', '=', server)
      .executeTakeFirst()
    await tx
      .insertInto('overrides')
      .values({ server_id: server, ...row })
      .onConflict(conflict => conflict.column('server_id').doUpdateSet(row))
      .execute()
    // Whoever takes it out again while it comes back means it.
    await tx.deleteFrom('server_returns').where('server_id', '=', server).execute()
    const facts = { reason, expiresInS, from: before?.kind ?? null }
    await audit(tx, { at, by, action: `server-${kind}`, subject: server, facts })
  })
}

async function end({ db, nowMs }: StateDb, server: string, by: string, atOnce: boolean): Promise<void> {
  const at = nowMs()
  await db.transaction().execute(async tx => {
    const order = tx.deleteFrom('overrides').where('server_id', '=', server)
    const gone = await order.returning(['kind', 'reason', 'by']).executeTakeFirst()
    if (gone === undefined) {
      throw controlFaults.fault('control-override-unknown', `nothing is ordered for ${server.slice(0, 64)}`)
    }
    const known = await tx
      .selectFrom('servers')
      .select(['role', 'url'])
      .where('id', '=', server)
      .executeTakeFirst()
    const isBack = gone.kind !== 'keep' && known?.role === 'edge' && known.url !== ''
    if (isBack && !atOnce) {
      const row = {
        percent: FIRST_STAGE,
        since: at,
        by,
        reason: `released: ${gone.reason}`,
        stage_ms: STAGE_MS,
      }
      await tx
        .insertInto('server_returns')
        .values({ server_id: server, ...row })
        .onConflict(conflict => conflict.column('server_id').doUpdateSet(row))
        .execute()
    }
    const facts = { from: gone.kind, reason: gone.reason, orderedBy: gone.by, ...(isBack ? { atOnce } : {}) }
    await audit(tx, { at, by, action: 'server-order-ended', subject: server, facts })
  })
}

async function all({ db }: StateDb): Promise<Map<string, OverrideView>> {
  const rows = await db.selectFrom('overrides').selectAll().execute()
  return new Map(
    rows.map(row => [
      row.server_id,
      {
        kind: row.kind,
        reason: row.reason,
        by: row.by,
        since: row.since,
        expiresAt: row.expires_at,
        ...(row.drain_max_ms === null ? {} : { drainMaxS: row.drain_max_ms / 1000 }),
      },
    ]),
  )
}

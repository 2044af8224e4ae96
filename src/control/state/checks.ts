// Owns the admission checks of edges as they are kept: asked for by a person or a command, filled in by the control
// room. It refuses a second run of an edge while one goes on.
import { type CheckRun, checkStep } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type Db, type StateDb } from './database.ts'
import { newId } from './secrets.ts'
import type { Tables } from './tables.ts'

/** Of one edge; older ones are forgotten. */
const RUNS_MAX = 10

export interface Checks {
  /** Begins a run; the control room takes it up within a second. Gives its id. */
  ask(this: void, server: string, by: string): Promise<string>
  /** Those that have not ended, of all edges. */
  open(this: void): Promise<CheckRun[]>
  /** Newest first. */
  list(this: void, server: string): Promise<CheckRun[]>
  keep(this: void, run: CheckRun): Promise<void>
}

export function createChecks({ db, nowMs }: StateDb): Checks {
  return {
    ask: (server, by) => db.transaction().execute(tx => askFor(tx, { server, by, at: nowMs() })),
    open: async () => {
      const rows = await db.selectFrom('check_runs').selectAll().where('ended_at', 'is', null).execute()
      return rows.map(runOf)
    },
    list: async server => {
      const rows = await db
        .selectFrom('check_runs')
        .selectAll()
        .where('server_id', '=', server)
        .orderBy('started_at', 'desc')
        .limit(RUNS_MAX)
        .execute()
      return rows.map(runOf)
    },
    keep: async ({ id, endedAt, steps }) => {
      const row = { ended_at: endedAt, steps: JSON.stringify(steps) }
      await db.updateTable('check_runs').set(row).where('id', '=', id).execute()
    },
  }
}

/** Within the caller's transaction: joining and being checked is one step. */
export async function askFor(
  tx: Db,
  { server, by, at }: { readonly server: string; readonly by: string; readonly at: number },
): Promise<string> {
  const known = await tx
    .selectFrom('servers')
    .select(['role', 'retired_at'])
    .where('id', '=', server)
    .executeTakeFirst()
  if (known === undefined || known.retired_at !== null) {
    const message = `no server ${JSON.stringify(server.slice(0, 64))} is enrolled`
    throw controlFaults.fault('control-server-unknown', message)
  }
  if (known.role !== 'edge') {
    const message = `${server} is no edge but ${known.role}; admission checks are for edges`
    throw controlFaults.fault('control-request-invalid', message)
  }
  const rows = await tx
    .selectFrom('check_runs')
    .select(['id', 'ended_at'])
    .where('server_id', '=', server)
    .orderBy('started_at', 'desc')
    .execute()
  if (rows.some(row => row.ended_at === null)) {
    throw controlFaults.fault('control-check-running', `${server} is being checked already`)
  }
  const old = rows.slice(RUNS_MAX - 1).map(row => row.id)
  if (old.length > 0) await tx.deleteFrom('check_runs').where('id', 'in', old).execute()
  const id = newId()
  const row = { id, server_id: server, started_at: at, ended_at: null, by, steps: '[]' }
  await tx.insertInto('check_runs').values(row).execute()
  await audit(tx, { at, by, action: 'server-check', subject: server, facts: { run: id } })
  return id
}

function runOf(row: Tables['check_runs']): CheckRun {
  const parsed = checkStep.array().safeParse(JSON.parse(row.steps))
  return {
    id: row.id,
    server: row.server_id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    by: row.by,
    steps: parsed.success ? parsed.data : [],
  }
}

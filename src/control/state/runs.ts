// Owns runs of runbooks as they are kept: what was planned, and what happened, in order. It refuses a second run that
// concerns a server of one that goes on.
import { controlFaults } from '../faults.ts'
import type { RunEvent, RunPlan } from '../runbooks/run-events.ts'
import type { RunJournal, StoredRun } from '../runbooks/run-keeper.ts'
import { audit, type Db, type StateDb } from './database.ts'

/** Older ones are forgotten; the audit keeps who ran what. */
const RUNS_MAX = 1000
const LISTED_MAX = 200

export interface Runs extends RunJournal {
  begin(this: void, plan: RunPlan): Promise<void>
  get(this: void, id: string): Promise<StoredRun | null>
  /** Newest first; of one incident, or all. */
  list(this: void, incident: string | null): Promise<StoredRun[]>
}

export function createRuns({ db }: StateDb): Runs {
  return {
    begin: plan => db.transaction().execute(tx => begin(tx, plan)),
    append: (run, event) => db.transaction().execute(tx => append(tx, run, event)),
    open: async () => {
      const rows = await db.selectFrom('runs').select(['id', 'plan']).where('ended_at', 'is', null).execute()
      return await Promise.all(rows.map(row => withEvents(db, row)))
    },
    get: async id => {
      const row = await db.selectFrom('runs').select(['id', 'plan']).where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : await withEvents(db, row)
    },
    list: async incident => {
      const query = db
        .selectFrom('runs')
        .select(['id', 'plan'])
        .orderBy('started_at', 'desc')
        .limit(LISTED_MAX)
      const rows = await (incident === null ? query : query.where('incident_id', '=', incident)).execute()
      return await Promise.all(rows.map(row => withEvents(db, row)))
    },
  }
}

async function begin(tx: Db, plan: RunPlan): Promise<void> {
  const wanted = plan.batches.flat()
  const open = await tx.selectFrom('runs').select(['id', 'plan']).where('ended_at', 'is', null).execute()
  for (const row of open) {
    const other = JSON.parse(row.plan) as RunPlan
    const shared = other.batches.flat().find(server => wanted.includes(server))
    if (shared === undefined) continue
    const message = `run ${row.id} (${other.runbook.name}, by ${other.by}) is at work on ${shared}: one run at a time for a server`
    throw controlFaults.fault('control-run-busy', message, { facts: { run: row.id } })
  }
  const { id, startedAt, by, reason, incident, runbook } = plan
  await tx
    .insertInto('runs')
    .values({
      id,
      plan: JSON.stringify(plan),
      started_at: startedAt,
      ended_at: null,
      condition: null,
      incident_id: incident,
    })
    .execute()
  const facts = { runbook: runbook.name, servers: wanted, reason, incident }
  await audit(tx, { at: startedAt, by, action: 'run-begin', subject: id, facts })
  if (incident !== null)
    await tell(tx, incident, {
      at: startedAt,
      by,
      text: `runbook ${runbook.name} begins on ${wanted.join(', ')}: run ${id}`,
    })
  const old = await tx
    .selectFrom('runs')
    .select('id')
    .orderBy('started_at', 'desc')
    .offset(RUNS_MAX)
    .limit(100)
    .execute()
  const ids = old.map(row => row.id)
  if (ids.length === 0) return
  await tx.deleteFrom('run_events').where('run_id', 'in', ids).execute()
  await tx.deleteFrom('runs').where('id', 'in', ids).where('ended_at', 'is not', null).execute()
}

/** What people did and how it ended goes into the audit and onto the incident with it, or not at all. */
async function append(tx: Db, run: string, event: RunEvent): Promise<void> {
  const row = await tx.selectFrom('runs').selectAll().where('id', '=', run).executeTakeFirst()
  if (row === undefined || row.ended_at !== null) return
  await tx
    .insertInto('run_events')
    .values({ run_id: run, at: event.at, event: JSON.stringify(event) })
    .execute()
  if (event.kind === 'approved' || event.kind === 'stop') {
    const action = event.kind === 'stop' ? 'run-stop' : 'run-approve'
    await audit(tx, { at: event.at, by: event.by, action, subject: run, facts: { ...event } })
    return
  }
  if (event.kind !== 'ended') return
  const { at, condition, text } = event
  await tx.updateTable('runs').set({ ended_at: at, condition }).where('id', '=', run).execute()
  await audit(tx, { at, by: 'vitrine', action: 'run-end', subject: run, facts: { condition, text } })
  if (row.incident_id !== null) {
    await tell(tx, row.incident_id, { at, by: 'vitrine', text: `run ${run} ${condition}: ${text}` })
  }
}

async function tell(
  tx: Db,
  incident: string,
  { at, by, text }: { readonly at: number; readonly by: string; readonly text: string },
): Promise<void> {
  await tx
    .insertInto('incident_events')
    .values({ incident_id: incident, at, kind: 'comment', by, text: text.slice(0, 4000) })
    .execute()
}

async function withEvents(db: Db, { id, plan }: { id: string; plan: string }): Promise<StoredRun> {
  const rows = await db
    .selectFrom('run_events')
    .select('event')
    .where('run_id', '=', id)
    .orderBy('id')
    .execute()
  return { plan: JSON.parse(plan) as RunPlan, events: rows.map(row => JSON.parse(row.event) as RunEvent) }
}

// Owns the stored silences: whose alerts are seen and ring nobody, and until when. Ended ones are kept for a month.
import type { SilenceView } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from './database.ts'

const KEPT_MS = 30 * 86_400_000
/** More is a script that forgot to end them. */
const SILENCES_MAX = 1000

export type NewSilence = Pick<SilenceView, 'matchers' | 'startsAt' | 'endsAt' | 'recurs' | 'comment'>

export interface Silences {
  add(this: void, silence: NewSilence, by: string): Promise<SilenceView>
  /** In force, to come, and those that ended within a month; newest first. */
  list(this: void): Promise<SilenceView[]>
  end(this: void, id: string, by: string): Promise<void>
  /** Of one that has not ended. */
  extend(this: void, id: string, endsAt: number, by: string): Promise<void>
}

export function createSilences(state: StateDb): Silences {
  return {
    add: (silence, by) => add(state, silence, by),
    list: () => list(state),
    end: (id, by) => end(state, id, by),
    extend: (id, endsAt, by) => extend(state, id, endsAt, by),
  }
}

async function add({ db, nowMs }: StateDb, silence: NewSilence, by: string): Promise<SilenceView> {
  const createdAt = nowMs()
  const { matchers, startsAt, endsAt, recurs, comment } = silence
  return await db.transaction().execute(async tx => {
    const last = await tx
      .deleteFrom('silences')
      .where('ends_at', '<', createdAt - KEPT_MS)
      .executeTakeFirst()
      .then(() => tx.selectFrom('silences').select('id').execute())
    if (last.length >= SILENCES_MAX) {
      const message = `${SILENCES_MAX} silences are kept already; end some`
      throw controlFaults.fault('control-limit-reached', message)
    }
    const told = await tx
      .selectFrom('audit')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('action', '=', 'silence-add')
      .executeTakeFirstOrThrow()
    const id = `S-${told.count + 1}`
    const row = {
      id,
      comment,
      by,
      starts_at: startsAt,
      ends_at: endsAt,
      created_at: createdAt,
      ended_at: null,
    }
    await tx
      .insertInto('silences')
      .values({
        ...row,
        matchers: JSON.stringify(matchers),
        recurs: recurs === null ? null : JSON.stringify(recurs),
      })
      .execute()
    await audit(tx, { at: createdAt, by, action: 'silence-add', subject: id, facts: { ...silence } })
    return { id, matchers, startsAt, endsAt, recurs, comment, by, createdAt, endedAt: null }
  })
}

async function list({ db, nowMs }: StateDb): Promise<SilenceView[]> {
  const rows = await db
    .selectFrom('silences')
    .selectAll()
    .where('ends_at', '>', nowMs() - KEPT_MS)
    .orderBy('created_at', 'desc')
    .limit(SILENCES_MAX)
    .execute()
  return rows.map(row => ({
    id: row.id,
    matchers: JSON.parse(row.matchers) as SilenceView['matchers'],
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    recurs: row.recurs === null ? null : (JSON.parse(row.recurs) as SilenceView['recurs']),
    comment: row.comment,
    by: row.by,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }))
}

async function end({ db, nowMs }: StateDb, id: string, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const at = nowMs()
    const ended = await tx
      .updateTable('silences')
      .set({ ended_at: at })
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .where('ends_at', '>', at)
      .executeTakeFirst()
    if (ended.numUpdatedRows === 0n) throw unknown(id)
    await audit(tx, { at, by, action: 'silence-end', subject: id })
  })
}

async function extend({ db, nowMs }: StateDb, id: string, endsAt: number, by: string): Promise<void> {
  await db.transaction().execute(async tx => {
    const at = nowMs()
    const row = await tx
      .selectFrom('silences')
      .select(['starts_at', 'ends_at'])
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .where('ends_at', '>', at)
      .executeTakeFirst()
    if (row === undefined) throw unknown(id)
    if (endsAt <= Math.max(at, row.starts_at)) {
      throw controlFaults.fault('control-request-invalid', 'endsAt lies before it starts, or in the past')
    }
    await tx.updateTable('silences').set({ ends_at: endsAt }).where('id', '=', id).execute()
    const facts = { from: row.ends_at, to: endsAt }
    await audit(tx, { at, by, action: 'silence-extend', subject: id, facts })
  })
}

function unknown(id: string): Error {
  const message = `no silence ${JSON.stringify(id.slice(0, 40))} is in force or to come`
  return controlFaults.fault('control-silence-unknown', message)
}

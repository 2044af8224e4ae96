// Owns drills as they are kept: each as it was told last. The oldest go.
import { type DrillView, drillView } from '#wire'
import type { StateDb } from './database.ts'

const DRILLS_MAX = 200
const LISTED_MAX = 50

export interface Drills {
  save(this: void, drill: DrillView): Promise<void>
  get(this: void, id: string): Promise<DrillView | null>
  /** Newest first. */
  list(this: void): Promise<DrillView[]>
  /** Those that had not ended when their control room did. */
  open(this: void): Promise<DrillView[]>
}

export function createDrills({ db }: StateDb): Drills {
  const read = (rows: readonly { readonly drill: string }[]): DrillView[] =>
    rows.flatMap(({ drill }) => {
      const parsed = drillView.safeParse(JSON.parse(drill))
      return parsed.success ? [parsed.data] : []
    })
  return {
    save: async drill => {
      const row = { started_at: drill.startedAt, ended_at: drill.endedAt, drill: JSON.stringify(drill) }
      await db.transaction().execute(async tx => {
        await tx
          .insertInto('drills')
          .values({ id: drill.id, ...row })
          .onConflict(conflict => conflict.column('id').doUpdateSet(row))
          .execute()
        const kept = tx.selectFrom('drills').select('id').orderBy('started_at', 'desc').limit(DRILLS_MAX)
        await tx.deleteFrom('drills').where('id', 'not in', kept).execute()
      })
    },
    get: async id =>
      read(await db.selectFrom('drills').select('drill').where('id', '=', id).execute())[0] ?? null,
    list: async () =>
      read(
        await db
          .selectFrom('drills')
          .select('drill')
          .orderBy('started_at', 'desc')
          .limit(LISTED_MAX)
          .execute(),
      ),
    open: async () =>
      read(await db.selectFrom('drills').select('drill').where('ended_at', 'is', null).execute()),
  }
}

// Owns the enrolment of foreign servers: an address to look at, and a share of new viewers. They hold no credential.
import type { ForeignRequest } from '#wire'
import { controlFaults } from '../faults.ts'
import { audit, type StateDb } from './database.ts'
import { newRow, SERVERS_MAX } from './servers.ts'

export interface Foreign {
  /** Enrols it, or changes one that is. Faults: the id is an own server's or was retired, or a weight needs `{title}`. */
  watch(this: void, request: ForeignRequest, by: string): Promise<void>
}

export function createForeign({ db, nowMs }: StateDb): Foreign {
  return {
    watch: async ({ id, region, url: stream, weight }, by) => {
      if (weight > 0 && !stream.includes('{title}')) {
        const message =
          'a foreign server that takes viewers needs {title} in the path of its address, where the title goes'
        throw controlFaults.fault('control-request-invalid', message)
      }
      const at = nowMs()
      const { origin: url } = new URL(stream)
      await db.transaction().execute(async tx => {
        const known = await tx.selectFrom('servers').select(['id', 'role', 'retired_at']).execute()
        const same = known.find(row => row.id === id)
        if (same !== undefined && (same.role !== 'foreign' || same.retired_at !== null)) {
          throw controlFaults.fault('control-server-duplicate', `a server ${id} is enrolled already, or was`)
        }
        if (same === undefined && known.length >= SERVERS_MAX) {
          throw controlFaults.fault('control-limit-reached', `${SERVERS_MAX} servers are enrolled already`)
        }
        const part = { region, url, stream, entry_weight: weight }
        const row = { ...newRow({ id, role: 'foreign', region, tokenSha256: '' }, at), ...part }
        await tx
          .insertInto('servers')
          .values(row)
          .onConflict(conflict => conflict.column('id').doUpdateSet(part))
          .execute()
        await audit(tx, { at, by, action: 'server-watch', subject: id, facts: { region, stream, weight } })
      })
    },
  }
}

// Owns the credentials of probes: one for each target and hour, derived from a secret that never leaves this room.
// One that leaks shows a viewer as a probe to that one edge, for two hours at most.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { StateDb } from '../state/database.ts'

const META_KEY = 'probe-secret'
const HOUR_MS = 3_600_000

export class ProbeCredentials {
  readonly #secret: string

  private constructor(secret: string) {
    this.#secret = secret
  }

  /** The same over restarts: observers and targets are told anew one after the other. */
  static async open({ db }: StateDb): Promise<ProbeCredentials> {
    const fresh = { key: META_KEY, value: randomBytes(32).toString('base64url') }
    await db
      .insertInto('meta')
      .values(fresh)
      .onConflict(conflict => conflict.column('key').doNothing())
      .execute()
    const row = await db.selectFrom('meta').select('value').where('key', '=', META_KEY).executeTakeFirst()
    return new ProbeCredentials(row?.value ?? fresh.value)
  }

  hourOf(fleetMs: number): number {
    return Math.floor(fleetMs / HOUR_MS)
  }

  credential(target: string, hour: number): string {
    return createHmac('sha256', this.#secret).update(`${target}\n${hour}`).digest('base64url')
  }

  /** What the target knows them by: of this hour, and of its neighbours, in which others may still or already be. */
  accepts(target: string, hour: number): string[] {
    return [hour - 1, hour, hour + 1].map(at =>
      createHash('sha256').update(this.credential(target, at)).digest('hex'),
    )
  }
}

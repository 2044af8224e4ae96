// Owns links to one incident for one recipient: signed with a key in state.db, good for twelve hours, and no longer than
// their recipient. Nothing of a link is stored; a link says who has it, and lets nobody else act in that name.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { StateDb } from '../state/database.ts'
import { readJson } from './message.ts'

const LINK_MS: number = 12 * 3_600_000
const KEY_NAME = 'incident-link-key'
const TOKEN_MAX = 1024
/** 128 bits: nobody guesses it in twelve hours, and it fits into a message. */
const MAC_BYTES = 16

/** [incident, recipient, 1 for a user, made at, in s] */
const claims = z.tuple([
  z.string().max(128),
  z.string().max(128),
  z.union([z.literal(0), z.literal(1)]),
  z.int(),
])

export interface LinkHolder {
  readonly incident: string
  /** A user, or the name of a receiver. */
  readonly recipient: string
  readonly isUser: boolean
  readonly expiresAt: number
}

export class IncidentLinks {
  readonly #state: StateDb
  readonly #key: Buffer

  private constructor(state: StateDb, key: Buffer) {
    this.#state = state
    this.#key = key
  }

  static async open(state: StateDb): Promise<IncidentLinks> {
    const value = randomBytes(32).toString('base64url')
    await state.db
      .insertInto('meta')
      .values({ key: KEY_NAME, value })
      .onConflict(conflict => conflict.column('key').doNothing())
      .execute()
    const kept = await state.db
      .selectFrom('meta')
      .select('value')
      .where('key', '=', KEY_NAME)
      .executeTakeFirstOrThrow()
    return new IncidentLinks(state, Buffer.from(kept.value, 'base64url'))
  }

  /** What stands behind `/i/`. */
  make(incident: string, recipient: { readonly name: string; readonly isUser: boolean }): string {
    const own = [incident, recipient.name, recipient.isUser ? 1 : 0, Math.floor(this.#state.nowMs() / 1000)]
    const text = Buffer.from(JSON.stringify(own)).toString('base64url')
    return `${text}.${this.#sign(text).toString('base64url')}`
  }

  /** Null: not ours, too old, or its recipient is no more. */
  async read(token: string): Promise<LinkHolder | null> {
    const [text = '', mac = '', ...rest] = token.length > TOKEN_MAX ? [] : token.split('.')
    const given = Buffer.from(mac, 'base64url')
    const own = this.#sign(text)
    if (rest.length > 0 || given.length !== own.length || !timingSafeEqual(given, own)) return null
    const parsed = claims.safeParse(readJson(Buffer.from(text, 'base64url').toString('utf8')))
    if (!parsed.success) return null
    const [incident, recipient, user, madeS] = parsed.data
    const madeAt = madeS * 1000
    const expiresAt = madeAt + LINK_MS
    if (expiresAt <= this.#state.nowMs()) return null
    const holder = { incident, recipient, isUser: user === 1, expiresAt }
    return (await this.#stillHeld(holder, madeAt)) ? holder : null
  }

  /** All links that were made for this user or receiver until now; new ones work. */
  async revoke(recipient: string): Promise<void> {
    // A link knows its second alone: one of the same second is ended as well.
    const before = Math.floor(this.#state.nowMs() / 1000) * 1000 + 1
    await this.#state.db
      .insertInto('revoked_recipients')
      .values({ recipient, before })
      .onConflict(conflict => conflict.column('recipient').doUpdateSet({ before }))
      .execute()
  }

  async #stillHeld({ recipient, isUser }: LinkHolder, madeAt: number): Promise<boolean> {
    const { db } = this.#state
    const revoked = await db
      .selectFrom('revoked_recipients')
      .select('before')
      .where('recipient', '=', recipient)
      .executeTakeFirst()
    if (revoked !== undefined && madeAt < revoked.before) return false
    if (!isUser) return true
    const user = await db.selectFrom('users').selectAll().where('name', '=', recipient).executeTakeFirst()
    // The name of somebody who has left may be kept.
    return user !== undefined && (Reflect.get(user, 'offboarded_at') ?? null) === null
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, MAC_BYTES)
  }
}

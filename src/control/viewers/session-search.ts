// Owns finding sessions: those that go on, those that wait to be written, and those of the days, as one list.
import { setImmediate as turn } from 'node:timers/promises'
import { type Figures, figuresOf } from './figures.ts'
import type { Session } from './session.ts'
import type { SessionKeeper } from './session-keeper.ts'
import { type Place, type SessionFilter, type SessionStore, unpack } from './session-store.ts'

export interface Found {
  readonly session: Session
  readonly figures: Figures
}

const PAGE = 200

export class SessionSearch {
  readonly #keeper: SessionKeeper
  readonly #store: SessionStore

  constructor(keeper: SessionKeeper, store: SessionStore) {
    this.#keeper = keeper
    this.#store = store
  }

  /** Newest first; `next` is null where there are no more. */
  page(filter: SessionFilter, before: Place | null, limit: number): { found: Found[]; next: Place | null } {
    const live = this.#live(filter).filter(({ session }) => before === null || isBefore(session, before))
    const found = [...live, ...this.#stored(filter, before, limit + 1)].toSorted(newestFirst)
    const shown = found.slice(0, limit)
    const last = shown.at(-1)?.session
    const next = found.length > limit && last !== undefined ? { at: last.firstAt, sid: last.sid } : null
    return { found: shown, next }
  }

  /** All of them, those that go on first; the thread is given back between pages. */
  async *all(filter: SessionFilter): AsyncGenerator<Found> {
    yield* this.#live(filter)
    let before: Place | null = null
    for (;;) {
      const rows = this.#store.page(filter, before, PAGE)
      for (const row of rows) {
        if (!this.#isLive(row.sid)) yield found(unpack(row.packed))
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      before = { at: last.started_at, sid: last.sid }
      await turn()
    }
  }

  #live(filter: SessionFilter): Found[] {
    const all: Found[] = []
    for (const session of this.#keeper.sessions()) {
      const figures = this.#keeper.figures(session)
      if (matches(session, figures, filter)) all.push({ session, figures })
    }
    for (const row of this.#keeper.ended()) {
      if (this.#keeper.get(row.sid) !== null) continue
      const one = found(unpack(row.packed))
      if (matches(one.session, one.figures, filter)) all.push(one)
    }
    return all
  }

  /** Rows of sessions that go on again are skipped, and others taken in their place. */
  #stored(filter: SessionFilter, before: Place | null, max: number): Found[] {
    const all: Found[] = []
    let place = before
    while (all.length < max) {
      const rows = this.#store.page(filter, place, PAGE)
      for (const row of rows) if (!this.#isLive(row.sid)) all.push(found(unpack(row.packed)))
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) break
      place = { at: last.started_at, sid: last.sid }
    }
    return all.slice(0, max)
  }

  #isLive(sid: string): boolean {
    return this.#keeper.get(sid) !== null || this.#keeper.isWaiting(sid)
  }
}

function found(session: Session): Found {
  return { session, figures: figuresOf(session) }
}

function newestFirst(a: Found, b: Found): number {
  if (a.session.firstAt !== b.session.firstAt) return b.session.firstAt - a.session.firstAt
  return a.session.sid < b.session.sid ? 1 : -1
}

function isBefore({ firstAt, sid }: Session, { at, sid: than }: Place): boolean {
  return firstAt < at || (firstAt === at && sid < than)
}

function matches(session: Session, figures: Figures, filter: SessionFilter): boolean {
  const { fromMs, toMs, edge, title, state, attempt, estimated, rebufferSMin, sid, viewerRef } = filter
  return (
    session.firstAt <= toMs &&
    session.lastAt >= fromMs &&
    (edge === undefined || session.runs.some(run => run.edge === edge)) &&
    (title === undefined || session.title === title) &&
    (state === undefined || figures.state === state) &&
    (attempt === undefined || figures.attempt === attempt) &&
    (estimated === undefined || figures.estimated === estimated) &&
    (rebufferSMin === undefined || figures.rebufferS >= rebufferSMin) &&
    (sid === undefined || session.sid === sid) &&
    (viewerRef === undefined || session.viewerRef === viewerRef)
  )
}

// Owns finding sessions: those that go on, those that wait to be written, and those of the days, as one list.
import { setImmediate as turn } from 'node:timers/promises'
import { type Figures, figuresOf } from './figures.ts'
import { unpackSession } from './rest/packed-session.ts'
import { edgesOf, type Head } from './rest/shelf.ts'
import type { Session } from './session.ts'
import type { SessionKeeper } from './session-keeper.ts'
import type { Place, SessionFilter, SessionStore } from './session-store.ts'

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
    const live = [...this.#live(filter, before, limit + 1), ...this.#waiting(filter)].filter(
      ({ session }) => before === null || isBefore(session, before),
    )
    const found = [...live, ...this.#stored(filter, before, limit + 1)].toSorted(newestFirst)
    const shown = found.slice(0, limit)
    const last = shown.at(-1)?.session
    const next = found.length > limit && last !== undefined ? { at: last.firstAt, sid: last.sid } : null
    return { found: shown, next }
  }

  /** All of them, those that go on first; the thread is given back between pages. */
  async *all(filter: SessionFilter): AsyncGenerator<Found> {
    // What goes on is opened one by one; what is over meanwhile is found where it lies then.
    const seen = new Set<string>()
    for (const { sid } of [...this.#headsFor(filter, null), ...this.#keeper.ended()]) {
      const session = seen.has(sid) ? null : this.#keeper.find(sid)
      seen.add(sid)
      if (seen.size % PAGE === 0) await turn()
      if (session === null) continue
      const one = found(session)
      if (matches(session, one.figures, filter)) yield one
    }
    let before: Place | null = null
    for (;;) {
      const rows = this.#store.page(filter, before, PAGE)
      for (const row of rows) {
        if (!seen.has(row.sid) && !this.#isLive(row.sid)) yield found(unpackSession(row.packed))
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      before = { at: last.started_at, sid: last.sid }
      await turn()
    }
  }

  /** The newest of those that go on. */
  #live(filter: SessionFilter, before: Place | null, max: number): Found[] {
    const all: Found[] = []
    for (const head of this.#headsFor(filter, before).toSorted(newestHeadFirst)) {
      if (all.length >= max) break
      const one = found(this.#keeper.read(head))
      if (matches(one.session, one.figures, filter)) all.push(one)
    }
    return all
  }

  #headsFor(filter: SessionFilter, before: Place | null): Head[] {
    this.#keeper.account()
    const all: Head[] = []
    for (const head of this.#keeper.heads()) {
      if (mayMatch(head, filter) && (before === null || isBefore(head, before))) all.push(head)
    }
    return all
  }

  #waiting(filter: SessionFilter): Found[] {
    const all: Found[] = []
    for (const row of this.#keeper.ended()) {
      if (this.#keeper.get(row.sid) !== null) continue
      const one = found(unpackSession(row.packed))
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
      for (const row of rows) if (!this.#isLive(row.sid)) all.push(found(unpackSession(row.packed)))
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

type Begun = Pick<Head, 'firstAt' | 'sid'>

function newestHeadFirst(a: Begun, b: Begun): number {
  if (a.firstAt !== b.firstAt) return b.firstAt - a.firstAt
  return a.sid < b.sid ? 1 : -1
}

function newestFirst(a: Found, b: Found): number {
  return newestHeadFirst(a.session, b.session)
}

function isBefore({ firstAt, sid }: Begun, { at, sid: than }: Place): boolean {
  return firstAt < at || (firstAt === at && sid < than)
}

type Sought = Pick<
  Head,
  | 'sid'
  | 'firstAt'
  | 'lastAt'
  | 'title'
  | 'viewerRef'
  | 'edges'
  | 'state'
  | 'attempt'
  | 'estimated'
  | 'rebufferS'
>

function matches(
  session: Session,
  { state, attempt, estimated, rebufferS }: Figures,
  filter: SessionFilter,
): boolean {
  const { sid, firstAt, lastAt, title, viewerRef } = session
  const figures = { state, attempt, estimated, rebufferS }
  return mayMatch({ sid, firstAt, lastAt, title, viewerRef, edges: edgesOf(session), ...figures }, filter)
}

function mayMatch(one: Sought, filter: SessionFilter): boolean {
  const { fromMs, toMs, edge, title, state, attempt, estimated, rebufferSMin, sid, viewerRef } = filter
  return (
    one.firstAt <= toMs &&
    one.lastAt >= fromMs &&
    (edge === undefined || one.edges.includes(`,${edge},`)) &&
    (title === undefined || one.title === title) &&
    (state === undefined || one.state === state) &&
    (attempt === undefined || one.attempt === attempt) &&
    (estimated === undefined || one.estimated === estimated) &&
    (rebufferSMin === undefined || one.rebufferS >= rebufferSMin) &&
    (sid === undefined || one.sid === sid) &&
    (viewerRef === undefined || one.viewerRef === viewerRef)
  )
}

// Owns who is watching now: distinct sessions over all edges, each belonging to the edge that fed it last.
// It refuses more than SESSIONS_MAX sessions and counts those it refused.
import { isSimulated, type SessionReport, type TitleClass, titleClasses } from '#wire'

/** DESIGN: watching now means a media request or a playing event in the last 30 s. */
const WATCHING_MS = 30_000
const SESSIONS_MAX = 200_000 // about 40 MB; beyond it the numbers are a lower bound, and counted as such

interface Session {
  edge: string
  title: string
  fedAtMs: number
  estimated: boolean
  /** As the last sweep counted it; null: it came since. */
  counted: Watcher | null
}

/** One who watches, as of the last sweep. */
export interface Watcher {
  readonly edge: string
  readonly title: string
  readonly estimated: boolean
}

/** Where a session came in, or to which edge it went. */
export interface PathwayMove {
  readonly sid: string
  readonly edge: string
  /** Null: it came in. */
  readonly from: string | null
  /** Monotonic. */
  readonly atMs: number
  /** The table of the edge; null: not told. */
  readonly version: number | null
  readonly title: string
  readonly estimated: boolean
}

/** What waits to be stored; beyond it moves are dropped and counted. */
const MOVES_MAX = 20_000

export interface Watching {
  readonly watching: number
  readonly estimated: number
  /** Of simulated viewers. */
  readonly simulated: number
  /** Sums to `watching`. */
  readonly byClass: Readonly<Record<TitleClass, number>>
}

type Count = { watching: number; estimated: number; simulated: number; byClass: Record<TitleClass, number> }

const nobody: Watching = none()

function none(): Count {
  const byClass = Object.fromEntries(titleClasses.map(one => [one, 0])) as Record<TitleClass, number>
  return { watching: 0, estimated: 0, simulated: 0, byClass }
}

export class SessionBook {
  readonly #sessions = new Map<string, Session>()
  #byEdge = new Map<string, Watching>()
  #refused = 0
  #moves: PathwayMove[] = []
  #movesDropped = 0

  /** One report of one edge; times on the control room's monotonic clock. */
  report(edge: string, reports: readonly SessionReport[], nowMs: number): void {
    for (const { sid, title, agoMs, estimated, bytes, began } of reports) {
      const beganMs = began === undefined ? null : nowMs - began.agoMs
      const version = began?.version ?? null
      const fedAtMs = nowMs - agoMs
      if (agoMs > WATCHING_MS) continue
      const known = this.#sessions.get(sid)
      if (known === undefined) {
        if (this.#sessions.size >= SESSIONS_MAX) this.#refused += 1
        else {
          this.#sessions.set(sid, { edge, title, fedAtMs, estimated, counted: null })
          // Who comes back to an edge that knew it all along was nowhere else.
          if (beganMs !== null)
            this.#note({ sid, edge, from: null, atMs: beganMs, version, title, estimated })
        }
      } else if (fedAtMs >= known.fedAtMs) {
        // A playing event alone feeds nobody: it keeps the session alive and leaves it where its media came from.
        if (bytes > 0 && known.edge !== edge) {
          const from = known.edge
          this.#note({ sid, edge, from, atMs: beganMs ?? fedAtMs, version, title, estimated })
          known.edge = edge
        }
        known.title = title
        known.fedAtMs = fedAtMs
        known.estimated = estimated
      }
    }
  }

  /** Forgets those who stopped watching and counts the rest; called each second. */
  sweep(nowMs: number, classOf: (title: string) => TitleClass): void {
    const byEdge = new Map<string, Count>()
    for (const [sid, session] of this.#sessions) {
      if (nowMs - session.fedAtMs > WATCHING_MS) {
        this.#sessions.delete(sid)
        continue
      }
      const { edge, title, estimated, counted: before } = session
      if (before?.edge !== edge || before.title !== title || before.estimated !== estimated) {
        session.counted = { edge, title, estimated }
      }
      const counted = byEdge.get(session.edge) ?? none()
      counted.watching += 1
      counted.byClass[classOf(session.title)] += 1
      if (session.estimated) counted.estimated += 1
      if (isSimulated(sid)) counted.simulated += 1
      byEdge.set(session.edge, counted)
    }
    this.#byEdge = byEdge
  }

  /** As of the last sweep; edges sum to the total. */
  of(edge: string): Watching {
    return this.#byEdge.get(edge) ?? nobody
  }

  /** Who was counted by the last sweep: they sum to what `of` gives. */
  *watchers(): Generator<readonly [sid: string, watcher: Watcher]> {
    for (const [sid, { counted }] of this.#sessions) if (counted !== null) yield [sid, counted]
  }

  /** Sessions that this edge fed last. */
  sidsOf(edge: string): string[] {
    return [...this.#sessions].filter(([, session]) => session.edge === edge).map(([sid]) => sid)
  }

  /** Null: not watching any more. */
  whereIs(sid: string): { readonly edge: string; readonly fedAtMs: number } | null {
    return this.#sessions.get(sid) ?? null
  }

  /** Titles that are watched now, the most watched first: through these edges, or through any. */
  titles(edges?: ReadonlySet<string>): string[] {
    const counts = new Map<string, number>()
    for (const { title, edge } of this.#sessions.values()) {
      if (edges?.has(edge) !== false) counts.set(title, (counts.get(title) ?? 0) + 1)
    }
    return [...counts].toSorted((a, b) => b[1] - a[1]).map(([title]) => title)
  }

  /** What was noted since the last call, at most `max`, oldest first. */
  takeMoves(max: number): PathwayMove[] {
    return this.#moves.splice(0, max)
  }

  movesDropped(): number {
    return this.#movesDropped
  }

  #note(move: PathwayMove): void {
    if (this.#moves.length >= MOVES_MAX) this.#movesDropped += 1
    else this.#moves.push(move)
  }

  refused(): number {
    return this.#refused
  }
}

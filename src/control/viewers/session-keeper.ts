// Owns the sessions of the whole fleet while they go on: takes what edges forward, closes what has ended, tells the
// metrics, and commits everything as of one moment. It refuses more than SESSIONS_MAX.
//
// The contract with receipt.ts (docs/decisions/0008-viewer-sessions.md): when `take` returns, the records are in the
// journal and survive `kill -9`; the receipt may then store its place and tell the edge. When it throws, nothing was
// taken. Records that come twice, because the place was not stored in between, change nothing.
import type { Closable, Log } from '#base'
import type { ViewerRecord } from '#wire'
import { type AccountParts, account } from './account.ts'
import { type AssembleWords, newSession, takeEvent, takeRequest } from './assemble.ts'
import { Commit } from './commit.ts'
import { ViewerCounts } from './counts.ts'
import { type Figures, figuresOf } from './figures.ts'
import { Journal } from './journal.ts'
import type { EdgeWitness } from './judge-session.ts'
import { settleGrant } from './prove.ts'
import type { ViewerRecordSink } from './receipt.ts'
import type { Session } from './session.ts'
import { pack, type SessionRow, type SessionStore, unpack } from './session-store.ts'

/** A session takes 2 to 8 KB. */
export const SESSIONS_MAX = 100_000
/** Three reports of a player at its default interval, or a whole buffer without a request. */
const SILENT_MS = 90_000
/** After its last word a player says no more; others may have its words still. */
const ENDED_MS = 15_000
/** With fewer records a session is the first to go when there are too many: floods invent ids. */
const PROVEN_RECORDS = 3
/** An edge's fleet time differs by milliseconds. */
const AHEAD_MS_MAX = 5000

export const results = ['taken', 'clock', 'duplicate', 'late', 'too-old'] as const
export type Result = (typeof results)[number]

export interface SessionKeeperOptions extends Omit<AccountParts, 'counts'> {
  readonly store: SessionStore
  readonly words: AssembleWords
  readonly witness: EdgeWitness
  readonly keptMs: number
  readonly log: Log
  readonly sessionsMax?: number
  nowMs(this: void): number
  monotonicMs(this: void): number
}

export class SessionKeeper implements Closable, ViewerRecordSink {
  readonly counts: ViewerCounts = new ViewerCounts()
  /** Records by what became of them. */
  readonly totals: Record<Result, number> = { taken: 0, clock: 0, duplicate: 0, late: 0, 'too-old': 0 }
  /** Sessions that were pushed out, by whether they were stored. */
  readonly evicted: { stored: number; dropped: number } = { stored: 0, dropped: 0 }
  readonly #options: SessionKeeperOptions
  readonly #commit: Commit
  readonly #journal: Journal
  readonly #young = new Map<string, Session>()
  readonly #proven = new Map<string, Session>()
  readonly #figures = new Map<string, Figures>()
  readonly #touched = new Set<Session>()
  #committing: Promise<ReadonlyMap<string, string>> | null = null

  constructor(options: SessionKeeperOptions) {
    this.#options = options
    const { store, monotonicMs } = options
    this.#journal = new Journal(store.folder, store.journal())
    this.#commit = new Commit({ store, counts: this.counts, journal: this.#journal, monotonicMs })
    this.counts.load(store.sums())
    for (const session of store.open()) {
      this.#put(session)
      this.#touched.add(session)
    }
    this.#journal.replay((edge, records) => this.#takeAll(edge, records))
  }

  readonly take = (edge: string, records: readonly ViewerRecord[]): void => {
    this.#journal.append(edge, records)
    this.#takeAll(edge, records)
  }

  #takeAll(edge: string, records: readonly ViewerRecord[]): void {
    const { keptMs, words } = this.#options
    const nowMs = this.#options.nowMs()
    for (const record of records) {
      // A lying clock of an edge moves nobody into the future.
      const at = Math.min(record.at, nowMs + AHEAD_MS_MAX)
      if (at < nowMs - keptMs) {
        this.totals['too-old'] += 1
        continue
      }
      const own = at === record.at ? record : { ...record, at }
      const session = this.#sessionFor(own.sid, at)
      this.#commit.beforeChange(session)
      session.heardAt = nowMs
      const taken = own.kind === 'event' ? takeEvent(session, own, words) : takeRequest(session, edge, own)
      if (session.grant !== undefined) settleGrant(session, words)
      this.totals[taken] += 1
      this.#touched.add(session)
      this.#prove(session)
    }
  }

  /** Tells the metrics what is new; called each second. */
  account(): void {
    const nowMs = this.#options.nowMs()
    const touched = [...this.#touched]
    this.#touched.clear()
    for (const session of touched) {
      if (this.#of(session.sid) !== session) continue
      const { waits } = this.#accountOne(session, nowMs)
      if (waits) this.#touched.add(session)
    }
  }

  /** Closes those that have ended or fell silent; called each few seconds. */
  sweep(): void {
    const nowMs = this.#options.nowMs()
    for (const session of this.sessions()) {
      const figures = this.figures(session)
      const isOver = figures.state === 'ended' || figures.state === 'quit' || figures.state === 'failed'
      if (nowMs - session.heardAt > (isOver ? ENDED_MS : SILENT_MS)) this.#end(session, nowMs)
    }
  }

  /** Writes what changed; gives the sums that the metrics store may be told. One at a time. */
  commit(): Promise<ReadonlyMap<string, string>> {
    this.#committing ??= this.#commit.run().finally(() => {
      this.#committing = null
    })
    return this.#committing
  }

  /** As it was accounted last. */
  figures(session: Session): Figures {
    const known = this.#figures.get(session.sid)
    if (known !== undefined) return known
    const figures = figuresOf(session)
    this.#figures.set(session.sid, figures)
    return figures
  }

  *sessions(): Generator<Session> {
    yield* this.#young.values()
    yield* this.#proven.values()
  }

  size(): number {
    return this.#young.size + this.#proven.size
  }

  /** One that goes on. */
  get(sid: string): Session | null {
    return this.#of(sid)
  }

  /** Also one that is over. */
  find(sid: string): Session | null {
    const waiting = this.#commit.waiting(sid)
    return this.#of(sid) ?? (waiting === null ? this.#options.store.find(sid) : unpack(waiting.packed))
  }

  /** Those that are over and are not in the file yet. */
  ended(): IterableIterator<SessionRow> {
    return this.#commit.waitingAll()
  }

  isWaiting(sid: string): boolean {
    return this.#commit.waiting(sid) !== null
  }

  /** Everywhere; true when there was one. What it added to sums stays. */
  async remove(sid: string): Promise<boolean> {
    await this.#committing?.catch(() => undefined)
    const session = this.#of(sid)
    const waiting = this.#commit.waiting(sid)
    if (session !== null) {
      this.#drop(session)
      this.#commit.over(session, null)
    }
    this.#commit.forget(sid)
    return this.#options.store.remove(sid) || session !== null || waiting !== null
  }

  /** Whole days that are too old or too much. */
  async prune(): Promise<number> {
    await this.#committing?.catch(() => undefined)
    return this.#options.store.sweep(this.#options.nowMs())
  }

  async close(): Promise<void> {
    await this.#committing?.catch(() => undefined)
    this.account()
    await this.commit().catch((error: unknown) => this.#options.log.error('sessions-not-stored', { error }))
    this.#journal.close()
  }

  #of(sid: string): Session | null {
    return this.#proven.get(sid) ?? this.#young.get(sid) ?? null
  }

  #sessionFor(sid: string, at: number): Session {
    const known = this.#of(sid)
    if (known !== null) return known
    if (this.size() >= (this.#options.sessionsMax ?? SESSIONS_MAX)) this.#evict()
    const waiting = this.#commit.waiting(sid)
    const stored = waiting === null ? this.#options.store.findOver(sid, at) : unpack(waiting.packed)
    const session = stored ?? newSession(sid, at)
    this.#put(session)
    return session
  }

  #put(session: Session): void {
    const isProven = session.events + session.requests >= PROVEN_RECORDS
    ;(isProven ? this.#proven : this.#young).set(session.sid, session)
  }

  #prove(session: Session): void {
    if (session.events + session.requests < PROVEN_RECORDS || !this.#young.delete(session.sid)) return
    this.#proven.set(session.sid, session)
  }

  #evict(): void {
    const [young] = this.#young.values()
    if (young !== undefined) {
      this.evicted.dropped += 1
      this.#drop(young)
      this.#commit.over(young, null)
      return
    }
    const [oldest] = this.#proven.values()
    if (oldest === undefined) return
    this.evicted.stored += 1
    this.#end(oldest, this.#options.nowMs())
  }

  #accountOne(session: Session, nowMs: number): ReturnType<typeof account> {
    this.#commit.beforeChange(session)
    const result = account(session, nowMs, { ...this.#options, counts: this.counts })
    this.#figures.set(session.sid, result.figures)
    return result
  }

  #end(session: Session, nowMs: number): void {
    this.#commit.beforeChange(session)
    session.endedAt = session.lastAt
    const { figures } = this.#accountOne(session, nowMs)
    this.#drop(session)
    this.#commit.over(session, rowOf(session, figures))
  }

  #drop(session: Session): void {
    this.#young.delete(session.sid)
    this.#proven.delete(session.sid)
    this.#figures.delete(session.sid)
    this.#touched.delete(session)
  }
}

function rowOf(session: Session, figures: Figures): SessionRow {
  const { sid, firstAt, lastAt, title, runs, viewerRef } = session
  const edges = [...new Set(runs.map(({ edge }) => edge))]
  return {
    sid,
    started_at: firstAt,
    last_at: lastAt,
    title,
    state: figures.state,
    attempt: figures.attempt,
    estimated: Number(figures.estimated),
    edges: edges.length === 0 ? '' : `,${edges.join(',')},`,
    watched_s: figures.watchedS,
    rebuffer_s: figures.rebufferS,
    viewer_ref: viewerRef,
    packed: pack(session),
  }
}

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
import { figuresOf } from './figures.ts'
import { Journal } from './journal.ts'
import type { EdgeWitness } from './judge-session.ts'
import { settleGrant } from './prove.ts'
import type { ViewerRecordSink } from './receipt.ts'
import { packSession, unpackSession } from './rest/packed-session.ts'
import { edgesOf, type Head, Shelf } from './rest/shelf.ts'
import { saneEvent, saneRequest } from './sane.ts'
import type { Session } from './session.ts'
import type { SessionRow, SessionStore } from './session-store.ts'

export const SESSIONS_MAX = 100_000
/** Of all resting ones: 6.5 KB each when there are as many; about 2 KB are usual. */
const BYTES_MAX = 640 * 1024 ** 2
/** Three reports of a player at its default interval, or a whole buffer without a request. */
const SILENT_MS = 90_000
/** After its last word a player says no more; others may have its words still. */
const ENDED_MS = 15_000
/** With fewer records a session is the first to go when there are too many: floods invent ids. */
const PROVEN_RECORDS = 3
/** As edges refuse them (CTA-5004-B stamps); 1970 is no lie: televisions without a battery begin there. */
const TS_END = Date.UTC(2100, 0, 1)
/** An edge's fleet time differs by milliseconds. */
const AHEAD_MS_MAX = 5000

export const results = [
  'taken',
  'clock',
  'duplicate',
  'late',
  'too-old',
  'ahead',
  'bad-time',
  'absurd',
  'removed',
] as const
export type Result = (typeof results)[number]

export interface SessionKeeperOptions extends Omit<AccountParts, 'counts'> {
  readonly store: SessionStore
  readonly words: AssembleWords
  readonly witness: EdgeWitness
  readonly keptMs: number
  readonly log: Log
  readonly sessionsMax?: number
  readonly bytesMax?: number
  nowMs(this: void): number
  monotonicMs(this: void): number
}

export class SessionKeeper implements Closable, ViewerRecordSink {
  readonly counts: ViewerCounts = new ViewerCounts()
  /** Records by what became of them. */
  readonly totals: Record<Result, number>
  /** Sessions that were pushed out, by whether they were stored. */
  readonly evicted: { stored: number; dropped: number } = { stored: 0, dropped: 0 }
  readonly #options: SessionKeeperOptions
  readonly #commit: Commit
  readonly #journal: Journal
  readonly #shelf: Shelf
  readonly #young = new Map<string, Head>()
  readonly #proven = new Map<string, Head>()
  /** Of which something is to be told. */
  readonly #touched = new Set<Head>()
  /** Deleted by somebody: what comes of them still is not taken. */
  readonly #removed: Set<string>
  #committing: Promise<ReadonlyMap<string, string>> | null = null

  constructor(options: SessionKeeperOptions) {
    this.#options = options
    const { store, monotonicMs, bytesMax = BYTES_MAX } = options
    this.totals = Object.fromEntries(results.map(result => [result, 0])) as Record<Result, number>
    this.#shelf = new Shelf(bytesMax)
    this.#removed = new Set(store.removed())
    this.#journal = new Journal(store.folder, store.journal())
    this.#commit = new Commit({
      store,
      counts: this.counts,
      journal: this.#journal,
      packed: head => this.#shelf.packed(head),
      monotonicMs,
    })
    this.counts.load(store.sums())
    for (const packed of store.open()) {
      const head = this.#put(unpackSession(packed))
      this.#touched.add(head)
      this.#rest(head)
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
    for (const one of records) {
      const sane = one.kind === 'event' ? saneEvent(one) : saneRequest(one)
      const refusal = sane === null ? 'absurd' : this.#refusal(sane.record, nowMs - keptMs)
      if (sane === null || refusal !== null) {
        this.totals[refusal ?? 'absurd'] += 1
        continue
      }
      const { record } = sane
      // A lying clock of an edge moves nobody into the future.
      const isAhead = record.at > nowMs + AHEAD_MS_MAX
      const own = isAhead ? { ...record, at: nowMs + AHEAD_MS_MAX } : record
      const head = this.#headFor(own.sid, own.at)
      this.#commit.beforeChange(head)
      const session = this.#shelf.open(head)
      session.heardAt = nowMs
      const taken = own.kind === 'event' ? takeEvent(session, own, words) : takeRequest(session, edge, own)
      if (session.grant !== undefined) settleGrant(session, words)
      this.totals[taken === 'taken' ? (isAhead ? 'ahead' : sane.absurd ? 'absurd' : 'taken') : taken] += 1
      this.#shelf.note(head, session)
      this.#touched.add(head)
      this.#prove(head)
      const crowded = this.#shelf.crowded()
      if (crowded !== null) this.#settle(crowded, nowMs)
    }
  }

  #refusal(record: ViewerRecord, oldestMs: number): Result | null {
    if (record.at < oldestMs) return 'too-old'
    if (this.#removed.has(record.sid)) return 'removed'
    return record.kind === 'event' && !isMoment(record.ts) ? 'bad-time' : null
  }

  /** Tells the metrics what is new; called each second. */
  account(): void {
    const nowMs = this.#options.nowMs()
    for (const head of this.#touched) {
      if (this.#of(head.sid) !== head) this.#touched.delete(head)
      else if (head.session !== null || nowMs >= head.waitsUntil) this.#settle(head, nowMs)
    }
  }

  /** Closes those that have ended or fell silent; called each few seconds. */
  sweep(): void {
    const nowMs = this.#options.nowMs()
    this.account()
    for (const head of this.heads()) {
      const isOver = head.state === 'ended' || head.state === 'quit' || head.state === 'failed'
      if (nowMs - head.heardAt > (isOver ? ENDED_MS : SILENT_MS)) this.#end(head, nowMs)
    }
  }

  /** Writes what changed; gives the sums that the metrics store may be told. One at a time. */
  commit(): Promise<ReadonlyMap<string, string>> {
    this.#committing ??= this.#commit.run().finally(() => {
      this.#committing = null
    })
    return this.#committing
  }

  /** Of those that go on. */
  *heads(): Generator<Head> {
    yield* this.#young.values()
    yield* this.#proven.values()
  }

  /** To be looked at. */
  read(head: Head): Session {
    return this.#shelf.read(head)
  }

  /** Memory of resting sessions. */
  restingBytes(): number {
    return this.#shelf.bytes()
  }

  size(): number {
    return this.#young.size + this.#proven.size
  }

  /** One that goes on. */
  get(sid: string): Head | null {
    return this.#of(sid)
  }

  /** Also one that is over. */
  find(sid: string): Session | null {
    const head = this.#of(sid)
    if (head !== null) return this.#shelf.read(head)
    const waiting = this.#commit.waiting(sid)
    return waiting === null ? this.#options.store.find(sid) : unpackSession(waiting.packed)
  }

  /** Those that are over and are not in the file yet. */
  ended(): IterableIterator<SessionRow> {
    return this.#commit.waitingAll()
  }

  isWaiting(sid: string): boolean {
    return this.#commit.waiting(sid) !== null
  }

  /**
   * Everywhere, for good: what comes of it still, or lies in the journal, is not taken. True when there was one. What it
   * added to sums stays.
   */
  async remove(sid: string): Promise<boolean> {
    await this.#committing?.catch(() => undefined)
    const { store, nowMs } = this.#options
    const head = this.#of(sid)
    const isKnown = head !== null || this.#commit.waiting(sid) !== null
    // In the file first: what is answered survives `kill -9`.
    if (!store.remove(sid, { isKnown, nowMs: nowMs() })) return false
    this.#removed.add(sid)
    if (head !== null) {
      this.#commit.over(head, null)
      this.#drop(head)
    }
    this.#commit.forget(sid)
    return true
  }

  /** Whole days that are too old or too much. */
  async prune(): Promise<number> {
    await this.#committing?.catch(() => undefined)
    const { store, nowMs } = this.#options
    const dropped = store.sweep(nowMs())
    for (const sid of store.forgetRemoved(nowMs())) this.#removed.delete(sid)
    return dropped
  }

  async close(): Promise<void> {
    await this.#committing?.catch(() => undefined)
    this.account()
    await this.commit().catch((error: unknown) => this.#options.log.error('sessions-not-stored', { error }))
    this.#journal.close()
  }

  #of(sid: string): Head | null {
    return this.#proven.get(sid) ?? this.#young.get(sid) ?? null
  }

  #headFor(sid: string, at: number): Head {
    const known = this.#of(sid)
    if (known !== null) return known
    if (this.size() >= (this.#options.sessionsMax ?? SESSIONS_MAX)) this.#evict()
    const waiting = this.#commit.waiting(sid)
    const stored = waiting === null ? this.#options.store.findOver(sid, at) : unpackSession(waiting.packed)
    return this.#put(stored ?? { ...newSession(sid, at), knownAt: this.#options.nowMs() })
  }

  #put(session: Session): Head {
    const head = this.#shelf.add(session)
    const isProven = head.records >= PROVEN_RECORDS
    ;(isProven ? this.#proven : this.#young).set(head.sid, head)
    return head
  }

  #prove(head: Head): void {
    if (head.records < PROVEN_RECORDS || !this.#young.delete(head.sid)) return
    this.#proven.set(head.sid, head)
  }

  #evict(): void {
    const [young] = this.#young.values()
    if (young !== undefined) {
      this.evicted.dropped += 1
      this.#commit.over(young, null)
      this.#drop(young)
      return
    }
    const [oldest] = this.#proven.values()
    if (oldest === undefined) return
    this.evicted.stored += 1
    this.#end(oldest, this.#options.nowMs())
  }

  /** Told, and laid to rest. */
  #settle(head: Head, nowMs: number): void {
    if (this.#touched.has(head)) {
      const waitsUntil = this.#accountOne(head, nowMs)
      head.waitsUntil = waitsUntil ?? 0
      if (waitsUntil === null) this.#touched.delete(head)
    }
    this.#rest(head)
  }

  /** Where memory is full others go, and at last it itself. */
  #rest(head: Head): void {
    while (this.#of(head.sid) === head && !this.#shelf.rest(head)) this.#evict()
  }

  #accountOne(head: Head, nowMs: number): number | null {
    this.#commit.beforeChange(head)
    const session = this.#shelf.open(head)
    const { figures, waitsUntil } = account(session, nowMs, { ...this.#options, counts: this.counts })
    this.#shelf.noteFigures(head, session, figures)
    return waitsUntil
  }

  #end(head: Head, nowMs: number): void {
    this.#commit.beforeChange(head)
    const session = this.#shelf.open(head)
    session.endedAt = session.lastAt
    this.#accountOne(head, nowMs)
    this.#commit.over(head, rowOf(session))
    this.#drop(head)
  }

  #drop(head: Head): void {
    this.#young.delete(head.sid)
    this.#proven.delete(head.sid)
    this.#touched.delete(head)
    this.#shelf.drop(head)
  }
}

/** What no clock of a player says: 2100 and later, or before 1970. */
function isMoment(ts: number): boolean {
  return ts >= 0 && ts < TS_END
}

function rowOf(session: Session): SessionRow {
  const { sid, firstAt, lastAt, title, viewerRef } = session
  const figures = figuresOf(session)
  return {
    sid,
    started_at: firstAt,
    last_at: lastAt,
    title,
    state: figures.state,
    attempt: figures.attempt,
    estimated: Number(figures.estimated),
    edges: edgesOf(session),
    watched_s: figures.watchedS,
    rebuffer_s: figures.rebufferS,
    viewer_ref: viewerRef,
    packed: Buffer.from(packSession(session)),
  }
}

// Owns writing what changed to disk, as of one moment, in slices: sessions that change meanwhile are written first, as
// they were. Sums are given to the metrics store only when they stand in the file.
import { setImmediate as turn } from 'node:timers/promises'
import type { ViewerCounts } from './counts.ts'
import type { Journal } from './journal.ts'
import type { Head } from './rest/shelf.ts'
import type { SessionRow, SessionStore } from './session-store.ts'

/** The thread is given back after so long. */
const SLICE_MS = 8

export interface CommitParts {
  readonly store: SessionStore
  readonly counts: ViewerCounts
  readonly journal: Journal
  /** As it is now. */
  packed(this: void, head: Head): Buffer
  monotonicMs(this: void): number
}

export class Commit {
  readonly #parts: CommitParts
  #dirty = new Set<Head>()
  #gone = new Set<string>()
  #over = new Map<string, SessionRow>()
  /** Of the commit that runs: not written yet. */
  #pending: Set<Head> | null = null

  constructor(parts: CommitParts) {
    this.#parts = parts
  }

  /** To be called before a session is changed. */
  beforeChange(head: Head): void {
    if (this.#pending?.delete(head) === true) this.#putOpen(head)
    this.#dirty.add(head)
  }

  /** It is over, or is about to be thrown away (null). */
  over(head: Head, row: SessionRow | null): void {
    if (this.#pending?.delete(head) === true) this.#putOpen(head)
    this.#dirty.delete(head)
    this.#gone.add(head.sid)
    if (row === null) this.#over.delete(head.sid)
    else this.#over.set(head.sid, row)
  }

  /** One that is over and waits to be written. */
  waiting(sid: string): SessionRow | null {
    return this.#over.get(sid) ?? null
  }

  waitingAll(): IterableIterator<SessionRow> {
    return this.#over.values()
  }

  forget(sid: string): void {
    this.#over.delete(sid)
  }

  /** Gives the changed sums, now in the file. A failure changes nothing: all of it is tried again. */
  async run(): Promise<ReadonlyMap<string, string>> {
    const { store, counts, journal, monotonicMs } = this.#parts
    const [dirty, gone, over] = [this.#dirty, this.#gone, this.#over]
    const pending = new Set(dirty)
    const sums = counts.takeChanged()
    const number = journal.turn()
    store.begin()
    try {
      for (const sid of gone) store.dropOpen(sid)
      for (const row of over.values()) store.putOver(row)
      store.putSums(sums)
      store.putJournal(number)
      // What changes from here on is news of the next commit.
      ;[this.#dirty, this.#gone, this.#over] = [new Set(), new Set(), new Map()]
      this.#pending = pending
      let startMs = monotonicMs()
      for (const head of pending) {
        pending.delete(head)
        this.#putOpen(head)
        if (monotonicMs() - startMs < SLICE_MS) continue
        await turn()
        startMs = monotonicMs()
      }
      store.end()
    } catch (error) {
      this.#putBack(dirty, gone, over)
      counts.putBack(sums)
      store.undo()
      throw error
    } finally {
      this.#pending = null
    }
    counts.committed(sums)
    journal.dropBefore(number)
    return sums
  }

  #putOpen(head: Head): void {
    this.#parts.store.putOpen(head.sid, this.#parts.packed(head))
  }

  #putBack(dirty: Set<Head>, gone: Set<string>, over: Map<string, SessionRow>): void {
    // Who is over since then must not be written as one that goes on.
    for (const head of dirty) if (!this.#gone.has(head.sid)) this.#dirty.add(head)
    for (const sid of gone) this.#gone.add(sid)
    for (const [sid, row] of over) if (!this.#over.has(sid)) this.#over.set(sid, row)
  }
}

// Owns the sessions that this edge feeds: when each was last fed, and with how much. Ages are monotonic; a viewer
// is never called fresh because of what lay in the kernel while this process was stopped.
import type { Clock } from '#base'
import { SESSIONS_REPORT_MAX, type SessionReport } from '#wire'
import type { Identity } from './identity.ts'

const SESSIONS_MAX = 50_000
/** A gap of this length ends a session. */
const GAP_MS = 60_000
/** *Watching now*: a media request or playing event in the last 30 s. */
const WATCHING_MS = 30_000
/** Not fed for so long: if it comes again, it may have been elsewhere. Players fill a buffer of 30 s at once. */
const AWAY_MS = 20_000
/** A tick that comes this late means that the process was stopped or starved. */
const LATE_MS = 1500
/** After that, requests are served but not believed for so long: their senders may be gone since long. */
const DOUBT_MS = 1000

interface Session {
  readonly estimated: boolean
  title: string
  lastMs: number
  /** When this edge began to feed it, and by which table. */
  beganMs: number
  version: number | null
  /** The control room has not been told of the beginning yet. */
  beginning: boolean
  bytes: number
  /** Something happened since the last report. */
  touched: boolean
}

export interface SessionCounts {
  evicted: number
  doubted: number
}

export class Sessions {
  readonly counts: SessionCounts = { evicted: 0, doubted: 0 }
  readonly #clock: Clock
  /** By sid, longest untouched first. */
  readonly #sessions = new Map<string, Session>()
  #tickMs: number
  #doubtUntilMs = 0
  #tableVersion: () => number | null = () => null

  constructor(clock: Clock) {
    this.#clock = clock
    this.#tickMs = clock.monotonicMs()
  }

  /** By which table this edge goes; known only once there is a fleet. */
  useTable(version: () => number | null): void {
    this.#tableVersion = version
  }

  /** When this edge began to feed it, monotonic ms; null: it does not. */
  beganMs(sid: string): number | null {
    return this.#sessions.get(sid)?.beganMs ?? null
  }

  /** Called a few times a second by the edge: notices that the process stood still. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#tickMs > LATE_MS) this.#doubtUntilMs = nowMs + DOUBT_MS
    this.#tickMs = nowMs
  }

  /** A media request was answered with `bytes` of body. */
  fed(identity: Identity, title: string, bytes: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#doubts(nowMs)) return
    const known = this.#sessions.get(identity.sid)
    const session = known ?? this.#begin(identity, title, nowMs)
    if (nowMs - session.lastMs > AWAY_MS) {
      session.beganMs = nowMs
      session.version = this.#tableVersion()
      session.beginning = true
    }
    session.title = title
    session.lastMs = nowMs
    session.bytes += bytes
    session.touched = true
    this.#sessions.delete(identity.sid)
    this.#sessions.set(identity.sid, session)
    if (this.#sessions.size > SESSIONS_MAX) this.#evict()
  }

  /**
   * A playing event was reported. It keeps a session alive that this edge feeds; it never makes one, since
   * events may be sent to another edge than the one that feeds.
   */
  played(sid: string): boolean {
    const session = this.#sessions.get(sid)
    const nowMs = this.#clock.monotonicMs()
    if (this.#doubts(nowMs)) return false
    if (session === undefined || nowMs - session.lastMs > GAP_MS) return false
    session.lastMs = nowMs
    session.touched = true
    this.#sessions.delete(sid)
    this.#sessions.set(sid, session)
    return true
  }

  /** What changed since the last report, in parts that fit a message; forgets sessions that have ended. */
  report(): SessionReport[][] {
    const nowMs = this.#clock.monotonicMs()
    const reports: SessionReport[] = []
    for (const [sid, session] of this.#sessions) {
      const agoMs = nowMs - session.lastMs
      if (session.touched) {
        const { title, estimated, bytes, beganMs, version, beginning } = session
        const began = beginning ? { began: { agoMs: nowMs - beganMs, version } } : {}
        reports.push({ sid, title, estimated, agoMs, bytes, ...began })
      } else if (agoMs > GAP_MS) this.#sessions.delete(sid)
    }
    const parts: SessionReport[][] = []
    for (let at = 0; at < reports.length; at += SESSIONS_REPORT_MAX) {
      parts.push(reports.slice(at, at + SESSIONS_REPORT_MAX))
    }
    return parts
  }

  /** Everybody is told of again with the next report: the control room may have forgotten them. */
  tellAgain(): void {
    for (const session of this.#sessions.values()) {
      session.touched = true
      session.beginning = true
    }
  }

  /** The control room has taken a part: its bytes are not told again. */
  told(part: readonly SessionReport[]): void {
    for (const { sid, bytes, began } of part) {
      const session = this.#sessions.get(sid)
      if (session === undefined) continue
      session.bytes = Math.max(0, session.bytes - bytes)
      session.touched = false
      if (began !== undefined) session.beginning = false
    }
  }

  /** Sessions that were fed or played in the last 30 s. */
  watching(): number {
    const sinceMs = this.#clock.monotonicMs() - WATCHING_MS
    let count = 0
    for (const session of this.#sessions.values()) if (session.lastMs >= sinceMs) count += 1
    return count
  }

  #begin({ estimated }: Identity, title: string, nowMs: number): Session {
    const version = this.#tableVersion()
    const began = { beganMs: nowMs, version, beginning: true }
    return { estimated, title, lastMs: nowMs, ...began, bytes: 0, touched: true }
  }

  /** Before the first tick after a stop, the lateness shows here. */
  #doubts(nowMs: number): boolean {
    if (nowMs >= this.#doubtUntilMs && nowMs - this.#tickMs <= LATE_MS) return false
    this.counts.doubted += 1
    return true
  }

  #evict(): void {
    const oldest = this.#sessions.keys().next()
    if (oldest.done === true) return
    this.#sessions.delete(oldest.value)
    this.counts.evicted += 1
  }
}

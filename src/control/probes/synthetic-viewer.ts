// Owns the control room's own viewer without a picture: it plays a little of every edge's streams in turn, a whole
// segment now and then, and all that a player would under suspicion. It refuses to spend more than the budget.
import type { Clock, Closable, Log } from '#base'
import { type Glance, type GlanceBefore, glanceAt, lookAt } from '#look'
import { PROBE_HEADER } from '#wire'
import { CONTROL_ID, type Fleet, type ServerRecord } from '../fleet/fleet.ts'
import { foreignPlay } from './foreign-stream.ts'
import type { ProbeBudget } from './probe-budget.ts'

const TURN_MS = 1000
/** Playlists and the beginning of a segment. */
const GLANCE_EVERY_MS = 20_000
const GLANCE_SUSPECT_MS = 10_000 // also where too few watch to tell
const WHOLE_EVERY_MS = 300_000
const FULL_EVERY_MS = 300_000
/** First looks, so that a start does not ask everybody at once. */
const APART_MS = 250
const RANGE_BYTES = 16 * 1024
/** What is asked of the budget beforehand; what was really fetched is spent. */
const GLANCE_BYTES = 256 * 1024
const WHOLE_BYTES = 4 * 1024 * 1024
const FULL_BYTES = 8 * 1024 * 1024
const FULL_SEGMENTS = 3
/** Over all servers. */
const UNDER_WAY_MAX = 8

export interface SyntheticViewerOptions {
  readonly fleet: Fleet
  readonly budget: ProbeBudget
  /** What is played, in turn. */
  readonly titles: () => readonly string[]
  readonly credential: (server: string) => string
  readonly clock: Clock
  readonly log: Log
}

interface Course {
  nextMs: number
  wholeMs: number
  fullMs: number
  turn: number
  live: GlanceBefore | null
}

interface What {
  readonly url: string
  readonly title: string
  readonly headers: Readonly<Record<string, string>>
}

export function startSyntheticViewer(options: SyntheticViewerOptions): Closable {
  const viewer = new SyntheticViewer(options)
  const timer = setInterval(() => viewer.turn(), TURN_MS)
  return {
    close: async () => {
      clearInterval(timer)
      await viewer.close()
    },
  }
}

class SyntheticViewer {
  readonly #options: SyntheticViewerOptions
  readonly #courses = new Map<string, Course>()
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(options: SyntheticViewerOptions) {
    this.#options = options
  }

  turn(): void {
    const { fleet, clock, log } = this.#options
    const nowMs = clock.monotonicMs()
    const records = [...fleet.edges(), ...fleet.foreign()].filter(({ url }) => url !== '')
    const ids = new Set(records.map(({ id }) => id))
    for (const id of this.#courses.keys()) if (!ids.has(id)) this.#courses.delete(id)
    for (const [at, record] of records.entries()) {
      const course = this.#courseOf(record.id, nowMs + Math.min(GLANCE_EVERY_MS, at * APART_MS))
      if (nowMs < course.nextMs || this.#underWay.has(record.id)) continue
      if (this.#underWay.size >= UNDER_WAY_MAX) return
      const one = this.#play(record, course, nowMs)
        .catch((error: unknown) => log.error('synthetic-viewer-broken', { server: record.id, error }))
        .then(() => void this.#underWay.delete(record.id))
      this.#underWay.set(record.id, one)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#underWay.values())
  }

  #courseOf(id: string, firstMs: number): Course {
    const known = this.#courses.get(id)
    if (known !== undefined) return known
    const course = { nextMs: firstMs, wholeMs: firstMs, fullMs: 0, turn: 0, live: null }
    this.#courses.set(id, course)
    return course
  }

  async #play(record: ServerRecord, course: Course, nowMs: number): Promise<void> {
    const { budget } = this.#options
    const isSuspect = isSuspected(record)
    const isSooner = isSuspect || (record.viewersWord?.says === 'too-few' && budget.isAmple(record.id))
    course.nextMs = nowMs + (isSooner ? GLANCE_SUSPECT_MS : GLANCE_EVERY_MS)
    const what = this.#what(record, course)
    // One that does not answer at all is not asked to play.
    if (what === null || record.standing.state === 'unreachable') return
    course.turn += 1
    const full = isSuspect && record.role === 'edge' && nowMs - course.fullMs >= FULL_EVERY_MS
    if (full && budget.may(record.id, FULL_BYTES)) {
      course.fullMs = nowMs
      return await this.#full(record, what, nowMs)
    }
    const whole = nowMs >= course.wholeMs && budget.may(record.id, WHOLE_BYTES)
    if (!whole && !budget.may(record.id, GLANCE_BYTES)) return
    if (whole) course.wholeMs = nowMs + WHOLE_EVERY_MS
    const glance = await glanceAt(what.url, {
      clock: this.#options.clock,
      headers: what.headers,
      rangeBytes: whole ? null : RANGE_BYTES,
      // The sample from its beginning, which lies in memory; others all over.
      position: course.turn % 3 === 0 ? 0 : (course.turn % 10) / 10,
      before: course.live,
    })
    course.live = glance.live
    this.#tell(record, what.title, glance, nowMs)
  }

  #what({ id, url, role, stream }: ServerRecord, { turn }: Course): What | null {
    const titles = this.#options.titles()
    if (role === 'foreign') {
      const play = foreignPlay(stream, titles, turn)
      return play === null ? null : { ...play, headers: {} }
    }
    const title = titles[turn % Math.max(1, titles.length)]
    if (title === undefined) return null
    const headers = { [PROBE_HEADER]: this.#options.credential(id) }
    return { url: `${url}/vod/${title}/master.m3u8`, title, headers }
  }

  /** Everything that a player does, and what it says. */
  async #full(record: ServerRecord, { url, title, headers }: What, atMs: number): Promise<void> {
    const { clock } = this.#options
    const report = await lookAt(url, {
      clock,
      headers,
      segments: FULL_SEGMENTS,
      variant: 'first',
      origin: new URL(url).origin,
    })
    const bytes = report.fetches.reduce((sum, fetch) => sum + fetch.bytes, 0)
    this.#tell(record, title, { ...report, bytes }, atMs)
  }

  #tell(
    record: ServerRecord,
    title: string,
    seen: Pick<Glance, 'ok' | 'problems' | 'startMs' | 'speedRatio' | 'bytes'>,
    atMs: number,
  ): void {
    const { ok, startMs, speedRatio, bytes } = seen
    const problem = seen.problems.find(({ severity }) => severity === 'fault')?.text ?? null
    this.#options.budget.spend(record.id, bytes)
    this.#options.fleet.play(record.id, CONTROL_ID, { atMs, title, ok, problem, startMs, speedRatio })
  }
}

/** It serves badly, or did not play the last time: then it is worth more bytes. */
export function isSuspected({ standing, plays }: ServerRecord): boolean {
  if (standing.state === 'degraded') return true
  return [...plays.values()].some(log => log.failures() > 0)
}

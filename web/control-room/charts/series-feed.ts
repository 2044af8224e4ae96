// Owns the live samples of a page: one loop that asks for the new tail of every query and merges it into one grid.
// At most one round is under way; a page that nobody looks at asks for nothing.
import type { ControlRoomClient } from '../api/client.ts'
import { type Labels, queryRange } from '../api/prometheus.ts'
import { alignDown, type Grid, mergeTail, type Points, stepFor, tailFrom } from './grid.ts'

/** Samples of the last seconds are asked again: agents push once a second, and some pushes come late. */
const OVERLAP_S = 6
const ROUND_MS_MIN = 1_000
/** After an error the loop slows down to this. */
const ROUND_MS_AFTER_ERROR = 2_000

export interface FeedQuery {
  /** The expression for a step: windows of `rate` must not be shorter than it. */
  readonly expr: (stepS: number) => string
  /** Column of a series; null drops it. */
  readonly key: (labels: Labels) => string | null
}

export type FeedWindow =
  | { readonly kind: 'live'; readonly seconds: number }
  | { readonly kind: 'fixed'; readonly fromS: number; readonly toS: number }

export interface FeedPlan {
  readonly queries: readonly FeedQuery[]
  /** Names the queries: with another one, what was fetched is dropped. */
  readonly queriesKey: string
  readonly window: FeedWindow
  readonly widthPx: number
  readonly paused: boolean
  /** See Tail; false where it is left out. */
  readonly keepsNotNumbers?: boolean
}

export interface FeedState {
  readonly grid: Grid | null
  /** Monotonic ms of the last complete round. */
  readonly fetchedMs: number | null
  readonly problem: string | null
  /** Behind the problem, for pages that tell more of it. */
  readonly error: Error | null
}

const NOTHING: FeedState = { grid: null, fetchedMs: null, problem: null, error: null }

export class SeriesFeed {
  readonly #client: ControlRoomClient
  readonly #listeners = new Set<() => void>()
  readonly #visible = (): void => this.#kick()
  #state: FeedState = NOTHING
  #plan: FeedPlan | null = null
  #planKey = ''
  #timer: ReturnType<typeof setTimeout> | null = null
  #round: AbortController | null = null

  constructor(client: ControlRoomClient) {
    this.#client = client
  }

  get state(): FeedState {
    return this.#state
  }

  subscribe(listener: () => void): () => void {
    if (this.#listeners.size === 0) document.addEventListener('visibilitychange', this.#visible)
    this.#listeners.add(listener)
    this.#kick()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.close()
    }
  }

  /** Another window or other queries: samples that fit the new plan are kept. */
  follow(plan: FeedPlan): void {
    const before = this.#plan
    this.#plan = plan
    const key = JSON.stringify([plan.queriesKey, plan.window, plan.paused, Math.round(plan.widthPx / 200)])
    if (key === this.#planKey) return
    this.#planKey = key
    if (before !== null && before.queriesKey !== plan.queriesKey) {
      this.#state = NOTHING
    }
    this.#kick()
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#visible)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#round?.abort()
    this.#round = null
  }

  #kick(): void {
    if (this.#listeners.size === 0 || document.hidden) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#round?.abort()
    this.#round = new AbortController()
    void this.#run(this.#round)
  }

  async #run(round: AbortController): Promise<void> {
    const plan = this.#plan
    const begunMs = performance.now()
    let pauseMs = ROUND_MS_MIN
    if (plan !== null && (!plan.paused || this.#state.grid === null)) {
      const bounds = this.#bounds(plan)
      if (bounds !== null) {
        pauseMs = Math.max(ROUND_MS_MIN, bounds.stepS * 500)
        const ok = await this.#fetch(plan, bounds, round.signal)
        if (round.signal.aborted) return
        if (!ok) pauseMs = ROUND_MS_AFTER_ERROR
        // A fixed window does not change: one good answer is enough.
        if (ok && plan.window.kind === 'fixed') return
      } else {
        pauseMs = 200 // Fleet time is not known yet.
      }
    }
    if (document.hidden) return
    const restMs = Math.max(100, pauseMs - (performance.now() - begunMs))
    this.#timer = setTimeout(() => void this.#run(round), restMs)
  }

  #bounds({
    window,
    widthPx,
  }: FeedPlan): { fromS: number; toS: number; stepS: number; windowS: number } | null {
    if (window.kind === 'fixed') {
      const windowS = window.toS - window.fromS
      return { fromS: window.fromS, toS: window.toS, stepS: stepFor(windowS, widthPx), windowS }
    }
    const nowMs = this.#client.clock.at(performance.now())
    if (nowMs === null) return null
    const stepS = stepFor(window.seconds, widthPx)
    const toS = alignDown(nowMs / 1000, stepS)
    return { fromS: alignDown(toS - window.seconds, stepS), toS, stepS, windowS: window.seconds }
  }

  async #fetch(
    plan: FeedPlan,
    bounds: { fromS: number; toS: number; stepS: number; windowS: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { stepS, toS, windowS } = bounds
    const start = alignDown(bounds.fromS, stepS)
    const fromS = Math.min(tailFrom(this.#state.grid, { fromS: start, stepS }, OVERLAP_S), toS)
    try {
      const answers = await Promise.all(
        plan.queries.map(async query => ({
          query,
          series: await queryRange(this.#client, { expr: query.expr(stepS), fromS, toS, stepS }, signal),
        })),
      )
      if (signal.aborted) return false
      const series = new Map<string, Points>()
      for (const { query, series: found } of answers) {
        for (const { labels, points } of found) {
          const key = query.key(labels)
          if (key !== null) series.set(key, points)
        }
      }
      const keepsNotNumbers = plan.keepsNotNumbers === true
      const grid = mergeTail(this.#state.grid, { fromS, toS, windowS, stepS, series, keepsNotNumbers })
      this.#publish({ grid, fetchedMs: performance.now(), problem: null, error: null })
      return true
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error('unknown')
      if (!signal.aborted) this.#publish({ ...this.#state, problem: error.message, error })
      return false
    }
  }

  #publish(state: FeedState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

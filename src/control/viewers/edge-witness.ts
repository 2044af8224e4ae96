// Owns asking the metrics store whether an edge's process stood still around a stall: only its agent could see that.
// Stalls of one edge come together, so it is asked by stretches of time that they share; at most so many questions a
// second, and beyond them, and without an agent, it is not known.
import { type MetricsStore, type Point, pointsOf } from '#metrics'
import type { EdgeWitness } from './judge-session.ts'

const QUESTIONS_A_SECOND = 20
const STRETCHES_MAX = 1000
/** Agents look once a second. */
const STEP_MS = 1000
const STRETCH_MS = 10_000
const SPAN_MS_MAX = 120_000
/** For one that is not over yet where the stall is. */
const OPEN_KEPT_MS = 2000

/** Moments (ms, whole seconds) at which an agent saw the edge, and those of them at which it stood still. */
interface Stretch {
  readonly seen: readonly number[]
  readonly stood: readonly number[]
  /** Monotonic. */
  readonly keptUntilMs: number
}

export function edgeWitness(store: Pick<MetricsStore, 'queryRange'>, monotonicMs: () => number): EdgeWitness {
  const stretches = new Map<string, Stretch>()
  let second = 0
  let asked = 0
  const ask = (edge: string, fromMs: number, keptUntilMs: number): Stretch => {
    const { items } = store.queryRange(
      `max(last_over_time(vitrine_server_process_stopped{instance="${edge}"}[2s]))`,
      fromMs,
      fromMs + STRETCH_MS - STEP_MS,
      STEP_MS,
    )
    const seen = items.flatMap(pointsOf)
    const at = ({ timestampMs }: Point): number => timestampMs
    return { seen: seen.map(at), stood: seen.filter(({ value }) => value > 0).map(at), keptUntilMs }
  }
  const stretchOf = (edge: string, fromMs: number, isOver: boolean): Stretch | null => {
    const key = `${edge} ${fromMs}`
    const nowMs = monotonicMs()
    const known = stretches.get(key)
    if (known !== undefined && nowMs < known.keptUntilMs) return known
    const now = Math.floor(nowMs / 1000)
    if (now !== second) [second, asked] = [now, 0]
    asked += 1
    if (asked > QUESTIONS_A_SECOND) return null
    if (stretches.size >= STRETCHES_MAX) stretches.clear()
    const stretch = ask(edge, fromMs, isOver ? Number.POSITIVE_INFINITY : nowMs + OPEN_KEPT_MS)
    stretches.set(key, stretch)
    return stretch
  }
  return {
    stoppedS: (edge, fromMs, toMs) => {
      const from = Math.floor(fromMs / STEP_MS) * STEP_MS
      const to = Math.ceil(Math.min(toMs, fromMs + SPAN_MS_MAX) / STEP_MS) * STEP_MS
      let [seen, stood] = [0, 0]
      for (let at = Math.floor(from / STRETCH_MS) * STRETCH_MS; at <= to; at += STRETCH_MS) {
        const stretch = stretchOf(edge, at, at + STRETCH_MS <= to)
        if (stretch === null) return null
        const isWithin = (ms: number): boolean => ms >= from && ms <= to
        seen += stretch.seen.filter(isWithin).length
        stood += stretch.stood.filter(isWithin).length
      }
      return seen === 0 ? null : stood * (STEP_MS / 1000)
    },
  }
}
